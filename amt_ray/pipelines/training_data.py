"""A workspace's artefacts as training data: mapped from a node's disk, or a folder that a machine without Ray trains on."""

from __future__ import annotations

import getpass
import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.fs as pafs

from amt_ray.artifacts import Workspace, fingerprint
from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.pipelines.batches import batches
from amt_ray.training.portable import save_portable
from amt_ray.training.rows import TrainingData
from amt_ray.training.shards import kept_shards


@dataclass(frozen=True)
class PackReport:
    """What was written."""

    n_windows: int
    n_events: int
    n_bytes: int


def need_prepared(place: Workspace) -> tuple[str, str]:
    """Return the versions of the sequences and the embeddings. Raises WorkspaceError where the styles are not of both."""
    sequences, embeddings, styles = (place.need(name) for name in ("sequences", "embeddings", "styles"))
    is_mended_by = f"run `amt prepare {place.root}`"
    if sequences.facts["styles"] != styles.version:
        raise WorkspaceError(place.root, "its training windows carry other styles than it has now", is_mended_by)
    if styles.facts["encoder_fingerprint"] != embeddings.facts["fingerprint"]:
        raise WorkspaceError(place.root, "its styles and its embeddings are of two encoders", is_mended_by)
    return sequences.version, embeddings.version


def training_data(place: Workspace, scratch: Path | None = None) -> TrainingData:
    """Map what a model is trained on from `scratch` (`scratch_folder()`), where the first to ask on this node writes it.

    Raises WorkspaceError as `need_prepared` does, OutputError where it cannot be written.
    """
    made = dict(zip(("sequences", "embeddings"), need_prepared(place), strict=True))
    files = [_files(place, name, version) for name, version in made.items()]
    folder = (scratch or scratch_folder()) / fingerprint(place.path) / "-".join([*made.values(), fingerprint(files)])
    try:
        rows = kept_shards(folder, *(partial(batches, place, name, version=version) for name, version in made.items()))
    except OSError as exc:
        raise OutputError(str(folder), f"{exc.strerror or exc} (TMPDIR names another folder)") from exc
    return TrainingData(rows["train"], rows["validation"], encoder_of(place), _styles(place), _about(place))


def scratch_folder() -> Path:
    """Return where this user's training rows are on this node, one folder for each workspace; TMPDIR says on which disk."""
    user = getattr(os, "getuid", getpass.getuser)  # in a container a number may have no name
    return Path(tempfile.gettempdir()) / f"amt_ray_shards_{user()}"


def pack(workspace: str, out: str) -> PackReport:
    """Write what a model is trained on into a local folder, a few tens of megabytes for thousands of pieces.

    Raises WorkspaceError as `need_prepared` does, OutputError where the folder cannot be written.
    """
    place = Workspace(workspace)
    need_prepared(place)
    about = _about(place)
    tables = (place.table("sequences"), place.table("embeddings"))
    n_bytes = save_portable(out, *tables, encoder_of(place), _styles(place), about)
    return PackReport(about["windows"], about["events"], n_bytes)


def _files(place: Workspace, name: str, version: str) -> list[list[Any]]:
    """What tells a version's files from those of the same version, made by other code in a workspace made again."""
    found = place.fs.get_file_info(pafs.FileSelector(place.folder(name, version), allow_not_found=True))
    return sorted([info.base_name, info.size, info.mtime_ns] for info in found)


def encoder_of(place: Workspace) -> EncoderInfo:
    """Return the sentence encoder of the workspace's embeddings."""
    facts = place.need("embeddings").facts
    return EncoderInfo(facts["encoder"], facts["fingerprint"], facts["dim"])


def _styles(place: Workspace) -> tuple[Style, ...]:
    return tuple(Style(row["name"], tuple(row["centroid"])) for row in place.table("styles").to_pylist())


def _about(place: Workspace) -> dict[str, Any]:
    sequences, licences = place.need("sequences"), pc.value_counts(place.table("pieces", ["licence"])["licence"])
    return {
        "pieces": place.need("pieces").n_rows,
        "windows": sequences.n_rows,
        "events": sequences.facts["tokens"],
        "licences": {row["values"] or "unknown": row["counts"] for row in licences.to_pylist()},
    }
