"""The pages that were gathered from a dump, as a wiki that can be asked; and the titles that they are gathered by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from amt_ray.wiki.names import fold
from amt_ray.wiki.page import Page
from amt_ray.wiki.replies import askable

MAX_REDIRECTS = 4
_MAX_RESULTS = 10
_MIN_LIKENESS = 60
"""Of 100, by rapidfuzz's token_sort_ratio: "abba dancing queen song" and "dancing queen" reach 72."""
_MAX_SHARING = 5000
"""Titles that a search compares; words that more of them have, as "the", are passed over."""


def folded(title: str) -> str:
    """Fold a title for comparison; one of signs alone, as "÷", stays as it is."""
    return fold(title) or title.strip().casefold()


class TitleSet:
    """Folded titles as sorted 64-bit hashes: 8 bytes each, and Ray's workers read one copy. Any spelling may be asked for.

    Of a million titles and 20 million pages, fewer than one in 100,000 sets finds a title in it by chance.
    """

    def __init__(self, hashes: np.ndarray) -> None:
        self.hashes = hashes

    @classmethod
    def of(cls, titles: Iterable[str]) -> TitleSet:
        """Make the set of some titles."""
        return cls(np.unique(np.fromiter(map(_hash, titles), np.uint64)))

    def __contains__(self, title: object) -> bool:
        """Tell whether a title, or one that differs in case, diacritics or punctuation, is in the set."""
        hashed = np.uint64(_hash(str(title)))
        place = int(self.hashes.searchsorted(hashed))
        return place < len(self.hashes) and bool(self.hashes[place] == hashed)

    def __len__(self) -> int:
        """Return how many titles it has."""
        return len(self.hashes)

    @property
    def digest(self) -> str:
        """Return what tells this set from others, the same on every machine."""
        return hashlib.sha256(self.hashes.astype("<u8").tobytes()).hexdigest()


class DumpSource:
    """A `PageSource` over rows of `amt_ray.wiki.dump.KEPT`, which stay in Arrow.

    A title is looked for as it is written, its first letter capitalised as MediaWiki does; else by its folded form, where
    articles come before lists of meanings, these before redirects, and old pages before new ones. `fetched_at` is the day
    of the dump, "" if it is not known. Nothing here raises.
    """

    def __init__(self, rows: pa.Table, fetched_at: str = "") -> None:
        self.rows, self.fetched_at = rows, fetched_at
        columns = [rows[name].to_pylist() for name in ("title", "page_id", "redirect", "is_disambiguation")]
        self._row_of = {title: row for row, title in enumerate(columns[0])}
        ranked = sorted(zip(columns[2], columns[3], columns[1], columns[0], strict=True), key=lambda c: (bool(c[0]), *c[1:]))
        self._title_of: dict[str, str] = {}
        for *_, title in ranked:
            self._title_of.setdefault(folded(title), title)

    def __reduce__(self) -> tuple[Callable[..., DumpSource], tuple[pa.Table, str]]:
        """Pickle the rows alone: the indexes are made again faster than they travel."""
        return DumpSource, (self.rows, self.fetched_at)

    def __len__(self) -> int:
        """Return how many pages there are, redirects included."""
        return len(self._row_of)

    async def pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        """Return for each title the page that it leads to, without extract, or None if there is none."""
        return {title: self._page_of(title) for title in titles}

    async def extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        """Return those of the pages that are in the dump with their extracts, by title."""
        rows = {page: self._row_of.get(page.title) for page in pages}
        return {
            page.title: replace(page, extract=self._cell(row, "extract")) for page, row in rows.items() if row is not None
        }

    async def search(self, query: str) -> Sequence[Page]:
        """Return the gathered pages whose titles are most like the query, best first, with extracts; often none.

        A dump has no index of its texts. Only titles that share the query's rarest words are compared.
        """
        found = [self._page_of(title) for title in self._like(folded(query))]
        return list((await self.extracts([page for page in found if page is not None])).values())

    def _page_of(self, asked: str) -> Page | None:
        row, fragment, passed = self._find(asked), "", 0
        while row is not None and (target := self._cell(row, "redirect")):
            passed += 1
            if passed > MAX_REDIRECTS:
                return None
            fragment = self._cell(row, "fragment") or fragment
            row = self._row_of.get(_capitalised(target))
        if row is None:
            return None
        return Page(
            title=self._cell(row, "title"),
            page_id=self._cell(row, "page_id"),
            revision_id=self._cell(row, "revision_id"),
            url=self._cell(row, "url"),
            is_disambiguation=self._cell(row, "is_disambiguation"),
            redirected_from=(asked,) if passed else (),
            fragment=fragment,
            fetched_at=self.fetched_at,
        )

    def _find(self, asked: str) -> int | None:
        title = _capitalised(askable(asked) or "")
        return self._row_of.get(title if title in self._row_of else self._title_of.get(folded(asked), ""))

    def _cell(self, row: int, column: str) -> Any:
        return self.rows[column][row].as_py()

    def _like(self, query: str) -> Iterator[str]:
        by_rarity = sorted({word: self._titles_with.get(word, []) for word in query.split()}.values(), key=len)
        sharing: dict[str, None] = {}
        for titles in by_rarity:
            if len(sharing) + len(titles) <= _MAX_SHARING:
                sharing.update(dict.fromkeys(titles))
        alike = process.extract(
            query, list(sharing), scorer=fuzz.token_sort_ratio, score_cutoff=_MIN_LIKENESS, limit=_MAX_RESULTS
        )
        return (self._title_of[title] for title, _, _ in alike)

    @cached_property
    def _titles_with(self) -> Mapping[str, list[str]]:
        """Folded titles by each of their words."""
        titles: dict[str, list[str]] = {}
        for title in self._title_of:
            for word in set(title.split()):
                titles.setdefault(word, []).append(title)
        return titles


def missing_targets(rows: pa.Table) -> set[str]:
    """Return the titles that redirects lead to and that are not among the rows."""
    targets = {_capitalised(target) for target in rows["redirect"].to_pylist() if target}
    return targets.difference(rows["title"].to_pylist())


def _hash(title: str) -> int:
    return int.from_bytes(hashlib.blake2b(folded(title).encode(errors="surrogatepass"), digest_size=8).digest(), "little")


def _capitalised(title: str) -> str:
    """As MediaWiki stores titles; a letter whose capital is two, as ß, stays."""
    first = title[:1].upper()
    return first + title[1:] if len(first) == 1 else title
