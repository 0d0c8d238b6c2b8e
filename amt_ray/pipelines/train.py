"""`sequences` and `embeddings` to a model bundle, through Ray Train V2.

A run is named by what it is made of: killed and started again, it goes on from its last checkpoint; finished and started
again, it does nothing.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow.fs import FileSelector, FileType

from amt_ray.artifacts import Workspace, fingerprint, write_file
from amt_ray.config import TrainSettings
from amt_ray.errors import BundleError, RequestError, TrainingError
from amt_ray.media.loss_curve import draw_loss_curve
from amt_ray.model.bundle import Bundle, load_bundle, save_bundle
from amt_ray.pipelines.cluster import resources, start_ray
from amt_ray.pipelines.training_data import need_prepared, training_data
from amt_ray.training.loop import Trained, train
from amt_ray.training.outcome import bundle_of

LOSS_CURVE = "loss.png"
Record = Mapping[str, Any]
OnRecord = Callable[[Record], None]


@dataclass(frozen=True)
class TrainReport:
    """Where the model is and how its training ended."""

    bundle: str
    parameters: int
    metrics: Mapping[str, Any]
    seconds: float
    was_current: bool


def train_model(
    workspace: str, settings: TrainSettings, bundle: str | None = None, on_record: OnRecord = lambda record: None
) -> TrainReport:
    """Train on the workspace's sequences and write the bundle, by default to WORKSPACE/model.

    `on_record` is called with the metrics of each step, in order. Raises WorkspaceError before `amt prepare`, OutputError
    when the bundle cannot be written, RequestError for more workers than Ray has room for.
    """
    place = Workspace(workspace)
    base = fingerprint("model", *need_prepared(place), settings.model_dump(exclude={"workers"}))
    made_of = f"{base}-{settings.workers}"
    if bundle is None and "://" in workspace:
        raise RequestError("bundle", "nothing", "a local folder, because the workspace is not on this machine")
    target = Path(bundle) if bundle is not None else Path(place.path) / "model"
    if current := _current(target, made_of):
        metrics = current.training["metrics"]
        return TrainReport(str(target), current.model.num_parameters(), metrics, 0.0, was_current=True)
    began_s = time.monotonic()
    records: list[Record] = []

    def keep(record: Record) -> None:
        records.append(record)
        on_record(record)

    run = run_name(place, base, settings.workers)
    try:
        _fit(place, settings, run, made_of, target, keep)
    finally:
        history = _write_history(place, f"metrics/{run}.jsonl", records)
    if history:
        write_file(target / LOSS_CURVE, draw_loss_curve(history))
    trained = load_bundle(target)
    seconds = time.monotonic() - began_s
    return TrainReport(str(target), trained.model.num_parameters(), trained.training["metrics"], seconds, False)


def _write_history(place: Workspace, name: str, records: list[Record]) -> list[Record]:
    """Put the records behind those of the run before that it went on from, write and return them all."""
    earlier: list[Record] = []
    if place.fs.get_file_info(place.folder(name)).type == FileType.File:
        with place.fs.open_input_stream(place.folder(name)) as file:
            earlier = [json.loads(line) for line in file.read().decode().splitlines()]
    first = records[0]["step"] if records else math.inf
    history = [record for record in earlier if record["step"] < first] + records
    place.write_bytes(name, "".join(json.dumps(record) + "\n" for record in history).encode())
    return history


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


def _fit(place: Workspace, settings: TrainSettings, run: str, made_of: str, target: Path, on_record: OnRecord) -> None:
    start_ray()
    import ray.train
    from ray.train.torch import TorchTrainer

    _check_room(settings)
    board = ray.remote(Board).options(num_cpus=0).remote()
    config = {"workspace": place.root, "settings": settings, "made_of": made_of, "board": board}
    cpus = max(1, int(resources().get("CPU", 1)) // settings.workers)
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=config,
        scaling_config=ray.train.ScalingConfig(
            num_workers=settings.workers,
            use_gpu=settings.use_gpu,
            resources_per_worker={"CPU": 1, "GPU": 1} if settings.use_gpu else {"CPU": cpus},
        ),
        run_config=ray.train.RunConfig(
            name=run,
            storage_path=place.folder(".runs"),
            storage_filesystem=place.fs,
            failure_config=ray.train.FailureConfig(max_failures=2),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),  # type: ignore[call-arg]
        ),
    )
    try:
        with followed(board, on_record):
            result = trainer.fit()
    except ray.train.TrainingFailedError as exc:
        for failure in getattr(exc, "worker_failures", {}).values():
            if isinstance(own := getattr(failure, "_base_exc", failure), TrainingError):
                raise own from exc
        raise TrainingError(
            _last_line(exc), "the same command goes on from the last checkpoint once the cause is mended"
        ) from exc
    assert result.checkpoint is not None, "the last step always reports a checkpoint"
    with result.checkpoint.as_directory() as folder:
        save_bundle(load_bundle(Path(folder) / "bundle"), target)


def _check_room(settings: TrainSettings) -> None:
    """Refuse what Ray would wait for without an end."""
    kind = "GPU" if settings.use_gpu else "CPU"
    there = int(resources().get(kind, 0))
    if there < settings.workers:
        asked = f"{settings.workers} with a {kind} each"
        raise RequestError("workers", asked, f"at most {there}, which is what Ray has here (--device cpu needs no GPU)")


def train_worker(config: dict[str, Any]) -> None:
    """Run the training loop on one Ray Train worker; rank 0 puts the bundle into the last checkpoint."""
    settings = config["settings"]
    data = training_data(Workspace(config["workspace"]))

    def on_finish(trained: Trained, folder: Path) -> None:
        save_bundle(bundle_of(data, settings, config["made_of"], trained), folder / "bundle")

    train(data.train, data.validation, settings.shape, settings, RayContext(config["board"]), on_finish)


class RayContext:
    """A `TrainContext` inside a Ray Train worker."""

    def __init__(self, board: Any) -> None:
        import ray.train

        context = ray.train.get_context()
        self.rank, self.world_size = context.get_world_rank(), context.get_world_size()
        self.board = board

    def log(self, record: Record) -> None:
        """Post the record where the driver reads it."""
        self.board.post.remote(dict(record))

    def checkpoint(self, step: int, folder: Path, metrics: Record) -> None:
        """Report the folder to Ray Train, which merges the ranks' files and keeps the last two checkpoints."""
        import ray.train

        checkpoint = ray.train.Checkpoint.from_directory(folder)
        ray.train.report(dict(metrics), checkpoint=checkpoint, checkpoint_dir_name=f"checkpoint_{step:08d}")

    @contextmanager
    def restore(self) -> Iterator[Path | None]:
        """Give the last reported checkpoint, of this attempt or of an earlier run of the same name."""
        import ray.train

        checkpoint = ray.train.get_checkpoint()
        if checkpoint is None:
            yield None
        else:
            with checkpoint.as_directory() as folder:
                yield Path(folder)


class Board:
    """An actor on which rank 0 posts its records and from which the driver reads them."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def post(self, record: Record) -> None:
        """Add a record."""
        self.records.append(record)

    def since(self, n: int) -> list[Record]:
        """Return the records after the first n."""
        return self.records[n:]


@contextmanager
def followed(board: Any, on_record: OnRecord, interval_s: float = 0.5) -> Iterator[None]:
    """While the body runs, pass each record that is posted on `board` to `on_record`, once and in order."""
    import ray

    finished, n_read = threading.Event(), 0

    def read() -> None:
        nonlocal n_read
        for record in ray.get(board.since.remote(n_read)):
            n_read += 1
            on_record(record)

    def follow() -> None:
        while not finished.wait(interval_s):
            read()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
    read()


def _last_line(exc: BaseException) -> str:
    """What the workers' exceptions come down to: the last line of the deepest message."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(exc).__name__
