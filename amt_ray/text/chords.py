"""The chords that a text names: "Am, F, C, G", "the chords of G6 and D6", "ii-V-I". Linear; takes any string."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amt_ray.text.found import Found

_EXPLICIT, _BARE = 0.95, 0.85

_NOTE = r"[A-G][#♯b♭]?"
_QUALITY = r"(?:maj|min|m|M|dim|aug|sus|add|°|ø|Δ|\+)?(?:[2-9]|1[13])?(?:(?:sus|add|maj|b|#|♭|♯)(?:[2-9]|1[13])){0,3}"
_WORDS = r"[ -](?:major|minor)"
# "FM electric piano": how it sounds, no F major.
_SYNTHESIS = r"FM[ -](?i:synth|electric|piano|e[ -]?piano|keys|bass|bells?|pads?|leads?|organ|brass|rhodes|radio)"
_SYMBOL = re.compile(
    rf"(?<![\w#♯♭/'’])(?!{_SYNTHESIS})(?:{_NOTE}{_WORDS}|{_NOTE}{_QUALITY}(?:/{_NOTE})?)(?![\w#♯♭'’/])", re.ASCII
)
_NUMERAL = re.compile(
    r"(?<![\w'’])[b#♭♯]?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?:°|ø|o|\+)?(?:maj7|7)?(?![\w'’])", re.ASCII
)
_LINK = re.compile(r"[ \t]*(?:[,|–—→>-]|->)?[ \t]*(?:(?:and|then|to)[ \t]+)?")
_DASH = re.compile(r"[ \t]*[–—→-][ \t]*")
_CUE_BEFORE = re.compile(r"(?i)\b(?:chords?|progressions?|changes|vamps?|alternat\w+|cadences?)\b[^.;!?\n]{0,48}$")
_CUE_AFTER = re.compile(r"(?i)[ -](?:chords?|progressions?|changes|vamps?|cadences?)\b")
_CUE_REACH = 64
_FORM = re.compile(r"(?i)\b(?:forms?|sections?|parts?|grades?|sides?)\b")
_WORDS_THEMSELVES = frozenset({"A", "I"})
_BARE_CHORDS, _CUED_CHORDS = 3, 2
# What no word, pitch ("C4") or key is written with: "Am7", "Dmaj7".
_SEVENTH = re.compile(rf"{_NOTE}(?:m|min|maj|M|dim|°|ø|Δ)(?:[679]|1[13])(?:b5)?")


def find_chords(text: str) -> Found[tuple[str, ...]] | None:
    """Find chord symbols (`"Am"`, `"F#m7b5"`, `"B/A"`) or Roman numerals as they are written, in the text's order.

    A letter is a chord where "chords", "progression" or "changes" stands beside it, or in a run of three and more; of two
    where one is a seventh chord and the like ("Am7 D9").
    """
    runs = [*chord_runs(text), *_runs(text, _NUMERAL)]
    stated = sorted((f for run in runs if (f := _stated(text, run))), key=lambda f: f.span)
    if not stated:
        return None
    chords = tuple(chord for found in stated for chord in found.value)
    return Found(chords, max(f.confidence for f in stated), (stated[0].span[0], stated[-1].span[1]))


def chord_runs(text: str) -> list[list[re.Match[str]]]:
    """Return all that is written like chord symbols, in runs: whether it means chords, the words around it tell."""
    return list(_runs(text, _SYMBOL))


def _runs(text: str, pattern: re.Pattern[str]) -> Iterator[list[re.Match[str]]]:
    """Chords with nothing but commas, dashes, spaces or "and" between them."""
    run: list[re.Match[str]] = []
    for match in pattern.finditer(text):
        if run and not _goes_on(text, run[-1], match):
            yield run
            run = []
        run.append(match)
    if run:
        yield run


def _goes_on(text: str, chord: re.Match[str], following: re.Match[str]) -> bool:
    """Whether two chords belong to one run; "F# minor, Am F C G" is a key and then chords."""
    is_linked = _LINK.fullmatch(text, chord.end(), following.start()) is not None
    return is_linked and _is_in_words(chord) == _is_in_words(following)


def _is_in_words(chord: re.Match[str]) -> bool:
    return chord[0].endswith(("major", "minor"))


def _stated(text: str, run: list[re.Match[str]]) -> Found[tuple[str, ...]] | None:
    start, end = run[0].start(), run[-1].end()
    chords = tuple(_spelled(match.group()) for match in run)
    before = text[max(0, start - _CUE_REACH) : start]
    if _CUE_AFTER.match(text, end) and text[start:end] not in _WORDS_THEMSELVES:
        return Found(chords, _EXPLICIT, (start, end))
    if _CUE_BEFORE.search(before) and len(run) >= _CUED_CHORDS:
        return Found(chords, _EXPLICIT, (start, end))
    around = before + text[end : end + _CUE_REACH]
    enough = _CUED_CHORDS if any(map(_SEVENTH.fullmatch, chords)) else _BARE_CHORDS
    if len(run) < enough or _is_in_words(run[0]) or (set(chords) <= {"A", "B", "C", "D"} and _FORM.search(around)):
        return None
    if run[0].re is _NUMERAL and not (_DASH.fullmatch(text, run[0].end(), run[1].start()) or _is_progression(chords)):
        return None
    return Found(chords, _BARE, (start, end))


def _is_progression(numerals: tuple[str, ...]) -> bool:
    """Tell "vi IV I V" from acts and movements: "I II III"."""
    return any(numeral.islower() for numeral in numerals) and any(numeral.isupper() for numeral in numerals)


def _spelled(symbol: str) -> str:
    plain = symbol.replace("♯", "#").replace("♭", "b")
    return re.sub(r"[ -]major$", "", re.sub(r"[ -]minor$", "m", plain))
