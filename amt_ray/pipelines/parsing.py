"""Files to rows, kept as parts: what is missing is parsed by Ray Data, and what killed a worker is examined alone."""

from __future__ import annotations

import faulthandler
import logging
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.config import Limits
from amt_ray.midi.batch import grouped
from amt_ray.midi.collect import Read, Reader, collect_files
from amt_ray.midi.fingerprint import SKETCH_SIZE, Sketch
from amt_ray.midi.scan import Library, MidiFile
from amt_ray.pipelines.cluster import remote_arguments, resources, start_ray
from amt_ray.pipelines.parts import PARQUET, Parts
from amt_ray.pipelines.progress import Progress, polled
from amt_ray.schemas import PIECES

FILES_PER_BLOCK = 1000
BYTES_AT_ONCE = 2**20
"""Files of so much work are read and measured step by step together, and share `max_parse_s`."""
LEAST_BYTES, BYTES_PER_BLOCK = 2**22, 2**26
WORK_OF_ANY_FILE_BYTES = 10_000
"""A file takes as long as if it had so many bytes more."""
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
        ("sketch", pa.binary(4 * SKETCH_SIZE)),
    ]
)
Collect = Callable[[Sequence[MidiFile], Read, Limits], list[dict[str, Any]]]
Parse = Callable[[pa.Table], pa.Table]


def parse_missing(
    files: Sequence[MidiFile],
    libraries: Sequence[Library],
    parts: Parts,
    limits: Limits,
    progress: Progress,
    collect: Collect = collect_files,
) -> int:
    """Parse the files of libraries that `parts` has no row of, and return how many these were.

    A file that kills the process that reads it, or takes longer than `limits.max_parse_s`, takes with it the block that it
    is in and nothing else; the files of such blocks are then read each in a process that nobody else needs, and the
    culprit's row says "crash".
    """
    done = parts.table([*IDENTITY, "status"])
    missing = _without(files, done.filter(pc.not_equal(done["status"], RETRIED)))
    if not missing:
        return 0
    start_ray()
    parse = partial(parse_batch, libraries=libraries, limits=limits, collect=collect)
    before = parts.n_rows()
    with polled(progress, "files", len(missing), lambda: parts.n_rows() - before):
        _parse_blocks(missing, parts, parse)
        while suspects := _without(missing, parts.table(IDENTITY))[:FILES_EXAMINED_AT_ONCE]:
            parts.add(_examine(suspects, limits, parse))
    return len(missing)


def _without(files: Sequence[MidiFile], rows: pa.Table) -> list[MidiFile]:
    """The files that have no row among these."""
    parsed = set(zip(*(rows[name].to_pylist() for name in IDENTITY), strict=True))
    return [file for file in files if (file.library, file.path, file.size_bytes, file.modified_ns) not in parsed]


def _parse_blocks(files: Sequence[MidiFile], parts: Parts, parse: Parse) -> None:
    import ray.data

    names = [field.name for field in fields(MidiFile)]
    columns = {name: [getattr(file, name) for file in files] for name in names}
    blocks = slices(pa.table(columns, FILES), FILES_PER_BLOCK, LEAST_BYTES)
    dataset = ray.data.from_blocks(blocks)
    dataset.context.max_errored_blocks = -1
    with remote_arguments():
        parsed = dataset.map_batches(parse, batch_format="pyarrow", batch_size=None, max_retries=0)
    # Ray would print a traceback for each block that is lost.
    logger = logging.getLogger("ray.data._internal.execution.streaming_executor_state")
    level_before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        parsed.write_parquet(parts.folder, filesystem=parts.fs, **PARQUET)
    finally:
        logger.setLevel(level_before)


def slices(files: pa.Table, rows_per_block: int, least_bytes: int) -> list[pa.Table]:
    """Cut a table with a column `size_bytes` into blocks of at most `rows_per_block`, for all CPUs to end at the same time.

    Each block is a share of the work that is left: the first are large, for a block costs 50 ms of its own, and the last
    small, of about `least_bytes` (Polychronopoulos and Kuck, "Guided self-scheduling", IEEE Trans. on Computers, 1987).
    """
    work = np.cumsum(files["size_bytes"].to_numpy() + WORK_OF_ANY_FILE_BYTES).tolist()
    n_shares = 2 * max(1, int(resources().get("CPU", 1)))
    blocks, start, done = [], 0, 0
    while start < len(work):
        share = min(max((work[-1] - done) // n_shares, least_bytes), BYTES_PER_BLOCK)
        stop = min(max(bisect_right(work, done + share), start + 1), start + rows_per_block)
        blocks.append(files.slice(start, stop - start))
        start, done = stop, work[stop - 1]
    return blocks


def parse_batch(batch: pa.Table, libraries: Sequence[Library], limits: Limits, collect: Collect = collect_files) -> pa.Table:
    """Parse the files of libraries named by the columns of `FILES`; one row of `PARSED` each, whatever is wrong with it."""
    with Reader(libraries) as read, _deadline(limits.max_parse_s) as start_clock:
        files = [MidiFile(**file) for file in batch.to_pylist()]
        rows = []
        for some in grouped(files, (file.size_bytes + WORK_OF_ANY_FILE_BYTES for file in files), BYTES_AT_ONCE):
            start_clock()
            rows += collect(some, read, limits)
    return _table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{**row, "sketch": _bytes(row.get("sketch"))} for row in rows], PARSED)


def _bytes(sketch: Sketch | None) -> bytes | None:
    return None if sketch is None else sketch.tobytes()


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


def _examine(suspects: Sequence[MidiFile], limits: Limits, parse: Parse) -> pa.Table:
    import ray

    @ray.remote(num_cpus=1, max_retries=0)
    def alone(file: pa.Table) -> pa.Table:
        return parse(file)

    rows: list[pa.Table] = []
    at_once = max(1, int(resources().get("CPU", 1)))
    for start in range(0, len(suspects), at_once):
        some = suspects[start : start + at_once]
        tables = [alone.remote(pa.Table.from_pylist([asdict(file)], FILES)) for file in some]
        rows.extend(_outcome(file, table, limits) for file, table in zip(some, tables, strict=True))
    return pa.concat_tables(rows)


def _outcome(file: MidiFile, table: Any, limits: Limits) -> pa.Table:
    import ray

    try:
        return ray.get(table)
    except ray.exceptions.WorkerCrashedError:
        return _table([_crashed(file, f"the process that read it died, or needed more than {limits.max_parse_s:g} s")])


def is_among(rows: pa.Table, wanted: set[tuple[Any, ...]], names: Sequence[str]) -> pa.Array:
    """Mask of the rows whose values in the columns `names` are one of `wanted`."""
    keys = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return pc.fill_null(pa.array([key in wanted for key in keys], pa.bool_()), fill_value=False)
