"""MIDI folder to the artefacts `pieces` and `rejects`, through Ray Data.

Parsed rows are kept in the workspace, by file name, size and time: killed and started again, the stage parses what is
missing; run again on a library that has grown or changed, it parses what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs

from amt_ray.artifacts import Manifest, Workspace, filesystem_of, fingerprint
from amt_ray.config import CollectSettings, Limits
from amt_ray.errors import LibraryError
from amt_ray.midi.collect import ACCEPTED, collect_file
from amt_ray.midi.scan import MidiFile, scan
from amt_ray.pipelines.cluster import block_count, start_ray
from amt_ray.pipelines.parts import Parts
from amt_ray.pipelines.progress import Progress, polled, silent
from amt_ray.schemas import PIECES, REJECTS

FILES_PER_BLOCK = 250
_FILE = [("size_bytes", pa.int64()), ("modified_ns", pa.int64())]
_PARSED = pa.schema([*PIECES, ("status", pa.string()), ("detail", pa.string()), *_FILE])


@dataclass(frozen=True)
class CollectReport:
    """What a library is made of; scanned = accepted + rejected + duplicates."""

    scanned: int
    accepted: int
    duplicates: int
    rejected_by_reason: Mapping[str, int]
    files_by_artist: Mapping[str, int]
    """Accepted files, most first."""
    was_current: bool

    @property
    def rejected(self) -> int:
        """Files that could not be taken, duplicates not among them."""
        return sum(self.rejected_by_reason.values())


def collect(
    midi_dir: str, workspace: str, settings: CollectSettings | None = None, progress: Progress = silent
) -> CollectReport:
    """Scan a folder, parse every MIDI file in it, and commit `pieces` and `rejects`.

    Raises LibraryError for a folder that is missing, empty, or has not one file that can be taken (then nothing is
    committed), WorkspaceError for a workspace of another schema version, OutputError for one that cannot be written.
    """
    settings = settings or CollectSettings()
    fs, root = filesystem_of(midi_dir)
    place = Workspace(workspace)
    place.manifest("pieces")
    files = scan(fs, root)
    made_of = fingerprint(root, settings.model_dump(), [[f.path, f.size_bytes, f.modified_ns] for f in files])
    if (pieces := place.current("pieces", made_of)) and place.current("rejects", made_of):
        return _report(pieces, was_current=True)
    parts = Parts(place, "parsed", fingerprint(root, settings.limits.model_dump(), version("symusic")), _PARSED)
    _parse_missing(fs, root, files, parts, settings.limits, progress)
    rows = _rows_of(files, parts)
    if not pc.any(pc.equal(rows["status"], ACCEPTED)).as_py():
        parts.discard()
        counts = ", ".join(f"{n} {reason}" for reason, n in Counter(rows["status"].to_pylist()).most_common())
        raise LibraryError(root, f"none of its MIDI files can be taken ({counts})", "name a folder that holds music")
    return _report(_commit(rows, place, settings, made_of), was_current=False)


def _parse_missing(
    fs: pafs.FileSystem, root: str, files: list[MidiFile], parts: Parts, limits: Limits, progress: Progress
) -> None:
    done = parts.table(["path", "size_bytes", "modified_ns"])
    parsed = set(zip(*(column.to_pylist() for column in done.columns), strict=True))
    missing = [f for f in files if (f.path, f.size_bytes, f.modified_ns) not in parsed]
    if not missing:
        return
    start_ray()
    import ray.data

    before = parts.n_rows()
    dataset = ray.data.from_items(
        [{"path": f.path, "size_bytes": f.size_bytes, "modified_ns": f.modified_ns} for f in missing],
        override_num_blocks=block_count(len(missing), FILES_PER_BLOCK),
    ).map_batches(lambda batch: parse_batch(batch, fs, root, limits), batch_format="pyarrow", batch_size=None)
    with polled(progress, "files", len(missing), lambda: parts.n_rows() - before):
        dataset.write_parquet(parts.folder, filesystem=parts.fs)


def parse_batch(batch: pa.Table, fs: pafs.FileSystem, root: str, limits: Limits) -> pa.Table:
    """Parse the files named by the columns path, size_bytes and modified_ns; one row each, whatever is wrong with it."""
    rows = [collect_file(fs, root, MidiFile(**file), limits) for file in batch.to_pylist()]
    return pa.Table.from_pylist(rows, schema=_PARSED)


def _rows_of(files: list[MidiFile], parts: Parts) -> pa.Table:
    """Rows of the files as they are now, sorted by path."""
    wanted = {(f.path, f.size_bytes, f.modified_ns) for f in files}
    rows = parts.table()
    keys = zip(*(rows[name].to_pylist() for name in ("path", "size_bytes", "modified_ns")), strict=True)
    return rows.filter(pa.array([key in wanted for key in keys], pa.bool_())).sort_by("path")


def _commit(rows: pa.Table, place: Workspace, settings: CollectSettings, made_of: str) -> Manifest:
    """Split rows into pieces and rejects; of several files with the same bytes the first by path is the piece."""
    good = rows.filter(pc.equal(rows["status"], ACCEPTED))
    bad = rows.filter(pc.not_equal(rows["status"], ACCEPTED)).select(["path", "status", "detail"])
    kept_as: dict[str, str] = {}
    ids_and_paths = list(zip(good["piece_id"].to_pylist(), good["path"].to_pylist(), strict=True))
    is_first = [kept_as.setdefault(piece_id, path) == path for piece_id, path in ids_and_paths]
    pieces = good.filter(pa.array(is_first))
    rejects = [
        {"path": row["path"], "stage": "collect", "reason": row["status"], "detail": row["detail"]}
        for row in bad.to_pylist()
    ] + [
        {"path": path, "stage": "collect", "reason": "duplicate", "detail": f"same content as {kept_as[piece_id]}"}
        for (piece_id, path), first in zip(ids_and_paths, is_first, strict=True)
        if not first
    ]
    by_reason = Counter(row["reason"] for row in rejects)
    facts = {
        "scanned": rows.num_rows,
        "rejected_by_reason": dict(by_reason.most_common()),
        "files_by_artist": dict(Counter(pieces["artist"].to_pylist()).most_common()),
    }
    place.write("rejects", pa.Table.from_pylist(rejects, schema=REJECTS), made_of, settings.model_dump(), {})
    return place.write("pieces", pieces, made_of, settings.model_dump(), facts)


def _report(pieces: Manifest, was_current: bool) -> CollectReport:
    by_reason = dict(pieces.facts["rejected_by_reason"])
    duplicates = by_reason.pop("duplicate", 0)
    return CollectReport(
        scanned=pieces.facts["scanned"],
        accepted=pieces.n_rows,
        duplicates=duplicates,
        rejected_by_reason=by_reason,
        files_by_artist=pieces.facts["files_by_artist"],
        was_current=was_current,
    )
