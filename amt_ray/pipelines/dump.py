"""A dump of Wikipedia, of any size, to the pages that the songs of a library may need, through Ray Data.

The dump is read once, and once more for the articles that redirects lead to, if there are any. What a chunk of a file gave
is kept in the workspace, by the titles and the file's size and time: killed and started again, or with a damaged file
replaced, the run reads the chunks that are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs

from amt_ray.artifacts import Workspace, fingerprint
from amt_ray.errors import LibraryError
from amt_ray.pipelines.cluster import start_ray
from amt_ray.pipelines.parts import Parts
from amt_ray.pipelines.progress import Progress, polled, silent
from amt_ray.wiki.dump import KEPT
from amt_ray.wiki.dump_files import Chunk, chunks, dump_files, dumped_at, gather
from amt_ray.wiki.dump_source import DumpSource, TitleSet, missing_targets
from amt_ray.wiki.page import Song
from amt_ray.wiki.titles import artist_titles, plausible_titles

_GATHERED = pa.schema([*KEPT, ("chunk", pa.string())])
"""Pages with the chunk that they are from, and for each chunk that was read a row without a page."""


def wanted_titles(songs: Iterable[Song]) -> Iterator[str]:
    """Return the titles that will be asked for, one after the other: there are several for each song."""
    for song in songs:
        yield from plausible_titles(song)
        yield from artist_titles(song.artist)


def dump_source(path: str, titles: Iterable[str], place: Workspace, progress: Progress = silent) -> DumpSource:
    """Gather the pages of the titles, however they are spelled, and those that redirects lead to: one further, not two.

    `path` is as for `dump_files`; memory is that of the pages found, and 8 bytes a title. Raises LibraryError for a dump
    that is missing or damaged, OutputError for a workspace that cannot be written.
    """
    fs, files = dump_files(path)
    wanted = TitleSet.of(titles)
    todo = [chunk for file in files for chunk in chunks(fs, file)]

    def gathered(stage: str, titles: TitleSet) -> pa.Table:
        made_of = fingerprint(path, titles.digest, version("mwparserfromhell"))
        return _gathered(Parts(place, stage, made_of, _GATHERED), fs, todo, titles, progress)

    pages = gathered("dump", wanted)
    targets = [title for title in missing_targets(pages) if title not in wanted]
    if targets:
        pages = pa.concat_tables([pages, gathered("dump-targets", TitleSet.of(targets))])
    return DumpSource(pages, max(dumped_at(file.path) for file in files))


def gather_batch(batch: pa.Table, fs: pafs.FileSystem, wanted: TitleSet) -> pa.Table:
    """Read the chunks whose fields are the columns; a row for each page that is wanted, and one for each chunk."""
    chunks_of_batch = [Chunk(**fields) for fields in batch.to_pylist()]
    rows = [{"chunk": chunk.name, **row} for chunk in chunks_of_batch for row in [*gather(fs, chunk, wanted), {}]]
    return pa.Table.from_pylist(rows, _GATHERED)


def _gathered(parts: Parts, fs: pafs.FileSystem, todo: Sequence[Chunk], wanted: TitleSet, progress: Progress) -> pa.Table:
    done = set(parts.table(["chunk"])["chunk"].to_pylist())
    missing = [chunk for chunk in todo if chunk.name not in done]
    if missing:
        _gather_missing(parts, fs, missing, wanted, progress)
    rows = parts.table(_GATHERED.names)
    is_current = pc.is_in(rows["chunk"], pa.array([chunk.name for chunk in todo], pa.string()))
    return rows.filter(pc.and_(is_current, pc.is_valid(rows["title"]))).select(KEPT.names)


def _gather_missing(
    parts: Parts, fs: pafs.FileSystem, missing: Sequence[Chunk], wanted: TitleSet, progress: Progress
) -> None:
    start_ray()
    import ray
    import ray.data

    hashes = ray.put(wanted.hashes)
    parts.n_rows()
    before = len(parts.n_rows.by_part)

    def megabytes_done() -> int:
        parts.n_rows()
        return _megabytes(missing[: len(parts.n_rows.by_part) - before])

    # One chunk a block, so that each is written as soon as it is read.
    dataset = ray.data.from_items([asdict(chunk) for chunk in missing], override_num_blocks=len(missing)).map_batches(
        lambda batch: gather_batch(batch, fs, TitleSet(ray.get(hashes))), batch_format="pyarrow", batch_size=None
    )
    try:
        with polled(progress, "MB of the dump", _megabytes(missing), megabytes_done):
            dataset.write_parquet(parts.folder, filesystem=parts.fs)
    except LibraryError as exc:
        file, *said = getattr(exc, "cause", exc).args  # Ray adds lines of advice to the first argument
        raise LibraryError(file.partition("\n")[0], *said) from None


def _megabytes(chunks: Sequence[Chunk]) -> int:
    return -(-sum(chunk.n_bytes for chunk in chunks) // 1_000_000)
