"""Pieces cut at bar lines into training windows, each with the controls that are true of that window.

A window that goes on from another begins with that one's last bars, its context, as music that is given is followed by music
that is generated. Near duplicates cannot come into two splits: of those that `amt_ray.midi.duplicates` finds, `pieces` holds
one, for `amt_ray.pipelines.pieces.verdicts` compares each piece with all that are kept, whatever their library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from amt_ray.events.controls import Controls
from amt_ray.events.encode import encode_bars, excerpt, tokens_per_bar
from amt_ray.events.quantise import Quantised
from amt_ray.events.vocabulary import BAR, N_STYLES, TIME_SIGNATURE, Ids
from amt_ray.midi.features import measure
from amt_ray.midi.keys import MIN_KEY_CONFIDENCE
from amt_ray.midi.piece import IntArray
from amt_ray.text.mood import mood_of

MOST_CONTROL_PROGRAMS = 12
"""A window's instrument controls name at most this many programs, the busiest."""
CONTEXT_SHARE = 0.25
"""Bars of the window before are at most this share of a window's events, a metre and a tempo stated again not counted."""
# BOS, the end, nine single controls, the programs, and a metre and a tempo stated again in the first bar.
_OVERHEAD_TOKENS = 2 + 9 + MOST_CONTROL_PROGRAMS + 2

Split = Literal["train", "validation"]


@dataclass(frozen=True, eq=False)
class Window:
    """One training row: `ids[1 : 1 + n_controls]` are its controls, and the next `n_context` ids the bars before its own."""

    number: int
    ids: Ids
    n_controls: int
    n_context: int


@dataclass(frozen=True)
class Labels:
    """What is known of a whole piece beside its notes."""

    style: int | None = None
    genre: str | None = None


def split_of(piece_id: str, validation_share: float) -> Split:
    """Put a piece into a split by the hash of its id: the same on every machine, for ever."""
    place = int(hashlib.sha256(f"split {piece_id}".encode()).hexdigest()[:8], 16) / 2**32
    return "validation" if place < validation_share else "train"


def cut_windows(quantised: Quantised, labels: Labels, window_tokens: int) -> Iterator[Window]:
    """Cut a piece into windows of whole bars of at most `window_tokens` events each, controls and context included.

    The controls, the mood and the length among them, are those of the window's own bars. Windows without notes are left out,
    as are `overlong_bars`.
    """
    tokens = tokens_per_bar(quantised)
    number = 0
    for context, first, last in _bar_ranges(tokens, window_tokens):
        own = excerpt(quantised, first, last)
        if not len(own.piece.notes):
            continue
        bars = excerpt(quantised, context, last) if context < first else own
        ids = encode_bars(bars, _controls(own, labels), goes_on=last < len(tokens))
        bar_at = np.flatnonzero(ids == BAR)
        yield Window(number, ids, int(bar_at[0]) - 1, int(bar_at[first - context] - bar_at[0]))
        number += 1


def overlong_bars(tokens: IntArray, window_tokens: int) -> npt.NDArray[np.bool_]:
    """Say which bars, of so many events each (int64[bars]), no window has room for: bool[bars]."""
    return tokens > window_tokens - _OVERHEAD_TOKENS


def _bar_ranges(tokens: IntArray, window_tokens: int) -> Iterator[tuple[int, int, int]]:
    """Greedy runs of bars: where the context begins, where the window's own bars do, and where they end (exclusive).

    The context is as many bars of the window before as its share has room for, less where the next bar would not fit beside
    it; none after a bar that is left out.
    """
    most = window_tokens - _OVERHEAD_TOKENS
    is_overlong = overlong_bars(tokens, window_tokens)
    sums = np.append(0, np.cumsum(tokens))
    first = 0
    while first < len(tokens):
        if is_overlong[first]:
            first += 1
            continue
        room = min(int(CONTEXT_SHARE * window_tokens), most - tokens[first])
        # That much never reaches back beyond the window before, nor beyond a bar that is left out: both are longer.
        context = int(np.searchsorted(sums, sums[first] - room))
        last = int(np.searchsorted(sums, sums[context] + most, side="right")) - 1
        yield context, first, last
        first = last


def _controls(own: Quantised, labels: Labels) -> Controls:
    features = measure(own.piece)
    return Controls(
        style=labels.style if labels.style is not None and labels.style < N_STYLES else None,
        genre=labels.genre,
        mood=mood_of(features.as_row()),
        tempo_bpm=features.tempo_bpm,
        key=features.key if features.key_confidence >= MIN_KEY_CONFIDENCE else "none",
        time_signature=TIME_SIGNATURE.names[int(np.bincount(own.bar_metre).argmax())],
        programs=tuple(features.programs[:MOST_CONTROL_PROGRAMS]),
        density_notes_per_beat=features.density_notes_per_beat,
        polyphony=features.polyphony,
        bars=len(own.bar_metre),
    )
