"""What a text says about music: instruments, genre, mood, tempo, key, metre, length, texture.

`analyse` takes any string and never raises; it costs about half a millisecond for a caption and is linear in the
text's length. Spans are (start, end) character offsets into the text. Confidences: 0.8 and more for what is stated, less for
what is implied (a waltz is in 3/4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from amt_ray.text.affect import affect_of
from amt_ray.text.analysis import Evidence, Label, TextAnalysis
from amt_ray.text.chords import find_chords
from amt_ray.text.clean import clean_tokens, tokenize
from amt_ray.text.contradictions import contradictions
from amt_ray.text.denial import denied_matches
from amt_ray.text.exclusive import is_exclusive
from amt_ray.text.found import Found, best
from amt_ray.text.hints import find_hints, implied_genres
from amt_ray.text.keys import find_key, find_mode
from amt_ray.text.keywords import rank_keywords
from amt_ray.text.lengths import find_bars, find_duration
from amt_ray.text.lexicon import Kind, Match, find
from amt_ray.text.mentions import mentions
from amt_ray.text.notation import find_time_signature
from amt_ray.text.tempo import find_tempo
from amt_ray.text.texture import find_polyphony


def analyse(text: str) -> TextAnalysis:
    """Read a description of music. Never raises; an empty text says nothing."""
    tokens = tokenize(text)
    matches = find(tokens)
    denied = denied_matches(text, tokens, matches)
    stated = [match for match in matches if match not in denied]
    unwanted = [match for match in matches if match in denied]
    cleaned = clean_tokens(text, tokens)
    instruments, excluded = mentions(text, tokens, stated, unwanted)
    exclusive = bool(instruments) and is_exclusive(tokens, stated)
    moods, hints = _labels(stated, "mood"), find_hints(text, tokens)
    valence, arousal = affect_of(moods) or (None, None)
    found: dict[str, Found[Any] | None] = {
        **_music_found(text, stated, unwanted),
        "polyphony": find_polyphony(text, tokens, stated, exclusive),
    }
    values: dict[str, Any] = {name: value.value for name, value in found.items() if value}
    analysis = TextAnalysis(
        cleaned=cleaned,
        n_chars_before=len(text),
        n_chars_after=len(cleaned),
        keywords=rank_keywords(text, tokens, matches),
        moods=moods,
        genres=_with_implied(_labels(stated, "genre"), hints),
        instruments=instruments,
        excluded_instruments=excluded,
        instruments_exclusive=exclusive,
        valence=valence,
        arousal=arousal,
        style_hints=hints,
        evidence={name: Evidence(value.confidence, value.span) for name, value in found.items() if value},
        **values,
    )
    return replace(analysis, contradictions=contradictions(text, tokens, stated, unwanted, analysis))


def _music_found(text: str, stated: Sequence[Match], unwanted: Sequence[Match]) -> dict[str, Found[Any] | None]:
    """The single values and the chords, by the name of their field."""
    key = find_key(text)
    tempo_bpm, tempo_range_bpm = find_tempo(text, stated, unwanted)
    return {
        "tempo_bpm": tempo_bpm,
        "tempo_range_bpm": tempo_range_bpm,
        "key": key,
        "mode": find_mode(text, key),
        "time_signature": best([*filter(None, [find_time_signature(text)]), *_names(stated, "metre")]),
        "bars": find_bars(text),
        "duration_s": find_duration(text) or best(_ranges(stated, "length")),
        "chords": find_chords(text),
        "density": best(_names(stated, "density")),
    }


def _with_implied(stated: tuple[Label, ...], hints: Sequence[Label]) -> tuple[Label, ...]:
    names = {label.name for label in stated}
    implied = (label for label in implied_genres(hints) if label.name not in names)
    return tuple(sorted((*stated, *implied), key=lambda label: -label.confidence))


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
    """The surest labels first, equals in the text's order, each once, with the span of its most confident mention."""
    labels: dict[str, Label] = {}
    for found in _names(matches, kind):
        if found.value not in labels or labels[found.value].confidence < found.confidence:
            labels[found.value] = Label(found.value, found.confidence, found.span)
    return tuple(sorted(labels.values(), key=lambda label: -label.confidence))
