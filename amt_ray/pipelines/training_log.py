"""The metrics of a run on disk: `metrics/RUN.jsonl`, a line a step, and curves for TensorBoard in `tensorboard/RUN`."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any

from pyarrow.fs import FileType, LocalFileSystem

from amt_ray.artifacts import Workspace
from amt_ray.errors import OutputError
from amt_ray.pipelines.board import Record

CURVES = (
    "loss", "learning_rate", "events_per_s", "memory_bytes", "validation_loss", "validation_loss_without_controls",
    "validation_loss_without_text", "bits_per_note", "bits_per_note_without_controls", "bits_per_note_without_text",
)  # fmt: skip
FLUSH_INTERVAL_S = 5.0


class TrainingLog:
    """Written step by step where the workspace is on this machine; elsewhere as a whole, by `close`, and without curves."""

    def __init__(self, place: Workspace, run: str) -> None:
        self.place, self.name = place, f"metrics/{run}.jsonl"
        self.curves_folder = place.folder("tensorboard", run)
        self.history: list[Record] = []
        """The records of the run, those of earlier attempts included."""
        self._is_local = isinstance(place.fs, LocalFileSystem)
        self._files = ExitStack()
        self._lines: IO[str] | None = None
        self._curves: Any = None
        self._flushed_s = 0.0
        path = place.folder(self.name)
        if place.fs.get_file_info(path).type == FileType.File:
            with place.fs.open_input_stream(path) as file:
                # The last line may be cut off.
                self.history = [json.loads(line) for line in file.read().decode().splitlines() if line.endswith("}")]

    def add(self, record: Record) -> None:
        """Write a record, in place of what an earlier attempt wrote of this step and later ones. Raises OutputError."""
        is_again = bool(self.history) and record["step"] <= self.history[-1]["step"]
        if is_again:
            self.history = [earlier for earlier in self.history if earlier["step"] < record["step"]]
        try:
            if self._is_local and (is_again or self._lines is None):
                self._open()
            self.history.append(record)
            self._write(record)
        except OSError as exc:
            raise OutputError(self.place.root, exc.strerror or str(exc)) from exc

    def _open(self) -> None:
        """Begin both files with what is of the run already."""
        self._files.close()
        self._write_lines()
        from tensorboardX.event_file_writer import EventsWriter

        lines = Path(self.place.folder(self.name)).open("a", encoding="utf-8")  # noqa: SIM115 - the stack closes it
        self._lines = self._files.enter_context(lines)
        shutil.rmtree(self.curves_folder, ignore_errors=True)
        Path(self.curves_folder).mkdir(parents=True)
        self._curves = self._files.enter_context(closing(EventsWriter(f"{self.curves_folder}/events")))
        for record in self.history:
            self._draw(record)

    def _write(self, record: Record) -> None:
        if self._lines is None:
            return
        self._lines.write(json.dumps(record) + "\n")
        self._lines.flush()
        self._draw(record)
        if time.monotonic() - self._flushed_s >= FLUSH_INTERVAL_S:
            self._curves.flush()
            self._flushed_s = time.monotonic()

    def _draw(self, record: Record) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        for name in CURVES:
            if name in record:
                point = scalar(name, record[name])
                self._curves.write_event(Event(wall_time=time.time(), step=record["step"], summary=point))

    def _write_lines(self) -> None:
        self.place.write_bytes(self.name, "".join(json.dumps(record) + "\n" for record in self.history).encode())

    def close(self) -> None:
        """Finish the files. Raises OutputError."""
        try:
            self._files.close()
        except OSError as exc:
            raise OutputError(self.place.root, exc.strerror or str(exc)) from exc
        if self.history and not self._is_local:
            self._write_lines()
