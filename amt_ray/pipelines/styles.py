"""`embeddings` to `styles`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.styles import fit_styles


def make_styles(place: Workspace, vectors: Manifest, settings: PrepareSettings) -> Manifest:
    """Cluster the pieces by the mean of their embeddings."""
    made_of = fingerprint("styles", vectors.version, settings.min_styles, settings.max_styles, settings.seed)
    if current := place.current("styles", made_of):
        return current
    piece_ids, means = mean_vectors(place.table("embeddings"))
    texts = place.table("captions").group_by("piece_id").aggregate([("text", "list")])
    joined = {row["piece_id"]: " ".join(sorted(row["text_list"])) for row in texts.to_pylist()}
    book = fit_styles(means, [joined[i] for i in piece_ids], settings.min_styles, settings.max_styles, settings.seed)
    sizes = np.bincount(book.style_of_row, minlength=len(book.names)).tolist()
    rows = pa.table({"style": range(len(book.names)), "name": book.names, "size": sizes, "centroid": list(book.centroids)})
    facts = {
        "silhouette_by_k": dict(book.silhouette_by_k),
        "sizes": dict(zip(book.names, sizes, strict=True)),
        "style_of_piece": dict(zip(piece_ids, book.style_of_row.tolist(), strict=True)),
    }
    return place.write("styles", rows, made_of, settings.model_dump(), facts)


def mean_vectors(embeddings: pa.Table) -> tuple[list[str], np.ndarray]:
    """Average the embeddings of each piece: piece ids, sorted, and unit-norm float32[pieces, E]."""
    table = embeddings.sort_by([("piece_id", "ascending"), ("kind", "ascending")])
    vectors = np.stack(table["vector"].to_numpy()).astype(np.float32)
    piece_ids, starts = np.unique(table["piece_id"].to_numpy().astype(str), return_index=True)
    sums = np.add.reduceat(vectors, starts, axis=0)
    return piece_ids.tolist(), sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
