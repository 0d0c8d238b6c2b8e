"""Pieces cut at bar lines into training windows, each with the controls that are true of that window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from amt_ray.events.controls import Controls
from amt_ray.events.encode import Ids, encode_bars, excerpt, tokens_per_bar
from amt_ray.events.quantise import Quantised
from amt_ray.events.vocabulary import BAR, N_STYLES, TIME_SIGNATURE
from amt_ray.midi.features import measure
from amt_ray.midi.instruments import N_PROGRAMS
from amt_ray.midi.keys import MIN_KEY_CONFIDENCE
from amt_ray.midi.piece import IntArray

MOST_CONTROL_PROGRAMS = 12
"""A window's instrument controls name at most this many programs, the busiest."""
# BOS, the end, nine single controls, the programs, and a metre and a tempo stated again in the first bar.
_OVERHEAD_TOKENS = 2 + 9 + MOST_CONTROL_PROGRAMS + 2

Split = Literal["train", "validation"]


@dataclass(frozen=True, eq=False)
class Window:
    """One training row: `ids[1 : 1 + n_controls]` are its controls."""

    number: int
    ids: Ids
    n_controls: int


@dataclass(frozen=True)
class Labels:
    """What is known of a whole piece beside its notes."""

    style: int | None = None
    genre: str | None = None
    mood: str | None = None


def split_of(piece_id: str, validation_share: float) -> Split:
    """Put a piece into a split by the hash of its id: the same on every machine, for ever."""
    place = int(hashlib.sha256(f"split {piece_id}".encode()).hexdigest()[:8], 16) / 2**32
    return "validation" if place < validation_share else "train"


def cut_windows(quantised: Quantised, labels: Labels, window_tokens: int) -> Iterator[Window]:
    """Cut a piece into windows of whole bars of at most `window_tokens` events each.

    A bar that alone is longer than a window is left out, as are windows without notes.
    """
    tokens = tokens_per_bar(quantised)
    n_bars = len(tokens)
    number = 0
    for first, last in _bar_ranges(tokens, window_tokens - _OVERHEAD_TOKENS):
        part = excerpt(quantised, first, last)
        if not len(part.piece.notes):
            continue
        ids = encode_bars(part, _controls(part, labels), goes_on=last < n_bars)
        yield Window(number, ids, int((ids == BAR).argmax()) - 1)
        number += 1


def _bar_ranges(tokens: IntArray, most: int) -> Iterator[tuple[int, int]]:
    """Greedy runs of bars (from, to) whose tokens fit into `most`; a bar that does not fit alone is skipped."""
    sums = np.append(0, np.cumsum(tokens))
    first = 0
    while first < len(tokens):
        last = int(np.searchsorted(sums, sums[first] + most, side="right")) - 1
        if last > first:
            yield first, last
        first = max(last, first + 1)


def _controls(part: Quantised, labels: Labels) -> Controls:
    features = measure(part.piece)
    return Controls(
        style=labels.style if labels.style is not None and labels.style < N_STYLES else None,
        genre=labels.genre,
        mood=labels.mood,
        tempo_bpm=features.tempo_bpm,
        key=features.key if features.key_confidence >= MIN_KEY_CONFIDENCE else "none",
        time_signature=TIME_SIGNATURE.names[int(np.bincount(part.bar_metre).argmax())],
        programs=tuple(p for p in features.programs if p < N_PROGRAMS)[:MOST_CONTROL_PROGRAMS],
        density_notes_per_beat=features.density_notes_per_beat,
        polyphony=features.polyphony,
        bars=len(part.bar_metre),
    )
