"""Which rows each step of a training sees: decided by the rows' lengths, the settings and the seed, not by who trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amt_ray.config import TrainSettings
from amt_ray.training.batches import Batch, plan_epoch

BATCHES_AHEAD = 2


@dataclass(frozen=True, eq=False)
class Step:
    """One optimizer step: where it stands in the run, and the rows that all ranks together see in it."""

    number: int
    epoch: int
    batch: int
    n_batches: int
    """Batch of its epoch, from 0, and how many the epoch has."""
    share_of_plan: float
    """How much of the plan is done with this step; 1 for the last alone."""
    rows: npt.NDArray[np.intp]

    @property
    def ends_epoch(self) -> bool:
        """Whether the epoch has no step after it."""
        return self.batch + 1 == self.n_batches


def plan_steps(lengths: npt.NDArray[np.int64], settings: TrainSettings, batch_tokens: int, first: int = 0) -> Iterator[Step]:
    """List the steps from number `first` on, epoch by epoch, up to `max_steps`; `lengths` int64[R] are each row's events.

    `batch_tokens` are those of all ranks together: two ranks see what one would with twice the batch.
    """
    number = 0
    for epoch in range(settings.epochs):
        batches = plan_epoch(lengths, batch_tokens, settings.seed, epoch)
        for index, rows in enumerate(batches):
            if number == settings.max_steps:
                return
            done = (epoch + (index + 1) / len(batches)) / settings.epochs
            share = done if settings.max_steps is None else max(done, (number + 1) / settings.max_steps)
            if number >= first:
                yield Step(number, epoch, index, len(batches), share, rows)
            number += 1


def with_batches(steps: Iterator[Step], make: Callable[[Step], Batch]) -> Iterator[tuple[Step, Batch]]:
    """Make the next steps' batches on a thread while a step runs."""
    waiting: deque[tuple[Step, Future[Batch]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        for step in steps:
            waiting.append((step, thread.submit(make, step)))
            if len(waiting) > BATCHES_AHEAD:
                earlier, batch = waiting.popleft()
                yield earlier, batch.result()
        for earlier, batch in waiting:
            yield earlier, batch.result()
