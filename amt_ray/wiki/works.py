"""Classical works by form, number, opus and catalogue number, as titles write them and as Wikipedia does.

"Sinfonie Nr. 5", "5th Symphony" and "Symphony V, op.67" name one work; Symphony No. 6 is another.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from amt_ray.wiki.names import plain

_GENRE_NAMES = (
    "Arabesque|Ave Maria|Bagatelle|Ballade|Barcarolle|Canon|Cantata|Caprice|Chaconne|Concerto|Dance|Divertimento|"
    "Étude|Fantasia and Fugue|Fantasia|Fugue|Gnossienne|Gymnopédie|Humoresque|Impromptu|Intermezzo|Invention|Magnificat|"
    "March|Mass|Mazurka|Minuet|Moment musical|Nocturne|Octet|Overture|Partita|Passacaglia|Polonaise|Prelude and Fugue|"
    "Prelude|Quartet|Quintet|Requiem|Rhapsody|Romance|Rondo|Scherzo|Septet|Serenade|Sextet|Sinfonia|Sonata|Sonatina|"
    "Song without Words|Stabat Mater|Suite|Symphony|Te Deum|Toccata and Fugue|Toccata|Trio|Variations|Waltz"
)
_GENRES = _GENRE_NAMES.split("|")
_OF_LANGUAGES = {
    "capriccio": "Caprice", "ciaccona": "Chaconne", "etuden": "Étude", "fantasie": "Fantasia", "fantasy": "Fantasia",
    "fuga": "Fugue", "fuge": "Fugue", "konzert": "Concerto", "lied ohne worte": "Song without Words", "marche": "March",
    "marsch": "March", "menuet": "Minuet", "menuett": "Minuet", "menuetto": "Minuet", "messe": "Mass", "missa": "Mass",
    "notturno": "Nocturne", "ouverture": "Overture", "praeludium und fuge": "Prelude and Fugue", "praeludium": "Prelude",
    "praludium und fuge": "Prelude and Fugue", "praludium": "Prelude", "quartett": "Quartet", "quatuor": "Quartet",
    "quintett": "Quintet", "rhapsodie": "Rhapsody", "romanze": "Romance", "sinfonie": "Symphony", "sonate": "Sonata",
    "sonatine": "Sonatina", "songs without words": "Song without Words", "symphonie": "Symphony", "symphonies": "Symphony",
    "tanz": "Dance", "valse": "Waltz", "walzer": "Waltz", "rhapsodies": "Rhapsody", "fantasias": "Fantasia",
    "gymnopedies": "Gymnopédie", "preludes and fugues": "Prelude and Fugue",
}  # fmt: skip
_PREFIX_NAMES = (
    "bassoon brandenburg cello clarinet double english flute french guitar harpsichord horn hungarian keyboard lute "
    "norwegian oboe orchestral organ piano slavonic string trio trumpet viola violin wind"
)
_PREFIXES = {name: name.capitalize() for name in _PREFIX_NAMES.split()} | {
    "clavier": "Piano", "klarinetten": "Clarinet", "klavier": "Piano", "streich": "String", "ungarische": "Hungarian",
    "ungarischer": "Hungarian", "violoncello": "Cello",
}  # fmt: skip
_SET_FORMS = (
    "Arabesque|Brandenburg Concerto|Cello Suite|English Suite|French Suite|Gnossienne|Gymnopédie|Hungarian Dance|"
    "Hungarian Rhapsody|Impromptu|Invention|Moment musical|Norwegian Dance|Orchestral Suite|Partita|Slavonic Dance|"
    "Song without Words|Trio Sonata"
)
_PUBLISHED_IN_SETS = frozenset(_SET_FORMS.split("|"))
"""Forms whose pieces share one article, which has their plural for its title."""
_SELDOM_NUMBERED = frozenset(["Canon", "Magnificat", "Octet", "Requiem", "Septet", "Stabat Mater", "Te Deum"])
"""Forms of which a composer's article may have the bare name: "Requiem (Fauré)"."""


_USUAL = {"Concerto": "Piano Concerto", "Quartet": "String Quartet", "Sonata": "Piano Sonata"}
"""What is meant where the instrument is not said."""


def _plural(form: str) -> str:
    if form == "Song without Words":
        return "Songs without Words"
    if form.endswith("y"):
        return f"{form[:-1]}ies"
    return form if form.endswith("s") and not form.endswith("ss") else f"{form}{'es' if form.endswith(('z', 'ss')) else 's'}"


