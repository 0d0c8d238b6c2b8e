"""Bar lines: a file's metre map laid on the grid as a row of bars, each of a metre that the vocabulary lists.

Time is in grid units (12 to a quarter note). Notes never move here; only bar lines do. A metre that is not listed becomes
the listed one of the same length (4/8 becomes 2/4), or a fixed row of shorter ones (7/4 becomes 4/4 + 3/4). A bar that a
metre change cuts short becomes listed bars that fill it; what is left of an eighth note is rounded up, and the change waits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from amt_ray.events.vocabulary import BAR_UNITS, METRES
from amt_ray.midi.piece import IntArray

SHORTEST_BAR_UNITS = int(BAR_UNITS.min())
_SIMPLE = {int(BAR_UNITS[i]): i for i, metre in reversed(list(enumerate(METRES))) if metre[1] in (4, 8)}
"""Bar length in units to the metre that stands for it: the first listed, halves aside."""
_COMPOUND = {36: METRES.index((6, 8)), 54: METRES.index((9, 8)), 72: METRES.index((12, 8))}
_PARTS = (48, 36, 24, 18, 12, 6)


@lru_cache(maxsize=4096)
def listed_metres(numerator: int, denominator: int) -> tuple[int, ...]:
    """Indices into `METRES` that together make one bar of numerator/denominator, to the nearest eighth note."""
    if (numerator, denominator) in METRES:
        return (METRES.index((numerator, denominator)),)
    units = max(SHORTEST_BAR_UNITS, SHORTEST_BAR_UNITS * round(8 * numerator / denominator))
    if denominator >= 8 and numerator % 3 == 0 and units in _COMPOUND:
        return (_COMPOUND[units],)
    return fill(units)


def fill(units: int) -> tuple[int, ...]:
    """Indices into `METRES` whose bars fill `units`, rounded up to an eighth note; few and long ones first."""
    units = -(-units // SHORTEST_BAR_UNITS) * SHORTEST_BAR_UNITS
    metres: list[int] = []
    while units:
        fitting = [part for part in _PARTS if part <= units]
        closing = [part for part in fitting if units - part in _SIMPLE]
        part = units if units in _SIMPLE else (closing or fitting)[0]
        metres.append(_SIMPLE[part])
        units -= part
    return tuple(metres)


def bar_lines(
    change_units: IntArray, numerator: IntArray, denominator: IntArray, end_units: int
) -> tuple[IntArray, IntArray]:
    """Lay the bars that begin from 0 to before `end_units` (> 0), by metre changes at `change_units` (ascending from 0).

    Returns the bars' starts in units and their indices into `METRES`, both int64[bars].
    """
    rows: list[IntArray] = []
    start = 0
    next_change = np.append(change_units[1:], end_units)
    for index, end in enumerate(np.minimum(next_change, end_units).tolist()):
        if end <= start:
            continue
        pattern = np.array(listed_metres(int(numerator[index]), int(denominator[index])), np.int64)
        repeats, rest = divmod(end - start, int(BAR_UNITS[pattern].sum()))
        is_last = end == end_units
        row = np.tile(pattern, repeats + (is_last and rest > 0))
        if rest and not is_last:
            row = np.append(row, fill(rest))
        rows.append(row)
        start += int(BAR_UNITS[row].sum())
    metre = np.concatenate(rows)
    starts = np.cumsum(BAR_UNITS[metre]) - BAR_UNITS[metre]
    n_bars = int(np.searchsorted(starts, end_units))
    return starts[:n_bars], metre[:n_bars]
