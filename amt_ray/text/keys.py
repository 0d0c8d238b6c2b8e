"""The key that a text states. Linear in the text's length; takes any string."""

from __future__ import annotations

import re

from amt_ray.midi.keys import KEYS
from amt_ray.text.chords import chord_runs
from amt_ray.text.notation import Found, best

_EXPLICIT, _PLAIN, _PLAUSIBLE, _DOUBTFUL = 0.95, 0.85, 0.75, 0.6

_ACCIDENTAL = r"(?P<accidental>[#♯♭b]|[ -]?(?:sharp|flat))?"
_KEY = re.compile(
    rf"(?<![A-Za-z0-9#♯♭'])(?P<tonic>[A-G]){_ACCIDENTAL}[ -]?(?P<mode>major|minor|maj|min|dur|moll)(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
# "key of G", "in F#m": here the capital letter tells a note from a word.
_SHORT_KEY = re.compile(
    rf"(?i:key of |key: ?|in )(?P<tonic>[A-G])(?i:{_ACCIDENTAL})(?P<mode>m?)(?![A-Za-z0-9#♯♭]|[ -]?(?i:m[ai]|flat|sharp))",
    re.ASCII,
)
# "in G", "in B-flat, marked Allegro": a major key where no other word goes on with it.
_BARE_KEY = re.compile(
    r"(?<![A-Za-z0-9'])[Ii]n (?P<tonic>[A-G])(?P<accidental>[#♯♭b]|[ -](?:sharp|flat))?(?P<mode>)"
    r"(?=$|[.,;:!?)\n]|[ ]?[–—&]| (?:with|for|at|and|on|by|played|using)\b)",
    re.ASCII,
)
# "Fm" alone, and "E flat" alone; beside other chords they are chords.
_LONE = re.compile(
    r"(?<![A-Za-z0-9#♯♭/'])(?P<tonic>[A-G])(?:(?P<accidental>[#♯♭b])?(?P<mode>m)|(?P<words>[ -](?:sharp|flat)|♯|♭))"
    r"(?![A-Za-z0-9#♯♭/']|[ -]?(?i:m[ai]|flat|sharp|chord|\d))",
    re.ASCII,
)
_KEY_PREFIX = re.compile(r"(?:\b[Kk]ey(?: of|:)?|\b[Ii]n|\bIN) $")
_NEXT_WORD = re.compile(r"[ -]([A-Za-z]+)")
_AFTER_ARTICLE = re.compile("keys?|change|mode|mood|feel|feeling|tonality|chords?|third|sixth|seventh")
_AFTER_KEY = re.compile("with|for|at|and|in|on|by|that|using|played")
_PITCH_CLASS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def find_key(text: str) -> Found[str] | None:
    """Find a key, spelled as in `KEYS`: "in d minor", "B flat major", "F♯ minor", "key of G"; D# minor is Eb minor.

    The article is told from the note by capitals and by the next word: "a minor key" is no key.
    """
    named = (_named_key(text, m) for m in _KEY.finditer(text))
    short = (
        Found(_spell(m), _PLAIN, m.span())
        for m in _SHORT_KEY.finditer(text)
        if m["mode"] or m.group().lower().startswith("key")
    )
    bare = (Found(_spell(m), _PLAUSIBLE, m.span()) for m in _BARE_KEY.finditer(text))
    alone = {run[0].span() for run in chord_runs(text) if len(run) == 1}
    lone = (Found(_spell(m), _DOUBTFUL, m.span()) for m in _LONE.finditer(text) if m["words"] or m.span() in alone)
    return best(f for f in (*named, *short, *bare, *lone) if f)


def _named_key(text: str, m: re.Match[str]) -> Found[str] | None:
    if m["tonic"] in "aA" and not m["accidental"]:
        following = _NEXT_WORD.match(text, m.end())
        next_word = following[1].lower() if following else ""
        before = text[max(0, m.start() - 2) : m.start()].rstrip()
        opens_sentence = not before or before[-1] in ".!?:"
        if m["tonic"] == "a" and next_word and not _AFTER_KEY.fullmatch(next_word):
            return None
        if opens_sentence and _AFTER_ARTICLE.fullmatch(next_word):
            return None
        if m["tonic"] == "a" or opens_sentence:
            return Found(_spell(m), _DOUBTFUL, m.span())
    has_prefix = _KEY_PREFIX.search(text, max(0, m.start() - 8), m.start())
    return Found(_spell(m), _EXPLICIT if has_prefix else _PLAIN, m.span())


def _spell(m: re.Match[str]) -> str:
    groups = m.groupdict()
    accidental = (groups["accidental"] or groups.get("words") or "").strip(" -").lower()
    shift = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(accidental, -1)
    is_minor = (groups["mode"] or "").lower() in {"minor", "min", "moll", "m"}
    return KEYS[(_PITCH_CLASS[m["tonic"].lower()] + shift) % 12 + 12 * is_minor]
