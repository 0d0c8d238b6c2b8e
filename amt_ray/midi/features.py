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
from amt_ray.midi.batch import Batch, Changes, lay_out
from amt_ray.midi.harmony import chord_names, chords_by_beat, most_frequent_progressions, ranked
from amt_ray.midi.instruments import DRUMS, N_PROGRAMS, family_of
from amt_ray.midi.keys import estimate_keys
from amt_ray.midi.piece import FloatArray, IntArray, Piece
from amt_ray.midi.rhythm import beats_of, note_length_shares, syncopation

MONO_MEAN_VOICES = 1.1
HOMO_SHARED_ONSETS = 0.86
LEGATO_SHARE = 0.75
"""So much of every note has to overlap another for two voices; the rest may be legato."""
SAME_ONSET_QUARTERS = 1 / 24
"""Onsets no farther apart are played together."""
_OCTAVES = 11
_FIRST_OF_FAMILY = np.arange(0, N_PROGRAMS, 8)
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


def measure(piece: Piece) -> Features:
    """Measure a piece of at least one note; time and memory grow with its notes and events, not with its length."""
    return Features(**{name: values[0] for name, values in measure_all(lay_out([piece])).items()})


def measure_all(batch: Batch) -> dict[str, list[Any]]:
    """Measure every piece of a batch that has all its notes: the fields of `Features`, each with a list of P values."""
    pitched = batch.pitched
    beats = beats_of(batch)
    pitches = _pitches(pitched)
    keys = pitches["key"]
    chords = chords_by_beat(pitched, beats, keys)
    return {
        **_tempo(batch),
        **_metre(batch),
        **_instruments(batch),
        **pitches,
        **_texture(pitched),
        **_dynamics(batch),
        "key_signature": [piece.key for piece in batch.pieces],
        "note_lengths": note_length_shares(pitched).tolist(),
        "syncopation": syncopation(batch, beats).tolist(),
        "chords": chord_names(chords, beats, keys),
        "progression": most_frequent_progressions(chords, beats, keys),
    }


def check_notes(n_notes: int, limits: Limits) -> None:
    """Raise InvalidPiece with reason too_few_notes or too_many_notes for a number of notes out of limits."""
    if n_notes < limits.min_notes:
        raise InvalidPiece("too_few_notes", f"{n_notes} < {limits.min_notes}")
    if n_notes > limits.max_notes:
        raise InvalidPiece("too_many_notes", f"{n_notes} > {limits.max_notes}")


def check_duration(duration_s: float, limits: Limits) -> None:
    """Raise InvalidPiece with reason too_short or too_long for a duration out of limits."""
    if duration_s < limits.min_duration_s:
        raise InvalidPiece("too_short", f"{duration_s:.2f} s < {limits.min_duration_s:g} s")
    if duration_s > limits.max_duration_s:
        raise InvalidPiece("too_long", f"{duration_s:.0f} s > {limits.max_duration_s:g} s")


def _instruments(batch: Batch) -> dict[str, list[Any]]:
    n_notes = batch.histogram(batch.notes.program, N_PROGRAMS)
    programs = ranked(n_notes)
    by_family = ranked(np.add.reduceat(n_notes, _FIRST_OF_FAMILY, axis=1))
    return {
        "n_notes": batch.n_notes.tolist(),
        "n_tracks": [len(some) for some in programs],
        "programs": programs,
        "families": [[family_of(8 * family) for family in families] for families in by_family],
        "has_drums": (n_notes[:, DRUMS] > 0).tolist(),
    }


def _tempo(batch: Batch) -> dict[str, list[Any]]:
    tempi = batch.changes([piece.tempo_ticks for piece in batch.pieces])
    tempo_bpm = np.concatenate([piece.tempo_bpm for piece in batch.pieces])
    n_beats = (batch.end_ticks - batch.start_ticks) / batch.ticks_per_quarter
    minutes = tempi.sums(tempi.span_ticks / (tempo_bpm * batch.ticks_per_quarter[tempi.piece]))
    first = np.searchsorted(tempi.ticks, batch.onset_ticks, side="right") - 1
    return {
        "duration_s": (60.0 * minutes).tolist(),
        "density_notes_per_beat": (batch.n_notes / n_beats).tolist(),
        "tempo_bpm": (n_beats / minutes).tolist(),
        "tempo_first_bpm": tempo_bpm[first].tolist(),
        "n_tempo_changes": _n_changes(batch, tempi, tempo_bpm),
    }


