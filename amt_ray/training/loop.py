"""The training loop: AdamW (Loshchilov and Hutter, 2019), warm-up and cosine decay, label smoothing, clipping, with
accelerate for mixed precision and data parallelism. It ends with a model; what becomes of it is the caller's affair.

A step's data depends on (seed, epoch, batch) alone, and a checkpoint holds model, optimizer, schedule, torch's random
state and the step: going on from one gives what an undisturbed run would have given.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor

from amt_ray.config import ModelShape, TrainSettings
from amt_ray.events.vocabulary import PAD
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, new_model
from amt_ray.training.batches import Batch, Dropout, Rows, make_batch, plan_epoch
from amt_ray.training.context import TrainContext

NO_DROPOUT = Dropout(0.0, 0.0)
MOST_VALIDATION_BATCHES = 16


@dataclass(frozen=True, eq=False)
class Trained:
    """The model after its last step, and the metrics of the whole run."""

    model: ConditionalGPT2
    metrics: dict[str, Any]


OnFinish = Callable[[Trained, Path], None]


@dataclass(frozen=True)
class Step:
    """One optimizer step of one rank: where it stands in the run, and the rows it sees."""

    number: int
    epoch: int
    ends_epoch: bool
    place: int
    """Of the batch among all ranks' batches of the epoch."""
    rows: npt.NDArray[np.intp]


