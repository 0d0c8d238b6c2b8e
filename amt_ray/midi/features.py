"""What can be measured of a piece, and whether it is one that we take.

Voices, polyphony, pitches, chords and note lengths leave drums out. "mono": no two voices sound together, legato overlaps
aside; "homo": nearly all notes begin together with others (hymns, chords, melodies that move with their bass); "poly": many
begin alone (fugues, quartets, melodies over moving accompaniments). Onset synchrony tells these apart as in Huron (1989),
"Characterizing musical textures"; the thresholds part the hymns and chorales of a real library from its fugues and quartets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.harmony import chord_names, chords_by_beat, most_frequent_progression
from amt_ray.midi.instruments import DRUMS, N_PROGRAMS, family_of
from amt_ray.midi.keys import estimate_key
from amt_ray.midi.piece import FloatArray, IntArray, Notes, Piece
from amt_ray.midi.rhythm import beats_of, note_length_shares, syncopation

MONO_MEAN_VOICES = 1.1
HOMO_SHARED_ONSETS = 0.86
LEGATO_SHARE = 0.75
"""So much of every note has to overlap another for two voices; the rest may be legato."""
SAME_ONSET_QUARTERS = 1 / 24
"""Onsets no farther apart are played together."""
_OCTAVES = 11
_PITCH_CLASSES = np.arange(12)
_VELOCITIES = np.arange(128.0)


@dataclass(frozen=True)
class Features:
    """The feature columns of `pieces`; names, units and order as in `amt_ray.schemas`."""

    duration_s: float
    n_notes: int
    n_tracks: int
    """Programs that sound: tracks of one program are one."""
    n_bars: int
    """Laid from each change of metre on, cut bars counted."""
    density_notes_per_beat: float
    """Notes to a quarter note."""
    tempo_bpm: float
    """Mean by time, in quarter notes a minute."""
    tempo_first_bpm: float
    """At the first note: some files begin with a tempo that never sounds."""
    n_tempo_changes: int
    """To another value, after tick 0 and before the end of the last note."""
    time_signature: str
    n_time_signature_changes: int
    """Counted as those of the tempo."""
    key: str | None
    """By Krumhansl and Schmuckler, see `amt_ray.midi.keys`; None where all pitch classes are equally frequent."""
    key_confidence: float
    key_signature: str | None
    programs: list[int]
    families: list[str]
    """General MIDI's (MMA, 1991), and "drums"."""
    has_drums: bool
    pitch_min: int | None
    pitch_max: int | None
    n_pitches: int
    pitch_classes: list[float]
    """Of the time that notes sound, each counted; zeros without pitched notes."""
    polyphony: str
    mean_voices: float
    """Notes that sound at once, averaged over the time in which at least one does."""
    velocity_mean: float
    velocity_std: float
    velocity_min: int
    velocity_max: int
    note_lengths: list[float]
    """See `amt_ray.midi.rhythm.NOTE_LENGTHS`; zeros without pitched notes."""
    syncopation: float
    """After Longuet-Higgins and Lee (1984), see `amt_ray.midi.rhythm.syncopation`."""
    chords: list[str]
    """After Fujishima (1999), see `amt_ray.midi.harmony`."""
    progression: str | None

    def as_row(self) -> dict[str, Any]:
        """Columns by name."""
        return dict(vars(self))


def measure(piece: Piece, limits: Limits | None = None) -> Features:
    """Measure a piece of at least one note.

    With `limits`, a piece out of them raises InvalidPiece as `check_limits` does, before the costly part. Without, any piece
    that `parse_midi` returns is safe: time and memory grow with its notes and events, not with its length.
    """
    notes, end_ticks = piece.notes, piece.end_ticks
    duration_s = max(float(piece.seconds_at(end_ticks)), 1e-9)
    if limits is not None:
        check_limits(len(notes), duration_s, limits)
    is_pitched = notes.program != DRUMS
    pitched = notes if is_pitched.all() else notes.take(is_pitched)
    beats = beats_of(piece)
    pitch_columns = _pitches(pitched)
    key = pitch_columns["key"]
    chords = chords_by_beat(pitched, beats, key)
    return Features(
        duration_s=duration_s,
        n_notes=len(notes),
        **_instruments(notes),
        **_tempo(piece, end_ticks, duration_s),
        **_metre(piece, end_ticks),
        **pitch_columns,
        key_signature=piece.key,
        **_texture(pitched, piece.ticks_per_quarter),
        **_dynamics(notes),
        note_lengths=note_length_shares(pitched, piece.ticks_per_quarter),
        syncopation=syncopation(notes, beats),
        chords=chord_names(chords, beats, key),
        progression=most_frequent_progression(chords, key),
    )


def check_limits(n_notes: int, duration_s: float, limits: Limits) -> None:
    """Raise InvalidPiece with reason too_few_notes, too_many_notes, too_short or too_long for a piece out of limits."""
    if n_notes < limits.min_notes:
        raise InvalidPiece("too_few_notes", f"{n_notes} < {limits.min_notes}")
    if n_notes > limits.max_notes:
        raise InvalidPiece("too_many_notes", f"{n_notes} > {limits.max_notes}")
    if duration_s < limits.min_duration_s:
        raise InvalidPiece("too_short", f"{duration_s:.2f} s < {limits.min_duration_s:g} s")
    if duration_s > limits.max_duration_s:
        raise InvalidPiece("too_long", f"{duration_s:.0f} s > {limits.max_duration_s:g} s")


