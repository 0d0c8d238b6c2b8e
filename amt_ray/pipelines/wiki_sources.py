"""Where articles come from: a wiki's API behind its cache, or a dump that was read beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import pyarrow.fs as pafs

from amt_ray.artifacts import Workspace, fingerprint
from amt_ray.config import CollectSettings
from amt_ray.pipelines.dump import dump_source, wanted_titles
from amt_ray.pipelines.progress import Progress
from amt_ray.wiki.cache import Cache, Cached
from amt_ray.wiki.client import MediaWiki, WikiStatistics
from amt_ray.wiki.dump_files import dump_files
from amt_ray.wiki.dump_source import DumpSource
from amt_ray.wiki.page import PageSource, Song

CACHE_FILE = "wikipedia.sqlite"
NOTHING_ASKED = WikiStatistics(0, 0, 0.0, {})


class WikiSource(Protocol):
    """Made by the driver, carried to the actor, opened there."""

    identity: str
    """Of which wiki, or which dump."""
    has_one_asker: bool
    """Whether only one process may ask it."""
    is_refresh: bool
    """Whether what is known is to be asked for again."""

    def prepare(self, songs: Sequence[Song]) -> None:
        """Get ready, in the driver, to be asked for these songs."""

    async def open(self) -> PageSource:
        """Return what songs are looked up in; the same each time."""

    def statistics(self) -> WikiStatistics:
        """What was asked since it was opened."""

    def done(self) -> None:
        """Take note, in the driver, that all songs are looked up."""


class Api:
    """The API of a wiki, asked only for what the cache does not know."""

    has_one_asker = True

    def __init__(self, settings: CollectSettings, cache: Path) -> None:
        self.settings, self.cache = settings, cache
        self.identity = settings.wikipedia.api_url
        self.is_refresh = settings.refresh
        self.client: MediaWiki | None = None
        self.source: Cached | None = None

    def prepare(self, songs: Sequence[Song]) -> None:
        """Make the cache. Raises WorkspaceError for a damaged one, OutputError where it cannot be."""
        Cache(self.cache).close()

    async def open(self) -> PageSource:
        """Connect; what a refresh that was killed has asked already counts."""
        if self.source is None:
            wikipedia, cache = self.settings.wikipedia, Cache(self.cache)
            if not self.settings.offline:
                self.client = await MediaWiki(wikipedia).__aenter__()
            now = datetime.now(timezone.utc)
            since = cache.begin_refresh(wikipedia.api_url, now) if self.settings.refresh else None
            self.source = Cached(self.client, cache, wikipedia, since=since)
        return self.source

    def statistics(self) -> WikiStatistics:
        """Requests of this client."""
        return self.client.statistics if self.client else NOTHING_ASKED

    def done(self) -> None:
        """End the refresh, if this was one."""
        if self.settings.refresh:
            with Cache(self.cache) as cache:
                cache.end_refresh(self.settings.wikipedia.api_url)


class Dump:
    """A dump of a wiki, of which the pages that may be needed are read into memory."""

    has_one_asker, is_refresh = False, False

    def __init__(self, path: str, place: Workspace, progress: Progress) -> None:
        self.path, self.place, self.progress = path, place, progress
        self.identity = fingerprint([asdict(file) for file in dump_files(path)[1]])
        self.source: DumpSource | None = None

    def prepare(self, songs: Sequence[Song]) -> None:
        """Read the dump. Raises LibraryError for one that is damaged."""
        self.source = dump_source(self.path, wanted_titles(songs), self.place, self.progress)

    def __getstate__(self) -> dict[str, object]:
        """Leave what belongs to the driver there."""
        return {"identity": self.identity, "source": self.source}

    async def open(self) -> PageSource:
        """Return the pages."""
        if self.source is None:
            raise RuntimeError("prepare() comes first")
        return self.source

    def statistics(self) -> WikiStatistics:
        """Nothing is asked."""
        return NOTHING_ASKED

    def done(self) -> None:
        """Nothing is left to do."""


def wiki_source(place: Workspace, settings: CollectSettings, progress: Progress) -> WikiSource:
    """The wiki that the settings name. Raises LibraryError for a dump that is not there."""
    if settings.wikipedia_dump is not None:
        return Dump(settings.wikipedia_dump, place, progress)
    return Api(settings, cache_path(place, settings.wikipedia_cache))


def cache_path(place: Workspace, folder: str | None) -> Path:
    """The cache's file: in the folder given, else in the workspace, else, for one that is not local, in the home folder."""
    if folder is not None:
        return Path(folder).expanduser() / CACHE_FILE
    if isinstance(place.fs, pafs.LocalFileSystem):
        return Path(place.path) / ".wikipedia" / CACHE_FILE
    return Path.home() / ".cache" / "amt_ray" / CACHE_FILE
