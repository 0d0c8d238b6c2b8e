"""Which event may follow which: one state machine that the encoder is tested on and that generation masks with.

    sequence = BOS control* bar+ (EOS | MORE) PAD*
    bar      = BAR [TIME_SIGNATURE] [TEMPO] (POSITION (PROGRAM note+)+)*   both stated in the first bar
    note     = (PITCH | DRUM) VELOCITY DURATION

Positions ascend within a bar and end with it; programs ascend within a position, pitches within a program; DRUM follows
only the drums' program. Each piece on the grid therefore has exactly one sequence, and each sequence of the grammar
decodes to a piece with at least one note. GAP, FILL and END_FILL are reserved and never allowed yet.
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
    EOS,
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


class State(NamedTuple):
    """Everything of the past that decides what may come next; ids are absolute, -1 is "none yet"."""

    last: str = "START"
    """Block of the last event; "START", "BOS", "BAR" and "END" beside the blocks; "CONTROL" for any control."""
    control_stage: int = 0
    metre_id: int = -1
    tempo_id: int = -1
    position_id: int = -1
    program_id: int = -1
    pitch_id: int = -1
    bars: int = 0
    notes: int = 0


START = State()


def advance(state: State, event_id: int) -> State:
    """Return the state after one more event. Raises ValueError if the grammar does not allow it there."""
    if not (0 <= event_id < N_IDS and allowed(state)[event_id]):
        raise ValueError(f"{name_of(event_id)} cannot follow {state.last.lower()} (bar {state.bars})")
    return follow(state, event_id)


def follow(state: State, event_id: int) -> State:
    """`advance` for an event that is known to be allowed: generation draws only such."""
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


def check(ids: Iterable[int]) -> State:
    """Walk a whole sequence. Returns its last state; raises ValueError naming the first event that may not stand there."""
    state = START
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
