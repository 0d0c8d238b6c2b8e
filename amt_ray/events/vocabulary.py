"""The 512 event ids, laid out in blocks: each block starts where the last one ends.

A piece reads

    BOS  controls…  BAR TIME_SIGNATURE TEMPO  POSITION PROGRAM PITCH VELOCITY DURATION  PITCH VELOCITY DURATION …
    BAR [TIME_SIGNATURE] [TEMPO] …  EOS (or MORE, when the window ends and the piece goes on)

Units: the grid has `UNITS_PER_QUARTER` = 12 units to a quarter note, which holds triplets and sixteenths exactly. The ids
are part of every saved model: blocks may never be reordered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS, INSTRUMENTS, N_PROGRAMS
from amt_ray.midi.keys import KEYS
from amt_ray.text.labels import GENRES, MOODS

Ids = npt.NDArray[np.uint16]
"""A sequence of event ids."""

UNITS_PER_QUARTER = 12
LONGEST_BAR_UNITS = 72
N_IDS = 512

METRES: tuple[tuple[int, int], ...] = (
    (1, 8), (1, 4), (2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (2, 2), (3, 2), (3, 8), (6, 8), (7, 8), (9, 8), (12, 8),
)  # fmt: skip
"""Numerator and denominator; 1/8 and 1/4 are there for pickups, for bars cut short, and as parts of additive metres."""
BAR_UNITS = np.array([n * 4 * UNITS_PER_QUARTER // d for n, d in METRES], np.int64)
"""Length of a bar of each of `METRES`, in grid units."""

DURATION_UNITS = np.array(
    [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 30, 36, 42, 48, 60, 72, 96, 144, 192], np.int64
)
TEMPO_BPM = np.round(np.geomspace(28.0, 280.0, 28), 1)
VELOCITY = np.arange(16) * 8 + 4
"""Centre of each of 16 equal steps of MIDI velocity."""
LOWEST_PITCH, HIGHEST_PITCH = 21, 108
LOWEST_DRUM, HIGHEST_DRUM = 35, 81

DENSITY_EDGES = (1.0, 2.0, 3.0, 5.0, 8.0)
"""Notes a beat at which the next of the six density classes begins."""
LENGTH_EDGES = (4, 8, 16, 32, 64)
"""Most bars of each of the six length classes; the last is open."""
POLYPHONIES = ("mono", "homo", "poly")
N_STYLES = 16

SPECIALS = ("PAD", "BOS", "EOS", "BAR", "MORE", "GAP", "FILL", "END_FILL")


@dataclass(frozen=True)
class Block:
    """A run of ids with one kind of meaning: ids `start` to `start + size - 1`, named one by one."""

    name: str
    start: int
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many ids the block has."""
        return len(self.names)

    @property
    def end(self) -> int:
        """One past the last id."""
        return self.start + self.size

    @property
    def ids(self) -> slice:
        """The block as a slice of an array with one entry an id."""
        return slice(self.start, self.end)

    def __contains__(self, event_id: int) -> bool:
        """Whether `event_id` is in the block."""
        return self.start <= event_id < self.end


def _blocks() -> dict[str, Block]:
    sizes = {
        "SPECIAL": SPECIALS,
        "POSITION": tuple(str(unit) for unit in range(LONGEST_BAR_UNITS)),
        "PITCH": tuple(str(pitch) for pitch in range(LOWEST_PITCH, HIGHEST_PITCH + 1)),
        "DRUM": tuple(str(pitch) for pitch in range(LOWEST_DRUM, HIGHEST_DRUM + 1)),
        "PROGRAM": INSTRUMENTS,
        "VELOCITY": tuple(str(v) for v in VELOCITY),
        "DURATION": tuple(str(units) for units in DURATION_UNITS),
        "TEMPO": tuple(f"{bpm:g}" for bpm in TEMPO_BPM),
        "TIME_SIGNATURE": tuple(f"{n}/{d}" for n, d in METRES),
        "KEY": (*KEYS, "none"),
        "STYLE": tuple(str(style) for style in range(N_STYLES)),
        "GENRE": GENRES,
        "MOOD": MOODS,
        "DENSITY": ("<1", "1-2", "2-3", "3-5", "5-8", ">8"),
        "POLYPHONY": POLYPHONIES,
        "LENGTH": ("1-4", "5-8", "9-16", "17-32", "33-64", ">64"),
    }
    blocks, start = {}, 0
    for name, names in sizes.items():
        blocks[name] = Block(name, start, names)
        start += len(names)
    assert start == N_IDS, f"the blocks hold {start} ids, not {N_IDS}"
    return blocks


BLOCKS = _blocks()
PAD, BOS, EOS, BAR, MORE, GAP, FILL, END_FILL = range(len(SPECIALS))
POSITION, PITCH, DRUM, PROGRAM = (BLOCKS[name] for name in ("POSITION", "PITCH", "DRUM", "PROGRAM"))
VELOCITIES, DURATION, TEMPO = (BLOCKS[name] for name in ("VELOCITY", "DURATION", "TEMPO"))
TIME_SIGNATURE, KEY, STYLE = (BLOCKS[name] for name in ("TIME_SIGNATURE", "KEY", "STYLE"))
GENRE, MOOD, DENSITY = (BLOCKS[name] for name in ("GENRE", "MOOD", "DENSITY"))
POLYPHONY, LENGTH = (BLOCKS[name] for name in ("POLYPHONY", "LENGTH"))
DRUM_PROGRAM_ID = PROGRAM.start + DRUMS

CONTROL_ORDER: tuple[Block, ...] = (
    STYLE, GENRE, MOOD, TEMPO, KEY, TIME_SIGNATURE, PROGRAM, DENSITY, POLYPHONY, LENGTH,
)  # fmt: skip
"""Blocks of the controls in the order in which they stand between BOS and the first BAR; PROGRAM may stand repeatedly."""

assert PROGRAM.size == N_PROGRAMS
assert BAR_UNITS.max() == LONGEST_BAR_UNITS


def name_of(event_id: int) -> str:
    """Return an id's readable name, such as `"PITCH 60"`; raises ValueError outside 0..511."""
    for block in BLOCKS.values():
        if event_id in block:
            name = block.names[event_id - block.start]
            return name if block.name == "SPECIAL" else f"{block.name} {name}"
    raise ValueError(f"event id {event_id}: allowed are 0 to {N_IDS - 1}")


BLOCK_OF = np.repeat(np.arange(len(BLOCKS)), [block.size for block in BLOCKS.values()])
"""Index of each id's block in `BLOCKS`, int64[512]."""
