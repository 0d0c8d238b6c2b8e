"""The moving parts of one training under accelerate: model, optimizer, precision, and the ranks that share the work."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from amt_ray.config import TrainSettings
from amt_ray.errors import OutputError, TrainingError
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, ConditionalGPT2Config
from amt_ray.training.batches import Batch, Rows
from amt_ray.training.objective import event_loss
from amt_ray.training.optimizer import new_optimizer, precision_of
from amt_ray.training.validation import ALL_TOLD, NO_CONTROLS, NO_TEXT, Score, score, validation_batches

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
STATE = "state.pt"


class Run:
    """A model in training on this rank. Every rank calls every method, in the same order."""

    def __init__(self, model: ConditionalGPT2, settings: TrainSettings, rank: int, world_size: int) -> None:
        self.settings, self.rank, self.world_size = settings, rank, world_size
        self.accelerator = Accelerator(mixed_precision=precision_of(settings), cpu=not settings.use_gpu)
        self.device = self.accelerator.device
        self.n_parts = settings.accumulation * -(-settings.workers // world_size)
        """A rank's rows go through the model in so many parts, more where it does others' work; doubled without memory."""
        self.n_parameters = model.num_parameters()
        self.is_sharded = settings.shard and world_size > 1
        if settings.gradient_checkpointing:
            model.activation_checkpointing_enable()
        if settings.use_gpu if settings.compile_layers is None else settings.compile_layers:
            _compile(model)
        prepared = _sharded(model, self.device, world_size) if self.is_sharded else self.accelerator.prepare(model)
        self.plain, self.model = model, prepared
        self.optimizer = self.accelerator.prepare(new_optimizer(prepared, settings))

    def step(self, batch: Batch, number: int, learning_rate: float) -> tuple[float, int]:
        """Take one optimizer step; returns the cross-entropy in nats per event, and of how many events.

        Raises TrainingError where the loss is no number, or one row is too much for the memory.
        """
        # Dropout depends on the step alone, so that a run that goes on needs no random state.
        torch.manual_seed(int(np.random.SeedSequence([self.settings.seed, number, self.rank]).generate_state(1)[0]))
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        n_events = self.sum(torch.tensor(batch.n_targets, device=self.device))
        loss = float(self.sum(self._backward_in_parts(batch, n_events.clamp(min=1))))
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        norm = float(norm.full_tensor() if self.is_sharded else norm)
        is_broken = not math.isfinite(norm) and self.accelerator.scaler is None  # a scaler leaves out such steps
        if is_broken or not math.isfinite(loss):
            raise TrainingError(
                f"the loss of step {number + 1} is {loss}, its gradient {norm}",
                "the checkpoint before it stands; train with a lower --learning-rate",
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss, int(n_events)

    def _backward_in_parts(self, batch: Batch, n_events: Tensor) -> Tensor:
        """Leave the gradient of the mean loss over all ranks' events; returns this rank's part of that mean."""
        while True:
            try:
                return self._backward(batch, n_events)
            except torch.OutOfMemoryError as exc:
                # Other ranks may be waiting for this one's gradients, so that only one that is alone can try again.
                if self.n_parts >= len(batch.ids_BT) or self.world_size > 1:
                    several = "more --accumulation, fewer --batch-tokens, " if self.world_size > 1 else ""
                    raise TrainingError(
                        f"memory is too small for {-(-len(batch.ids_BT) // self.n_parts)} windows at once",
                        f"train with {several}--gradient-checkpointing or a smaller --preset",
                    ) from exc
            self.optimizer.zero_grad()
            torch.cuda.empty_cache()
            self.n_parts *= 2

    def _backward(self, batch: Batch, n_events: Tensor) -> Tensor:
        total = torch.zeros((), device=self.device)
        parts = list(batch.parts(self.n_parts))
        if self.is_sharded:  # each part gathers the weights, so that all ranks go through as many
            parts += [parts[0].without_targets()] * (self.n_parts - len(parts))
        for number, part in enumerate(parts, start=1):
            with self._synchronised(number == len(parts)):
                with self.accelerator.autocast():
                    objective, cross_entropy = event_loss(self.model, part, self.device, self.settings.label_smoothing)
                # Gradients are averaged over the ranks, but the loss is a mean over all their events.
                self.accelerator.backward(objective * (self.world_size / n_events))
            total += cross_entropy / n_events
        return total

    @contextmanager
    def _synchronised(self, is_last: bool) -> Iterator[None]:
        """Let ranks exchange gradients after the last part only."""
        if self.is_sharded:
            self.model.set_requires_gradient_sync(is_last)
        if self.is_sharded or is_last:
            yield
        else:
            with self.accelerator.no_sync(self.model):
                yield

    def sum(self, value: Tensor) -> Tensor:
        """Add up over the ranks."""
        return value if self.world_size == 1 else self.accelerator.reduce(value, "sum")

    def validate(self, rows: Rows) -> dict[str, float]:
        """Score unseen music, told everything, without its controls and without its text; nothing without rows."""
        batches = validation_batches(rows, self.settings.batch_tokens, self.settings.validation_tokens)
        if not batches:
            return {}
        self.model.eval()
        scores = []
        for told in (ALL_TOLD, NO_CONTROLS, NO_TEXT):
            # Compiled for training, layers would be compiled again for so few batches.
            with self.accelerator.autocast(), torch.compiler.set_stance("force_eager"):
                own = score(self.model, rows, batches, told, self.device, self.rank, self.world_size)
            nats, *counts = self.sum(torch.tensor(own, dtype=torch.float64, device=self.device)).tolist()
            scores.append(Score(nats, *map(int, counts)))
        record: dict[str, float] = {}
        for name, of_told in zip(("", "_without_controls", "_without_text"), scores, strict=True):
            record |= {f"validation_loss{name}": of_told.loss, f"bits_per_note{name}": of_told.bits_per_note}
        return record

    def whole_model(self) -> ConditionalGPT2:
        """Return the model without what training put around it; on rank 0 with its whole weights, for itself alone."""
        if not self.is_sharded:
            return self.plain
        weights = get_model_state_dict(self.model, options=WHOLE)
        model = ConditionalGPT2(cast(ConditionalGPT2Config, self.plain.config))
        if self.rank == 0:
            model.load_state_dict(weights)
        return model

    def save(self, folder: Path) -> None:
        """Write weights and optimizer into a folder, the same file however many ranks there are. Raises OutputError."""
        scaler = self.accelerator.scaler
        state = {
            "model": get_model_state_dict(self.model, options=WHOLE),
            "optimizer": get_optimizer_state_dict(self.model, self.optimizer.optimizer, options=WHOLE),
            "scaler": scaler.state_dict() if scaler else {},
        }
        if self.rank == 0:
            try:
                torch.save(state, folder / STATE)
            except (OSError, RuntimeError) as exc:  # torch has its own word for a full disk
                reason = f"the checkpoint did not fit or may not be there ({str(exc).splitlines()[0]})"
                raise OutputError(str(folder), reason) from exc

    def load(self, folder: Path) -> None:
        """Read what `save` wrote. Raises TrainingError where it is damaged, or of a model of another shape."""
        try:
            state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as exc:
            raise TrainingError(
                f"the checkpoint {folder} is damaged", "delete it to go on from the one before, or name another folder"
            ) from exc
        try:
            set_model_state_dict(self.model, state["model"], options=WHOLE)
        except RuntimeError as exc:
            raise TrainingError(
                "the run that is there is of a model of another shape", "name another folder, or the options it had"
            ) from exc
        set_optimizer_state_dict(self.model, self.optimizer.optimizer, state["optimizer"], options=WHOLE)
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])

    def peak_memory_bytes(self) -> int:
        """Most memory that this process has held, on a GPU of the GPU's; 0 where the system does not say."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated()
        if sys.platform == "win32":
            return 0
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def _compile(model: ConditionalGPT2) -> None:
    """Compile the layers, which are alike, so that the code of one does for all; where it fails, they run as they are."""
    torch._dynamo.config.suppress_errors = True
    for block in model.transformer.h:
        block.compile(dynamic=True)


def _sharded(model: ConditionalGPT2, device: torch.device, world_size: int) -> Any:
    """Spread weights, gradients and optimizer over the ranks (FSDP: Zhao et al., 2023), a layer gathered at a time."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    mesh = init_device_mesh(device.type, (world_size,))
    model.to(device)  # type: ignore[arg-type]
    for part in (*model.transformer.h, model):
        fully_shard(part, mesh=mesh)
    assert isinstance(model, FSDPModule)
    return model
