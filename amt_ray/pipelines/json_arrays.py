"""JSON files that are one array each, written as their elements come, and all put in their places together.

An element is one line. Numbers are as short as they can be and still mean the same: 0.1, not 0.10000000149011612.
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


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written, and how many objects it holds."""

    path: str
    n_objects: int
    size_bytes: int


class JsonArray:
    """A JSON array that is written to PATH.partial as its elements come."""

    def __init__(self, folder: Workspace, name: str) -> None:
        self.fs, self.path, self.shown_path = folder.fs, folder.folder(name), f"{folder.root.rstrip('/')}/{name}"
        self.stream = self.fs.open_output_stream(f"{self.path}.partial")
        self.n_elements = self.size_bytes = 0

    def extend(self, elements: Iterable[Mapping[str, Any]]) -> None:
        """Append objects; what is not a number becomes null."""
        self.extend_lines([json_line(element) for element in elements])

    def extend_lines(self, lines: list[str]) -> None:
        """Append elements that are JSON already, each without a line break."""
        if lines:
            self._write((",\n" if self.n_elements else "[\n") + ",\n".join(lines))
            self.n_elements += len(lines)

    def written(self) -> ExportedFile:
        """What has been written so far."""
        return ExportedFile(self.shown_path, self.n_elements, self.size_bytes)

    def end(self) -> None:
        """Close the array and the file."""
        self._write("\n]\n" if self.n_elements else "[]\n")
        self.stream.close()

    def publish(self) -> None:
        """Put the file in its place."""
        self.fs.move(f"{self.path}.partial", self.path)

    def abandon(self) -> None:
        """Remove what was written; a file that was in its place stays."""
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            self.fs.delete_file(f"{self.path}.partial")

    def _write(self, text: str) -> None:
        data = text.encode()
        self.stream.write(data)
        self.size_bytes += len(data)


@contextlib.contextmanager
def json_arrays(folder: Workspace, names: Iterable[str]) -> Iterator[dict[str, JsonArray]]:
    """Open arrays by file name, put in their places when the block ends; when it fails, what was there before stays.

    Raises OutputError where the folder cannot be written.
    """
    arrays: dict[str, JsonArray] = {}
    try:
        folder.fs.create_dir(folder.path, recursive=True)
        for name in names:
            arrays[name] = JsonArray(folder, name)
        yield arrays
        for array in arrays.values():
            array.end()
        for array in arrays.values():
            array.publish()
    except BaseException as exc:
        for array in arrays.values():
            array.abandon()
        if isinstance(exc, OSError):
            raise OutputError(folder.root, exc.strerror or str(exc)) from exc
        raise


def json_line(element: Mapping[str, Any]) -> str:
    """Write an object as JSON on a line; what is not a number becomes null."""
    try:
        return json.dumps(element, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(element), ensure_ascii=False)


def short_doubles(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Turn float32 columns, and lists of float32, into float64 ones that print as short as what they were."""
    for index, field in enumerate(batch.schema):
        column = batch.column(index)
        if field.type == pa.float32():
            batch = batch.set_column(index, field.name, column.cast(pa.string()).cast(pa.float64()))
        elif field.type == pa.list_(pa.float32()):
            texts = column.cast(pa.list_(pa.string()))
            batch = batch.set_column(index, field.name, texts.cast(pa.list_(pa.float64())))
    return batch


def number_lists(vectors: pa.ListArray) -> list[str]:
    """Write each list of float32 as a JSON array, without Python's numbers, which take longer; what is none becomes null."""
    joined = pc.binary_join(vectors.cast(pa.list_(pa.string())), ",")
    return [f"[{numbers}]" for numbers in pc.replace_substring_regex(joined, "-?(nan|inf)", "null").to_pylist()]


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
