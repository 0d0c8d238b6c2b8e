"""Train on a bare machine, without Ray: `python -m amt_ray.training SEQUENCES OUT --preset base --minutes 10`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from amt_ray.config import PRESETS, TrainSettings, train_settings
from amt_ray.errors import AmtError
from amt_ray.model.bundle import save_bundle
from amt_ray.training.context import LocalContext
from amt_ray.training.loop import Trained, train
from amt_ray.training.outcome import bundle_of
from amt_ray.training.portable import ABOUT, EMBEDDINGS, SEQUENCES, load_portable

LEAST_ENDING_S, ENDING_SHARE = 5.0, 0.03
"""Of the minutes that are given, what the last validation, checkpoint and bundle may take."""
LINE_INTERVAL_S = 5.0


class BareContext(LocalContext):
    """One process: the last two checkpoints in `OUT/checkpoints`, a line of JSON for each step in `OUT/metrics.jsonl`."""

    def __init__(self, out: Path) -> None:
        super().__init__(out / "checkpoints")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.metrics, self.last_line_s = out / "metrics.jsonl", 0.0

    def log(self, record: Mapping[str, Any]) -> None:
        """Append to the file, and print a line every few seconds."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if record["is_last"] or time.monotonic() - self.last_line_s >= LINE_INTERVAL_S:
            self.last_line_s = time.monotonic()
            sys.stdout.write(f"{line_of(record)}\n")
            sys.stdout.flush()

    def checkpoint(self, step: int, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Keep this checkpoint and the one before."""
        super().checkpoint(step, folder, metrics)
        for old in sorted(self.folder.glob("checkpoint_*"))[:-2]:
            shutil.rmtree(old)

    def record(self) -> dict[str, Any]:
        """Return what was logged with the last checkpoint; empty before the first."""
        with self.restore() as folder:
            return json.loads((folder / "record.json").read_text()) if folder else {}


def line_of(record: Mapping[str, Any]) -> str:
    """Say in a line how far a training is."""
    text = (
        f"step {record['step']:,}  epoch {record['epoch']}  loss {record['loss']:.3f}  rate {record['learning_rate']:.1e}  "
        f"{record['events_per_s']:,.0f} events/s  {record['seconds']:,.0f} s"
    )
    is_validated = record.get("validation_loss") is not None
    return f"{text}  validation loss {record['validation_loss']:.3f}" if is_validated else text


def run(sequences: Path, out: Path, settings: TrainSettings, began_s: float) -> None:
    """Train on a folder that `amt pack` wrote, or go on from `OUT/checkpoints`; `OUT/model` is the bundle, in bfloat16.

    Minutes count from `began_s` (`time.monotonic`); a training that has ended goes on for as many more.
    """
    data = load_portable(sequences)
    context = BareContext(out)
    if settings.max_minutes is not None:
        before = context.record()
        spent_s = before.get("seconds", 0.0)
        kept_s = max(LEAST_ENDING_S, ENDING_SHARE * 60 * settings.max_minutes) + time.monotonic() - began_s
        left_s = max(1.0, 60 * settings.max_minutes - kept_s)
        settings = settings.model_copy(update={"max_minutes": (spent_s + left_s) / 60})
    digest = sha256(b"".join((sequences / name).read_bytes() for name in (ABOUT, SEQUENCES, EMBEDDINGS))).hexdigest()[:16]

    def on_finish(trained: Trained, folder: Path) -> None:
        bundle = bundle_of(data, settings, digest, trained)
        bundle.model.to(torch.bfloat16)  # type: ignore[arg-type]
        save_bundle(bundle, out / "model")

    train(data.train, data.validation, settings.shape, settings, context, on_finish)
    sys.stdout.write(f"model: {out / 'model'}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and train; returns the exit code."""
    began_s = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m amt_ray.training", description=__doc__)
    parser.add_argument("sequences", type=Path, help="folder that `amt pack` wrote")
    parser.add_argument("out", type=Path, help="folder for checkpoints, metrics and the model; a run that is there goes on")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="base")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--hidden-dim", type=int)
    parser.add_argument("--heads", type=int)
    parser.add_argument("--minutes", type=float, dest="max_minutes", help="ends, model and all, within so many minutes")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--steps", type=int, dest="max_steps")
    parser.add_argument("--batch-tokens", type=int, help="events in a batch")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--gradient-checkpointing", action="store_true", default=None, help="less memory, more time")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args(argv))
    sequences, out, preset, device = (given.pop(name) for name in ("sequences", "out", "preset", "device"))
    use_gpu = torch.cuda.is_available() if device == "auto" else device == "cuda"
    if given["max_minutes"] is not None:
        given["epochs"] = given["epochs"] or 10_000
    try:
        run(sequences, out, train_settings(preset, use_gpu=use_gpu, **given), began_s)
    except (AmtError, ValidationError) as exc:
        reason = exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else str(exc)
        sys.stderr.write(f"error: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
