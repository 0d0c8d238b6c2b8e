"""The article of every song: the artefact `articles`, one row a piece, looked up once a song.

One actor asks the wiki, so that its rate holds for the whole cluster. Rows are written as they come, by artist and title;
what the run before knew is copied, and what failed then is tried again.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.errors import OutputError
from amt_ray.pipelines.cluster import actor_restarts, remote_arguments, resources, start_ray
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.wiki_sources import WikiSource
from amt_ray.schemas import ARTICLES
from amt_ray.wiki.lookup import look_up
from amt_ray.wiki.page import LICENCE, Match, Song

SONGS_PER_BLOCK = 100
ROWS_PER_WRITE = 1000
_COUNTS = [("n_requests", pa.int64()), ("response_s", pa.float64())]
_FOUND = pa.schema([*(field for field in ARTICLES if field.name != "piece_id"), *_COUNTS])
Row = dict[str, Any]
Tell = Callable[[int, int, Mapping[str, Any]], None]
"""Called with a song's number from 1, the number of songs to look up, and the columns of `articles` that were found."""


@dataclass(frozen=True)
class WikipediaReport:
    """How the search for articles went, by song."""

    total: int
    looked_up: int
    """In this run; the others were known."""
    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    """Why songs have no article of their own."""
    n_requests: int
    mean_response_s: float
    seconds: float


class LookUp:
    """A Ray Data actor that asks one wiki."""

    def __init__(self, source: WikiSource) -> None:
        self.source = source

    async def __call__(self, batch: pa.Table) -> pa.Table:
        """Look up the songs of the columns artist and title; counts are of all requests of this actor so far."""
        songs = [Song(row["artist"], row["title"]) for row in batch.to_pylist()]
        matches = await look_up(songs, await self.source.open())
        asked = self.source.statistics()
        counts = {"n_requests": asked.requests, "response_s": asked.response_s}
        return pa.Table.from_pylist(
            [article_of(song, match) | counts for song, match in zip(songs, matches, strict=True)], _FOUND
        )


def article_of(song: Song, match: Match) -> Row:
    """The columns of `articles` but for piece_id."""
    page = match.page
    about: Row = (
        {}
        if page is None
        else {
            "page_title": page.title,
            "page_url": page.url,
            "revision_id": page.revision_id,
            "extract": page.extract,
            "licence": LICENCE,
            "fetched_at": page.fetched_at,
        }
    )
    return {
        **asdict(song),
        "query": match.query,
        "n_results": match.n_results,
        "status": match.status,
        "reason": match.reason,
        "confidence": match.confidence,
        "candidates": [asdict(candidate) for candidate in match.candidates],
        **about,
    }


def collect_articles(
    place: Workspace, pieces: Manifest, source: WikiSource, progress: Progress, tell: Tell | None
) -> WikipediaReport:
    """Find the article of each piece's song, and commit `articles`.

    Raises OutputError for a workspace that cannot be written, LibraryError for a damaged dump.
    """
    started_s = time.monotonic()
    ids_by_song = _pieces_by_song(place)
    old = place.manifest("articles")
    made_of = fingerprint("articles", pieces.version, source.identity)
    known = _known_songs(place, old, source) & ids_by_song.keys() if old and not source.is_refresh else set()
    if old and old.fingerprint == made_of and len(known) == len(ids_by_song):
        return WikipediaReport(**old.facts, looked_up=0, n_requests=0, mean_response_s=0.0, seconds=0.0)
    missing = [song for song in ids_by_song if song not in known]
    source.prepare(missing)
    found = _Found(progress, tell, len(missing))
    version = fingerprint(made_of, old.version if old else "")
    rows = heapq.merge(_old_rows(place, old, known), found.watch(_looked_up(missing, source)), key=_in_order)
    facts = _write(place, version, rows, ids_by_song)
    n_rows = sum(map(len, ids_by_song.values()))
    place.commit("articles", Manifest(made_of, version, n_rows, {"source": source.identity}, facts))
    source.done()
    return WikipediaReport(
        **facts,
        looked_up=len(missing),
        n_requests=found.n_requests,
        mean_response_s=found.response_s / max(found.n_requests, 1),
        seconds=time.monotonic() - started_s,
    )


