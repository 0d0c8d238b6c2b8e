from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.repeats import BarSigns, played_order

PLAIN = BarSigns()
BEGIN, END = BarSigns(begins_repeat=True), BarSigns(ends_repeat=True)
FIRST, SECOND = BarSigns(ends_repeat=True, endings=frozenset({1})), BarSigns(endings=frozenset({2}))
FINE, RETURN = BarSigns(is_fine=True), BarSigns(returns=True)


def test_bars_without_signs_are_played_once_in_order():
    assert played_order([PLAIN] * 4) == [0, 1, 2, 3]
    assert played_order([]) == []


def test_a_repeat_goes_back_to_its_beginning():
    assert played_order([PLAIN, BEGIN, END, PLAIN]) == [0, 1, 2, 1, 2, 3]


def test_a_repeat_without_a_beginning_goes_back_to_the_end_of_the_one_before():
    assert played_order([PLAIN, END, PLAIN, END, PLAIN]) == [0, 1, 0, 1, 2, 3, 2, 3, 4]


def test_first_and_second_endings():
    assert played_order([PLAIN, FIRST, SECOND, PLAIN]) == [0, 1, 0, 2, 3]


def test_a_first_ending_whose_second_has_no_bracket():
    assert played_order([PLAIN, FIRST, PLAIN]) == [0, 1, 0, 2]


def test_a_bracket_for_two_turns_and_one_for_the_third():
    both = BarSigns(ends_repeat=True, endings=frozenset({1, 2}))
    third = BarSigns(endings=frozenset({3}))
    assert played_order([PLAIN, both, third]) == [0, 1, 0, 1, 0, 2]


def test_a_repeat_after_endings_begins_after_them():
    assert played_order([PLAIN, FIRST, SECOND, PLAIN, END]) == [0, 1, 0, 2, 3, 4, 3, 4]


def test_da_capo_al_fine_takes_no_repeats_the_second_time():
    assert played_order([PLAIN, END, FINE, PLAIN, RETURN]) == [0, 1, 0, 1, 2, 3, 4, 0, 1, 2]


def test_dal_segno_al_fine():
    assert played_order([PLAIN, BarSigns(is_segno=True), FINE, RETURN]) == [0, 1, 2, 3, 1, 2]


def test_da_capo_without_fine_is_left_out():
    assert played_order([PLAIN, RETURN]) == [0, 1]


signs = st.builds(
    BarSigns,
    st.booleans(),
    st.booleans(),
    st.frozensets(st.integers(1, 3), max_size=2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(signs, max_size=12))
def test_any_mixture_of_signs_ends_and_plays_every_bar_outside_brackets(bars):
    order = played_order(bars)
    assert len(order) <= 8 * len(bars)
    assert set(order) <= set(range(len(bars)))
    if not any(bar.is_fine for bar in bars):
        assert {i for i, bar in enumerate(bars) if not bar.endings} <= set(order)
