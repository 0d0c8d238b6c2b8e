from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.events.vocabulary import BOS, N_IDS, PAD
from amt_ray.training.ngrams import MOST_EVENTS, grams_of, ngram_loss, ngram_probabilities

few_ids = st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=12), min_size=1, max_size=6)
"""Rows over an alphabet so small that contexts come again, none of them PAD."""


def laid(sequences):
    """Lay rows one after the other: ids and starts."""
    lengths = np.array([len(ids) for ids in sequences], np.int64)
    return np.array([event for ids in sequences for event in ids], np.uint16), np.append(0, np.cumsum(lengths))


def loss(train, validation, n):
    return ngram_loss(*laid(train), *laid(validation), n)


class Slow:
    """Modified Kneser-Ney smoothing event by event, with dictionaries."""

    def __init__(self, sequences, n):
        grams = Counter((*before, event) for before, event in predicted(sequences, n))
        self.followers, self.discounts = defaultdict(dict), {}
        for length in range(n, 0, -1):
            self.discounts[length] = discounts(Counter(grams.values()))
            for gram, count in grams.items():
                self.followers[gram[:-1]][gram[-1]] = count
            grams = Counter(gram[1:] for gram in grams)

    def probability(self, before, event):
        shorter = self.probability(before[1:], event) if before else 1 / 512
        if before not in self.followers:
            return shorter
        seen, discount = self.followers[before], self.discounts[len(before) + 1]
        left = sum(discount[min(count, 3)] for count in seen.values())
        kept = seen[event] - discount[min(seen[event], 3)] if event in seen else 0
        return (kept + left * shorter) / sum(seen.values())


def discounts(n):
    """Chen and Goodman's D1, D2 and D3+ from how many grams came once, twice, three and four times."""
    y = n[1] / (n[1] + 2 * n[2]) if n[1] + n[2] else 0
    estimates = {k: k - (k + 1) * y * n[k + 1] / n[k] if n[k] else None for k in (1, 2, 3)}
    return {k: d if d is not None and 0 < d < k else k / 2 for k, d in estimates.items()}


def predicted(sequences, n):
    """Yield (the n - 1 events before, event) of every event of a row but the first; None stands before the row."""
    for ids in sequences:
        padded = [None] * (n - 1) + ids
        for place in range(1, len(ids)):
            yield tuple(padded[place : place + n - 1]), ids[place]


@given(few_ids, few_ids, st.integers(1, 5))
def test_the_loss_is_that_of_a_slow_plain_model(train, validation, n):
    slow = Slow(train, n)
    wanted = [-np.log(slow.probability(before, event)) for before, event in predicted(validation, n)]
    assert loss(train, validation, n) == pytest.approx(np.mean(wanted), rel=1e-12)


@given(few_ids, few_ids, st.integers(1, MOST_EVENTS))
def test_probabilities_after_any_context_sum_to_one(train, validation, n):
    train_M = grams_of(*laid(train), n)
    contexts = np.unique(grams_of(*laid(validation), n) >> 10)
    asked_M = (contexts[:, None] << 10 | np.arange(N_IDS)).ravel()
    probabilities = ngram_probabilities(train_M, asked_M, n).reshape(-1, N_IDS)
    assert (probabilities > 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(contexts)), abs=1e-12)


def test_a_unigram_is_the_cross_entropy_of_smoothed_counts():
    # Four events came once, two twice, one each 3, 4 and 8 times: y = 1/2, discounts 1/2, 5/4 and 1, together 15/2 of 23.
    train = [[BOS, 10, 11, 12, 13, 20, 20], [BOS, 21, 30, 21, 30, 30, 40, 40, 40, 40], [BOS, *[50] * 8]]
    kept = {10: 1 - 1 / 2, 20: 2 - 5 / 4, 30: 3 - 1, 40: 4 - 1, 50: 8 - 1, 511: 0}
    validation = [[BOS, 10, 20, 30], [BOS, 40, 50, 511, 10]]
    wanted = -np.mean([np.log((kept[event] + 7.5 / 512) / 23) for event in (10, 20, 30, 40, 50, 511, 10)])
    assert loss(train, validation, 1) == pytest.approx(wanted, rel=1e-12)


def test_a_bigram_by_hand():
    # Grams: BOS 7 and 7 8 came twice, 8 7 and 7 9 once: y = 1/3, discounts 1/3 and (2 being no discount of 2) 1.
    train = [[BOS, 7, 8], [BOS, 7, 8, 7, 9]]
    # 7 came after two different events, 8 and 9 after one: y = 1/2, discounts 1/2 and 1, together 2.
    of_7, of_8, of_9 = (2 - 1 + 2 / 512) / 4, (1 - 1 / 2 + 2 / 512) / 4, (1 - 1 / 2 + 2 / 512) / 4
    after_bos, after_7 = (2 - 1 + 1 * of_7) / 2, (1 - 1 / 3 + (1 + 1 / 3) * of_9) / 3
    assert loss(train, [[BOS, 7, 9]], 2) == pytest.approx(-np.mean(np.log([after_bos, after_7])), rel=1e-12)
    assert loss(train, [[7, 8]], 2) == pytest.approx(-np.log((2 - 1 + (1 + 1 / 3) * of_8) / 3), rel=1e-12)


