"""What the training windows are made of: tallies of some pieces at a time, which add up to those of a library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, get_args

import numpy as np

from amt_ray.events.encode import tokens_per_bar
from amt_ray.events.quantise import Quantised
from amt_ray.events.vocabulary import N_IDS
from amt_ray.midi.piece import IntArray
from amt_ray.training.batches import plan_epoch
from amt_ray.training.windows import Split, Window, overlong_bars

RARE = 100
"""An event that stands fewer times in the windows is rare: little can be learned of it."""


def _no_events() -> IntArray:
    return np.zeros(N_IDS, np.int64)


@dataclass(frozen=True, eq=False)
class Tally:
    """What some pieces gave. Tallies add up, in any order."""

    pieces: int = 0
    pieces_without_windows: int = 0
    notes: int = 0
    """Before they were quantised."""
    context_tokens: int = 0
    overlong_bars: int = 0
    """Left out, since no window has room for them."""
    overlong_notes: int = 0
    folded: Counter[str] = field(default_factory=Counter)
    """See `amt_ray.events.quantise.Quantised`."""
    windows: Counter[tuple[Split, int]] = field(default_factory=Counter)
    """How many there are in each split of each length in events."""
    event_counts: IntArray = field(default_factory=_no_events)
    """How often each event stands in the windows, int64[512], their contexts left out."""

    def __add__(self, other: Tally) -> Tally:
        """Return what both gave."""
        return Tally(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Tally)})


@dataclass(frozen=True)
class WindowStatistics:
    """Numbers of a library's training windows, as JSON can hold them. Tokens are events."""

    pieces: int
    pieces_without_windows: int
    windows: int
    validation_windows: int
    tokens: int
    """In all windows, contexts included."""
    validation_tokens: int
    context_tokens: int
    median_tokens: float
    """Of a window's length."""
    p95_tokens: float
    notes: int
    folded: dict[str, int]
    overlong_bars: int
    overlong_notes: int
    batch_tokens: int
    padding_share: float
    """Of batches of at most `batch_tokens`, as training plans them."""
    event_counts: list[int]
    """Of the events 0..511, contexts left out."""

    @property
    def events_used(self) -> int:
        """How many of the 512 events stand in a window at least once."""
        return sum(count > 0 for count in self.event_counts)

    @property
    def events_rare(self) -> int:
        """How many of those stand there fewer than RARE times."""
        return sum(0 < count < RARE for count in self.event_counts)

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> WindowStatistics:
        """Take them from a mapping that holds more besides. Raises KeyError where one is missing."""
        return cls(**{f.name: facts[f.name] for f in fields(cls)})


def tally_piece(n_notes: int, quantised: Quantised, windows: Sequence[Window], split: Split, window_tokens: int) -> Tally:
    """Count what a piece of `n_notes` notes gave when it was quantised and cut into windows of one split."""
    is_overlong = overlong_bars(tokens_per_bar(quantised), window_tokens)
    bar_of_note = np.searchsorted(quantised.bar_start_units, quantised.piece.notes.onset_ticks, side="right") - 1
    own = [np.delete(w.ids, np.s_[1 + w.n_controls : 1 + w.n_controls + w.n_context]) for w in windows]
    return Tally(
        pieces=1,
        pieces_without_windows=int(not windows),
        notes=n_notes,
        context_tokens=sum(window.n_context for window in windows),
        overlong_bars=int(is_overlong.sum()),
        overlong_notes=int(is_overlong[bar_of_note].sum()),
        folded=Counter(quantised.folded),
        windows=Counter((split, len(window.ids)) for window in windows),
        event_counts=np.bincount(np.concatenate([np.zeros(0, np.uint16), *own]), minlength=N_IDS),
    )


def summarise(tallies: Iterable[Tally], batch_tokens: int) -> WindowStatistics:
    """Add tallies up; the padding is that of one epoch of batches of at most `batch_tokens`."""
    total = sum(tallies, Tally())
    train, validation = (_lengths(total.windows, split) for split in get_args(Split))
    lengths = np.concatenate([train, validation])
    return WindowStatistics(
        pieces=total.pieces,
        pieces_without_windows=total.pieces_without_windows,
        windows=len(lengths),
        validation_windows=len(validation),
        tokens=int(lengths.sum()),
        validation_tokens=int(validation.sum()),
        context_tokens=total.context_tokens,
        median_tokens=float(np.median(lengths)) if len(lengths) else 0.0,
        p95_tokens=float(np.percentile(lengths, 95)) if len(lengths) else 0.0,
        notes=total.notes,
        folded=dict(total.folded),
        overlong_bars=total.overlong_bars,
        overlong_notes=total.overlong_notes,
        batch_tokens=batch_tokens,
        padding_share=padding_share(train, batch_tokens),
        event_counts=total.event_counts.tolist(),
    )


def padding_share(lengths: IntArray, batch_tokens: int) -> float:
    """Return the share of padding, 0..1, in an epoch's batches of windows of these lengths (int64[windows], in events)."""
    if not len(lengths):
        return 0.0
    batches = plan_epoch(lengths, batch_tokens, seed=0, epoch=0)
    return 1 - int(lengths.sum()) / sum(len(rows) * int(lengths[rows].max()) for rows in batches)


def _lengths(windows: Mapping[tuple[Split, int], int], split: Split) -> IntArray:
    """One entry a window of a split, int64[windows], shortest first."""
    n_by_length = sorted((length, n) for (of, length), n in windows.items() if of == split)
    return np.repeat(np.array([length for length, _ in n_by_length], np.int64), [n for _, n in n_by_length])
