"""A workspace's artefacts as training data: in memory, or as a folder that a machine without Ray trains on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.errors import WorkspaceError
from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.training.portable import save_portable
from amt_ray.training.rows import TrainingData, rows_of_split


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


def training_data(place: Workspace) -> TrainingData:
    """Read what a model is trained on into memory. Raises WorkspaceError as `need_prepared` does."""
    need_prepared(place)
    sequences, embeddings = place.table("sequences"), place.table("embeddings")
    train, validation = (rows_of_split(sequences, embeddings, split) for split in ("train", "validation"))
    return TrainingData(train, validation, _encoder(place), _styles(place), _about(place))


def pack(workspace: str, out: str) -> PackReport:
    """Write what a model is trained on into a local folder, a few tens of megabytes for thousands of pieces.

    Raises WorkspaceError as `need_prepared` does, OutputError where the folder cannot be written.
    """
    place = Workspace(workspace)
    need_prepared(place)
    about = _about(place)
    tables = (place.table("sequences"), place.table("embeddings"))
    n_bytes = save_portable(out, *tables, _encoder(place), _styles(place), about)
    return PackReport(about["windows"], about["events"], n_bytes)


def _encoder(place: Workspace) -> EncoderInfo:
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
