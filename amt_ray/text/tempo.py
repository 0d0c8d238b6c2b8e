"""The tempo that a text states in figures, in quarter notes a minute. Linear in the text's length; takes any string."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from amt_ray.text.found import IMPLIED, NUMBER, STATED, Found, best, is_denied, number
from amt_ray.text.lexicon import Match

SLOWEST_BPM, FASTEST_BPM = 10.0, 400.0
"""A stated tempo outside this range, in quarter notes a minute, is not taken for one."""
Bounds = tuple[float, float]

_APPROXIMATE, _OPEN = 0.05, 0.25

_TO = r"[ ]?(?:-|–|—|to|and)[ ]?"
_FIGURE = r"[0-9]{1,3}(?:\.[0-9]{1,3})?"
_BEATS = r"(?:beats?|crotchets?|quarters?|quarter notes?|pulses?)"
_UNIT = (
    rf"(?P<ish>[ -]?ish| or so)?[ -]?(?:bpms?|b\.p\.m\.?|{_BEATS}[ -](?:per|a|an|each|to the)[ -]min(?:ute)?"
    rf"|{_BEATS}[ ]?/[ ]?min|to the minute)(?![a-z])"
)
_WITH_UNIT = re.compile(
    rf"(?<![0-9./])(?P<low>{NUMBER})(?:{_TO}(?P<high>{NUMBER}))?{_UNIT}",
    re.IGNORECASE | re.ASCII,
)
_BETWEEN_CUE_AND_FIGURE = (
    "of|is|at|set|to|around|about|approximately|roughly|marking|mark|a|steady|no|more|than|less|under|"
    "below|over|above|between|"
    "from|faster|slower|circa|approx|runs|sits|was|be|should|least|most"
)
_AFTER_CUE = re.compile(
    r"(?<![a-z])(?:bpm|tempo|metronome|m\.m\.|mm|pulse|clock(?:s|ed|ing) in|speed)"
    rf"(?:[ ](?:{_BETWEEN_CUE_AND_FIGURE})){{0,6}}"
    rf"[ ]?[:=~≈,]?[ ]?(?P<low>{_FIGURE})(?:{_TO}(?P<high>{_FIGURE}))?(?![0-9/%]|[.,:][0-9]|[ -]?(?:bars?|"
    rf"measures?|hz|st|nd|rd|th|s)\b)",
    re.IGNORECASE | re.ASCII,
)
_NOTE_EQUALS = re.compile(
    r"(?P<dot>dotted[ -])?(?<![\w])(?P<note>𝅗𝅥|♩|♪|half|minim|quarter|crotchet|eighth|quaver|q|"
    r"1/4)(?:[ -]note)?(?P<dot_after>[ ]?\.)?"
    rf"[ ]?(?:[=≈~]|equals|is)[ ]?(?:ca?\.?[ ]?|~|about |"
    rf"around )?(?P<low>{_FIGURE})(?:{_TO}(?P<high>{_FIGURE}))?(?![0-9/])",
    re.IGNORECASE | re.ASCII,
)
# Without one of these no figure is a tempo; most texts are read faster so.
_HINT = re.compile(r"bpm|b\.p\.m|minute|/[ ]?min|tempo|metronome|m\.m\.|mm|pulse|clock|speed", re.IGNORECASE)
_QUARTERS = {"𝅗𝅥": 2.0, "half": 2.0, "minim": 2.0, "♪": 0.5, "eighth": 0.5, "quaver": 0.5}
_ABOUT = re.compile(
    r"(?:\b(?:about|around|circa|ca?\.?|approx(?:imately)?\.?|roughly|near|close to|some|maybe)|[~≈])[ ]?$", re.IGNORECASE
)
_BELOW = re.compile(
    r"\b(?:under|below|less than|slower than|(?:no|not) (?:faster|more|higher|quicker) than|not (?:above|"
    r"over)|at most|up to|max(?:imum)?)"
    r"[ ]?(?:about |around )?$",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"\b(?:over|above|(?<!no )(?<!not )more than|(?<!no )(?<!not )faster than|no (?:slower|less|"
    r"lower) than|not (?:below|under|slower than)|"
    r"at least|upwards of|min(?:imum)?)[ ]?(?:about |around )?$",
    re.IGNORECASE,
)
_BELOW_AFTER = re.compile(r"[ ](?:or (?:less|slower|below|under)|max(?:imum)?|tops|at most)\b", re.IGNORECASE)
_ABOVE_AFTER = re.compile(
    r"(?:\+|[ ](?:or (?:more|faster|above|over|higher)|min(?:imum)?|and (?:up|above))\b)", re.IGNORECASE
)
_AND_BELOW = re.compile(
    rf",? (?:and|but) (?:no (?:faster|more|higher) than|at most|below|under|not (?:above|over))[ ](?P<most>{_FIGURE})",
    re.IGNORECASE,
)
_REACH = 28


@dataclass(frozen=True)
class _Reading:
    """A tempo and its bounds; `bpm` is None where only bounds are stated, `bounds` where only the tempo is."""

    bpm: float | None
    bounds: Bounds | None
    span: tuple[int, int]


def find_bpm(text: str) -> Found[float] | None:
    """Find a tempo in quarter notes a minute: "90 bpm", "tempo: 120", "♩. = 60" (which is 90)."""
    return best(Found(r.bpm, STATED, r.span) for r in _readings(text) if r.bpm and SLOWEST_BPM <= r.bpm <= FASTEST_BPM)


def find_bpm_range(text: str) -> Found[Bounds] | None:
    """Find a range of tempi: "80-100 bpm", "under 100 bpm" (75 to 100), "around 90 bpm" (5 % about it)."""
    return best(
        Found(r.bounds, STATED, r.span)
        for r in _readings(text)
        if r.bounds and SLOWEST_BPM <= r.bounds[0] <= r.bounds[1] <= FASTEST_BPM
    )


def _readings(text: str) -> Iterator[_Reading]:
    for pattern in (_WITH_UNIT, _AFTER_CUE) if _HINT.search(text) else ():
        for m in pattern.finditer(text):
            if not is_denied(text, m.start()):
                yield _reading(text, m)
    for m in _NOTE_EQUALS.finditer(text):
        factor = _QUARTERS.get(m["note"].lower(), 1.0) * (1.5 if m["dot"] or m["dot_after"] else 1.0)
        low, high = float(m["low"]) * factor, float(m["high"] or m["low"]) * factor
        yield _Reading(None, (low, high), m.span()) if m["high"] else _Reading(low, None, m.span())


def _reading(text: str, m: re.Match[str]) -> _Reading:
    before = text[max(0, m.start("low") - _REACH) : m.start("low")]
    low = number(m["low"])
    if m["high"]:
        return _Reading(None, (low, number(m["high"])), m.span())
    if _ABOVE.search(before) or _ABOVE_AFTER.match(text, m.end()):
        most = _AND_BELOW.match(text, m.end())
        return _Reading(None, (low, float(most["most"]) if most else low * (1 + _OPEN)), m.span())
    if _BELOW.search(before) or _BELOW_AFTER.match(text, m.end()):
        return _Reading(None, (low * (1 - _OPEN), low), m.span())
    is_about = _ABOUT.search(before) or m.groupdict().get("ish")
    return _Reading(low, (low * (1 - _APPROXIMATE), low * (1 + _APPROXIMATE)) if is_about else None, m.span())


# A figure without a unit: where it stands tells.
_BARE = re.compile(
    r"(?<![\w.,:/#$£€'’+-])(?P<low>[0-9]{2,3})(?:[-–](?P<high>[0-9]{2,3}))?(?![\w/:%°'’+]|[.,][0-9]|-[a-z])", re.ASCII
)
_AT = re.compile(
    r"(?:\bat|@|\bkeep (?:it|this|that))[ ](?P<about>(?:about|around|roughly|approximately|circa|ca\.?|~)[ ]?)?$",
    re.IGNORECASE,
)
_CLAUSE_START = re.compile(
    r"(?:^|[,;(\n–—]|[.:!?](?=\s))\s*(?P<about>(?:about|around|roughly|circa|ca\.?|~)[ ]?)?$", re.IGNORECASE
)
_CLAUSE_END = re.compile(r"\s*(?:[,;.!?)\n–—]|$)")
_GOES_ON = re.compile(
    r"\s*(?:[,;.!?)\n–—]|$)|[ ](?:with|and|in|for|but|or so|throughout|please|feel|swung|straight|flat|then)\b"
)
_NO_TEMPO_BEFORE = re.compile(
    r"\b(?:died|aged?|born|retired|peaked|charted|debuted|ranked|entered|stood|sold|priced|valued|closed|"
    r"opened|arrested|he|she|"
    r"who|number|no|nr|op|opus|bwv|kv?|hob|symphony|sonata|concerto|psalm|hymn|track|etude|étude|part|"
    r"vol(?:ume)?|chapter|study|"
    r"nocturne|prelude|quartet|mass|caprice|take|page|room|route|highway|degrees|hz)\b[^,;]*$",
    re.IGNORECASE,
)
_SLOWEST_BARE, _FASTEST_BARE = 48.0, 220.0
_LONGEST_PROMPT = 400


def find_bare_bpm(text: str, matches: Iterable[Match]) -> Found[Bounds] | None:
    """Find a tempo without its unit, as (bpm, bpm) or a range: "keep it at 132", "drum and bass 174", "sax, piano, 96"."""
    ends = {match.span[1] for match in matches}
    return best(f for f in _bare_figures(text, ends) if _SLOWEST_BARE <= f.value[0] <= f.value[1] <= _FASTEST_BARE)


def _bare_figures(text: str, ends_of_terms: set[int]) -> Iterator[Found[Bounds]]:
    is_prompt = len(text) <= _LONGEST_PROMPT
    for m in _BARE.finditer(text):
        before = text[max(0, m.start() - _REACH) : m.start()]
        is_stated = _AT.search(before) and _GOES_ON.match(text, m.end())
        opens_clause = _CLAUSE_START.search(before) is not None and m.start() > 0
        is_clause = _CLAUSE_END.match(text, m.end()) is not None and (opens_clause or m.start() - 1 in ends_of_terms)
        if (is_stated or (is_prompt and is_clause)) and not _NO_TEMPO_BEFORE.search(before):
            yield Found((float(m["low"]), float(m["high"] or m["low"])), IMPLIED, m.span())


def find_tempo(
    text: str, stated: Sequence[Match], denied: Sequence[Match]
) -> tuple[Found[float] | None, Found[Bounds] | None]:
    """Find the tempo and the range of tempi that figures and words state, in quarter notes a minute.

    `stated` and `denied` are the lexicons' terms in the text's order.
    """
    bpm, bounds = find_bpm(text), find_bpm_range(text)
    if not (bpm or bounds) and (bare := find_bare_bpm(text, stated)):
        if bare.value[0] == bare.value[1]:
            bpm = Found(bare.value[0], bare.confidence, bare.span)
        else:
            bounds = bare
    return bpm, bounds or worded_range(stated, denied)


# What is asked for where a word for a tempo is denied: "not too fast", "never slow".
_NOT_FAST, _NOT_SLOW, _MODERATE_BPM = (76.0, 112.0), (82.0, 126.0), 100.0
_OPPOSITE = 0.65


def worded_range(stated: Sequence[Match], denied: Iterable[Match]) -> Found[Bounds] | None:
    """Return the range in quarter notes a minute that the words for tempi mean, or that a denied one leaves."""
    found = [Found(bounds, confidence, span) for bounds, confidence, span in _tempi(stated)]
    for (low, high), confidence, span in _tempi(denied):
        if low >= _MODERATE_BPM or high <= _MODERATE_BPM:
            found.append(Found(_NOT_FAST if low >= _MODERATE_BPM else _NOT_SLOW, min(confidence, _OPPOSITE), span))
    return best(found)


def _tempi(matches: Iterable[Match]) -> Iterator[tuple[Bounds, float, tuple[int, int]]]:
    for match in matches:
        for meaning in match.meanings:
            if meaning.kind == "tempo":
                yield meaning.bounds, meaning.confidence, match.span
