"""Composers, artists and bands that a text names: "Chopin", "à la Ravel", "Beatlesque", "in the style of Kestrel Lane".

A name that is also a word of English (Glass, Queen) counts only after a cue ("like", "by"). Linear; takes any string.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from amt_ray.text.clean import Token, tokenize
from amt_ray.text.lexicon import lexicon
from amt_ray.text.lexicon_files import read_rows

_NAMED, _CUED, _UNKNOWN = 0.9, 0.85, 0.4

_INTRODUCTIONS = (
    "in the style of|the style of|in the manner of|the manner of|in the vein of|the spirit of|reminiscent of|inspired by|"
    "influenced by|a la|sounds like|sound like|sounding like|similar to"
)
_STRONG_CUES = frozenset(_INTRODUCTIONS.split("|"))
_CUE_WORDS = (
    "like by feat ft featuring composer singer songwriter band group producer artist pianist guitarist rapper duo "
    "songs evoking channelling channeling"
)
_CUES = _STRONG_CUES | frozenset(_CUE_WORDS.split())
_MAX_CUE_WORDS = 4
_SUFFIX_WORDS = frozenset({"esque", "like", "style", "inspired", "ish", "ian"})
_SUFFIXES = ("esque", "sque", "que", "ish", "ian", "ean", "an", "like")
_SHORTEST_STEM = 4
_LINKS = frozenset({"and", "or", "the"})
_PARTICLES = frozenset({"van", "von", "der", "den", "de", "da", "di", "del", "la", "le", "of", "the", "and"})
_LONGEST_UNKNOWN_WORDS, _LONGEST_UNKNOWN_CHARS = 4, 60
_UNDECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe"})


@dataclass(frozen=True)
class Naming:
    """A name in a text: its tokens `first` to `last` inclusive, the name as it is best known, and how sure we are, 0..1."""

    first: int
    last: int
    name: str
    confidence: float


@dataclass(frozen=True)
class _Form:
    name: str
    needs_cue: bool


def find_names(text: str, tokens: Sequence[Token]) -> list[Naming]:
    """Find the names of `lexicons/composers.csv`, and what is capitalised after "in the style of", in the text's order."""
    namings: list[Naming] = []
    first = 0
    while first < len(tokens):
        naming = _known_at(text, tokens, first, namings) or _unknown_at(text, tokens, first)
        if naming:
            namings.append(naming)
        first = naming.last + 1 if naming else first + 1
    return namings


@cache
def genre_by_name() -> dict[str, str]:
    """Return the label of `GENRES` that is nearest to each name's best-known music."""
    return {row["hint"]: row["genre"] for row in read_rows("composers") if row["genre"]}


def fold(word: str) -> str:
    """Return a word in lower case without accents and genitive: "Dvořák's" is "dvorak"."""
    if word.isascii():
        return word.lower().removesuffix("'s")
    decomposed = unicodedata.normalize("NFKD", word.lower().removesuffix("'s").translate(_UNDECOMPOSED))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@cache
def _forms() -> dict[str, _Form]:
    forms: dict[str, _Form] = {}
    for row in read_rows("composers"):
        cued = row["cued_forms"].split("|")
        for form in filter(None, (row["hint"], *row["forms"].split("|"), *cued)):
            forms.setdefault(" ".join(fold(token.word) for token in tokenize(form)), _Form(row["hint"], form in cued))
    return forms


@cache
def _longest() -> dict[str, int]:
    longest: dict[str, int] = {}
    for form in _forms():
        words = form.split()
        longest[words[0]] = max(longest.get(words[0], 0), len(words))
    return longest


def _known_at(text: str, tokens: Sequence[Token], first: int, namings: Sequence[Naming]) -> Naming | None:
    word = fold(tokens[first].word)
    end = first + 1
    # "Earth, Wind & Fire", "AC/DC", "R.E.M.": a name may hold a sign.
    while end < min(first + _longest().get(word, 1), len(tokens)) and tokens[end].start - tokens[end - 1].end <= 2:
        end += 1
    words = [word, *(fold(token.word) for token in tokens[first + 1 : end])]
    for n in range(len(words), 0, -1):
        form = _forms().get(" ".join(words[:n]))
        last = first + n - 1
        if form and not form.needs_cue:
            return Naming(first, last, form.name, _NAMED)
        if form and _is_cued(text, tokens, first, last, namings):
            return Naming(first, last, form.name, _CUED)
    return _adjective_at(word, first)


def _adjective_at(word: str, first: int) -> Naming | None:
    """Find "Mozartean", "Beatlesque"."""
    for suffix in _SUFFIXES if word.endswith(_SUFFIXES) else ():
        stem = word.removesuffix(suffix)
        if len(stem) >= _SHORTEST_STEM and (form := _forms().get(stem)) and not form.needs_cue:
            return Naming(first, first, form.name, _CUED)
    return None


def _is_cued(text: str, tokens: Sequence[Token], first: int, last: int, namings: Sequence[Naming]) -> bool:
    following = tokens[last + 1] if last + 1 < len(tokens) else None
    cue = _cue_before(tokens, first)
    if not text[tokens[first].start].isupper():
        ends_phrase = following is None or not following.is_joined or following.word in _LINKS
        return cue in _STRONG_CUES and ends_phrase
    has_suffix = following is not None and following.word in _SUFFIX_WORDS and text[tokens[last].end] == "-"
    return bool(cue) or has_suffix or _goes_on_list(tokens, first, namings)


def _cue_before(tokens: Sequence[Token], first: int) -> str:
    """Return the longest cue that ends before a token, "the" left out; "" where there is none."""
    end = first - 1 if first > 0 and tokens[first - 1].word == "the" else first
    if end == 0 or tokens[end - 1].word not in _last_cue_words():
        return ""
    words = [fold(token.word) for token in tokens[max(0, end - _MAX_CUE_WORDS) : end]]
    return next((cue for i in range(len(words)) if (cue := " ".join(words[i:])) in _CUES), "")


@cache
def _last_cue_words() -> frozenset[str]:
    return frozenset(cue.split()[-1] for cue in _CUES)


def _goes_on_list(tokens: Sequence[Token], first: int, namings: Sequence[Naming]) -> bool:
    """Whether a name stands beside another, as in "like Kate Bush and Queen"."""
    if not namings or first - namings[-1].last > 3:
        return False
    return all(token.word in _LINKS for token in tokens[namings[-1].last + 1 : first])


def _unknown_at(text: str, tokens: Sequence[Token], first: int) -> Naming | None:
    if not _is_capitalised(text, tokens[first]) or _cue_before(tokens, first) not in _STRONG_CUES:
        return None
    # In a heading all words are capitalised.
    if _is_capitalised(text, tokens[first - 1]) or fold(tokens[first].word) in lexicon().longest:
        return None
    last = end = first
    while end + 1 < min(len(tokens), first + _LONGEST_UNKNOWN_WORDS) and tokens[end + 1].start - tokens[end].end == 1:
        end += 1
        if _is_capitalised(text, tokens[end]):
            last = end
        elif tokens[end].word not in _PARTICLES:
            break
    name = " ".join(text[tokens[first].start : tokens[last].end].split()).removesuffix("'s")
    return Naming(first, last, name, _UNKNOWN) if 1 < len(name) <= _LONGEST_UNKNOWN_CHARS else None


def _is_capitalised(text: str, token: Token) -> bool:
    return text[token.start].isupper()
