"""What a text says about music: instruments, genre, mood, tempo, key, metre, length, texture.

`analyse` takes any string and never raises; it costs about half a millisecond for a caption and is linear in the
text's length. Spans are (start, end) character offsets into the text. Confidences: 0.8 and more for what is stated, less for
what is implied (a waltz is in 3/4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from amt_ray.midi.instruments import family_of
from amt_ray.text.analysis import Evidence, Label, Mention, TextAnalysis
from amt_ray.text.chords import find_chords
from amt_ray.text.clean import Token, clean_tokens, tokenize
from amt_ray.text.denial import denied_matches
from amt_ray.text.exclusive import is_exclusive
from amt_ray.text.keys import find_key
from amt_ray.text.lexicon import Kind, Match, Meaning, family_programs, find
from amt_ray.text.notation import (
    Found,
    best,
    find_bars,
    find_bpm,
    find_bpm_range,
    find_duration,
    find_time_signature,
)

_MELODIC_STRINGS_AND_VOICES = frozenset({"violin", "viola", "cello", "double bass", "fiddle", "voice"})


def analyse(text: str) -> TextAnalysis:
    """Read a description of music. Never raises; an empty text says nothing."""
    tokens = tokenize(text)
    matches = find(tokens)
    denied = denied_matches(text, tokens, matches)
    stated = [match for match in matches if match not in denied]
    cleaned = clean_tokens(text, tokens)
    bpm, key, bars = find_bpm(text), find_key(text), find_bars(text)
    bpm_range = find_bpm_range(text) or best(_ranges(stated, "tempo"))
    metre = find_time_signature(text) or best(_names(stated, "metre"))
    duration = find_duration(text) or best(_ranges(stated, "length"))
    chords = find_chords(text)
    texture = best([*_names(stated, "polyphony"), *_unaccompanied(tokens, stated)])
    return TextAnalysis(
        cleaned=cleaned,
        n_chars_before=len(text),
        n_chars_after=len(cleaned),
        keywords=tuple(dict.fromkeys(cleaned.split())),
        moods=_labels(stated, "mood"),
        genres=_labels(stated, "genre"),
        instruments=_mentions(stated),
        excluded_instruments=_of_whole_families(text, _mentions([match for match in matches if match in denied])),
        tempo_bpm=bpm.value if bpm else None,
        tempo_range_bpm=bpm_range.value if bpm_range else None,
        key=key.value if key else None,
        time_signature=metre.value if metre else None,
        bars=bars.value if bars else None,
        duration_s=duration.value if duration else None,
        polyphony=texture.value if texture else None,
        chords=chords.value if chords else (),
        instruments_exclusive=is_exclusive(tokens, stated),
        evidence=_evidence(
            tempo_bpm=bpm,
            tempo_range_bpm=bpm_range,
            key=key,
            time_signature=metre,
            bars=bars,
            duration_s=duration,
            polyphony=texture,
            chords=chords,
        ),
    )


def _evidence(**found: Found[Any] | None) -> dict[str, Evidence]:
    return {name: Evidence(value.confidence, value.span) for name, value in found.items() if value}


def _names(matches: Iterable[Match], kind: Kind) -> Iterator[Found[str]]:
    for match in matches:
        for meaning in match.meanings:
            if meaning.kind == kind:
                yield Found(meaning.name, meaning.confidence, match.span)


def _ranges(matches: Iterable[Match], kind: Kind) -> Iterator[Found[tuple[float, float]]]:
    for match in matches:
        for meaning in match.meanings:
            if meaning.kind == kind:
                yield Found(meaning.bounds, meaning.confidence, match.span)


def _labels(matches: Iterable[Match], kind: Kind) -> tuple[Label, ...]:
    """Labels in the text's order, each once, with the span of its most confident mention."""
    labels: dict[str, Label] = {}
    for found in _names(matches, kind):
        if found.value not in labels or labels[found.value].confidence < found.confidence:
            labels[found.value] = Label(found.value, found.confidence, found.span)
    return tuple(labels.values())


def _mentions(matches: Iterable[Match]) -> tuple[Mention, ...]:
    """Instruments in the text's order, each once; "the bass" after "slap bass" is the same instrument."""
    mentions: dict[str, Mention] = {}
    for match in matches:
        for meaning in match.meanings:
            if meaning.kind == "instrument" and not _refers_back(meaning, match.span, mentions.values()):
                mention = Mention(meaning.name, meaning.programs, meaning.confidence, match.span)
                mentions.setdefault(meaning.name, mention)
    return tuple(mentions.values())


def _of_whole_families(text: str, mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    families = ((mention, family_programs().get(text[slice(*mention.span)].lower(), ())) for mention in mentions)
    return tuple(replace(m, programs=tuple(dict.fromkeys(m.programs + family))) for m, family in families)


def _refers_back(meaning: Meaning, span: tuple[int, int], mentions: Iterable[Mention]) -> bool:
    return any(
        mention.programs[0] in meaning.programs and meaning.confidence < mention.confidence and mention.span != span
        for mention in mentions
    )


def _unaccompanied(tokens: Sequence[Token], matches: Iterable[Match]) -> Iterator[Found[str]]:
    """Find "solo flute": one instrument that plays one note at a time, and nothing else."""
    for match in matches:
        is_solo = match.first > 0 and tokens[match.first - 1].word in {"solo", "unaccompanied"}
        if is_solo and any(_is_melodic(meaning) for meaning in match.meanings):
            yield Found("mono", 0.7, (tokens[match.first - 1].start, match.span[1]))


def _is_melodic(meaning: Meaning) -> bool:
    return meaning.kind == "instrument" and (
        family_of(meaning.programs[0]) in {"brass", "reed", "pipe"} or meaning.name in _MELODIC_STRINGS_AND_VOICES
    )
