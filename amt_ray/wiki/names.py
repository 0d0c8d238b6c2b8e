"""Names of people and bands: folded for comparison, turned round, and as English Wikipedia spells them.

A folded text is lower-case, without diacritics and punctuation, "&" and "'n'" as "and", words parted by one blank.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_LETTERS = str.maketrans(
    {
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "Ae",
        "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "♯": "-sharp", "♭": "-flat",
        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‐": "-", "−": "-", "…": "...", "_": " ",
    }
)  # fmt: skip
_NOBODY_NAMES = (
    "artist|band|composer|folk|folk song|karaoke|midi|misc|n a|na|none|null|public domain|soundtrack|tradicional|"
    "undefined|unknown|unknown artist|unknown composer|untitled|various|various artists|various composers|volkslied"
)
_NOBODIES = frozenset(_NOBODY_NAMES.split("|"))
_NOBODY_BEGINNING = re.compile(r"(?:trad(?:itional|itionell|itionnel)?|anon(?:ymous|ym|yme)?(?! \d))\b")
_NUMBERED_PLAYER = re.compile(r"(?:artist|band|composer|drummer|guest|player|singer|track|user) ?\d+")
_UNNAMED = re.compile(r"trad|anon|folk|volkslied|public domain")
_LIFE_YEARS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_GUEST = re.compile(r"\s+[(\[]?(?:feat(?:uring)?|ft|arr(?:anged)?|with)\b\.?(?: by)?\s+", re.IGNORECASE)
_SEVERAL = re.compile(r"\s*(?:[,;/]|\s(?:&|and|und|et|y|x|vs\.?)\s)\s*", re.IGNORECASE)
_PERSON = re.compile(r"(?!(?:his|her|the|their) )\S+ \S", re.IGNORECASE)
_GROUP = re.compile(
    r"(?:the )?(\S+ \S+) (?:band|big band|combo|ensemble|experience|orchestra|quartet|quintet|sextet|singers|trio)",
    re.IGNORECASE,
)
_INITIALS = re.compile(r"\b([A-Z])\.\s*(?=[A-Z])")
_SUFFIX = re.compile(r",?\s+(?:jr|sr|junior|senior|ii|iii|iv)\.?$", re.IGNORECASE)
PARTICLES = frozenset(["da", "de", "del", "della", "den", "der", "des", "di", "du", "la", "le", "van", "vom", "von", "zu"])
"""Words between given and last names that are not capitalised."""
_DOUBLE_LAST_NAME = re.compile(
    r" ((?:Del Rey|Lloyd Webber|Maxwell Davies|Van Halen|Van Zandt|Vaughan Williams|(?:Des|Du|La|Le|Mac|St\.) \S+))$",
    re.IGNORECASE,
)

_SPELLINGS = {
    "albeniz": "Albéniz", "bartok": "Bartók", "dvorak": "Dvořák", "faure": "Fauré", "haendel": "Handel",
    "haendl": "Handel", "janacek": "Janáček", "martinu": "Martinů", "moussorgsky": "Mussorgsky", "moussorgski": "Mussorgsky",
    "musorgsky": "Mussorgsky", "prokofieff": "Prokofiev", "prokofjew": "Prokofiev", "rachmaninov": "Rachmaninoff",
    "rachmaninow": "Rachmaninoff", "rakhmaninov": "Rachmaninoff", "saint saens": "Saint-Saëns", "schoenberg": "Schoenberg",
    "schonberg": "Schoenberg", "scriabine": "Scriabin", "skriabin": "Scriabin", "skryabin": "Scriabin",
    "schostakowitsch": "Shostakovich", "strawinsky": "Stravinsky", "tarrega": "Tárrega", "tchaikowsky": "Tchaikovsky",
    "tschaikowsky": "Tchaikovsky", "tschaikowski": "Tchaikovsky", "chaikovsky": "Tchaikovsky", "handel": "Handel",
}  # fmt: skip
"""Folded last names whose Wikipedia spelling differs from what catalogues and file names write."""


@functools.lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return the text without diacritics, with straight quotation marks and hyphens; its case stays."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)


@functools.lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return the text as it is compared: "Guns N’ Roses" and "guns and roses" are one."""
    lowered = plain(text.casefold()).casefold()
    lettered = re.sub(r"(?<=\w)[!$](?=\w)", lambda m: "i" if m[0] == "!" else "s", lowered)
    words = re.sub(r"[^\w\s]|_", " ", re.sub("[&+]", " and ", lettered.replace("'", ""))).split()
    return " ".join(
        "and" if word == "n" and len(before) > 1 else word for before, word in zip(["", *words], words, strict=False)
    )