_GENRE_OF = {plain(name).lower(): genre for genre in _GENRES for name in (_plural(genre), genre)} | _OF_LANGUAGES
_FORM = re.compile(
    rf"(?<![a-z])(?:(?P<prefix>{'|'.join(_PREFIXES)})[ -]?)?"
    rf"(?P<genre>{'|'.join(sorted(_GENRE_OF, key=lambda g: (-len(g), g)))})(?![a-z])"
)
_SCORING = re.compile(rf"\b(?:for|fur|pour) (?:the |solo |unaccompanied )?(?P<prefix>{'|'.join(_PREFIXES)})\b")
_NUMBER_SIGN = r"(?:\b(?:nos?|nr|num|number)\b\.?|\bn°\.?|#)"
_FIGURE = r"(?:[0-9]+[a-z]?|[ivxl]+)\b"
_OPUS = re.compile(
    rf"\b(?:op(?:us|p)?|o)\b\.? ?(?:posth(?:umous)?\.? ?)?(?P<opus>[0-9]+)(?:[a-z]\b)?"
    rf"(?:(?:[ ,]*{_NUMBER_SIGN} ?|/)(?P<number>[0-9]+))?"
)
_CATALOGUE = re.compile(
    r"\b(?P<system>bwv|buxwv|hwv|twv|swv|rv|woo|hob|kv|k\.v|kk?|d|s)[. ]{0,2}"
    r"(?P<number>(?:[ivx]+[a-z]?[:/ ]? ?)?[0-9]+[a-z]?)(?:-(?P<last>[0-9]+))?\b"
)
_NUMBER = re.compile(rf"{_NUMBER_SIGN} ?(?P<number>{_FIGURE})")
_KEY = re.compile(
    r"(?:\b(?P<in>[Ii]n|[Ee]n)[ -]|\b(?=[A-G][\w-]* (?:major|minor|Major|Minor)\b))(?P<letter>[A-Ga-g])"
    r"(?:[- ]?(?P<sign>[Ff]lat|[Ss]harp|[b#](?![a-z])))?"
    r"(?:[ -](?P<mode>major|minor|maj\b|min\b|dur|moll|Major|Minor|MAJOR|MINOR))?(?![\w'])"
)
_GERMAN_KEY = re.compile(r"\b(?P<letter>[A-Ha-h])(?P<sign>is|es|s)?[- ](?P<mode>[Dd]ur|[Mm]oll)\b")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}
_SYSTEMS = {"kv": "k", "k.v": "k"}
_WRITTEN = {"bwv": "BWV", "buxwv": "BuxWV", "hwv": "HWV", "twv": "TWV", "swv": "SWV", "rv": "RV", "woo": "WoO"}


@dataclass(frozen=True)
class Work:
    """What identifies a classical work; None for what the title does not say."""

    form: str | None = None
    """As Wikipedia writes it: "Piano Sonata"."""
    is_set: bool = False
    """The form stands in the plural, as in "Nocturnes, Op. 9"."""
    number: int | None = None
    """Among the composer's works of the form."""
    opus: int | None = None
    opus_number: int | None = None
    """Within the opus."""
    catalogue: str | None = None
    """Folded system and number: "bwv 846"."""
    catalogue_last: int | None = None
    """The last number, where the title names a range: 893 of BWV 846-893."""
    key: str | None = None
    """As Wikipedia writes it: "C-sharp minor"."""

    @property
    def catalogue_title(self) -> str:
        """The catalogue number as Wikipedia writes it, "K. 545", under which it has many redirects; "" for none."""
        system, _, number = (self.catalogue or "").partition(" ")
        if system == "hob":
            return f"Hob. {number.rpartition(':')[0].upper()}:{number.rpartition(':')[2]}"
        return f"{_WRITTEN.get(system, f'{system.capitalize()}.')} {number}" if system else ""

    @property
    def is_identified(self) -> bool:
        """Tell whether the work is one of many of its form or catalogue, whose names differ by numbers and keys."""
        numbered = self.number is not None or self.opus is not None or self.key is not None
        return self.catalogue is not None or (numbered and (self.form is not None or self.opus is not None))

    def completed_by(self, other: Work) -> Work:
        """Return this work with what it does not say taken from the other."""
        opus = self if self.opus is not None else other
        catalogue = self if self.catalogue is not None else other
        return replace(
            self,
            form=self.form or other.form,
            opus=opus.opus,
            opus_number=opus.opus_number,
            catalogue=catalogue.catalogue,
            catalogue_last=catalogue.catalogue_last,
            key=self.key or other.key,
        )


