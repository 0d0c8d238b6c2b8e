"""A short fingerprint of a piece's music that is the same however its file was made.

Transposing, another tempo, other ticks per quarter note, doubled note values, other instruments, velocities, tracks or
leading silence leave it as it is; a few changed notes or ticks change a few of its numbers. What it is made of: notes that
begin nearly together are one onset; the lowest and the highest pitches of the onsets are two lines; five successive steps
of a line, each with whether it comes sooner or later than the one before did, are a shingle. A piece is its set of shingles,
and of the set a MinHash is kept: the share of equal numbers estimates the Jaccard similarity of two sets.

`amt_ray.midi.duplicates` compares sketches. A piece of 2,000 notes takes about 0.2 ms.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import IntArray, Notes, Piece

IndexArray = npt.NDArray[np.intp]
HashArray = npt.NDArray[np.uint64]
Sketch = npt.NDArray[np.uint32]

N_SLOTS = 120
"""Numbers of a sketch that are a MinHash: the estimate's standard error is at most 0.5 / sqrt(120) = 0.046."""
N_ONSETS, N_SHINGLES, WHOLE_HIGH, WHOLE_LOW = range(N_SLOTS, N_SLOTS + 4)
"""Where a sketch says of how much music it was made, and, where that is little, keeps a hash of all of it."""
SKETCH_SIZE = N_SLOTS + 4

FEWEST_SHINGLES = 48
"""Below this many different ones a piece is known by its whole only: other music has the same few figures."""
FEWEST_ONSETS = 8
"""A shorter piece is known by nothing: its hash of the whole is 0."""
ENOUGH_PITCHED_NOTES = 16
"""With fewer pitched notes, and more drum notes than these, it is the drums that tell one piece from another."""

_STEPS = 5
_TOKEN_BITS = 10


def sketch(piece: Piece) -> Sketch:
    """Return the fingerprint, uint32[SKETCH_SIZE]: N_SLOTS of MinHash, two counts, the two halves of a hash of the whole.

    One-permutation MinHash: Li, Owen and Zhang, "One permutation hashing", NIPS 2012; empty slots are filled as in
    Shrivastava and Li, "Densifying one permutation hashing via rotation", ICML 2014. Raises ValueError for no notes.
    """
    if not len(piece.notes):
        raise ValueError("a piece without notes has no fingerprint")
    notes, is_drums = _telling_notes(piece.notes)
    first = _firsts(notes.onset_ticks)
    ticks = notes.onset_ticks[first]
    lines = np.minimum.reduceat(notes.pitch, first), np.maximum.reduceat(notes.pitch, first)
    codes = [_shingles(ticks, line, is_drums) | number << _STEPS * _TOKEN_BITS for number, line in enumerate(lines)]
    hashes = np.sort(_mixed(np.concatenate(codes).astype(np.uint64)))
    n_shingles = int(np.count_nonzero(np.diff(hashes))) + min(1, len(hashes))
    is_known_whole = n_shingles < FEWEST_SHINGLES and len(first) >= FEWEST_ONSETS
    whole = _hash_of_whole(piece.notes) if is_known_whole else (0, 0)
    return np.concatenate([_minhash(hashes), np.array([len(first), n_shingles, *whole], np.uint32)])


def _telling_notes(notes: Notes) -> tuple[Notes, bool]:
    """The pitched notes, or the drum notes where there is little else, and whether it is these."""
    is_drum = notes.program == DRUMS
    n_drums = int(np.count_nonzero(is_drum))
    if not n_drums:
        return notes, False
    drums_tell = len(notes) - n_drums < min(ENOUGH_PITCHED_NOTES, n_drums)
    return notes.take(is_drum if drums_tell else ~is_drum), drums_tell


def _firsts(onset_ticks: IntArray) -> IndexArray:
    """Indices of the notes that begin an onset: those a fifth of a typical step or more after the note before.

    The typical step is the geometric mean of the steps between onsets, so that the length of a tick does not matter.
    """
    gaps = np.diff(onset_ticks)
    shortest = (onset_ticks[-1] - onset_ticks[0]) / len(onset_ticks) / 5
    for _ in range(3):
        steps = gaps[gaps > shortest]
        if len(steps):
            shortest = np.exp(np.log(steps).mean()) / 5
    return np.append(0, np.flatnonzero(gaps > shortest) + 1)


def _shingles(ticks: IntArray, line: IntArray, is_drums: bool) -> IntArray:
    """Code each run of _STEPS steps of a line as one number; drums are coded by their pitches, which name instruments.

    Sooner and later mean by more than 9 to 11, between 5:6 and 4:5, so that no common ratio is near the border.
    """
    gaps = np.diff(ticks)
    before, after = gaps[:-1], gaps[1:]
    sooner_or_later = (9 * after > 11 * before) * 2 | (9 * before > 11 * after)
    tokens = (line[1:-1] if is_drums else np.diff(line)[1:] + 128) << 2 | sooner_or_later
    n_shingles = max(0, len(tokens) - _STEPS + 1)
    return sum((tokens[i : i + n_shingles] << i * _TOKEN_BITS for i in range(_STEPS)), start=np.zeros(n_shingles, np.int64))


def _mixed(codes: HashArray) -> HashArray:
    """Hash 64-bit numbers one to one: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    codes = (codes ^ codes >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ codes >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return codes ^ codes >> np.uint64(31)


def _minhash(hashes: HashArray) -> Sketch:
    """uint32[N_SLOTS] of ascending hashes: each slot holds the least of its share of the range, or the next slot's."""
    if not len(hashes):
        return np.zeros(N_SLOTS, np.uint32)
    slots = (hashes >> np.uint64(32)) * np.uint64(N_SLOTS) >> np.uint64(32)
    least = np.append(0, np.flatnonzero(np.diff(slots)) + 1)
    full, values = slots[least].astype(np.int64), hashes[least] & np.uint64(0xFFFFFFFF)
    every = np.arange(N_SLOTS)
    source = np.searchsorted(full, every) % len(full)
    distance = (full[source] - every) % N_SLOTS
    filled: Sketch = (values[source] + distance.astype(np.uint64) * np.uint64(0x9E3779B1)).astype(np.uint32)
    return filled


def _hash_of_whole(notes: Notes) -> tuple[int, int]:
    """Hash every onset's pitches, those of drums as they are, and the ratios of the times between onsets: twice 32 bits."""
    first = _firsts(notes.onset_ticks)
    is_drum = notes.program == DRUMS
    lowest = notes.pitch[~is_drum].min(initial=127)
    pitch = np.where(is_drum, 128 + notes.pitch, notes.pitch - lowest)
    onset = np.repeat(np.arange(len(first)), np.diff(first, append=len(notes)))
    ratios = np.rint(2 * np.diff(np.log2(np.diff(notes.onset_ticks[first])))).astype(np.int64)
    digest = hashlib.blake2b(np.unique(onset << 8 | pitch).tobytes() + ratios.tobytes(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")
