import itertools
import math
import os
import shutil
import signal
import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.artifacts import Workspace
from amt_ray.config import Limits
from amt_ray.midi.collect import ACCEPTED, collect_files
from amt_ray.midi.scan import Library
from amt_ray.pipelines.parsing import (
    BYTES_PER_BLOCK,
    LEAST_BYTES,
    PARSED,
    WORK_OF_ANY_FILE_BYTES,
    parse_missing,
    slices,
)
from amt_ray.pipelines.parts import Parts
from amt_ray.pipelines.progress import silent

LIMITS = Limits(max_parse_s=3.0)


def parts_in(folder):
    return Parts(Workspace(str(folder)), "parsed", "x", PARSED)


def outcomes(parts):
    rows = parts.table(["path", "status", "detail"]).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: (row["status"], row["detail"]) for row in rows}


def test_files_that_kill_or_hang_their_process_are_rows_and_all_others_are_read(ray_local, library, tmp_path, capfd):
    folder = tmp_path / "library"
    shutil.copytree(library, folder)
    sound = folder / "Ada Quaver" / "Study No 1.mid"
    for name in ("segfault", "abort", "hang"):
        shutil.copy(sound, folder / f"{name}.mid")
    library = Library(str(folder))
    files = library.scan()

    def collect(files, read, limits):
        names = {file.path for file in files}
        if "segfault.mid" in names:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "abort.mid" in names:
            os.abort()
        if "hang.mid" in names:  # without giving up the interpreter, as C code would
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            time.sleep(600)
        return collect_files(files, read, limits)

    parts = parts_in(tmp_path / "w")
    assert parse_missing(files, [library], parts, LIMITS, silent, collect) == 15
    died = "the process that read it died, or needed more than 3 s"
    found = outcomes(parts)
    crashed = {path: detail for path, (status, detail) in found.items() if status == "crash"}
    assert crashed == {
        "segfault.mid": died,
        "abort.mid": died,
        "hang.mid": died,
    }
    assert sum(status == ACCEPTED for status, _ in found.values()) == 12
    assert "Traceback" not in capfd.readouterr().err
    assert parse_missing(files, [library], parts, LIMITS, silent, collect) == 0


def blocks_of(sizes, rows_per_block, least_bytes, n_cpus):
    """The sizes of the files of each block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("amt_ray.pipelines.parsing.resources", lambda: {"CPU": float(n_cpus)})
        blocks = slices(pa.table({"size_bytes": pa.array(sizes, pa.int64())}), rows_per_block, least_bytes)
    return [block["size_bytes"].to_pylist() for block in blocks]


def work_of(sizes):
    return sum(sizes) + len(sizes) * WORK_OF_ANY_FILE_BYTES


file_sizes = st.lists(st.one_of(st.integers(0, 10**5), st.integers(0, 2 * BYTES_PER_BLOCK)), max_size=60)


@given(file_sizes, st.integers(1, 30), st.sampled_from((1, 10**5, LEAST_BYTES)), st.integers(0, 8))
def test_every_file_is_in_one_block_and_every_block_is_a_share_of_what_is_left(sizes, rows_per_block, least_bytes, n_cpus):
    blocks = blocks_of(sizes, rows_per_block, least_bytes, n_cpus)
    assert [size for block in blocks for size in block] == sizes
    left = work_of(sizes)
    for block, following in itertools.pairwise([*blocks, [math.inf]]):
        share = min(max(left / (2 * max(n_cpus, 1)), least_bytes), BYTES_PER_BLOCK)
        assert 1 <= len(block) <= rows_per_block
        assert len(block) == 1 or work_of(block) <= share
        # No block is smaller than it has to be.
        assert len(block) == rows_per_block or work_of([*block, following[0]]) > share - 1
        left -= work_of(block)


@pytest.mark.parametrize("n_cpus", [1, 2, 7])
def test_blocks_get_smaller_down_to_the_least(n_cpus):
    size = 90_000
    least_bytes = 10 * (size + WORK_OF_ANY_FILE_BYTES)
    blocks = blocks_of([size] * 500, 10**4, least_bytes, n_cpus)
    n_files = [len(block) for block in blocks]
    assert n_files == sorted(n_files, reverse=True)
    assert n_files[0] == 500 // (2 * n_cpus)
    assert set(n_files[-1 - n_cpus : -1]) == {10}
    assert n_files[-1] <= 10


def test_many_small_files_are_cut_by_rows_and_few_large_ones_by_bytes():
    assert [len(block) for block in blocks_of([1] * 600, 100, 1, 1)] == [100] * 5 + [50, 25, 12, 6, 3, 2, 1, 1]
    assert [len(block) for block in blocks_of([2**24] * 40, 100, 1, 1)][:8] == [3] * 8
    assert blocks_of([0], 100, LEAST_BYTES, 1) == [[0]]
    assert blocks_of([], 100, LEAST_BYTES, 1) == []


def test_blocks_are_for_the_cpus_of_the_cluster(ray_local):
    blocks = slices(pa.table({"size_bytes": [0] * 600}), 10**4, 1)
    assert blocks[0].num_rows == 100
