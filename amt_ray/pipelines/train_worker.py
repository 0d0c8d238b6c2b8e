"""What each Ray Train worker runs: the training loop, with Ray around it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amt_ray.artifacts import Workspace
from amt_ray.config import TrainSettings
from amt_ray.errors import AmtError, OutputError
from amt_ray.generation.sample import sample_like
from amt_ray.media.pianoroll import draw_piano_roll
from amt_ray.midi.write import write_midi
from amt_ray.model.bundle import save_bundle
from amt_ray.pipelines.board import Record
from amt_ray.pipelines.training_data import training_data
from amt_ray.training.batches import Rows
from amt_ray.training.loop import Trained, train
from amt_ray.training.outcome import bundle_of

BUNDLE = "bundle"
"""Folder of the finished model in the last checkpoint."""
POSTED, MOST_RECENT = "posted.json", 1000
"""The records before a checkpoint, more of them than a driver is ever behind."""


def train_worker(config: Mapping[str, Any]) -> None:
    """Run the training loop on one worker; rank 0 puts the bundle into the last checkpoint."""
    import ray

    place, settings, board = Workspace(config["workspace"]), config["settings"], config["board"]
    if ray.get(board.stopped_by.remote()):  # Ray starts again what cannot succeed
        return
    context = RayContext(board)

    def on_epoch(trained: Trained) -> Mapping[str, Any]:
        rows = data.validation if len(data.validation) else data.train
        return {"sample": write_sample(place, config["run"], trained, rows, settings)}

    def on_finish(trained: Trained, folder: Path) -> None:
        save_bundle(bundle_of(data, settings, config["made_of"], trained), folder / BUNDLE)

    try:
        data = training_data(place)
        initial = ray.get(config["initial"]) if config["initial"] else None
        train(data.train, data.validation, settings.shape, settings, context, on_finish, on_epoch, initial)
    except AmtError as exc:
        ray.get(board.stop.remote(exc))
        if context.world_size > 1:  # the others wait for this one: Ray ends them all
            raise


def write_sample(place: Workspace, run: str, trained: Trained, rows: Rows, settings: TrainSettings) -> str:
    """Write music by the model as it is now, asked for what the first of `rows` is; returns its name in the workspace."""
    name = f"samples/{run}/epoch_{trained.metrics['epoch']:04d}"
    piece = sample_like(trained.model, rows, settings.seed)
    title = f"Epoch {trained.metrics['epoch']}, step {trained.metrics['step']:,}"
    place.write_bytes(f"{name}.png", draw_piano_roll(piece, title))
    place.write_bytes(f"{name}.mid", write_midi(piece))
    return f"{name}.mid"


class RayContext:
    """A `TrainContext` inside a Ray Train worker."""

    scratch: Path | None = None

    def __init__(self, board: Any) -> None:
        import ray.train

        context = ray.train.get_context()
        self.rank, self.world_size = context.get_world_rank(), context.get_world_size()
        self.board = board
        self.recent: deque[Record] = deque(maxlen=MOST_RECENT)

    def log(self, record: Record) -> None:
        """Post the record where the driver reads it."""
        self.recent.append(dict(record))
        self.board.post.remote(dict(record))

    def checkpoint(self, step: int, folder: Path, metrics: Record) -> None:
        """Report the folder to Ray Train, which merges the ranks' files and keeps the last two checkpoints."""
        import ray.train

        if self.rank == 0:
            (folder / POSTED).write_text(json.dumps(list(self.recent)))
        checkpoint = ray.train.Checkpoint.from_directory(folder)
        try:
            ray.train.report(dict(metrics), checkpoint=checkpoint, checkpoint_dir_name=f"checkpoint_{step:08d}")
        except OSError as exc:
            raise OutputError("the workspace", exc.strerror or str(exc)) from exc

    @contextmanager
    def restore(self) -> Iterator[Path | None]:
        """Give the last reported checkpoint, of this attempt or of an earlier run of the same name.

        The records before it are posted again: a driver that was killed may not have read the last of them.
        """
        import ray.train

        checkpoint = ray.train.get_checkpoint()
        if checkpoint is None:
            yield None
        else:
            with checkpoint.as_directory() as folder:
                if self.rank == 0:
                    for record in json.loads((Path(folder) / POSTED).read_text()):
                        self.log(record)
                yield Path(folder)
