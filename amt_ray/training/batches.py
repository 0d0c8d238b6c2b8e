"""Training rows in memory, and batches of like length under a token budget, in an order fixed by (seed, epoch, rank).

Legend of shapes: B rows of a batch, T events of its longest row, E width of the text embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amt_ray.events.encode import Ids
from amt_ray.events.vocabulary import PAD, PROGRAM

SHUFFLE_POOL_BATCHES = 32
"""Rows are sorted by length within random pools of about this many batches: little padding, and still random."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows and their texts: row i has `ids[starts[i] : starts[i + 1]]` and may use any of `texts[i]`."""

    ids: Ids
    starts: npt.NDArray[np.int64]
    n_controls: npt.NDArray[np.int64]
    texts: Sequence[npt.NDArray[np.intp]]
    """Indices into `text_vectors` of each row's texts; several rows of one piece share them."""
    text_vectors: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Events of each row."""
        return np.diff(self.starts)


@dataclass(frozen=True, eq=False)
class Batch:
    """int64[B, T] events padded with PAD at the right, float32[B, E] embeddings, bool[B] whether the text is shown."""

    ids_BT: npt.NDArray[np.int64]
    text_BE: npt.NDArray[np.float32]
    has_text_B: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Dropout:
    """Chances of leaving out each control (the instruments count as one) and the text."""

    control: float
    text: float


def plan_epoch(lengths: npt.NDArray[np.int64], batch_tokens: int, seed: int, epoch: int) -> list[npt.NDArray[np.intp]]:
    """Group rows into batches whose padded size stays within `batch_tokens` (a longer row makes a batch alone).

    Every row is in exactly one batch; the order is random, and the same for the same (seed, epoch).
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    pool_rows = max(1, int(SHUFFLE_POOL_BATCHES * batch_tokens / max(lengths.mean(), 1)))
    batches: list[npt.NDArray[np.intp]] = []
    for start in range(0, len(order), pool_rows):
        pool = order[start : start + pool_rows]
        batches += _fill(pool[np.argsort(lengths[pool], kind="stable")], lengths, batch_tokens)
    return [batches[i] for i in rng.permutation(len(batches))]


def _fill(rows: npt.NDArray[np.intp], lengths: npt.NDArray[np.int64], batch_tokens: int) -> Iterator[npt.NDArray[np.intp]]:
    first = 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or lengths[rows[i]] * (i - first + 1) > batch_tokens:
            yield rows[first:i]
            first = i


def make_batch(rows: Rows, chosen: npt.NDArray[np.intp], dropout: Dropout, rng: np.random.Generator) -> Batch:
    """Collect rows into a batch, leaving out controls and texts at random and picking one text of each piece."""
    sequences = [_with_controls_dropped(rows, int(row), dropout.control, rng) for row in chosen]
    ids_BT = np.full((len(chosen), max(map(len, sequences))), PAD, np.int64)
    text_BE = np.zeros((len(chosen), rows.text_vectors.shape[1]), np.float32)
    for b, (row, sequence) in enumerate(zip(chosen, sequences, strict=True)):
        ids_BT[b, : len(sequence)] = sequence
        text_BE[b] = rows.text_vectors[rng.choice(rows.texts[row])]
    return Batch(ids_BT, text_BE, rng.random(len(chosen)) >= dropout.text)


def _with_controls_dropped(rows: Rows, row: int, chance: float, rng: np.random.Generator) -> Ids:
    ids = rows.ids[rows.starts[row] : rows.starts[row + 1]]
    n_controls = int(rows.n_controls[row])
    controls = ids[1 : 1 + n_controls]
    kept = rng.random(n_controls) >= chance
    is_program = (controls >= PROGRAM.start) & (controls < PROGRAM.end)
    kept[is_program] = rng.random() >= chance
    return np.concatenate([ids[:1], controls[kept], ids[1 + n_controls :]])
