"""A collected library in numbers: what its pieces, rejects and articles are, counted and averaged.

Everything is computed column by column on Arrow tables; a `LibraryReport` holds plain numbers, ready for JSON, a picture
or a terminal. Counts by name have most files first, then by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.midi.piece import FloatArray

N_TOP_ARTISTS = 10
PIECE_COLUMNS = (
    "artist",
    "genre",
    "licence",
    "duration_s",
    "n_notes",
    "tempo_bpm",
    "time_signature",
    "key",
    "polyphony",
    "families",
)
REJECT_COLUMNS = ("stage", "reason")
_POLYPHONY_LEVELS = {"mono": "monophonic", "homo": "homophonic", "poly": "polyphonic"}


@dataclass(frozen=True)
class Histogram:
    """How many values lie between one edge and the next: n counts, n + 1 ascending edges; both are empty without values."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ArticleCounts:
    """How the search for articles went, by song."""

    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    """Why a song has no article of its own; songs that have one are left out."""
    average_extract_characters: float
    """Of the articles that were found."""


@dataclass(frozen=True)
class LibraryReport:
    """What a library is made of. Distributions count accepted files; one that names no artist, genre, … is in no count."""

    accepted: int
    rejected_by_reason: Mapping[str, int]
    """Duplicates of both kinds are not among them."""
    duplicates: int
    near_duplicates: int
    artists: int
    """How many different ones."""
    top_artists: Mapping[str, int]
    genres: Mapping[str, int]
    licences: Mapping[str, int]
    average_duration_s: float
    median_duration_s: float
    total_hours: float
    durations_s: Histogram
    average_notes: float
    median_notes: float
    total_notes: int
    notes: Histogram
    average_tempo_bpm: float
    median_tempo_bpm: float
    tempi_bpm: Histogram
    polyphony_levels: Mapping[str, int]
    keys: Mapping[str, int]
    time_signatures: Mapping[str, int]
    families: Mapping[str, int]
    """Files in which an instrument of the family plays."""
    articles: ArticleCounts | None
    """None where no articles were looked for."""

    @property
    def rejected(self) -> int:
        """Files that could not be taken, duplicates not among them."""
        return sum(self.rejected_by_reason.values())

    @property
    def total_files(self) -> int:
        """Files that were scanned."""
        return self.accepted + self.rejected + self.duplicates + self.near_duplicates

    def as_json(self) -> dict[str, Any]:
        """Return the report as what JSON can hold, `total_files` and `rejected` included."""
        return {"total_files": self.total_files, "rejected": self.rejected, **asdict(self)}


def measure_library(pieces: pa.Table, rejects: pa.Table, articles: pa.Table | None) -> LibraryReport:
    """Count and average the columns PIECE_COLUMNS of pieces and REJECT_COLUMNS of rejects (of stage "collect").

    Articles have the columns status, reason and n_characters of their extract (null without). Averages of nothing are 0.
    """
    left_out = _counted(rejects["reason"].filter(pc.equal(rejects["stage"], "collect")))
    duplicates, near_duplicates = (left_out.pop(reason, 0) for reason in ("duplicate", "near_duplicate"))
    artists = _counted(pieces["artist"])
    by_polyphony = _counted(pieces["polyphony"])
    duration_s, n_notes, tempo_bpm = (_finite(pieces[name]) for name in ("duration_s", "n_notes", "tempo_bpm"))
    return LibraryReport(
        accepted=pieces.num_rows,
        rejected_by_reason=left_out,
        duplicates=duplicates,
        near_duplicates=near_duplicates,
        artists=len(artists),
        top_artists=dict(islice(artists.items(), N_TOP_ARTISTS)),
        genres=_counted(pieces["genre"]),
        licences=_counted(pieces["licence"]),
        average_duration_s=_average(duration_s),
        median_duration_s=_median(duration_s),
        total_hours=float(duration_s.sum()) / 3600,
        durations_s=octave_histogram(duration_s, bins_per_octave=2),
        average_notes=_average(n_notes),
        median_notes=_median(n_notes),
        total_notes=int(n_notes.sum()),
        notes=octave_histogram(n_notes, bins_per_octave=2),
        average_tempo_bpm=_average(tempo_bpm),
        median_tempo_bpm=_median(tempo_bpm),
        tempi_bpm=octave_histogram(tempo_bpm, bins_per_octave=8),
        polyphony_levels={level: by_polyphony.get(name, 0) for name, level in _POLYPHONY_LEVELS.items()},
        keys=_counted(pieces["key"]),
        time_signatures=_counted(pieces["time_signature"]),
        families=_counted(pc.list_flatten(pieces["families"])),
        articles=None if articles is None else _article_counts(articles),
    )


def octave_histogram(values: FloatArray, bins_per_octave: int) -> Histogram:
    """Count positive values in bins of equal ratio, `bins_per_octave` to a doubling, from the lowest to the highest value.

    Edges are powers of two and what lies between them, so that those of two libraries fall together.
    """
    bins = np.floor(bins_per_octave * np.log2(values[values > 0])).astype(np.int64)
    if not len(bins):
        return Histogram((), ())
    first = int(bins.min())
    counts = np.bincount(bins - first)
    edges = 2.0 ** (np.arange(first, first + len(counts) + 1) / bins_per_octave)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _article_counts(articles: pa.Table) -> ArticleCounts:
    return ArticleCounts(
        by_status=_counted(articles["status"]),
        by_reason=_counted(articles["reason"]),
        average_extract_characters=_average(_finite(articles["n_characters"])),
    )


def _counted(names: pa.ChunkedArray) -> dict[str, int]:
    """Count each name but "" and null."""
    found = names.filter(pc.not_equal(names, "")).value_counts()
    table = pa.Table.from_arrays(found.flatten(), ["values", "counts"])
    ordered = table.sort_by([("counts", "descending"), ("values", "ascending")])
    return dict(zip(ordered["values"].to_pylist(), ordered["counts"].to_pylist(), strict=True))


def _finite(numbers: pa.ChunkedArray) -> FloatArray:
    values: FloatArray = numbers.drop_null().to_numpy().astype(np.float64)
    return values[np.isfinite(values)]


def _average(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else 0.0
