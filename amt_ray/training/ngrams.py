"""What n-gram models score on windows: baselines for a model's validation loss, of the same events in the same unit.

Interpolated modified Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1999): the probability of
event w after the n - 1 events h, of which h' are the last n - 2, is

    p(w | h) = (count(h w) - discount(h w) + left(h) p(w | h')) / count(h)

where left(h) is the sum of all discounts after h. Shorter contexts count not how often h' w came, but after how many
different events. The recursion ends with the same probability for all 512 ids.

Legend of shapes: N events of R rows laid one after the other, row r at `ids_N[starts[r] : starts[r + 1]]`; M of them are
predicted. A gram is the last n events packed into one integer, the last one lowest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from amt_ray.events.vocabulary import N_IDS, PAD, Ids
from amt_ray.midi.piece import FloatArray, IntArray

Mask = npt.NDArray[np.bool_]
MOST_EVENTS = 6
"""Longest gram that fits into an int64."""
_BITS = 10
"""Of each event in a gram: one more than 512 ids need, so that all bits set may mean "before the row"."""


def ngram_loss(
    train_ids: Ids,
    train_starts: IntArray,
    validation_ids: Ids,
    validation_starts: IntArray,
    n: int,
    train_given: Mask | None = None,
    validation_given: Mask | None = None,
) -> float:
    """Train an n-gram model (1: unigram) and return its mean loss on the validation rows, in nats per event.

    Ids are uint16[N], starts int64[R + 1], `given` bool[N]. Every event of a row but its first is predicted, except PAD and
    what is given (a window's context); what comes before it is of its own row only. For n = 4, 30 million training events
    take about 10 s and up to 1.3 GB. Raises ValueError for n outside 1..6, and when either side has no event to predict.
    """
    train_M = grams_of(train_ids, train_starts, n, train_given)
    validation_M = grams_of(validation_ids, validation_starts, n, validation_given)
    return float(-np.log(ngram_probabilities(train_M, validation_M, n)).mean())


def grams_of(ids_N: Ids, starts: IntArray, n: int, given_N: Mask | None = None) -> IntArray:
    """Pack each predicted event with the n - 1 before it: int64[M]. Arguments and errors are those of `ngram_loss`."""
    if not 1 <= n <= MOST_EVENTS:
        raise ValueError(f"n: received {n}; allowed are 1 to {MOST_EVENTS}")
    firsts = starts[starts < len(ids_N)]
    is_predicted_N = ids_N != PAD if given_N is None else (ids_N != PAD) & ~given_N
    is_predicted_N[firsts] = False
    if not is_predicted_N.any():
        raise ValueError("the rows hold no event to predict")
    grams_N = ids_N.astype(np.int64)
    for _ in range(n - 1):
        grams_N = np.roll(grams_N, 1)
        grams_N[firsts] = -1
        grams_N <<= _BITS
        grams_N |= ids_N
    grams_M: IntArray = grams_N[is_predicted_N] & _mask(n)
    return grams_M


def ngram_probabilities(train_M: IntArray, asked_M: IntArray, n: int) -> FloatArray:
    """Probability of each asked gram's last event after the others, float64[M], trained on `train_M` (see `grams_of`)."""
    counted = [np.unique(train_M, return_counts=True)]
    for order in range(n - 1, 0, -1):
        counted.append(np.unique(counted[-1][0] & _mask(order), return_counts=True))
    probability_M: FloatArray = np.full(len(asked_M), 1 / N_IDS)
    for order, (grams, counts) in enumerate(reversed(counted), 1):
        probability_M = _interpolated(grams, counts, asked_M & _mask(order), probability_M)
    return probability_M


def _mask(n: int) -> int:
    """Bits of a gram's last n events."""
    return (1 << _BITS * n) - 1


def _interpolated(grams: IntArray, counts: IntArray, asked_M: IntArray, shorter_M: FloatArray) -> FloatArray:
    """One order of the recursion: `shorter_M` are the asked probabilities after a context of one event less."""
    discounts = _discounts(counts)
    contexts, first = np.unique(grams >> _BITS, return_index=True)
    context_M = asked_M >> _BITS
    kept_M = _look_up(asked_M, grams, counts - discounts)
    left_M = _look_up(context_M, contexts, np.add.reduceat(discounts, first))
    count_M = _look_up(context_M, contexts, np.add.reduceat(counts, first))
    interpolated_M = (kept_M + left_M * shorter_M) / np.maximum(count_M, 1)
    return np.where(count_M > 0, interpolated_M, shorter_M)


def _discounts(counts: IntArray) -> FloatArray:
    """What each gram gives up, by whether it came once, twice or more often (Chen and Goodman, 1999).

    An estimate outside 0..count, as few data make it, gives way to half the count (as in KenLM, Heafield et al., 2013).
    """
    n_times = np.bincount(np.minimum(counts, 5), minlength=6)
    times = np.array([1, 2, 3])
    with np.errstate(divide="ignore", invalid="ignore"):
        share_once = n_times[1] / (n_times[1] + 2 * n_times[2])
        estimate = times - (times + 1) * share_once * n_times[2:5] / n_times[1:4]
    # Comparisons with what has no value are false.
    discount = np.where((estimate > 0) & (estimate < times), estimate, times / 2)
    discount_of_gram: FloatArray = discount[np.minimum(counts, 3) - 1]
    return discount_of_gram


def _look_up(asked_M: IntArray, keys: IntArray, values: npt.NDArray[Any]) -> FloatArray:
    """Value of each asked key, 0 where it is not among the sorted `keys`."""
    at = np.minimum(np.searchsorted(keys, asked_M), len(keys) - 1)
    value_M: FloatArray = np.where(keys[at] == asked_M, values[at], 0.0)
    return value_M
