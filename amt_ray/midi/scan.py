"""Which MIDI files a library holds: folders on this machine, `s3://` and other pyarrow filesystems, zip archives in them.

Nothing stops a scan but a library that is not there: what cannot be listed or read is found, too, with its problem.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow.fs as pafs

from amt_ray.artifacts import filesystem_of, without_secrets
from amt_ray.errors import LibraryError

MIDI_SUFFIXES = (".mid", ".midi", ".kar")
ARCHIVE_SUFFIX = ".zip"
NOT_IN_ARCHIVE = -1


@dataclass(frozen=True, slots=True)
class MidiFile:
    """A file that was found, or a folder or archive that could not be looked into (then `problem` says why)."""

    library: str
    """The root it was found under: an absolute path, or a URI without keys."""
    path: str
    """Relative to the library, with forward slashes: `Artist/Title.mid`, `archive.zip/Artist/Title.mid`. Bytes of a name
    that are not UTF-8 are shown as `\\xe9`."""
    size_bytes: int
    modified_ns: int
    location: bytes
    """Where the file, or the archive that it is in, lies under the library: the name's own bytes."""
    member: int = NOT_IN_ARCHIVE
    """Its place in the archive's directory."""
    problem: str = ""

    @property
    def readable_path(self) -> str:
        """The path for a person: a name that is not UTF-8 is taken for Western European (Windows code page 1252)."""
        within = self.path[len(_shown(self.location)) :]
        return self.path if _is_utf8(self.location) else self.location.decode("cp1252", "replace") + within


class Library:
    """A folder of MIDI files, local or on a filesystem that pyarrow knows."""

    def __init__(self, root: str) -> None:
        self.fs, self.path = filesystem_of(root)
        self.is_local = isinstance(self.fs, pafs.LocalFileSystem)
        self.root = self.path if self.is_local else without_secrets(root).rstrip("/")

    def scan(self) -> list[MidiFile]:
        """Find all MIDI files (.mid, .midi, .kar in any case; in .zip archives, too), sorted by path.

        Links are followed, each folder is looked into once. Raises LibraryError if the library is missing, unreadable, not
        a folder, or holds no MIDI file.
        """
        kind = self.fs.get_file_info(self.path).type
        if kind != pafs.FileType.Directory:
            problem = "there is no such folder" if kind == pafs.FileType.NotFound else "it is not a folder"
            raise LibraryError(self.root, problem, "name a folder of MIDI files, or make one with `amt corpus`")
        try:
            listed = self._walk_local() if self.is_local else self._walk_remote()
            files = [found for file in listed for found in self._unpacked(file)]
        except OSError as exc:
            raise LibraryError(self.root, f"cannot be read ({_reason(exc)})", "name a folder that you may read") from exc
        if not files:
            suffixes = ", ".join((*MIDI_SUFFIXES, ARCHIVE_SUFFIX))
            raise LibraryError(self.root, f"no MIDI file in it ({suffixes})", "name a folder that holds some")
        return sorted(files, key=lambda file: file.path)

    def open(self, location: bytes) -> BinaryIO:
        """Open what lies at `location`, seekable. Raises OSError."""
        if self.is_local:
            return open(os.path.join(os.fsencode(self.path), location), "rb")
        return cast("BinaryIO", self.fs.open_input_file(f"{self.path}/{location.decode()}"))

    def _walk_local(self) -> Iterator[MidiFile]:
        """List with the system's bytes: pyarrow cannot name files whose names are not UTF-8."""
        root = os.fsencode(self.path)
        folders, links = [b""], list[bytes]()
        seen = set[tuple[int, int]]()
        while folders or links:
            # Links come last, so that a folder goes by its own name where it has one.
            folder = folders.pop() if folders else links.pop(0)
            try:
                about = os.stat(os.path.join(root, folder))
                if (about.st_dev, about.st_ino) in seen:
                    continue
                seen.add((about.st_dev, about.st_ino))
                entries = sorted(os.scandir(os.path.join(root, folder)), key=lambda entry: entry.name)
            except OSError as exc:
                if not folder:
                    raise
                yield self._problem(folder, f"folder: {_reason(exc)}")
                continue
            for entry in entries:
                location = os.path.join(folder, entry.name)
                if _is_folder(entry):
                    (links if entry.is_symlink() else folders).append(location)
                elif _is_wanted(entry.name.lower()):
                    yield self._found(entry, location)

    def _found(self, entry: os.DirEntry[bytes], location: bytes) -> MidiFile:
        try:
            about = entry.stat()
        except OSError as exc:
            return self._problem(location, _reason(exc))
        if not stat.S_ISREG(about.st_mode):
            return self._problem(location, "not a regular file")
        return MidiFile(self.root, _shown(location), about.st_size, about.st_mtime_ns, location)

    def _walk_remote(self) -> Iterator[MidiFile]:
        for info in self.fs.get_file_info(pafs.FileSelector(self.path, recursive=True)):
            path = info.path[len(self.path) :].lstrip("/")
            if info.type == pafs.FileType.File and _is_wanted(path.lower().encode()):
                yield MidiFile(self.root, path, info.size, info.mtime_ns or 0, path.encode())

    def _unpacked(self, file: MidiFile) -> Iterator[MidiFile]:
        """The MIDI files in an archive, for an archive; else the file itself."""
        if file.problem or not file.location.lower().endswith(ARCHIVE_SUFFIX.encode()):
            yield file
            return
        try:
            with self.open(file.location) as stream, zipfile.ZipFile(stream) as archive:
                infos = archive.infolist()
        # zipfile raises these, and more kinds than it says, for what is not an archive, or not one that it can read.
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, EOFError) as exc:
            yield self._problem(file.location, f"zip archive: {_reason(exc)}")
            return
        taken = set[str]()
        for member, info in enumerate(infos):
            if info.is_dir() or not _is_wanted(info.filename.lower().encode(errors="replace")):
                continue
            path = f"{file.path}/{_member_name(info)}"
            path = f"{path}#{member}" if path in taken else path
            taken.add(path)
            yield MidiFile(self.root, path, info.file_size, file.modified_ns, file.location, member, _member_problem(info))

    def _problem(self, location: bytes, problem: str) -> MidiFile:
        return MidiFile(self.root, _shown(location), 0, 0, location, problem=problem)


def _is_wanted(name: bytes) -> bool:
    return name.endswith((*(suffix.encode() for suffix in MIDI_SUFFIXES), ARCHIVE_SUFFIX.encode()))


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(location: bytes) -> str:
    return location.decode("utf-8", "backslashreplace").replace(os.sep, "/")


def _member_name(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag are mostly UTF-8 all the same; zipfile reads them as code page 437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _member_problem(info: zipfile.ZipInfo) -> str:
    if info.filename.lower().endswith(ARCHIVE_SUFFIX):
        return "an archive within an archive; unpack the outer one"
    return "encrypted" if info.flag_bits & 0x1 else ""


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
