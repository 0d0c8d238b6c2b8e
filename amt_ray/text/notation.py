"""What a text states in figures: tempo, metre, bars, length.

Each function returns the best statement with its confidence 0..1 and its span in the text, or None. All take any string
and run in linear time: every repeat in a pattern is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_METRES = "1/8 1/4 2/4 3/4 4/4 5/4 6/4 2/2 3/2 3/8 6/8 7/8 9/8 12/8"
TIME_SIGNATURES: tuple[str, ...] = tuple(_METRES.split())
"""The metres that are read from a text."""
SLOWEST_BPM, FASTEST_BPM = 10.0, 400.0
"""A stated tempo outside this range, in quarter notes a minute, is not taken for one."""

_EXPLICIT = 0.95


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
_NUMBER = (
    rf"(?<![a-z0-9.])(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES)}))?|"
    rf"{'|'.join(sorted(_ONES, key=len, reverse=True))}|[0-9]{{1,4}}(?:\.[0-9]{{1,3}})?)"
)


def _number(text: str) -> float:
    words = re.split("[ -]", text.lower())
    return float(sum(_TENS.get(word, 0) + _ONES.get(word, 0) for word in words)) or float(words[0])


_BEATS = r"(?:beats?|crotchets?|quarters?|quarter notes?)"
_BEATS_PER_MINUTE = rf"(?:-?ish)?[ -]?(?:bpm|{_BEATS}[ -](?:per|a|to the)[ -]minute|beats?[ ]?/[ ]?min)(?![a-z])"
_BPM_FIGURE = r"[0-9]{1,3}(?:\.[0-9]{1,3})?"
_BPM = re.compile(
    rf"(?<![0-9./])(?P<before>{_BPM_FIGURE}){_BEATS_PER_MINUTE}"
    r"|(?<![a-z])(?:bpm|tempo|metronome|m\.m\.|mm)"
    r"(?:[ ](?:of|is|at|set|to|around|about|approximately|roughly|marking|mark)){0,4}"
    rf"[ ]?[:=~≈]?[ ]?(?P<after>{_BPM_FIGURE})(?![0-9/])",
    re.IGNORECASE | re.ASCII,
)
_BPM_RANGE = re.compile(
    rf"(?<![0-9./])([0-9]{{2,3}})[ ]?(?:-|–|to|and)[ ]?([0-9]{{2,3}}){_BEATS_PER_MINUTE}", re.IGNORECASE | re.ASCII
)
_NOTE_EQUALS = re.compile(
    r"(?P<dot>dotted[ -])?(?P<note>𝅗𝅥|♩|♪|half|minim|quarter|crotchet|eighth|quaver)(?:[ -]note)?(?P<dot_after>[ ]?\.)?"
    rf"[ ]?(?:[=≈]|equals|is)[ ]?(?P<figure>{_BPM_FIGURE})(?![0-9/])",
    re.IGNORECASE | re.ASCII,
)
_QUARTERS = {"𝅗𝅥": 2.0, "half": 2.0, "minim": 2.0, "♪": 0.5, "eighth": 0.5, "quaver": 0.5}


def find_bpm(text: str) -> Found[float] | None:
    """Find a tempo in quarter notes a minute: "90 bpm", "tempo: 120", "♩. = 60" (which is 90)."""
    return best(f for f in _bpm_figures(text) if SLOWEST_BPM <= f.value <= FASTEST_BPM)


def _bpm_figures(text: str) -> Iterator[Found[float]]:
    ranges = {m.span(2)[0] for m in _BPM_RANGE.finditer(text)}
    for m in _BPM.finditer(text):
        figure = "before" if m["before"] else "after"
        if m.start(figure) not in ranges:
            yield Found(float(m[figure]), _EXPLICIT, m.span())
    for m in _NOTE_EQUALS.finditer(text):
        dotted = 1.5 if m["dot"] or m["dot_after"] else 1.0
        yield Found(float(m["figure"]) * _QUARTERS.get(m["note"].lower(), 1.0) * dotted, _EXPLICIT, m.span())


def find_bpm_range(text: str) -> Found[tuple[float, float]] | None:
    """Find a range of tempi in quarter notes a minute: "80-100 bpm"."""
    return best(
        Found((float(m[1]), float(m[2])), _EXPLICIT, m.span())
        for m in _BPM_RANGE.finditer(text)
        if SLOWEST_BPM <= float(m[1]) <= float(m[2]) <= FASTEST_BPM
    )


_TIME_SIGNATURE = re.compile(r"(?<![0-9/.])([0-9]{1,2}) ?/ ?([0-9]{1,2})(?![0-9/])")


def find_time_signature(text: str) -> Found[str] | None:
    """Find a metre written in figures, of `TIME_SIGNATURES`."""
    figures = (Found(f"{int(m[1])}/{int(m[2])}", _EXPLICIT, m.span()) for m in _TIME_SIGNATURE.finditer(text))
    return best(f for f in figures if f.value in TIME_SIGNATURES)


_BARS = re.compile(rf"({_NUMBER})[ -]?(?:bars?|measures?)(?![a-z])(?![ -]blues)", re.IGNORECASE | re.ASCII)


def find_bars(text: str) -> Found[int] | None:
    """Find a number of bars: "16 bars", "thirty-two measures", but not the form "12-bar blues"."""
    bars = (Found(int(_number(m[1])), _EXPLICIT, m.span()) for m in _BARS.finditer(text))
    return best(f for f in bars if f.value > 0)


_MINUTES, _SECONDS = r"[ -]?min(?:ute)?s?(?![a-z])", r"[ -]?sec(?:ond)?s?(?![a-z])"
_DURATION = re.compile(
    rf"(?P<limit>(?:under|below|less than|up to|at most) )?"
    rf"(?:(?P<low>{_NUMBER})[ ]?(?:-|–|to|or)[ ]?(?P<high>{_NUMBER})(?:(?P<range_min>{_MINUTES})|{_SECONDS})"
    rf"|(?P<minutes>{_NUMBER}){_MINUTES}(?:(?: and)? (?P<seconds>{_NUMBER}){_SECONDS}|(?P<half> and a half))?"
    rf"|(?P<only_seconds>{_NUMBER}){_SECONDS}"
    r"|(?P<half_minute>(?<![a-z])half a minute(?![a-z]))"
    r"|(?<!beats )(?<!beat )(?<![a-z])a minute(?P<minute_half> and a half)?(?![a-z]))",
    re.IGNORECASE | re.ASCII,
)


def find_duration(text: str) -> Found[tuple[float, float]] | None:
    """Find a length in seconds as (low, high): "30 seconds", "2 to 3 minutes", "under a minute"."""
    lengths = (Found(_duration_s(m), _EXPLICIT, m.span()) for m in _DURATION.finditer(text))
    return best(f for f in lengths if f.value[1] > 0 and f.value[0] <= f.value[1])


def _duration_s(m: re.Match[str]) -> tuple[float, float]:
    if m["low"]:
        unit_s = 60 if m["range_min"] else 1
        return _number(m["low"]) * unit_s, _number(m["high"]) * unit_s
    if m["minutes"]:
        high = _number(m["minutes"]) * 60 + (_number(m["seconds"]) if m["seconds"] else 0) + 30 * bool(m["half"])
    elif m["only_seconds"]:
        high = _number(m["only_seconds"])
    else:
        high = 30.0 if m["half_minute"] else 60.0 + 30 * bool(m["minute_half"])
    return (0.0 if m["limit"] else high), high
