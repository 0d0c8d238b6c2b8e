"""`amt corpus`: the works of `amt_ray.midi.corpus` that a folder lacks, converted in parallel, written as they come."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa

from amt_ray.artifacts import write_file
from amt_ray.errors import InvalidPiece
from amt_ray.midi.corpus import SOURCE, CorpusWork, default_works, require_music21, work_to_midi
from amt_ray.pipelines.cluster import start_ray
from amt_ray.pipelines.progress import Progress, silent

WORKS_PER_BLOCK = 2
"""Half a second of work: progress is smooth, and the slow quartets spread over the CPUs."""
LICENCES = "LICENCES.csv"


@dataclass(frozen=True)
class CorpusReport:
    """What was done: counts of pieces, and each failure as (path in music21's corpus, reason)."""

    out: str
    written: int
    already_there: int
    failed: list[tuple[str, str]]


def make_corpus(out: str, limit: int = 150, progress: Progress = silent) -> CorpusReport:
    """Make `out/Composer/Title.mid` for the first `limit` works, and `out/LICENCES.csv` for all that are there.

    Run again, it makes what is missing and nothing else; no file is ever half written. Raises `OutputError` where it
    cannot write, `MissingPackageError` without music21, ValueError for a negative limit.
    """
    folder = Path(out)
    works = default_works(limit)
    missing = [number for number, work in enumerate(works) if not (folder / work.midi_path).is_file()]
    already_there = done = len(works) - len(missing)
    failed: list[tuple[str, str]] = []
    progress("pieces", done, len(works))
    _write_licences(folder)  # first, so that a place that cannot be written to costs no time
    for number, midi, reason in _converted(missing):
        work = works[number]
        if midi is None:
            failed.append((work.corpus_path, reason))
        else:
            write_file(folder / work.midi_path, midi)
        done += 1
        progress("pieces", done, len(works))
    _write_licences(folder)
    return CorpusReport(out, len(missing) - len(failed), already_there, sorted(failed))


def _converted(numbers: list[int]) -> Iterator[tuple[int, bytes | None, str]]:
    """Each work's number with its MIDI bytes, or None and why not, in the order in which they are ready."""
    if not numbers:
        return
    require_music21()
    start_ray()
    import ray.data

    blocks = -(-len(numbers) // WORKS_PER_BLOCK)
    works = ray.data.from_items([{"number": number} for number in numbers], override_num_blocks=blocks)
    pieces = works.map_batches(_convert, batch_size=None, batch_format="pyarrow", num_cpus=1)
    batches = cast("Iterator[pa.Table]", pieces.iter_batches(batch_size=None, batch_format="pyarrow"))
    for batch in batches:
        yield from zip(*(batch[name].to_pylist() for name in ("number", "midi", "reason")), strict=True)


def _convert(batch: pa.Table) -> pa.Table:
    works = default_works()
    outcomes = [_outcome(works[number]) for number in batch["number"].to_pylist()]
    midi, reasons = zip(*outcomes, strict=True)
    return batch.append_column("midi", pa.array(midi, pa.binary())).append_column("reason", pa.array(reasons, pa.string()))


def _outcome(work: CorpusWork) -> tuple[bytes | None, str]:
    try:
        return work_to_midi(work), ""
    except InvalidPiece as exc:
        return None, str(exc)


def _write_licences(folder: Path) -> None:
    works = [work for work in default_works() if (folder / work.midi_path).is_file()]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", "title", "composer", "licence", "attribution", "source"])
    for work in sorted(works, key=lambda work: work.midi_path):
        source = f"{SOURCE}: {work.corpus_path}"
        table.writerow([work.midi_path, work.title, work.composer, work.licence, work.attribution, source])
    write_file(folder / LICENCES, text.getvalue().encode())
