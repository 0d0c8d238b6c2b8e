"""Which rows each step of a training sees: decided by the rows' lengths, the settings and the seed, not by who trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amt_ray.config import TrainSettings
from amt_ray.training.batches import plan_epoch


@dataclass(frozen=True)
class Step:
    """One optimizer step: where it stands in the run, and the rows that all ranks together see in it."""

    number: int
    epoch: int
    ends_epoch: bool
    rows: npt.NDArray[np.intp]

    def share(self, rank: int, world_size: int) -> npt.NDArray[np.intp]:
        """Return a rank's rows, none where there are fewer rows than ranks. Ranks' rows are of like length, each once."""
        return self.rows[rank::world_size]


def plan_steps(lengths: npt.NDArray[np.int64], settings: TrainSettings, batch_tokens: int) -> Iterator[Step]:
    """List the steps, epoch by epoch, up to `max_steps`; `lengths` int64[R] are the events of each row.

    `batch_tokens` are those of all ranks together: two ranks see what one would with twice the batch.
    """
    number = 0
    for epoch in range(settings.epochs):
        batches = plan_epoch(lengths, batch_tokens, settings.seed, epoch)
        for index, rows in enumerate(batches):
            if number == settings.max_steps:
                return
            yield Step(number, epoch, index + 1 == len(batches), rows)
            number += 1
