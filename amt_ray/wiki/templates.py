"""What templates show that stand inside sentences, as far as their own arguments tell; all others show nothing.

Only the wiki itself can expand a template, so this is a list of those whose loss would change a sentence: `{{lang}}`,
`{{nowrap}}`, `{{convert}}`, `{{music|flat}}` … Names are those of the English Wikipedia, in lower case.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable
from typing import Any

from mwparserfromhell.nodes import Template

MUTE = "\ufffc"
"""Stands where a pronunciation was, so that the words around it can be taken away too."""

_MAX_ARGUMENTS = 20


class Arguments:
    """A template's arguments as text."""

    def __init__(self, template: Template, shown: Callable[[Any], str]) -> None:
        self._values = {str(parameter.name).strip(): parameter.value for parameter in template.params}
        self._shown = shown

    def __getitem__(self, name: str | int) -> str:
        """Return one by its name or, from 1, its place; "" if it is not there."""
        value = self._values.get(str(name))
        return "" if value is None else self._shown(value).strip()

    def unnamed(self) -> list[str]:
        """Return those without a name, up to the first that is empty."""
        found: list[str] = []
        while len(found) < _MAX_ARGUMENTS and (value := self[len(found) + 1]):
            found.append(value)
        return found


def template_text(template: Template, shown: Callable[[Any], str]) -> str:
    """Return what a template shows; `shown` makes text of an argument's wikitext, and is asked only where it is kept."""
    name = " ".join(str(template.name).replace("_", " ").lower().split())
    arguments = Arguments(template, shown)
    if name in _LITERALS:
        return _LITERALS[name]
    if name in _SHOWN:
        return _SHOWN[name](arguments)
    if name in _SHIPS:
        return f"{name.upper()} {arguments[1]}"
    if name.startswith(_PRONUNCIATIONS):
        return MUTE
    return _in_language(name.split("-")[1], arguments[1]) if name.startswith("lang-") else ""


def _first(arguments: Arguments) -> str:
    return arguments["lt"] or arguments[1] or arguments["text"]


def _second(arguments: Arguments) -> str:
    return arguments[2] or arguments["text"]


def _last(arguments: Arguments) -> str:
    return (arguments.unnamed() or [""])[-1]


def _joined(arguments: Arguments) -> str:
    return "".join(arguments.unnamed())


def _in_language(code: str, text: str) -> str:
    return f"{_LANGUAGES[code]}: {text}" if code in _LANGUAGES and text else text


def _nihongo(arguments: Arguments) -> str:
    shown, *rest = [text for text in (arguments[1], arguments[2], arguments[3]) if text] or [""]
    return f"{shown} ({', '.join(rest)})" if rest else shown


def _convert(arguments: Arguments) -> str:
    """Show `{{convert|5|to|10|km|mi}}` up to the first unit, as "5 to 10 km"; nothing is converted."""
    shown: list[str] = []
    for value in arguments.unnamed():
        if _NUMBER.fullmatch(value):
            shown.append(f"{int(value):,}" if value.isdecimal() else value)
        elif value in _JOINERS:
            shown.append(_JOINERS[value])
        else:
            return "".join([*shown, " ", _UNITS.get(value, value)])
    return "".join(shown)


def _fraction(arguments: Arguments) -> str:
    match arguments.unnamed():
        case [below]:
            return f"1/{below}"
        case [above, below]:
            return f"{above}/{below}"
        case [whole, above, below, *_]:
            return f"{whole} {above}/{below}"
    return ""


def _value(arguments: Arguments) -> str:
    return f"{arguments[1]} {arguments['u'] or arguments['ul']}".strip()


def _date(arguments: Arguments) -> str:
    year, month, day = arguments[1], arguments[2], arguments[3]
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        return year
    named = month_name[int(month)]
    if not day.isdecimal():
        return f"{named} {year}"
    return f"{int(day)} {named} {year}" if arguments["df"] else f"{named} {int(day)}, {year}"


def _old_style_date(arguments: Arguments) -> str:
    return f"{arguments[1]} [O.S. {arguments[3]}] {arguments[2]}"


def _as_of(arguments: Arguments) -> str:
    return f"{'as' if arguments['lc'] else 'As'} of {_date(arguments)}"


def _circa(arguments: Arguments) -> str:
    return " – ".join(f"c. {year}" for year in arguments.unnamed()[:2]) or "c."


def _music(arguments: Arguments) -> str:
    sign = arguments[1].lower()
    return f"{arguments[2]}/{arguments[3]}" if sign in {"time", "time signature"} else _SIGNS.get(sign, "")


