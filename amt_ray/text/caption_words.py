"""The words and sentence plans of captions, read from files once a process.

A plan is text with slots in braces and choices in parentheses: `"(It is|The music is) in {key}."` Its form says where it may
stand: opening (the first sentence of a caption), sentence (one that follows), origin (the last), prompt (alone).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from amt_ray.text.lexicon_files import read_rows

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
NUMBER_WORDS: tuple[str, ...] = tuple(_NUMBERS.split())
"""By number, from 0 on."""
_TOPICS = {
    "lead": "instruments",
    "others": "instruments",
    "solo": "instruments",
    "marking": "tempo",
    "time": "metre",
    "waltz": "metre",
    "short": "length",
    "genre_noun": "genre",
    "style": "genre",
    "texture_adjective": "texture",
}
NOUN_PHRASES = frozenset({"piece", "a_piece"})
"""Slots that say of what is unsaid as much as they like."""
_SLOT_OR_CHOICE = re.compile(r"(\{[a-z_]+\}|\([^()]*\))")
_PIECES = (
    "ballad bourree chorale etude fugue hymn jig lied march mazurka minuet nocturne polka quartet quintet reel sonata song"
)
_GENRES_THAT_ARE_PIECES = frozenset(_PIECES.split())
_POPULAR = (
    "blues country dance disco electronic funk game hip hiphop hop house jazz latin metal pop punk rap reggae rock soul"
)
_POPULAR_WORDS = frozenset(_POPULAR.split())


@dataclass(frozen=True)
class Slot:
    """A place in a plan that is filled from the piece."""

    name: str


@dataclass(frozen=True)
class Plan:
    """A sentence's parts: text, slots, and tuples of texts to choose from."""

    parts: tuple[str | Slot | tuple[str, ...], ...]
    slots: frozenset[str]
    topics: frozenset[str]


@cache
def plans(form: str) -> tuple[Plan, ...]:
    """Return the plans of a form: opening, sentence, origin or prompt."""
    text = files("amt_ray.text").joinpath("caption_plans.json").read_text(encoding="utf-8")
    return tuple(map(_parsed, json.loads(text)[form]))


def topic_of(slot: str) -> str:
    """Return what a slot speaks of: no two slots of one topic stand in a caption."""
    return _TOPICS.get(slot, slot)


def words_for(kind: str, value: str) -> tuple[str, ...]:
    """Return the words for a value; none where the list has none, and one empty word where nothing shall be said."""
    return _words().get((kind, value), ())


def is_piece(genre: str) -> bool:
    """Tell a genre that is a piece's name ("a slow art song") from one that describes a piece ("a slow rock track")."""
    return genre.rpartition(" ")[2] in _GENRES_THAT_ARE_PIECES


def nouns_of(genre: str) -> tuple[str, ...]:
    """Return what a piece of a genre ("" for an unknown one) may be called."""
    if not _POPULAR_WORDS.isdisjoint(re.split(r"\W+", genre)):
        return "track", "tune", "piece", "number"
    return ("piece", "composition", "work") if genre else ("piece", "piece of music", "composition")


@cache
def _words() -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row["kind"], row["value"]): tuple(row["words"].split("|")) for row in read_rows("caption_words")}


def _parsed(plan: str) -> Plan:
    parts = tuple(_part(part) for part in _SLOT_OR_CHOICE.split(plan) if part)
    slots = frozenset(part.name for part in parts if isinstance(part, Slot))
    return Plan(parts, slots, frozenset(topic_of(slot) for slot in slots - NOUN_PHRASES))


def _part(part: str) -> str | Slot | tuple[str, ...]:
    if part[0] == "{":
        return Slot(part[1:-1])
    return tuple(part[1:-1].split("|")) if part[0] == "(" else part
