"""How far a stage is: the pipelines call a `Progress`; who shows it (a bar, a log line, nothing) is the caller's affair."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Called with the number of things done and the number of things there are, both counted from the start."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note that `done` of `total` `what` ("files", "texts", "steps") are done."""


def silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


@contextmanager
def polled(progress: Progress, what: str, total: int, count: Callable[[], int], interval_s: float = 0.5) -> Iterator[None]:
    """While the body runs, report `count()` of `total` every `interval_s`; at its successful end, all of them."""
    finished = threading.Event()

    def poll() -> None:
        while not finished.wait(interval_s):
            progress(what, min(count(), total), total)

    thread = threading.Thread(target=poll, daemon=True)
    progress(what, 0, total)
    thread.start()
    try:
        yield
        progress(what, total, total)
    finally:
        finished.set()
        thread.join()
