"""Rows that a stage has finished so far, as Parquet parts that Ray Data's tasks write: the memory that resuming needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from amt_ray.artifacts import Workspace
from amt_ray.errors import OutputError

PARQUET: dict[str, Any] = {"compression": "lz4", "use_dictionary": ["library", "artist", "genre", "status"]}
"""How rows with music are written: lz4 takes half the time of zstd, and dictionaries of files help nobody."""
_PARQUET_IN_PIECES = pads.ParquetFileFormat(pre_buffer=False)
"""How columns are read: with buffers for whole row groups, reading takes seven times the memory of what is read."""
PART = "__filename"
"""pyarrow's own column: the file that a row was read from."""


class RowCount:
    """Counts the rows of the Parquet files in a folder; a file that is half-written, or was left so, counts as none."""

    def __init__(self, fs: pafs.FileSystem, folder: str) -> None:
        self.fs, self.folder = fs, folder
        self.by_part: dict[str, int] = {}

    def __call__(self) -> int:
        """Count again; each file is opened once."""
        for info in self.fs.get_file_info(pafs.FileSelector(self.folder, allow_not_found=True)):
            if info.path.endswith(".parquet") and info.path not in self.by_part:
                try:
                    self.by_part[info.path] = pq.read_metadata(info.path, filesystem=self.fs).num_rows
                except (pa.ArrowInvalid, OSError):
                    continue
        return sum(self.by_part.values())


class Parts:
    """The folder `WORKSPACE/.parts/<stage>/<made_of>`; parts of other settings are thrown away.

    Raises OutputError when the workspace cannot be written.
    """

    def __init__(self, place: Workspace, stage: str, made_of: str, schema: pa.Schema) -> None:
        self.fs, self.schema = place.fs, schema
        self.folder = place.folder(".parts", stage, made_of)
        self.n_rows = RowCount(self.fs, self.folder)
        try:
            self.fs.create_dir(self.folder, recursive=True)
            for other in self.fs.get_file_info(pafs.FileSelector(place.folder(".parts", stage))):
                if other.path != self.folder:
                    self.fs.delete_dir(other.path)
        except OSError as exc:
            raise OutputError(place.root, exc.strerror or str(exc)) from exc

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read columns of the whole parts; `PART` is the file that a row is in."""
        self.n_rows()
        parts = sorted(self.n_rows.by_part)
        if not parts:
            return pa.schema([*self.schema, (PART, pa.string())]).empty_table().select(list(columns))
        rows = pads.dataset(parts, filesystem=self.fs, format=_PARQUET_IN_PIECES, schema=self.schema)
        return rows.to_table(columns=list(columns))

    def add(self, rows: pa.Table) -> None:
        """Write rows as one more part. Raises OutputError."""
        self.n_rows()
        try:
            pq.write_table(rows, f"{self.folder}/added-{len(self.n_rows.by_part):06}.parquet", filesystem=self.fs)
        except OSError as exc:
            raise OutputError(self.folder, exc.strerror or str(exc)) from exc

    def discard(self) -> None:
        """Delete the parts, and the workspace with them if it holds nothing else."""
        self.fs.delete_dir(self.folder)
        for folder in (self.folder.rsplit("/", depth)[0] for depth in (1, 2, 3)):
            if self.fs.get_file_info(pafs.FileSelector(folder)):
                return
            self.fs.delete_dir(folder)
