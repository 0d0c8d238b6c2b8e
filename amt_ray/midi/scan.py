"""Which MIDI files a folder holds, and whose music each is by its path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow.fs as pafs

from amt_ray.errors import LibraryError

MIDI_SUFFIXES = (".mid", ".midi", ".kar")


@dataclass(frozen=True)
class MidiFile:
    """A file that was found: `path` is relative to the library's root, with forward slashes."""

    path: str
    size_bytes: int
    modified_ns: int


def scan(fs: pafs.FileSystem, root: str) -> list[MidiFile]:
    """Find all MIDI files (.mid, .midi, .kar in any case) under `root`, sorted by path.

    Raises LibraryError if the folder is missing, unreadable, not a folder, or holds no MIDI file.
    """
    kind = fs.get_file_info(root).type
    if kind != pafs.FileType.Directory:
        problem = "there is no such folder" if kind == pafs.FileType.NotFound else "it is not a folder"
        raise LibraryError(root, problem, "name a folder of MIDI files, or make one with `amt corpus`")
    try:
        found = fs.get_file_info(pafs.FileSelector(root, recursive=True))
        files = [
            MidiFile(info.path[len(root) :].lstrip("/"), info.size, info.mtime_ns or 0)
            for info in found
            if info.type == pafs.FileType.File and info.path.lower().endswith(MIDI_SUFFIXES)
        ]
    except OSError as exc:
        raise LibraryError(root, f"cannot be read ({exc.strerror or exc})", "name a folder that you may read") from exc
    except UnicodeDecodeError as exc:
        named = exc.object.decode(errors="backslashreplace")
        raise LibraryError(root, f"the name of {named} is not UTF-8", "rename that file") from exc
    if not files:
        suffixes = ", ".join(MIDI_SUFFIXES)
        raise LibraryError(root, f"no MIDI file in it ({suffixes})", "name a folder that holds some")
    return sorted(files, key=lambda file: file.path)


def describe_path(path: str) -> tuple[str, str, str]:
    """Return (artist, title, genre) from a relative path: `…/Genre/Artist/Title`, `Artist/Title` or `Artist - Title`.

    Whatever the path does not tell is "". Underscores become spaces, a copy's number at the end ("song_2") is cut off.
    """
    parts = PurePosixPath(path)
    folders = [_words(part) for part in parts.parts[:-1]]
    title = _words(parts.stem)
    if not folders and " - " in title:
        artist, title = title.split(" - ", 1)
        return artist.strip(), title.strip(), ""
    return folders[-1] if folders else "", title, folders[-2].replace("-", " ") if len(folders) > 1 else ""


def _words(part: str) -> str:
    spaced = re.sub(r"\s+", " ", part.replace("_", " ")).strip()
    return re.sub(r"(?<=[A-Za-z]) (?:\(\d\)|\d)$", "", spaced) if "_" in part else spaced
