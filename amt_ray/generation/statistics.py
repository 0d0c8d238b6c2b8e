"""A generated piece in figures, as a person would want to read them."""

from __future__ import annotations

import numpy as np

from amt_ray.midi.features import measure
from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.piece import Piece

_PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def describe(piece: Piece, n_events: int) -> dict[str, str]:
    """Rows of name and value: events, notes, range, durations, voices, tempo, metre, key, instruments, length."""
    features, notes = measure(piece), piece.notes
    pitched = notes.take(notes.program != DRUMS)
    seconds = piece.seconds_at(notes.onset_ticks + notes.duration_ticks) - piece.seconds_at(notes.onset_ticks)
    rows = {
        "Total events": f"{n_events:,}",
        "Notes": f"{len(notes):,}",
        "Unique pitches": str(len(np.unique(pitched.pitch))),
        "Average duration": f"{seconds.mean():.2f} s",
        "Voices": f"{features.mean_voices:.1f} on average ({features.polyphony})",
        "Tempo": f"{features.tempo_bpm:.0f} bpm",
        "Metre": features.time_signature,
        "Key signature": piece.key or "none",
        "Instruments": ", ".join(INSTRUMENTS[program] for program in features.programs),
        "Length": f"{features.n_bars} bars, {features.duration_s:.0f} s",
    }
    if len(pitched):
        rows["Note range"] = f"{pitch_name(int(pitched.pitch.min()))} to {pitch_name(int(pitched.pitch.max()))}"
    return rows


def pitch_name(pitch: int) -> str:
    """Name a MIDI pitch with its number, middle C being C4: `"C4 (60)"`."""
    return f"{_PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1} ({pitch})"
