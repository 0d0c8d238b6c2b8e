"""Ray Data actors that hold a text encoder: where they run, how many they are, what is said of one that cannot be loaded."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from amt_ray.config import EncoderDevice
from amt_ray.errors import EncoderError, RequestError
from amt_ray.pipelines.cluster import actor_restarts, remote_arguments, resources, start_ray
from amt_ray.text.embed import EncoderSource, TextEncoder

if TYPE_CHECKING:
    import ray.data

Device = Literal["cpu", "cuda"]
_TRACEBACKS = ("ray.data._internal.execution.streaming_executor_state", "ray.data.exceptions")
"""Loggers to which Ray Data prints what it raises, too."""


def choose_device(wanted: EncoderDevice) -> Device:
    """Say what encoders run on: "auto" is the GPUs where Ray has some. Raises RequestError for "cuda" where it has none."""
    start_ray()
    has_gpu = resources().get("GPU", 0) >= 1
    if wanted == "cuda" and not has_gpu:
        raise RequestError("device", wanted, "cpu or auto, for Ray finds no GPU here")
    return "cuda" if has_gpu and wanted != "cpu" else "cpu"


class EncoderActor:
    """A Ray Data actor that holds the encoder.

    On a CPU it computes in one thread, for a pool of such processes is faster than one process with as many threads.
    """

    def __init__(self, source: EncoderSource, device: Device, batch_size: int) -> None:
        self.source, self.device, self.batch_size = source, device, batch_size

    @cached_property
    def encoder(self) -> TextEncoder:
        """Load the encoder with the first batch: of what a constructor raises, Ray makes an error without its kind.

        Raises EncoderError where this node has another encoder of the name than the driver.
        """
        if self.device == "cpu":
            _compute_in_one_thread()
        name = str(self.source.folder.absolute()) if self.source.origin == "folder" else self.source.name
        encoder = TextEncoder(name, self.device)
        if encoder.fingerprint != self.source.fingerprint:
            here, there = encoder.fingerprint[:12], self.source.fingerprint[:12]
            problem = f"its fingerprint is {here} on one node and {there} on another"
            raise EncoderError(self.source.name, problem, "install the same encoder on all nodes")
        return encoder


def through_pool(
    rows: ray.data.Dataset, actor: type[EncoderActor], arguments: tuple[EncoderSource, Device, int], batch: int, most: int
) -> ray.data.Dataset:
    """Send Arrow batches of `batch` rows through a pool of at most `most` actors, built with `arguments`."""
    with remote_arguments():
        return rows.map_batches(
            actor,
            batch_format="pyarrow",
            batch_size=batch,
            fn_constructor_args=arguments,
            max_restarts=actor_restarts(),
            **_pool(arguments[1], most),
        )


@contextmanager
def encoder_errors(name: str) -> Iterator[None]:
    """Raise an actor's EncoderError as it was: Ray prints its traceback twice, and puts advice into its first argument.

    The actors end, and give their CPUs back, even while the error is kept: it leads to Ray Data's frames no more.
    """
    with ExitStack() as restore:
        for logger in map(logging.getLogger, _TRACEBACKS):
            restore.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        except EncoderError as exc:
            exc.__context__ = None
            raise EncoderError(name, *getattr(exc, "cause", exc).args[1:]) from None


def _pool(device: Device, most: int) -> Mapping[str, Any]:
    """Arguments of `map_batches`: an actor for each GPU or CPU, but no more than `most`."""
    from ray.data import ActorPoolStrategy

    if device == "cuda":
        return {"compute": ActorPoolStrategy(size=min(int(resources()["GPU"]), most)), "num_gpus": 1, "num_cpus": 0}
    # A block goes to the actor that is free, not to wait behind a long one. A little less than a CPU an actor leaves room
    # for the tasks that write what the actors have made.
    size = min(max(1, int(resources().get("CPU", 1))), most)
    return {"compute": ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=1), "num_cpus": 0.9}


def _compute_in_one_thread() -> None:
    """Make torch and the tokenizer use the CPU that this process was given, and no other."""
    import torch

    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
