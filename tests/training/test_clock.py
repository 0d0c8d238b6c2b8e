import pytest

from amt_ray.training import clock as clock_module
from amt_ray.training.clock import CHECKPOINT_BYTES, WRITTEN_BYTES_PER_S, Clock


@pytest.fixture
def now(monkeypatch):
    """A clock to be set by hand: `now[0]` is the time in seconds."""
    time_s = [100.0]
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: time_s[0])
    return time_s


def test_seconds_count_from_the_beginning_over_all_attempts(now):
    clock = Clock(90.0)
    assert clock.seconds() == 10.0
    clock.spent_s = 50.0
    assert clock.seconds() == 60.0


def test_speed_is_that_of_the_last_steps_without_the_first_and_what_lies_between_them(now):
    clock = Clock(100.0)
    now[0] = 130.0  # layers are compiled
    clock.stepped(600)
    assert clock.events_per_s() == 20.0
    for seconds, events in ((2.0, 1000), (3.0, 1000)):
        now[0] += 7.0  # validation
        clock.lap()
        now[0] += seconds
        clock.stepped(events)
    assert clock.events_per_s() == 400.0


def test_the_end_is_a_step_a_validation_and_a_checkpoint(now):
    clock = Clock(100.0)
    assert clock.ending_s(8.0, 10**6) == 0.0
    for _ in range(3):
        now[0] += 0.5
        clock.stepped(100)
    written_s = CHECKPOINT_BYTES * 10**6 / WRITTEN_BYTES_PER_S
    assert clock.ending_s(8.0, 10**6) == pytest.approx(0.5 + 4.0 + written_s)
    clock.epoch_end_s = 6.0  # with a sample it took longer
    assert clock.ending_s(8.0, 10**6) == pytest.approx(0.5 + 6.0 + written_s)
