"""Controls: what a piece is asked to be, as events between BOS and the first bar, each of them optional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from amt_ray.events.quantise import nearest_tempo
from amt_ray.events.vocabulary import (
    BLOCK_OF,
    BLOCKS,
    CONTROL_ORDER,
    DENSITY,
    DENSITY_EDGES,
    GENRE,
    KEY,
    LENGTH,
    LENGTH_EDGES,
    MOOD,
    POLYPHONY,
    PROGRAM,
    STYLE,
    TEMPO,
    TEMPO_BPM,
    TIME_SIGNATURE,
    Block,
)
from amt_ray.midi.piece import IntArray


@dataclass(frozen=True)
class Controls:
    """Values as a person would say them; None (or no programs) leaves the model free."""

    style: int | None = None
    genre: str | None = None
    mood: str | None = None
    tempo_bpm: float | None = None
    key: str | None = None
    time_signature: str | None = None
    programs: tuple[int, ...] = ()
    density_notes_per_beat: float | None = None
    polyphony: str | None = None
    bars: int | None = None

    def stated(self) -> list[str]:
        """Names of the controls that are set."""
        return [f.name for f in fields(self) if getattr(self, f.name) not in (None, ())]


def control_ids(controls: Controls) -> list[int]:
    """Events for the controls that are set, in their fixed order. Raises ValueError for a value with no event."""
    ids: list[int | None] = [
        None if controls.style is None else STYLE.start + _index("style", str(controls.style), STYLE.names),
        _named(GENRE, "genre", controls.genre),
        _named(MOOD, "mood", controls.mood),
        None if controls.tempo_bpm is None else TEMPO.start + _tempo(controls.tempo_bpm),
        _named(KEY, "key", controls.key),
        _named(TIME_SIGNATURE, "time_signature", controls.time_signature),
        *(PROGRAM.start + _program(program) for program in sorted(set(controls.programs))),
        _binned(DENSITY, controls.density_notes_per_beat, DENSITY_EDGES, "right"),
        _named(POLYPHONY, "polyphony", controls.polyphony),
        _binned(LENGTH, controls.bars, LENGTH_EDGES, "left"),
    ]
    return [event_id for event_id in ids if event_id is not None]


def controls_of(ids: IntArray) -> Controls:
    """Read control events back; binned values come back as the bin's tempo, lower density edge and most bars."""
    by_block: dict[str, list[int]] = {block.name: [] for block in CONTROL_ORDER}
    names = list(BLOCKS)
    for event_id in ids.tolist():
        name = names[BLOCK_OF[event_id]]
        by_block[name].append(event_id - BLOCKS[name].start)

    def one(name: str) -> int | None:
        return by_block[name][0] if by_block[name] else None

    style, tempo, density, length = one("STYLE"), one("TEMPO"), one("DENSITY"), one("LENGTH")
    labels = {name: None if (index := one(block.name)) is None else block.names[index] for name, block in _LABELS.items()}
    return Controls(
        style=style,
        tempo_bpm=None if tempo is None else float(TEMPO_BPM[tempo]),
        programs=tuple(by_block["PROGRAM"]),
        density_notes_per_beat=None if density is None else (0.0, *DENSITY_EDGES)[density],
        bars=None if length is None else (*LENGTH_EDGES, 2 * LENGTH_EDGES[-1])[length],
        **labels,
    )


def _index(field: str, received: str, allowed: tuple[str, ...]) -> int:
    if received not in allowed:
        raise ValueError(f"control {field}: received {received!r}; allowed are {', '.join(allowed)}")
    return allowed.index(received)


def _named(block: Block, field: str, received: str | None) -> int | None:
    return None if received is None else block.start + _index(field, received, block.names)


def _program(program: int) -> int:
    if not 0 <= program < PROGRAM.size:
        raise ValueError(f"control programs: received {program}; allowed are 0 to {PROGRAM.size - 1}")
    return program


def _tempo(tempo_bpm: float) -> int:
    if not 0 < tempo_bpm < np.inf:
        raise ValueError(f"control tempo_bpm: received {tempo_bpm}; allowed is a number above 0")
    return int(nearest_tempo(np.array(tempo_bpm)))


def _binned(block: Block, value: float | None, edges: Sequence[float], side: Literal["left", "right"]) -> int | None:
    return None if value is None else block.start + int(np.searchsorted(edges, value, side=side))


_LABELS = {"genre": GENRE, "mood": MOOD, "key": KEY, "time_signature": TIME_SIGNATURE, "polyphony": POLYPHONY}
