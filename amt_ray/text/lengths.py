"""How long a text says that a piece is, in seconds or bars. Linear in the text's length; takes any string."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amt_ray.text.found import IMPLIED, NUMBER, STATED, Found, best, is_denied, number

_PARTS = (
    "phrases?|intro(?:duction)?s?|outros?|solos?|bridges?|fills?|breaks?|verses?|chorus(?:es)?|motifs?|"
    "riffs?|rests?|patterns?"
)
_MATERIALS = "chocolate|soap|gold|silver|candy|iron|steel|rest|silence"
_BARS = re.compile(
    rf"(?P<before>{NUMBER})[ -]?(?:bars?|measures?)(?![a-z])(?![ -](?:blues|form|{_PARTS})\b|"
    rf" (?:of (?:{_MATERIALS})|each|later)\b)"
    r"|(?<![a-z])(?:bars|measures)[ ]?[:=][ ]?(?P<after>[0-9]{1,4})(?![0-9/.])",
    re.IGNORECASE | re.ASCII,
)
_WITHIN = re.compile(
    r"(?:first|last|next|every|(?<!loops )(?<!loop )after|each|final|opening|per|these|following|another|"
    r"bars?|measures?|within) $",
    re.IGNORECASE,
)
_WITHIN_REACH = 16


def find_bars(text: str) -> Found[int] | None:
    """Find a number of bars: "16 bars", "thirty-two measures", but not the form "12-bar blues" nor "an 8-bar intro"."""
    stated = _BARS.finditer(text) if _BARS_HINT.search(text) else ()
    bars = (Found(int(number(m["before"] or m["after"])), STATED, m.span()) for m in stated)
    return best(f for f in bars if f.value > 0 and not _is_within(text, f.span[0]))


def _is_within(text: str, start: int) -> bool:
    """Whether a length is one of a part of the music: "the first 8 bars", "every 30 seconds"."""
    return _WITHIN.search(text[max(0, start - _WITHIN_REACH) : start]) is not None or is_denied(text, start)


# Shares of the stated length that the words around it allow, lowest and highest.
_SHARES = {
    r"just under|(?:a (?:bit|little) )?less than|nearly|almost|just shy of|not quite": (0.85, 1.0),
    r"under|below|up to|at most|no more than|no longer than|max(?:imum)?|within|shorter than": (0.0, 1.0),
    r"just over|(?:a (?:bit|little) )?more than": (1.0, 1.15),
    r"at least|over|longer than|no less than|min(?:imum)?": (1.0, 1.5),
    r"about|around|roughly|approximately|approx\.?|circa|ca?\.|~|some|or so|-?ish": (0.9, 1.1),
}
_SHARE_BEFORE = [(re.compile(rf"(?<![a-z])(?:{words})[ ]?$", re.IGNORECASE), share) for words, share in _SHARES.items()]
_ABOUT_AFTER = re.compile(r"[ ]?(?:or so|-?ish)\b", re.IGNORECASE)
_SHARE_REACH = 24

_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0}
_UNIT = r"[ -]?(?P<{}>hours?|hrs?|min(?:ute)?s?|secs?|seconds?)(?![a-z])"
_HALVES = r"(?P<half> and a half| ?½| and a quarter)"
# "3 min 20 s": after another unit a letter is one.
_LESSER_UNIT = _UNIT.replace("secs?", "secs?|[ms]")
_PLAIN = re.compile(
    rf"(?P<low>{NUMBER})[ ]?(?:-|–|to|or|and)[ ]?(?P<high>{NUMBER}){_UNIT.format('range_unit')}"
    rf"|(?P<one>{NUMBER}){_HALVES}?{_UNIT.format('unit')}(?:(?:,|"
    rf" and)? ?(?P<more>{NUMBER}){_LESSER_UNIT.format('more_unit')}|(?P<tail> and a half))?"
    r"|(?<![a-z])(?P<word>half an?|(?:a )?quarter of an|three quarters of an|a couple of|a few|an?)"
    r"[ -](?P<word_unit>hours?|minutes?)(?P<word_tail> and a half)?(?![a-z])",
    re.IGNORECASE | re.ASCII,
)
# Without one of these no words are a length; most texts are read faster so.
_HINT = re.compile(r"min|sec|hour|hr", re.IGNORECASE)
_BARS_HINT = re.compile(r"bar|measure", re.IGNORECASE)
_WORD_SHARES = {
    "half a": (0.5, 0.5), "half an": (0.5, 0.5), "a quarter of an": (0.25, 0.25), "quarter of an": (0.25, 0.25),
    "three quarters of an": (0.75, 0.75), "a couple of": (1.5, 2.5), "a few": (2.0, 5.0), "a": (1.0, 1.0), "an": (1.0, 1.0),
}  # fmt: skip
_PER_MINUTE = re.compile(
    r"(?:beats?|bpm|notes?|crotchets?|quarters?|times|wait|hang on|just|in|every|to the|per|once|miles) $", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(?<![\w:.,/])(?P<m>[0-9]{1,2})(?:[:′'’](?P<s>[0-5][0-9])(?:[\"″”]|'')?|m(?:in)?[ ]?(?P<s2>[0-9]{1,2})s?(?:ec)?)"
    r"(?![\w:/]|[.,][0-9]|[ ]?[ap]\.?m\b|[ ]o['’]clock)|"
    r"(?<![\w.,:/'’$-])(?P<only>[0-9]{1,3})(?P<only_unit>[ ]?[sm])(?![\w'’/])",
    re.ASCII,
)
_CLOCK_BEFORE = re.compile(
    r"(?:^|[,;(|/–—-]|\b(?:about|around|for|of|length|long|duration|runs?|lasts?|lasting|running|time|is|"
    r"approx\.?|under|over|~))[: ]*$",
    re.IGNORECASE,
)
_CLOCK_AFTER = re.compile(
    r"[ -]?(?:long|min|minutes|in length|duration|loop|clip|track|piece|song|jingle|snippet)\b", re.IGNORECASE
)
_DECADES = frozenset(range(10, 100, 10))


def find_duration(text: str) -> Found[tuple[float, float]] | None:
    """Find a length in seconds as (low, high): "30 seconds", "2 to 3 minutes", "under a minute", "2:30", "an hour"."""
    return best(f for f in (*_in_words(text), *_in_figures(text)) if 0 <= f.value[0] <= f.value[1] and f.value[1] > 0)


def _in_words(text: str) -> Iterator[Found[tuple[float, float]]]:
    for m in _PLAIN.finditer(text) if _HINT.search(text) else ():
        if _is_within(text, m.start()) or (m["word"] and _PER_MINUTE.search(text[max(0, m.start() - 12) : m.start()])):
            continue
        low, high = _bounds_s(m)
        least, most = _share(text, m) if low == high else (1.0, 1.0)
        yield Found((low * least, high * most), STATED, m.span())


def _bounds_s(m: re.Match[str]) -> tuple[float, float]:
    if m["low"]:
        unit_s = _UNIT_S[m["range_unit"][0].lower()]
        return number(m["low"]) * unit_s, number(m["high"]) * unit_s
    if m["one"]:
        unit_s = _UNIT_S[m["unit"][0].lower()]
        part = 0.25 if (m["half"] or "").endswith("quarter") else 0.5 * bool(m["half"] or m["tail"])
        more_s = number(m["more"]) * _UNIT_S[m["more_unit"][0].lower()] if m["more"] else 0.0
        length_s = (number(m["one"]) + part) * unit_s + more_s
        return length_s, length_s
    unit_s = _UNIT_S[m["word_unit"][0].lower()]
    low, high = (share + 0.5 * bool(m["word_tail"]) for share in _WORD_SHARES[m["word"].lower()])
    return low * unit_s, high * unit_s


def _share(text: str, m: re.Match[str]) -> tuple[float, float]:
    before = text[max(0, m.start() - _SHARE_REACH) : m.start()]
    if _ABOUT_AFTER.match(text, m.end()):
        return 0.9, 1.1
    return next((share for words, share in _SHARE_BEFORE if words.search(before)), (1.0, 1.0))


def _in_figures(text: str) -> Iterator[Found[tuple[float, float]]]:
    """Find "2:30", "2m30s", "45s", but no time of day and no decade."""
    for m in _CLOCK.finditer(text):
        unit = (m["only_unit"] or "").strip()
        is_decade = m["only_unit"] == "s" and int(m["only"]) in _DECADES
        is_stated = _CLOCK_AFTER.match(text, m.end()) or m["s2"]
        is_likely = not is_decade and _CLOCK_BEFORE.search(text[max(0, m.start() - _SHARE_REACH) : m.start()])
        if not (is_stated or is_likely or (unit == "s" and not is_decade)):
            continue
        length_s = int(m["only"]) * _UNIT_S[unit] if m["only"] else int(m["m"]) * 60.0 + int(m["s"] or m["s2"])
        least, most = _share(text, m)
        yield Found((length_s * least, length_s * most), STATED if is_stated else IMPLIED, m.span())
