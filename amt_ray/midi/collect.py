"""Files to rows: the whole of collecting, without Ray."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.batch import grouped, lay_out
from amt_ray.midi.features import check_duration, check_notes, measure_all
from amt_ray.midi.fingerprint import sketches
from amt_ray.midi.naming import clean_title, describe_path, is_placeholder
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.piece import Piece
from amt_ray.midi.rhythm import MAX_BEATS
from amt_ray.midi.scan import NOT_IN_ARCHIVE, Library, MidiFile
from amt_ray.midi.texts import read_texts

ACCEPTED = "accepted"
NOTES_AT_ONCE = 2**15
"""So many are measured together: fewer, and numpy's calls cost more; more, and they leave the processor's caches."""
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


@dataclass
class _Case:
    """What is known of a file so far."""

    file: MidiFile
    status: str = ACCEPTED
    detail: str = ""
    data: bytes = b""
    piece: Piece | None = None
    columns: dict[str, Any] = field(default_factory=dict)

    def weight(self) -> int:
        """What of memory measuring takes: notes, and beats, of which a damaged file may have many."""
        piece = self.piece
        return len(piece.notes) + min(piece.end_ticks // piece.ticks_per_quarter, MAX_BEATS) if piece else 0

    def row(self) -> dict[str, Any]:
        file = self.file
        known = {"library": file.library, "path": file.path, "size_bytes": file.size_bytes, "modified_ns": file.modified_ns}
        return known | {"status": self.status, "detail": self.detail} | (self.columns if self.status == ACCEPTED else {})


def collect_files(files: Sequence[MidiFile], read: Read, limits: Limits) -> list[dict[str, Any]]:
    """Read and measure files, a row each.

    A row has the columns of `pieces` that the file itself tells, `sketch` (see `amt_ray.midi.fingerprint`), `status`
    ("accepted" or a reject reason), `detail`, and the file's size and time. Never raises for a bad file: what is wrong with
    it is its row's status.
    """
    cases = [_Case(file) for file in files]
    # Step by step, not file by file: code that was just run is in the processor's caches, which saves a fifth of the time.
    for step in (_load, _parse, _name):
        _each(step, cases, read, limits)
    pieces = [case for case in cases if case.status == ACCEPTED]
    for group in grouped(pieces, (case.weight() for case in pieces), NOTES_AT_ONCE):
        _attempt(_measure, group)
    _each(_limit, cases, read, limits)
    return [case.row() for case in cases]


def _each(step: Callable[[_Case, Read, Limits], None], cases: Iterable[_Case], read: Read, limits: Limits) -> None:
    for case in cases:
        if case.status == ACCEPTED:
            _attempt(lambda alone: step(alone[0], read, limits), [case])


def _attempt(step: Callable[[Sequence[_Case]], None], cases: Sequence[_Case]) -> None:
    """Take a step with several files together; if that fails, with each alone, so that the row of the culprit says why."""
    try:
        step(cases)
    # A fault of ours that one file in a hundred thousand brings to light is its row, not the end of the job.
    except Exception as exc:
        if len(cases) > 1:
            for case in cases:
                _attempt(step, [case])
        elif isinstance(exc, InvalidPiece):
            cases[0].status, cases[0].detail = exc.reason, exc.detail
        else:
            cases[0].status, cases[0].detail = "crash", f"{type(exc).__name__}: {exc}"


def _load(case: _Case, read: Read, limits: Limits) -> None:
    file = case.file
    if file.problem:
        raise InvalidPiece("unreadable", file.problem)
    if file.size_bytes > limits.max_file_bytes:
        raise InvalidPiece("too_large", f"{file.size_bytes} bytes > {limits.max_file_bytes}")
    case.data = read(file)
    if (n_tracks := case.data.count(b"MTrk")) > limits.max_tracks:
        raise InvalidPiece("too_many_tracks", f"{n_tracks} > {limits.max_tracks}")


def _parse(case: _Case, read: Read, limits: Limits) -> None:
    piece = parse_midi(case.data)
    check_notes(len(piece.notes), limits)
    case.piece = piece


def _name(case: _Case, read: Read, limits: Limits) -> None:
    texts = read_texts(case.data)
    artist, title, genre = describe_path(case.file.readable_path)
    case.columns = {
        "piece_id": hashlib.sha256(case.data).hexdigest(),
        "artist": artist or texts.artist,
        "title": clean_title(texts.title) if texts.title and is_placeholder(title) else title,
        "genre": genre,
        "lyrics": texts.lyrics or None,
        "source": "",
        "licence": "",
        "midi": case.data,
    }


def _measure(cases: Sequence[_Case]) -> None:
    batch = lay_out([case.piece for case in cases if case.piece])
    columns = measure_all(batch) | {"sketch": list(sketches(batch))}
    for case, values in zip(cases, zip(*columns.values(), strict=True), strict=True):
        case.columns |= zip(columns, values, strict=True)


def _limit(case: _Case, read: Read, limits: Limits) -> None:
    check_duration(case.columns["duration_s"], limits)
