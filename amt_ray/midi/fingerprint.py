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

from amt_ray.midi.batch import Batch, lay_out, sizes_by_piece, sums
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import IntArray, Piece

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
    """Return the fingerprint of a piece of at least one note, uint32[SKETCH_SIZE], as `sketches` does."""
    found: Sketch = sketches(lay_out([piece]))[0]
    return found


def sketches(batch: Batch) -> Sketch:
    """Return the fingerprints of a batch that has all its notes, uint32[P, SKETCH_SIZE].

    Each is N_SLOTS of MinHash, two counts, and the two halves of a hash of the whole. One-permutation MinHash: Li, Owen and
    Zhang, "One permutation hashing", NIPS 2012; empty slots are filled as in Shrivastava and Li, "Densifying one permutation
    hashing via rotation", ICML 2014.
    """
    telling, are_drums = _telling_notes(batch)
    first = _firsts(telling)
    n_onsets = sizes_by_piece(telling.piece[first], len(batch))
    hashes, piece = _shingles(telling, first, are_drums)
    ends = sizes_by_piece(piece, len(batch)).cumsum().tolist()
    for start, end in zip([0, *ends], ends, strict=False):
        hashes[start:end].sort()
    is_new = np.ones(len(hashes), np.bool_)
    is_new[1:] = (hashes[1:] != hashes[:-1]) | (piece[1:] != piece[:-1])
    n_shingles = sizes_by_piece(piece[is_new], len(batch))
    whole = np.zeros((len(batch), 2), np.int64)
    for i in np.flatnonzero((n_shingles < FEWEST_SHINGLES) & (n_onsets >= FEWEST_ONSETS)).tolist():
        whole[i] = _hash_of_whole(batch.pieces[i])
    columns = _minhashes(hashes, piece, len(batch)), n_onsets[:, None], n_shingles[:, None], whole
    found: Sketch = np.concatenate(columns, axis=1).astype(np.uint32)
    return found


def _telling_notes(batch: Batch) -> tuple[Batch, npt.NDArray[np.bool_]]:
    """The pitched notes, or the drum notes of the pieces that have little else, and whether it is these [P]."""
    is_drum = batch.notes.program == DRUMS
    n_drums = batch.sums(is_drum)
    drums_tell = batch.n_notes - n_drums < np.minimum(ENOUGH_PITCHED_NOTES, n_drums)
    return batch.take(is_drum == drums_tell[batch.piece]) if drums_tell.any() else batch.pitched, drums_tell


def _firsts(batch: Batch) -> IndexArray:
    """Indices of the notes that begin an onset: those a fifth of a typical step or more after the note before.

    The typical step is the geometric mean of the steps between onsets, so that the length of a tick does not matter.
    """
    gaps = np.diff(batch.notes.onset_ticks)
    begins = np.ones(len(batch.piece), np.bool_)
    begins[1:] = batch.piece[1:] != batch.piece[:-1]
    steps = np.flatnonzero(~begins[1:] & (gaps > 0))
    step_ticks, piece = gaps[steps], batch.piece[steps]
    n_steps, logs = sizes_by_piece(piece, len(batch)), np.log(step_ticks)
    shortest = sums(step_ticks, n_steps) / batch.n_notes / 5
    for _ in range(3):
        is_step = step_ticks > shortest[piece]
        n_counted = sums(is_step, n_steps)
        mean_log = sums(np.where(is_step, logs, 0.0), n_steps) / np.maximum(n_counted, 1)
        shortest = np.where(n_counted, np.exp(mean_log) / 5, shortest)
    begins[steps[step_ticks > shortest[piece]] + 1] = True
    return np.flatnonzero(begins)


