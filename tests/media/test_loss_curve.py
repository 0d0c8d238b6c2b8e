import numpy as np
import pytest

from amt_ray.media.loss_curve import draw_loss_curve, running_mean


def records(n):
    rows = [{"step": i + 1, "loss": 6.0 / (1 + i / 20)} for i in range(n)]
    return [row | ({"validation_loss": row["loss"] + 0.1} if row["step"] % 40 == 0 else {}) for row in rows]


@pytest.mark.parametrize("n", [1, 39, 200])
def test_any_training_gives_a_picture_and_the_same_one_the_same_bytes(n):
    picture = draw_loss_curve(records(n))
    assert picture.startswith(b"\x89PNG")
    assert picture == draw_loss_curve(records(n))
    assert picture != draw_loss_curve(records(n + 1))


def test_no_records_are_refused():
    with pytest.raises(ValueError, match="a training logs one for each step"):
        draw_loss_curve([])


def test_the_running_mean_is_that_of_the_last_steps():
    values = np.random.default_rng(0).random(130)
    expected = [values[max(0, i + 1 - 7) : i + 1].mean() for i in range(130)]
    np.testing.assert_allclose(running_mean(values, 7), expected)
