"""Training as processes that are killed, and on two workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from test_whole import BIN, environment, stop

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
N_STEPS = 40


@pytest.fixture(scope="module")
def prepared(library, tmp_path_factory) -> Path:
    """A workspace without a model."""
    place = tmp_path_factory.mktemp("training") / "w"
    for command in (["collect", library, place, "--skip-wikipedia"], ["prepare", place]):
        subprocess.run([BIN / "amt", *command], check=True, env=environment(), timeout=300)
    return place


def copy_of(prepared: Path, name: str) -> Path:
    place = prepared.with_name(name)
    shutil.copytree(prepared, place)
    return place


def command(place: Path, *options: str) -> list[str]:
    steps = ["--steps", str(N_STEPS), "--checkpoint-steps", "5", "--augment", "--infill-share", "0.5"]
    return [str(BIN / "amt"), "train", str(place), "--batch-tokens", "1024", *steps, *options]


def train(place: Path, *options: str) -> None:
    subprocess.run(command(place, *options), check=True, env=environment(OMP_NUM_THREADS="1"), timeout=600)


def records(place: Path) -> list[dict]:
    found = list((place / "metrics").glob("*.jsonl"))
    return [json.loads(line) for line in found[0].read_text().splitlines() if line.endswith("}")] if found else []


def wait_for_step(place: Path, step: int, process: subprocess.Popen[str], limit_s: float = 300) -> None:
    end_s = time.monotonic() + limit_s
    while not any(record["step"] >= step for record in records(place)):
        assert process.poll() is None, "training ended before it was to be killed"
        assert time.monotonic() < end_s
        time.sleep(0.05)


def kill_worker(driver: int) -> None:
    """Kill the process that trains: of the driver's descendants, Ray's training worker."""
    running = psutil.Process(driver).children(recursive=True)
    (worker,) = (process for process in running if "RayTrainWorker" in " ".join(process.cmdline()))
    worker.kill()


def test_killed_worker_and_killed_driver_leave_no_trace_in_the_model(prepared):
    undisturbed, killed = copy_of(prepared, "undisturbed"), copy_of(prepared, "killed")
    train(undisturbed)
    process = subprocess.Popen(
        command(killed), env=environment(OMP_NUM_THREADS="1"), start_new_session=True, text=True, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_step(killed, 8, process)
        kill_worker(process.pid)
        wait_for_step(killed, 22, process)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    finally:
        stop(process)
    assert not (killed / "model").exists()
    train(killed)
    for name in ("model.safetensors", "training.json"):
        assert (killed / "model" / name).read_bytes() == (undisturbed / "model" / name).read_bytes(), name
    assert [record["loss"] for record in records(killed)] == [record["loss"] for record in records(undisturbed)]
    assert [record["step"] for record in records(killed)] == list(range(1, N_STEPS + 1))


def test_two_workers_learn_what_one_learns_with_twice_the_batch(prepared):
    losses = {}
    for name, options in (("one", ["--batch-tokens", "1024"]), ("two", ["--batch-tokens", "512", "--workers", "2"])):
        place = copy_of(prepared, name)
        train(place, "--dropout", "0", *options)
        losses[name] = [record["loss"] for record in records(place)]
    assert losses["two"] == pytest.approx(losses["one"], rel=2e-3)
    assert losses["one"][-1] < losses["one"][0] - 1
