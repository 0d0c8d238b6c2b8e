"""Pieces to event ids and back, vectorised: no Python loop over notes in either direction.

`decode(encode(piece))` is `quantise(piece).piece`, and every encoded sequence obeys `amt_ray.events.grammar`. Costs about
1 ms for a piece of 2,000 notes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from amt_ray.events.controls import Controls, control_ids
from amt_ray.events.infill import filled
from amt_ray.events.quantise import Quantised, assemble, quantise
from amt_ray.events.vocabulary import (
    BAR,
    BAR_UNITS,
    BOS,
    DRUM,
    DURATION,
    DURATION_UNITS,
    EOS,
    KEY,
    LOWEST_DRUM,
    LOWEST_PITCH,
    MORE,
    PITCH,
    POSITION,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    VELOCITIES,
    VELOCITY,
    Ids,
)
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import IntArray, Notes, Piece

NO_CONTROLS = Controls()
_DURATION_INDEX = np.searchsorted(DURATION_UNITS, np.arange(DURATION_UNITS[-1] + 1))


def encode(piece: Piece, controls: Controls = NO_CONTROLS) -> Ids:
    """Encode a whole piece of at least one note: BOS, controls, bars, EOS. Returns uint16[T]."""
    return encode_bars(quantise(piece), controls)


def encode_bars(quantised: Quantised, controls: Controls = NO_CONTROLS, goes_on: bool = False) -> Ids:
    """Encode a piece that is on the grid already; `goes_on` ends it with MORE in place of EOS."""
    bar_tokens, note_tokens, bar_of_note = _token_counts(quantised)
    head = np.array([BOS, *control_ids(controls)], np.int64)
    before_bar = np.cumsum(bar_tokens) - bar_tokens
    before_note = np.cumsum(note_tokens) - note_tokens
    notes_before_bar = np.searchsorted(bar_of_note, np.arange(len(bar_tokens)))
    note_sums = np.append(0, np.cumsum(note_tokens))
    bar_at = len(head) + before_bar + note_sums[notes_before_bar]
    note_at = len(head) + before_note + (before_bar + bar_tokens)[bar_of_note]
    ids = np.empty(len(head) + bar_tokens.sum() + note_tokens.sum() + 1, np.int64)
    ids[: len(head)] = head
    ids[-1] = MORE if goes_on else EOS
    _put_bars(ids, bar_at, quantised)
    _put_notes(ids, note_at, note_tokens, bar_of_note, quantised)
    return ids.astype(np.uint16)


def tokens_per_bar(quantised: Quantised) -> IntArray:
    """Return how many ids each bar takes, its BAR included: int64[bars]."""
    bar_tokens, note_tokens, bar_of_note = _token_counts(quantised)
    in_bar: IntArray = np.bincount(bar_of_note, weights=note_tokens, minlength=len(bar_tokens)).astype(np.int64)
    return bar_tokens + in_bar


def excerpt(quantised: Quantised, from_bar: int, to_bar: int) -> Quantised:
    """Cut out bars `from_bar` to `to_bar` (exclusive), which then begin at 0; notes belong to the bar they begin in."""
    start, metre, tempo = (a[from_bar:to_bar] for a in (quantised.bar_start_units, quantised.bar_metre, quantised.bar_tempo))
    notes = quantised.piece.notes
    end = start[-1] + BAR_UNITS[metre[-1]]
    first, last = np.searchsorted(notes.onset_ticks, [start[0], end])
    inside = notes.take(np.arange(first, last))
    inside = replace(inside, onset_ticks=inside.onset_ticks - start[0])
    piece = assemble(inside, start - start[0], metre, tempo, quantised.piece.key)
    return Quantised(piece, start - start[0], metre, tempo, {})


def decode(ids: npt.ArrayLike) -> Piece:
    """Turn a sequence that obeys the grammar back into a piece of 12 ticks a quarter; a KEY control becomes its key.

    What stands in a fill is put in its place. Raises ValueError when the sequence has no bar with a time signature and a
    tempo, no complete note, or a fill that is not whole.
    """
    ids = filled(ids).astype(np.int64)
    is_bar = ids == BAR
    if not is_bar.any():
        raise ValueError("the events hold no bar: nothing to decode")
    n_controls = int(is_bar.argmax())
    body, bar_of = ids[n_controls:], np.cumsum(is_bar[n_controls:]) - 1
    n_bars = int(bar_of[-1]) + 1
    metre = _carried(body, bar_of, n_bars, TIME_SIGNATURE.start, TIME_SIGNATURE.end)
    tempo = _carried(body, bar_of, n_bars, TEMPO.start, TEMPO.end)
    bar_start = np.cumsum(BAR_UNITS[metre]) - BAR_UNITS[metre]
    notes = _notes(body, bar_of, bar_start)
    key = ids[:n_controls][(ids[:n_controls] >= KEY.start) & (ids[:n_controls] < KEY.end - 1)]
    return assemble(notes, bar_start, metre, tempo, KEY.names[key[0] - KEY.start] if len(key) else None)


def _token_counts(quantised: Quantised) -> tuple[IntArray, IntArray, IntArray]:
    """Return ids per bar line (1..3), ids per note (3..5), and each note's bar."""
    notes = quantised.piece.notes
    bar_tokens = 1 + _changes(quantised.bar_metre) + _changes(quantised.bar_tempo)
    new_onset = _changes(notes.onset_ticks)
    new_program = new_onset | _changes(notes.program)
    bar_of_note = np.searchsorted(quantised.bar_start_units, notes.onset_ticks, side="right") - 1
    return bar_tokens, 3 + new_onset.astype(np.int64) + new_program, bar_of_note


