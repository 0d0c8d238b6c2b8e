from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LISTED_METRES, ODD_METRES

from amt_ray.events.bars import bar_lines, fill, listed_metres
from amt_ray.events.vocabulary import BAR_UNITS, METRES


def lay(changes, end_units):
    """Bars of changes (unit, numerator, denominator) as (start, "n/d")."""
    unit, numerator, denominator = np.array(changes, np.int64).T
    start, metre = bar_lines(unit, numerator, denominator, end_units)
    return [(int(s), "{}/{}".format(*METRES[m])) for s, m in zip(start, metre, strict=True)]


def names(indices):
    return ["{}/{}".format(*METRES[index]) for index in indices]


@pytest.mark.parametrize(
    ("numerator", "denominator", "bars"),
    [
        (4, 4, ["4/4"]),
        (6, 8, ["6/8"]),
        (4, 8, ["2/4"]),
        (8, 8, ["4/4"]),
        (7, 4, ["4/4", "3/4"]),
        (5, 8, ["2/4", "1/8"]),
        (4, 2, ["4/4", "4/4"]),
        (9, 4, ["4/4", "5/4"]),
        (6, 16, ["3/8"]),
        (12, 16, ["6/8"]),
        (47, 32, ["6/4"]),  # 11.75 eighths, to the nearest
        (1, 16, ["1/8"]),  # none is shorter
        (1, 64, ["1/8"]),
    ],
)
def test_a_metre_becomes_listed_bars(numerator, denominator, bars):
    assert sorted(names(listed_metres(numerator, denominator))) == sorted(bars)


@given(st.integers(1, 64), st.sampled_from((1, 2, 4, 8, 16, 32, 64)))
def test_listed_bars_are_as_long_as_the_metre_to_half_an_eighth(numerator, denominator):
    got = int(BAR_UNITS[list(listed_metres(numerator, denominator))].sum())
    wanted = Fraction(48 * numerator, denominator)
    assert abs(got - wanted) <= 3 or (got == 6 and wanted < 3)


@given(st.integers(1, 2000))
def test_fill_rounds_up_to_an_eighth(units):
    got = int(BAR_UNITS[list(fill(units))].sum())
    assert got % 6 == 0
    assert 0 <= got - units < 6


def test_bars_up_to_the_end_and_no_further():
    assert lay([(0, 3, 4)], 73) == [(0, "3/4"), (36, "3/4"), (72, "3/4")]
    assert lay([(0, 3, 4)], 72) == [(0, "3/4"), (36, "3/4")]
    assert lay([(0, 7, 4)], 10) == [(0, "4/4")]


def test_a_change_on_a_bar_line_begins_there():
    assert lay([(0, 4, 4), (96, 6, 8)], 133) == [(0, "4/4"), (48, "4/4"), (96, "6/8"), (132, "6/8")]


def test_a_pickup_is_a_short_bar():
    assert lay([(0, 4, 4), (12, 4, 4)], 60) == [(0, "1/4"), (12, "4/4")]
    assert lay([(0, 4, 4), (6, 3, 4)], 42) == [(0, "1/8"), (6, "3/4")]


def test_a_change_within_a_bar_cuts_it_to_listed_bars():
    assert lay([(0, 4, 4), (48 + 42, 3, 4)], 91) == [(0, "4/4"), (48, "7/8"), (90, "3/4")]


def test_a_change_between_eighths_waits_for_the_next():
    assert lay([(0, 4, 4), (50, 3, 4)], 60) == [(0, "4/4"), (48, "1/8"), (54, "3/4")]


def test_of_changes_that_fall_together_the_last_counts():
    assert lay([(0, 4, 4), (0, 3, 4), (0, 2, 4)], 30) == [(0, "2/4"), (24, "2/4")]
    assert lay([(0, 4, 4), (48, 3, 4), (48, 2, 4)], 50) == [(0, "4/4"), (48, "2/4")]


def test_changes_after_the_end_are_left_out():
    assert lay([(0, 4, 4), (480, 3, 4), (960, 2, 4)], 10) == [(0, "4/4")]


changes_of = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from(LISTED_METRES + ODD_METRES)),
    max_size=40,
    unique_by=lambda change: change[0],
)


@given(st.sampled_from(LISTED_METRES + ODD_METRES), changes_of, st.integers(1, 1000))
def test_bars_tile_time_and_changes_begin_bars_in_time(first, changes, end_units):
    rows = sorted({0: first, **dict(changes)}.items())
    unit, metre = zip(*rows, strict=True)
    numerator, denominator = np.array(metre, np.int64).T
    start, bar_metre = bar_lines(np.array(unit), numerator, denominator, end_units)
    lengths = BAR_UNITS[bar_metre]
    assert start[0] == 0
    np.testing.assert_array_equal(start[1:], (start + lengths)[:-1])
    assert start[-1] < end_units <= start[-1] + lengths[-1]
    # A change begins a bar less than an eighth note late, unless the next one comes before that.
    for change, next_change in zip(unit, (*unit[1:], end_units), strict=True):
        if next_change - change >= 6 and change <= start[-1]:
            assert 0 <= start[np.searchsorted(start, change)] - change < 6
