"""How far a training is, in lines for a person to read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from amt_ray.config import NO_EPOCH_LIMIT

LINE_INTERVAL_S = 5.0


def step_line(record: Mapping[str, Any]) -> str:
    """Say where a training is, from the record of a step."""
    return (
        f"{epoch_of(record)}  Batch {record['batch']}/{record['batches']}: Loss={record['loss']:.4f}, "
        f"LR={record['learning_rate']:.2e}, {record['events_per_s']:,.0f} tokens/s, {record['memory_bytes'] / 1e9:.1f} GB"
    )


def epoch_line(record: Mapping[str, Any]) -> str:
    """Say how an epoch has gone, from the record of a step that was validated or is its last."""
    text = f"{epoch_of(record)}  Average Loss: {record['epoch_loss']:.4f}"
    if "validation_loss" not in record:
        return text
    return (
        f"{text}, validation loss {record['validation_loss']:.4f} (without controls "
        f"{record['validation_loss_without_controls']:.4f}, without text {record['validation_loss_without_text']:.4f}), "
        f"{record['bits_per_note']:.2f} bits a note"
    )


def epoch_of(record: Mapping[str, Any]) -> str:
    """Name the epoch, and of how many."""
    return f"Epoch {record['epoch']}" + (f"/{record['epochs']}" if record["epochs"] < NO_EPOCH_LIMIT else "")


def clock(seconds: float) -> str:
    """Write a duration as `1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


class Notices:
    """What is worth a line of its own: ends of epochs, and that memory ran out."""

    def __init__(self) -> None:
        self.parts = 0

    def of(self, record: Mapping[str, Any]) -> Iterator[str]:
        """Yield the lines that this step's record gives rise to."""
        if record["parts"] > max(self.parts, record["parts_at_first"]):
            yield f"memory ran out at step {record['step']:,}: batches go through the model in {record['parts']} parts now"
        self.parts = record["parts"]
        if record["batch"] == record["batches"] or record["is_last"] or "validation_loss" in record:
            yield epoch_line(record)


class Lines:
    """A training as lines of a log: one every few seconds, and the notices."""

    def __init__(self) -> None:
        self.notices, self.last_s = Notices(), -LINE_INTERVAL_S

    def of(self, record: Mapping[str, Any], now_s: float | None = None) -> Iterator[str]:
        """Yield the lines for this step's record; `now_s` is a clock's time, `time.monotonic()` by default."""
        now_s = time.monotonic() if now_s is None else now_s
        if record["is_last"] or now_s - self.last_s >= LINE_INTERVAL_S:
            self.last_s = now_s
            left = "" if record["is_last"] else f", {clock(record['seconds_left'])} left"
            yield step_line(record) + left
        yield from self.notices.of(record)
