"""Beats, note lengths and syncopation.

A beat is a quarter note; in compound metres (6/8, 9/16 and the like, 3/8 too) it is three of the metre's units, and where a
bar is no whole number of quarter notes (5/8) it is one of them. Bars are laid from each change of metre on. Onsets are
rounded to slots, 24 to a beat, and from there to places that a metre has: quarters and thirds of a beat, or sixths in
compound metres. Time within a beat counts in sixteenths of a tick, so that all of it is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from amt_ray.midi.batch import Batch, Changes, sizes_by_piece, sums
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import FloatArray, IntArray

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

MAX_BEATS = 2**15
"""Later beats are as one: hours of music."""
SLOTS = 24
_SIXTEENTHS = 16
_SIMPLE_PLACES = {0: 0, 6: 12, 8: 24, 12: 24, 16: 24, 18: 24}
_COMPOUND_PLACES = {0: 0, 4: 8, 8: 24, 12: 16, 16: 24, 20: 24}
"""Places within a beat, in slots, each with the next one of more weight: after a third of a beat that is the next beat."""
_NEVER = 1 << 40
_N_VOICES = DRUMS + 2
"""Programs, drums and cymbals."""
_CYMBALS = np.isin(np.arange(128), (42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59))
"""By pitch, whether General MIDI percussion (MMA, 1991) has a hi-hat, crash, ride, splash or tambourine there."""


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a batch: arrays of one entry a segment between changes of metre, two tables, and a row for each beat.

    A piece has rows for the beats that begin before its last note ends, `MAX_BEATS` at most, and one for what comes then.
    """

    start_ticks: IntArray
    length: IntArray
    """Of a beat, in sixteenths of a tick."""
    beats_per_tick: FloatArray
    row_at_zero: FloatArray
    """A tick's row, and how far into its beat it is, is this and `beats_per_tick` times the tick."""
    first: IntArray
    """Row of the segment's first beat."""
    last: IntArray
    """Row after the beats of the segment's piece."""
    slots_per_bar: IntArray
    table_start: IntArray
    """Where the segment's metre begins in the tables."""
    place: IntArray
    """To which place each slot of a bar is rounded."""
    stronger: IntArray
    """The next place of more weight after that; `_NEVER` after the first place of a bar."""
    piece: IntArray
    """By row, the index of its piece."""
    row_length: IntArray
    """By row, as `length`: a change of metre cuts the beat before it. 0 for what comes after a piece's beats."""
    row_beats: FloatArray
    """By row, the same in whole beats."""
    is_cut_short: bool
    """Whether a piece has more than `MAX_BEATS`."""

    def locate(self, ticks: IntArray, segment: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the row of the beat in which each tick lies, and the beats since it began; on an edge either of the two."""
        at = ticks * self.beats_per_tick[segment] + self.row_at_zero[segment]
        if self.is_cut_short:
            at = np.minimum(at, self.last[segment])
        row = at.astype(np.int64)
        return row, at - row

    def places(self, ticks: IntArray, segment: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return the place (slots from the beginning) of each tick, the next stronger place, and the length of a beat."""
        length, slots_per_bar = self.length[segment], self.slots_per_bar[segment]
        time = (ticks - self.start_ticks[segment]) * (_SIXTEENTHS * SLOTS)
        slot = _quotient(time + length // 2, length)
        bar = _quotient(slot, slots_per_bar) * slots_per_bar
        entry = slot - bar + self.table_start[segment]
        bar += self.first[segment] * SLOTS
        return bar + self.place[entry], bar + self.stronger[entry], length

    def segments(self, onset_ticks: IntArray) -> IntArray:
        """Return the index of the segment in which each of ascending ticks lies."""
        starts = np.searchsorted(onset_ticks, self.start_ticks)
        return np.repeat(np.arange(len(starts)), np.diff(starts, append=len(onset_ticks)))

    def segments_from(self, segment: IntArray, end_ticks: IntArray) -> IntArray:
        """Return the index of the segment in which each tick lies that comes after one in `segment`."""
        segment = segment.copy()
        later = np.flatnonzero(end_ticks >= np.append(self.start_ticks[1:], end_ticks.max(initial=0) + 1)[segment])
        segment[later] = np.searchsorted(self.start_ticks, end_ticks[later], side="right") - 1
        return segment


def _quotient(dividend: IntArray, divisor: IntArray) -> IntArray:
    """Floor of a quotient of numbers from 0 to 2**52: exact in floats, which processors divide several at a time."""
    return (dividend / divisor).astype(np.int64)


def beats_of(batch: Batch) -> Beats:
    """Lay the beats of a batch by the metre maps of its pieces."""
    metre = batch.changes([piece.metre_ticks for piece in batch.pieces])
    numerators = np.concatenate([piece.metre_numerator for piece in batch.pieces]).tolist()
    denominators = np.concatenate([piece.metre_denominator for piece in batch.pieces]).tolist()
    metres = list(zip(numerators, denominators, strict=True))
    index_of = {name: i for i, name in enumerate(sorted(set(metres)))}
    beat_64ths, slots_per_bar, table_start, place, stronger = _tables(tuple(index_of))
    kind = [index_of[name] for name in metres]
    length = beat_64ths[kind] * batch.ticks_per_quarter[metre.piece]
    n_beats = -(-metre.span_ticks * _SIXTEENTHS // length)
    total = metre.sums(n_beats)
    n_rows = np.minimum(total, MAX_BEATS) + 1
    last = n_rows.cumsum() - 1
    before = n_beats.cumsum() - n_beats
    first = before + (last - n_rows + 1 - before[metre.is_first])[metre.piece]
    row_length, row_beats = _rows(metre, first, last[metre.piece], n_beats, length)
    return Beats(
        start_ticks=metre.ticks,
        length=length,
        beats_per_tick=_SIXTEENTHS / length,
        row_at_zero=first - metre.ticks * (_SIXTEENTHS / length),
        first=first,
        last=last[metre.piece],
        slots_per_bar=slots_per_bar[kind],
        table_start=table_start[kind],
        place=place,
        stronger=stronger,
        piece=np.repeat(np.arange(len(batch)), n_rows),
        row_length=row_length,
        row_beats=row_beats,
        is_cut_short=bool((total > MAX_BEATS).any()),
    )


def _rows(
    metre: Changes, first: IntArray, last: IntArray, n_beats: IntArray, length: IntArray
) -> tuple[IntArray, FloatArray]:
    """Lengths of all beats in sixteenths of a tick, and in whole beats."""
    n_rows = np.minimum(first + n_beats, last) - np.minimum(first, last) + metre.is_last
    whole = np.repeat(length, n_rows)
    row_length = whole.copy()
    row_length[last] = 0
    rest = np.diff(metre.ticks) * _SIXTEENTHS - (n_beats[:-1] - 1) * length[:-1]
    is_cut = ~metre.is_last[:-1] & (n_beats[:-1] > 0) & (rest < length[:-1]) & (first[1:] <= last[:-1])
    row_length[first[1:][is_cut] - 1] = rest[is_cut]
    return row_length, row_length / whole


def note_length_shares(pitched: Batch) -> FloatArray:
    """Return the share of each piece's notes that each of `NOTE_LENGTHS` has, [P, 12]; zeros without notes."""
    tables = [_nearest_lengths(piece.ticks_per_quarter) for piece in pitched.pieces]
    sizes = np.array([len(table) for table in tables])
    entry = np.minimum(pitched.notes.duration_ticks, (sizes - 1)[pitched.piece]) + (sizes.cumsum() - sizes)[pitched.piece]
    counts = pitched.histogram(np.concatenate(tables)[entry], len(NOTE_LENGTHS))
    shares: FloatArray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def syncopation(batch: Batch, beats: Beats) -> FloatArray:
    """Return the share 0..1 of each piece's onsets that are syncopated, [P]; 0 without notes.

    After Longuet-Higgins and Lee (1984): an onset is syncopated when silence follows it, or it holds, at the next place of
    more weight in the metre: no other begins until there, or only a lower one begins there while it still sounds (for three
    quarters of its length, which leaves legato overlaps out). Each program is a part of its own, and so are cymbals and the
    other drums.
    """
    notes = batch.notes
    voice = notes.program + ((notes.program == DRUMS) & _CYMBALS[notes.pitch])
    # In as few bits as hold it: numpy sorts 16 of them by radix.
    part = (batch.piece * _N_VOICES + voice).astype(np.min_scalar_type(len(batch) * _N_VOICES))
    top = _ends_of_runs(notes.onset_ticks, part)
    top = top[np.argsort(part[top], kind="stable")]
    here, there, length = beats.places(notes.onset_ticks[top], beats.segments(notes.onset_ticks)[top])
    last = _ends_of_runs(here, part[top])
    top, here, there = top[last], here[last], there[last]
    delay = here[1:] - there[:-1]
    delay[np.diff(part[top]) != 0] = -1
    # Only where a note begins just there does it matter whether this one holds.
    at = np.flatnonzero(delay == 0)
    note, span = top[at], (there[at] - here[at]) * length[last[at]]
    holds = (notes.duration_ticks[note] * (_SIXTEENTHS * SLOTS * 3 // 4) > span) & (voice[note] < DRUMS)
    delay[at] = holds & (notes.pitch[top[at + 1]] < notes.pitch[note])
    n_onsets = sizes_by_piece(batch.piece[top], len(batch))
    shares: FloatArray = sums(np.append(delay > 0, False), n_onsets) / np.maximum(n_onsets, 1)
    return shares


def _ends_of_runs(values: IntArray, parts: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.intp]:
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
