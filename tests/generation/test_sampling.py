import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amt_ray.generation.sampling import constrain, draw, probabilities, temperature, top_k, top_p

LOGITS = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-30, 30) | st.just(-math.inf)).filter(
    lambda logits: np.isfinite(logits).any()
)


def kept(logits):
    return {i for i, logit in enumerate(logits.tolist()) if logit > -math.inf}


@given(LOGITS)
def test_probabilities_are_the_softmax(logits):
    weights = [math.exp(logit) for logit in logits.tolist()]
    assert probabilities(logits) == pytest.approx([weight / math.fsum(weights) for weight in weights], abs=1e-12)


def test_probabilities_of_huge_logits_are_finite():
    assert probabilities(np.array([1e4, 1e4, -np.inf])).tolist() == [0.5, 0.5, 0.0]


@given(LOGITS, st.integers(1, 45))
def test_top_k_keeps_the_k_likeliest_and_ties_with_the_last(logits, k):
    ranked = sorted(logits.tolist(), reverse=True)
    least = ranked[min(k, len(ranked)) - 1]
    got = top_k(logits, k)
    assert kept(got) == {i for i in kept(logits) if logits[i] >= least}
    assert all(got[i] == logits[i] for i in kept(got))


@given(LOGITS)
def test_top_k_none_keeps_all(logits):
    assert top_k(logits, None).tolist() == logits.tolist()


@given(LOGITS, st.floats(0.01, 1.0))
def test_top_p_keeps_the_fewest_likeliest_that_reach_p(logits, p):
    share = probabilities(logits)
    got = kept(top_p(logits, p))
    out = kept(logits) - got
    assert got
    assert min(share[list(got)]) >= max(share[list(out)], default=0.0)
    assert math.fsum(share[list(got)]) >= p - 1e-9
    assert math.fsum(share[list(got)]) - min(share[list(got)]) < p + 1e-9
    assert all(top_p(logits, p)[i] == logits[i] for i in got)


def test_top_p_by_hand():
    logits = np.log(np.array([0.1, 0.5, 0.15, 0.25]))
    assert [kept(top_p(logits, p)) for p in (0.4, 0.6, 0.8, 0.95, 1.0)] == [
        {1},
        {1, 3},
        {1, 3, 2},
        {0, 1, 2, 3},
        {0, 1, 2, 3},
    ]


@given(LOGITS, st.data())
def test_constrain_keeps_what_the_mask_allows(logits, data):
    mask = data.draw(hnp.arrays(bool, len(logits)))
    got = constrain(logits, mask)
    assert kept(got) == kept(logits) & set(np.flatnonzero(mask).tolist())
    assert all(got[i] == logits[i] for i in kept(got))


def test_temperature_divides_and_keeps_what_is_excluded():
    assert temperature(np.array([1.0, -2.0, -np.inf]), 0.5).tolist() == [2.0, -4.0, -np.inf]


@pytest.mark.parametrize("value", [0.5, 1.0, 2.0])
def test_draws_come_as_often_as_their_probability(value):
    shares = np.array([0.5, 0.0, 0.3, 0.15, 0.05])
    logits = np.log(np.where(shares > 0, shares, 1.0))
    logits[1] = -np.inf
    rng, n = np.random.default_rng(0), 20_000
    drawn = np.bincount([draw(temperature(logits, value), rng) for _ in range(n)], minlength=5) / n
    wanted = shares ** (1 / value) / (shares ** (1 / value)).sum()
    assert drawn[1] == 0
    assert drawn == pytest.approx(wanted, abs=4 * math.sqrt(0.25 / n))


class FixedNumbers:
    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def random(self):
        return self.numbers.pop(0)


@pytest.mark.parametrize(
    ("number", "event"), [(0.0, 1), (0.24, 1), (0.26, 3), (0.99, 3), (float(np.nextafter(1.0, 0.0)), 3)]
)
def test_draw_is_inverse_transform_and_never_an_excluded_event(number, event):
    logits = np.log(np.array([0.0, 0.25, 0.0, 0.75, 0.0]), where=np.array([0, 1, 0, 1, 0], bool), out=np.full(5, -np.inf))
    rng = FixedNumbers(number)
    assert draw(logits, rng) == event
    assert rng.numbers == []
