"""The labelled songs, and the little wiki that they are asked against, as a `PageSource` in memory."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from amt_ray.wiki.names import fold
from amt_ray.wiki.page import Page, Song

FOLDER = Path(__file__).parent / "labelled"
TITLES_A_REQUEST, EXTRACTS_A_REQUEST, RESULTS_A_SEARCH = 50, 20, 10
MAX_HOPS = 3
DEVELOPMENT, HELD_OUT = "development", "held_out"


@dataclass(frozen=True)
class Labelled:
    """A song and the title of its article; "" where there is none. `artist_page` is "" where nobody has looked."""

    song: Song
    page: str
    kind: str
    part: str
    artist_page: str


def read_songs(path: Path = FOLDER / "songs.csv") -> list[Labelled]:
    """Read a list of labelled songs; the columns `part` and `artist_page` may be missing."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_labelled(row) for row in csv.DictReader(file)]


def _labelled(row: Mapping[str, str]) -> Labelled:
    page, artist_page = row["page"], row.get("artist_page") or ""
    if row["kind"] == "artist_only" and page and not artist_page:
        page, artist_page = "", page
    return Labelled(Song(row["artist"], row["title"]), page, row["kind"], row.get("part") or HELD_OUT, artist_page)


class LabelledWiki:
    """Pages by title, with MediaWiki's rules: first letters are capital, redirects are followed, their sections kept.

    The search is crude: pages that share the most words with the query, wherever they stand; it often finds wrong ones.
    `n_requests` counts what the same calls would have cost at a real wiki.
    """

    def __init__(self, path: Path = FOLDER / "pages.jsonl") -> None:
        with path.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.rows = {row["title"]: row for row in rows}
        self.numbers = {row["title"]: i for i, row in enumerate(rows, start=1)}
        self.titles_by_word: dict[str, set[str]] = {}
        for row in rows:
            for word in _words(f"{row['title']} {row['text']}") if not row.get("redirect_to") else ():
                self.titles_by_word.setdefault(word, set()).add(row["title"])
        self.n_requests = 0

    async def pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        self.n_requests += -(-len(titles) // TITLES_A_REQUEST)
        return {title: self._page(title) for title in titles}

    async def extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        self.n_requests += -(-len(pages) // EXTRACTS_A_REQUEST)
        return {page.title: replace(page, extract=self.rows[page.title]["text"]) for page in pages}

    async def search(self, query: str) -> Sequence[Page]:
        self.n_requests += 1
        hits = Counter(title for word in _words(query) for title in self.titles_by_word.get(word, ()))
        best = sorted(hits, key=lambda title: (-hits[title] - _share(query, title), title))[:RESULTS_A_SEARCH]
        return [replace(page, extract=self.rows[title]["text"]) for title in best if (page := self._page(title))]

    def _page(self, title: str) -> Page | None:
        name, fragment = " ".join(title.replace("_", " ").split()), ""
        name = name[:1].upper() + name[1:]
        redirected_from: tuple[str, ...] = ()
        for _ in range(MAX_HOPS):
            row = self.rows.get(name)
            if row is None:
                return None
            if not row.get("redirect_to"):
                number = self.numbers[name]
                url = f"https://wiki.example/wiki/{name.replace(' ', '_')}"
                return Page(name, number, number, url, bool(row["is_disambiguation"]), redirected_from, fragment)
            redirected_from = (title,)
            name, _, fragment = row["redirect_to"].partition("#")
        return None


def _words(text: str) -> set[str]:
    return set(fold(text).split())


def _share(query: str, title: str) -> float:
    """The share of a title's words that a query has; below 1, so that it only parts equals."""
    words = _words(title)
    return 0.9 * len(words & _words(query)) / max(1, len(words))


def robust_variants(songs: Sequence[Labelled]) -> Iterator[tuple[str, list[Labelled]]]:
    """Yield the songs as sloppier lists write them, each way with its name."""
    yield "artist without diacritics", [_with(row, artist=_ascii(row.song.artist)) for row in songs]
    yield "title in lower case", [_with(row, title=row.song.title.lower()) for row in songs]
    yield "title with underscores", [_with(row, title=row.song.title.replace(" ", "_")) for row in songs]
    yield "no artist", [_with(row, artist="") for row in songs]


def _with(row: Labelled, artist: str | None = None, title: str | None = None) -> Labelled:
    song = Song(row.song.artist if artist is None else artist, row.song.title if title is None else title)
    return replace(row, song=song)


def _ascii(text: str) -> str:
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
