"""From the artefacts `sequences` and `embeddings` to training rows in memory (`amt_ray.training.shards`: on a disk)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt
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


@dataclass(frozen=True, eq=False)
class Ranges(Sequence[npt.NDArray[np.intp]]):
    """Ranges of indices, each made when it is asked for: a million small arrays take a hundred megabytes."""

    firsts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    """The index behind each range."""

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self.firsts)

    @overload
    def __getitem__(self, i: int) -> npt.NDArray[np.intp]: ...
    @overload
    def __getitem__(self, i: slice) -> Ranges: ...
    def __getitem__(self, i: int | slice) -> npt.NDArray[np.intp] | Ranges:
        """Return the indices of a range, or some of the ranges. Raises IndexError."""
        if isinstance(i, slice):
            return Ranges(self.firsts[i], self.lasts[i])
        return np.arange(self.firsts[i], self.lasts[i])


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
        texts=Ranges(firsts, lasts),
        text_vectors=np.stack(texts["vector"].to_numpy()).astype(np.float32),
    )
