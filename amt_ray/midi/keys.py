"""Names of the 24 keys, and a piece's key estimated from its notes.

Keys are spelled with the fewer accidentals, as a musician would write them: `"Bb major"`, `"F# minor"`.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from amt_ray.midi.piece import FloatArray, IntArray

MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS: tuple[str, ...] = tuple(f"{t} major" for t in MAJOR_TONICS) + tuple(f"{t} minor" for t in MINOR_TONICS)
"""Index = tonic pitch class, plus 12 for minor."""

MIN_KEY_CONFIDENCE = 0.6
"""A key that was estimated with less (a correlation, 0..1) is not relied on."""

# Krumhansl and Kessler (1982), probe-tone ratings, as printed in Krumhansl (1990), Cognitive Foundations of Musical Pitch.
_MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


@cache
def _key_profiles() -> FloatArray:
    rows = [np.roll(p, tonic) for p in (_MAJOR_PROFILE, _MINOR_PROFILE) for tonic in range(12)]
    centred = np.stack(rows) - np.mean(rows, axis=1, keepdims=True)
    profiles: FloatArray = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return profiles


def estimate_keys(weights: FloatArray) -> tuple[list[str | None], FloatArray]:
    """Estimate P keys from how long each pitch class sounds, [P, 12] (Krumhansl-Schmuckler, 1990).

    Returns the keys' names and the correlations 0..1 of their profiles with the pieces', [P]; None and 0 where nothing
    sounds or all pitch classes are equally frequent.
    """
    centred = weights - weights.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    is_level = norms[:, 0] < 1e-9
    # Not a matrix product, whose rounding depends on how many rows it has; and of keys that fit equally the first is named.
    correlations = np.einsum("pc,kc->pk", centred / np.where(norms < 1e-9, 1.0, norms), _key_profiles())
    best = correlations.round(9).argmax(axis=1)
    keys = [None if level else KEYS[i] for i, level in zip(best.tolist(), is_level.tolist(), strict=True)]
    confidences: FloatArray = np.where(is_level, 0.0, np.clip(correlations.max(axis=1), 0.0, 1.0))
    return keys, confidences


def estimate_key(pitch: IntArray, duration_ticks: IntArray) -> tuple[str | None, float]:
    """Estimate the key of pitched notes weighted by duration, as `estimate_keys` does; (None, 0.0) without notes."""
    weights: FloatArray = np.bincount(pitch % 12, weights=duration_ticks, minlength=12).astype(np.float64)
    (key,), confidences = estimate_keys(weights[None])
    return key, float(confidences[0])


def key_of_signature(sharps: int, is_minor: bool) -> str:
    """Name of the key with `sharps` sharps (negative: flats, -7..7), as in the MIDI key-signature event."""
    tonic = (sharps * 7 + (9 if is_minor else 0)) % 12
    return KEYS[tonic + 12 * is_minor]


def signature_of_key(key: str) -> tuple[int, bool]:
    """Return (sharps -6..6, is_minor) of a name in `KEYS`: what a MIDI key-signature event holds. KeyError otherwise."""
    index = {name: i for i, name in enumerate(KEYS)}[key]
    tonic, is_minor = index % 12, index >= 12
    spelled_sharp = (MINOR_TONICS if is_minor else MAJOR_TONICS)[tonic].endswith("#")
    sharps = (tonic * 7 + (3 if is_minor else 0) * 7 % 12) % 12
    return (sharps if sharps < 6 or (sharps == 6 and spelled_sharp) else sharps - 12), is_minor
