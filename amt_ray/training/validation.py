"""How well a model predicts music that it was not trained on, told everything about it or less.

Only the music counts, not the controls in front of it: what is predicted stays the same, whatever is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from amt_ray.events.vocabulary import BLOCK_OF, DRUM, PAD, PITCH
from amt_ray.training.batches import Batch, Rows, Variation, make_share, plan_epoch
from amt_ray.training.objective import event_loss

ALL_TOLD = Variation(learns_controls=False)
NO_CONTROLS = Variation(learns_controls=False, control_dropout=1.0)
NO_TEXT = Variation(learns_controls=False, text_dropout=1.0)


class Score(NamedTuple):
    """A cross-entropy in nats, added up over so many events, so many of which begin a note."""

    nats: float
    n_events: int
    n_notes: int

    @property
    def loss(self) -> float:
        """Nats per event."""
        return self.nats / self.n_events

    @property
    def bits_per_note(self) -> float:
        """What a note costs, its place in time, length and loudness included."""
        return self.nats / math.log(2) / self.n_notes


def validation_batches(rows: Rows, batch_tokens: int, most_tokens: int) -> list[npt.NDArray[np.intp]]:
    """Choose the rows to validate on, batch by batch: always the same, about `most_tokens` events, at least a batch."""
    return plan_epoch(rows.lengths, batch_tokens, 0, 0)[: max(1, most_tokens // batch_tokens)] if len(rows) else []


def score(
    model: Any,
    rows: Rows,
    batches: Sequence[npt.NDArray[np.intp]],
    told: Variation,
    device: str | torch.device = "cpu",
    rank: int = 0,
    world_size: int = 1,
) -> Score:
    """Score a model on this rank's share of rows, without label smoothing; in evaluation mode there is no dropout."""
    nats, n_events, n_notes = 0.0, 0, 0
    with torch.no_grad():
        for chosen in batches:
            batch = make_share(rows, chosen, told, (0,), rank, world_size)
            nats += float(event_loss(model, batch, device)[1])
            n_events += batch.n_targets
            n_notes += n_notes_of(batch)
    return Score(nats, n_events, n_notes)


def n_notes_of(batch: Batch) -> int:
    """How many of the events to be learnt begin a note."""
    ids = batch.targets_BT[batch.targets_BT != PAD]
    return int(np.isin(BLOCK_OF[ids], BLOCK_OF[[PITCH.start, DRUM.start]]).sum())
