"""One file to one row: the whole of collecting, for one file, without Ray."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.features import measure
from amt_ray.midi.fingerprint import sketch
from amt_ray.midi.naming import clean_title, describe_path, is_placeholder
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.scan import NOT_IN_ARCHIVE, Library, MidiFile
from amt_ray.midi.texts import read_texts

ACCEPTED = "accepted"
Read = Callable[[MidiFile], bytes]
"""A file's bytes; raises InvalidPiece with reason unreadable."""


class Reader:
    """Reads files of libraries; keeps the archive open that it read from last."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        self.libraries = {library.root: library for library in libraries}
        self.archive: tuple[tuple[str, bytes], zipfile.ZipFile] | None = None

    def __call__(self, file: MidiFile) -> bytes:
        """Return a file's bytes, no more than it had when it was found. Raises InvalidPiece with reason unreadable."""
        library = self.libraries[file.library]
        try:
            if file.member == NOT_IN_ARCHIVE:
                with library.open(file.location) as stream:
                    return stream.read(file.size_bytes)
            archive = self._archive(library, file)
            with archive.open(archive.infolist()[file.member]) as member:
                return member.read(file.size_bytes)
        # zipfile says of a damaged or unknown member with these.
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, IndexError, EOFError) as exc:
            raise InvalidPiece("unreadable", getattr(exc, "strerror", None) or str(exc) or type(exc).__name__) from exc

    def _archive(self, library: Library, file: MidiFile) -> zipfile.ZipFile:
        key = (file.library, file.location)
        if self.archive is None or self.archive[0] != key:
            self.close()
            self.archive = key, zipfile.ZipFile(library.open(file.location))
        return self.archive[1]

    def close(self) -> None:
        """Close the archive that is open, if one is."""
        if self.archive is not None:
            stream = self.archive[1].fp
            self.archive[1].close()
            if stream is not None:
                stream.close()
            self.archive = None

    def __enter__(self) -> Reader:
        """Return the reader, which closes at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def collect_file(file: MidiFile, read: Read, limits: Limits) -> dict[str, Any]:
    """Read and measure a file.

    Returns the columns of `pieces` that the file itself tells, `sketch` (see `amt_ray.midi.fingerprint`), `status`
    ("accepted" or a reject reason), `detail`, and the file's size and time. Never raises for a bad file: what is wrong with
    it is its row's status.
    """
    row = {"library": file.library, "path": file.path, "size_bytes": file.size_bytes, "modified_ns": file.modified_ns}
    try:
        return row | {"status": ACCEPTED, "detail": ""} | _piece(file, _bytes(file, read, limits), limits)
    except InvalidPiece as exc:
        return row | {"status": exc.reason, "detail": exc.detail}


def _bytes(file: MidiFile, read: Read, limits: Limits) -> bytes:
    if file.problem:
        raise InvalidPiece("unreadable", file.problem)
    if file.size_bytes > limits.max_file_bytes:
        raise InvalidPiece("too_large", f"{file.size_bytes} bytes > {limits.max_file_bytes}")
    data = read(file)
    if (n_tracks := data.count(b"MTrk")) > limits.max_tracks:
        raise InvalidPiece("too_many_tracks", f"{n_tracks} > {limits.max_tracks}")
    return data


def _piece(file: MidiFile, data: bytes, limits: Limits) -> dict[str, Any]:
    piece = parse_midi(data)
    features = measure(piece, limits)
    texts = read_texts(data)
    artist, title, genre = describe_path(file.readable_path)
    return {
        "piece_id": hashlib.sha256(data).hexdigest(),
        "artist": artist or texts.artist,
        "title": clean_title(texts.title) if texts.title and is_placeholder(title) else title,
        "genre": genre,
        "source": "",
        "licence": "",
        "lyrics": texts.lyrics or None,
        "midi": data,
        **features.as_row(),
        "sketch": sketch(piece),
    }
