"""Augmentation of training windows: the same music in another key, at another tempo, played louder or softer.

Transposing and stretching in time are usual for symbolic music: Oore et al. (2018), "This Time with Feeling", move each
piece by up to 5 or 6 semitones and to slightly other tempi. Here the ids themselves move, within their blocks, and the
KEY and TEMPO controls with them. A text that names a key or a tempo does not, nor does a MOOD that was heard in the tempo.

Legend of shapes: N events of R rows laid one after the other, row r at `ids_N[starts[r] : starts[r + 1]]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from amt_ray.events.vocabulary import KEY, PITCH, TEMPO, VELOCITIES, Block, Ids
from amt_ray.midi.piece import IntArray


@dataclass(frozen=True)
class Augmentation:
    """How far rows may move at random. Raises ValueError for ranges without 0 and for a share outside 0..1."""

    semitones: tuple[int, int] = (-5, 6)
    """Lowest and highest transposition; together the twelve keys."""
    tempo_steps: int = 2
    """Most steps of `TEMPO_BPM` either way, 8.9 % each."""
    velocity_steps: int = 2
    """Most steps of `VELOCITY` either way, 8 of MIDI's 128 each."""
    share: float = 0.5
    """Chance of a row to move at all."""

    def __post_init__(self) -> None:
        """Refuse ranges that leave no way of standing still."""
        lowest, highest = self.semitones
        if not lowest <= 0 <= highest:
            raise ValueError(f"semitones: received {self.semitones}; allowed are a lowest up to 0 and a highest from 0")
        if min(self.tempo_steps, self.velocity_steps) < 0:
            raise ValueError(f"tempo_steps {self.tempo_steps}, velocity_steps {self.velocity_steps}: allowed are 0 or more")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: received {self.share}; allowed are 0 to 1")


class Moves(NamedTuple):
    """How far each row moves, int64[R] each, in semitones and in steps of `TEMPO_BPM` and `VELOCITY`."""

    semitones_R: IntArray
    tempo_steps_R: IntArray
    velocity_steps_R: IntArray


def augmented(ids_N: Ids, starts: IntArray, augmentation: Augmentation, rng: np.random.Generator) -> Ids:
    """Move every row at random: uint16[N], with the same `starts` int64[R + 1]; 8,192 events take about 0.3 ms.

    Raises ValueError unless `starts` ascend from 0 to N by at least one event a row.
    """
    return moved(ids_N, starts, draw_moves(ids_N, starts, augmentation, rng))


def draw_moves(ids_N: Ids, starts: IntArray, augmentation: Augmentation, rng: np.random.Generator) -> Moves:
    """Draw each row's moves, each uniformly among those in range that keep all of the row's events in their blocks.

    A row without pitched notes is not transposed. Raises ValueError as `augmented` does.
    """
    if not (starts[0] == 0 and starts[-1] == len(ids_N) and (np.diff(starts) > 0).all()):
        raise ValueError(f"starts of rows must ascend from 0 to {len(ids_N)}, with at least one event a row")
    ids = ids_N.astype(np.int64)
    is_moved_R = rng.random(len(starts) - 1) < augmentation.share
    tempo, velocity = augmentation.tempo_steps, augmentation.velocity_steps
    ranges = ((PITCH, *augmentation.semitones), (TEMPO, -tempo, tempo), (VELOCITIES, -velocity, velocity))
    return Moves(*(_draw_steps(ids, starts, *within, rng) * is_moved_R for within in ranges))


def moved(ids_N: Ids, starts: IntArray, moves: Moves) -> Ids:
    """Move each row's PITCH and KEY by semitones, TEMPO and VELOCITY by steps: uint16[N]. DRUM stays, as does no key.

    Raises ValueError if an event would leave its block.
    """
    ids = ids_N.astype(np.int64)
    row_N = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    for block, steps_R in zip((PITCH, TEMPO, VELOCITIES), moves, strict=True):
        at = np.flatnonzero(_is_in(block, ids))
        ids[at] += steps_R[row_N[at]]
        if not _is_in(block, ids[at]).all():
            raise ValueError(f"a row's {block.name} events do not fit into their block after the move")
    at = np.flatnonzero(_is_in(KEY, ids) & (ids != KEY.end - 1))
    key = ids[at] - KEY.start
    ids[at] += (key + moves.semitones_R[row_N[at]]) % 12 - key % 12
    return ids.astype(np.uint16)


def _draw_steps(
    ids: IntArray, starts: IntArray, block: Block, lowest: int, highest: int, rng: np.random.Generator
) -> IntArray:
    """Draw int64[R] from lowest..highest, only as far as all of a row's events of the block stay in it; 0 without any."""
    is_in = _is_in(block, ids)
    first_R = np.minimum.reduceat(np.where(is_in, ids, block.end), starts[:-1])
    last_R = np.maximum.reduceat(np.where(is_in, ids, block.start - 1), starts[:-1])
    has_any = first_R <= last_R
    down_R = np.where(has_any, np.maximum(lowest, block.start - first_R), 0)
    up_R = np.where(has_any, np.minimum(highest, block.end - 1 - last_R), 0)
    return rng.integers(down_R, up_R, endpoint=True)


def _is_in(block: Block, ids: IntArray) -> npt.NDArray[np.bool_]:
    return (ids >= block.start) & (ids < block.end)
