"""How many voices a text says there are: one line (`"mono"`), a melody with chords (`"homo"`), several lines (`"poly"`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from amt_ray.midi.instruments import family_of
from amt_ray.text.clean import Token
from amt_ray.text.exclusive import SOLO_WORDS
from amt_ray.text.found import Found, best
from amt_ray.text.lexicon import Match, Meaning

_SOLO, _ALONE, _ACCOMPANIED, _VOICES = 0.7, 0.65, 0.55, 0.7
_MELODIC_STRINGS_AND_VOICES = frozenset({"violin", "viola", "cello", "double bass", "fiddle", "voice"})
_PARTS = re.compile(
    r"(?<![\w-])(?:two|three|four|five|six|eight|multi|many|[2-8])[ -](?:part|voice|voiced)[ -]"
    r"(?!(?:song|series|work|suite|harmon)[a-z]*\b)|\bin (?:two|three|four|five|six|[2-6]) (?:independent |"
    r"equal )?(?:voices|parts)\b",
    re.IGNORECASE,
)
_ACCOMPANIMENT = re.compile(
    r"\b(?:accompanied by|accompanying|with (?:[a-z-]+ ){0,3}accompaniment|(?:melody|theme|tune|lead|line|"
    r"solo)[a-z]*(?: [a-z]+){0,3} "
    r"(?:over|above|on top of|against|supported by|backed by)|backing chords|comping|(?:strums?|strumming|strummed))\b",
    re.IGNORECASE,
)


def find_polyphony(text: str, tokens: Sequence[Token], stated: Sequence[Match], is_exclusive: bool) -> Found[str] | None:
    """Tell from the words for textures, and from who plays: "solo flute" is one line. `stated` as `analyse` has them."""
    words = (
        Found(meaning.name, meaning.confidence, match.span)
        for match in stated
        for meaning in match.meanings
        if meaning.kind == "polyphony"
    )
    parts = (Found("poly", _VOICES, m.span()) for m in _PARTS.finditer(text))
    accompanied = (Found("homo", _ACCOMPANIED, m.span()) for m in _ACCOMPANIMENT.finditer(text))
    return best((*words, *parts, *accompanied, *_alone(tokens, stated, is_exclusive)))


def _alone(tokens: Sequence[Token], stated: Sequence[Match], is_exclusive: bool) -> Iterator[Found[str]]:
    """Find one instrument that plays one note at a time, and nothing else: "solo flute", "one lonely trumpet"."""
    players = [match for match in stated if any(meaning.kind == "instrument" for meaning in match.meanings)]
    names = {meaning.name for match in players for meaning in match.meanings if meaning.kind == "instrument"}
    for match in players:
        if not any(_is_melodic(meaning) for meaning in match.meanings):
            continue
        if match.first > 0 and tokens[match.first - 1].word in SOLO_WORDS and len(names) == 1:
            yield Found("mono", _SOLO, (tokens[match.first - 1].start, match.span[1]))
        elif is_exclusive and len(names) == 1 and _is_one(tokens, match):
            yield Found("mono", _ALONE, match.span)


def _is_one(tokens: Sequence[Token], match: Match) -> bool:
    return not tokens[match.last].word.endswith("s") and (
        match.first == 0 or tokens[match.first - 1].word not in {"two", "three"}
    )


def _is_melodic(meaning: Meaning) -> bool:
    return meaning.kind == "instrument" and (
        family_of(meaning.programs[0]) in {"bass", "brass", "reed", "pipe"} or meaning.name in _MELODIC_STRINGS_AND_VOICES
    )
