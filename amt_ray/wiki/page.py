"""What is asked and what is answered: songs, pages, matches, and where pages come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

LICENCE = "CC BY-SA 4.0"
"""Of Wikipedia's text; page, address and revision are the attribution that it asks for."""

Status = Literal["song", "artist", "none", "failed"]
"""An article on the song; on its artist, for want of better; no article; or the answer could not be got."""

Reason = Literal[
    "",
    "no_title",
    "no_page",
    "low_confidence",
    "offline",
    "rate_limited",
    "server_error",
    "bad_reply",
    "connection",
    "timeout",
    "refused",
]
"""Why a status is not "song"; "" where it is."""


@dataclass(frozen=True)
class Song:
    """Whose article is wanted; `artist` may be ""."""

    artist: str
    title: str


@dataclass(frozen=True)
class Page:
    """One page of a wiki, redirects resolved.

    `redirected_from` holds the titles that were asked for and led here; `fragment` is the section that the redirect
    named, "" if none. `extract` is the plain text of the lead, None while it has not been asked for.
    """

    title: str
    page_id: int
    revision_id: int
    url: str
    is_disambiguation: bool = False
    redirected_from: tuple[str, ...] = ()
    fragment: str = ""
    extract: str | None = None
    fetched_at: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True)
class Candidate:
    """A page that was considered, with its confidence 0..1."""

    title: str
    confidence: float


@dataclass(frozen=True)
class Match:
    """What was found for a song."""

    status: Status
    reason: Reason
    page: Page | None
    """With its extract; None for "none" and "failed"."""
    confidence: float
    candidates: tuple[Candidate, ...]
    """Best first."""
    query: str
    """As a person would have typed it: `ABBA Dancing Queen (song)`."""
    n_results: int
    """Pages that exist among those asked for and found."""


class PageSource(Protocol):
    """A wiki: its API or a dump of it. Every method may raise `WikiError`."""

    async def pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        """Return for each title the page that it leads to, without extract, or None if there is none."""

    async def extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        """Return the pages with their extracts, by title."""

    async def search(self, query: str) -> Sequence[Page]:
        """Return the pages that the wiki's full-text search finds, best first, with extracts."""
