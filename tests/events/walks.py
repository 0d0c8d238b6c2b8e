"""Random sequences of the grammar, and a slow plain reader of sequences to compare the vectorised one with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from amt_ray.events.grammar import START, START_INFILL, State, advance, allowed
from amt_ray.events.vocabulary import BAR, BAR_UNITS, BOS, END_FILL, EOS, FILL, GAP, METRES, MORE, PAD, TEMPO_BPM, name_of


def random_walk(rng: np.random.Generator, n_events: int = 200) -> tuple[list[int], list[State]]:
    """Draw events uniformly from what is allowed; after `n_events` take the way to the nearest end."""
    state, ids, states = START, [], []
    while state.last != "END":
        choices = np.flatnonzero(allowed(state))
        if len(ids) > n_events:
            ends = [event_id for event_id in (EOS, MORE) if event_id in choices]
            # BAR leaves the controls; the positions and what follows them lead to a note and so to an end.
            choices = np.array(ends or ([BAR] if not state.bars else choices[choices != BAR]))
        states.append(state)
        ids.append(int(rng.choice(choices)))
        state = advance(state, ids[-1])
    return ids, states


def random_infill_walk(rng: np.random.Generator, n_events: int = 200) -> tuple[list[int], list[State]]:
    """The same from `START_INFILL`, with more bars, marks of infilling among them, and in every other walk no gap."""
    state, ids, states = START_INFILL, [], []
    unwanted = GAP if rng.random() < 0.5 else -1
    while state.last != "END":
        choices = np.flatnonzero(allowed(state))
        choices = choices[choices != unwanted]
        turns = [event_id for event_id in (BAR, BAR, BAR, GAP, FILL, END_FILL) if event_id in choices]
        if len(ids) > n_events:
            choices = np.array(_way_out(state, choices.tolist()))
        elif turns and rng.random() < 0.3:
            choices = np.array(turns)
        states.append(state)
        ids.append(int(rng.choice(choices)))
        state = advance(state, ids[-1])
    return ids, states


def _way_out(state: State, choices: list[int]) -> list[int]:
    """The choices that lead to the end: from bar to bar in a part's fill with notes, else to a note and then to a mark."""
    for ends in ((EOS, MORE), (END_FILL,), (FILL,)):
        if found := [event_id for event_id in ends if event_id in choices]:
            return found
    part_sounds = state.infill.stage == "PART" and state.notes > state.infill.notes
    if BAR in choices and (part_sounds or not state.bars):
        return [BAR]
    return [event_id for event_id in choices if event_id not in (BAR, GAP)] or [BAR]


@dataclass
class Reading:
    """What a sequence says: notes (onset, duration, pitch, velocity, program), (start, metre, bpm) of each bar, controls."""

    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    bars: list[tuple[int, tuple[int, int], float]] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)


def read(ids: list[int]) -> Reading:
    """Read a whole sequence event by event, by the events' names alone."""
    reading = Reading()
    start, metre, bpm = 0, (0, 1), 0.0
    position = program = pitch = velocity = 0
    for event_id in ids:
        if event_id in (BOS, EOS, MORE, PAD):
            continue
        kind, _, value = name_of(event_id).partition(" ")
        if kind == "BAR":
            start += 48 * metre[0] // metre[1]
            reading.bars.append((start, metre, bpm))
        elif not reading.bars:
            reading.controls.append(f"{kind} {value}")
        elif kind == "TIME_SIGNATURE":
            metre = (int(value.split("/")[0]), int(value.split("/")[1]))
        elif kind == "TEMPO":
            bpm = float(value)
        elif kind == "POSITION":
            position = int(value)
        elif kind == "PROGRAM":
            from amt_ray.midi.instruments import INSTRUMENTS

            program = INSTRUMENTS.index(value)
        elif kind in ("PITCH", "DRUM"):
            pitch = int(value)
        elif kind == "VELOCITY":
            velocity = int(value)
        elif kind == "DURATION":
            reading.rows.append((start + position, int(value), pitch, velocity, program))
        if reading.bars:
            reading.bars[-1] = (start, metre, bpm)
    return reading


def bar_indices(reading: Reading) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bars' starts, metre indices and tempo indices as `Quantised` holds them."""
    starts, metres, bpms = zip(*reading.bars, strict=True)
    metre = np.array([METRES.index(m) for m in metres])
    assert starts == tuple(np.cumsum(BAR_UNITS[metre]) - BAR_UNITS[metre])
    return np.array(starts), metre, np.array([np.flatnonzero(bpm == TEMPO_BPM)[0] for bpm in bpms])