def _metre(batch: Batch) -> dict[str, list[Any]]:
    metre = batch.changes([piece.metre_ticks for piece in batch.pieces])
    numerator = np.concatenate([piece.metre_numerator for piece in batch.pieces])
    denominator = np.concatenate([piece.metre_denominator for piece in batch.pieces])
    bar_ticks = 4 * batch.ticks_per_quarter[metre.piece] * numerator
    names = [f"{n}/{d}" for n, d in zip(numerator.tolist(), denominator.tolist(), strict=True)]
    ticks_by_metre: list[dict[str, int]] = [{} for _ in batch.pieces]
    for piece, name, span_ticks in zip(metre.piece.tolist(), names, metre.span_ticks.tolist(), strict=True):
        ticks_by_metre[piece][name] = ticks_by_metre[piece].get(name, 0) + span_ticks
    return {
        "n_bars": metre.sums(-(-metre.span_ticks * denominator // bar_ticks)).tolist(),
        "time_signature": [max(ticks, key=lambda name: ticks[name]) for ticks in ticks_by_metre],
        "n_time_signature_changes": _n_changes(batch, metre, numerator * 128 + denominator),
    }


def _n_changes(batch: Batch, changes: Changes, values: IntArray | FloatArray) -> list[int]:
    """How often a value becomes another after the first note begins and before the last ends."""
    is_heard = (changes.ticks > batch.onset_ticks[changes.piece]) & (changes.ticks < batch.end_ticks[changes.piece])
    is_heard[1:] &= values[1:] != values[:-1]
    counts: list[int] = changes.sums(is_heard.astype(np.int64)).tolist()
    return counts


def _pitches(pitched: Batch) -> dict[str, list[Any]]:
    ticks_by_pitch = pitched.histogram(pitched.notes.pitch, 12 * _OCTAVES, pitched.notes.duration_ticks)
    ticks_by_class = ticks_by_pitch.reshape(-1, _OCTAVES, 12).sum(axis=1)
    keys, confidences = estimate_keys(ticks_by_class)
    sounds = ticks_by_pitch > 0
    n_pitches = sounds.sum(axis=1).tolist()
    lowest, highest = sounds.argmax(axis=1).tolist(), (12 * _OCTAVES - 1 - sounds[:, ::-1].argmax(axis=1)).tolist()
    return {
        "key": keys,
        "key_confidence": confidences.tolist(),
        "pitch_min": [pitch if n else None for pitch, n in zip(lowest, n_pitches, strict=True)],
        "pitch_max": [pitch if n else None for pitch, n in zip(highest, n_pitches, strict=True)],
        "n_pitches": n_pitches,
        "pitch_classes": (ticks_by_class / np.maximum(ticks_by_class.sum(axis=1, keepdims=True), 1.0)).tolist(),
    }


def _texture(pitched: Batch) -> dict[str, list[Any]]:
    onset_ticks, duration_ticks = pitched.notes.onset_ticks, pitched.notes.duration_ticks
    voices = _mean_voices(pitched, duration_ticks)
    is_mono = voices < MONO_MEAN_VOICES
    # Cutting every note to a share of its length leaves at least that share of the voices.
    may_be_legato = ~is_mono & (voices < MONO_MEAN_VOICES / LEGATO_SHARE)
    if may_be_legato.any():
        some = pitched.take(may_be_legato[pitched.piece])
        cut_voices = _mean_voices(some, some.notes.duration_ticks * LEGATO_SHARE)
        is_mono |= may_be_legato & (cut_voices < MONO_MEAN_VOICES)
    is_apart = np.ones(len(onset_ticks) + 1, np.bool_)
    same_ticks = (SAME_ONSET_QUARTERS * pitched.ticks_per_quarter)[pitched.piece[1:]]
    is_apart[1:-1] = (np.diff(onset_ticks) > same_ticks) | (np.diff(pitched.piece) > 0)
    n_alone = pitched.sums(is_apart[1:] & is_apart[:-1])
    is_homo = 1 - n_alone / np.maximum(pitched.n_notes, 1) >= HOMO_SHARED_ONSETS
    return {
        "polyphony": np.where(is_mono, "mono", np.where(is_homo, "homo", "poly")).tolist(),
        "mean_voices": voices.tolist(),
    }


def _mean_voices(pitched: Batch, duration_ticks: npt.NDArray[Any]) -> FloatArray:
    """Notes that sound at once, averaged over the time in which at least one does, [P]; 0 without notes."""
    onset_ticks = pitched.notes.onset_ticks
    reach = np.maximum.accumulate(onset_ticks + duration_ticks)
    covered = reach - np.maximum(onset_ticks, np.append(0, reach[:-1]))
    voices: FloatArray = pitched.sums(duration_ticks) / np.maximum(pitched.sums(covered), 1e-9)
    return voices


def _dynamics(batch: Batch) -> dict[str, list[Any]]:
    counts = batch.histogram(batch.notes.velocity, len(_VELOCITIES))
    mean = counts @ _VELOCITIES / batch.n_notes
    variance = (counts * (_VELOCITIES - mean[:, None]) ** 2).sum(axis=1) / batch.n_notes
    occurs = counts > 0
    return {
        "velocity_mean": mean.tolist(),
        "velocity_std": np.sqrt(variance).tolist(),
        "velocity_min": occurs.argmax(axis=1).tolist(),
        "velocity_max": (len(_VELOCITIES) - 1 - occurs[:, ::-1].argmax(axis=1)).tolist(),
    }
