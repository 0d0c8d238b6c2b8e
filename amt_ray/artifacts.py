"""The workspace: a folder (or `s3://…`) of artefacts, each written whole or not at all.

    WORKSPACE/pieces/manifest.json          the commit point: names the version and says what is in it
    WORKSPACE/pieces/<version>/*.parquet    the rows

A stage writes a new version beside the old one and then replaces the manifest; a reader sees the old rows or the new ones.
An artefact is current when its manifest's fingerprint is that of the settings and inputs that it would be made of again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.schemas import SCHEMA_VERSION, SCHEMAS

MADE_BY = {
    "pieces": "amt collect",
    "rejects": "amt collect",
    "articles": "amt collect",
    "captions": "amt prepare",
    "embeddings": "amt prepare",
    "styles": "amt prepare",
    "style_of_piece": "amt prepare",
    "sequences": "amt prepare",
}


@dataclass(frozen=True)
class Manifest:
    """What an artefact is made of and what it holds."""

    fingerprint: str
    version: str
    n_rows: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the stage counted: rejects by reason, silhouette by K, tokens, the encoder's fingerprint."""
    schema_version: int = SCHEMA_VERSION


def fingerprint(*parts: object) -> str:
    """Hash settings and inputs (anything JSON can hold) to 16 hex digits; the same on every machine."""
    text = json.dumps([SCHEMA_VERSION, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Workspace:
    """The artefacts under one root, a local path or a URI that pyarrow.fs understands."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.fs, self.path = filesystem_of(root)

    def folder(self, *names: str) -> str:
        """Path of something in the workspace, for `self.fs`."""
        return "/".join([self.path, *names])

    def manifest(self, name: str) -> Manifest | None:
        """Read an artefact's manifest; None if it was never made. Raises WorkspaceError for another schema version."""
        path = self.folder(name, "manifest.json")
        if self.fs.get_file_info(path).type == pafs.FileType.NotFound:
            return None
        with self.fs.open_input_stream(path) as stream:
            raw = _decoded(self.root, path, stream.read())
        if raw.get("schema_version") != SCHEMA_VERSION:
            raise WorkspaceError(
                self.root,
                f"{name} has schema version {raw.get('schema_version')}, this amt_ray reads version {SCHEMA_VERSION}",
                "make it again in a new folder with `amt collect`",
            )
        try:
            return Manifest(**raw)
        except TypeError as exc:
            raise _damaged(self.root, path, exc) from exc

    def current(self, name: str, made_of: str) -> Manifest | None:
        """Return the manifest if the artefact was made of exactly `made_of` (a fingerprint), else None."""
        manifest = self.manifest(name)
        return manifest if manifest is not None and manifest.fingerprint == made_of else None

    def need(self, name: str) -> Manifest:
        """Return the manifest of an artefact that must be there. Raises WorkspaceError saying which command makes it."""
        manifest = self.manifest(name)
        if manifest is None:
            raise WorkspaceError(self.root, f"it has no {name} yet", f"run `{MADE_BY[name]}` first")
        return manifest

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a committed artefact into memory, all of it or some columns."""
        return self.rows(name, self.need(name).version, columns)

    def rows(self, name: str, version: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one version of an artefact, committed or not. Raises WorkspaceError where its files are gone or damaged."""
        folder = self.folder(name, version)
        try:
            files = pads.dataset(folder, filesystem=self.fs, format="parquet", schema=SCHEMAS[name])
            return files.to_table(columns=list(columns) if columns is not None else None)
        except (OSError, pa.ArrowInvalid) as exc:
            raise _damaged(self.root, folder, exc) from exc

    def begin(self, name: str, made_of: str) -> str:
        """Make and return an empty folder for a new version's Parquet files; not seen by readers until `commit`."""
        folder, manifest = self.folder(name, made_of), self.manifest(name)
        try:
            if manifest is not None and manifest.version == made_of:  # else it would promise rows that are being cleared
                self.fs.delete_file(self.folder(name, "manifest.json"))
            self.fs.create_dir(folder, recursive=True)
            self.fs.delete_dir_contents(folder)
        except OSError as exc:
            raise OutputError(self.root, _reason(exc)) from exc
        return folder

    def commit(self, name: str, manifest: Manifest) -> None:
        """Make a version the current one, and delete the others."""
        self.write_bytes(f"{name}/manifest.json", json.dumps(asdict(manifest), indent=1).encode())
        versions = self.fs.get_file_info(pafs.FileSelector(self.folder(name)))
        for info in versions:
            if info.type == pafs.FileType.Directory and info.base_name != manifest.version:
                self.fs.delete_dir(info.path)

    def write(
        self, name: str, rows: pa.Table, made_of: str, settings: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> Manifest:
        """Write a whole small artefact from one table, cast to its schema, and commit it."""
        folder = self.begin(name, made_of)
        table = rows.select(SCHEMAS[name].names).cast(SCHEMAS[name])
        try:
            pq.write_table(table, f"{folder}/part-0.parquet", filesystem=self.fs)
        except OSError as exc:
            raise OutputError(self.root, _reason(exc)) from exc
        manifest = Manifest(made_of, made_of, rows.num_rows, settings, facts)
        self.commit(name, manifest)
        return manifest

    def write_bytes(self, name: str, data: bytes) -> None:
        """Put a file into the workspace whole or not at all. Raises OutputError."""
        path = self.folder(name)
        try:
            self.fs.create_dir(path.rsplit("/", 1)[0], recursive=True)
            with self.fs.open_output_stream(path + ".partial") as stream:
                stream.write(data)
            self.fs.move(path + ".partial", path)
        except OSError as exc:
            raise OutputError(path, _reason(exc)) from exc


def write_file(path: str | Path, data: bytes) -> None:
    """Write a local file whole or not at all, making its folder if need be. Raises OutputError."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as exc:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OutputError(str(path), _reason(exc)) from exc


def filesystem_of(root: str) -> tuple[pafs.FileSystem, str]:
    """Return pyarrow's filesystem for a local path or a URI, and the path within it."""
    if "://" in root:
        fs, path = pafs.FileSystem.from_uri(root)
        return fs, path.rstrip("/")
    return pafs.LocalFileSystem(), str(Path(root).expanduser().absolute())


def without_secrets(root: str) -> str:
    """Return a URI without user, password and query, which may hold keys; a local path as it is."""
    parts = urlsplit(root)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if "://" in root else root


def _decoded(root: str, path: str, data: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(data)
    except ValueError as exc:
        raise _damaged(root, path, exc) from exc
    return raw if isinstance(raw, dict) else {}


def _damaged(root: str, path: str, exc: Exception) -> WorkspaceError:
    detail = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
    return WorkspaceError(root, f"{path} is damaged ({detail})", "make it again in a new folder")


def _reason(exc: OSError) -> str:
    return (exc.strerror or str(exc)).strip().rstrip(".")
