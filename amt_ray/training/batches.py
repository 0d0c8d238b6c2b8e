"""Training rows, and batches of like length under a token budget, in an order fixed by seed and epoch.

Legend of shapes: B rows of a batch, T events of its longest row, E width of the text embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from amt_ray.events.infill import draw_infill
from amt_ray.events.vocabulary import FILL, PAD, PROGRAM, Ids
from amt_ray.training.augment import Augmentation, augmented

SHUFFLE_POOL_BATCHES = 32
"""Rows are sorted by length within random pools of about this many batches: little padding, and still random."""
OPENING = 3
"""Events with which music begins: BAR, metre, tempo. They are learnt of a context, too: that is where metre and tempo follow
what is asked for, and a window without a context is one in five."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows and their texts: row i has `ids[starts[i] : starts[i + 1]]` and may use any of `texts[i]`."""

    ids: Ids
    starts: npt.NDArray[np.int64]
    n_controls: npt.NDArray[np.int64]
    n_context: npt.NDArray[np.int64]
    """Events behind the controls that belong to the window before: given, never learnt."""
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
    """int64[B, T] events padded with PAD at the right, float32[B, E] embeddings, bool[B] whether the text is shown.

    `targets_BT` are the events with PAD in place of those that are not to be learnt: BOS and the context
    behind its `OPENING`.
    """

    ids_BT: npt.NDArray[np.int64]
    targets_BT: npt.NDArray[np.int64]
    text_BE: npt.NDArray[np.float32]
    has_text_B: npt.NDArray[np.bool_]

    @property
    def n_targets(self) -> int:
        """How many events are to be learnt."""
        return int((self.targets_BT != PAD).sum())

    def without_targets(self) -> Batch:
        """The same batch with nothing to learn."""
        return replace(self, targets_BT=np.full_like(self.targets_BT, PAD))

    def parts(self, n: int) -> Iterator[Batch]:
        """Cut into at most `n` batches of whole rows, as wide as their own longest row."""
        for rows in np.array_split(np.arange(len(self.ids_BT)), n):
            if len(rows):
                width = int((self.ids_BT[rows] != PAD).sum(1).max())
                ids_BT, targets_BT = self.ids_BT[rows, :width], self.targets_BT[rows, :width]
                yield Batch(ids_BT, targets_BT, self.text_BE[rows], self.has_text_B[rows])


@dataclass(frozen=True)
class Variation:
    """How rows differ from one showing to the next; by default they do not."""

    control_dropout: float = 0.0
    """Chance of leaving out a control; the instruments count as one."""
    text_dropout: float = 0.0
    augmentation: Augmentation | None = None
    infill_share: float = 0.0
    """Chance of a row to be shown with some bars or a part hidden, behind the rest."""
    most_tokens: int = 1024
    """Events that a row may grow to by that."""
    learns_controls: bool = True
    """Whether the controls are targets too, so that a model can choose what it was not told."""


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


def make_batch(rows: Rows, chosen: npt.NDArray[np.intp], variation: Variation, seed: Sequence[int]) -> Batch:
    """Collect rows into a batch, each varied at random and with one text of its piece.

    What is drawn for a row depends on `seed` and the row alone, not on the batch that it is in.
    """
    made = [_drawn(rows, int(row), variation, np.random.default_rng([*seed, int(row)])) for row in chosen]
    ids_BT = np.full((len(made), max(len(row.ids) for row in made)), PAD, np.int64)
    targets_BT = ids_BT.copy()
    for b, row in enumerate(made):
        ids_BT[b, : len(row.ids)] = targets_BT[b, : len(row.ids)] = row.ids
        targets_BT[b, 0] = targets_BT[b, row.given] = PAD
        if not variation.learns_controls:
            targets_BT[b, : row.given.stop] = PAD
    text_BE = np.stack([rows.text_vectors[row.text] for row in made])
    return Batch(ids_BT, targets_BT, text_BE, np.array([row.has_text for row in made]))


def make_share(
    rows: Rows, chosen: npt.NDArray[np.intp], variation: Variation, seed: Sequence[int], rank: int, world_size: int
) -> Batch:
    """Collect a rank's share of the rows of a step: of like length, and each row in one share.

    A rank without rows of its own gets one that counts nothing: the others wait for it to go through the model with them.
    """
    share = chosen[rank::world_size]
    batch = make_batch(rows, share if len(share) else chosen[:1], variation, seed)
    return batch if len(share) else batch.without_targets()


class _Drawn(NamedTuple):
    """A row as it is shown this time."""

    ids: Ids
    given: slice
    text: int
    has_text: bool


def _drawn(rows: Rows, row: int, variation: Variation, rng: np.random.Generator) -> _Drawn:
    ids = rows.ids[rows.starts[row] : rows.starts[row + 1]]
    n_controls, n_context = int(rows.n_controls[row]), int(rows.n_context[row])
    controls = ids[1 : 1 + n_controls]
    kept = rng.random(n_controls) >= variation.control_dropout
    is_program = (controls >= PROGRAM.start) & (controls < PROGRAM.end)
    kept[is_program] = rng.random() >= variation.control_dropout
    first = 1 + int(kept.sum())
    shown = np.concatenate([ids[:1], controls[kept], ids[1 + n_controls :]])
    given = slice(first + min(n_context, OPENING), first + n_context)
    text, has_text = int(rng.choice(rows.texts[row])), bool(rng.random() >= variation.text_dropout)
    if variation.augmentation:
        shown = augmented(shown, np.array([0, len(shown)]), variation.augmentation, rng)
    if rng.random() < variation.infill_share:
        hidden = draw_infill(shown, rng, max(0, variation.most_tokens - len(shown)))
        # What is hidden may be of the context, and is then to be learnt.
        shown, given = (hidden, slice(first, first)) if FILL in hidden else (shown, given)
    return _Drawn(shown, given, text, has_text)
