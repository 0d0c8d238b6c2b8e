"""From the artefacts `sequences` and `embeddings` to training rows in memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.training.batches import Rows
from amt_ray.training.windows import Split


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
        texts=[np.arange(first, last) for first, last in zip(firsts, lasts, strict=True)],
        text_vectors=np.stack(texts["vector"].to_numpy()).astype(np.float32),
    )
