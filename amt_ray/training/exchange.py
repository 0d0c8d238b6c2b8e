"""Windows that are told of another's music: its controls or texts in place of their own, or less than there is to tell.

What is to be predicted stays the same. Legend of shapes: R windows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from amt_ray.events.vocabulary import CONTROL_ORDER, Block, Ids
from amt_ray.midi.piece import IntArray
from amt_ray.training.batches import Rows

_SEED = 0


def rows_at(rows: Rows, chosen: IntArray) -> Rows:
    """Copy the windows of these indices, in this order."""
    return Rows(
        ids=np.concatenate([rows.ids[:0], *(rows.ids[rows.starts[row] : rows.starts[row + 1]] for row in chosen)]),
        starts=np.append(0, np.cumsum(rows.lengths[chosen])),
        n_controls=rows.n_controls[chosen],
        n_context=rows.n_context[chosen],
        texts=[rows.texts[row] for row in chosen],
        text_vectors=rows.text_vectors,
    )


def controls_of(rows: Rows) -> list[Ids]:
    """Return each window's controls."""
    firsts = rows.starts[:-1] + 1
    return [rows.ids[first : first + n] for first, n in zip(firsts, rows.n_controls, strict=True)]


def ids_of(block: Block, ids: Ids) -> Ids:
    """Return the ids of a block, in their order."""
    return ids[(ids >= block.start) & (ids < block.end)]


def with_controls(rows: Rows, blocks: Sequence[Block], givers: IntArray) -> Rows:
    """Tell window i what window `givers[i]` (int[R]) is told in controls of these blocks, in place of its own.

    The controls stay in their order. Several of a block, as instruments are, move together, so that windows may grow.
    """
    controls = controls_of(rows)
    told = [
        [ids_of(block, controls[giver] if block in blocks else own) for block in CONTROL_ORDER]
        for own, giver in zip(controls, givers, strict=True)
    ]
    return _retold(rows, told)


def without_controls(rows: Rows, blocks: Sequence[Block]) -> Rows:
    """Leave out the controls of these blocks."""
    kept = [block for block in CONTROL_ORDER if block not in blocks]
    return _retold(rows, [[ids_of(block, own) for block in kept] for own in controls_of(rows)])


def with_texts(rows: Rows, givers: IntArray) -> Rows:
    """Give window i the texts of window `givers[i]` (int[R])."""
    return replace(rows, texts=[rows.texts[giver] for giver in givers])


def givers_of(values: Sequence[Hashable]) -> npt.NDArray[np.intp]:
    """Say of each window which one's value it takes: always the same permutation, int[R].

    As few windows as possible take a value that is their own: none, unless more than half have the same. Windows of one
    value stand together, the values in random order, and each takes from the window that stands as many further as have the
    commonest value. Where all have the same value, each takes its own.
    """
    numbers: dict[Hashable, int] = {}
    value_R = np.array([numbers.setdefault(value, len(numbers)) for value in values], int)
    n_windows_of = np.bincount(value_R)
    rng = np.random.default_rng(_SEED)
    order = np.lexsort([rng.random(len(value_R)), rng.permutation(len(n_windows_of))[value_R]])
    givers = np.empty_like(order)
    givers[order] = np.roll(order, -n_windows_of.max(initial=0))
    return givers


def _retold(rows: Rows, told: Sequence[Sequence[Ids]]) -> Rows:
    """Put other controls, those of each block on their own, in place of each window's."""
    ends, n_controls = rows.starts[:-1] + 1 + rows.n_controls, np.array([sum(map(len, runs)) for runs in told], np.int64)
    sequences = [
        part
        for first, end, last, runs in zip(rows.starts[:-1], ends, rows.starts[1:], told, strict=True)
        for part in (rows.ids[first : first + 1], *runs, rows.ids[end:last])
    ]
    starts = np.append(0, np.cumsum(rows.lengths - rows.n_controls + n_controls))
    return replace(rows, ids=np.concatenate([rows.ids[:0], *sequences]), starts=starts, n_controls=n_controls)
