"""What all tests share: a quiet environment, a small Ray, a small library of MIDI files and a folder of broken ones."""

from __future__ import annotations

import gc
import logging
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from encoders import save_plain_bert
from hypothesis import HealthCheck, settings
from strategies import compose, make_piece

from amt_ray.midi.write import write_midi

# Read when these libraries are imported, so set before any test module is. One thread each: the machine is shared.
os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    RAY_DATA_DISABLE_PROGRESS_BARS="1",
    RAY_TRAIN_HEALTH_CHECK_INTERVAL_S="0.2",
    RAY_CHDIR_TO_TRIAL_DIR="0",
    RAY_memory_monitor_refresh_ms="0",
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
    RAY_idle_worker_killing_time_threshold_ms="60000",
    RAY_AUTH_TOKEN=os.urandom(32).hex(),  # else Ray writes one into the home folder
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    MPLBACKEND="agg",
)
os.environ.pop("RAY_ADDRESS", None)

settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ARTISTS = ("Ada Quaver", "Bela Minim", "Clara Breve")
N_PIECES = 12


@pytest.fixture(scope="session")
def plain_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small random encoder."""
    return save_plain_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Python's collector of cycles does not run of itself while the test does."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def ray_local() -> Iterator[None]:
    """A Ray of this process alone, stopped at the end; starting one is tried twice, for small machines time out."""
    import ray
    import ray.data

    def start() -> None:
        ray.init(
            address="local",
            num_cpus=3,
            include_dashboard=False,
            object_store_memory=200 * 2**20,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )

    try:
        start()
    except (RuntimeError, TimeoutError):
        ray.shutdown()
        start()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.default_hash_shuffle_parallelism = 2
    context.execution_no_progress_timeout_s = 120
    context.raise_original_map_exception = True
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 musical MIDI files, `Artist/Title.mid`, the same in every run. Read only: copy it to change it."""
    root = tmp_path_factory.mktemp("library")
    for seed in range(N_PIECES):
        path = root / ARTISTS[seed % len(ARTISTS)] / f"Study No {seed + 1}.mid"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_midi(compose(seed)))
    return root


def _broken_bytes() -> dict[str, bytes]:
    sound = write_midi(compose(0))
    empty_track = b"MTrk" + struct.pack(">I", 4) + b"\x00\xff\x2f\x00"

    def header(division: int) -> bytes:
        return b"MThd" + struct.pack(">IHHH", 6, 1, 1, division)

    return {
        "zero_bytes.mid": b"",
        "text.mid": b"This is a shopping list, not music.\n",
        "truncated.mid": sound[: len(sound) // 2],
        "header_only.mid": header(480),
        "division_zero.mid": header(0) + empty_track,
        "no_notes.mid": header(480) + empty_track,
        "one_note.mid": write_midi(make_piece([(0, 480, 60, 80, 0)], 480)),
    }


@pytest.fixture(scope="session")
def broken_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of seven files: six that cannot be read, each for its own reason, and `one_note.mid`, which can."""
    root = tmp_path_factory.mktemp("broken")
    for name, data in _broken_bytes().items():
        (root / name).write_bytes(data)
    return root


@pytest.fixture
def real_data() -> Path:
    """The unpacked example corpus, with `library/` and `library_broken/`; tests that need it are skipped without."""
    root = os.environ.get("AMT_RAY_DATA")
    if not root:
        pytest.skip("AMT_RAY_DATA does not name an unpacked example corpus")
    return Path(root)
