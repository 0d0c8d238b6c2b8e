"""Titles that English Wikipedia would give to a song's article, and queries for its search.

https://en.wikipedia.org/wiki/Wikipedia:Naming_conventions_(music): "Waterloo (ABBA song)", "Symphony No. 5 (Beethoven)".
Titles are case-sensitive after the first letter. Asking costs a fiftieth of a request a title, searching a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from amt_ray.wiki.names import artist_names, is_unnamed, last_name
from amt_ray.wiki.page import Song
from amt_ray.wiki.readings import attributed, readings, respellings, without_brackets
from amt_ray.wiki.works import Work, name_of_work, parse_work, work_titles

MAX_TITLES = 7
"""That are asked for a song; most get three or four."""

_LINK = re.compile(r" (?:&|and) ")
_WORD = re.compile(r"[^\W_]+(?:[-'.][^\W_]+)*")


def plausible_titles(song: Song) -> list[str]:
    """Return the titles that the song's article may have, likeliest first, at most `MAX_TITLES`; [] for no title."""
    song = attributed(song)
    names = artist_names(song.artist)
    called = readings(song.title)
    if not called:
        return []
    work = parse_work(called[0])
    shorter = [reading for reading in called[1:3] if not parse_work(reading).is_identified]
    others = [title for reading in shorter for title in (reading, *(f"{reading} ({last})" for last in _last_names(names)))]
    if work.form and work.is_identified and names:
        last = last_name(names[0])
        return _askable([*work_titles(work, last), *_spelled_out(work, called[0], last), *others])
    name = name_of_work(called[0]) if work.is_identified else called[0]
    numbered = [work.catalogue_title] if work.catalogue else []
    return _askable([*numbered, *_qualified(name, song.artist, names), *others, *respellings(song.title, name)])


def artist_titles(artist: str) -> list[str]:
    """Return the titles that the artist's article may have, likeliest first; [] for "Traditional" and other nobodies."""
    names = artist_names(artist)
    if not names:
        return []
    bare = _without_the(names[0])
    if bare != names[0]:
        titles = [names[0], bare, f"{bare} (band)"]
    elif _LINK.search(bare):
        titles = [bare]
    elif " " in bare:
        titles = [bare, f"{bare} (composer)", f"{bare} (musician)"]
    else:
        titles = [bare, f"{bare} (band)", f"{bare} (musician)", f"{bare} (singer)", f"The {bare}"]
    return _askable([*titles, *names[1:3]])


def search_query(song: Song) -> str:
    """Return the words to search for: few, as a plain MediaWiki finds only pages that have them all.

    "" without a title, or without an artist: what is found could not be told from its namesakes.
    """
    song = attributed(song)
    names, called = artist_names(song.artist), readings(song.title)
    if not called or not names:
        return ""
    work = parse_work(called[0])
    name = names[0]
    if work.is_identified:
        number = work.catalogue_title or re.split(r"[:;(\[]", called[0])[0]
        return " ".join(_WORD.findall(f"{last_name(name)} {number}"))
    return " ".join(_WORD.findall(f"{name} {without_brackets(called[0])}"))


def shown_query(song: Song) -> str:
    """Return the query as a person would have typed it: `ABBA Dancing Queen (song)`."""
    return " ".join(f"{song.artist} {song.title} (song)".split())


def _qualified(title: str, artist: str, names: list[str]) -> list[str]:
    """The title with and without those who might stand in brackets after it; the three likeliest first."""
    if title.endswith(")") and names:
        return [title, *_qualified(without_brackets(title), artist, names)] if without_brackets(title) != title else [title]
    if not names:
        return [title, f"{title} (song)", *([f"{title} (folk song)"] if is_unnamed(artist) else [])]
    bare = _without_the(names[0])
    titles = [f"{title} ({bare} song)", f"{title} (song)", title]
    if bare != names[0]:
        return [*titles, f"{title} ({names[0]} song)"]
    return [*titles, *(f"{title} ({last})" for last in _last_names(names))]


def _last_names(names: list[str]) -> list[str]:
    """What stands in brackets after a composer's works, if the artist is one person."""
    is_person = bool(names) and " " in names[0] and _without_the(names[0]) == names[0] and not _LINK.search(names[0])
    return [last_name(names[0])] if is_person else []


def _spelled_out(work: Work, called: str, last: str) -> list[str]:
    """The work's title as it is, where no number of its form stands for it."""
    if work.number is not None:
        return []
    return [called] if work.catalogue else [called, f"{called} ({last})"]


def _without_the(name: str) -> str:
    return re.sub(r"^the (?=\S)", "", name, flags=re.IGNORECASE)


def _askable(titles: Iterable[str]) -> list[str]:
    """The first titles, each once, without the characters that no title of MediaWiki has."""
    clean = (" ".join(re.sub(r"[#<>\[\]{}|_\x00-\x1f\x7f]", " ", title).split()) for title in titles)
    return list(dict.fromkeys(title for title in clean if title))[:MAX_TITLES]
