"""`sequences` and `embeddings` to a model bundle, through Ray Train V2.

A run is named by what it is made of: killed and started again, it goes on from its last checkpoint; finished and started
again, it does nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow.fs import FileSelector

from amt_ray.artifacts import Workspace, fingerprint, write_file
from amt_ray.config import TrainSettings
from amt_ray.errors import BundleError, RequestError, TrainingError
from amt_ray.media.loss_curve import draw_loss_curve
from amt_ray.model.bundle import Bundle, load_bundle, save_bundle, weights_digest
from amt_ray.model.conditional_gpt2 import ConditionalGPT2
from amt_ray.pipelines.board import Board, OnRecord, Record, followed
from amt_ray.pipelines.cluster import start_ray
from amt_ray.pipelines.room import Say, worker_resources
from amt_ray.pipelines.train_worker import BUNDLE, train_worker
from amt_ray.pipelines.training_data import encoder_of, need_prepared
from amt_ray.pipelines.training_log import TrainingLog
from amt_ray.training.outcome import initial_model

if TYPE_CHECKING:
    import ray.train

LOSS_CURVE = "loss.png"
MOST_FAILURES = 8
"""So many workers may go away in one call, each at the cost of the steps since the last checkpoint."""


@dataclass(frozen=True)
class TrainReport:
    """Where the model is and how its training ended."""

    bundle: str
    parameters: int
    metrics: Mapping[str, Any]
    seconds: float
    was_current: bool


def train_model(
    workspace: str,
    settings: TrainSettings,
    bundle: str | None = None,
    on_record: OnRecord = lambda record: None,
    start: str | None = None,
    say: Say = lambda text: None,
) -> TrainReport:
    """Train on the workspace's sequences and write the bundle, by default to WORKSPACE/model.

    `on_record` is called with the metrics of each step, in order, `say` with what is worth a line before the first;
    `start` is a bundle whose weights are trained further.
    Raises WorkspaceError before `amt prepare`, OutputError when the bundle or a checkpoint cannot be written, RequestError
    for more workers than Ray has room for, BundleError for a `start` that does not fit, TrainingError as `train` does.
    """
    place = Workspace(workspace)
    versions = need_prepared(place)
    initial = initial_model(start, encoder_of(place), settings) if start else None
    begins = weights_digest(start) if start else ""
    base = fingerprint("model", *versions, begins, settings.model_dump(exclude={"workers", "min_workers"}))
    made_of = f"{base}-{settings.workers}"
    if bundle is None and "://" in workspace:
        raise RequestError("bundle", "nothing", "a local folder, because the workspace is not on this machine")
    target = Path(bundle) if bundle is not None else Path(place.path) / "model"
    if current := _current(target, made_of):
        metrics = current.training["metrics"]
        return TrainReport(str(target), current.model.num_parameters(), metrics, 0.0, was_current=True)
    began_s = time.monotonic()
    run = run_name(place, base, settings.workers)
    log = TrainingLog(place, run)

    def keep(record: Record) -> None:
        log.add(record)
        on_record(record)

    try:
        _fit(place, settings, run, made_of, target, keep, initial, say)
    finally:
        log.close()
    if log.history:
        write_file(target / LOSS_CURVE, draw_loss_curve(log.history))
    trained = load_bundle(target)
    seconds = time.monotonic() - began_s
    return TrainReport(str(target), trained.model.num_parameters(), trained.training["metrics"], seconds, False)


def _current(target: Path, made_of: str) -> Bundle | None:
    try:
        bundle = load_bundle(target)
    except BundleError:
        return None
    return bundle if bundle.training.get("fingerprint") == made_of else None


def run_name(place: Workspace, base: str, workers: int) -> str:
    """Name the run of so many workers, or, where it has no checkpoint yet, one of others that was stopped."""
    own = f"{base}-{workers}"
    last = {run: record for run, record in _last_records(place) if run.rpartition("-")[0] == base}
    stopped = [run for run, record in sorted(last.items()) if not record["is_last"]]
    return own if own in last or not stopped else stopped[0]


def _last_records(place: Workspace) -> Iterator[tuple[str, Record]]:
    """The record with the last checkpoint of each run that has one."""
    folder = place.folder(".runs")
    found = place.fs.get_file_info(FileSelector(folder, allow_not_found=True, recursive=True))
    paths = sorted(info.path for info in found if info.base_name == "record.json")
    for path in paths:  # the last of a run wins
        with place.fs.open_input_stream(path) as file:
            yield path.removeprefix(f"{folder}/").partition("/")[0], json.loads(file.read())


def _fit(
    place: Workspace,
    settings: TrainSettings,
    run: str,
    made_of: str,
    target: Path,
    on_record: OnRecord,
    initial: ConditionalGPT2 | None,
    say: Say,
) -> None:
    start_ray()
    import ray.train
    from ray.train.torch import TorchTrainer

    scaling = _scaling(settings, worker_resources(settings, say))
    board: Any = ray.remote(Board).options(num_cpus=0).remote()
    config = {
        "workspace": place.root,
        "settings": settings,
        "run": run,
        "made_of": made_of,
        "board": board,
        "initial": ray.put(initial) if initial else None,
    }
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=config,
        scaling_config=scaling,
        run_config=ray.train.RunConfig(
            name=run,
            storage_path=place.folder(".runs"),
            storage_filesystem=place.fs,
            failure_config=ray.train.FailureConfig(max_failures=MOST_FAILURES),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),  # type: ignore[call-arg]
        ),
    )
    with followed(board, on_record):
        try:
            result = trainer.fit()
        except ray.train.TrainingFailedError as exc:
            raise ray.get(board.stopped_by.remote()) or _reason(exc) from exc
        if stopped_by := ray.get(board.stopped_by.remote()):
            raise stopped_by
        assert result.checkpoint is not None, "the last step always reports a checkpoint"
        with result.checkpoint.as_directory() as folder:
            save_bundle(load_bundle(Path(folder) / BUNDLE), target)


def _scaling(settings: TrainSettings, worker: dict[str, float]) -> ray.train.ScalingConfig:
    import ray.train

    fewest, most = settings.min_workers or settings.workers, settings.workers
    return ray.train.ScalingConfig(
        num_workers=most if fewest == most else (fewest, most),  # type: ignore[arg-type]  # its type lacks the range
        use_gpu=settings.use_gpu,
        resources_per_worker=worker,
    )


def _reason(exc: ray.train.TrainingFailedError) -> TrainingError:
    """A sentence around what the workers said last."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    last = lines[-1].rstrip(".") if lines else type(exc).__name__
    return TrainingError(last, "the same command goes on from the last checkpoint once the cause is mended")
