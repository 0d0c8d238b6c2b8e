"""Which pieces of a library are another one's music once more: transposed, at another tempo, rewritten by a program.

Sketches (`amt_ray.midi.fingerprint`) that agree in a band of three numbers are compared, all others are not
(locality-sensitive hashing, Indyk and Motwani, STOC 1998): of two pieces whose Jaccard similarity is 0.5 a share of 0.995
meet, of 0.3 two thirds, of 0.1 a share of 0.04. Memory: at most 4 kB a piece beside the sketches. Time: seconds for 100,000
pieces; it grows with how many resemble each other without being the same music.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from amt_ray.midi.fingerprint import (
    FEWEST_SHINGLES,
    N_ONSETS,
    N_SHINGLES,
    N_SLOTS,
    SKETCH_SIZE,
    WHOLE_HIGH,
    WHOLE_LOW,
    Sketch,
)

SAME_MUSIC, SAME_LENGTH = 0.45, 0.5
"""From this Jaccard similarity, as estimated, and this ratio of their counts of onsets, two pieces are the same music. One
with its repeats written out still is, one with more music besides is not. Among 3,847 files of songs, quartets, rock and
drums and 12,683 folk tunes, chorales and masses, all that this finds were editions or variants of one work; in the former,
different works of more than FEW_SHINGLES reached 0.39 where one quotes the other, else 0.25."""
FEW_SHINGLES = 192
SAME_FIGURES, SAME_LENGTH_OF_FIGURES = 0.6, 0.95
"""What is asked for where either has fewer shingles: short studies, scales and loops are made of the same figures."""
KEPT = -1

_BANDS = [[band, band + N_SLOTS // 3, band + 2 * (N_SLOTS // 3)] for band in range(N_SLOTS // 3)]
_WHOLE = [WHOLE_HIGH, WHOLE_LOW]


def near_duplicates(sketches: Sketch) -> npt.NDArray[np.int64]:
    """Return for each row of `sketches` (uint32[N, SKETCH_SIZE]) the index of the piece kept in its place, or KEPT.

    The first of several is kept; a duplicate names the first kept piece that it is the same music as. Raises ValueError
    for another shape.
    """
    if sketches.ndim != 2 or sketches.shape[1] != SKETCH_SIZE:
        raise ValueError(f"received sketches of shape {sketches.shape}, not (N, {SKETCH_SIZE}): stack what `sketch` returns")
    kept_as = np.full(len(sketches), KEPT, np.int64)
    buckets = _shared_buckets(sketches)
    kept_in: defaultdict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero((buckets >= 0).any(axis=1)).tolist():
        here = [kept_in[bucket] for bucket in buckets[i].tolist() if bucket >= 0]
        met = np.array(sorted(set().union(*here)), np.int64)
        same = met[_is_same_music(sketches[met], sketches[i])]
        if len(same):
            kept_as[i] = same[0]
            continue
        for bucket in here:
            bucket.append(i)
    return kept_as


def _is_same_music(others: Sketch, one: Sketch) -> npt.NDArray[np.bool_]:
    """bool[M]: which of M others that share a bucket with one are the same music."""
    similarity = (others[:, :N_SLOTS] == one[:N_SLOTS]).mean(axis=1)
    n_shingles = np.minimum(others[:, N_SHINGLES], one[N_SHINGLES])
    n_onsets = others[:, N_ONSETS]
    length_ratio = np.minimum(n_onsets, one[N_ONSETS]) / np.maximum(n_onsets, one[N_ONSETS])
    same_whole = (others[:, _WHOLE] == one[_WHOLE]).all(axis=1)
    is_short = n_shingles < FEW_SHINGLES
    same = (similarity >= np.where(is_short, SAME_FIGURES, SAME_MUSIC)) & (
        length_ratio >= np.where(is_short, SAME_LENGTH_OF_FIGURES, SAME_LENGTH)
    )
    result: npt.NDArray[np.bool_] = np.where(n_shingles < FEWEST_SHINGLES, same_whole, same)
    return result


def _shared_buckets(sketches: Sketch) -> npt.NDArray[np.int64]:
    """int64[N, bands + 1]: the bucket of each band, and of the whole, that a piece shares with others; -1 if with none.

    Equal numbers have equal sums, and hardly any others do; those that do are told apart when they are compared.
    """
    buckets = np.full((len(sketches), len(_BANDS) + 1), -1, np.int64)
    has_parts = sketches[:, N_SHINGLES] >= FEWEST_SHINGLES
    has_whole = sketches[:, _WHOLE].any(axis=1)
    n_buckets = 0
    for column, words in enumerate([*_BANDS, _WHOLE]):
        rows = np.flatnonzero(has_whole if words == _WHOLE else has_parts)
        keys = sketches[:, words].sum(axis=1, dtype=np.uint64)[rows]
        _, ids, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        is_shared = sizes > 1
        buckets[rows, column] = np.where(is_shared, n_buckets + np.cumsum(is_shared) - 1, -1)[ids]
        n_buckets += int(np.count_nonzero(is_shared))
    return buckets