def _instruments(notes: Notes) -> dict[str, Any]:
    n_notes = np.bincount(notes.program, minlength=N_PROGRAMS).tolist()
    programs = sorted((p for p in range(N_PROGRAMS) if n_notes[p]), key=lambda program: -n_notes[program])
    by_family: dict[str, int] = {}
    for program in programs:
        family = family_of(program)
        by_family[family] = by_family.get(family, 0) + n_notes[program]
    return {
        "n_tracks": len(programs),
        "programs": programs,
        "families": sorted(by_family, key=lambda family: -by_family[family]),
        "has_drums": DRUMS in programs,
    }


def _tempo(piece: Piece, end_ticks: int, duration_s: float) -> dict[str, Any]:
    n_beats = max(end_ticks / piece.ticks_per_quarter, 1e-9)
    start_ticks = piece.notes.onset_ticks[0]
    first = np.searchsorted(piece.tempo_ticks, start_ticks, side="right") - 1
    return {
        "density_notes_per_beat": len(piece.notes) / n_beats,
        "tempo_bpm": 60.0 * n_beats / duration_s,
        "tempo_first_bpm": float(piece.tempo_bpm[first]),
        "n_tempo_changes": _n_changes(piece.tempo_ticks, piece.tempo_bpm, start_ticks, end_ticks),
    }


def _metre(piece: Piece, end_ticks: int) -> dict[str, Any]:
    metres = list(zip(piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True))
    starts = piece.metre_ticks.tolist()
    ticks_by_metre = dict.fromkeys(metres, 0)
    n_bars = 0
    for (numerator, denominator), start, end in zip(metres, starts, [*starts[1:], end_ticks], strict=True):
        span = max(min(end, end_ticks) - start, 0)
        ticks_by_metre[numerator, denominator] += span
        n_bars -= -span * denominator // (4 * piece.ticks_per_quarter * numerator)
    longest = max(ticks_by_metre, key=lambda metre: ticks_by_metre[metre])
    values = piece.metre_numerator * 128 + piece.metre_denominator
    return {
        "n_bars": n_bars,
        "time_signature": f"{longest[0]}/{longest[1]}",
        "n_time_signature_changes": _n_changes(piece.metre_ticks, values, piece.notes.onset_ticks[0], end_ticks),
    }


def _n_changes(ticks: IntArray, values: IntArray | FloatArray, start_ticks: int, end_ticks: int) -> int:
    """How often a value becomes another after the first note begins and before the last ends."""
    is_heard = (ticks[1:] > start_ticks) & (ticks[1:] < end_ticks)
    return int(np.count_nonzero(is_heard & (values[1:] != values[:-1])))


def _pitches(pitched: Notes) -> dict[str, Any]:
    ticks_by_pitch = np.bincount(pitched.pitch, pitched.duration_ticks, 12 * _OCTAVES)
    pitches = np.flatnonzero(ticks_by_pitch)
    ticks_by_class = ticks_by_pitch.reshape(_OCTAVES, 12).sum(axis=0)
    key, confidence = estimate_key(_PITCH_CLASSES, ticks_by_class)
    return {
        "key": key,
        "key_confidence": confidence,
        "pitch_min": int(pitches[0]) if len(pitches) else None,
        "pitch_max": int(pitches[-1]) if len(pitches) else None,
        "n_pitches": len(pitches),
        "pitch_classes": (ticks_by_class / max(ticks_by_class.sum(), 1.0)).tolist(),
    }


def _texture(pitched: Notes, ticks_per_quarter: int) -> dict[str, Any]:
    onset, duration = pitched.onset_ticks, pitched.duration_ticks
    if not len(pitched):
        return {"polyphony": "mono", "mean_voices": 0.0}
    mean_voices = _mean_voices(onset, duration)
    # Cutting every note to a share of its length leaves at least that share of the voices.
    may_be_legato = MONO_MEAN_VOICES <= mean_voices < MONO_MEAN_VOICES / LEGATO_SHARE
    if mean_voices < MONO_MEAN_VOICES or (may_be_legato and _mean_voices(onset, duration * LEGATO_SHARE) < MONO_MEAN_VOICES):
        return {"polyphony": "mono", "mean_voices": mean_voices}
    is_apart = np.ones(len(pitched) + 1, np.bool_)
    is_apart[1:-1] = onset[1:] - onset[:-1] > SAME_ONSET_QUARTERS * ticks_per_quarter
    n_alone = np.count_nonzero(is_apart[1:] & is_apart[:-1])
    is_homophonic = 1 - n_alone / len(pitched) >= HOMO_SHARED_ONSETS
    return {"polyphony": "homo" if is_homophonic else "poly", "mean_voices": mean_voices}


def _mean_voices(onset_ticks: IntArray, duration_ticks: npt.NDArray[Any]) -> float:
    """Notes that sound at once, averaged over the time in which at least one does; onsets ascend."""
    reach = np.maximum.accumulate(onset_ticks + duration_ticks)
    silence = np.maximum(onset_ticks[1:] - reach[:-1], 0).sum()
    return float(duration_ticks.sum() / (reach[-1] - onset_ticks[0] - silence))


def _dynamics(notes: Notes) -> dict[str, Any]:
    counts = np.bincount(notes.velocity, minlength=len(_VELOCITIES))
    mean = counts @ _VELOCITIES / len(notes)
    heard = counts.nonzero()[0]
    return {
        "velocity_mean": float(mean),
        "velocity_std": float(np.sqrt(counts @ (_VELOCITIES - mean) ** 2 / len(notes))),
        "velocity_min": int(heard[0]),
        "velocity_max": int(heard[-1]),
    }
