"""The key and the mode that a text states. Linear in the text's length; takes any string.

A key is spelled as in `amt_ray.midi.keys.KEYS`, or as a tonic with a church mode: `"A dorian"`, `"E phrygian dominant"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amt_ray.midi.keys import KEYS, MAJOR_TONICS, MINOR_TONICS
from amt_ray.text.chords import chord_runs
from amt_ray.text.found import Found, best, is_denied

_EXPLICIT, _PLAIN, _PLAUSIBLE, _DOUBTFUL, _LETTER = 0.95, 0.85, 0.75, 0.6, 0.5
_LONGEST_PROMPT = 200

_CHURCH = "ionian|dorian|phrygian(?:[ -]dominant)?|lydian|mixolydian|aeolian|locrian"
_MINOR_MODES = frozenset({"minor", "dorian", "phrygian", "aeolian", "locrian"})
_ACCIDENTAL = r"(?P<accidental>[#♯♭b]|[ -]?(?:sharp|flat))?"
_KEY = re.compile(
    rf"(?<![A-Za-z0-9#♯♭'])(?P<tonic>[A-G]){_ACCIDENTAL}[ -]?(?:(?:natural|harmonic|melodic)[ -])?"
    rf"(?P<mode>major|minor|maj|min|{_CHURCH})(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
# "key of G", "in F#m": here the capital letter tells a note from a word.
_SHORT_KEY = re.compile(
    r"(?i:key of |key: ?|key = ?|key is |in |tonality of |tonal cent(?:re|er) of |cent(?:r|er)ed (?:on|"
    r"around) |tonic: ?|tonic of )"
    rf"(?P<tonic>[A-G])(?i:{_ACCIDENTAL})(?P<mode>m?)(?![A-Za-z0-9#♯♭]|[ -]?(?i:m[ai]|flat|sharp|{_CHURCH}))",
    re.ASCII,
)
_GOES_ON = (
    "with|for|at|and|on|by|played|using|that|which|featuring|about|around|moving|marked|then|is|in|from|between|over|"
    "from|starting|beginning|ending|set|performed|driven|led|full|but|tempo"
)
# "in G", "in B-flat, marked Allegro": a major key where no other word goes on with it.
_BARE_KEY = re.compile(
    r"(?<![A-Za-z0-9'])[Ii]n (?P<tonic>[A-G])(?P<accidental>[#♯♭b]|[ -](?:sharp|flat))?(?P<mode>)"
    rf"(?=$|[.,;:!?)\n]|[ ]?[–—&]| (?:{_GOES_ON})\b)",
    re.ASCII,
)
# "modulates from C to E flat": the first.
_FIRST_KEY = re.compile(
    r"(?i:\b(?:modulat\w{1,5}|transpos\w{1,4}|shift\w{0,3}|moves?|moving|key change)\b[^.;,\n]{0,24}?\bfrom )"
    rf"(?P<tonic>[A-G])(?i:{_ACCIDENTAL})(?P<mode>m?)(?= (?:up |down )?to )",
    re.ASCII,
)
_MODE_FIRST = re.compile(
    rf"(?<![A-Za-z])(?P<mode>(?i:{_CHURCH}|blues scale|(?:major|minor) (?:key|pentatonic|"
    rf"scale)))(?: [a-z]{{1,12}}){{0,2}} (?:in|on|of) "
    rf"(?P<tonic>[A-G])(?i:{_ACCIDENTAL})(?![A-Za-z0-9#♯♭])",
    re.ASCII,
)
# "Fm" alone, and "E flat" alone; beside other chords they are chords, before a clarinet its build.
_TRANSPOSING = (
    "alto|bass|clarinets?|trumpets?|cornets?|sax\\w*|tenor|horns?|tuba|soprano|flugelhorn|baritone|euphonium|instruments?"
)
_LONE = re.compile(
    r"(?<![A-Za-z0-9#♯♭/'])(?P<tonic>[A-G])(?:(?P<accidental>[#♯♭b])?(?P<mode>m)|(?P<words>[ -](?:sharp|"
    r"flat)|♯|♭)|(?P<ascii>[#b])?)"
    rf"(?![A-Za-z0-9#♯♭/']|[ -]?(?i:m[ai]|flat|sharp|chord|\d|{_CHURCH}|{_TRANSPOSING}))",
    re.ASCII,
)
# "clarinet in A" says how the instrument is built; "concerto for clarinet in A" is in A.
_BUILDS = {
    "clarinet": "A Bb Eb", "trumpet": "Bb", "cornet": "A Bb", "flugelhorn": "Bb", "sax": "Bb Eb", "saxophone": "Bb Eb",
    "horn": "F Eb",
}  # fmt: skip
_BUILT = re.compile(
    r"\b(?P<work>(?:concerto|concertino|sonata|sonatina|quintet|suite|works?) for (?:[\w-]{1,16} ){0,2})?"
    rf"(?P<instrument>{'|'.join(_BUILDS)})s? in $",
    re.IGNORECASE | re.ASCII,
)
_BUILT_REACH = 64
# What is typed: "techno in c#m", "blues in bb, slow", "piano, am, 90 bpm". The article, FM and EBM are no keys.
_TYPED_KEY = re.compile(
    r"(?<![\w'#/-])(?P<cue>in |key of |key: ?|key )?"
    r"(?P<tonic>[a-g])(?P<accidental>[#♯♭b]|[ -](?:sharp|flat))?(?P<mode>m)?(?![\w#♯♭'/-])",
    re.ASCII,
)
_TYPED_AFTER = re.compile(rf"\s*(?:[,;.)|\n](?!\w)|$)| (?:{_GOES_ON})\b| [0-9]")
_NO_TYPED_KEYS = frozenset({"a", "a flat", "a-flat", "a sharp", "a-sharp"})
_NO_LONE_TYPED_KEYS = frozenset({"fm", "ebm"})
_TYPED_CHORD = r"[a-g][#b]?m?7?"
_CHORD_BEFORE = re.compile(rf"(?<![\w']){_TYPED_CHORD}\s*[,|/–—-]?\s*$", re.ASCII)
_CHORD_AFTER = re.compile(rf"\s*[,|/–—-]?\s*{_TYPED_CHORD}(?![\w'])", re.ASCII)
_CLAUSE_BEFORE, _CLAUSE_AFTER = re.compile(r"(?:^|[,;(|/–—\n]|[.:] )\s*$"), re.compile(r"\s*(?:[,;.)|/–—\n]|$)")
# German: B is B flat, H is B. French, Italian, Spanish, Portuguese: solfège.
_GERMAN = re.compile(
    r"(?<![\w'])(?P<tonic>[a-h])(?P<accidental>isis|is|eses|es|s)?[ -]?(?P<mode>dur|moll)(?![a-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_ROMANCE = re.compile(
    r"(?<!\w)(?P<tonic>do|ut|r[eé]|mi|fa|sol|la|si)(?:[ -](?:(?P<sharp>di[eè]se|diesis|sostenido|"
    r"sustenido)|(?P<flat>b[eé]mol|bemolle)))?"
    r"[ -](?:(?P<major>majeur|maggiore|mayor|maior)|mineur|minore|menor)(?!\w)",
    re.IGNORECASE,
)
_SOLFEGE = {"do": 0, "ut": 0, "re": 2, "ré": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
_KEY_PREFIX = re.compile(r"(?:\b[Kk]ey(?: of|:)?|\b[Ii]n|\bIN) $")
_NEXT_WORD = re.compile(r"[ -]([A-Za-z]+)")
_AFTER_ARTICLE = re.compile("keys?|change|mode|mood|feel|feeling|tonality|chords?|third|sixth|seventh")
_AFTER_KEY = re.compile("with|for|at|and|in|on|by|that|using|played")
_PITCH_CLASS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}

_KEYLESS_MODE = re.compile(
    r"(?<![A-Za-z#♯♭])(?P<mode>major|minor)(?=[ -](?:keys?|mode|scale|tonality|pentatonic)(?![A-Za-z]))"
    rf"|(?<![A-Za-z#♯♭])(?P<church>{_CHURCH})(?![A-Za-z])"
    r"|(?:(?<=\bin )|(?<=\bin the )|(?<=bpm )|(?<=[,;] ))(?P<bare>major|minor)(?=\s*(?:[,;.!)]|$)| (?:with|"
    r"for|at|and|by)\b)",
    re.IGNORECASE | re.ASCII,
)
_OPPOSITE = {"major": "minor", "minor": "major"}


def find_key(text: str) -> Found[str] | None:
    """Find a key: "in d minor", "B flat major", "key of G", "A dorian", "fis-Moll", "la mineur"; D# minor is Eb minor.

    The article is told from the note by capitals and by the next word: "a minor key" is no key.
    """
    return best(f for f in _keys(text) if not is_denied(text, f.span[0]))


def find_mode(text: str, key: Found[str] | None) -> Found[str] | None:
    """Return the mode of the key that was found; without one, that of "in a minor key" or "lydian"; denied, its opposite."""
    if key is not None:
        return Found(key.value.split(" ", 1)[1], key.confidence, key.span)
    return best(f for m in _KEYLESS_MODE.finditer(text) if (f := _keyless_mode(text, m)))


def nearest_key(key: str) -> str:
    """Return the parallel major or minor key, of `KEYS`, of one with a church mode: G minor of "G dorian".

    Raises ValueError for anything but a tonic and a mode.
    """
    tonic, _, mode = key.partition(" ")
    if tonic not in {*MAJOR_TONICS, *MINOR_TONICS} or not re.fullmatch(f"major|minor|{_CHURCH}", mode):
        raise ValueError(f"key {key!r}: allowed is a tonic such as F# or Bb, and major, minor or a church mode")
    tonics, offset = (MINOR_TONICS, 12) if mode in _MINOR_MODES else (MAJOR_TONICS, 0)
    other = MAJOR_TONICS if tonics is MINOR_TONICS else MINOR_TONICS
    return KEYS[(tonics if tonic in tonics else other).index(tonic) + offset]


def _keys(text: str) -> Iterator[Found[str]]:
    yield from (found for m in _KEY.finditer(text) if (found := _named_key(text, m)))
    for m in _SHORT_KEY.finditer(text):
        if m["mode"] or not m.group().lower().startswith("in"):
            yield Found(_spell(m), _PLAIN, m.span())
    yield from (Found(_spell(m), _PLAIN, m.span()) for m in _FIRST_KEY.finditer(text))
    yield from (Found(_spell(m), _PLAUSIBLE, m.span()) for m in _BARE_KEY.finditer(text) if not _is_build(text, m))
    yield from (Found(_spell(m), _PLAIN, m.span()) for m in _MODE_FIRST.finditer(text))
    yield from (Found(_german(m), _PLAIN, m.span()) for m in _GERMAN.finditer(text))
    yield from (Found(_romance(m), _PLAIN, m.span()) for m in _ROMANCE.finditer(text))
    yield from _lone_keys(text)
    if len(text) <= _LONGEST_PROMPT:
        yield from _typed_keys(text)


def _is_build(text: str, m: re.Match[str]) -> bool:
    tonic = m.start("tonic")
    built = _BUILT.search(text[max(0, tonic - _BUILT_REACH) : tonic])
    return built is not None and not built["work"] and _spell(m).split()[0] in _BUILDS[built["instrument"].lower()].split()


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


def _lone_keys(text: str) -> Iterator[Found[str]]:
    alone = {run[0].span() for run in chord_runs(text) if len(run) == 1}
    for m in _LONE.finditer(text):
        is_clause = _CLAUSE_BEFORE.search(text[max(0, m.start() - 3) : m.start()]) and _CLAUSE_AFTER.match(text, m.end())
        if _is_build(text, m):
            continue
        if m["words"] or (m.span() in alone and (m["mode"] or (is_clause and (m["ascii"] or len(text) <= _LONGEST_PROMPT)))):
            yield Found(_spell(m), _DOUBTFUL if len(m.group()) > 1 else _LETTER, m.span())


def _typed_keys(text: str) -> Iterator[Found[str]]:
    for m in _TYPED_KEY.finditer(text):
        start, symbol = m.start("tonic"), text[m.start("tonic") : m.end()]
        before = text[max(0, start - _BUILT_REACH) : start]
        if m["cue"] and not (m["accidental"] and m["mode"]):
            if symbol not in _NO_TYPED_KEYS and _TYPED_AFTER.match(text, m.end()) and not _is_build(text, m):
                yield Found(_spell(m), _DOUBTFUL, (start, m.end()))
        elif m["mode"] and not _CHORD_BEFORE.search(before) and not _CHORD_AFTER.match(text, m.end()):
            is_clause = _CLAUSE_BEFORE.search(before) and _CLAUSE_AFTER.match(text, m.end())
            if m["cue"] or m["accidental"] in {"#", "♯"} or (is_clause and symbol not in _NO_LONE_TYPED_KEYS):
                yield Found(_spell(m), _LETTER, (start, m.end()))


def _spell(m: re.Match[str]) -> str:
    groups = m.groupdict()
    accidental = (groups["accidental"] or groups.get("words") or groups.get("ascii") or "").strip(" -").lower()
    shift = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(accidental, -1)
    pitch_class = (_PITCH_CLASS[m["tonic"].lower()] + shift) % 12
    mode = (groups["mode"] or "").lower().replace("-", " ")
    if re.fullmatch(_CHURCH, mode):
        return f"{(MINOR_TONICS if mode in _MINOR_MODES else MAJOR_TONICS)[pitch_class]} {mode}"
    return KEYS[pitch_class + 12 * (mode == "m" or mode.startswith("min"))]


def _german(m: re.Match[str]) -> str:
    tonic, accidental = m["tonic"].lower(), (m["accidental"] or "").lower()
    shift = -1 if tonic == "b" and not accidental else {"is": 1, "es": -1, "s": -1}.get(accidental, 0)
    return KEYS[(_PITCH_CLASS[tonic] + shift) % 12 + 12 * (m["mode"].lower() == "moll")]


def _romance(m: re.Match[str]) -> str:
    return KEYS[(_SOLFEGE[m["tonic"].lower()] + bool(m["sharp"]) - bool(m["flat"])) % 12 + 12 * (not m["major"])]


def _keyless_mode(text: str, m: re.Match[str]) -> Found[str] | None:
    mode = (m["mode"] or m["church"] or m["bare"]).lower().replace("-", " ")
    if is_denied(text, m.start()):
        return Found(_OPPOSITE[mode], _PLAUSIBLE, m.span()) if mode in _OPPOSITE else None
    return Found(mode, _PLAIN if m["mode"] or m["church"] else _DOUBTFUL, m.span())