def _changes(values: IntArray) -> npt.NDArray[np.bool_]:
    """Where an array's value differs from the one before; the first always does."""
    return np.append(np.ones(min(len(values), 1), bool), values[1:] != values[:-1])


def _put_bars(ids: IntArray, bar_at: IntArray, quantised: Quantised) -> None:
    new_metre, new_tempo = _changes(quantised.bar_metre), _changes(quantised.bar_tempo)
    ids[bar_at] = BAR
    ids[bar_at[new_metre] + 1] = TIME_SIGNATURE.start + quantised.bar_metre[new_metre]
    ids[(bar_at + 1 + new_metre)[new_tempo]] = TEMPO.start + quantised.bar_tempo[new_tempo]


def _put_notes(ids: IntArray, note_at: IntArray, note_tokens: IntArray, bar_of_note: IntArray, quantised: Quantised) -> None:
    notes = quantised.piece.notes
    position = notes.onset_ticks - quantised.bar_start_units[bar_of_note]
    pitch_at = note_at + note_tokens - 3
    new_onset, new_program = note_tokens == 5, note_tokens >= 4
    ids[note_at[new_onset]] = POSITION.start + position[new_onset]
    ids[pitch_at[new_program] - 1] = PROGRAM.start + notes.program[new_program]
    is_drum = notes.program == DRUMS
    ids[pitch_at] = notes.pitch + np.where(is_drum, DRUM.start - LOWEST_DRUM, PITCH.start - LOWEST_PITCH)
    ids[pitch_at + 1] = VELOCITIES.start + notes.velocity // 8
    ids[pitch_at + 2] = DURATION.start + _DURATION_INDEX[notes.duration_ticks]


def _carried(body: IntArray, bar_of: IntArray, n_bars: int, block_start: int, block_end: int) -> IntArray:
    """Return the index within a block that holds in each bar, carried on from where it was last written."""
    at = np.flatnonzero((body >= block_start) & (body < block_end))
    if not len(at) or bar_of[at[0]] != 0:
        raise ValueError("the first bar must state a time signature and a tempo")
    written_in = np.zeros(n_bars, np.int64)
    written_in[bar_of[at]] = np.arange(len(at))
    return body[at[np.maximum.accumulate(written_in)]] - block_start


def _notes(body: IntArray, bar_of: IntArray, bar_start: IntArray) -> Notes:
    at = np.flatnonzero((body >= DURATION.start) & (body < DURATION.end))
    if not len(at):
        raise ValueError("the events hold no complete note: nothing to decode")
    place = np.arange(len(body))
    last_position = np.maximum.accumulate(np.where((body >= POSITION.start) & (body < POSITION.end), place, 0))
    last_program = np.maximum.accumulate(np.where((body >= PROGRAM.start) & (body < PROGRAM.end), place, 0))
    program = body[last_program[at]] - PROGRAM.start
    base = np.where(program == DRUMS, DRUM.start - LOWEST_DRUM, PITCH.start - LOWEST_PITCH)
    return Notes(
        onset_ticks=bar_start[bar_of[at]] + body[last_position[at]] - POSITION.start,
        duration_ticks=DURATION_UNITS[body[at] - DURATION.start],
        pitch=body[at - 2] - base,
        velocity=VELOCITY[body[at - 1] - VELOCITIES.start],
        program=program,
    )
