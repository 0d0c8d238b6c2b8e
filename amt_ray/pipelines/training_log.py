"""The metrics of a run on disk: `metrics/RUN.jsonl`, a line a step, and curves for TensorBoard in `tensorboard/RUN`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from pyarrow.fs import FileType, LocalFileSystem

from amt_ray.artifacts import Workspace
from amt_ray.pipelines.board import Record

CURVES = (
    "loss", "learning_rate", "events_per_s", "memory_bytes", "validation_loss", "validation_loss_without_controls",
    "validation_loss_without_text", "bits_per_note",
)  # fmt: skip


class TrainingLog:
    """Written step by step where the workspace is on this machine; elsewhere as a whole, by `close`, and without curves."""

    def __init__(self, place: Workspace, run: str) -> None:
        self.place, self.name, self.run = place, f"metrics/{run}.jsonl", run
        self.history: list[Record] = []
        """The records of the run, those of earlier attempts included."""
        self._has_begun = False
        self._stack = ExitStack()
        self._file: IO[str] | None = None
        self._curves: Any = None
        path = place.folder(self.name)
        if place.fs.get_file_info(path).type == FileType.File:
            with place.fs.open_input_stream(path) as file:
                self.history = [json.loads(line) for line in file.read().decode().splitlines() if line.endswith("}")]

    def add(self, record: Record) -> None:
        """Write a record; the first takes the place of what an earlier attempt wrote of this step and later ones."""
        if not self._has_begun:
            self._begin(record["step"])
        self.history.append(record)
        if self._file:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
            for name in CURVES:
                if name in record:
                    self._curves.add_scalar(name, record[name], record["step"])

    def _begin(self, step: int) -> None:
        self.history = [record for record in self.history if record["step"] < step]
        self._has_begun = True
        self._write()
        if isinstance(self.place.fs, LocalFileSystem):
            from tensorboardX import SummaryWriter

            file = Path(self.place.folder(self.name)).open("a", encoding="utf-8")  # noqa: SIM115 - the stack closes it
            self._file = self._stack.enter_context(file)
            self._curves = self._stack.enter_context(
                SummaryWriter(self.place.folder("tensorboard", self.run), purge_step=step)
            )

    def _write(self) -> None:
        self.place.write_bytes(self.name, "".join(json.dumps(record) + "\n" for record in self.history).encode())

    def close(self) -> None:
        """Finish the files."""
        self._stack.close()
        if self.history and not self._file:
            self._write()