@functools.lru_cache(maxsize=4096)
def parse_work(title: str) -> Work:
    """Return what a title, or a sentence about a work, says about which work it is; linear time."""
    text = plain(title)
    lowered = text.lower()
    form, found = _form(lowered)
    opus, catalogue = _OPUS.search(lowered), _CATALOGUE.search(lowered)
    rest = _CATALOGUE.sub(" ", _OPUS.sub(" ", lowered))
    return Work(
        form=form,
        is_set=bool(found) and found == plain(_plural(form or "")).lower(),
        number=_number(rest),
        opus=int(opus["opus"]) if opus else None,
        opus_number=int(opus["number"]) if opus and opus["number"] else None,
        catalogue=_catalogue(catalogue) if catalogue else None,
        catalogue_last=int(catalogue["last"]) if catalogue and catalogue["last"] else None,
        key=_key(text),
    )


def work_titles(work: Work, last: str) -> list[str]:
    """Return the titles that Wikipedia gives to such a work by the composer of this last name, likeliest first."""
    form = work.form
    titles = []
    if form and work.number is not None:
        full = _USUAL.get(form, form)
        titles.append(f"{full} No. {work.number} ({last})")
    if form and work.opus is not None and work.number is None:
        if work.opus_number is not None:
            comma = "" if form == "Étude" else ","
            titles.append(f"{form}{comma} Op. {work.opus}, No. {work.opus_number} ({last})")
        titles.append(f"{_plural(form)}, Op. {work.opus} ({last})")
    if work.catalogue:
        titles.append(work.catalogue_title)
    if form in _PUBLISHED_IN_SETS and not work.catalogue:
        titles += [_plural(form), f"{_plural(form)} ({last})"]
    if form and work.key and work.number is None and work.opus is None and not work.catalogue:
        titles += [f"{form} in {work.key} ({last})", f"{form} in {work.key}"]
    return titles


def conflict(asked: Work, found: Work) -> bool:
    """Tell whether two works differ in something that both say: Symphony No. 5 is not Symphony No. 6."""
    pairs = [(asked.number, found.number), (asked.opus, found.opus), (asked.opus_number, found.opus_number)]
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        return True
    if asked.catalogue and found.catalogue:
        return not _same_catalogue(asked, found)
    if asked.is_identified and asked.form and found.form and not _compatible(asked.form, found.form):
        return True
    is_surely_one = any(None not in pair for pair in pairs)
    return bool(asked.key and found.key and asked.key != found.key and not is_surely_one)


def agreement(asked: Work, found: Work) -> float | None:
    """Return how surely two works that do not conflict are one, 0..1; None where names must decide, not numbers."""
    if asked.catalogue and found.catalogue:
        return 1.0 if found.catalogue_last is None else 0.85
    if asked.opus is not None and found.opus is not None:
        if asked.opus_number == found.opus_number:
            return 1.0
        return 0.85 if found.opus_number is None else 0.5
    if not asked.form or not found.form:
        return None
    if asked.number is not None:
        if found.number is not None:
            return 1.0 if found.form in (asked.form, _USUAL.get(asked.form)) else 0.55
        return 0.85 if found.is_set and asked.form in _PUBLISHED_IN_SETS else None
    if asked.key and asked.key == found.key and found.number is None:
        return 0.95
    is_only_one = asked.form == found.form and found.form in _SELDOM_NUMBERED and not found.is_identified
    return 0.85 if is_only_one else None


def standard_spelling(title: str) -> str:
    """Return the title with numbers and keys as Wikipedia writes them: "Op. 10, No. 3", "K. 545", "in C-sharp minor"."""
    text = re.sub(rf"(?i)\b(?:no|nr)\b\.? ?(?={_FIGURE})|#(?=[0-9])", "No. ", title)
    text = re.sub(r"(?i)\bop(?:us)?\b\.? ?(?=[0-9])", "Op. ", text)
    text = re.sub(r"(Op\. [0-9]+[a-z]?),? (?=No\. )", r"\1, ", text)
    text = re.sub(r"\b(BWV|HWV|RV|WoO|TWV|BuxWV)[. ]*(?=[0-9])", r"\1 ", text)
    text = re.sub(r"\bK(?:\.?V\.?|\.|) ?(?=[0-9]{2,3}\b)", "K. ", text)
    text = re.sub(r"\b([DS])\. ?(?=[0-9]{2,3}\b)", r"\1. ", text)
    return _KEY.sub(lambda m: f"{'in ' if m['in'] else ''}{_key_name(m)}" if m["mode"] else m[0], text)


