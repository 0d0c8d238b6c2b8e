"""How fast files become events: ours (`parse_midi` and `encode`) beside MidiTok's REMI, parsing included, on one core.

    python benchmarks/events.py [FOLDER] [--files 150] [--repeats 5]

FOLDER holds MIDI files, of which a random subset (fixed seed) is taken; without it, files are composed from a seed. Both
sides start from a path and end with ids, in one process on one thread, in turn, each repeat over all files; the medians
count. Files that either side refuses are left out and counted.

REMI is set to hold the same information: programs in one stream, tempi, time signatures, 12 positions a beat with
durations to 16 beats, 16 velocities, 28 tempi from 28 to 280 bpm, the piano's 88 pitches, the same metres where REMI has a
like one; no rests, no chords, no byte-pair encoding. It is used as its documentation says: `tokenizer(path)`.
Last line: one JSON object; `ratio` is REMI's median time divided by ours.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from miditok import REMI, TokenizerConfig

from amt_ray.errors import InvalidPiece
from amt_ray.events.encode import encode
from amt_ray.events.vocabulary import TEMPO_BPM, VELOCITY
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.piece import Notes, Piece
from amt_ray.midi.write import write_midi

SEED = 0


def ours(path: Path) -> int:
    """Number of ids of a file."""
    return len(encode(parse_midi(path.read_bytes())))


def remi() -> Callable[[Path], int]:
    """The same by MidiTok."""
    tokenizer = REMI(
        TokenizerConfig(
            pitch_range=(21, 109),
            beat_res={(0, 16): 12},
            num_velocities=len(VELOCITY),
            use_programs=True,
            one_token_stream_for_programs=True,
            use_tempos=True,
            num_tempos=len(TEMPO_BPM),
            tempo_range=(28, 280),
            log_tempos=True,
            use_time_signatures=True,
            time_signature_range={2: [2, 3], 4: [1, 2, 3, 4, 5, 6], 8: [1, 3, 6, 7, 9, 12]},
        )
    )
    return lambda path: len(tokenizer(path).ids)


def compose(seed: int) -> Piece:
    """Random notes of four instruments and drums, 400 to 4,000: for speed only, not for the ear."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(400, 4000))
    onset = np.sort(rng.integers(0, n * 4, n)) * 30
    program = rng.choice([0, 33, 48, 73, 128], n)
    notes = Notes(onset, rng.integers(1, 16, n) * 60, rng.integers(36, 82, n), rng.integers(30, 120, n), program)
    return Piece(480, notes.take(np.lexsort((notes.pitch, program, onset))), tempo_bpm=rng.uniform(60, 180, 1))


def choose(folder: Path, n_files: int, theirs: Callable[[Path], int]) -> tuple[list[Path], int]:
    """A random subset of the folder that both sides can read, and how many files one of them refused."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi") and path.is_file())
    random.Random(SEED).shuffle(paths)
    chosen: list[Path] = []
    n_refused = 0
    for path in paths:
        if len(chosen) == n_files:
            break
        try:
            ours(path), theirs(path)
        except (InvalidPiece, RuntimeError, ValueError, KeyError, IndexError):
            n_refused += 1
        else:
            chosen.append(path)
    if not chosen:
        raise SystemExit(f"{folder} holds no MIDI file that both sides can read")
    return chosen, n_refused


def measure(paths: list[Path], sides: dict[str, Callable[[Path], int]], repeats: int) -> dict[str, tuple[float, float]]:
    """Median seconds for all files, and mean ids a file, of each side; the sides take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    n_ids: dict[str, int] = {}
    for _ in range(repeats):
        for name, side in sides.items():
            start_s = time.perf_counter()
            n_ids[name] = sum(side(path) for path in paths)
            seconds[name].append(time.perf_counter() - start_s)
    return {name: (statistics.median(seconds[name]), n_ids[name] / len(paths)) for name in sides}


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder of MIDI files; default: composed ones")
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as composed:
        folder = arguments.folder
        if folder is None:
            folder = Path(composed)
            for seed in range(arguments.files):
                (folder / f"{seed:04}.mid").write_bytes(write_midi(compose(seed)))
        theirs = remi()
        paths, n_refused = choose(folder, arguments.files, theirs)
        results = measure(paths, {"amt_ray": ours, "MidiTok REMI": theirs}, arguments.repeats)
    print(f"{len(paths)} files ({n_refused} refused by one side), {arguments.repeats} repeats, medians\n")
    print(f"{'':14} {'files/s':>9} {'ms a file':>10} {'ids a file':>11}")
    for name, (seconds, ids) in results.items():
        print(f"{name:14} {len(paths) / seconds:9.0f} {1e3 * seconds / len(paths):10.3f} {ids:11.0f}")
    (ours_s, _), (theirs_s, _) = results.values()
    record = {
        "benchmark": "events",
        "ratio": round(theirs_s / ours_s, 2),
        "ms_per_file": round(1e3 * ours_s / len(paths), 4),
        "miditok_ms_per_file": round(1e3 * theirs_s / len(paths), 4),
        "files": len(paths),
        "repeats": arguments.repeats,
    }
    print(f"\n{json.dumps(record)}")


if __name__ == "__main__":
    main()
