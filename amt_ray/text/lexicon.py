"""What words and phrases mean in music, and where a text says them.

A term is one or more words in lower case; it may have several meanings ("waltz": a metre and a range of tempi). Explicit
terms have a confidence of 0.8 or more, implied ones less. Terms are found by the longest match from left to right, so that
"bass clarinet" is no bass and "slow string ensemble" no tempo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from rapidfuzz.distance import OSA

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.text.clean import Token, tokenize
from amt_ray.text.lexicon_files import read_rows

Kind = Literal["instrument", "genre", "mood", "tempo", "metre", "polyphony", "length"]
GENERAL_MIDI_NAME_CONFIDENCE = 0.95
MISSPELT_CONFIDENCE = 0.8
_NAMES = (
    "accordion bagpipe banjo bassoon clarinet didgeridoo dulcimer euphonium glockenspiel guitar harpsichord mandolin "
    "marimba piano piccolo saxophone tambourine timpani trombone ukulele vibraphone viola violin xylophone"
)
_UNMISTAKABLE = {name[0]: tuple(n for n in _NAMES.split() if n[0] == name[0]) for name in _NAMES.split()}
_SHORTEST_MISSPELT = 6


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
class Match:
    """A term in a text: its tokens `first` to `last` inclusive, its meanings, and its span in characters."""

    first: int
    last: int
    meanings: tuple[Meaning, ...]
    span: tuple[int, int]


@dataclass(frozen=True)
class Lexicon:
    """Meanings by term, and by first word the number of words of the longest term that begins with it."""

    meanings: dict[str, tuple[Meaning, ...]]
    longest: dict[str, int]


@cache
def lexicon() -> Lexicon:
    """Return the lexicon, read from the CSV files once a process."""
    meanings: dict[str, tuple[Meaning, ...]] = {}
    longest: dict[str, int] = {}
    for term, meaning in _all_meanings():
        meanings[term] = (*meanings.get(term, ()), meaning)
        first, *rest = term.split()
        longest[first] = max(longest.get(first, 0), 1 + len(rest))
    return Lexicon(meanings, longest)


def find(tokens: Sequence[Token]) -> list[Match]:
    """Find the terms of a tokenized text by the longest match, left to right, without overlaps. Linear time."""
    matches: list[Match] = []
    first = 0
    while first < len(tokens):
        match = _longest_at(tokens, first)
        if match:
            matches.append(match)
        first = match.last + 1 if match else first + 1
    return matches


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


def _longest_at(tokens: Sequence[Token], first: int) -> Match | None:
    n_words = lexicon().longest.get(tokens[first].word, 0)
    end = first + 1
    while end < min(first + n_words, len(tokens)) and tokens[end].is_joined:
        end += 1
    for stop in range(end, first, -1) if n_words else ():
        meanings = lexicon().meanings.get(" ".join(token.word for token in tokens[first:stop]))
        if meanings:
            return Match(first, stop - 1, meanings, (tokens[first].start, tokens[stop - 1].end))
    if meanings := misspelt(tokens[first].word):
        return Match(first, first, meanings, (tokens[first].start, tokens[first].end))
    return None


@lru_cache(maxsize=4096)
def misspelt(word: str) -> tuple[Meaning, ...]:
    """Return what a word means that is an instrument's name but for a letter ("saxaphone"); mostly nothing.

    Only names that no other English word is near: "recorded" is no recorder, "harmonic" no harmonica. The first letter has
    to be right.
    """
    for name in _UNMISTAKABLE.get(word[:1], ()) if len(word) >= _SHORTEST_MISSPELT else ():
        if OSA.distance(word, name, score_cutoff=1) == 1:
            return tuple(replace(meaning, confidence=MISSPELT_CONFIDENCE) for meaning in lexicon().meanings[name])
    return ()


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
    yield from _labels("metres", "metre", "time_signature")
    yield from _labels("polyphony", "polyphony", "polyphony")
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
