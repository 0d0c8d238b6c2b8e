"""What can be measured of a piece, and whether it is one that we take.

Voices and polyphony leave drums out. "mono": at most one voice sounds for nearly all of the sounding time; "homo": when
several sound, they mostly begin together (chords, hymns, accompanied melody in block chords); "poly": they move apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import estimate_key
from amt_ray.midi.piece import Notes, Piece

MONO_MEAN_VOICES = 1.1
HOMO_SHARED_ONSETS = 0.5


@dataclass(frozen=True)
class Features:
    """The feature columns of `pieces`; names and units as in `amt_ray.schemas`."""

    duration_s: float
    n_notes: int
    n_tracks: int
    programs: list[int]
    has_drums: bool
    tempo_bpm: float
    time_signature: str
    key: str | None
    key_confidence: float
    pitch_min: int | None
    pitch_max: int | None
    polyphony: str
    mean_voices: float
    density_notes_per_beat: float
    velocity_mean: float
    velocity_std: float
    n_bars: int

    def as_row(self) -> dict[str, Any]:
        """Columns by name."""
        return asdict(self)


def measure(piece: Piece) -> Features:
    """Measure a piece of at least one note. Tempo is the mean by time, the metre the one that holds longest."""
    notes = piece.notes
    pitched = notes.take(notes.program != DRUMS)
    beats = max(piece.end_ticks / piece.ticks_per_quarter, 1e-9)
    duration_s = max(piece.duration_s, 1e-9)
    key, confidence = estimate_key(pitched.pitch, pitched.duration_ticks)
    mean_voices = _mean_voices(pitched)
    by_program = np.bincount(notes.program, minlength=DRUMS + 1)
    return Features(
        duration_s=duration_s,
        n_notes=len(notes),
        n_tracks=int((by_program > 0).sum()),
        programs=[int(p) for p in np.argsort(-by_program, kind="stable") if by_program[p]],
        has_drums=bool(by_program[DRUMS]),
        tempo_bpm=60.0 * beats / duration_s,
        time_signature=_longest_metre(piece),
        key=key,
        key_confidence=confidence,
        pitch_min=int(pitched.pitch.min()) if len(pitched) else None,
        pitch_max=int(pitched.pitch.max()) if len(pitched) else None,
        polyphony=_polyphony(pitched, mean_voices),
        mean_voices=mean_voices,
        density_notes_per_beat=len(notes) / beats,
        velocity_mean=float(notes.velocity.mean()),
        velocity_std=float(notes.velocity.std()),
        n_bars=_n_bars(piece),
    )


def check_limits(features: Features, limits: Limits) -> None:
    """Raise InvalidPiece with reason too_few_notes, too_many_notes, too_short or too_long for a piece out of limits."""
    notes, seconds = features.n_notes, features.duration_s
    if notes < limits.min_notes:
        raise InvalidPiece("too_few_notes", f"{notes} < {limits.min_notes}")
    if notes > limits.max_notes:
        raise InvalidPiece("too_many_notes", f"{notes} > {limits.max_notes}")
    if seconds < limits.min_duration_s:
        raise InvalidPiece("too_short", f"{seconds:.2f} s < {limits.min_duration_s:g} s")
    if seconds > limits.max_duration_s:
        raise InvalidPiece("too_long", f"{seconds:.0f} s > {limits.max_duration_s:g} s")


def _mean_voices(notes: Notes) -> float:
    """Notes that sound at once, averaged over the time in which at least one does; 0 without notes."""
    if not len(notes):
        return 0.0
    times = np.concatenate([notes.onset_ticks, notes.onset_ticks + notes.duration_ticks])
    steps = np.repeat([1, -1], len(notes))
    order = np.argsort(times, kind="stable")
    voices = np.cumsum(steps[order])[:-1]
    spans = np.diff(times[order])
    sounding = spans[voices > 0].sum()
    return float((voices * spans).sum() / sounding) if sounding else 0.0


def _polyphony(notes: Notes, mean_voices: float) -> str:
    if mean_voices < MONO_MEAN_VOICES:
        return "mono"
    _, at_once = np.unique(notes.onset_ticks, return_counts=True)
    return "homo" if (at_once > 1).mean() >= HOMO_SHARED_ONSETS else "poly"


def _metre_spans(piece: Piece) -> np.ndarray:
    ends = np.append(piece.metre_ticks[1:], piece.end_ticks)
    spans: np.ndarray = np.maximum(np.minimum(ends, piece.end_ticks) - piece.metre_ticks, 0)
    return spans


def _longest_metre(piece: Piece) -> str:
    ticks_by_metre: dict[str, int] = {}
    for n, d, span in zip(piece.metre_numerator, piece.metre_denominator, _metre_spans(piece), strict=True):
        ticks_by_metre[f"{n}/{d}"] = ticks_by_metre.get(f"{n}/{d}", 0) + int(span)
    return max(ticks_by_metre, key=lambda metre: ticks_by_metre[metre])


def _n_bars(piece: Piece) -> int:
    bar_ticks = 4 * piece.ticks_per_quarter * piece.metre_numerator / piece.metre_denominator
    return int(np.ceil(_metre_spans(piece) / bar_ticks).sum())
