"""The whole collect stage beside a plain loop of pretty_midi on as many processes.

    python benchmarks/collect.py [FOLDER] [--files 10000] [--repeats 3] [--every 10] [--memory 2000 20000]

FOLDER holds MIDI files; without it, the free scores of `amt corpus` are made. Copies of them, each perturbed (transposed,
some notes left out), are added until there are as many files as asked.

Ours: `collect` from the folder to Parquet (scan, parse, all features, duplicates, report with its picture) into a fresh
workspace, without Wikipedia. Theirs: `pretty_midi.PrettyMIDI(path)` and the figures of the seed of this project that
pretty_midi can give (duration, notes, instruments, tempo changes, metres, keys, pitch classes, velocities) in a
`multiprocessing.Pool`, on every tenth file, since it is slow. Both have their processes started and libraries loaded
beforehand; Ray's start-up is printed beside. In turn, medians of the repeats.

Then the peak memory of the driver, each collection in a process of its own, with few files and with many.
Last line: one JSON object; `ratio` is our files a second divided by theirs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pretty_midi
from symusic import Score

from amt_ray.config import CollectSettings
from amt_ray.pipelines.cluster import resources, start_ray
from amt_ray.pipelines.collect import collect
from amt_ray.pipelines.corpus import make_corpus

SKIP = CollectSettings(skip_wikipedia=True)


def make_library(source: Path, out: Path, n_files: int) -> None:
    """Copy the files of `source` into `out`, and perturbed copies of them, until there are `n_files`."""
    originals = sorted(p for p in source.rglob("*") if p.suffix.lower() in (".mid", ".midi", ".kar") and p.is_file())
    rng = np.random.default_rng(0)
    for number in range(n_files):
        path = originals[number % len(originals)]
        target = out / f"{number // len(originals):03}" / path.parent.name / f"{number:06} {path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes() if number < len(originals) else perturbed(path, rng))


def perturbed(path: Path, rng: np.random.Generator) -> bytes:
    """The file's music, transposed by up to 5 semitones and with a tenth of its notes left out."""
    score = Score(path)
    shift = int(rng.integers(-5, 6))
    for track in score.tracks:
        keep = rng.random(len(track.notes)) > 0.1
        track.notes = type(track.notes)([note for note, kept in zip(track.notes, keep, strict=True) if kept])
        if not track.is_drum and all(0 <= note.pitch + shift < 128 for note in track.notes):
            track.shift_pitch(shift, inplace=True)
    data: bytes = score.dumps_midi()
    return data


def theirs(path: str) -> int:
    """What a plain loop would take from a file; 0 for one that pretty_midi cannot read."""
    try:
        midi = pretty_midi.PrettyMIDI(path)
    except Exception:
        return 0
    notes = [note for instrument in midi.instruments for note in instrument.notes]
    velocities = [note.velocity for note in notes]
    figures = [
        midi.get_end_time(),
        len(notes),
        [instrument.program for instrument in midi.instruments],
        midi.get_tempo_changes(),
        midi.time_signature_changes,
        midi.key_signature_changes,
        midi.get_pitch_class_histogram(use_duration=True),
        np.mean(velocities) if velocities else 0.0,
        np.std(velocities) if velocities else 0.0,
    ]
    return len(figures)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start_s = time.perf_counter()
    work()
    return time.perf_counter() - start_s


def driver_mib(library: Path, n_files: int, folder: Path) -> float:
    """Peak memory of a process that collects `n_files` of the library, in MiB."""
    part = folder / f"part-{n_files}"
    for path in sorted(path for path in library.rglob("*") if path.is_file())[:n_files]:
        (part / path.relative_to(library)).parent.mkdir(parents=True, exist_ok=True)
        (part / path.relative_to(library)).hardlink_to(path)
    # On Linux a process's peak begins with that of the process it was started from: here a shell, which is small.
    command = [
        "sh",
        "-c",
        '"$@"; exit $?',
        "sh",
        sys.executable,
        __file__,
        "--driver",
        str(part),
        str(folder / f"W{n_files}"),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(printed.splitlines()[-1])


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--every", type=int, default=10, help="pretty_midi gets every so many-th file")
    parser.add_argument("--memory", type=int, nargs=2, default=(2000, 20_000))
    parser.add_argument("--driver", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.driver:
        collect(*options.driver, SKIP)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory() as temporary:
        measure(options, Path(temporary))


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Make the library, time both sides, and print."""
    ray_s = timed(start_ray)
    source = options.folder or Path(make_corpus(str(folder / "corpus")).out)
    library = folder / "library"
    make_library(source, library, options.files)
    few = sorted(str(path) for path in library.rglob("*") if path.is_file())[:: options.every]
    processes = int(resources()["CPU"])
    first_s = timed(lambda: collect(str(source), str(folder / "warm"), SKIP))
    our_s, their_s = [], []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(theirs, few[: 2 * processes])
        for repeat in range(options.repeats):
            workspace = str(folder / f"W-{repeat}")
            our_s.append(timed(lambda workspace=workspace: collect(str(library), workspace, SKIP)))
            their_s.append(timed(lambda: pool.map(theirs, few, chunksize=10)))
    again_s = timed(lambda: collect(str(library), str(folder / "W-0"), SKIP))
    ours_per_s = options.files / statistics.median(our_s)
    theirs_per_s = len(few) / statistics.median(their_s)
    print(f"{options.files} files, {processes} processes, {options.repeats} repeats, medians; Ray started in {ray_s:.1f} s,")
    print(f"its first collection, of {source.name}, took {first_s:.1f} s; collecting again what is known {again_s:.1f} s\n")
    print(f"{'':16}{'files':>8}{'s':>8}{'files/s':>10}")
    print(f"{'amt collect':16}{options.files:>8}{statistics.median(our_s):>8.1f}{ours_per_s:>10.0f}")
    print(f"{'pretty_midi':16}{len(few):>8}{statistics.median(their_s):>8.1f}{theirs_per_s:>10.1f}\n")
    small, large = options.memory
    if large > options.files:
        make_library(source, library, large)
    small_mib, large_mib = driver_mib(library, small, folder), driver_mib(library, large, folder)
    print(f"driver's peak memory: {small_mib:.0f} MiB with {small} files, {large_mib:.0f} MiB with {large}\n")
    results = {
        "benchmark": "collect",
        "ratio": round(ours_per_s / theirs_per_s, 1),
        "files_per_s": round(ours_per_s),
        "pretty_midi_files_per_s": round(theirs_per_s, 1),
        "files": options.files,
        "processes": processes,
        "ray_start_s": round(ray_s, 1),
        "memory_ratio": round(large_mib / small_mib, 2),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
