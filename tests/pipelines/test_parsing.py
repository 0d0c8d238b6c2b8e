import os
import shutil
import signal
import time

import pyarrow as pa

from amt_ray.artifacts import Workspace
from amt_ray.config import Limits
from amt_ray.midi.collect import ACCEPTED, collect_files
from amt_ray.midi.scan import Library
from amt_ray.pipelines.parsing import BYTES_PER_BLOCK, PARSED, parse_missing, slices
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


def test_blocks_have_like_work_and_none_is_too_large(ray_local):
    sizes = [1, 2**30, 5, 60 * 2**20, 5 * 2**20, 1, 1, 1]
    blocks = [block["size_bytes"].to_pylist() for block in slices(pa.table({"size_bytes": sizes}), 3)]
    assert [size for block in blocks for size in block] == sizes
    assert all(sum(block) <= BYTES_PER_BLOCK + max(block) for block in blocks)
    assert [block.num_rows for block in slices(pa.table({"size_bytes": [1] * 600}), 100)] == [100] * 6
    alike = slices(pa.table({"size_bytes": [0] * 500 + [90_000] * 100}), 100)
    assert [block.num_rows for block in alike] == [250, 250, 25, 25, 25, 25]
    assert [block.num_rows for block in slices(pa.table({"size_bytes": [0]}), 100)] == [1]
