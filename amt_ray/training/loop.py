"""The training loop: AdamW (Loshchilov and Hutter, 2019), warm-up and cosine decay, label smoothing, clipping, with
accelerate for mixed precision and data parallelism. It ends with a model; what becomes of it is the caller's affair.

A step's data depends on the seed, the epoch and the rows alone, and a checkpoint holds model, optimizer, torch's random
state and the step: going on from one gives what an undisturbed run would have given.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor

from amt_ray.config import ModelShape, TrainSettings
from amt_ray.errors import TrainingError
from amt_ray.events.vocabulary import PAD
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, new_model
from amt_ray.text.quiet import quiet
from amt_ray.training.augment import Augmentation
from amt_ray.training.batches import Batch, Rows, Variation, make_batch, plan_epoch
from amt_ray.training.context import TrainContext
from amt_ray.training.plan import Step, plan_steps

AS_THEY_ARE = Variation()
MOST_VALIDATION_BATCHES = 16


@dataclass(frozen=True, eq=False)
class Trained:
    """The model after its last step, and the metrics of the whole run."""

    model: ConditionalGPT2
    metrics: dict[str, Any]


OnFinish = Callable[[Trained, Path], None]


def train(
    train_rows: Rows,
    validation_rows: Rows,
    shape: ModelShape,
    settings: TrainSettings,
    context: TrainContext,
    on_finish: OnFinish = lambda trained, folder: None,
) -> Trained:
    """Train from scratch, or on from the context's last checkpoint, to the last step of the plan.

    After the last step rank 0 calls `on_finish` to add files to the last checkpoint's folder, before it is kept. Raises
    TrainingError for a loss that is no number, and where one row is too much for the memory.
    """
    run = _Run(shape, train_rows.text_vectors.shape[1], settings, context)
    start, record = run.restore()
    # A run that goes on with other workers keeps its batches, and so its plan.
    batch_tokens = record.get("batch_tokens", settings.batch_tokens * context.world_size)
    n_steps = sum(1 for _ in plan_steps(train_rows.lengths, settings, batch_tokens))
    began_s, spent_s, events = time.monotonic(), record.get("seconds", 0.0), 0
    is_last = run.share_done(start / n_steps, spent_s) >= 1
    for step in plan_steps(train_rows.lengths, settings, batch_tokens):
        if step.number < start or is_last:
            continue
        share_done = run.share_done((step.number + 1) / n_steps, spent_s + time.monotonic() - began_s)
        learning_rate = settings.learning_rate * rate(share_done, settings.warmup_share)
        loss, n_events = run.step(train_rows, step, learning_rate)
        events += n_events
        is_last = share_done >= 1
        seconds = time.monotonic() - began_s
        record = {
            "step": step.number + 1,
            "steps": n_steps,
            "epoch": step.epoch + 1,
            "loss": loss,
            "learning_rate": learning_rate,
            "events_per_s": events / seconds,
            "seconds": spent_s + seconds,
            "batch_tokens": batch_tokens,
            "parts": run.n_parts,
            "is_last": is_last,
        }
        if is_last or step.ends_epoch:
            record["validation_loss"] = run.validate(validation_rows)
        if context.rank == 0:
            context.log(record)
        if (step.number + 1) % settings.checkpoint_steps == 0 and not is_last:
            run.checkpoint(record)
    trained = Trained(run.accelerator.unwrap_model(run.model), record)
    run.checkpoint(record, lambda folder: on_finish(trained, folder))
    return trained


class _Run:
    """The moving parts of one training, under accelerate."""

    def __init__(self, shape: ModelShape, text_dim: int, settings: TrainSettings, context: TrainContext) -> None:
        set_seed(settings.seed)
        self.settings, self.context = settings, context
        self.accelerator = Accelerator(mixed_precision=_precision(settings), cpu=not settings.use_gpu)
        model = new_model(shape, text_dim)
        if settings.gradient_checkpointing:
            model.activation_checkpointing_enable()
        self.variation = Variation(
            settings.control_dropout,
            settings.prefix_dropout,
            Augmentation() if settings.augment else None,
            settings.infill_share,
            shape.context_tokens,
        )
        self.n_parts = 1
        """A rank's rows go through the model in so many parts; doubled when memory runs out."""
        optimizer = torch.optim.AdamW(_parameter_groups(model, settings.weight_decay), lr=settings.learning_rate)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)

    def share_done(self, of_steps: float, seconds: float) -> float:
        """Return how much of the training is done, 0..1, with the step that is next: of the steps or of the minutes."""
        if self.settings.max_minutes is None:
            return of_steps
        of_time = torch.tensor(seconds / (60 * self.settings.max_minutes), device=self.accelerator.device)
        return min(1.0, max(of_steps, float(self._sum(of_time)) / self.context.world_size))  # ranks' clocks differ

    def step(self, rows: Rows, step: Step, learning_rate: float) -> tuple[float, int]:
        """Take one optimizer step; returns the cross-entropy in nats per event, and of how many events."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        share = step.share(self.context.rank, self.context.world_size)
        # A rank without rows of its own goes through the step with a row that counts nothing: the others wait for it.
        batch = make_batch(rows, share if len(share) else step.rows[:1], self.variation, (self.settings.seed, step.epoch))
        batch = batch if len(share) else batch.without_targets()
        n_events = int(self._sum(torch.tensor(batch.n_targets, device=self.accelerator.device)))
        loss = float(self._sum(self._backward_in_parts(batch, max(n_events, 1))))
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of step {step.number + 1} is {loss}",
                "the checkpoint before it stands; train with a lower --learning-rate",
            )
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss, n_events

    def _backward_in_parts(self, batch: Batch, n_events: int) -> Tensor:
        """Leave the gradient of the mean loss over all ranks' events; returns this rank's part of that mean."""
        while True:
            try:
                return self._backward(batch, n_events)
            except torch.OutOfMemoryError as exc:
                # Other ranks may be waiting for this one's gradients, so that only one that is alone can try again.
                if self.n_parts >= len(batch.ids_BT) or self.context.world_size > 1:
                    raise TrainingError(
                        f"memory is too small for {-(-len(batch.ids_BT) // self.n_parts)} windows at once",
                        "train with fewer --batch-tokens, with --gradient-checkpointing or a smaller --preset",
                    ) from exc
            self.optimizer.zero_grad()
            torch.cuda.empty_cache()
            self.n_parts *= 2

    def _backward(self, batch: Batch, n_events: int) -> Tensor:
        total = torch.zeros((), device=self.accelerator.device)
        parts = list(batch.parts(self.n_parts))
        for part in parts:
            with nullcontext() if part is parts[-1] else self.accelerator.no_sync(self.model):
                objective, cross_entropy = self._loss(part, self.settings.label_smoothing)
                # Gradients are averaged over the ranks, but the loss is a mean over all their events.
                self.accelerator.backward(objective * (self.context.world_size / n_events))
            total += cross_entropy / n_events
        return total

    def _sum(self, value: Tensor) -> Tensor:
        """Add up over the ranks."""
        return value if self.context.world_size == 1 else self.accelerator.reduce(value, "sum")

    def validate(self, rows: Rows) -> float | None:
        """Mean loss in nats per event, without smoothing or dropout, over the first batches; None without rows."""
        if not len(rows):
            return None
        self.model.eval()
        total, n_events = 0.0, 0
        with torch.no_grad():
            for chosen in plan_epoch(rows.lengths, self.settings.batch_tokens, 0, 0)[:MOST_VALIDATION_BATCHES]:
                batch = make_batch(rows, chosen, AS_THEY_ARE, (0,))
                total, n_events = total + float(self._loss(batch, 0.0)[1]), n_events + batch.n_targets
        return total / n_events

    def _loss(self, batch: Batch, label_smoothing: float) -> tuple[Tensor, Tensor]:
        device = self.accelerator.device
        ids_BT, targets_BT = (torch.from_numpy(ids).to(device) for ids in (batch.ids_BT, batch.targets_BT))
        text_BE, has_text_B = torch.from_numpy(batch.text_BE).to(device), torch.from_numpy(batch.has_text_B).to(device)
        return event_loss(self.model, ids_BT, targets_BT, text_BE, has_text_B, label_smoothing)

    def checkpoint(self, record: dict[str, Any], add_files: Callable[[Path], None] = lambda folder: None) -> None:
        """Write a checkpoint, let rank 0 add to it, and hand it to the context."""
        with tempfile.TemporaryDirectory(prefix="amt_ray_checkpoint_") as temporary:
            folder = Path(temporary) / "checkpoint"
            with quiet():
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
            try:
                self.accelerator.load_state(str(folder / "state"))
            except RuntimeError as exc:
                raise TrainingError(
                    "the run that is there is of a model of another shape", "name another folder, or the options it had"
                ) from exc
            record: dict[str, Any] = json.loads((folder / "record.json").read_text())
            self.n_parts = record["parts"]
            return record["step"], record


def event_loss(
    model: Any, ids_BT: Tensor, targets_BT: Tensor, text_BE: Tensor, has_text_B: Tensor, label_smoothing: float
) -> tuple[Tensor, Tensor]:
    """Add up, over the next events that are targets and in nats, what is minimised and the cross-entropy within it.

    They differ by label smoothing (Szegedy et al., 2016): a share of the cross-entropy with all 512 events alike.
    """
    log_p_BTV = model(ids_BT, text_BE, has_text_B)[:, :-1].float().log_softmax(-1)
    targets_BT = targets_BT[:, 1:]
    is_target_BT = targets_BT != PAD
    cross_entropy = -(log_p_BTV.gather(2, targets_BT[..., None])[..., 0] * is_target_BT).sum()
    with_all = -(log_p_BTV.mean(2) * is_target_BT).sum() if label_smoothing else cross_entropy
    return torch.lerp(cross_entropy, with_all, label_smoothing), cross_entropy.detach()


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


def rate(share_done: float, warmup_share: float) -> float:
    """Factor of the learning rate: a linear rise, then a cosine to a tenth (Loshchilov and Hutter, 2017)."""
    if share_done < warmup_share:
        return share_done / warmup_share
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (share_done - warmup_share) / max(1 - warmup_share, 1e-9)))
