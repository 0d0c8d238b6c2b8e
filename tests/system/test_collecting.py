"""`amt collect` as a process: killed again and again, and fed with ten thousand damaged files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from faulty_proxy import asked_again, faulty_proxy, read_log
from mutations import mutated
from strategies import compose
from wiki_of_songs import SONGS

from amt_ray.artifacts import Workspace
from amt_ray.midi.write import write_midi

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
AMT = Path(sys.executable).parent / "amt"
N_MUTATIONS = 10_000
MOST_WORKER_MIB = 1500
"""An idle worker of Ray has about 150 MiB, with this package, pyarrow and numpy loaded 300."""


def start(*arguments: object) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(
        [AMT, "collect", *map(str, arguments)], env=kept | {"RAY_USAGE_STATS_ENABLED": "0"}, stdout=subprocess.PIPE
    )


def finish(*arguments: object) -> str:
    process = start(*arguments)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return out.decode()


def kill_when(is_time: Callable[[], bool], *arguments: object) -> float:
    """Start, and end it with SIGKILL as soon as it is time; it must not have ended by itself. Returns when that was."""
    process = start(*arguments)
    while not is_time():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    killed_s = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return killed_s


def rows_of(place: Path) -> dict[str, list[dict[str, object]]]:
    rows = {name: Workspace(str(place)).table(name).to_pylist() for name in ("pieces", "rejects", "articles")}
    for row in rows["articles"]:
        del row["fetched_at"]
    return rows


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """A file for each song, four hundred more, exact and near copies, and some that cannot be read."""
    folder = tmp_path_factory.mktemp("songs")
    names = [f"{song.artist}/{song.title}" for song in SONGS]
    names += [f"Nobody Known/Unheard Tune No. {number}" for number in range(400)]
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.mid").write_bytes(write_midi(compose(seed if seed % 50 else 0)))
    for number in range(20):
        (folder / f"broken {number}.mid").write_bytes(b"MThd" + bytes(number))
    return folder


def test_killed_three_times_the_rows_are_those_of_an_undisturbed_run_and_nothing_is_asked_twice(wiki, songs, tmp_path):
    place, log = tmp_path / "killed", tmp_path / "log"
    finish(songs, tmp_path / "undisturbed", "--wikipedia-api", wiki, "--delay", 0)
    with faulty_proxy(wiki, log, retry_after_s=1, silence_s=1.0) as api_url:
        # Slow enough that most kills come between two requests.
        arguments = (songs, place, "--wikipedia-api", api_url, "--delay", 0.3)
        kill_when(lambda: any(place.rglob("*.parquet")), *arguments)
        assert not (place / "pieces" / "manifest.json").exists()
        kills_s = []
        for n_requests in (4, 10):
            kills_s.append(kill_when(lambda n=n_requests: log.exists() and len(read_log(log)) >= n, *arguments))
            assert not (place / "articles" / "manifest.json").exists()
        finish(*arguments)
        entries = read_log(log)
    assert asked_again(entries, patience_s=10, kills_s=kills_s) == []
    assert rows_of(place) == rows_of(tmp_path / "undisturbed")


def test_ten_thousand_damaged_files_are_all_accounted_for_in_bounded_memory(tmp_path):
    sound = [write_midi(compose(seed)) for seed in range(40)]
    folder = tmp_path / "damaged"
    folder.mkdir()
    for number in range(N_MUTATIONS):
        (folder / f"{number:05}.mid").write_bytes(mutated(sound, number))
    (folder / "sound.mid").write_bytes(sound[0])
    process = start(folder, tmp_path / "w", "--skip-wikipedia")
    peak_mib = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak_mib
        while not done.wait(0.1):
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    peak_mib = max(peak_mib, child.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate(timeout=300)
    done.set()
    watcher.join()
    assert process.returncode == 0
    place = Workspace(str(tmp_path / "w"))
    pieces, rejects = place.table("pieces", ["path"]), place.table("rejects", ["path", "reason"])
    assert f"Found {N_MUTATIONS + 1:,} MIDI files" in out.decode()
    named = pieces["path"].to_pylist() + rejects["path"].to_pylist()
    assert sorted(named) == sorted(path.name for path in folder.iterdir())
    assert "crash" not in rejects["reason"].to_pylist()
    assert peak_mib < MOST_WORKER_MIB
