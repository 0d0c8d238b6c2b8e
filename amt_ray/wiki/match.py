"""Which page belongs to a song, how surely, and what to name where no page does. Pure; wrong pages are worse than none.

The confidence is the product of three respects (`evidence`), each 0..1: the title is the song's, the page is about a work of
music, and it names the artist. A page below the threshold is not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from amt_ray.wiki.evidence import evidence, same_name, split_title
from amt_ray.wiki.leads import is_musician, subject_of
from amt_ray.wiki.names import artist_names
from amt_ray.wiki.page import Candidate, Match, Page, Reason, Song
from amt_ray.wiki.readings import attributed, readings
from amt_ray.wiki.titles import shown_query
from amt_ray.wiki.works import parse_work

THRESHOLD = 0.6
"""Confidence from which a page is named: what one weak respect leaves (0.7, a bare last name) and two do not."""
MAX_CANDIDATES = 5
_WORTH_READING = 0.3
_MUSICIANS = frozenset(
    ["band", "composer", "duo", "entertainer", "group", "guitarist", "musician", "pianist", "rapper", "singer", "trio"]
)


def confidence(song: Song, page: Page) -> float:
    """Return how surely the page is the song's article, 0..1; provisional while its extract is None.

    0 for a disambiguation page, for another number of the same kind, and for an article on anything but music.
    """
    found = evidence(song, page)
    return found.title * found.subject * found.artist


def artist_confidence(song: Song, page: Page) -> float:
    """Return how surely the page is the article of the song's artist, 0..1; provisional while its extract is None."""
    if page.is_disambiguation or page.fragment:
        return 0.0
    names = artist_names(attributed(song).artist)
    titles = [split_title(title) for title in (page.title, *page.redirected_from)]
    is_qualified = any(qualifier and qualifier.split()[-1] not in _MUSICIANS for _, qualifier in titles[:1])
    likeness = max((same_name(name, base) * 0.95**i for i, name in enumerate(names) for base, _ in titles), default=0.0)
    if is_qualified or not likeness:
        return 0.0
    if page.extract is None:
        return likeness * 0.7
    return likeness if subject_of(page.extract) == "artist" or is_musician(page.extract) else 0.0


def is_worth_reading(song: Song, page: Page) -> bool:
    """Tell whether a page without extract may still prove to be the song's article or its artist's."""
    return confidence(song, page) >= _WORTH_READING or artist_confidence(song, page) >= _WORTH_READING


def is_worth_searching(song: Song, pages: Sequence[Page]) -> bool:
    """Tell whether a search, which costs a request of its own, may find what no title has: `pages` exist by the titles.

    Where the plain title leads nowhere there is seldom an article; where it leads to something else there may be one.
    """
    song = attributed(song)
    called = readings(song.title)
    if not called or not artist_names(song.artist):
        return False
    return bool(pages) or parse_work(called[0]).is_identified or song.title == song.title.lower()


def choose(song: Song, pages: Sequence[Page], artist_pages: Sequence[Page], threshold: float = THRESHOLD) -> Match:
    """Return the best page for the song; else its artist's article; else none, with a reason.

    `pages` were found by the song's titles or by search, `artist_pages` by the artist's; a page may come more than once,
    by different redirects. Pages need their extracts to be judged well. Artists may be known by the names that redirect
    to their article ("Clara Wieck").
    """
    ranked = _ranked(song, pages, artist_pages, threshold)
    artists = sorted(((artist_confidence(song, page), page) for page in artist_pages), key=lambda pair: -pair[0])
    n_results = len({page.title for page in (*pages, *artist_pages)})
    candidates = tuple(Candidate(page.title, round(value, 4)) for value, page in ranked[:MAX_CANDIDATES])
    base = Match("none", _reason(song, ranked), None, 0.0, candidates, shown_query(song), n_results)
    if ranked and ranked[0][0] >= threshold and ranked[0][1].extract is not None:
        return replace(base, status="song", reason="", page=ranked[0][1], confidence=ranked[0][0])
    if artists and artists[0][0] >= threshold and artists[0][1].extract is not None:
        return replace(base, status="artist", page=artists[0][1], confidence=artists[0][0])
    return base


def _ranked(song: Song, pages: Sequence[Page], artist_pages: Sequence[Page], threshold: float) -> list[tuple[float, Page]]:
    """The pages, each once, with their confidence, best first."""
    known = attributed(song)
    aliases = [
        Song(split_title(page.title)[0], known.title)
        for page in artist_pages
        if page.redirected_from and artist_confidence(song, page) >= threshold
    ]
    best: dict[str, tuple[float, Page]] = {}
    for page in pages:
        value = max(confidence(alias, page) for alias in (known, *aliases))
        if page.title not in best or value > best[page.title][0]:
            best[page.title] = (value, page)
    return sorted(best.values(), key=lambda pair: -pair[0])


def _reason(song: Song, ranked: list[tuple[float, Page]]) -> Reason:
    if not readings(attributed(song).title):
        return "no_title"
    return "low_confidence" if ranked else "no_page"
