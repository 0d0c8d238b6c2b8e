"""A value that a text states, with its place; and the numbers of a text, in figures and in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

STATED, IMPLIED = 0.95, 0.7
"""Confidences of what is written out with its unit, and of what only its place in the sentence tells."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """A value that the text states, the confidence 0..1, and where."""

    value: T
    confidence: float
    span: tuple[int, int]


def best(found: Iterable[Found[T]]) -> Found[T] | None:
    """Return the most confident, the earliest of equals; None where there is none."""
    return min(found, key=lambda f: (-f.confidence, f.span), default=None)


_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES_WORDS = "one two three four five six seven eight nine"
_TEENS_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = {word: 10 * i for i, word in enumerate(_TENS_WORDS.split(), start=2)}
_ONES = {word: i for i, word in enumerate(f"{_ONES_WORDS} {_TEENS_WORDS}".split(), start=1)}
_ONE = "|".join(sorted(_ONES, key=len, reverse=True))
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{_ONE}))?|{_ONE})"
NUMBER = (
    rf"(?<![a-z0-9.])(?:(?:(?:a|one|two)[ -])?hundred(?:[ -](?:and[ -])?{_BELOW_100})?|{_BELOW_100}"
    r"|[0-9]{1,4}(?:\.[0-9]{1,3})?)"
)
"""Pattern of a number from 1 to 299 in words or to 9999 in figures; wants re.IGNORECASE and re.ASCII."""


def number(text: str) -> float:
    """Return what text that matches `NUMBER` says: `"two hundred and ten"` is 210."""
    if text[0].isdigit():
        return float(text)
    hundreds, hundred, rest = text.lower().rpartition("hundred")
    factor = (_value(hundreds) or 1) * 100 if hundred else 0
    return float(factor + _value(rest))


def _value(words: str) -> int:
    return sum(_TENS.get(word, 0) + _ONES.get(word, 0) for word in re.split("[ -]", words))


_DENIAL_REACH = 32
_DENIED = re.compile(
    r"(?<![\w'])(?:not|never|no|without|avoid(?:ing)?|except|instead of|rather than|(?:is|does|do|should)n['’]t)"
    r"(?: (?:in|at|a|an|the|of|be|use|using|want|any))*[ ]*$",
    re.IGNORECASE,
)


def is_denied(text: str, start: int) -> bool:
    """Whether the words before a place deny what stands there: "not in 4/4", "instead of 120 bpm"."""
    return _DENIED.search(text[max(0, start - _DENIAL_REACH) : start]) is not None
