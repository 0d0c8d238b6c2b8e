import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from amt_ray.text.calibration import (
    ANY_ENCODER,
    UNCALIBRATED_LIMIT,
    Bin,
    Calibration,
    brier_score,
    calibration_error,
    calibrations,
    is_calibrated,
    margins,
    reliability,
)

judgements = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1)


def test_a_confidence_is_the_sigmoid_of_score_and_margin():
    scores_BL = np.array([[1.0, 3.0]])
    (low, high) = Calibration(-1.0, 0.5, 2.0).confidences(scores_BL)[0]
    assert low == pytest.approx(1 / (1 + math.exp(1.0 - 0.5 + 2.0)))
    assert high == pytest.approx(1 / (1 + math.exp(1.0 - 1.5 - 2.0)))


def test_margins_of_a_text_do_not_depend_on_other_texts():
    assert margins(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [[-1.0, 1.0], [0.0, 0.0]]


def test_no_confidence_passes_the_limit():
    assert Calibration(0.0, 1e9, 0.0, limit=0.5).confidences(np.array([[9.0, -9.0]])).tolist()[0][0] == 0.5


def test_an_unknown_encoder_gets_careful_numbers():
    assert calibrations("unknown").keys() == {"mood", "genre"}
    assert {one.limit for one in calibrations("unknown").values()} == {UNCALIBRATED_LIMIT}
    assert (is_calibrated("unknown"), is_calibrated(ANY_ENCODER)) == (False, False)


def test_bins_hold_counts_mean_confidence_and_share_right():
    assert reliability([0.05, 0.15, 0.15, 1.0], [False, True, False, True]) == [
        Bin(1, 0.05, 0.0),
        Bin(2, 0.15, 0.5),
        Bin(1, 1.0, 1.0),
    ]


def test_a_confidence_on_the_border_is_in_the_upper_bin():
    assert [one.n for one in reliability([0.3, 0.35, 0.7, 0.75], [True] * 4)] == [2, 2]


def test_the_calibration_error_weighs_bins_by_their_counts():
    assert calibration_error([Bin(3, 0.9, 0.5), Bin(1, 0.2, 0.2)]) == pytest.approx(0.3)
    assert calibration_error([]) == 0.0


@given(judgements)
def test_bins_account_for_every_judgement(pairs):
    bins = reliability([confidence for confidence, _ in pairs], [right for _, right in pairs])
    assert sum(one.n for one in bins) == len(pairs)
    assert sum(one.n * one.right for one in bins) == pytest.approx(sum(right for _, right in pairs))


@given(judgements)
def test_the_brier_score_is_that_of_scikit_learn(pairs):
    confidences, right = [confidence for confidence, _ in pairs], [right for _, right in pairs]
    assert brier_score(confidences, right) == pytest.approx(brier_score_loss(right, confidences, labels=[False, True]))
    assert brier_score([], []) == 0.0
