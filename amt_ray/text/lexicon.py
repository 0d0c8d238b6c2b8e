"""Where a text says the terms of the lexicons.

Terms are found by the longest match from left to right, so that "bass clarinet" is no bass and "slow string ensemble" no
tempo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz.distance import OSA

from amt_ray.text.clean import Token
from amt_ray.text.terms import Kind, Lexicon, Meaning, family_programs, lexicon, tempo_words

__all__ = ["Kind", "Lexicon", "Match", "Meaning", "family_programs", "find", "lexicon", "misspelt", "tempo_words"]

MISSPELT_CONFIDENCE = 0.8
_NAMES = (
    "accordion bagpipe banjo bassoon clarinet didgeridoo dulcimer euphonium glockenspiel guitar harpsichord mandolin "
    "marimba percussion piano piccolo saxophone synthesizer tambourine timpani trombone ukulele "
    "vibraphone viola violin xylophone"
)
_UNMISTAKABLE = {name[0]: tuple(n for n in _NAMES.split() if n[0] == name[0]) for name in _NAMES.split()}
_SHORTEST_MISSPELT = 6
# "piano teacher", "bass player's": the words after an instrument that make something else of it.
_SILENT_WORDS = (
    "player's players' teacher teachers lesson lessons shop store maker tuner tuners tuning bench stool "
    "school student donor donors "
    "magazine competition case hero"
)
_SILENT = frozenset(_SILENT_WORDS.split())
# "flute-like".
_LIKENESSES = frozenset({"like", "esque"})
# "sunny vibes" are a mood; a vibraphone has one of these before it, or nothing.
_BEFORE_VIBES_WORDS = "a and bowed by for on or plus solo the with"
_BEFORE_VIBES = frozenset(_BEFORE_VIBES_WORDS.split())
_LACKING = "less"
_MISSPELT_FUL = "full"


@dataclass(frozen=True)
class Match:
    """A term in a text: its tokens `first` to `last` inclusive, its meanings, and its span in characters.

    `is_denied` where the word itself denies what it names: "drumless".
    """

    first: int
    last: int
    meanings: tuple[Meaning, ...]
    span: tuple[int, int]
    is_denied: bool = False


def find(tokens: Sequence[Token]) -> list[Match]:
    """Find the terms of a tokenized text by the longest match, left to right, without overlaps. Linear time.

    A phrase of `lexicons/phrases.csv` is passed over: the organ of "organ donor" is none.
    """
    matches: list[Match] = []
    first = 0
    while first < len(tokens):
        match = _longest_at(tokens, first)
        if match and (meanings := _sounding(tokens, match)):
            matches.append(match if meanings == match.meanings else replace(match, meanings=meanings))
        first = match.last + 1 if match else first + 1
    return matches


def _sounding(tokens: Sequence[Token], match: Match) -> tuple[Meaning, ...]:
    """The meanings of a match, without the instruments of "piano teacher", "flute-like" and "sunny vibes"."""
    if not _is_silenced(tokens, match) and not _is_feeling(tokens, match):
        return match.meanings
    return tuple(meaning for meaning in match.meanings if meaning.kind != "instrument")


def _is_silenced(tokens: Sequence[Token], match: Match) -> bool:
    after = match.last + 1
    if after >= len(tokens) or not tokens[after].is_joined:
        return False
    is_likeness = tokens[after].word in _LIKENESSES and tokens[after].start == match.span[1] + 1
    return is_likeness or tokens[after].word in _SILENT


def _is_feeling(tokens: Sequence[Token], match: Match) -> bool:
    is_vibes = match.first == match.last and tokens[match.first].word == "vibes" and tokens[match.first].is_joined
    return is_vibes and match.first > 0 and tokens[match.first - 1].word not in _BEFORE_VIBES


def _longest_at(tokens: Sequence[Token], first: int) -> Match | None:
    n_words = lexicon().longest.get(tokens[first].word, 0)
    end = first + 1
    while end < min(first + n_words, len(tokens)) and tokens[end].is_joined:
        end += 1
    for stop in range(end, first, -1) if n_words else ():
        meanings = lexicon().meanings.get(" ".join(token.word for token in tokens[first:stop]))
        if meanings is not None:
            return Match(first, stop - 1, meanings, (tokens[first].start, tokens[stop - 1].end))
    return _inflected_at(tokens, first)


def _inflected_at(tokens: Sequence[Token], first: int) -> Match | None:
    """Find a misspelt name, "joyfull", or "drumless"."""
    word, span = tokens[first].word, (tokens[first].start, tokens[first].end)
    if meanings := misspelt(word):
        return Match(first, first, meanings, span)
    if word.endswith(_MISSPELT_FUL) and (meanings := lexicon().meanings.get(word[:-1], ())):
        return Match(first, first, meanings, span)
    if word.endswith(_LACKING):
        meanings = lexicon().meanings.get(word.removesuffix(_LACKING), ())
        if any(meaning.kind == "instrument" for meaning in meanings):
            return Match(first, first, meanings, span, is_denied=True)
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