def is_nobody(artist: str) -> bool:
    """Tell whether the artist names no one who has an article: "", "Traditional", "Anon.", "Drummer 3"."""
    folded = fold(artist)
    beginning = _NOBODY_BEGINNING.match(folded)
    return not folded or folded in _NOBODIES or bool(beginning or _NUMBERED_PLAYER.fullmatch(folded))


def is_unnamed(artist: str) -> bool:
    """Tell whether the artist says that the author is not known by name, as "Traditional" does and "" does not."""
    return is_nobody(artist) and bool(_UNNAMED.match(fold(artist)))


def artist_names(artist: str) -> list[str]:
    """Return the names that stand in an artist field: the whole first, then each person's; [] for nobody.

    "Beethoven, Ludwig van" is turned round, "(1685-1750)", "feat." and "arr." are cut, initials are spaced.
    """
    if is_nobody(artist):
        return []
    written = re.sub(r"^(?:composed )?by ", "", artist.replace("_", " ").strip(), flags=re.IGNORECASE)
    main, *guests = _GUEST.split(_LIFE_YEARS.sub("", written) or written)
    whole = _as_spelled(_turned(main))
    parts = [_as_spelled(part) for part in _SEVERAL.split(whole)] if whole == _as_spelled(main) else []
    leader = _GROUP.fullmatch(whole)
    people = [leader[1] if leader else whole, *(part for part in parts if _PERSON.match(part))]
    names = [whole, *people, *(_as_spelled(guest.strip(" )]")) for guest in guests)]
    return [name for name in dict.fromkeys(names) if fold(name) and not is_nobody(name)]


def last_name(name: str) -> str:
    """Return the name that Wikipedia puts in brackets after a composer's work: "Beethoven", "Vaughan Williams"."""
    leader = _GROUP.fullmatch(name)
    bare = _SUFFIX.sub("", leader[1] if leader else name.strip())
    doubled = _DOUBLE_LAST_NAME.search(bare)
    return doubled[1] if doubled else (bare.split() or [""])[-1]


def _turned(name: str) -> str:
    """The name with what stands before a comma last; a list of people, "Tyler, the Creator" and "Strauss, Jr." stay."""
    last, comma, rest = (part.strip() for part in name.partition(","))
    is_list = re.search(r"[,&;/+]|\band\b", rest) or re.match(r"the \w", rest) or re.search(r"&|\band\b", last)
    if not comma or not rest or is_list or _SUFFIX.fullmatch(f" {rest}"):
        return name.strip()
    suffix = _SUFFIX.search(rest)
    return f"{rest[: suffix.start()]} {last}{suffix[0]}" if suffix else f"{rest} {last}"


def _as_spelled(name: str) -> str:
    spaced = re.sub(r"\s+", " ", _INITIALS.sub(r"\1. ", name.replace("’", "'"))).strip()
    if spaced == spaced.lower():
        spaced = " ".join(
            word if i and word in {*PARTICLES, "and", "of", "the"} else _capitalised(word)
            for i, word in enumerate(spaced.split())
        )
    *first, last = re.sub("(?i) mendelssohn[ -]bartholdy$", " Mendelssohn", spaced).split(" ")
    return " ".join([*first, _SPELLINGS.get(fold(last), last)])


def _capitalised(word: str) -> str:
    return re.sub(r"(?:^|(?<=[-.']))\w", lambda m: m[0].upper(), word)
