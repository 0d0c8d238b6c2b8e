"""The terms of the lexicons and what they mean, read from the CSV files.

A term is one or more words in lower case; it may have several meanings ("waltz": a metre and a range of tempi). Explicit
terms have a confidence of 0.8 or more, implied ones less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.text.clean import tokenize
from amt_ray.text.lexicon_files import read_rows

Kind = Literal["instrument", "genre", "mood", "tempo", "metre", "polyphony", "length", "density"]
GENERAL_MIDI_NAME_CONFIDENCE = 0.95
_LABELS = frozenset({"genre", "mood"})
_SURE, _INHERITED = 0.7, 0.75
_OF_SOUND_WORDS = (
    "grand bright electronic synthesized synthesised synthetic groove slap toy sweep sweeping soundtrack warm soft "
    "electric classical growling gritty punchy bass soaring smooth airy"
)
_OF_SOUND = frozenset(_OF_SOUND_WORDS.split())


@dataclass(frozen=True)
class Meaning:
    """One meaning of a term; what is filled in beside `name` depends on the kind.

    `programs` (0..127, 128 = drums; first is the one to play) for an instrument, `bounds` for a tempo (quarter notes a
    minute) and a length (seconds).
    """

    kind: Kind
    name: str
    confidence: float
    programs: tuple[int, ...] = ()
    bounds: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Lexicon:
    """Meanings by term (none for a phrase to pass over), and the words of the longest term that begins with a word."""

    meanings: dict[str, tuple[Meaning, ...]]
    longest: dict[str, int]


@cache
def lexicon() -> Lexicon:
    """Return the lexicon, read from the CSV files once a process."""
    meanings: dict[str, tuple[Meaning, ...]] = {}
    longest: dict[str, int] = {}
    for term, meaning in _all_meanings():
        meanings[term] = (*meanings.get(term, ()), meaning)
    meanings |= {term: (*own, *_inherited(term, own, meanings)) for term, own in meanings.items() if " " in term}
    meanings |= {_normal(row["phrase"]): () for row in read_rows("phrases")}
    for term in meanings:
        first, *rest = term.split()
        longest[first] = max(longest.get(first, 0), 1 + len(rest))
    return Lexicon(meanings, longest)


@cache
def tempo_words(for_captions: bool = False) -> dict[str, tuple[float, float]]:
    """Return the tempo words and their ranges in quarter notes a minute; those a caption may use, or all."""
    return {
        row["term"]: (float(row["low_bpm"]), float(row["high_bpm"]))
        for row in read_rows("tempi")
        if row["caption"] == "1" or not for_captions
    }


@cache
def family_programs() -> dict[str, tuple[int, ...]]:
    """Return all programs that a word for a family of instruments means where it is denied: "no strings" is no violin."""
    return {row["term"]: tuple(int(program) for program in row["programs"].split()) for row in read_rows("families")}


def _all_meanings() -> Iterator[tuple[str, Meaning]]:
    instruments = _instrument_programs()
    for term, (programs, confidence) in instruments.items():
        yield term, _instrument(programs, confidence)
    for row in read_rows("ensembles"):
        for member in row["members"].split(" + "):
            programs, _ = instruments[_normal(member)]
            yield _normal(row["term"]), _instrument(programs, float(row["confidence"]))
    yield from _labels("genres", "genre", "genre")
    yield from _labels("moods", "mood", "mood")
    yield from _labels("themes", "mood", "theme")
    yield from _labels("metres", "metre", "time_signature")
    yield from _labels("polyphony", "polyphony", "polyphony")
    yield from _labels("densities", "density", "density")
    yield from _ranges("tempi", "tempo", "low_bpm", "high_bpm")
    yield from _ranges("lengths", "length", "low_s", "high_s")


def _instrument_programs() -> dict[str, tuple[tuple[int, ...], float]]:
    """Programs and confidence by term: the General MIDI names first, then our synonyms, then plurals of both."""
    terms: dict[str, tuple[tuple[int, ...], float]] = {
        _normal(name): ((program,), GENERAL_MIDI_NAME_CONFIDENCE) for program, name in enumerate(INSTRUMENTS)
    }
    for row in read_rows("instruments"):
        term, programs = _normal(row["term"]), tuple(int(p) for p in row["programs"].split())
        own, confidence = terms.get(term, ((), float(row["confidence"])))
        terms[term] = (tuple(dict.fromkeys(own + programs)), confidence)
    plurals = {_plural(term): meaning for term, meaning in terms.items()}
    return plurals | terms


def _instrument(programs: tuple[int, ...], confidence: float) -> Meaning:
    return Meaning("instrument", INSTRUMENTS[programs[0]], confidence, programs)


def _labels(file: str, kind: Kind, column: str) -> Iterable[tuple[str, Meaning]]:
    for row in read_rows(file):
        yield _normal(row["term"]), Meaning(kind, row[column], float(row["confidence"]))


def _ranges(file: str, kind: Kind, low: str, high: str) -> Iterable[tuple[str, Meaning]]:
    for row in read_rows(file):
        bounds = (float(row[low]), float(row[high]))
        yield _normal(row["term"]), Meaning(kind, row["term"], float(row["confidence"]), bounds=bounds)


def _normal(term: str) -> str:
    return " ".join(token.word for token in tokenize(term))


def _plural(term: str) -> str:
    return term + ("es" if term.endswith(("s", "x", "ch")) else "s")


def _inherited(term: str, own: Sequence[Meaning], meanings: Mapping[str, Sequence[Meaning]]) -> Iterator[Meaning]:
    """Genres and moods that a longer term's words have by themselves: the jazz of "jazz waltz".

    What describes a sound ("bright piano") and what General MIDI names so ("jazz guitar") is left out.
    """
    if term in _standard_names() or any(meaning.kind in _LABELS for meaning in own):
        return
    words = term.split()
    parts = (words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1) if j - i < len(words))
    found = (meaning for part in parts if _OF_SOUND.isdisjoint(part) for meaning in meanings.get(" ".join(part), ()))
    surest: dict[tuple[str, str], Meaning] = {}
    for meaning in found:
        name = (meaning.kind, meaning.name)
        if meaning.kind in _LABELS and meaning.confidence >= _SURE and name not in surest:
            surest[name] = replace(meaning, confidence=round(_INHERITED * meaning.confidence, 2))
    yield from surest.values()


@cache
def _standard_names() -> frozenset[str]:
    names = [_normal(name) for name in INSTRUMENTS]
    return frozenset((*names, *map(_plural, names)))