def _shingles(batch: Batch, first: IndexArray, are_drums: npt.NDArray[np.bool_]) -> tuple[HashArray, IntArray]:
    """Hash each run of _STEPS steps of a line, and say whose it is; of drums the pitches, which name instruments.

    Sooner and later mean by more than 9 to 11, between 5:6 and 4:5, so that no common ratio is near the border.
    """
    piece, pitch = batch.piece[first], batch.notes.pitch
    gaps = np.diff(batch.notes.onset_ticks[first])
    before, after = gaps[:-1], gaps[1:]
    sooner_or_later = (9 * after > 11 * before) * 2 | (9 * before > 11 * after)
    n_shingles = max(0, len(first) - _STEPS - 1)
    starts = np.flatnonzero(piece[:n_shingles] == piece[len(piece) - n_shingles :])
    codes = np.empty((len(starts), 2), np.uint64)
    for number, lowest_or_highest in enumerate((np.minimum, np.maximum)):
        line = lowest_or_highest.reduceat(pitch, first)
        steps = np.diff(line)[1:] + 128
        if are_drums.any():
            steps = np.where(are_drums[piece[1:-1]], line[1:-1], steps)
        tokens = steps << 2 | sooner_or_later
        runs = np.full(n_shingles, number << _STEPS * _TOKEN_BITS)
        for i in range(_STEPS):
            runs |= tokens[i : i + n_shingles] << i * _TOKEN_BITS
        codes[:, number] = runs[starts]
    return _mixed(codes.ravel()), np.repeat(piece[starts], 2)


def _mixed(codes: HashArray) -> HashArray:
    """Hash 64-bit numbers one to one: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    codes = (codes ^ codes >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ codes >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return codes ^ codes >> np.uint64(31)


def _minhashes(hashes: HashArray, piece: IntArray, n_pieces: int) -> HashArray:
    """uint32s, [P, N_SLOTS], of hashes that ascend by piece: each slot holds the least of its share of the range.

    An empty slot holds the next one's, and one of a piece without hashes 0.
    """
    cells = piece * N_SLOTS + ((hashes >> np.uint64(32)) * np.uint64(N_SLOTS) >> np.uint64(32)).astype(np.int64)
    least = np.flatnonzero(np.diff(cells, prepend=-1))
    values = np.zeros(n_pieces * N_SLOTS, np.uint64)
    values[cells[least]] = hashes[least] & np.uint64(0xFFFFFFFF)
    # Twice around the circle, every empty slot has a full one after it.
    is_full = np.zeros(n_pieces * N_SLOTS, np.bool_)
    is_full[cells[least]] = True
    every = np.arange(2 * N_SLOTS)
    full = np.where(np.tile(is_full.reshape(-1, N_SLOTS), 2), every, 2 * N_SLOTS)
    source = np.minimum.accumulate(full[:, ::-1], axis=1)[:, : N_SLOTS - 1 : -1]
    distance = (source - every[:N_SLOTS]).astype(np.uint64)
    filled = np.take_along_axis(values.reshape(-1, N_SLOTS), source % N_SLOTS, axis=1) + distance * np.uint64(0x9E3779B1)
    return np.where(is_full.reshape(-1, N_SLOTS).any(axis=1, keepdims=True), filled & np.uint64(0xFFFFFFFF), np.uint64(0))


def _hash_of_whole(piece: Piece) -> tuple[int, int]:
    """Hash every onset's pitches, those of drums as they are, and the ratios of the times between onsets: twice 32 bits."""
    notes, first = piece.notes, _firsts(lay_out([piece]))
    is_drum = notes.program == DRUMS
    lowest = notes.pitch[~is_drum].min(initial=127)
    pitch = np.where(is_drum, 128 + notes.pitch, notes.pitch - lowest)
    onset = np.repeat(np.arange(len(first)), np.diff(first, append=len(notes)))
    ratios = np.rint(2 * np.diff(np.log2(np.diff(notes.onset_ticks[first])))).astype(np.int64)
    digest = hashlib.blake2b(np.unique(onset << 8 | pitch).tobytes() + ratios.tobytes(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")
