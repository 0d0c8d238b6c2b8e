"""A workspace's pieces as JSON that other programs read: `midi_metadata_list.json` and `automated_paired_data.json`.

Each is one array with an object a piece, in the order of `pieces`: every column but `midi` under its own name (units as in
`amt_ray.schemas`), `file_path`, and the programs' names as `instruments`. The second has only the pieces that an article was
found for, on the song or on its artist, with its summary as `description` and, under `article`, the attribution that its
licence asks for. Captions written from the music's features are not among them: they say nothing that the columns do not.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.errors import OutputError
from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.pipelines.batches import batches
from amt_ray.schemas import ARTICLES, PIECES

METADATA_FILE, PAIRED_FILE = "midi_metadata_list.json", "automated_paired_data.json"
PIECES_PER_JOIN = 50_000
"""Pieces that are held at once with their articles; the articles are read once for each so many."""
_PIECE_COLUMNS = [name for name in PIECES.names if name != "midi"]
_ATTRIBUTION = ("status", "confidence", "page_title", "page_url", "revision_id", "licence", "fetched_at")
_ARTICLE_COLUMNS = ["piece_id", "extract", *_ATTRIBUTION]


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written, and how many pieces it names."""

    path: str
    n_pieces: int
    size_bytes: int


@dataclass(frozen=True)
class ExportReport:
    """What was written."""

    metadata: ExportedFile
    paired: ExportedFile


def export_json(workspace: str, out: str | None = None) -> ExportReport:
    """Write both files into a folder (or `s3://…`), the workspace by default; they appear when both are complete.

    Raises WorkspaceError where there are no pieces, OutputError where the folder cannot be written.
    """
    place = Workspace(workspace)
    place.need("pieces")
    folder = place if out is None else Workspace(out)
    with _arrays(folder, (METADATA_FILE, PAIRED_FILE)) as (metadata, paired):
        for pieces in _runs(batches(place, "pieces", _PIECE_COLUMNS)):
            articles = _articles_of(place, pieces["piece_id"].combine_chunks())
            for batch in pieces.to_batches():
                rows = [metadata_of(row) for row in _shortest_floats(batch).to_pylist()]
                found = articles.take(pc.index_in(batch["piece_id"], articles["piece_id"])).to_pylist()
                metadata.extend(rows)
                paired.extend(pair_of(row, article) for row, article in zip(rows, found, strict=True) if article["extract"])
    return ExportReport(metadata.written(), paired.written())


def metadata_of(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `pieces` without `midi` as it is exported: with `file_path` and `instruments`."""
    parts = (piece["library"], piece["path"])
    names = [INSTRUMENTS[program] for program in piece["programs"] or ()]
    return {"file_path": "/".join(part.rstrip("/") for part in parts if part), **piece, "instruments": names}


def pair_of(metadata: Mapping[str, Any], article: Mapping[str, Any]) -> dict[str, Any]:
    """Join a piece's metadata with its article: `description`, and `article` with what attribution needs."""
    attribution = {name: article[name] for name in _ATTRIBUTION}
    return {**metadata, "description": article["extract"], "article": attribution}


class _Array:
    """A JSON array that is written to PATH.partial as its elements come, one a line."""

    def __init__(self, folder: Workspace, name: str) -> None:
        self.fs, self.path, self.shown_path = folder.fs, folder.folder(name), f"{folder.root.rstrip('/')}/{name}"
        self.stream = self.fs.open_output_stream(f"{self.path}.partial")
        self.n_elements = self.size_bytes = 0

    def extend(self, elements: Iterable[Mapping[str, Any]]) -> None:
        lines = [_json(element) for element in elements]
        if lines:
            self._write((",\n" if self.n_elements else "[\n") + ",\n".join(lines))
            self.n_elements += len(lines)

    def end(self) -> None:
        self._write("\n]\n" if self.n_elements else "[]\n")
        self.stream.close()

    def publish(self) -> None:
        self.fs.move(f"{self.path}.partial", self.path)

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            self.fs.delete_file(f"{self.path}.partial")

    def written(self) -> ExportedFile:
        return ExportedFile(self.shown_path, self.n_elements, self.size_bytes)

    def _write(self, text: str) -> None:
        data = text.encode()
        self.stream.write(data)
        self.size_bytes += len(data)


@contextlib.contextmanager
def _arrays(folder: Workspace, names: Iterable[str]) -> Iterator[list[_Array]]:
    """Open arrays that are put in their places when the block ends; when it fails, what was there before stays."""
    arrays: list[_Array] = []
    try:
        folder.fs.create_dir(folder.path, recursive=True)
        arrays.extend(_Array(folder, name) for name in names)
        yield arrays
        for array in arrays:
            array.end()
        for array in arrays:
            array.publish()
    except BaseException as exc:
        for array in arrays:
            array.abandon()
        if isinstance(exc, OSError):
            raise OutputError(folder.root, exc.strerror or str(exc)) from exc
        raise


def _runs(pieces: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put batches together to tables of about PIECES_PER_JOIN rows."""
    run: list[pa.RecordBatch] = []
    for batch in pieces:
        run.append(batch)
        if sum(part.num_rows for part in run) >= PIECES_PER_JOIN:
            yield pa.Table.from_batches(run)
            run = []
    if run:
        yield pa.Table.from_batches(run)


def _articles_of(place: Workspace, piece_ids: pa.Array) -> pa.Table:
    """Read the articles of some pieces, on the song or the artist; no rows where no articles were looked for."""
    schema = pa.schema([ARTICLES.field(name) for name in _ARTICLE_COLUMNS])
    if place.manifest("articles") is None:
        return schema.empty_table()
    found = (
        batch.filter(
            pc.and_(pc.is_in(batch["piece_id"], piece_ids), pc.is_in(batch["status"], pa.array(["song", "artist"])))
        )
        for batch in batches(place, "articles", _ARTICLE_COLUMNS)
    )
    return pa.Table.from_batches(found, schema)


def _shortest_floats(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Turn float32 lists into float64 ones that print as short as what they were: 0.1, not 0.10000000149011612."""
    texts, doubles = pa.list_(pa.string()), pa.list_(pa.float64())
    for index, field in enumerate(batch.schema):
        if field.type == pa.list_(pa.float32()):
            batch = batch.set_column(index, field.name, batch.column(index).cast(texts).cast(doubles))
    return batch


def _json(element: Mapping[str, Any]) -> str:
    """Write an object as JSON on a line; what is not a number becomes null."""
    try:
        return json.dumps(element, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(element), ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
