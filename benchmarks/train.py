"""How fast training goes: `amt train` beside a bare PyTorch loop, and batches of like length beside fixed ones of 16.

    python benchmarks/train.py [WORKSPACE] [--presets tiny] [--steps 40] [--repeats 5] [--threads 1]
    python benchmarks/train.py --portable SEQUENCES --presets small base large --device cuda

WORKSPACE is one that `amt prepare` has filled; without it, one is made of 40 pieces of music21's corpus. With SEQUENCES, a
folder that `amt pack` wrote, ours is `python -m amt_ray.training`, which needs no Ray. Each run is a process of its own; the
sides take turns; the medians count.

Both sides take the same steps with the same model, precision, optimizer and rows. The bare loop has its batches on the
device before its clock runs, logs nothing and waits for nothing: it is what the hardware gives. Ours makes its batches,
counts, writes metrics and checkpoints. The first steps of either are not counted. A token is an event that is learnt from;
padding is none. On a GPU the table has the model FLOPs utilisation (Chowdhery et al., 2022) beside it, and the memory and
speed with gradient checkpointing; a profile says where the bare loop's time goes.
Last line: one JSON object; `ratio` is our tokens/s divided by the bare loop's, for the first preset.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bare_loop import NAME as BARE_LOOP

WARM_STEPS = 8
BATCHING_STEPS, WINDOW_TOKENS = 10, 1024
"""Batches of 16 windows are large: a few are enough."""


def tokens_per_s(metrics: Path) -> tuple[float, float]:
    """Tokens a second after the first steps, and the peak of memory in GB, of a run's metrics."""
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    first, last = records[WARM_STEPS - 1], records[-1]
    n_tokens = sum(record["events"] for record in records[WARM_STEPS:])
    return n_tokens / (last["seconds"] - first["seconds"]), last["memory_bytes"] / 1e9


def ours(arguments: argparse.Namespace, preset: str, options: list[str]) -> tuple[float, float]:
    """Train with amt_ray; returns as `tokens_per_s` does."""
    with tempfile.TemporaryDirectory() as folder:
        common = ["--preset", preset, "--steps", str(arguments.steps), "--device", arguments.device, *options]
        if arguments.portable:
            run([sys.executable, "-m", "amt_ray.training", arguments.portable, folder, *common], arguments)
            return tokens_per_s(Path(folder) / "metrics.jsonl")
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        for artefact in Path(arguments.workspace).iterdir():  # a run of its own, on the same artefacts
            if (artefact / "manifest.json").exists():
                (workspace / artefact.name).symlink_to(artefact.resolve())
        run([str(Path(sys.executable).with_name("amt")), "train", str(workspace), *common], arguments)
        return tokens_per_s(next((workspace / "metrics").glob("*.jsonl")))


def bare(arguments: argparse.Namespace, preset: str, options: list[str]) -> dict[str, Any]:
    """Run the bare loop; returns what it prints."""
    data = arguments.portable or arguments.workspace
    command = [
        sys.executable,
        str(Path(__file__).with_name(BARE_LOOP)),
        data,
        preset,
        arguments.device,
    ]
    printed = run([*command, *options], arguments)
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    if "profile" in result:
        print(result["profile"])
    return result


def run(command: list[str], arguments: argparse.Namespace) -> str:
    """Run a command on the asked-for threads and return what it prints; what it complains of ends the benchmark."""
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr[-2000:]}")
    return done.stdout


def compare(arguments: argparse.Namespace, preset: str) -> dict[str, float]:
    """Let both sides take turns and print a row for each."""
    mine, theirs, flops = [], [], 0.0
    for _ in range(arguments.repeats):
        mine.append(ours(arguments, preset, [])[0])
        result = bare(arguments, preset, [str(arguments.steps), "--warm-steps", str(WARM_STEPS)])
        theirs.append(result["tokens_per_s"])
        flops = result["flops_per_token"]
    row = {"ours": statistics.median(mine), "bare": statistics.median(theirs)}
    row["ratio"] = row["ours"] / row["bare"]
    peak = result["peak_flops"]
    row["mfu"] = row["ours"] * flops / peak if peak else 0.0
    mfu = f"  MFU {row['mfu']:.2f}" if peak else ""
    print(f"{preset:8} {row['ours']:12,.0f} {row['bare']:12,.0f} {row['ratio']:8.3f}{mfu}", flush=True)
    return row