def name_of_work(title: str) -> str:
    """Return the title without number, opus, catalogue number and key: "Gretchen am Spinnrade" of "…, Op. 2, D. 118"."""
    text = title
    for pattern in (_OPUS, _CATALOGUE, _NUMBER):
        text = re.sub(pattern.pattern, " ", text, flags=re.IGNORECASE)
    return re.sub(r"\s+([,;:])", r"\1", " ".join(_GERMAN_KEY.sub(" ", _KEY.sub(" ", text)).split())).strip(" ,;:-.")


def is_bare_form(name: str) -> bool:
    """Tell whether a name is that of a form and no more, as "Piano Sonata" is and "Trout Quintet" is not."""
    return bool(re.fullmatch(rf"(?:{_FORM.pattern})(?: (?:for|fur|pour) .*)?", plain(name).lower()))


def _form(lowered: str) -> tuple[str | None, str]:
    found = _FORM.search(lowered)
    if not found:
        return None, ""
    genre = _GENRE_OF[found["genre"]]
    scoring = _SCORING.search(lowered, found.end())
    prefix = found["prefix"] or (
        scoring["prefix"] if scoring and genre in ("Sonata", "Concerto", "Suite", "Partita") else None
    )
    return (f"{_PREFIXES[prefix]} {genre}" if prefix else genre), found[0]


def _number(lowered: str) -> int | None:
    if signed := _NUMBER.search(lowered):
        return _value(signed["number"])
    form = _FORM.search(lowered)
    if form is None:
        return None
    after = re.match(rf",? (?!i\b)({_FIGURE})(?!-)", lowered[form.end() :])
    before = re.search(r"([a-z0-9]+) $", lowered[: form.start()])
    if after:
        return _value(after[1])
    return _ordinal(before[1]) if before else None


def _value(figure: str) -> int | None:
    if digits := re.match("[0-9]+", figure):
        return int(digits[0])
    values = [_ROMAN[c] for c in figure]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _ordinal(word: str) -> int | None:
    digits = re.fullmatch(r"([0-9]+)(?:st|nd|rd|th)", word)
    return int(digits[1]) if digits else (_ORDINALS.index(word) + 1 if word in _ORDINALS else None)


def _catalogue(found: re.Match[str]) -> str | None:
    system = _SYSTEMS.get(found["system"], found["system"])
    before, joined = found.string[: found.start()], not re.search("[. ]", found[0]) and len(found["number"]) > 1
    if len(system) == 1 and "." not in found[0] and not joined and not re.search(r"(?:^|[,(\[;:-]) ?$", before):
        return None if not _FORM.search(before) else f"{system} {found['number']}"  # "Vitamin D 12" is in no catalogue
    return f"{system} {re.sub(r'(?<=[a-z])[:/ ]*(?=[0-9])', ':', found['number'])}"


def _same_catalogue(asked: Work, found: Work) -> bool:
    (system, number), (other_system, other) = (str(w.catalogue).split(" ") for w in (asked, found))
    if system != other_system or number == other:
        return True
    if found.catalogue_last is None or not (number.isdigit() and other.isdigit()):
        return False
    return int(other) <= int(number) <= found.catalogue_last


def _compatible(form: str, other: str) -> bool:
    words, others = set(form.split()), set(other.split())
    return words <= others or others <= words


def _key(text: str) -> str | None:
    if german := _GERMAN_KEY.search(text):
        letter = {"h": "B", "b": "B-flat"}.get(german["letter"].lower(), german["letter"].upper())
        sign = "" if not german["sign"] else ("-sharp" if german["sign"] == "is" else "-flat")
        return f"{letter}{sign} {'major' if german['mode'].lower() == 'dur' else 'minor'}"
    found = _KEY.search(text)
    return _key_name(found) if found and (found["mode"] or found["letter"].isupper()) else None


def _key_name(found: re.Match[str]) -> str:
    sign = {"b": "-flat", "flat": "-flat", "#": "-sharp", "sharp": "-sharp"}.get((found["sign"] or "").lower(), "")
    mode = "minor" if (found["mode"] or "").lower() in ("minor", "min", "moll") else "major"
    return f"{found['letter'].upper()}{sign} {mode}"
