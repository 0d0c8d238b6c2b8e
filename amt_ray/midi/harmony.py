"""Chords beat by beat, how long each sounds, and the progression that returns most often.

Every beat has a profile: for how long each of the 12 pitch classes sounds in it, drums left out. The chord is the template
of the highest cosine (Fujishima, 1999, "Realtime chord recognition of musical sound"). A chord's label is an int, 12 times
its type plus the pitch class of its root; -1 stands for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from amt_ray.midi.batch import Batch
from amt_ray.midi.keys import KEYS
from amt_ray.midi.piece import FloatArray, IntArray
from amt_ray.midi.rhythm import Beats

MAX_CHORDS = 24
MIN_COSINE = 0.7
"""A beat that matches less has no chord. One pitch class alone reaches 0.58, a third or a fifth 0.82, a second 0.67."""
PROGRESSION_CHORDS = 4
MIN_OCCURRENCES = 2
MAX_GAP_BEATS = 2
"""Chords with more beats than this between them that have none do not follow each other."""

# Suffix of the name, semitones above the root, and a weight: a triad is preferred to a seventh that matches hardly better,
# as human analysts of chorales do. What matches equally, such as a bare fifth, is a chord of the key's scale; then of the
# earlier type; then of the root that is fewest fifths from the tonic, or for a leading chord from the leading tone of the
# dominant. No tie is left to rounding.
_TYPES: tuple[tuple[str, tuple[int, ...], float], ...] = (
    ("", (0, 4, 7), 1.0),
    ("m", (0, 3, 7), 0.999),
    ("dim", (0, 3, 6), 0.998),
    ("aug", (0, 4, 8), 0.997),
    ("7", (0, 4, 7, 10), 0.95),
    ("maj7", (0, 4, 7, 11), 0.949),
    ("m7", (0, 3, 7, 10), 0.948),
    ("m7b5", (0, 3, 6, 10), 0.947),
    ("dim7", (0, 3, 6, 9), 0.946),
)
_TRIADS = np.array([12 * triad + root for triad in (0, 1, 2, 3, 0, 0, 1, 2, 2) for root in range(12)])
"""Label to the label of its triad."""
_ROUNDING_BEATS = 1e-6
"""No tick is as short: a beat in which so little sounds is silent."""
_N_LABELS, _N_TRIADS = 12 * len(_TYPES), 48
_N_RUNS = _N_TRIADS**PROGRESSION_CHORDS
_PITCH_CLASSES = np.arange(128 + 12) % 12
_AUGMENTED, _DIMINISHED_SEVENTH = 3, 8
_LEADING = (2, 7, 8)
_CENTRE_OF_LEADING = 6
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
_OUT_OF_SCALE = 0.998
_FURTHER_BY_FIFTHS = 1e-5
# Chords that repeat within the octave have several roots. What leads to the tonic, the dominant or the second degree, from
# below, is the root of a diminished seventh; of an augmented triad the dominant, tonic, subdominant or second degree is.
_ROOTS_OF_DIMINISHED, _ROOTS_OF_AUGMENTED = (11, 6, 1), (7, 0, 5, 2)

_FIFTHS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#")
_PLACE_OF_C = 7
_MAJOR_DEGREES = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
_MINOR_DEGREES = ("I", "bII", "II", "III", "#III", "IV", "#IV", "V", "VI", "#VI", "VII", "#VII")


def chords_by_beat(pitched: Batch, beats: Beats, keys: Sequence[str | None]) -> IntArray:
    """Return the label of the chord in each row of `beats`; -1 in the rows that come after a piece's beats.

    A piece's key (of `KEYS`) decides between chords that match equally, and which root those have that repeat within the
    octave; None decides as C major.
    """
    tonic = np.array([_tonic(key) for key in keys], np.int64)
    is_minor = np.array([key is not None and key.endswith("minor") for key in keys])[beats.piece]
    profiles = _profiles(pitched, beats, tonic).astype(np.float32)
    norms = np.sqrt(np.einsum("rp,rp->r", profiles, profiles))
    labels, best = np.zeros(len(norms), np.int64), np.zeros(len(norms), np.float32)
    for mode, rows in (("major", np.flatnonzero(~is_minor)), ("minor", np.flatnonzero(is_minor))):
        scores = profiles[rows] @ _templates(mode)
        labels[rows] = scores.argmax(axis=1)
        best[rows] = scores[np.arange(len(rows)), labels[rows]]
    is_chord = (best >= MIN_COSINE * norms) & (norms > _ROUNDING_BEATS)
    return np.where(is_chord, _labels_by_tonic()[tonic[beats.piece], labels], -1)


def chord_names(labels: IntArray, beats: Beats, keys: Sequence[str | None]) -> list[list[str]]:
    """Return the names of each piece's chords (`"C"`, `"Am"`, `"G7"`) by how long they sound; at most `MAX_CHORDS`.

    Roots are spelled in the key's neighbourhood on the line of fifths; without a key as in C major.
    """
    rows = np.flatnonzero(labels >= 0)
    cells = beats.piece[rows] * _N_LABELS + labels[rows]
    sounding = np.bincount(cells, beats.row_length[rows], len(keys) * _N_LABELS).reshape(-1, _N_LABELS)
    longest_first = zip(map(_names, keys), ranked(sounding), strict=True)
    return [[names[label] for label in longest[:MAX_CHORDS]] for names, longest in longest_first]


def most_frequent_progressions(labels: IntArray, beats: Beats, keys: Sequence[str | None]) -> list[str | None]:
    """Return each piece's run of four chords that occurs most often, in Roman numerals of the key: `"I V vi IV"`.

    Sevenths count as their triads, up to `MAX_GAP_BEATS` without a chord are passed over, and neighbours differ. Of equally
    frequent runs the first is taken; None where no run occurs twice, or without a key. Degrees of a minor key are those of
    the natural scale, so that the leading tone bears `#vii°`.
    """
    at = np.flatnonzero(labels >= 0)
    triads, piece = _TRIADS[labels[at]], beats.piece[at]
    is_apart = (np.diff(at) > 1 + MAX_GAP_BEATS) | (np.diff(piece) > 0)
    begins = np.ones(len(at), np.bool_)
    begins[1:] = (np.diff(triads) != 0) | is_apart
    stretch = np.zeros(len(at), np.int64)
    is_apart.cumsum(out=stretch[1:])
    triads, stretch, piece = triads[begins], stretch[begins], piece[begins]
    starts = np.arange(max(len(triads) - PROGRESSION_CHORDS + 1, 0))
    starts = starts[stretch[starts] == stretch[starts + PROGRESSION_CHORDS - 1]]
    runs = sum((triads[starts + i] * _N_TRIADS**i for i in range(PROGRESSION_CHORDS)), start=piece[starts] * _N_RUNS)
    runs, first, n_times = np.unique(runs, return_index=True, return_counts=True)
    recurs = n_times >= MIN_OCCURRENCES
    # The last of a piece in this order stays: of its most frequent runs the first.
    order = np.lexsort((-first[recurs], n_times[recurs]))
    recurring = runs[recurs][order]
    best = dict(zip((recurring // _N_RUNS).tolist(), recurring.tolist(), strict=True))
    return [_progression(best[i], key) if key is not None and i in best else None for i, key in enumerate(keys)]


def ranked(amounts: npt.NDArray[Any]) -> list[list[int]]:
    """Return, for each row of [rows, K], the indices of what is more than nothing: most first, equals by index."""
    order = np.argsort(-amounts, axis=1, kind="stable").tolist()
    n_found = np.count_nonzero(amounts, axis=1).tolist()
    return [indices[:n] for indices, n in zip(order, n_found, strict=True)]


def _profiles(pitched: Batch, beats: Beats, tonic: IntArray) -> FloatArray:
    """How long each pitch class, counted from the tonic, sounds in each row, [rows, 12], in beats.

    Notes that have begun and not ended count for the whole beat, less what they missed by beginning late, plus what those
    sounded that have just ended. So a note through a thousand beats costs no more than any other.
    """
    onset_ticks, size = pitched.notes.onset_ticks, 12 * len(beats.piece)
    end_ticks = onset_ticks + pitched.notes.duration_ticks
    pitch_class = _PITCH_CLASSES[pitched.notes.pitch + (12 - tonic)[pitched.piece]]
    segment = beats.segments(onset_ticks)
    onset_row, missed = beats.locate(onset_ticks, segment)
    end_row, sounded = beats.locate(end_ticks, beats.segments_from(segment, end_ticks))
    onset_cell, end_cell = onset_row * 12 + pitch_class, end_row * 12 + pitch_class
    # Every note ends in a row of its piece: none counts as begun in the next one's.
    begun = (np.bincount(onset_cell, minlength=size) - np.bincount(end_cell, minlength=size)).reshape(-1, 12).cumsum(axis=0)
    heard = np.bincount(end_cell, sounded, size) - np.bincount(onset_cell, missed, size)
    profiles: FloatArray = begun * beats.row_beats[:, None] + heard.reshape(-1, 12)
    return profiles


@cache
def _templates(mode: str) -> npt.NDArray[np.float32]:
    """Unit vectors of all chords in C major or minor, times their weights, [12, labels]."""
    scale = set(_SCALES[mode])
    by_fifths = [7 * fifths for fifths in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6)]
    templates = np.zeros((12, _N_LABELS), np.float32)
    for i, (_, semitones, weight) in enumerate(_TYPES):
        centre = _CENTRE_OF_LEADING if i in _LEADING else 0
        for rank, root in enumerate(centre + interval for interval in by_fifths):
            tones = [(root + s) % 12 for s in semitones]
            fit = (1.0 if scale.issuperset(tones) else _OUT_OF_SCALE) - rank * _FURTHER_BY_FIFTHS
            templates[tones, 12 * i + root % 12] = fit * weight / len(tones) ** 0.5
    return templates


@cache
def _labels_by_tonic() -> IntArray:
    """Label in C to label by tonic, [12, labels]: chords that repeat within the octave get the root that fits the key."""
    chord_type, root = np.divmod(np.arange(_N_LABELS), 12)
    for repeating, period, roots in (
        (_AUGMENTED, 4, _ROOTS_OF_AUGMENTED),
        (_DIMINISHED_SEVENTH, 3, _ROOTS_OF_DIMINISHED),
    ):
        fitting = [next(r for r in roots if (r - other) % period == 0) for other in range(12)]
        root[chord_type == repeating] = fitting
    return chord_type * 12 + (root + np.arange(12)[:, None]) % 12


def _tonic(key: str | None) -> int:
    return KEYS.index(key) % 12 if key else 0


@cache
def _names(key: str | None) -> list[str]:
    """Name of each label. Roots lie five fifths below the tonic to six above it, those of leading chords two to nine."""
    tonic = _FIFTHS.index(key.split()[0] if key else "C")
    roots, leading_roots = (_spelled(tonic - fifths_below) for fifths_below in (5, 2))
    return [
        (leading_roots if i in _LEADING else roots)[root] + suffix
        for i, (suffix, _, _) in enumerate(_TYPES)
        for root in range(12)
    ]


def _spelled(first: int) -> list[str]:
    """Name of each pitch class: twelve neighbours of `_FIFTHS` from `first` on, or the nearest twelve that there are."""
    first = min(max(first, 0), len(_FIFTHS) - 12)
    by_pitch_class = {(place - _PLACE_OF_C) * 7 % 12: _FIFTHS[place] for place in range(first, first + 12)}
    return [by_pitch_class[pitch_class] for pitch_class in range(12)]


def _progression(run: int, key: str) -> str:
    numerals = _numerals(key)
    return " ".join(numerals[run // _N_TRIADS**i % _N_TRIADS] for i in range(PROGRESSION_CHORDS))


@cache
def _numerals(key: str) -> list[str]:
    """Numeral of each triad."""
    degrees = _MINOR_DEGREES if key.endswith("minor") else _MAJOR_DEGREES
    by_root = [degrees[(root - _tonic(key)) % 12] for root in range(12)]
    return [shape(degree) for shape in (str, str.lower, lambda d: d.lower() + "°", lambda d: d + "+") for degree in by_root]