def _money(sign: str) -> Callable[[Arguments], str]:
    return lambda arguments: f"{sign}{arguments[1]}"


def _all(show: Callable[[Arguments], str], names: str) -> dict[str, Callable[[Arguments], str]]:
    return {name.strip(): show for name in names.split(",")}


_NUMBER = re.compile(r"[-−+]?[\d.,/+]*\d")
_PRONUNCIATIONS = ("ipa", "pron", "respell", "audio", "usdict", "h:ipa")
_SHIPS = frozenset({"hms", "uss", "ss", "rms", "mv", "hmas", "hmcs"})
_JOINERS = {"-": "–", "–": "–", "to": " to ", "and": " and ", "or": " or ", "by": " by ", "x": " × ", "±": " ± "}
_UNITS = {"km2": "km²", "m2": "m²", "m3": "m³", "sqmi": "sq mi", "sqft": "sq ft", "C": "°C", "F": "°F"}
_SIGNS = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮", "doubleflat": "𝄫", "bb": "𝄫",
    "doublesharp": "𝄪", "##": "𝄪", "x": "𝄪", "common": "𝄴", "c": "𝄴", "cut": "𝄵", "alla breve": "𝄵",
}  # fmt: skip
_LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish", "grc": "Ancient Greek", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ko": "Korean", "la": "Latin",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sr": "Serbian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_LITERALS = {
    **dict.fromkeys(["nbsp", "space", "spaces", "thinsp", "thin space", "hairsp", "wbr"], " "),
    **dict.fromkeys(["snd", "snds", "spnd", "sndash", "spaced ndash", "spaced en dash", "dash"], " – "),
    **dict.fromkeys(["ndash", "en dash", "–"], "–"),
    **dict.fromkeys(["mdash", "em dash", "emdash", "—"], "—"),
    **dict.fromkeys(["·", "dot", "middot", "•", "bull", "bullet"], " · "),
    **dict.fromkeys(["'", "apostrophe"], "'"),
    "'s": "'s", "!": "|", "=": "=", "times": "×", "...": "…", "ellipsis": "…", "okina": "ʻ",
    "flat": "♭", "sharp": "♯", "natural": "♮",
}  # fmt: skip
_SHOWN: dict[str, Callable[[Arguments], str]] = {
    **_all(_first, "nowrap, nobr, nobreak, nobold, noitalic, noitalics, small, smaller, big, larger, large, small caps"),
    **_all(_first, "smallcaps, sc, mono, code, var, em, strong, sup, sub, abbr, tooltip, sic, not a typo, typo, as written"),
    **_all(_first, "proper name, visible anchor, vanchor, native phrase, ill, interlanguage link, ill2, flag, flagu"),
    **_all(_first, "flagcountry, quote, blockquote, cquote, nq, tq, formatnum, num, angbr"),
    **_all(_second, "lang, wikt-lang, color, font color, native name"),
    **_all(_last, "transl, transliteration, resize, rtl-lang, script"),
    **_all(_joined, "gaps, chem, chem2, linktext"),
    **_all(lambda arguments: _in_language(arguments[1], arguments[2]), "langx"),
    **_all(lambda arguments: f'"{arguments[1]}"', '"'),
    **_all(lambda arguments: f"fl. {arguments[1]}", "fl., floruit, fl"),
    **_all(lambda arguments: f"{arguments[1]} {arguments[2]}", "ship"),
    **_all(_nihongo, "nihongo, nihongo2, nihongo3"),
    **_all(_convert, "convert, cvt"),
    **_all(_fraction, "frac, fraction, sfrac"),
    **_all(_value, "val"),
    **_all(_date, "birth date, birth date and age, death date, death date and age, start date, start date and age"),
    **_all(_date, "birth-date, death-date, start-date, end-date, end date, dts, film date"),
    **_all(_old_style_date, "oldstyledate"),
    **_all(_as_of, "as of"),
    **_all(_circa, "circa, c., ca, ca."),
    **_all(_music, "music"),
    **_all(_money("US$"), "us$, usd"),
    **_all(_money("£"), "£, gbp, pound sterling"),
    **_all(_money("€"), "€, eur, euro"),
    **_all(_money("¥"), "¥, jpy, yen"),
    **_all(_money("A$"), "a$, aud"),
    **_all(_money("C$"), "c$, ca$, cad"),
    **_all(_money("₹"), "₹, inr, indian rupee"),
}  # fmt: skip
