"""Training rows as numpy files on a node's disk, mapped into memory: the workers of a node share the pages that they read.

    ids.npy                     uint16[events of all rows], train's before validation's
    <split>_starts.npy          int64[rows + 1]: where in the split's events each row begins, and where the last one ends
    <split>_<column>.npy        int64[rows]: n_controls, n_context, the first of the row's texts, and the one behind its last
    text_vectors.npy            float32[texts, width]

Rows are in the order of `amt_ray.training.rows.rows_of_split`, whatever the order that they are read in. Writing reads them
twice, and holds a batch of them and some numbers of each.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from amt_ray.schemas import EMBEDDINGS, SEQUENCES
from amt_ray.training.batches import Rows
from amt_ray.training.rows import Ranges
from amt_ray.training.windows import Split

Ints = npt.NDArray[np.int64]
ReadColumns = Callable[[Sequence[str]], Iterable[pa.RecordBatch]]
"""Reads columns of an artefact batch by batch, in the types of its schema, and the rows in the same order each time."""

_SPLITS: tuple[Split, ...] = tuple(sorted(get_args(Split)))
"""In the order in which `ids.npy` has them."""
_ROW_COLUMNS = ("n_controls", "n_context", "text_first", "text_last")


def kept_shards(folder: Path, sequences: ReadColumns, embeddings: ReadColumns) -> dict[Split, Rows]:
    """Open the shards in `folder`; if they are not there whole, write them, in place of all folders beside it.

    Of several processes that ask at once, one writes and the others wait for it. Raises OSError where the folder cannot be
    written, and whatever the readers raise.
    """
    with _alone_in(folder.parent):
        with suppress(OSError, ValueError, EOFError):
            return open_shards(folder)
        _write_whole(folder, sequences, embeddings)
        return open_shards(folder)


def open_shards(folder: Path) -> dict[Split, Rows]:
    """Map what `write_shards` wrote. Raises OSError, ValueError or EOFError where a file is missing or cut off."""

    def mapped(name: str) -> Any:
        # Seen as a plain array: each cut of a np.memmap makes one more of them, which costs microseconds.
        return np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)

    ids, text_vectors = mapped("ids"), mapped("text_vectors")
    rows: dict[Split, Rows] = {}
    first = 0
    for split in _SPLITS:
        starts = mapped(f"{split}_starts")
        n_controls, n_context, *texts = (mapped(f"{split}_{name}") for name in _ROW_COLUMNS)
        last = first + int(starts[-1])
        rows[split] = Rows(ids[first:last], starts, n_controls, n_context, Ranges(*texts), text_vectors)
        first = last
    return rows


def write_shards(folder: Path, sequences: ReadColumns, embeddings: ReadColumns) -> None:
    """Write the rows of the artefacts `sequences` and `embeddings` into a new folder. Raises OSError where that fails."""
    folder.mkdir()
    texts = _keys(embeddings, EMBEDDINGS, ("piece_id", "kind"), ("vector",))
    windows = _keys(sequences, SEQUENCES, ("split", "piece_id", "window"), ("n_controls", "n_context", "ids"))
    windows = _with_text_ranges(windows, texts["piece_id"])
    for split in _SPLITS:
        rows = windows.filter(pc.equal(windows["split"], split))
        _write(folder / f"{split}_starts.npy", np.append(0, np.cumsum(rows["ids"])))
        for name in _ROW_COLUMNS:
            _write(folder / f"{split}_{name}.npy", rows[name].to_numpy())
    n_events, width = pc.sum(windows["ids"], min_count=0).as_py(), pc.max(texts["vector"]).as_py() or 0
    with _new_array(folder / "ids.npy", np.uint16, (n_events,)) as file:
        _write_lists(file, np.uint16, sequences(["ids"]), windows["ids"], windows["row"])
    with _new_array(folder / "text_vectors.npy", np.float32, (len(texts), width)) as file:
        _write_lists(file, np.float32, embeddings(["vector"]), texts["vector"], texts["row"])


def _keys(read: ReadColumns, schema: pa.Schema, sort_by: Sequence[str], others: Sequence[str]) -> pa.Table:
    """Read columns and sort them: of strings numbers, of lists the lengths, and `row`, a row's number before sorting."""
    columns = [*sort_by, *others]
    none = pa.RecordBatch.from_pylist([], pa.schema([schema.field(name) for name in columns]))
    batches = [
        pa.RecordBatch.from_arrays([_compact(batch[name]) for name in columns], columns)
        for batch in chain([none], read(columns))
    ]
    keys = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    order = np.lexsort([_ranks(keys[name].combine_chunks()) for name in reversed(sort_by)])
    return keys.take(order).append_column("row", pa.array(order))


def _compact(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pc.list_value_length(column)
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def _ranks(column: pa.Array) -> Ints:
    """Return integers that sort as a column of `_keys` does."""
    is_string = pa.types.is_dictionary(column.type)
    ranks: Ints = np.argsort(pc.sort_indices(column.dictionary))[column.indices] if is_string else column.to_numpy()
    return ranks


def _with_text_ranges(windows: pa.Table, text_piece_ids: pa.ChunkedArray) -> pa.Table:
    """Add where the texts of each window's piece begin and end among the texts, which are sorted by `piece_id`."""
    column = text_piece_ids.combine_chunks()
    piece_ids = column.dictionary.sort()
    piece = pc.index_in(windows["piece_id"], piece_ids).fill_null(len(piece_ids)).to_numpy()
    # One more than there are pieces, so that a piece without texts has an empty range.
    bounds = np.searchsorted(_ranks(column), np.arange(len(piece_ids) + 2))
    first, last = pa.array(bounds[piece]), pa.array(bounds[piece + 1])
    return windows.append_column("text_first", first).append_column("text_last", last)


def _write(path: Path, values: npt.NDArray[np.integer]) -> None:
    with _new_array(path, np.int64, values.shape) as file:
        file.write(values.astype(np.int64).data)


def _write_lists(
    file: BinaryIO,
    dtype: type[np.generic],
    batches: Iterable[pa.RecordBatch],
    lengths: pa.ChunkedArray,
    row: pa.ChunkedArray,
) -> None:
    """Write a column of lists, each as it is read to where it stands in the order of which `lengths` and `row` are."""
    n_bytes = lengths.to_numpy().astype(np.int64) * np.dtype(dtype).itemsize
    places = np.empty(len(n_bytes), np.int64)
    places[row.to_numpy()] = file.tell() + np.cumsum(n_bytes) - n_bytes
    n_read = 0
    for batch in batches:
        lists = batch.column(0)
        values = pc.list_flatten(lists).to_numpy().astype(dtype)
        parts = np.split(values, np.cumsum(pc.list_value_length(lists)))[:-1]
        for place, part in zip(places[n_read : n_read + len(parts)], parts, strict=True):
            file.seek(place)
            file.write(part.data)
        n_read += len(parts)


@contextmanager
def _new_array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """Give a new .npy file behind its header, for the values; it is on the disk afterwards.

    Not mapped: where a disk is full, a write raises OSError, but a mapped page kills the process.
    """
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file
        file.flush()
        os.fsync(file.fileno())


def _write_whole(folder: Path, sequences: ReadColumns, embeddings: ReadColumns) -> None:
    """Write the shards whole or not at all; what a process that was killed or another version has left is deleted."""
    for other in folder.parent.iterdir():
        if other.is_dir():
            shutil.rmtree(other)  # who has it mapped keeps it
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        write_shards(partial, sequences, embeddings)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make a folder that is this user's alone, and wait until no other process of this node is in here.

    The lock is the kernel's: it goes with the process that has it.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        yield
