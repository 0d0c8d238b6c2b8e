"""What the training loop needs of the world around it: few things, met by Ray Train and by a plain process alike."""

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
    scratch: Path | None
    """Where checkpoints are written before they are kept; the system's folder for temporary files where it is None."""

    def log(self, record: Mapping[str, Any]) -> None:
        """Pass on one line of metrics (rank 0 only): step, epoch, loss, rate, events a second."""

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Keep a checkpoint folder, which every rank has and rank 0 has filled; all ranks call it at the same steps."""

    def restore(self) -> AbstractContextManager[Path | None]:
        """Give the folder of the last checkpoint kept, for as long as the block lasts; None at a fresh start."""


class LocalContext:
    """One process without Ray: checkpoints in `folder`, metrics in `records`."""

    rank = 0
    world_size = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch: Path | None = folder
        self.records: list[dict[str, Any]] = []

    def log(self, record: Mapping[str, Any]) -> None:
        """Append to `records`."""
        self.records.append(dict(record))

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Move the folder to `folder/checkpoint_<step>`."""
        if self.rank == 0:
            target = self.folder / f"checkpoint_{step:08d}"
            shutil.rmtree(target, ignore_errors=True)
            folder.rename(target)

    @contextmanager
    def restore(self) -> Iterator[Path | None]:
        """Give the checkpoint of the latest step."""
        kept = sorted(self.folder.glob("checkpoint_*"))
        yield kept[-1] if kept else None
