"""From the artefacts `sequences` and `embeddings` to training rows in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.training.batches import Rows

if TYPE_CHECKING:
    from amt_ray.training.windows import Split


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a model is trained on, and what its bundle says of that."""

    train: Rows
    validation: Rows
    encoder: EncoderInfo
    styles: tuple[Style, ...]
    about: Mapping[str, Any]
    """Where the music comes from: pieces, windows, events, licences; any JSON values."""


def rows_of_split(sequences: pa.Table, embeddings: pa.Table, split: Split) -> Rows:
    """Collect a split's windows, ordered by piece and window whatever order the tables are in, with their pieces' texts."""
    windows = sequences.filter(pc.equal(sequences["split"], split))
    windows = windows.sort_by([("piece_id", "ascending"), ("window", "ascending")]).combine_chunks()
    texts = embeddings.sort_by([("piece_id", "ascending"), ("kind", "ascending")])
    text_ids = texts["piece_id"].to_numpy().astype(str)
    piece_ids = windows["piece_id"].to_numpy().astype(str)
    firsts, lasts = np.searchsorted(text_ids, piece_ids, "left"), np.searchsorted(text_ids, piece_ids, "right")
    lengths = pc.list_value_length(windows["ids"]).to_numpy().astype(np.int64)
    return Rows(
        ids=pc.list_flatten(windows["ids"]).to_numpy().astype(np.uint16),
        starts=np.append(0, np.cumsum(lengths)),
        n_controls=windows["n_controls"].to_numpy().astype(np.int64),
        n_context=windows["n_context"].to_numpy().astype(np.int64),
        texts=[np.arange(first, last) for first, last in zip(firsts, lasts, strict=True)],
        text_vectors=np.stack(texts["vector"].to_numpy()).astype(np.float32),
    )
