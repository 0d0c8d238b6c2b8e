"""How like a workspace's captions a text is, by the cosine of their embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.pipelines.batches import batches


@dataclass(frozen=True)
class Similarity:
    """Cosines, -1..1, of a text's embedding with those of the captions."""

    nearest: float
    """With the most similar caption."""
    caption: str
    """That caption."""
    mean: float
    """With the captions on average."""
    n_captions: int


def similarity(place: Workspace, vector_E: npt.NDArray[np.float32]) -> Similarity | None:
    """Compare a unit-norm embedding with all of a workspace, a few thousand at a time; None where there are none.

    The encoder has to be that of the workspace's embeddings. Raises WorkspaceError before `amt prepare`.
    """
    total, n_captions, nearest, key = 0.0, 0, -np.inf, ("", "")
    for batch in batches(place, "embeddings", ["piece_id", "kind", "vector"]):
        if not batch.num_rows:
            continue
        cosines_N = batch["vector"].flatten().to_numpy().reshape(batch.num_rows, -1) @ vector_E
        total, n_captions = total + float(cosines_N.sum()), n_captions + batch.num_rows
        best = int(cosines_N.argmax())
        if cosines_N[best] > nearest:
            nearest, key = float(cosines_N[best]), (batch["piece_id"][best].as_py(), batch["kind"][best].as_py())
    if not n_captions:
        return None
    return Similarity(nearest, _caption(place, *key), total / n_captions, n_captions)


def _caption(place: Workspace, piece_id: str, kind: str) -> str:
    for batch in batches(place, "captions", ["piece_id", "kind", "text"]):
        found = batch.filter(pc.and_(pc.equal(batch["piece_id"], piece_id), pc.equal(batch["kind"], kind)))
        if found.num_rows:
            return str(found["text"][0].as_py())
    return ""
