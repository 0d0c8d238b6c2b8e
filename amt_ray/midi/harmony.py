"""Chords beat by beat, how long each sounds, and the progression that returns most often.

Every beat has a profile: for how long each of the 12 pitch classes sounds in it, drums left out. The chord is the template
of the highest cosine (Fujishima, 1999, "Realtime chord recognition of musical sound"). A chord's label is an int, 12 times
its type plus the pitch class of its root; -1 stands for none.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from amt_ray.midi.keys import KEYS
from amt_ray.midi.piece import FloatArray, IntArray, Notes
from amt_ray.midi.rhythm import Beats

MAX_BEATS = 2**15
"""Later beats are not listened to: hours of music."""
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
_N_TRIADS = 48
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


def chords_by_beat(notes: Notes, beats: Beats, key: str | None) -> IntArray:
    """Return the label of each beat's chord, int64[beats]; at most `MAX_BEATS`.

    `notes` are pitched ones. `key` (of `KEYS`) decides between chords that match equally, and which root those have that
    repeat within the octave; None decides as C major.
    """
    profiles = _profiles(notes, beats).astype(np.float32)
    norms = np.sqrt(np.einsum("bp,bp->b", profiles, profiles))
    scores = profiles @ _templates(key)
    labels = scores.argmax(axis=1)
    best = scores[np.arange(len(labels)), labels]
    is_chord = (best >= MIN_COSINE * norms) & (norms > 0)
    return np.where(is_chord, _roots_in_key()[_tonic(key)][labels], -1)


def chord_names(labels: IntArray, beats: Beats, key: str | None) -> list[str]:
    """Return the names of the chords (`"C"`, `"Am"`, `"G7"`) by how long they sound, longest first; at most `MAX_CHORDS`.

    Roots are spelled in the key's neighbourhood on the line of fifths; without a key as in C major.
    """
    is_chord = labels >= 0
    sounding = np.bincount(labels[is_chord], weights=beats.lengths(len(labels))[is_chord], minlength=1)
    order = np.argsort(-sounding, kind="stable")[:MAX_CHORDS]
    names = _names(key)
    return [names[label] for label in order.tolist() if sounding[label]]


def most_frequent_progression(labels: IntArray, key: str | None) -> str | None:
    """Return the run of four chords that occurs most often, in Roman numerals of the key: `"I V vi IV"`.

    Sevenths count as their triads, up to `MAX_GAP_BEATS` without a chord are passed over, and neighbours differ. Of equally
    frequent runs the first is taken; None where no run occurs twice, or without a key. Degrees of a minor key are those of
    the natural scale, so that the leading tone bears `#vii°`.
    """
    at = np.flatnonzero(labels >= 0)
    triads = _TRIADS[labels[at]]
    is_apart = at[1:] - at[:-1] > 1 + MAX_GAP_BEATS
    begins = np.ones(len(at), np.bool_)
    begins[1:] = (triads[1:] != triads[:-1]) | is_apart
    stretch = np.zeros(len(at), np.int64)
    is_apart.cumsum(out=stretch[1:])
    triads, stretch = triads[begins], stretch[begins]
    n_runs = len(triads) - PROGRESSION_CHORDS + 1
    if key is None or n_runs < 1:
        return None
    run = sum(triads[i : i + n_runs] * _N_TRIADS**i for i in range(PROGRESSION_CHORDS))
    ((most_frequent, n_times),) = Counter(run[stretch[-n_runs:] == stretch[:n_runs]].tolist()).most_common(1) or [(0, 0)]
    if n_times < MIN_OCCURRENCES:
        return None
    return " ".join(_numeral(most_frequent // _N_TRIADS**i % _N_TRIADS, key) for i in range(PROGRESSION_CHORDS))


def _profiles(notes: Notes, beats: Beats) -> FloatArray:
    """How long each pitch class sounds in each beat, [beats, 12], in sixteenths of a tick.

    Notes that have begun and not ended count for the whole beat, less what they missed by beginning late, plus what those
    sounded that have just ended. So a note through a thousand beats costs no more than any other.
    """
    n_beats = min(beats.total, MAX_BEATS)
    pitch_class = notes.pitch % 12
    onsets, missed = _by_beat(beats, notes.onset_ticks, pitch_class, n_beats)
    ends, sounded = _by_beat(beats, notes.onset_ticks + notes.duration_ticks, pitch_class, n_beats)
    through = np.cumsum(onsets - ends, axis=0) * beats.lengths(n_beats)[:, None]
    profiles: FloatArray = through - missed + sounded
    return profiles


def _by_beat(beats: Beats, ticks: IntArray, pitch_class: IntArray, n_beats: int) -> tuple[IntArray, FloatArray]:
    """The number of events in each beat and pitch class, [beats, 12], and the sum of their distances from its beginning."""
    beat, time = beats.locate(ticks)
    cell = beat * 12 + pitch_class
    if beats.total > n_beats:
        is_early = beat < n_beats
        cell, time = cell[is_early], time[is_early]
    # One more beat: the end of a note may be the end of the piece.
    size = 12 * (n_beats + 1)
    number = np.bincount(cell, minlength=size).reshape(-1, 12)[:n_beats]
    distance = np.bincount(cell, time, size).reshape(-1, 12)[:n_beats]
    return number.astype(np.int64, copy=False), distance.astype(np.float64, copy=False)


@lru_cache(maxsize=32)
def _templates(key: str | None) -> npt.NDArray[np.float32]:
    """Unit vectors of all chords, times their weights, [12, labels]."""
    tonic = _tonic(key)
    scale = {(tonic + s) % 12 for s in _SCALES["minor" if key and key.endswith("minor") else "major"]}
    by_fifths = [7 * fifths for fifths in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6)]
    templates = np.zeros((12, 12 * len(_TYPES)), np.float32)
    for i, (_, semitones, weight) in enumerate(_TYPES):
        centre = tonic + (_CENTRE_OF_LEADING if i in _LEADING else 0)
        for rank, root in enumerate(centre + interval for interval in by_fifths):
            tones = [(root + s) % 12 for s in semitones]
            fit = (1.0 if scale.issuperset(tones) else _OUT_OF_SCALE) - rank * _FURTHER_BY_FIFTHS
            templates[tones, 12 * i + root % 12] = fit * weight / len(tones) ** 0.5
    return templates


@lru_cache(maxsize=1)
def _roots_in_key() -> IntArray:
    """Label to label by tonic, [12, labels]: chords that repeat within the octave get the root that fits the key."""
    table = np.tile(np.arange(12 * len(_TYPES)), (12, 1))
    for chord_type, period, roots in (
        (_AUGMENTED, 4, _ROOTS_OF_AUGMENTED),
        (_DIMINISHED_SEVENTH, 3, _ROOTS_OF_DIMINISHED),
    ):
        for tonic in range(12):
            for root in range(12):
                fitting = next((tonic + r) % 12 for r in roots if (tonic + r - root) % period == 0)
                table[tonic, 12 * chord_type + root] = 12 * chord_type + fitting
    return table


def _tonic(key: str | None) -> int:
    return KEYS.index(key) % 12 if key else 0


@lru_cache(maxsize=32)
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


def _numeral(triad: int, key: str) -> str:
    degrees = _MINOR_DEGREES if key.endswith("minor") else _MAJOR_DEGREES
    degree = degrees[(triad - _tonic(key)) % 12]
    return (degree, degree.lower(), degree.lower() + "°", degree + "+")[triad // 12]
