"""Files to rows, kept as parts: what is missing is parsed by Ray Data, and what killed a worker is examined alone."""

from __future__ import annotations

import faulthandler
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.config import Limits
from amt_ray.midi.collect import Read, Reader, collect_file
from amt_ray.midi.fingerprint import SKETCH_SIZE
from amt_ray.midi.scan import MidiFile
from amt_ray.pipelines.cluster import block_count, remote_arguments, resources, start_ray
from amt_ray.pipelines.parts import Parts
from amt_ray.pipelines.progress import Progress, polled
from amt_ray.schemas import PIECES

FILES_PER_BLOCK = 250
BYTES_PER_BLOCK = 64 * 2**20
FILES_EXAMINED_AT_ONCE = 1000
RETRIED = "unreadable"
"""The reason that may be gone the next time, though the file has not changed."""
FILES = pa.schema(
    [
        ("library", pa.string()),
        ("path", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("location", pa.binary()),
        ("member", pa.int32()),
        ("problem", pa.string()),
    ]
)
IDENTITY = ("library", "path", "size_bytes", "modified_ns")
PARSED = pa.schema(
    [
        *PIECES,
        ("status", pa.string()),
        ("detail", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("sketch", pa.list_(pa.uint32(), SKETCH_SIZE)),
    ]
)
Collect = Callable[[MidiFile, Read, Limits], dict[str, Any]]


def parse_missing(
    files: Sequence[MidiFile], parts: Parts, limits: Limits, progress: Progress, collect: Collect = collect_file
) -> int:
    """Parse the files that `parts` has no row of, and return how many these were.

    A file that kills the process that reads it, or takes longer than `limits.max_parse_s`, takes with it the block that it
    is in, and nothing else; the files of such blocks are then read each in a process that nobody else needs, and the
    culprit's row says "crash".
    """
    done = parts.table([*IDENTITY, "status"])
    missing = _without(files, done.filter(pc.not_equal(done["status"], RETRIED)))
    if not missing:
        return 0
    start_ray()
    before = parts.n_rows()
    with polled(progress, "files", len(missing), lambda: parts.n_rows() - before):
        _parse_blocks(missing, parts, limits, collect)
        while suspects := _without(missing, parts.table(IDENTITY))[:FILES_EXAMINED_AT_ONCE]:
            parts.add(pa.Table.from_pylist(_examine(suspects, limits, collect), PARSED))
    return len(missing)


def _without(files: Sequence[MidiFile], rows: pa.Table) -> list[MidiFile]:
    """The files that have no row among these."""
    parsed = set(zip(*(rows[name].to_pylist() for name in IDENTITY), strict=True))
    return [file for file in files if (file.library, file.path, file.size_bytes, file.modified_ns) not in parsed]


def _parse_blocks(files: Sequence[MidiFile], parts: Parts, limits: Limits, collect: Collect) -> None:
    import ray.data

    names = [field.name for field in fields(MidiFile)]
    columns = {name: [getattr(file, name) for file in files] for name in names}
    blocks = slices(pa.table(columns, FILES), FILES_PER_BLOCK)
    dataset = ray.data.from_arrow(blocks)
    dataset.context.max_errored_blocks = -1
    with remote_arguments():
        parsed = dataset.map_batches(
            lambda batch: parse_batch(batch, limits, collect), batch_format="pyarrow", batch_size=None, max_retries=0
        )
    # Ray would print a traceback for each block that is lost.
    logger = logging.getLogger("ray.data._internal.execution.streaming_executor_state")
    level_before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        parsed.write_parquet(parts.folder, filesystem=parts.fs)
    finally:
        logger.setLevel(level_before)


def slices(files: pa.Table, rows_per_block: int) -> list[pa.Table]:
    """Cut a table with a column `size_bytes` into blocks: enough for every CPU, and none too large for memory."""
    most_rows = -(-files.num_rows // block_count(files.num_rows, rows_per_block))
    blocks, start, n_bytes = [], 0, 0
    for row, size_bytes in enumerate(files["size_bytes"].to_pylist()):
        if row - start == most_rows or (n_bytes + size_bytes > BYTES_PER_BLOCK and row > start):
            blocks.append(files.slice(start, row - start))
            start, n_bytes = row, 0
        n_bytes += size_bytes
    return [*blocks, files.slice(start)]


def parse_batch(batch: pa.Table, limits: Limits, collect: Collect = collect_file) -> pa.Table:
    """Parse the files named by the columns of `FILES`; one row of `PARSED` each, whatever is wrong with it."""
    with Reader() as read, _deadline(limits.max_parse_s) as start_clock:
        rows = []
        for file in batch.to_pylist():
            start_clock()
            rows.append(_row(MidiFile(**file), read, limits, collect))
    return pa.Table.from_pylist(rows, PARSED)


def _row(file: MidiFile, read: Read, limits: Limits, collect: Collect) -> dict[str, Any]:
    try:
        return collect(file, read, limits)
    # A fault of ours that one file in a hundred thousand brings to light is that file's row, not the end of the job.
    except Exception as exc:
        return _crashed(file, f"{type(exc).__name__}: {exc}")


def _crashed(file: MidiFile, detail: str) -> dict[str, Any]:
    known = {name: value for name, value in asdict(file).items() if name in IDENTITY}
    return known | {"status": "crash", "detail": detail}


@contextmanager
def _deadline(seconds: float) -> Iterator[Callable[[], None]]:
    """End this process when `seconds` pass after a call of the function that is yielded; inside C code, too."""
    with open(os.devnull, "w") as nowhere:
        try:
            yield lambda: faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _examine(suspects: Sequence[MidiFile], limits: Limits, collect: Collect) -> list[dict[str, Any]]:
    import ray

    parse = ray.remote(num_cpus=1, max_retries=0)(parse_batch)
    rows: list[dict[str, Any]] = []
    at_once = max(1, int(resources().get("CPU", 1)))
    for start in range(0, len(suspects), at_once):
        some = suspects[start : start + at_once]
        tables = [parse.remote(pa.Table.from_pylist([asdict(file)], FILES), limits, collect) for file in some]
        rows.extend(_outcome(file, table, limits) for file, table in zip(some, tables, strict=True))
    return rows


def _outcome(file: MidiFile, table: Any, limits: Limits) -> dict[str, Any]:
    import ray

    try:
        row: dict[str, Any] = ray.get(table).to_pylist()[0]
    except ray.exceptions.WorkerCrashedError:
        return _crashed(file, f"the process that read it died, or needed more than {limits.max_parse_s:g} s")
    return row


def is_among(rows: pa.Table, wanted: set[tuple[Any, ...]], names: Sequence[str]) -> pa.Array:
    """Mask of the rows whose values in the columns `names` are one of `wanted`."""
    keys = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return pc.fill_null(pa.array([key in wanted for key in keys], pa.bool_()), fill_value=False)