def test_an_unseen_context_backs_off_to_the_shorter_one():
    train_M = grams_of(*laid([[BOS, 5, 6, 7, 8], [BOS, 5, 6, 7, 9]]), 4)

    def probability(*events):
        return ngram_probabilities(train_M, grams_of(*laid([[BOS, *events]]), 4), 4)[-1]

    # 6 7 was followed by two events, after one other each; half of each count is left to 7, and so on down to 1 in 512.
    of_8 = (1 - 0.5 + 2.5 / 512) / 5
    after_7 = (1 - 0.5 + 1 * of_8) / 2
    after_6_7 = (1 - 0.5 + 1 * after_7) / 2
    assert probability(400, 6, 7, 8) == pytest.approx(after_6_7, rel=1e-12)
    assert probability(401, 6, 7, 8) == probability(400, 6, 7, 8)
    # Of the whole grams three came twice and two once: the discount of these is a quarter.
    assert probability(5, 6, 7, 8) == pytest.approx((1 - 0.25 + 0.5 * after_6_7) / 2, rel=1e-12)
    assert probability(400, 401, 402, 8) == pytest.approx(of_8, rel=1e-12)
    assert probability(400, 401, 402, 403) == pytest.approx(1 / 1024, rel=1e-12)


@given(few_ids, st.randoms(use_true_random=False), st.integers(2, 4))
def test_no_context_crosses_the_start_of_a_row(rows, random, n):
    shuffled = random.sample(rows, len(rows))
    assert sorted(grams_of(*laid(shuffled), n).tolist()) == sorted(grams_of(*laid(rows), n).tolist())
    alone = [gram for row in rows for gram in grams_of(*laid([row]), n).tolist()]
    assert grams_of(*laid(rows), n).tolist() == alone


def test_grams_are_events_in_order_with_the_last_one_lowest():
    outside = 1023
    assert grams_of(*laid([[1, 2, 3], [4, 5]]), 3).tolist() == [
        outside << 20 | 1 << 10 | 2,
        1 << 20 | 2 << 10 | 3,
        outside << 20 | 4 << 10 | 5,
    ]
    longest = grams_of(*laid([[511] * 7]), MOST_EVENTS)
    assert longest[-1] == sum(511 << 10 * place for place in range(6))
    assert longest[0] == (2**60 - 1) - (1023 << 10 | 1023) + (511 << 10 | 511)


@given(few_ids, few_ids, st.integers(1, 4), st.integers(1, 5))
def test_pad_counts_nothing(train, validation, n, n_pad):
    def padded(sequences):
        return [ids + [PAD] * n_pad for ids in sequences]

    assert loss(padded(train), padded(validation), n) == loss(train, validation, n)


def test_given_events_are_seen_but_not_predicted():
    ids, starts = laid([[BOS, 5, 6, 7], [BOS, 8, 9]])
    given_N = np.array([False, True, False, False, False, False, True])
    assert grams_of(ids, starts, 2, given_N).tolist() == [5 << 10 | 6, 6 << 10 | 7, BOS << 10 | 8]
    padded, padded_starts = laid([[BOS, 5, 6, PAD]])
    assert grams_of(padded, padded_starts, 2, np.array([False, True, False, False])).tolist() == [5 << 10 | 6]
    train_ids, train_starts = laid([[BOS, 5, 6, 8], [BOS, 6]])
    train_given_N = np.array([False, True, False, False, False, False])
    train_M = grams_of(train_ids, train_starts, 2, train_given_N)
    assert train_M.tolist() == [5 << 10 | 6, 6 << 10 | 8, BOS << 10 | 6]
    wanted = -np.log(ngram_probabilities(train_M, grams_of(ids, starts, 2, given_N), 2)).mean()
    assert ngram_loss(train_ids, train_starts, ids, starts, 2, train_given_N, given_N) == wanted


def test_longer_contexts_learn_what_shorter_ones_cannot():
    # Two motifs, drawn at random, that are told apart by their ends only.
    rng = np.random.default_rng(0)
    motifs = [[10, 11, 12, 13], [20, 11, 12, 23]]
    rows = [[BOS, *(event for motif in rng.integers(0, 2, 50) for event in motifs[motif])] for _ in range(40)]
    losses = [loss(rows[:30], rows[30:], n) for n in (1, 2, 3, 4)]
    assert losses[0] == pytest.approx(np.log(8) - np.log(2) / 2, abs=0.01)  # two events of 1/4, four of 1/8
    assert losses[1] == pytest.approx(np.log(2) / 2, abs=0.01)  # the next motif, and how this one ends
    assert losses[2] == pytest.approx(np.log(2) / 2, abs=0.02)
    assert losses[3] == pytest.approx(np.log(2) / 4, abs=0.02)  # the next motif alone


@pytest.mark.parametrize("n", [-1, 0, MOST_EVENTS + 1])
def test_n_outside_its_range_is_refused(n):
    with pytest.raises(ValueError, match=rf"^n: received {n}; allowed are 1 to 6$"):
        loss([[BOS, 5]], [[BOS, 5]], n)


@pytest.mark.parametrize("empty", [[], [[BOS]], [[BOS, PAD, PAD]]])
def test_rows_without_an_event_to_predict_are_refused(empty):
    for train, validation in (([[BOS, 5]], empty), (empty, [[BOS, 5]])):
        with pytest.raises(ValueError, match=r"^the rows hold no event to predict$"):
            loss(train, validation, 2)
