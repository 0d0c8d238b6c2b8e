"""Songs to their articles in few requests: all songs take each step together, so that requests are full.

    the likeliest titles ─▶ the other titles ─▶ the artist's titles ─▶ a search, where it may find something
    all songs               those still without an article …

Pages are read only where their title may be right. What cannot be got is the failure of the songs that need it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from amt_ray.errors import WikiError
from amt_ray.wiki.answers import outcome, with_extract
from amt_ray.wiki.match import choose, is_worth_reading, is_worth_searching
from amt_ray.wiki.page import Match, Page, PageSource, Reason, Song
from amt_ray.wiki.titles import artist_titles, plausible_titles, search_query, shown_query

N_LIKELIEST = 3
"""Titles of the first step: most songs that have an article have it under one of them."""

Pages = dict[tuple[str, tuple[str, ...]], Page]
"""By title and the redirect that led there: a redirect's name may be what speaks for the page."""


@dataclass
class _Case:
    """What is known of one song."""

    song: Song
    pages: Pages = field(default_factory=dict)
    artist_pages: Pages = field(default_factory=dict)
    failure: WikiError | None = None

    def match(self) -> Match:
        if self.failure is None:
            return choose(self.song, list(self.pages.values()), list(self.artist_pages.values()))
        reason = cast(Reason, self.failure.reason)
        n_results = len({page.title for page in (*self.pages.values(), *self.artist_pages.values())})
        return Match("failed", reason, None, 0.0, (), shown_query(self.song), n_results)


async def look_up(songs: Sequence[Song], source: PageSource) -> list[Match]:
    """Return each song's match, in order; equal songs are looked up once.

    No `WikiError` is raised: a song that needs what could not be got has the status "failed" and the error's reason.
    """
    cases = {song: _Case(song) for song in songs}
    left = list(cases.values())
    for titles in (slice(N_LIKELIEST), slice(N_LIKELIEST, None)):
        wanted = [(case, plausible_titles(case.song)[titles]) for case in left]
        await _find(wanted, source, lambda case: case.pages)
        left = _without_article(left)
    await _find([(case, artist_titles(case.song.artist)) for case in left], source, lambda case: case.artist_pages)
    await _search(_without_article(left), source)
    return [cases[song].match() for song in songs]


def _without_article(cases: Iterable[_Case]) -> list[_Case]:
    return [case for case in cases if case.match().status in ("none", "artist")]


async def _find(wanted: Sequence[tuple[_Case, Sequence[str]]], source: PageSource, shelf: Callable[[_Case], Pages]) -> None:
    """Put the pages that titles lead to on each case's shelf, and read those that are worth it."""
    titles = list(dict.fromkeys(title for _, some in wanted for title in some))
    if not titles:
        return
    found, failures = await outcome(source.pages(titles), titles)
    for case, some in wanted:
        for title in some:
            case.failure = case.failure or failures.get(title)
            _shelve(shelf(case), [found.get(title)])
    await _read((case for case, _ in wanted), source, shelf)


async def _read(cases: Iterable[_Case], source: PageSource, shelf: Callable[[_Case], Pages]) -> None:
    """Give the pages on the cases' shelves that are worth reading their extracts; what is no more is taken down."""
    unread = [
        (case, way, page)
        for case in cases
        for way, page in shelf(case).items()
        if page.extract is None and is_worth_reading(case.song, page)
    ]
    by_title = {page.title: page for *_, page in unread}
    if not unread:
        return
    read, failures = await outcome(source.extracts(list(by_title.values())), by_title)
    for case, way, page in unread:
        case.failure = case.failure or failures.get(page.title)
        if page.title in read:
            shelf(case)[way] = with_extract(page, read[page.title])
        elif page.title not in failures:
            del shelf(case)[way]


async def _search(cases: Sequence[_Case], source: PageSource) -> None:
    """Put what the wiki's search finds on the shelves of those cases for which a search is worth its request."""
    cases = [case for case in cases if is_worth_searching(case.song, list(case.pages.values()))]
    queries = {case.song: search_query(case.song) for case in cases}
    asked = [query for query in dict.fromkeys(queries.values()) if query]
    results = dict(zip(asked, await asyncio.gather(*(_results(query, source) for query in asked)), strict=True))
    for case in cases:
        found = results.get(queries[case.song], [])
        if isinstance(found, WikiError):
            case.failure = found
        else:
            _shelve(case.pages, found)
    await _read(cases, source, lambda case: case.pages)


async def _results(query: str, source: PageSource) -> Sequence[Page] | WikiError:
    try:
        return await source.search(query)
    except WikiError as exc:
        return exc


def _shelve(shelf: Pages, pages: Iterable[Page | None]) -> None:
    for page in pages:
        if page is not None:
            way = page.title, page.redirected_from
            shelf[way] = page if way not in shelf or shelf[way].extract is None else shelf[way]
