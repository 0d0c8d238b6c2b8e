"""Parsed rows to the artefacts `pieces` and `rejects`: what counts is decided here, on columns without the music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.fs as pafs

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.midi.collect import ACCEPTED
from amt_ray.midi.duplicates import near_duplicates
from amt_ray.midi.fingerprint import SKETCH_SIZE, Sketch
from amt_ray.midi.metadata import NAMES
from amt_ray.midi.scan import MidiFile
from amt_ray.pipelines.cluster import start_ray
from amt_ray.pipelines.parsing import IDENTITY, RETRIED, is_among, slices
from amt_ray.pipelines.parts import PARQUET, PART, Parts
from amt_ray.schemas import PIECES, REJECTS

PIECES_PER_BLOCK, LEAST_BYTES = 2000, 2**24
_VERDICT = (*IDENTITY, "status", "detail", "piece_id", *NAMES, PART)


def verdicts(files: Sequence[MidiFile], parts: Parts) -> pa.Table:
    """One row for each file, by library and path, with its status: "accepted", or a reject reason.

    Of several files with the same bytes, and of several with the same music, the first is kept; `kept` is the index of the
    row that stands for a duplicate, else its own.
    """
    rows = parts.table(_VERDICT)
    rows = rows.append_column("row", pa.array(np.arange(rows.num_rows)))
    wanted = {(f.library, f.path, f.size_bytes, f.modified_ns) for f in files}
    rows = rows.filter(is_among(rows, wanted, IDENTITY))
    rows = rows.append_column("is_old", pc.equal(rows["status"], RETRIED))
    rows = rows.sort_by([("library", "ascending"), ("path", "ascending"), ("is_old", "ascending")])
    # Besides files that were read again, a killed run's last task may have ended after the next run had done its work.
    keys = list(zip(rows["library"].to_pylist(), rows["path"].to_pylist(), strict=True))
    rows = rows.filter(pa.array([i == 0 or key != keys[i - 1] for i, key in enumerate(keys)], pa.bool_()))
    return _without_copies(rows.drop_columns(["is_old"]), parts)


def _without_copies(rows: pa.Table, parts: Parts) -> pa.Table:
    status = np.array(rows["status"].to_pylist(), dtype=object)
    detail = np.array(rows["detail"].to_pylist(), dtype=object)
    paths, ids = rows["path"].to_pylist(), rows["piece_id"].to_pylist()
    kept = np.arange(rows.num_rows)
    first_with: dict[str, int] = {}
    for row in np.flatnonzero(status == ACCEPTED).tolist():
        kept[row] = first_with.setdefault(ids[row], row)
    copies = np.flatnonzero(kept != np.arange(rows.num_rows))
    status[copies], detail[copies] = "duplicate", [f"same content as {paths[kept[row]]}" for row in copies]
    music = np.flatnonzero(status == ACCEPTED)
    same_as = near_duplicates(_sketches(parts, rows["row"].take(music)))
    near = np.flatnonzero(same_as >= 0)
    kept[music[near]] = music[same_as[near]]
    status[music[near]] = "near_duplicate"
    detail[music[near]] = [f"same music as {paths[kept[row]]}" for row in music[near]]
    # A copy of a near duplicate stands, with it, for the piece that is kept.
    kept = kept[kept]
    columns = {"status": pa.array(status.tolist(), pa.string()), "detail": pa.array(detail.tolist(), pa.string())}
    rows = rows.drop_columns(["row", *columns])
    for name, column in (columns | {"kept": pa.array(kept)}).items():
        rows = rows.append_column(name, column)
    return rows


def _sketches(parts: Parts, rows: pa.ChunkedArray) -> Sketch:
    """The fingerprints of some rows, [rows, SKETCH_SIZE]: read by themselves, since they are what takes memory."""
    column = parts.table(["sketch"])["sketch"].take(rows).combine_chunks()
    return np.frombuffer(column.buffers()[1], np.uint32).reshape(-1, SKETCH_SIZE)


def named(rows: pa.Table, metadata: Mapping[str, Mapping[str, str]]) -> pa.Table:
    """Put what `metadata` says of a file, by path or SHA-256, in place of what the file says of itself."""
    keys = zip(rows["path"].to_pylist(), rows["piece_id"].to_pylist(), strict=True)
    said = [{**metadata.get(piece_id, {}), **metadata.get(path, {})} for path, piece_id in keys]
    for name in NAMES if metadata else ():
        values = [given.get(name, own) for given, own in zip(said, rows[name].to_pylist(), strict=True)]
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return rows


def write_rejects(rows: pa.Table, place: Workspace, made_of: str, settings: Mapping[str, Any]) -> Manifest:
    """Commit the rows that are not accepted as the artefact `rejects`."""
    ids = rows["piece_id"]
    kept = pc.take(ids, rows["kept"])
    is_copy = pc.is_in(rows["status"], pa.array(["duplicate", "near_duplicate"]))
    table = pa.table(
        {
            "library": rows["library"],
            "path": rows["path"],
            "stage": pa.repeat("collect", rows.num_rows),
            "reason": rows["status"],
            "detail": rows["detail"],
            "kept_piece_id": pc.if_else(is_copy, kept, None),
        },
        REJECTS,
    )
    return place.write("rejects", table.filter(pc.not_equal(rows["status"], ACCEPTED)), made_of, settings, {})


def write_pieces(rows: pa.Table, parts: Parts, place: Workspace, made_of: str, settings: Mapping[str, Any]) -> Manifest:
    """Copy the accepted rows from the parts into the artefact `pieces`, through Ray Data, and commit it."""
    # Where all files were parsed by a run that was killed, nothing has started Ray yet.
    start_ray()
    import ray.data

    accepted = rows.filter(pc.equal(rows["status"], ACCEPTED))
    # A file that could be read at last has not changed, but what is made of the pieces must be made again.
    version = fingerprint(made_of, accepted["piece_id"].to_pylist())
    folder = place.begin("pieces", version)
    fs = parts.fs
    pieces = ray.data.from_blocks(slices(accepted, PIECES_PER_BLOCK, LEAST_BYTES)).map_batches(
        lambda block: pieces_of(block, fs), batch_format="pyarrow", batch_size=None
    )
    pieces.write_parquet(folder, filesystem=place.fs, **PARQUET)
    n_retried = pc.sum(pc.equal(rows["status"], RETRIED)).as_py()
    manifest = Manifest(made_of, version, accepted.num_rows, settings, {"to_be_read_again": n_retried})
    place.commit("pieces", manifest)
    return manifest


def pieces_of(block: pa.Table, fs: pafs.FileSystem) -> pa.Table:
    """Read the pieces that a block of verdicts names, in its order, from the parts that they are in."""
    paths = pc.unique(block["path"])
    parts = sorted(set(block[PART].to_pylist()))
    low, high = pc.min_max(paths).values()
    near = (pads.field("path") >= low) & (pads.field("path") <= high) & pads.field("path").isin(paths)
    rows = pads.dataset(parts, filesystem=fs, format="parquet", schema=PIECES).to_table(filter=near)
    place_of = {key: i for i, key in enumerate(zip(rows["library"].to_pylist(), rows["path"].to_pylist(), strict=True))}
    wanted = zip(block["library"].to_pylist(), block["path"].to_pylist(), strict=True)
    pieces = rows.take(pa.array([place_of[key] for key in wanted], pa.int64()))
    for name in NAMES:
        pieces = pieces.set_column(PIECES.get_field_index(name), name, block[name])
    return pieces.cast(PIECES)
