"""Whose music a file is, by its path: clean titles, artists and genres.

The rule: `…/Genre/Artist/Title.mid`, `Artist/Title.mid`, or, with no folder, `Artist - Title.mid`. The last two folders
count; the name of an archive is not a folder. What the path does not tell is "".
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from amt_ray.midi.scan import ARCHIVE_SUFFIX

_SMALL_WORDS = "a an and as at but by for from in into nor of on or the to with de la le du der die das und"
_COPY = re.compile(r"(?i)\s*(?:\(\d{1,2}\)|- copy|(?<=[^\W\d]{3})\.\d{1,2})$")
_NUMBER_AFTER_UNDERSCORE = re.compile(r"(?i)(?<=[^\W\d])(?<!\bno|\bop|\bnr) \d$")
_TRACK_NUMBER = re.compile(r"^\d{1,3}[ _]*[.)\]-][ _]+(?=\D)|^0\d[ _]+(?=\D)")
_DASH = re.compile(r"[ _]+-[ _]+")
_TRAILING_ARTICLE = re.compile(r"^(.+), (The|A|An|Les|La|Le|Die|Der|Das|Los|El)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"(?i)[0-9a-f]{8,}|[\d\W_]+|"
    r"(?:untitled|unknown|unbenannt|no ?name|new|track|song|midi|music|file|output|test|sequence)[\W_]*\d*"
)


def describe_path(path: str) -> tuple[str, str, str]:
    """Return (artist, title, genre) from a path relative to the library, by the rule at the top of this module."""
    parts = PurePosixPath(path)
    folders = [part for part in parts.parts[:-1] if not part.lower().endswith(ARCHIVE_SUFFIX)]
    genre = _words(folders[-2]).replace("-", " ") if len(folders) > 1 else ""
    if not folders and len(halves := _DASH.split(_TRACK_NUMBER.sub("", parts.stem), maxsplit=1)) == 2:
        return clean_name(halves[0]), clean_title(halves[1]), ""
    return clean_name(folders[-1]) if folders else "", clean_title(parts.stem), genre


def clean_title(stem: str) -> str:
    """Turn a file's name into a title: `dancing_queen_2` is "Dancing Queen", `01 - Waterloo` is "Waterloo".

    A copy's number is cut off where it can be told from the title's own: after an underscore or in brackets.
    """
    words = _COPY.sub("", _words(stem))
    if "_" in stem:
        words = _NUMBER_AFTER_UNDERSCORE.sub("", words)
    return clean_name(_TRACK_NUMBER.sub("", words)) or words


def clean_name(name: str) -> str:
    """Spaces for underscores, capitals for names written without or all in them, "Beatles, The" as "The Beatles"."""
    words = _words(name)
    if "," in words:
        words = _TRAILING_ARTICLE.sub(r"\2 \1", words)
    if " " not in words:
        words = re.sub(r"(?<=[a-z]{2})(?<!^Mac)(?=[A-Z][a-z])", " ", words)
        words = _words(words.replace("-", " ")) if words.islower() else words
    is_shouted = words.isupper() and sum(map(str.isalpha, words)) > 4
    return _capitalised(words.lower()) if is_shouted or words.islower() else words


def is_placeholder(title: str) -> bool:
    """Whether a title names nothing: a number, a hash, "Track 01", "untitled"."""
    return not title or _PLACEHOLDER.fullmatch(title) is not None


def _words(name: str) -> str:
    return re.sub(r"\s+", " ", name.replace("_", " ")).strip()


def _capitalised(words: str) -> str:
    first, *others = words.split(" ")
    is_small = _SMALL_WORDS.split().__contains__
    return " ".join([first[:1].upper() + first[1:], *(w if is_small(w) else w[:1].upper() + w[1:] for w in others)])
