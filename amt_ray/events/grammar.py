"""Which event may follow which: one state machine that the encoder is tested on and that generation masks with.

    sequence = BOS control* bar+ (EOS | MORE) PAD*
    bar      = BAR [TIME_SIGNATURE] [TEMPO] (POSITION (PROGRAM note+)+)*   both stated in the first bar
    note     = (PITCH | DRUM) VELOCITY DURATION

Positions ascend within a bar and end with it; programs ascend within a position, pitches within a program; DRUM follows
only the drums' program. Each piece on the grid therefore has exactly one sequence, and each sequence of the grammar
decodes to a piece with at least one note. That is what `START` leads to. `START_INFILL` leads to a sequence with one fill
(`amt_ray.events.infill` makes such of plain ones, and plain ones of such), and to nothing else:

    sequence = BOS control* (bars | part) (EOS | MORE) PAD*
    bars     = bar* GAP bar* FILL bar+ END_FILL               a note outside of the fill, and one inside
    part     = bar+ FILL PROGRAM part_bar+ END_FILL           an instrument that is not among the bars
    part_bar = BAR (POSITION note+)*                          as many as bars, each of its bar's metre

The first bar after GAP and the first of a fill of bars state metre and tempo, whatever held before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from amt_ray.events.vocabulary import (
    BAR,
    BAR_UNITS,
    BLOCK_OF,
    BLOCKS,
    BOS,
    CONTROL_ORDER,
    DRUM,
    DRUM_PROGRAM_ID,
    DURATION,
    END_FILL,
    EOS,
    FILL,
    GAP,
    MORE,
    N_IDS,
    PAD,
    PITCH,
    POSITION,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    VELOCITIES,
    name_of,
)

Mask = npt.NDArray[np.bool_]
_NAMES = tuple(BLOCKS)
_CONTROL_STAGE = {block.name: stage for stage, block in enumerate(CONTROL_ORDER)}


class Infill(NamedTuple):
    """What a sequence with a fill must remember beyond a plain one's state."""

    stage: str = "OPEN"
    """"OPEN" until GAP or FILL; "GAP"; then "BARS" or "PART", by what the fill holds; "FILLED"."""
    programs: frozenset[int] = frozenset()
    """PROGRAM ids heard before GAP or FILL."""
    metres: tuple[tuple[int, int], ...] = ()
    """Each bar that states a metre before GAP or FILL, counted from 1, and that TIME_SIGNATURE id."""
    bars: int = 0
    """Bars before FILL; the state's own `bars` and `notes` count those of the fill too."""
    notes: int = 0


class State(NamedTuple):
    """Everything of the past that decides what may come next; ids are absolute, -1 is "none yet"."""

    last: str = "START"
    """Block of the last event; "START", "BOS", "BAR" and "END" beside the blocks; "CONTROL" for any control.

    In an infill also "GAP", "FILL", "PART" (the program that a fill names) and "END_FILL".
    """
    control_stage: int = 0
    metre_id: int = -1
    tempo_id: int = -1
    position_id: int = -1
    program_id: int = -1
    pitch_id: int = -1
    bars: int = 0
    notes: int = 0
    infill: Infill | None = None
    """None in a plain sequence."""


START = State()
START_INFILL = State(infill=Infill())


def advance(state: State, event_id: int) -> State:
    """Return the state after one more event. Raises ValueError if the grammar does not allow it there."""
    if not (0 <= event_id < N_IDS and allowed(state)[event_id]):
        raise ValueError(f"{name_of(event_id)} cannot follow {state.last.lower()} (bar {state.bars})")
    return follow(state, event_id)


def follow(state: State, event_id: int) -> State:
    """`advance` for an event that is known to be allowed: generation draws only such."""
    if state.infill is not None:
        return _follow_infill(state, state.infill, event_id)
    block = _NAMES[BLOCK_OF[event_id]]
    if event_id == BAR:
        return state._replace(last="BAR", bars=state.bars + 1, position_id=-1, program_id=-1, pitch_id=-1)
    if block == "SPECIAL":
        return state._replace(last="BOS" if event_id == BOS else "END")
    if state.bars == 0:
        return state._replace(last="CONTROL", control_stage=_CONTROL_STAGE[block], program_id=event_id)
    match block:
        case "TIME_SIGNATURE":
            return state._replace(last=block, metre_id=event_id)
        case "TEMPO":
            return state._replace(last=block, tempo_id=event_id)
        case "POSITION":
            return state._replace(last=block, position_id=event_id, program_id=-1, pitch_id=-1)
        case "PROGRAM":
            return state._replace(last=block, program_id=event_id, pitch_id=-1)
        case "PITCH" | "DRUM":
            return state._replace(last="PITCH", pitch_id=event_id)
        case "DURATION":
            return state._replace(last=block, notes=state.notes + 1)
    return state._replace(last=block)


def allowed(state: State) -> Mask:
    """Return which ids may come next, bool[512]; at least one always may."""
    if state.infill is not None:
        return _allowed_infill(state, state.infill)
    mask = np.zeros(N_IDS, bool)
    match state.last:
        case "START":
            mask[BOS] = True
        case "BOS" | "CONTROL":
            _allow_controls(mask, state)
        case "POSITION":
            mask[PROGRAM.ids] = True
        case "PROGRAM":
            mask[DRUM.ids if state.program_id == DRUM_PROGRAM_ID else PITCH.ids] = True
        case "PITCH":
            mask[VELOCITIES.ids] = True
        case "VELOCITY":
            mask[DURATION.ids] = True
        case "END":
            mask[PAD] = True
        case _:
            _allow_in_bar(mask, state)
    return mask


