"""What a wiki has answered, on disk: nothing that it answered is asked again.

One SQLite file that several processes may share. An answer is committed before anything is done with it, so that a killed
run loses none. Failures are never kept. The file must lie on a local disk: SQLite's write-ahead log does not work over NFS.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from amt_ray.config import WikipediaSettings
from amt_ray.errors import OutputError, WikiError, WorkspaceError
from amt_ray.wiki.answers import Outcome, complete, outcome, with_extract
from amt_ray.wiki.page import Page, PageSource

CACHE_VERSION = 1
BUSY_TIMEOUT_S = 30.0
"""How long one process waits for another's commit, which takes milliseconds."""

Kind = Literal["page", "extract", "search"]
S = TypeVar("S")
T = TypeVar("T")
Ask = Callable[[PageSource, list[S]], Awaitable[Outcome[T]]]

_TABLES = (
    """CREATE TABLE IF NOT EXISTS answers (
        wiki TEXT, kind TEXT, key BLOB, answered_at_s REAL NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (wiki, kind, key)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS refreshes (wiki TEXT PRIMARY KEY, began_at_s REAL NOT NULL)",
)
_KEYS_PER_SELECT = 500


class Cache:
    """The file. Raises `WorkspaceError` if it is damaged or something else, `OutputError` if it cannot be written."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Cache:
        """Return the cache, which is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def read(self, wiki: str, kind: Kind, keys: Iterable[str], since: datetime | None = None) -> dict[str, Any]:
        """Return what is known, by key, as JSON made of it. Answers from before `since` are not counted."""
        wanted, since_s = [_to_bytes(key) for key in keys], since.timestamp() if since else float("-inf")
        found: dict[str, Any] = {}
        with self._errors():
            for start in range(0, len(wanted), _KEYS_PER_SELECT):
                some = wanted[start : start + _KEYS_PER_SELECT]
                rows = self._db.execute(
                    "SELECT key, answer FROM answers WHERE wiki = ? AND kind = ? AND answered_at_s >= ?"
                    f" AND key IN ({','.join('?' * len(some))})",
                    (wiki, kind, since_s, *some),
                )
                found.update((key.decode("utf-8", "surrogatepass"), json.loads(answer)) for key, answer in rows)
        return found

    def write(self, wiki: str, kind: Kind, answers: Mapping[str, Any], at: datetime) -> None:
        """Keep answers (pages, and what JSON can hold) by key, and return when they are on disk."""
        rows = [
            (wiki, kind, _to_bytes(key), at.timestamp(), json.dumps(answer, default=asdict))
            for key, answer in answers.items()
        ]
        with self._errors(), self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", rows)

    def begin_refresh(self, wiki: str, now: datetime) -> datetime:
        """Return when the refresh began whose answers count: the one that was not ended, else a new one, `now`."""
        with self._errors(), self._transaction():
            self._db.execute("INSERT OR IGNORE INTO refreshes VALUES (?, ?)", (wiki, now.timestamp()))
            (began_at_s,) = self._db.execute("SELECT began_at_s FROM refreshes WHERE wiki = ?", (wiki,)).fetchone()
        return datetime.fromtimestamp(began_at_s, timezone.utc)

    def end_refresh(self, wiki: str) -> None:
        """Say that the refresh is complete: the next one begins anew."""
        with self._errors(), self._transaction():
            self._db.execute("DELETE FROM refreshes WHERE wiki = ?", (wiki,))

    def _prepare(self) -> None:
        with self._errors():
            self._db.execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                (n_tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if n_tables and version != CACHE_VERSION:
                    raise WorkspaceError(
                        str(self.path),
                        f"it is no cache of this version of amt_ray (it says {version}, wanted is {CACHE_VERSION})",
                        "name another file",
                    )
                for statement in _TABLES:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {CACHE_VERSION}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as exc:
            raise OutputError(str(self.path), str(exc)) from exc
        except (sqlite3.DatabaseError, ValueError) as exc:
            to_do = "delete it; what it held will be asked for again"
            raise WorkspaceError(str(self.path), f"the cache of the wiki's answers is damaged ({exc})", to_do) from exc


def _to_bytes(key: str) -> bytes:
    # names of files may hold half characters, which SQLite's text may not
    return key.encode("utf-8", "surrogatepass")


class Cached:
    """A `PageSource` that asks `source` only what the cache does not know; without a source it is offline.

    Answers from before `since` are not counted (see `Cache.begin_refresh`). What several callers want at the same time is
    asked for once. Besides `WikiError`, every method may raise what `Cache` raises.
    """

    def __init__(
        self,
        source: PageSource | None,
        cache: Cache,
        settings: WikipediaSettings,
        *,
        since: datetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._source, self._cache, self._settings, self._since, self._now = source, cache, settings, since, now
        self._asking: dict[tuple[Kind, str], asyncio.Task[dict[str, WikiError]]] = {}

    async def pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        """Return for each title the page that it leads to, without extract, or None if there is none."""

        async def ask(source: PageSource, some: list[str]) -> Outcome[Page | None]:
            return await outcome(source.pages(some), some)

        wanted = {title: title for title in titles}
        found, failures = await self._answers("page", wanted, self._settings.titles_per_request, ask)
        return complete({title: None if entry is None else _page(entry) for title, entry in found.items()}, failures)

    async def extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        """Return the pages with their extracts, by title; a page that is no more is left out."""

        async def ask(source: PageSource, some: list[Page]) -> Outcome[Page | None]:
            read, failures = await outcome(source.extracts(some), [page.title for page in some])
            answers = {_key(page): read.get(page.title) for page in some if page.title not in failures}
            return answers, {_key(page): failures[page.title] for page in some if page.title in failures}

        wanted = {_key(page): page for page in pages}
        found, failures = await self._answers("extract", wanted, self._settings.extracts_per_request, ask)
        read = [(wanted[key], _page(entry)) for key, entry in found.items() if entry is not None]
        return complete(
            {page.title: with_extract(page, text) for page, text in read},
            {wanted[key].title: failure for key, failure in failures.items()},
        )

    async def search(self, query: str) -> Sequence[Page]:
        """Return the pages that the wiki's full-text search finds, best first, with extracts."""

        async def ask(source: PageSource, some: list[str]) -> Outcome[Sequence[Page]]:
            try:
                return {query: list(await source.search(query))}, {}
            except WikiError as exc:
                return {}, {query: exc}

        found, failures = await self._answers("search", {query: query}, 1, ask)
        return [_page(entry) for entry in complete(found, failures)[query]]

    async def _answers(self, kind: Kind, wanted: Mapping[str, S], size: int, ask: Ask[S, T]) -> Outcome[Any]:
        """Return what the cache has on `wanted`, by key, after having asked for what it lacked, `size` at a time."""
        known = self._read(kind, wanted)
        lacking = [key for key in wanted if key not in known]
        if self._source is None:
            return known, {key: WikiError("offline", f"the cache does not know {key!r}") for key in lacking}
        new = [key for key in lacking if (kind, key) not in self._asking]
        for start in range(0, len(new), size):
            some = {key: wanted[key] for key in new[start : start + size]}
            task = asyncio.create_task(self._fetch(kind, some, ask, self._source))
            self._asking.update(dict.fromkeys(((kind, key) for key in some), task))
        tasks = {self._asking[kind, key] for key in lacking}
        failures: dict[str, WikiError] = {}
        if tasks:
            # a caller that is cancelled leaves the request to those who wait for it too
            await asyncio.wait(tasks)
            for task in tasks:
                failures.update(task.result())
            known |= self._read(kind, lacking)
        return known, {key: failures[key] for key in lacking if key in failures}

    async def _fetch(self, kind: Kind, some: Mapping[str, S], ask: Ask[S, T], source: PageSource) -> dict[str, WikiError]:
        """Ask for some things, keep the answers and return the failures."""
        try:
            answers, failures = await ask(source, list(some.values()))
            at = max(self._now(), self._since) if self._since else self._now()
            self._cache.write(self._settings.api_url, kind, answers, at)
            return failures
        finally:
            for key in some:
                del self._asking[kind, key]

    def _read(self, kind: Kind, keys: Iterable[str]) -> dict[str, Any]:
        return self._cache.read(self._settings.api_url, kind, keys, self._since)


def _key(page: Page) -> str:
    return f"{page.page_id} {page.revision_id} {page.title}"


def _page(entry: Mapping[str, Any]) -> Page:
    return Page(**{**entry, "redirected_from": tuple(entry["redirected_from"])})