def compare_checkpointing(arguments: argparse.Namespace, preset: str) -> None:
    """Print what gradient checkpointing saves and costs."""
    plain, saving = (ours(arguments, preset, option) for option in ([], ["--gradient-checkpointing"]))
    print(
        f"{preset:8} memory {plain[1]:6.1f} GB, with gradient checkpointing {saving[1]:6.1f} GB "
        f"({saving[1] / plain[1]:.2f} of it) at {saving[0] / plain[0]:.2f} of the speed",
        flush=True,
    )


def compare_batching(arguments: argparse.Namespace, preset: str) -> dict[str, float]:
    """Print padding and speed of batches of like length and of 16 windows each as they come."""
    few = [str(BATCHING_STEPS), "--warm-steps", "2"]
    found: dict[str, list[dict[str, Any]]] = {"like length": [], "fixed 16": []}
    for _ in range(min(3, arguments.repeats)):
        found["like length"].append(bare(arguments, preset, [*few, "--batch-tokens", str(16 * WINDOW_TOKENS)]))
        found["fixed 16"].append(bare(arguments, preset, [*few, "--rows", "16"]))
    speeds = {name: statistics.median(result["tokens_per_s"] for result in results) for name, results in found.items()}
    print(f"\n{'batches':12} {'padding':>8} {'tokens/s':>10}")
    for name, results in found.items():
        print(f"{name:12} {results[0]['padding']:8.1%} {speeds[name]:10,.0f}")
    return {"padding": found["like length"][0]["padding"], "padding_fixed": found["fixed 16"][0]["padding"],
            "batching_ratio": round(speeds["like length"] / speeds["fixed 16"], 3)}  # fmt: skip


def make_workspace(folder: Path) -> str:
    """Prepare forty pieces of music21's corpus."""
    from amt_ray.config import CollectSettings, PrepareSettings
    from amt_ray.pipelines.collect import collect
    from amt_ray.pipelines.corpus import make_corpus
    from amt_ray.pipelines.prepare import prepare

    make_corpus(str(folder / "library"), 40)
    collect(str(folder / "library"), str(folder / "workspace"), CollectSettings(skip_wikipedia=True))
    prepare(str(folder / "workspace"), PrepareSettings())
    return str(folder / "workspace")


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", nargs="?", help="folder that `amt prepare` has filled")
    parser.add_argument("--portable", help="folder that `amt pack` wrote, in place of a workspace")
    parser.add_argument("--presets", nargs="+", default=["tiny"])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not (arguments.workspace or arguments.portable):
            arguments.workspace = make_workspace(Path(folder))
        print(f"{arguments.steps} steps, {WARM_STEPS} of them to warm up, {arguments.repeats} repeats, medians, tokens/s\n")
        print(f"{'preset':8} {'ours':>12} {'bare loop':>12} {'ratio':>8}")
        rows = {preset: compare(arguments, preset) for preset in arguments.presets}
        batching = compare_batching(arguments, arguments.presets[0])
        if arguments.device == "cuda":
            for preset in arguments.presets:
                compare_checkpointing(arguments, preset)
                bare(arguments, preset, [str(arguments.steps), "--profile"])
    first = rows[arguments.presets[0]]
    record = {
        "benchmark": "train",
        "ratio": round(first["ratio"], 3),
        **batching,
        "presets": {preset: {name: round(value, 3) for name, value in row.items()} for preset, row in rows.items()},
        "device": arguments.device,
        "repeats": arguments.repeats,
    }
    print(f"\n{json.dumps(record)}")


if __name__ == "__main__":
    main()