def check(ids: Iterable[int], state: State = START) -> State:
    """Walk a sequence from `START`, or one with a fill from `START_INFILL`. Returns its last state.

    Raises ValueError naming the first event that may not stand there.
    """
    for place, event_id in enumerate(ids):
        try:
            state = advance(state, int(event_id))
        except ValueError as exc:
            raise ValueError(f"event {place}: {exc}") from exc
    return state


def _allow_controls(mask: Mask, state: State) -> None:
    first = state.control_stage + (state.last == "CONTROL")
    for block in CONTROL_ORDER[first:]:
        mask[block.ids] = True
    if state.last == "CONTROL" and CONTROL_ORDER[state.control_stage] is PROGRAM:
        mask[state.program_id + 1 : PROGRAM.end] = True
    mask[BAR] = True


def _allow_in_bar(mask: Mask, state: State) -> None:
    """After BAR, TIME_SIGNATURE, TEMPO or a note (DURATION)."""
    if state.last == "BAR":
        mask[TIME_SIGNATURE.ids] = True
    if state.last in ("BAR", "TIME_SIGNATURE"):
        mask[TEMPO.ids] = True
    if state.metre_id < 0:
        mask[TEMPO.ids] = False
        return
    mask[state.metre_id] = False
    if state.tempo_id < 0:
        return
    mask[state.tempo_id] = False
    bar_units = BAR_UNITS[state.metre_id - TIME_SIGNATURE.start]
    mask[max(POSITION.start, state.position_id + 1) : POSITION.start + bar_units] = True
    mask[BAR] = True
    if state.notes:
        mask[[EOS, MORE]] = True
    if state.last == "DURATION":
        pitches = DRUM if state.program_id == DRUM_PROGRAM_ID else PITCH
        mask[state.pitch_id + 1 : pitches.end] = True
        mask[state.program_id + 1 : PROGRAM.end] = True


def _follow_infill(state: State, infill: Infill, event_id: int) -> State:
    plain = state._replace(infill=None)
    if event_id == GAP:
        return state._replace(last="GAP", metre_id=-1, tempo_id=-1, infill=infill._replace(stage="GAP"))
    if event_id == FILL and infill.stage == "GAP":
        infill = infill._replace(stage="BARS", bars=state.bars, notes=state.notes)
        return state._replace(last="FILL", metre_id=-1, tempo_id=-1, infill=infill)
    if event_id == FILL:
        return state._replace(last="FILL", infill=infill._replace(stage="PART", bars=state.bars, notes=state.notes))
    if event_id == END_FILL:
        return state._replace(last="END_FILL", infill=infill._replace(stage="FILLED"))
    if infill.stage == "PART":
        return _follow_in_part(plain, infill, event_id)
    if infill.stage == "OPEN" and state.bars:
        infill = _remember(infill, state.bars, event_id)
    return follow(plain, event_id)._replace(infill=infill)


def _remember(infill: Infill, bar: int, event_id: int) -> Infill:
    """Keep what a part that is added must know of the bars before it: who plays there, and in which metres."""
    if event_id in PROGRAM:
        return infill._replace(programs=infill.programs | {event_id})
    if event_id in TIME_SIGNATURE:
        return infill._replace(metres=(*infill.metres, (bar, event_id)))
    return infill


def _follow_in_part(plain: State, infill: Infill, event_id: int) -> State:
    """The part's bars have the metres of the bars before FILL, and its program, which is named once, at every position."""
    if plain.last == "FILL":
        return plain._replace(last="PART", program_id=event_id, infill=infill)
    after = follow(plain, event_id)
    if event_id in POSITION:
        after = follow(after, plain.program_id)
    elif event_id == BAR:
        metre_id = dict(infill.metres).get(after.bars - infill.bars, plain.metre_id)
        after = after._replace(program_id=plain.program_id, metre_id=metre_id)
    return after._replace(infill=infill)


def _allowed_infill(state: State, infill: Infill) -> Mask:
    mask = np.zeros(N_IDS, bool)
    match state.last:
        case "GAP":
            mask[BAR], mask[FILL] = True, state.notes > 0
        case "FILL" if infill.stage == "PART":
            mask[PROGRAM.ids] = True
            mask[list(infill.programs)] = False
        case "FILL" | "PART":
            mask[BAR] = True
        case "END_FILL":
            mask[[EOS, MORE]] = True
        case _:
            mask = allowed(state._replace(infill=None))
            _allow_fill(mask, state, infill)
    return mask


def _allow_fill(mask: Mask, state: State, infill: Infill) -> None:
    """Where a bar may begin, GAP, FILL or END_FILL may stand when its turn has come, and the end may not."""
    can_leave = bool(mask[BAR])
    mask[[EOS, MORE]] = False
    has_filled = can_leave and state.notes > infill.notes
    match infill.stage:
        case "OPEN":
            mask[GAP] = can_leave
            mask[FILL] = can_leave and 0 < len(infill.programs) < PROGRAM.size
        case "GAP":
            mask[FILL] = can_leave and state.notes > 0
        case "BARS":
            mask[END_FILL] = has_filled
        case "PART":
            is_last = state.bars == 2 * infill.bars
            mask[PROGRAM.ids] = mask[TIME_SIGNATURE.ids] = mask[TEMPO.ids] = False
            mask[BAR] = can_leave and not is_last
            mask[END_FILL] = has_filled and is_last
