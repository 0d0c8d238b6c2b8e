"""Training on a bare machine, without Ray: one process, its checkpoints, metrics and model in one folder."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from amt_ray.config import TrainSettings
from amt_ray.errors import OutputError, RequestError, TrainingError
from amt_ray.model.bundle import save_bundle
from amt_ray.training.context import LocalContext
from amt_ray.training.loop import RECORD, Trained, train
from amt_ray.training.outcome import bundle_of, initial_model
from amt_ray.training.portable import ABOUT, EMBEDDINGS, SEQUENCES, load_portable
from amt_ray.training.progress import Lines

DATA = "data.sha256"


class BareContext(LocalContext):
    """One process: the last two checkpoints in `OUT/checkpoints`, a line of JSON for each step in `OUT/metrics.jsonl`."""

    def __init__(self, out: Path, digest: str) -> None:
        super().__init__(out / "checkpoints")
        self.metrics, self.lines = out / "metrics.jsonl", Lines()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_data(out / DATA, digest)
            self._forget_after_checkpoint()
        except OSError as exc:
            raise OutputError(str(out), exc.strerror or str(exc)) from exc

    def _check_data(self, path: Path, digest: str) -> None:
        """Refuse to go on with other music, texts or events: the plan of the run would not be that of its steps."""
        if not path.exists():
            path.write_text(digest)
        if path.read_text() != digest:
            raise TrainingError(
                f"the run in {path.parent} is of other training data", "name another folder, and its model with --from"
            )

    def _forget_after_checkpoint(self) -> None:
        """Clear what a process that was killed has left: half a checkpoint, and the metrics of steps to be taken again."""
        for unfinished in self.folder.glob("amt_ray_checkpoint_*"):
            shutil.rmtree(unfinished)
        step = self.last_record().get("step", 0)
        if self.metrics.exists():
            kept = [
                line
                for line in self.metrics.read_text().splitlines()
                if line.endswith("}") and json.loads(line)["step"] <= step
            ]
            self.metrics.write_text("".join(f"{line}\n" for line in kept))

    def log(self, record: Mapping[str, Any]) -> None:
        """Append to the file, and print what there is to say."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        for line in self.lines.of(record):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Keep this checkpoint and the one before."""
        super().checkpoint(step, folder, metrics)
        for old in sorted(self.folder.glob("checkpoint_*"))[:-2]:
            shutil.rmtree(old)

    def last_record(self) -> dict[str, Any]:
        """Return what was logged with the last checkpoint; empty before the first."""
        with self.restore() as folder:
            return json.loads((folder / RECORD).read_text()) if folder else {}


def use_gpu(device: str) -> bool:
    """Say whether "auto", "cpu" or "cuda" means a GPU here. Raises RequestError for one that is not there."""
    is_there = torch.cuda.is_available()
    if device == "cuda" and not is_there:
        raise RequestError("device", device, "cpu: PyTorch finds no GPU on this machine")
    return is_there and device != "cpu"


def train_bare(sequences: Path, out: Path, settings: TrainSettings, began_s: float, start: Path | None = None) -> None:
    """Train on a folder that `amt pack` wrote, or go on from `OUT/checkpoints`; `OUT/model` is the bundle, in bfloat16.

    Minutes count from `began_s` (`time.monotonic`); a training that has ended goes on for as many more. `start` is a bundle
    whose weights a new run begins with. Raises TrainingError as `train` does, and where the run that is there is of other
    data; BundleError as `initial_model` does.
    """
    data = load_portable(sequences)
    digest = sha256(b"".join((sequences / name).read_bytes() for name in (ABOUT, SEQUENCES, EMBEDDINGS))).hexdigest()[:16]
    initial = initial_model(start, data.encoder, settings) if start else None
    context = BareContext(out, digest)
    before = context.last_record()
    if before.get("batch_tokens", settings.batch_tokens) != settings.batch_tokens:
        raise TrainingError(
            f"the run in {out} has batches of {before['batch_tokens']:,} events", "give it the same --batch-tokens"
        )
    if settings.max_minutes is not None:
        left_s = max(1.0, 60 * settings.max_minutes - (time.monotonic() - began_s))
        settings = settings.model_copy(update={"max_minutes": (before.get("seconds", 0.0) + left_s) / 60})

    def on_finish(trained: Trained, folder: Path) -> None:
        bundle = bundle_of(data, settings, digest, trained)
        bundle.model.to(torch.bfloat16)  # type: ignore[arg-type]
        save_bundle(bundle, out / "model")

    train(data.train, data.validation, settings.shape, settings, context, on_finish, initial=initial)
    sys.stdout.write(f"model: {out / 'model'}\n")
