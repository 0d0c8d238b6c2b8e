"""The training loop: from rows to a model, step by step. What becomes of the model is the caller's affair.

A step's data and its dropout depend on the seed, the step and the rows alone, and a checkpoint holds model, optimizer and
step: with as many ranks, going on from one gives what an undisturbed run would have given, unless it ends by the clock.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from amt_ray.config import ModelShape, TrainSettings
from amt_ray.errors import TrainingError
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, new_model
from amt_ray.training.augment import Augmentation
from amt_ray.training.batches import Batch, Rows, Variation, make_share
from amt_ray.training.clock import Clock
from amt_ray.training.context import TrainContext
from amt_ray.training.optimizer import rate
from amt_ray.training.plan import Step, plan_steps, with_batches
from amt_ray.training.run import Run

RECORD = "record.json"
Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trained:
    """The model after a step, and the metrics of that step."""

    model: ConditionalGPT2
    metrics: Record


OnEpoch = Callable[[Trained], Mapping[str, Any]]
OnFinish = Callable[[Trained, Path], None]


def train(
    train_rows: Rows,
    validation_rows: Rows,
    shape: ModelShape,
    settings: TrainSettings,
    context: TrainContext,
    on_finish: OnFinish = lambda trained, folder: None,
    on_epoch: OnEpoch = lambda trained: {},
    initial: ConditionalGPT2 | None = None,
) -> Trained:
    """Train from `initial` or from scratch, or on from the context's last checkpoint, to the last step of the plan.

    Rank 0 calls `on_epoch` after each epoch and after the last step, to add to its record, and at the end `on_finish`, to
    add files to the last checkpoint's folder before it is kept; a run that had ended is left as it is. Raises TrainingError
    for a loss that is no number, where one row is too much for the memory, without training rows, where rows are longer than
    `initial` can read, and where the checkpoint is of another shape; OutputError where one cannot be written.
    """
    clock = Clock(time.monotonic())
    torch.manual_seed(settings.seed)
    model = initial or _new_model(train_rows, validation_rows, shape)
    _check_rows(train_rows, validation_rows, model)
    n_validated = min(settings.validation_tokens, int(validation_rows.lengths.sum()))
    run = Run(model, settings, context.rank, context.world_size)
    training = _Training(run, settings, context, clock, n_validated)
    training.restore()
    for step, batch in training.batches(train_rows):
        training.take(step, batch)
        is_last = training.record["is_last"]
        ends_epoch = is_last or step.ends_epoch
        if ends_epoch or training.record["step"] % settings.validation_steps == 0:
            training.record |= run.validate(validation_rows)
        if ends_epoch:
            trained = training.trained()
            if context.rank == 0:
                training.record |= on_epoch(trained)
            clock.epoch_end_s = clock.lap()
        if context.rank == 0:
            context.log(training.record)
        if is_last:
            training.checkpoint(on_finish)
        elif training.is_checkpoint_due():
            training.checkpoint()
        if is_last:
            break
        clock.lap()
    return training.trained()


def _new_model(train_rows: Rows, validation_rows: Rows, shape: ModelShape) -> ConditionalGPT2:
    longest = int(max(rows.lengths.max(initial=0) for rows in (train_rows, validation_rows)))
    shape = shape.model_copy(update={"context_tokens": max(shape.context_tokens, longest)})
    return new_model(shape, train_rows.text_vectors.shape[1])


def _check_rows(train_rows: Rows, validation_rows: Rows, model: ConditionalGPT2) -> None:
    if not len(train_rows):
        raise TrainingError("there are no windows to train on", "collect more pieces, and run `amt prepare` again")
    longest = int(max(rows.lengths.max(initial=0) for rows in (train_rows, validation_rows)))
    room = model.config.n_positions - model.config.prefix_tokens
    if longest > room:
        raise TrainingError(
            f"the longest window has {longest} events, and the model has room for {room}",
            "prepare with fewer --window-tokens, or train from scratch",
        )


class _Training:
    """Where a training stands: the last record, the clock, and the checkpoints."""

    def __init__(self, run: Run, settings: TrainSettings, context: TrainContext, clock: Clock, n_validated: int) -> None:
        self.run, self.settings, self.context, self.clock = run, settings, context, clock
        self.record: Record = {}
        self.checkpoint_s = 0.0
        self.batch_tokens = settings.batch_tokens * max(settings.workers, context.world_size)
        """Of all ranks together. A run that goes on with other workers keeps its batches, and so its plan."""
        # A step goes forth and back, about three times what validation takes, which is told things in three ways.
        self.validation_steps = n_validated / self.batch_tokens
        self.parts_at_first = run.n_parts

    def agreed(self, seconds: float) -> float:
        """The mean of what the ranks' clocks say."""
        if self.context.world_size == 1:
            return seconds
        return float(self.run.sum(torch.tensor(seconds, device=self.run.device))) / self.context.world_size

    def share_done(self, share_of_plan: float) -> float:
        """How much of the training is done, 0..1: of the plan or of the minutes, whichever is more."""
        if self.settings.max_minutes is None:
            return share_of_plan
        ending_s = self.clock.ending_s(self.validation_steps, self.run.n_parameters)
        of_minutes = self.agreed(self.clock.seconds() + ending_s) / (60 * self.settings.max_minutes)
        return min(1.0, max(share_of_plan, of_minutes))

    def batches(self, rows: Rows) -> Iterator[tuple[Step, Batch]]:
        """Yield the steps that are still to be taken, each with this rank's batch."""
        config, settings, context = self.run.plain.config, self.settings, self.context
        if settings.max_minutes is not None and self.record.get("ended_after_minutes") == settings.max_minutes:
            return iter(())
        augmentation = Augmentation() if settings.augment else None
        most_tokens = config.n_positions - config.prefix_tokens
        variation = Variation(
            settings.control_dropout, settings.prefix_dropout, augmentation, settings.infill_share, most_tokens
        )

        def make(step: Step) -> Batch:
            return make_share(rows, step.rows, variation, (settings.seed, step.epoch), context.rank, context.world_size)

        return with_batches(plan_steps(rows.lengths, settings, self.batch_tokens, self.record.get("step", 0)), make)

    def take(self, step: Step, batch: Batch) -> None:
        """Take a step and make its record."""
        share_done = self.share_done(step.share_of_plan)
        learning_rate = self.settings.learning_rate * rate(share_done, self.settings.warmup_share)
        loss, n_events = self.run.step(batch, step.number, learning_rate)
        self.clock.stepped(n_events)
        before = self.record if step.batch else {"epoch_nats": 0.0, "epoch_events": 0}
        epoch_nats, epoch_events = before["epoch_nats"] + loss * n_events, before["epoch_events"] + n_events
        seconds = self.clock.seconds()
        self.record = {
            "step": step.number + 1,
            "steps": step.number + 1 if share_done >= 1 else max(step.number + 2, round((step.number + 1) / share_done)),
            "epoch": step.epoch + 1,
            "epochs": self.settings.epochs,
            "batch": step.batch + 1,
            "batches": step.n_batches,
            "loss": loss,
            "events": n_events,
            "epoch_loss": epoch_nats / epoch_events,
            "epoch_nats": epoch_nats,
            "epoch_events": epoch_events,
            "learning_rate": learning_rate,
            "events_per_s": self.clock.events_per_s(),
            "memory_bytes": self.run.peak_memory_bytes(),
            "seconds": seconds,
            "seconds_left": seconds * (1 / share_done - 1),
            "batch_tokens": self.batch_tokens,
            "parts": self.run.n_parts,
            "parts_at_first": self.parts_at_first,
            "heads": self.run.plain.config.n_head,
            "is_last": share_done >= 1,
            "ended_after_minutes": self.settings.max_minutes if share_done >= 1 else None,
        }

    def trained(self) -> Trained:
        """Return the model as it is now."""
        return Trained(self.run.whole_model(), self.record)

    def is_checkpoint_due(self) -> bool:
        """Whether to write a checkpoint now: at some steps, and not too often."""
        if self.record["step"] % self.settings.checkpoint_steps:
            return False
        return self.agreed(self.clock.seconds() - self.checkpoint_s) >= self.settings.checkpoint_s

    def checkpoint(self, add_files: OnFinish | None = None) -> None:
        """Write a checkpoint, let rank 0 add to it, and hand it to the context."""
        trained = self.trained() if add_files else None
        with tempfile.TemporaryDirectory(prefix="amt_ray_checkpoint_", dir=self.context.scratch) as temporary:
            folder = Path(temporary) / "checkpoint"
            folder.mkdir()
            self.run.save(folder)
            if self.context.rank == 0:
                (folder / RECORD).write_text(json.dumps(self.record))
                if add_files and trained:
                    add_files(trained, folder)
            self.context.checkpoint(self.record["step"], folder, self.record)
        self.checkpoint_s = self.clock.seconds()

    def restore(self) -> None:
        """Load the context's last checkpoint, if there is one."""
        with self.context.restore() as folder:
            if folder is not None:
                self.run.load(folder)
                self.record = json.loads((folder / RECORD).read_text())
                if self.record["heads"] != self.run.plain.config.n_head:
                    raise TrainingError(f"the run that is there has {self.record['heads']} heads", "name another folder")
                self.clock.spent_s = self.record["seconds"]
                # Fewer ranks than before have more rows each.
                self.run.n_parts = max(self.run.n_parts, self.record["parts"])
                self.batch_tokens = self.record["batch_tokens"]
        self.checkpoint_s = self.clock.seconds()