def plan_steps(rows: Rows, settings: TrainSettings, rank: int, world_size: int) -> Iterator[Step]:
    """List a rank's steps, epoch by epoch; each rank has as many, and batches that do not go round are left out."""
    number = 0
    for epoch in range(settings.epochs):
        batches = plan_epoch(rows.lengths, settings.batch_tokens, settings.seed, epoch)
        n_steps = max(1, len(batches) // world_size)
        for index in range(n_steps):
            if number == settings.max_steps:
                return
            place = (index * world_size + rank) % len(batches)
            yield Step(number, epoch, index + 1 == n_steps, place, batches[place])
            number += 1


def train(
    train_rows: Rows,
    validation_rows: Rows,
    shape: ModelShape,
    settings: TrainSettings,
    context: TrainContext,
    on_finish: OnFinish = lambda trained, folder: None,
) -> Trained:
    """Train from scratch, or on from the context's last checkpoint, to the last step of the plan.

    After the last step rank 0 calls `on_finish` to add files to the last checkpoint's folder, before it is kept.
    """
    set_seed(settings.seed)
    accelerator = Accelerator(mixed_precision=_precision(settings), cpu=not settings.use_gpu)
    model = new_model(shape, train_rows.text_vectors.shape[1])
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable()
    n_steps = sum(1 for _ in plan_steps(train_rows, settings, context.rank, context.world_size))
    run = _Run(accelerator, model, settings, context, n_steps)
    start, record = run.restore()
    dropout = Dropout(settings.control_dropout, settings.prefix_dropout)
    began_s, events = time.monotonic(), 0
    for step in plan_steps(train_rows, settings, context.rank, context.world_size):
        if step.number < start:
            continue
        rng = np.random.default_rng([settings.seed, step.epoch, step.place])
        batch = make_batch(train_rows, step.rows, dropout, rng)
        learning_rate = run.schedule.get_last_lr()[0]
        loss = run.step(batch)
        events += int((batch.ids_BT != PAD).sum()) * context.world_size
        is_last = step.number + 1 == n_steps
        record = {
            "step": step.number + 1,
            "steps": n_steps,
            "epoch": step.epoch + 1,
            "loss": loss,
            "learning_rate": learning_rate,
            "events_per_s": events / (time.monotonic() - began_s),
        }
        if is_last or step.ends_epoch:
            record["validation_loss"] = run.validate(validation_rows)
        if context.rank == 0:
            context.log(record)
        if (step.number + 1) % settings.checkpoint_steps == 0 and not is_last:
            run.checkpoint(record)
    trained = Trained(accelerator.unwrap_model(run.model), record)
    run.checkpoint(record, lambda folder: on_finish(trained, folder))
    return trained


class _Run:
    """The moving parts of one training, under accelerate."""

    def __init__(
        self,
        accelerator: Accelerator,
        model: ConditionalGPT2,
        settings: TrainSettings,
        context: TrainContext,
        n_steps: int,
    ) -> None:
        self.accelerator, self.settings, self.context = accelerator, settings, context
        optimizer = torch.optim.AdamW(_parameter_groups(model, settings.weight_decay), lr=settings.learning_rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(n_steps, settings.warmup_share))
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        accelerator.register_for_checkpointing(self.schedule)

    def step(self, batch: Batch) -> float:
        """Take one optimizer step; returns the loss in nats per event."""
        self.model.train()
        loss = self._loss(batch, self.settings.label_smoothing)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        return float(loss.detach())

    def validate(self, rows: Rows) -> float | None:
        """Mean loss in nats per event, without smoothing or dropout, over the first batches; None without rows."""
        if not len(rows):
            return None
        self.model.eval()
        total, events = 0.0, 0
        rng = np.random.default_rng(0)
        with torch.no_grad():
            for chosen in plan_epoch(rows.lengths, self.settings.batch_tokens, 0, 0)[:MOST_VALIDATION_BATCHES]:
                batch = make_batch(rows, chosen, NO_DROPOUT, rng)
                n = int((batch.ids_BT[:, 1:] != PAD).sum())
                total, events = total + n * float(self._loss(batch, 0.0)), events + n
        return total / events

    def _loss(self, batch: Batch, label_smoothing: float) -> Tensor:
        device = self.accelerator.device
        ids_BT = torch.from_numpy(batch.ids_BT).to(device)
        text_BE, has_text_B = torch.from_numpy(batch.text_BE).to(device), torch.from_numpy(batch.has_text_B).to(device)
        return event_loss(self.model, ids_BT, text_BE, has_text_B, label_smoothing)

    def checkpoint(self, record: dict[str, Any], add_files: Callable[[Path], None] = lambda folder: None) -> None:
        """Write a checkpoint, let rank 0 add to it, and hand it to the context."""
        with tempfile.TemporaryDirectory(prefix="amt_ray_checkpoint_") as temporary:
            folder = Path(temporary) / "checkpoint"
            self.accelerator.save_state(str(folder / "state"))
            if self.context.rank == 0:
                (folder / "record.json").write_text(json.dumps(record))
                add_files(folder)
            self.context.checkpoint(record["step"], folder, record)

    def restore(self) -> tuple[int, dict[str, Any]]:
        """Load the context's last checkpoint, if any; returns the step to go on with and the last record."""
        with self.context.restore() as folder:
            if folder is None:
                return 0, {}
            self.accelerator.load_state(str(folder / "state"))
            record: dict[str, Any] = json.loads((folder / "record.json").read_text())
            return record["step"], record


def event_loss(model: Any, ids_BT: Tensor, text_BE: Tensor, has_text_B: Tensor, label_smoothing: float) -> Tensor:
    """Cross-entropy of each next event, PAD left out, in nats per event (smoothing: Szegedy et al., 2016)."""
    logits_BTV = model(ids_BT, text_BE, has_text_B)
    return F.cross_entropy(
        logits_BTV[:, :-1].flatten(0, 1).float(),
        ids_BT[:, 1:].flatten(),
        ignore_index=PAD,
        label_smoothing=label_smoothing,
    )


def _precision(settings: TrainSettings) -> str:
    if settings.mixed_precision != "auto":
        return settings.mixed_precision
    return "bf16" if settings.use_gpu and torch.cuda.is_bf16_supported() else "no"


def _parameter_groups(model: ConditionalGPT2, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices only: norms, biases and embeddings are left to grow as they must."""
    decayed: list[Tensor] = []
    free: list[Tensor] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim >= 2 and ".wte." not in name and ".wpe." not in name and name != "no_text"
        (decayed if is_matrix else free).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


def _rate(n_steps: int, warmup_share: float) -> Callable[[int], float]:
    """Factor of the learning rate by step: a linear rise, then a cosine to a tenth (Loshchilov and Hutter, 2017)."""
    warmup = max(1, round(n_steps * warmup_share))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warmup) / max(1, n_steps - warmup)))

    return factor
