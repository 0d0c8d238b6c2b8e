"""What a training says while it runs, from its workers to the driver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from amt_ray.errors import AmtError

Record = Mapping[str, Any]
OnRecord = Callable[[Record], None]


class Board:
    """An actor on which rank 0 posts its records, or why it stopped, and from which the driver reads them."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.reason: AmtError | None = None

    def post(self, record: Record) -> None:
        """Add a record."""
        self.records.append(record)

    def since(self, n: int) -> list[Record]:
        """Return the records after the first n."""
        return self.records[n:]

    def stop(self, reason: AmtError) -> None:
        """Say why the training stopped before its end."""
        self.reason = reason

    def stopped_by(self) -> AmtError | None:
        """Return why it stopped."""
        return self.reason


@contextmanager
def followed(board: Any, on_record: OnRecord, interval_s: float = 0.5) -> Iterator[None]:
    """While the body runs, pass each record that is posted on `board` to `on_record`, once and in order.

    What `on_record` raises ends the passing, and is raised after the body.
    """
    import ray

    finished, n_read, failures = threading.Event(), 0, []

    def read() -> None:
        nonlocal n_read
        for record in ray.get(board.since.remote(n_read)):
            n_read += 1
            on_record(record)

    def follow() -> None:
        try:
            while not finished.wait(interval_s):
                read()
        except Exception as exc:  # raised where it can be seen
            failures.append(exc)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
    if failures:
        raise failures[0]
    read()
