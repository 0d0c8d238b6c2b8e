"""One file to one row: the whole of collecting, for one file, without Ray."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow.fs as pafs

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.features import check_limits, measure
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.scan import MidiFile, describe_path

ACCEPTED = "accepted"


def collect_file(fs: pafs.FileSystem, root: str, file: MidiFile, limits: Limits) -> dict[str, Any]:
    """Read and measure a file of the library at `root`.

    Returns the columns of `pieces`, `status` ("accepted" or a reject reason), `detail`, and the file's size and time.
    Never raises for a bad file: what is wrong with it is its row's status.
    """
    row = {"path": file.path, "size_bytes": file.size_bytes, "modified_ns": file.modified_ns, "detail": ""}
    try:
        return row | {"status": ACCEPTED} | _piece(file.path, _read(fs, root, file, limits), limits)
    except InvalidPiece as exc:
        return row | {"status": exc.reason, "detail": exc.detail}


def _read(fs: pafs.FileSystem, root: str, file: MidiFile, limits: Limits) -> bytes:
    if file.size_bytes > limits.max_file_bytes:
        raise InvalidPiece("too_large", f"{file.size_bytes} bytes > {limits.max_file_bytes}")
    try:
        with fs.open_input_stream(f"{root}/{file.path}") as stream:
            data: bytes = stream.read()
    except OSError as exc:
        raise InvalidPiece("unreadable", exc.strerror or str(exc)) from exc
    return data


def _piece(path: str, data: bytes, limits: Limits) -> dict[str, Any]:
    features = measure(parse_midi(data))
    check_limits(features, limits)
    artist, title, genre = describe_path(path)
    named = {"artist": artist, "title": title, "genre": genre, "source": "", "licence": ""}
    return {"piece_id": hashlib.sha256(data).hexdigest(), **named, "midi": data, **features.as_row()}
