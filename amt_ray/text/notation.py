"""What a text states in figures: tempo, metre, bars, length.

Each function returns the best statement with its confidence 0..1 and its span in the text, or None. All take any string
and run in linear time: every repeat in a pattern is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amt_ray.text.found import STATED, Found, T, best, is_denied
from amt_ray.text.lengths import find_bars, find_duration
from amt_ray.text.tempo import FASTEST_BPM, SLOWEST_BPM, find_bpm, find_bpm_range

__all__ = [
    "FASTEST_BPM",
    "SLOWEST_BPM",
    "TIME_SIGNATURES",
    "Found",
    "T",
    "best",
    "find_bars",
    "find_bpm",
    "find_bpm_range",
    "find_duration",
    "find_time_signature",
    "is_time_signature",
]

_METRES = "1/8 1/4 2/4 3/4 4/4 5/4 6/4 2/2 3/2 3/8 6/8 7/8 9/8 12/8"
TIME_SIGNATURES: tuple[str, ...] = tuple(_METRES.split())
"""The metres that a caption may state; a text may name others."""
MOST_BEATS = 32
_NOTE_VALUES = (1, 2, 4, 8, 16, 32)
# Beats a bar with which two figures are a metre without being called one: 1/4 is rather a fraction, 20/4 a date.
_USUAL_BEATS = {2: range(2, 5), 4: range(2, 14), 8: range(2, 20), 16: range(3, 22)}

_AFTER_FRACTION = (
    "of|notes?|steps?|inch|inches|stars?|cups?|tones?|size|scale|length|way|full|empty|majority|speed|rests?|triplets?|"
    "finals?|reviews?|points?|people|years?"
)
_FIGURES = re.compile(
    rf"(?<![\w/.:$€£#])(?P<beats>[0-9]{{1,2}}) ?[/⁄] ?(?P<value>[0-9]{{1,2}})(?![0-9/]|ths?\b|\.[0-9]|"
    rf"[ -](?:{_AFTER_FRACTION})\b)"
)
_CUE_BEFORE = re.compile(
    r"\b(?:(?:time|met(?:re|er)s?|signatures?|measures?|bars?|feel|rhythm)(?:[ ](?:of|is|set|to|in|at|was|"
    r"being|a|an)){0,3}|in(?: an?)?)"
    r"[ ]?[:=,]?[ ]?$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(r"[ -]?(?:time|met(?:re|er)|signature|feel|bars?|measures?|groove|beat)\b", re.IGNORECASE)
_NO_METRE_BEFORE = re.compile(r"(?:\b(?:on|since|until|dated|rated|scored?|rating|born)|out of)[: ]*$", re.IGNORECASE)
_CUE_REACH = 32

_COUNTS = {
    "two": "2/4", "three": "3/4", "four": "4/4", "five": "5/4", "six": "6/8", "seven": "7/8", "nine": "9/8",
    "eleven": "11/8", "twelve": "12/8", "3": "3/4", "5": "5/4", "6": "6/8", "7": "7/8", "9": "9/8", "11": "11/8",
}  # fmt: skip
_PACES = (
    "slow|fast|quick|gentle|lilting|swinging|swung|brisk|moderate|lively|loping|steady|flowing|light|lazy|"
    "relaxed|easy|lopsided"
)
_COUNTED = re.compile(
    r"(?<![\w-])(?<!one )(?:in|counted in)"
    rf"(?:(?P<pace> an? (?:(?:{_PACES}) ){{1,2}})|[ ])(?P<count>{'|'.join(_COUNTS)})"
    r"(?=(?P<unsaid>[ -]time|[ -]feel)|[ ]?(?:[,.;:!)\n]|$)| (?:and|with|at|on)\b)",
    re.IGNORECASE | re.ASCII,
)
_COUNTED_CONFIDENCE = 0.65
_COUNTS_OF_OTHERS = frozenset({"two", "four"})


def find_time_signature(text: str) -> Found[str] | None:
    """Find a metre in figures, `"7/8"`, or as a count, "in three"; no date ("9/11") and no fraction ("3/4 of the piece")."""
    return best((*_in_figures(text), *_counted(text)))


def is_time_signature(metre: str) -> bool:
    """Whether `"n/d"` can be a metre: 1 to 32 beats of a whole, half, quarter, … or thirty-second note."""
    beats, _, value = metre.partition("/")
    return beats.isdecimal() and 1 <= int(beats) <= MOST_BEATS and value in map(str, _NOTE_VALUES)


def _in_figures(text: str) -> Iterator[Found[str]]:
    for m in _FIGURES.finditer(text):
        beats, value = int(m["beats"]), int(m["value"])
        before = text[max(0, m.start() - _CUE_REACH) : m.start()]
        is_called = _CUE_AFTER.match(text, m.end()) or _CUE_BEFORE.search(before)
        is_usual = beats in _USUAL_BEATS.get(value, ()) and not _NO_METRE_BEFORE.search(before)
        is_possible = 1 <= beats <= MOST_BEATS and value in _NOTE_VALUES
        if is_possible and (is_called or is_usual) and not is_denied(text, m.start()):
            yield Found(f"{beats}/{value}", STATED, m.span())


def _counted(text: str) -> Iterator[Found[str]]:
    """Find "in three", "in a slow six"; "divided in two" only where it says so: "in a brisk two"."""
    for m in _COUNTED.finditer(text):
        count = m["count"].lower()
        if m["pace"] or m["unsaid"] or count not in _COUNTS_OF_OTHERS:
            yield Found(_COUNTS[count], _COUNTED_CONFIDENCE, m.span("count"))
