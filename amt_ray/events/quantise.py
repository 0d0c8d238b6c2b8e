"""A piece laid on the grid that the event language can hold, with a count of everything that had to be bent to fit.

The result is a `Piece` of 12 ticks a quarter note, in which every onset, duration, velocity, tempo, metre and pitch has an
event, and every metre and tempo change stands on a bar line. Quantising twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from amt_ray.events.bars import SHORTEST_BAR_UNITS, bar_lines
from amt_ray.events.vocabulary import (
    BAR_UNITS,
    DURATION_UNITS,
    HIGHEST_DRUM,
    HIGHEST_PITCH,
    LOWEST_DRUM,
    LOWEST_PITCH,
    METRES,
    TEMPO_BPM,
    UNITS_PER_QUARTER,
    VELOCITY,
)
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import FloatArray, IntArray, Notes, Piece
from amt_ray.midi.write import cut_at_next_strike

LONGEST_SILENCE_BARS = 8
"""Longer runs of empty bars inside a piece are shortened to this; empty bars before the first note are left out."""

# Roland GS extensions (27..34, 82..87) to the General MIDI drum that sounds most like each.
_GS_DRUMS = {
    27: 75,
    28: 39,
    29: 73,
    30: 74,
    31: 37,
    32: 37,
    33: 76,
    34: 81,
    82: 70,
    83: 54,
    84: 81,
    85: 75,
    86: 64,
    87: 64,
}

# Out of the piano's range: to the nearest octave of the same pitch class.
_PITCH_TABLE = np.arange(128)
_PITCH_TABLE[:LOWEST_PITCH] += 12 * (-(-(LOWEST_PITCH - _PITCH_TABLE[:LOWEST_PITCH]) // 12))
_PITCH_TABLE[HIGHEST_PITCH + 1 :] -= 12 * (-(-(_PITCH_TABLE[HIGHEST_PITCH + 1 :] - HIGHEST_PITCH) // 12))
_DRUM_TABLE = np.clip(np.arange(128), LOWEST_DRUM, HIGHEST_DRUM)
_DRUM_TABLE[list(_GS_DRUMS)] = list(_GS_DRUMS.values())

_EVERY_DURATION = np.arange(DURATION_UNITS[-1] + 1)
_DURATION_EDGES = np.sqrt(DURATION_UNITS[:-1] * DURATION_UNITS[1:])
_NEAREST_DURATION = DURATION_UNITS[np.searchsorted(_DURATION_EDGES, _EVERY_DURATION)]
"""Durations are rounded by ratio, not by difference, as note lengths are heard."""
_FLOOR_DURATION = DURATION_UNITS[np.maximum(np.searchsorted(DURATION_UNITS, _EVERY_DURATION, side="right") - 1, 0)]


@dataclass(frozen=True, eq=False)
class Quantised:
    """A piece on the grid, its bars, and how often each rule had to act."""

    piece: Piece
    bar_start_units: IntArray
    bar_metre: IntArray
    """Index into `METRES` of each bar."""
    bar_tempo: IntArray
    """Index into `TEMPO_BPM` of each bar."""
    folded: dict[str, int]
    """`pitches`, `drums`, `merged_notes`, `tempi`, `metres`, `silent_bars`: how many were bent to fit."""


def quantise(piece: Piece) -> Quantised:
    """Lay a piece with at least one note on the grid; cost is in proportion to its notes and bars."""
    notes, folded = _fold_notes(piece)
    changes = _units(piece.metre_ticks, piece.ticks_per_quarter)
    pickup = _pickup_shift(changes)
    changes[1:] += pickup
    notes = replace(notes, onset_ticks=notes.onset_ticks + pickup)
    start, metre = bar_lines(changes, piece.metre_numerator, piece.metre_denominator, int(notes.onset_ticks[-1]) + 1)
    tempo_bpm = _bar_tempi(piece, start - pickup, BAR_UNITS[metre])
    tempo = nearest_tempo(tempo_bpm)
    kept, notes = _shorten_silences(start, metre, notes)
    notes = _cut_overlaps(notes)
    lengths = BAR_UNITS[metre[kept]]
    new_start = np.cumsum(lengths) - lengths
    listed = {(int(n), int(d)) for n, d in zip(piece.metre_numerator, piece.metre_denominator, strict=True)}
    folded |= {
        "tempi": int(((tempo_bpm < TEMPO_BPM[0] * 0.96) | (tempo_bpm > TEMPO_BPM[-1] * 1.04)).sum()),
        "metres": len(listed - set(METRES)),
        "silent_bars": int(len(start) - kept.sum()),
    }
    on_grid = assemble(notes, new_start, metre[kept], tempo[kept], piece.key)
    return Quantised(on_grid, new_start, metre[kept], tempo[kept], folded)


def assemble(notes: Notes, bar_start_units: IntArray, bar_metre: IntArray, bar_tempo: IntArray, key: str | None) -> Piece:
    """Make the piece of 12 ticks a quarter from notes on the grid and one metre and one tempo index a bar."""
    new_metre = np.append(True, np.diff(bar_metre) != 0)
    new_tempo = np.append(True, np.diff(bar_tempo) != 0)
    metres = np.array(METRES, np.int64)[bar_metre[new_metre]]
    return Piece(
        ticks_per_quarter=UNITS_PER_QUARTER,
        notes=notes,
        tempo_ticks=bar_start_units[new_tempo],
        tempo_bpm=TEMPO_BPM[bar_tempo[new_tempo]],
        metre_ticks=bar_start_units[new_metre],
        metre_numerator=metres[:, 0],
        metre_denominator=metres[:, 1],
        key=key,
    )


def nearest_tempo(tempo_bpm: FloatArray) -> IntArray:
    """Index into `TEMPO_BPM` of the tempo nearest by ratio."""
    step = np.log(TEMPO_BPM[-1] / TEMPO_BPM[0]) / (len(TEMPO_BPM) - 1)
    index: IntArray = np.rint(np.log(tempo_bpm / TEMPO_BPM[0]) / step).astype(np.int64)
    return np.clip(index, 0, len(TEMPO_BPM) - 1)


def _units(ticks: IntArray, ticks_per_quarter: int) -> IntArray:
    """Nearest grid unit of each tick; halves go up, so that equal distances stay equal."""
    return (2 * ticks * UNITS_PER_QUARTER + ticks_per_quarter) // (2 * ticks_per_quarter)


def _fold_notes(piece: Piece) -> tuple[Notes, dict[str, int]]:
    """Put each note on the grid; of several of one onset, program and pitch the longest stays, and of those the loudest."""
    notes = piece.notes
    is_drum = notes.program == DRUMS
    pitch = np.where(is_drum, _DRUM_TABLE[notes.pitch], _PITCH_TABLE[notes.pitch])
    bent = pitch != notes.pitch
    duration = np.clip(_units(notes.duration_ticks, piece.ticks_per_quarter), 1, DURATION_UNITS[-1])
    step = np.clip(notes.velocity, 0, 127) // 8
    # One integer a note, most weighty field first: sorting these is many times faster than a lexsort of the fields.
    packed = _units(notes.onset_ticks, piece.ticks_per_quarter)
    for value, bits in ((notes.program, 8), (pitch, 7), (duration, 8), (step, 4)):
        packed = packed << bits | value
    packed.sort()
    struck = packed >> 12
    packed = packed[np.append(struck[1:] != struck[:-1], True)]
    folded = {
        "pitches": int((bent & ~is_drum).sum()),
        "drums": int((bent & is_drum).sum()),
        "merged_notes": len(notes) - len(packed),
    }
    onset, program, pitch = packed >> 27, packed >> 19 & 255, packed >> 12 & 127
    return Notes(onset, _NEAREST_DURATION[packed >> 4 & 255], pitch, VELOCITY[packed & 15], program), folded


def _cut_overlaps(notes: Notes) -> Notes:
    """End each note where its pitch is struck again, on a listed duration."""
    voice = notes.program * 128 + notes.pitch
    cut = cut_at_next_strike(voice, notes.onset_ticks, notes.duration_ticks)
    return replace(notes, duration_ticks=_FLOOR_DURATION[cut])


def _pickup_shift(change_units: IntArray) -> int:
    """Units of silence to put before a piece whose first metre change comes within a bar and off the eighth notes."""
    is_pickup = len(change_units) > 1 and change_units[1] < BAR_UNITS.max()
    return int(-change_units[1] % SHORTEST_BAR_UNITS) if is_pickup else 0


def _bar_tempi(piece: Piece, bar_start_units: IntArray, bar_units: IntArray) -> FloatArray:
    """Mean tempo of each bar in quarter notes a minute, by the time that it lasts."""
    scale = piece.ticks_per_quarter / UNITS_PER_QUARTER
    begin = np.maximum(bar_start_units, 0)
    end = bar_start_units + bar_units
    lasts_s = piece.seconds_at(end * scale) - piece.seconds_at(begin * scale)
    tempo_bpm: FloatArray = 60.0 / UNITS_PER_QUARTER * (end - begin) / lasts_s
    return tempo_bpm


def _shorten_silences(start: IntArray, metre: IntArray, notes: Notes) -> tuple[np.ndarray, Notes]:
    """Choose the bars to keep and move the notes with them; returns (bool[bars], notes)."""
    bar = np.searchsorted(start, notes.onset_ticks, side="right") - 1
    occupied = bar[np.append(True, bar[1:] != bar[:-1])]
    every = np.arange(len(start))
    next_occupied = occupied[np.minimum(np.searchsorted(occupied, every), len(occupied) - 1)]
    kept = (every >= occupied[0]) & (next_occupied - every <= LONGEST_SILENCE_BARS)
    new_start = np.cumsum(BAR_UNITS[metre] * kept) - BAR_UNITS[metre] * kept
    return kept, replace(notes, onset_ticks=notes.onset_ticks + (new_start - start)[bar])
