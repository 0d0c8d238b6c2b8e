"""How long a training has taken, how fast it is, and how long its end will take."""

from __future__ import annotations

import time
from collections import deque

RECENT_STEPS = 50
CHECKPOINT_BYTES, WRITTEN_BYTES_PER_S = 16, 200e6
"""Of each parameter, with the optimizer's two and the bundle; on a disk that is not the fastest."""


class Clock:
    """One rank's. Steps are timed from the end of what came before them, the wait for their batch included."""

    def __init__(self, now_s: float) -> None:
        self.spent_s = 0.0
        """By the attempts before this one."""
        self.began_s = self._lap_s = now_s
        self.epoch_end_s = 0.0
        """What the last validation took, with what is done after an epoch."""
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT_STEPS)
        self._first: tuple[int, float] | None = None

    def seconds(self) -> float:
        """How long the training has taken, over all attempts."""
        return self.spent_s + time.monotonic() - self.began_s

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now_s = time.monotonic()
        lap_s, self._lap_s = now_s - self._lap_s, now_s
        return lap_s

    def stepped(self, n_events: int) -> None:
        """Note a step of so many events; the first, in which layers may be compiled, stands for itself only."""
        if self._first is None:
            self._first = (n_events, self.lap())
        else:
            self._recent.append((n_events, self.lap()))

    def events_per_s(self) -> float:
        """How fast the last steps were; 0 before the first."""
        steps = self._recent or [self._first or (0, 1.0)]
        return sum(n for n, _ in steps) / sum(seconds for _, seconds in steps)

    def ending_s(self, validation_steps: float, n_parameters: int) -> float:
        """What a step, a validation as long as so many steps and the last checkpoint will take; 0 while nothing is known."""
        if not self._recent:
            return 0.0
        step_s = sum(seconds for _, seconds in self._recent) / len(self._recent)
        written_s = CHECKPOINT_BYTES * n_parameters / WRITTEN_BYTES_PER_S
        return step_s + max(validation_steps * step_s, self.epoch_end_s) + written_s