class _Found:
    """Takes note of what the actor finds, as it comes."""

    def __init__(self, progress: Progress, tell: Tell | None, total: int) -> None:
        self.progress, self.tell, self.total = progress, tell, total
        self.n_requests, self.response_s = 0, 0.0

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows, 1):
            self.n_requests = max(self.n_requests, row.pop("n_requests"))
            self.response_s = max(self.response_s, row.pop("response_s"))
            self.progress("songs", number, self.total)
            if self.tell is not None:
                self.tell(number, self.total, row)
            yield row


def _song_of(row: Mapping[str, Any]) -> Song:
    return Song(row["artist"], row["title"])


def _in_order(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["artist"], row["title"]


def _pieces_by_song(place: Workspace) -> dict[Song, list[str]]:
    """Piece ids by song, songs in order."""
    rows = place.table("pieces", ["piece_id", "artist", "title"]).to_pylist()
    ids_by_song: dict[Song, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["artist"], row["title"], row["piece_id"])):
        ids_by_song.setdefault(_song_of(row), []).append(row["piece_id"])
    return ids_by_song


def _known_songs(place: Workspace, old: Manifest, source: WikiSource) -> set[Song]:
    """Songs that the same wiki has answered."""
    if old.settings.get("source") != source.identity:
        return set()
    rows = place.rows("articles", old.version, ["artist", "title", "status"])
    return {_song_of(row) for row in rows.filter(pc.not_equal(rows["status"], "failed")).to_pylist()}


def _old_rows(place: Workspace, old: Manifest | None, known: set[Song]) -> Iterator[Row]:
    """Rows of known songs from the version before, one a song, in its order."""
    if old is None or not known:
        return
    left = set(known)
    for batch in pads.dataset(place.folder("articles", old.version), filesystem=place.fs, schema=ARTICLES).to_batches():
        for row in batch.to_pylist():
            if (song := _song_of(row)) in left:
                left.remove(song)
                del row["piece_id"]
                yield row


def _looked_up(missing: list[Song], source: WikiSource) -> Iterator[Row]:
    """Look up songs through Ray Data: rows as they come, in the order of the songs."""
    if not missing:
        return
    start_ray()
    import ray.data
    from ray.data import ActorPoolStrategy

    songs = pa.Table.from_pylist([asdict(song) for song in missing])
    blocks = [songs.slice(start, SONGS_PER_BLOCK) for start in range(0, songs.num_rows, SONGS_PER_BLOCK)]
    dataset = ray.data.from_blocks(blocks)
    dataset.context.execution_options.preserve_order = True
    with remote_arguments():
        found = dataset.map_batches(
            LookUp,
            batch_format="pyarrow",
            batch_size=None,
            compute=ActorPoolStrategy(size=1 if source.has_one_asker else min(int(resources()["CPU"]), len(blocks))),
            fn_constructor_args=(source,),
            max_restarts=actor_restarts(),
        )
    batches = cast("Iterator[pa.Table]", found.iter_batches(batch_size=None, batch_format="pyarrow"))
    for batch in batches:
        yield from batch.to_pylist()


def _write(place: Workspace, version: str, rows: Iterator[Row], ids_by_song: Mapping[Song, list[str]]) -> dict[str, Any]:
    """Write a row for each piece, and count songs by status and reason."""
    folder = place.begin("articles", version)
    by_status, by_reason = Counter[str](), Counter[str]()
    try:
        with pq.ParquetWriter(f"{folder}/part-0.parquet", ARTICLES, filesystem=place.fs) as writer:
            while some := list(islice(rows, ROWS_PER_WRITE)):
                by_status.update(row["status"] for row in some)
                by_reason.update(row["reason"] for row in some)
                of_pieces = [row | {"piece_id": piece_id} for row in some for piece_id in ids_by_song[_song_of(row)]]
                writer.write_table(pa.Table.from_pylist(of_pieces, ARTICLES))
    except OSError as exc:
        raise OutputError(folder, exc.strerror or str(exc)) from exc
    del by_reason[""]
    return {"total": len(ids_by_song), "by_status": dict(by_status), "by_reason": dict(by_reason)}
