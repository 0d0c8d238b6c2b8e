"""Pieces one after the other on one axis of time, so that one numpy call measures all of them.

Most pieces of a library are so short that calling numpy takes longer than what it computes. Arrays of a batch of P pieces
are named by what an entry stands for, and a parallel `piece` says whose it is: results by piece are sums over that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import IntArray, Notes, Piece

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Changes:
    """The tempo maps or the metre maps of a batch: parallel arrays of one entry a change."""

    piece: IntArray
    ticks: IntArray
    """On the batch's axis."""
    span_ticks: IntArray
    """How long it holds before the piece's last note ends; 0 for one that comes later."""
    is_first: npt.NDArray[np.bool_]
    """Whether it is its piece's first."""
    is_last: npt.NDArray[np.bool_]

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Add up one number for each change, by piece [P]."""
        return np.add.reduceat(values, self.is_first.nonzero()[0])


@dataclass(frozen=True, eq=False)
class Batch:
    """P pieces of at least one note, and N of their notes; int64 arrays of ticks on the common axis."""

    pieces: Sequence[Piece]
    start_ticks: IntArray
    """Of each piece [P]: where its tick 0 is."""
    onset_ticks: IntArray
    """Of each piece [P]: where its first note begins."""
    end_ticks: IntArray
    """Of each piece [P]: where its last note ends."""
    ticks_per_quarter: IntArray
    """[P]"""
    notes: Notes
    piece: IntArray
    """Index of each note's piece [N], ascending."""

    def __len__(self) -> int:
        """Return P."""
        return len(self.pieces)

    def take(self, is_taken: npt.NDArray[np.bool_]) -> Batch:
        """Return the same pieces with only some of their notes; a piece may be left with none."""
        if is_taken.all():
            return self
        at = is_taken.nonzero()[0]
        return replace(self, notes=self.notes.take(at), piece=self.piece[at])

    @cached_property
    def pitched(self) -> Batch:
        """The same pieces without their drums."""
        return self.take(self.notes.program != DRUMS)

    @cached_property
    def n_notes(self) -> IntArray:
        """How many notes each piece has, [P]."""
        return sizes_by_piece(self.piece, len(self))

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Add up values of the notes [N], or count where a mask holds, by piece [P]."""
        return sums(values, self.n_notes)

    def histogram(self, values: IntArray, size: int, weights: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Count (or add the weights of) the notes of each value 0..size-1, [P, size]."""
        return np.bincount(self.piece * size + values, weights, len(self) * size).reshape(-1, size)

    def changes(self, ticks: Sequence[IntArray]) -> Changes:
        """Put the maps of the pieces, one array of ascending ticks from 0 on for each, on the axis."""
        piece = np.repeat(np.arange(len(self)), [len(array) for array in ticks])
        on_axis = np.concatenate(ticks) + self.start_ticks[piece]
        is_first = np.diff(piece, prepend=-1) > 0
        is_last = np.append(is_first[1:], True)
        # The next piece's first change comes after this one's end.
        until = np.minimum(self.end_ticks[piece], np.append(on_axis[1:], self.end_ticks[-1]))
        return Changes(piece, on_axis, np.maximum(until - on_axis, 0), is_first, is_last)


def sizes_by_piece(piece: IntArray, n_pieces: int) -> IntArray:
    """Count how often each of P indices occurs in an ascending array, [P]."""
    return np.diff(np.searchsorted(piece, np.arange(n_pieces + 1)))


def sums(values: npt.NDArray[Any], sizes: IntArray) -> npt.NDArray[Any]:
    """Add up values that lie in groups, one after the other; `sizes` says how many each group has. A mask is counted."""
    dtype = np.int64 if values.dtype == np.bool_ else values.dtype
    totals = np.zeros(len(sizes), dtype)
    starts, is_there = sizes.cumsum() - sizes, sizes > 0
    if len(values):
        totals[is_there] = np.add.reduceat(values, starts[is_there], dtype=dtype)
    return totals


def grouped(items: Sequence[Item], sizes: Iterable[int], most: int) -> Iterator[Sequence[Item]]:
    """Cut a sequence into groups whose sizes add up to `most`; an item that is larger by itself is a group."""
    start = total = 0
    for i, size in enumerate(sizes):
        if i > start and total + size > most:
            yield items[start:i]
            start, total = i, 0
        total += size
    if items[start:]:
        yield items[start:]


def lay_out(pieces: Sequence[Piece]) -> Batch:
    """Make a batch of one piece or more. Raises ValueError where one has no notes."""
    if not all(len(piece.notes) for piece in pieces):
        raise ValueError("a piece without notes cannot be measured")
    notes = Notes(*(np.concatenate([getattr(piece.notes, field.name) for piece in pieces]) for field in fields(Notes)))
    n_notes = np.array([len(piece.notes) for piece in pieces])
    first = n_notes.cumsum() - n_notes
    length_ticks = np.maximum.reduceat(notes.onset_ticks + notes.duration_ticks, first)
    last_change_ticks = [max(int(piece.tempo_ticks[-1]), int(piece.metre_ticks[-1])) for piece in pieces]
    # One tick more: a note that ends with its piece does not end where the next one begins.
    room_ticks = np.maximum(length_ticks, last_change_ticks) + 1
    start_ticks = room_ticks.cumsum() - room_ticks
    piece = np.repeat(np.arange(len(pieces)), n_notes)
    return Batch(
        pieces=pieces,
        start_ticks=start_ticks,
        onset_ticks=notes.onset_ticks[first] + start_ticks,
        end_ticks=length_ticks + start_ticks,
        ticks_per_quarter=np.array([piece.ticks_per_quarter for piece in pieces], np.int64),
        notes=replace(notes, onset_ticks=notes.onset_ticks + start_ticks[piece]),
        piece=piece,
    )
