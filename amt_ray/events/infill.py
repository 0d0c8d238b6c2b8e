"""Fill in the middle: what is hidden of a window stands behind the rest, so that a model that only continues can infill.

A model learns from such windows to fill a gap whose both sides it has seen, or to add an instrument to the others
(Bavarian et al., 2022, "Efficient training of language models to fill in the middle"; in music the bars and tracks of MMM,
Ens & Pasquier, 2020, and the Anticipatory Music Transformer, Thickstun et al., 2023). The forms are those of
`amt_ray.events.grammar` from `START_INFILL` on:

    hide_bars  BOS control* bars GAP bars FILL bars END_FILL (EOS | MORE)
    hide_part  BOS control* bars FILL PROGRAM part_bars END_FILL (EOS | MORE)

Controls stay those of the whole window. How many bars a gap hides is free: END_FILL says it. A part has as many bars as the
window; they state neither metre nor tempo, and the program only once. `filled` undoes both. Costs about 0.1 ms for 1,024
events.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amt_ray.events.vocabulary import (
    BAR,
    DURATION,
    END_FILL,
    EOS,
    FILL,
    GAP,
    MORE,
    PITCH,
    POSITION,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    Block,
    Ids,
)
from amt_ray.midi.piece import IntArray

_Flags = npt.NDArray[np.bool_]

HIDDEN_BARS_OVERHEAD = 7
"""`hide_bars` adds at most so many events: GAP, FILL, END_FILL, and metre and tempo stated again at two places."""
HIDDEN_PART_OVERHEAD = 3
"""`hide_part` adds at most so many events, FILL, PROGRAM and END_FILL, and one BAR for each bar of the window."""
INFILL_OVERHEAD = 64
"""`draw_infill` adds at most so many events, unless it is told how many."""


def hide_bars(ids: Ids, first_bar: int, last_bar: int) -> Ids:
    """Move bars `first_bar` to `last_bar` (exclusive, counted from 0) of a window behind its last bar; GAP stands for them.

    `ids` is a plain window uint16[T] that obeys the grammar; the result has at most `HIDDEN_BARS_OVERHEAD` ids more. Raises
    ValueError where the window has no such bars, or where no note would be inside of the gap or outside.
    """
    events, line_at = _plain_window(ids)
    notes_before = np.append(0, np.cumsum(_in(events, DURATION)))[line_at]
    if not 0 <= first_bar < last_bar < len(line_at):
        raise ValueError(f"bars {first_bar} to {last_bar}: the window has bars 0 to {len(line_at) - 1} (exclusive)")
    if not 0 < notes_before[last_bar] - notes_before[first_bar] < notes_before[-1]:
        raise ValueError(f"bars {first_bar} to {last_bar}: there must be a note inside of the gap, and one outside")
    first, last = line_at[first_bar], line_at[last_bar]
    hidden, after = _restated(events, first, last), _restated(events, last, len(events) - 1)
    parts = (events[:first], [GAP], after, [FILL], hidden, [END_FILL], events[-1:])
    return np.concatenate(parts).astype(np.uint16)


def hide_part(ids: Ids, program: int) -> Ids:
    """Move all notes of one program (0..128, 128 is the drums) of a window behind its last bar, as bars of their own.

    `ids` is a plain window uint16[T] that obeys the grammar; the result has at most `HIDDEN_PART_OVERHEAD` ids and one for
    each bar more. Raises ValueError where the window has no notes of the program, or none of another.
    """
    events, line_at = _plain_window(ids)
    bars = events[line_at[0] : -1]
    program_id = PROGRAM.start + program
    is_note = _in_note(bars)
    last_program = bars[_last_place(_in(bars, PROGRAM))]
    is_part = is_note & (last_program == program_id)
    if not is_part.any() or is_part.sum() == is_note.sum():
        raise ValueError(f"program {program}: it must have notes in the window, and must not be the only one")
    outside = _without_empty_positions(bars[~is_part])
    part = bars[(is_part & (bars != program_id)) | (bars == BAR) | _in(bars, POSITION)]
    fill = ([FILL, program_id], _without_empty_positions(part), [END_FILL])
    return np.concatenate((events[: line_at[0]], outside, *fill, events[-1:])).astype(np.uint16)


def filled(ids: npt.ArrayLike) -> Ids:
    """Put what a fill holds back in its place: int[T] to the plain sequence, uint16; one without a fill stays as it is.

    Raises ValueError unless there is one FILL with one END_FILL behind it, and either one GAP before it or a PROGRAM behind.
    """
    events = np.asarray(ids, np.int64)
    gap, fill, end = (np.flatnonzero(events == mark).tolist() for mark in (GAP, FILL, END_FILL))
    if not (gap or fill or end):
        return events.astype(np.uint16)
    marks = [*gap, *fill, *end]
    if not (len(fill) == len(end) == 1 and len(gap) <= 1 and marks == sorted(marks)):
        raise ValueError(
            f"GAP at {gap}, FILL at {fill}, END_FILL at {end}: allowed are one FILL and END_FILL, one GAP before"
        )
    hidden, rest = events[fill[0] + 1 : end[0]], events[end[0] + 1 :]
    if gap:
        whole = np.concatenate((events[: gap[0]], hidden, events[gap[0] + 1 : fill[0]], rest))
        return _without_repeats(whole).astype(np.uint16)
    if not _in(hidden[:1], PROGRAM).any():
        raise ValueError("a fill without a gap begins with its PROGRAM")
    first_bar = int((events == BAR).argmax())
    bars = _with_part(events[first_bar : fill[0]], hidden)
    return np.concatenate((events[:first_bar], bars, rest)).astype(np.uint16)


def draw_infill(ids: Ids, rng: np.random.Generator, most_added: int = INFILL_OVERHEAD) -> Ids:
    """Hide bars or a part of a plain window uint16[T], one as likely as the other where both can be done.

    The result has at most `most_added` events more; a window of which nothing can be hidden within that comes back as it
    is. Of the gaps every length is as likely, in bars that hold notes (empty bars stay outside at either end of a gap); so
    is every program of the parts. Raises ValueError if `ids` is no plain window.
    """
    events, line_at = _plain_window(ids)
    bars = events[line_at[0] : -1]
    sounding = np.unique(np.searchsorted(line_at, np.flatnonzero(_in(events, DURATION)), side="right") - 1)
    programs = _programs_to_hide(bars, HIDDEN_PART_OVERHEAD + len(line_at) - 1 - most_added)
    can_hide_bars = len(sounding) > 1 and most_added >= HIDDEN_BARS_OVERHEAD
    if len(programs) and not (can_hide_bars and rng.random() < 0.5):
        return hide_part(ids, int(rng.choice(programs)))
    if not can_hide_bars:
        return ids
    n_hidden = int(rng.integers(1, len(sounding)))
    first = int(rng.integers(0, len(sounding) - n_hidden + 1))
    return hide_bars(ids, int(sounding[first]), int(sounding[first + n_hidden - 1]) + 1)


def _plain_window(ids: Ids) -> tuple[IntArray, IntArray]:
    """Return the window as int64[T], and the places of its bar lines, of which the last is the end: int64[bars + 1]."""
    events = ids.astype(np.int64)
    bar_at = np.flatnonzero(events == BAR)
    if not len(bar_at) or events[-1] not in (EOS, MORE) or ((events >= GAP) & (events <= END_FILL)).any():
        raise ValueError("only a whole sequence with bars, an EOS or MORE at its end and no fill can have something hidden")
    return events, np.append(bar_at, len(events) - 1)


def _in(events: IntArray, block: Block) -> _Flags:
    return (events >= block.start) & (events < block.end)


def _in_note(events: IntArray) -> _Flags:
    """Where a bar's event is a PROGRAM, PITCH, DRUM, VELOCITY or DURATION: their blocks are neighbours."""
    return (events >= PITCH.start) & (events < DURATION.end)


