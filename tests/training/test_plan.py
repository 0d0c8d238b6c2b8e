import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.config import TrainSettings
from amt_ray.training.batches import plan_epoch
from amt_ray.training.plan import Step, plan_steps

LENGTHS = np.random.default_rng(0).integers(50, 200, 60)


def plan(batch_tokens, **settings):
    return list(plan_steps(LENGTHS, TrainSettings(**settings), batch_tokens))


@given(st.integers(1, 5), st.integers(0, 7))
def test_ranks_share_each_row_of_a_step_once(world_size, n_rows):
    step = Step(0, 0, False, np.arange(n_rows))
    shares = [step.share(rank, world_size).tolist() for rank in range(world_size)]
    assert sorted(row for share in shares for row in share) == list(range(n_rows))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_every_epoch_has_every_row_once():
    steps = plan(1000, epochs=3)
    assert [step.number for step in steps] == list(range(len(steps)))
    for epoch in range(3):
        of_epoch = [step for step in steps if step.epoch == epoch]
        assert sorted(np.concatenate([step.rows for step in of_epoch]).tolist()) == list(range(60))
        assert [step.ends_epoch for step in of_epoch] == [False] * (len(of_epoch) - 1) + [True]
        assert [step.rows.tolist() for step in of_epoch] == [rows.tolist() for rows in plan_epoch(LENGTHS, 1000, 0, epoch)]


def test_max_steps_ends_the_plan_in_the_middle_of_an_epoch():
    assert [step.number for step in plan(500, max_steps=3)] == [0, 1, 2]
