import numpy as np
import pytest

from amt_ray.config import TrainSettings
from amt_ray.training.batches import plan_epoch
from amt_ray.training.plan import plan_steps, with_batches

LENGTHS = np.random.default_rng(0).integers(50, 200, 60)


def plan(batch_tokens, **settings):
    return list(plan_steps(LENGTHS, TrainSettings(**settings), batch_tokens))


def test_every_epoch_has_every_row_once():
    steps = plan(1000, epochs=3)
    assert [step.number for step in steps] == list(range(len(steps)))
    for epoch in range(3):
        of_epoch = [step for step in steps if step.epoch == epoch]
        assert sorted(np.concatenate([step.rows for step in of_epoch]).tolist()) == list(range(60))
        assert [step.ends_epoch for step in of_epoch] == [False] * (len(of_epoch) - 1) + [True]
        assert [step.rows.tolist() for step in of_epoch] == [rows.tolist() for rows in plan_epoch(LENGTHS, 1000, 0, epoch)]


def test_max_steps_ends_the_plan_in_the_middle_of_an_epoch():
    steps = plan(500, max_steps=3)
    assert [step.number for step in steps] == [0, 1, 2]
    assert [step.share_of_plan for step in steps] == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_plan_can_begin_later():
    whole, later = plan(1000, epochs=3), list(plan_steps(LENGTHS, TrainSettings(epochs=3), 1000, first=9))
    assert [(step.number, step.rows.tolist()) for step in later] == [(s.number, s.rows.tolist()) for s in whole[9:]]


def test_only_the_last_step_completes_the_plan():
    shares = [step.share_of_plan for step in plan(300, epochs=7)]
    assert shares == sorted(shares)
    assert [share >= 1 for share in shares] == [False] * (len(shares) - 1) + [True]


def test_batches_come_in_the_order_of_the_steps_and_are_made_ahead_of_them():
    made = []

    def make(step):
        made.append(step.number)
        return -step.number

    steps = plan(500, epochs=1)
    pairs = with_batches(iter(steps), make)
    assert next(pairs) == (steps[0], 0)
    assert [(step.number, batch) for step, batch in pairs] == [(step.number, -step.number) for step in steps[1:]]
    assert made == [step.number for step in steps]


def test_a_batch_that_cannot_be_made_stops_the_steps():
    def make(step):
        raise ValueError(step.number)

    with pytest.raises(ValueError, match="0"):
        list(with_batches(iter(plan(500, epochs=1)), make))
