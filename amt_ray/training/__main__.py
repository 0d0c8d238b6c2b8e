"""Train on a bare machine, without Ray: `python -m amt_ray.training SEQUENCES OUT --preset base --minutes 10`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from amt_ray.config import PRESETS, train_settings
from amt_ray.errors import AmtError


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and train; returns the exit code."""
    began_s = time.monotonic()
    given = vars(_parser().parse_args(argv))
    # The minutes that are given include the seconds that importing torch and transformers takes.
    from amt_ray.training.bare import train_bare, use_gpu

    sequences, out, preset, device, start = (given.pop(name) for name in ("sequences", "out", "preset", "device", "start"))
    try:
        train_bare(sequences, out, train_settings(preset, use_gpu=use_gpu(device), **given), began_s, start)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(map(str, first["loc"]))
        sys.stderr.write(f"error: {f'{place}: ' if place else ''}{first['msg'].removeprefix('Value error, ')}\n")
        return 1
    except (AmtError, OSError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    either = argparse.BooleanOptionalAction
    parser = argparse.ArgumentParser(prog="python -m amt_ray.training", description=__doc__)
    parser.add_argument("sequences", type=Path, help="folder that `amt pack` wrote")
    parser.add_argument("out", type=Path, help="folder for checkpoints, metrics and the model; a run that is there goes on")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="base")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--hidden-dim", type=int)
    parser.add_argument("--heads", type=int)
    parser.add_argument("--dropout", type=float)
    parser.add_argument("--from", type=Path, dest="start", help="folder of a model to go on from, with new steps")
    parser.add_argument("--minutes", type=float, dest="max_minutes", help="ends, model and all, within so many minutes")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--steps", type=int, dest="max_steps")
    parser.add_argument("--batch-tokens", type=int, help="events in a batch")
    parser.add_argument("--accumulation", type=int, help="parts in which a batch goes through the model")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--label-smoothing", type=float)
    parser.add_argument("--augment", action=either)
    parser.add_argument("--infill-share", type=float)
    parser.add_argument("--mixed-precision", choices=("auto", "no", "bf16", "fp16"))
    parser.add_argument("--gradient-checkpointing", action="store_true", default=None, help="less memory, more time")
    parser.add_argument("--compile", action=either, dest="compile_layers", help="the layers; by default on a GPU")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--checkpoint-steps", type=int, help="between checkpoints; by default they are a minute apart")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
