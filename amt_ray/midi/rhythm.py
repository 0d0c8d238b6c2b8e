"""Beats, note lengths and syncopation.

A beat is a quarter note; in compound metres (6/8, 9/16 and the like, 3/8 too) it is three of the metre's units, and where a
bar is no whole number of quarter notes (5/8) it is one of them. Bars are laid from each change of metre on. Onsets are
rounded to slots, 24 to a beat, and from there to places that a metre has: quarters and thirds of a beat, or sixths in
compound metres. Time within a beat counts in sixteenths of a tick, so that all of it is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import IntArray, Notes, Piece

NOTE_LENGTHS: tuple[tuple[str, float], ...] = (
    ("whole", 4.0),
    ("dotted half", 3.0),
    ("half", 2.0),
    ("dotted quarter", 1.5),
    ("quarter", 1.0),
    ("dotted eighth", 0.75),
    ("triplet quarter", 2 / 3),
    ("eighth", 0.5),
    ("triplet eighth", 1 / 3),
    ("sixteenth", 0.25),
    ("triplet sixteenth", 1 / 6),
    ("thirty-second", 0.125),
)
"""Name and length in quarter notes. A note counts as the nearest by ratio; longer and shorter ones as the first and last."""

SLOTS = 24
_SIXTEENTHS = 16
_SIMPLE_PLACES = {0: 0, 6: 12, 8: 24, 12: 24, 16: 24, 18: 24}
_COMPOUND_PLACES = {0: 0, 4: 8, 8: 24, 12: 16, 16: 24, 20: 24}
"""Places within a beat, in slots, each with the next one of more weight: after a third of a beat that is the next beat."""
_NEVER = 1 << 40
_CYMBALS = np.isin(np.arange(128), (42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59))
"""By pitch, whether General MIDI percussion (MMA, 1991) has a hi-hat, crash, ride, splash or tambourine there."""


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a piece, by segments between changes of metre: int64 arrays of one entry a segment, and two tables."""

    start_ticks: IntArray
    length: IntArray
    """Of a beat, in sixteenths of a tick."""
    first: IntArray
    """Number of beats before the segment."""
    total: int
    """Beats that begin before the last note ends."""
    slots_per_bar: IntArray
    table_start: IntArray
    """Where the segment's metre begins in the tables."""
    place: IntArray
    """To which place each slot of a bar is rounded."""
    stronger: IntArray
    """The next place of more weight after that; `_NEVER` after the first place of a bar."""

    def locate(self, ticks: IntArray) -> tuple[IntArray, IntArray]:
        """Return the index of the beat in which each tick lies, and the sixteenths of a tick since that began."""
        segment = self._segment(ticks)
        length = self.length[segment]
        time = (ticks - self.start_ticks[segment]) * _SIXTEENTHS
        beat = time // length
        return beat + self.first[segment], time - beat * length

    def places(self, ticks: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return the place (slots from the beginning) of each tick, the next stronger place, and the length of a beat."""
        segment = self._segment(ticks)
        length, slots_per_bar = self.length[segment], self.slots_per_bar[segment]
        time = (ticks - self.start_ticks[segment]) * (_SIXTEENTHS * SLOTS)
        slot = (time + length // 2) // length
        bar = slot // slots_per_bar * slots_per_bar
        entry = slot - bar + self.table_start[segment]
        bar += self.first[segment] * SLOTS
        return bar + self.place[entry], bar + self.stronger[entry], length

    def lengths(self, most: int) -> IntArray:
        """Return the length of each of the first `most` beats; a change of metre cuts the beat before it."""
        first = np.append(self.first, self.total)
        lengths = np.repeat(self.length, np.diff(np.minimum(first, most)))
        if len(self.first) > 1:
            whole, rest = np.divmod(np.diff(self.start_ticks) * _SIXTEENTHS, self.length[:-1])
            is_cut = (rest > 0) & (np.diff(first)[:-1] > whole) & (first[1:-1] <= most)
            lengths[first[1:-1][is_cut] - 1] = rest[is_cut]
        return lengths

    def _segment(self, ticks: IntArray) -> IntArray:
        """Index of the segment in which each tick lies; a single 0 where there is but one, which spares a search."""
        if len(self.first) == 1:
            return np.zeros((), np.int64)
        return np.searchsorted(self.start_ticks, ticks, side="right") - 1


def beats_of(piece: Piece) -> Beats:
    """Lay the beats of a piece by its metre map."""
    metres = list(zip(piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True))
    index_of = {metre: i for i, metre in enumerate(dict.fromkeys(metres))}
    beat_64ths, slots_per_bar, table_start, place, stronger = _tables(tuple(index_of))
    kind = [index_of[metre] for metre in metres]
    length = beat_64ths[kind] * piece.ticks_per_quarter
    end_ticks = piece.end_ticks
    segment_ends = np.minimum([*piece.metre_ticks[1:].tolist(), end_ticks], end_ticks)
    n_beats = -(np.minimum(piece.metre_ticks - segment_ends, 0) * _SIXTEENTHS // length)
    first = n_beats.cumsum() - n_beats
    total = int(first[-1] + n_beats[-1])
    return Beats(piece.metre_ticks, length, first, total, slots_per_bar[kind], table_start[kind], place, stronger)


def note_length_shares(notes: Notes, ticks_per_quarter: int) -> list[float]:
    """Return the share of the notes that each of `NOTE_LENGTHS` has; zeros without notes."""
    nearest = _nearest_lengths(ticks_per_quarter).take(notes.duration_ticks, mode="clip")
    counts = np.bincount(nearest, minlength=len(NOTE_LENGTHS))
    shares: list[float] = (counts / max(len(notes), 1)).tolist()
    return shares


def syncopation(notes: Notes, beats: Beats) -> float:
    """Return the share 0..1 of the onsets that are syncopated (Longuet-Higgins and Lee, 1984); 0 without notes.

    An onset is syncopated when silence follows it, or it holds, at the next place of more weight in the metre: no other
    begins until there, or only a lower one begins there while it still sounds (for three quarters of its length, which
    leaves legato overlaps out). Each program is a part of its own, and so are cymbals and the other drums.
    """
    if not len(notes):
        return 0.0
    part = (notes.program + ((notes.program == DRUMS) & _CYMBALS[notes.pitch])).astype(np.uint8)
    top = _ends_of_runs(notes.onset_ticks, part)
    top = top[np.argsort(part[top], kind="stable")]
    place, stronger, length = beats.places(notes.onset_ticks[top])
    last = _ends_of_runs(place, part[top])
    top, here, there = top[last], place[last], stronger[last]
    part, pitch = part[top], notes.pitch[top]
    sounding = notes.duration_ticks[top] * (_SIXTEENTHS * SLOTS * 3 // 4)
    holds = (sounding > (there - here) * (length if length.ndim == 0 else length[last])) & (part < DRUMS)
    after, target = here[1:], there[:-1]
    is_syncopated = (after > target) | ((after == target) & holds[:-1] & (pitch[1:] < pitch[:-1]))
    return float(np.count_nonzero(is_syncopated & (part[1:] == part[:-1])) / len(top))


def _ends_of_runs(values: IntArray, parts: npt.NDArray[np.uint8]) -> IntArray:
    """Indices after which the value or the part is another, the last index among them."""
    is_end = np.ones(len(values), np.bool_)
    is_end[:-1] = (values[1:] != values[:-1]) | (parts[1:] != parts[:-1])
    return is_end.nonzero()[0]


@lru_cache(maxsize=64)
def _nearest_lengths(ticks_per_quarter: int) -> IntArray:
    """Index into `NOTE_LENGTHS` by duration in ticks, up to a whole note."""
    log_lengths = np.log([length for _, length in NOTE_LENGTHS])
    edges = np.exp((log_lengths[1:] + log_lengths[:-1]) / 2)
    quarters = np.arange(4 * ticks_per_quarter + 1) / ticks_per_quarter
    return np.searchsorted(-edges, -quarters, side="left")


@lru_cache(maxsize=64)
def _tables(metres: tuple[tuple[int, int], ...]) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """By metre a beat's length in 64th notes, the slots of a bar and its start in the two tables; then the tables."""
    beat_64ths, places, stronger = zip(*(_bar_shape(*metre) for metre in metres), strict=True)
    slots_per_bar = np.array([len(place) for place in places], np.int64)
    table_start = np.cumsum(slots_per_bar) - slots_per_bar
    return np.array(beat_64ths, np.int64), slots_per_bar, table_start, np.concatenate(places), np.concatenate(stronger)


@lru_cache(maxsize=128)
def _bar_shape(numerator: int, denominator: int) -> tuple[int, IntArray, IntArray]:
    """A beat's length in 64th notes, and by slot of a bar the place that it is rounded to and the next stronger place."""
    unit, bar = 64 // denominator, 64 // denominator * numerator
    is_compound = denominator >= 8 and numerator % 3 == 0
    beat = 3 * unit if is_compound else 16 if bar % 16 == 0 else unit
    levels = _levels(bar, 3 * unit if is_compound else unit, beat)
    within = _COMPOUND_PLACES if is_compound else _SIMPLE_PLACES
    known = np.array([*within, SLOTS])
    nearest = known[np.abs(np.arange(SLOTS)[:, None] - known).argmin(axis=1)]
    place = (np.arange(bar // beat)[:, None] * SLOTS + nearest).ravel()
    stronger_by_place = {
        at * SLOTS + slot: at * SLOTS + later if slot else _next_stronger(at, levels)
        for at in range(bar // beat)
        for slot, later in within.items()
    }
    stronger_by_place[bar // beat * SLOTS] = _NEVER
    return beat, place, np.array([stronger_by_place[at] for at in place.tolist()], np.int64)


def _levels(bar: int, unit: int, beat: int) -> list[int]:
    """Lengths in beats of a bar and of its parts down to a beat: halves while these are whole units, then units, halved."""
    levels, unit_or_beat = [bar], max(unit, beat)
    while levels[-1] > beat:
        half = levels[-1] // 2
        levels.append(half if levels[-1] <= unit or half % unit_or_beat == 0 else unit_or_beat)
    return [size // beat for size in levels]


def _next_stronger(beat: int, levels: list[int]) -> int:
    """Place of the next beat of more weight than that of this one, in slots."""
    own = next(i for i, size in enumerate(levels) if beat % size == 0)
    return (beat // levels[own - 1] + 1) * levels[own - 1] * SLOTS if own else _NEVER