def _last_place(is_mark: _Flags) -> IntArray:
    """Place of the last mark up to each event; 0 before the first."""
    place: IntArray = np.maximum.accumulate(np.where(is_mark, np.arange(len(is_mark)), 0))
    return place


def _restated(events: IntArray, first: int, last: int) -> IntArray:
    """Events `first` to `last` (exclusive), the BAR that they begin with stating metre and tempo; none stay none."""
    if first == last:
        return events[first:last]
    states_metre = int(events[first + 1] in TIME_SIGNATURE)
    n_stated = 1 + states_metre + int(events[first + 1 + states_metre] in TEMPO)
    known = events[: first + n_stated]
    opening = [BAR, *(known[_in(known, block)][-1] for block in (TIME_SIGNATURE, TEMPO))]
    return np.concatenate((opening, events[first + n_stated : last]))


def _without_repeats(events: IntArray) -> IntArray:
    """Leave out metres and tempi that hold already; controls are no statements."""
    first_bar = int((events == BAR).argmax())
    kept = np.ones(len(events), bool)
    for block in (TIME_SIGNATURE, TEMPO):
        at = first_bar + np.flatnonzero(_in(events[first_bar:], block))
        kept[at[1:][events[at[1:]] == events[at[:-1]]]] = False
    return events[kept]


def _without_empty_positions(bars: IntArray) -> IntArray:
    """Leave out each POSITION that no note follows."""
    before_note = np.append(_in_note(bars[1:]), False)
    return bars[before_note | ~_in(bars, POSITION)]


def _with_part(bars: IntArray, part: IntArray) -> IntArray:
    """Sort the notes of a part (PROGRAM, then its bars) into the bars of the others."""
    part = np.insert(part[1:], np.flatnonzero(_in(part[1:], POSITION)) + 1, part[0])
    is_new = part != BAR
    keys = np.concatenate((_sort_keys(bars), _sort_keys(part)[is_new]))
    order = np.argsort(keys, kind="stable")
    both, keys = np.concatenate((bars, part[is_new]))[order], keys[order]
    is_again = np.append(False, keys[1:] == keys[:-1]) & _in(both, POSITION)
    return both[~is_again]


def _sort_keys(bars: IntArray) -> IntArray:
    """One integer an event that orders bars, in them positions, in these programs: ids ascend as the blocks do."""
    is_position, is_bar = _in(bars, POSITION), bars == BAR
    position = bars[_last_place(is_bar | is_position)]
    program = bars[_last_place(is_bar | is_position | _in(bars, PROGRAM))]
    keys: IntArray = np.cumsum(is_bar) << 20 | position << 10 | program
    return keys


def _programs_to_hide(bars: IntArray, fewest_alone: int) -> IntArray:
    """Programs, of several, that are alone at `fewest_alone` positions or more: hiding a part saves one event at each."""
    is_program = _in(bars, PROGRAM)
    position = np.cumsum(_in(bars, POSITION))[is_program]
    program = bars[is_program] - PROGRAM.start
    alone = program[np.bincount(position)[position] == 1]
    n_heard, n_alone = (np.bincount(programs, minlength=PROGRAM.size) for programs in (program, alone))
    if (n_heard > 0).sum() < 2:
        return program[:0]
    return np.flatnonzero((n_heard > 0) & (n_alone >= fewest_alone))
