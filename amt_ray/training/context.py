"""What the training loop needs of the world around it: four things, met by Ray Train and by a plain process alike."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol


class TrainContext(Protocol):
    """One worker's place among the workers, and where its news go."""

    rank: int
    world_size: int

    def log(self, record: Mapping[str, Any]) -> None:
        """Pass on one line of metrics (rank 0 only): step, epoch, loss, rate, events a second."""

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Keep a copy of a checkpoint folder that every rank has written into; all ranks call it at the same steps."""

    def restore(self) -> AbstractContextManager[Path | None]:
        """Give the folder of the last checkpoint kept, for as long as the block lasts; None at a fresh start."""


class LocalContext:
    """One process without Ray: checkpoints in `folder`, metrics in `records`."""

    rank = 0
    world_size = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[dict[str, Any]] = []

    def log(self, record: Mapping[str, Any]) -> None:
        """Append to `records`."""
        self.records.append(dict(record))

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Copy the folder to `folder/checkpoint_<step>`."""
        shutil.copytree(folder, self.folder / f"checkpoint_{step:06d}", dirs_exist_ok=True)

    @contextmanager
    def restore(self) -> Iterator[Path | None]:
        """Give the checkpoint of the latest step."""
        kept = sorted(self.folder.glob("checkpoint_*"))
        yield kept[-1] if kept else None
