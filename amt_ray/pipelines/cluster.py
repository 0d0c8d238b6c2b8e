"""Joining the Ray cluster we were given, or starting a quiet local one."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LOCAL_OBJECT_STORE_BYTES = 1_000_000_000
# Ray reads these when it is imported or started; what the user has set stays.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # While actors hold all CPUs, Ray ends the processes between two writing tasks, and starting one costs more than a task.
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
}


def start_ray() -> None:
    """Connect to the cluster of `RAY_ADDRESS` (set inside a submitted job), else start Ray on this machine only.

    Does nothing when this process has Ray already; never stops a Ray that it did not start. Ray itself stops a local one
    when the process ends.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    if not ray.is_initialized():
        if os.environ.get("RAY_ADDRESS"):
            ray.init(logging_level=logging.ERROR, log_to_driver=False)
        else:
            ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=LOCAL_OBJECT_STORE_BYTES,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True
    # It keeps half of the CPUs back for operators that our pipelines of one do not have.
    context.op_resource_reservation_enabled = False


def block_count(n_rows: int, rows_per_block: int) -> int:
    """How many blocks to cut `n_rows` cheap rows into: enough for every CPU, and few, for a block costs 12 ms."""
    cpus = int(resources().get("CPU", 1))
    return max(1, min(n_rows, max(2 * cpus, n_rows // rows_per_block)))


def resources() -> dict[str, float]:
    """Return what the cluster has in all: "CPU", "GPU" …"""
    import ray

    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found


@contextmanager
def remote_arguments() -> Iterator[None]:
    """Let `map_batches` take max_restarts and max_retries: Ray 2.60 has no other way to say them than one it deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def actor_restarts() -> int:
    """How often Ray Data may restart an actor: for ever on a cluster; never on one machine, where a lost node is the end.

    Ray's core prints a warning for every actor that it might restart (its issue 53727).
    """
    return -1 if os.environ.get("RAY_ADDRESS") else 0
