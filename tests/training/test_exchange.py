from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.events.vocabulary import BAR, BOS, CONTROL_ORDER, EOS, GENRE, KEY, LENGTH, MOOD, PITCH, PROGRAM, STYLE
from amt_ray.training.batches import Rows
from amt_ray.training.exchange import givers_of, rows_at, with_controls, with_texts, without_controls

MUSIC = [BAR, PROGRAM.start + 3, PITCH.start, EOS]
"""Its program looks like a control and is none."""


def rows_from(controls, contexts=None, texts=None):
    contexts = contexts or [[]] * len(controls)
    sequences = [[BOS, *told, *context, *MUSIC] for told, context in zip(controls, contexts, strict=True)]
    return Rows(
        ids=np.array([event for ids in sequences for event in ids], np.uint16),
        starts=np.append(0, np.cumsum([len(ids) for ids in sequences], dtype=np.int64)),
        n_controls=np.array([len(told) for told in controls], np.int64),
        n_context=np.array([len(context) for context in contexts], np.int64),
        texts=texts or [np.array([i]) for i in range(len(controls))],
        text_vectors=np.eye(8, dtype=np.float32),
    )


def read(rows):
    """Each window as (controls, context, own events)."""
    windows = [rows.ids[a:b].tolist() for a, b in zip(rows.starts, rows.starts[1:], strict=False)]
    assert all(ids[0] == BOS for ids in windows)
    ends = [1 + n for n in rows.n_controls]
    return [
        (ids[1:end], ids[end : end + n], ids[end + n :])
        for ids, end, n in zip(windows, ends, rows.n_context, strict=True)
    ]  # fmt: skip


ROWS = rows_from(
    [
        [STYLE.start, KEY.start, PROGRAM.start, LENGTH.start],
        [STYLE.start + 1, KEY.start + 1, PROGRAM.start + 5, PROGRAM.start + 40, PROGRAM.start + 128, LENGTH.start + 1],
        [MOOD.start, LENGTH.start + 2],
    ],
    [[], [BAR, PITCH.start + 1], [BAR]],
)
AROUND = np.array([1, 2, 0])


def test_windows_are_copied_in_the_order_that_is_asked():
    rows = rows_at(ROWS, np.array([2, 0]))
    assert read(rows) == [read(ROWS)[2], read(ROWS)[0]]
    assert [texts.tolist() for texts in rows.texts] == [[2], [0]]
    assert rows.text_vectors is ROWS.text_vectors
    none = rows_at(ROWS, np.array([], int))
    assert (len(none), none.ids.tolist(), none.starts.tolist(), none.texts) == (0, [], [0], [])


def test_a_window_is_told_another_s_instruments_as_a_set_and_where_they_belong():
    assert read(with_controls(ROWS, (PROGRAM,), AROUND)) == [
        (
            [STYLE.start, KEY.start, PROGRAM.start + 5, PROGRAM.start + 40, PROGRAM.start + 128, LENGTH.start],
            [],
            MUSIC,
        ),
        ([STYLE.start + 1, KEY.start + 1, LENGTH.start + 1], [BAR, PITCH.start + 1], MUSIC),
        ([MOOD.start, PROGRAM.start, LENGTH.start + 2], [BAR], MUSIC),
    ]


def test_controls_of_several_blocks_come_from_one_window():
    told = [controls for controls, _, _ in read(with_controls(ROWS, (LENGTH, STYLE), AROUND))]
    assert told == [
        [STYLE.start + 1, KEY.start, PROGRAM.start, LENGTH.start + 1],
        [KEY.start + 1, PROGRAM.start + 5, PROGRAM.start + 40, PROGRAM.start + 128, LENGTH.start + 2],
        [STYLE.start, MOOD.start, LENGTH.start],
    ]
    told = [controls for controls, _, _ in read(with_controls(ROWS, CONTROL_ORDER, AROUND))]
    assert told == [read(ROWS)[giver][0] for giver in AROUND]


def test_what_is_left_out_leaves_the_rest_as_it_was():
    left = read(without_controls(ROWS, (PROGRAM, STYLE)))
    assert left == [
        ([KEY.start, LENGTH.start], [], MUSIC),
        ([KEY.start + 1, LENGTH.start + 1], [BAR, PITCH.start + 1], MUSIC),
        ([MOOD.start, LENGTH.start + 2], [BAR], MUSIC),
    ]
    assert read(without_controls(ROWS, ())) == read(ROWS)
    assert [controls for controls, _, _ in read(without_controls(ROWS, CONTROL_ORDER))] == [[], [], []]


def test_texts_go_from_window_to_window():
    rows = with_texts(rows_from([[]] * 3, texts=[np.array([4, 5]), np.array([0]), np.array([3])]), AROUND)
    assert [texts.tolist() for texts in rows.texts] == [[0], [3], [4, 5]]


@st.composite
def told_and_givers(draw):
    """Controls of some windows, each in the order of the event language, and a permutation of the windows."""

    def some_of(block):
        most = 4 if block is PROGRAM else 1
        return st.lists(st.integers(block.start, block.end - 1), max_size=most, unique=True).map(sorted)

    window = st.tuples(*map(some_of, CONTROL_ORDER)).map(lambda runs: [event_id for run in runs for event_id in run])
    controls = draw(st.lists(window, min_size=1, max_size=5))
    return controls, np.array(draw(st.permutations(range(len(controls)))))


@given(told_and_givers(), st.sets(st.sampled_from(CONTROL_ORDER)))
def test_an_exchange_can_be_undone_and_touches_no_music(drawn, blocks):
    controls, givers = drawn
    rows = rows_from(controls, [[BAR] * (i % 3) for i in range(len(controls))])
    blocks = tuple(blocks)
    changed = with_controls(rows, blocks, givers)
    assert [window[1:] for window in read(changed)] == [window[1:] for window in read(rows)]
    assert read(with_controls(changed, blocks, np.argsort(givers))) == read(rows)
    rest = tuple(block for block in CONTROL_ORDER if block not in blocks)
    assert read(without_controls(changed, blocks)) == read(without_controls(rows, blocks))
    left = [window[0] for window in read(without_controls(changed, rest))]
    assert left == [read(without_controls(rows, rest))[giver][0] for giver in givers]


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_as_few_as_possible_take_their_own_value(values):
    givers = givers_of(values)
    assert sorted(givers.tolist()) == list(range(len(values)))
    n_commonest = max(Counter(values).values(), default=0)
    kept = sum(values[giver] == value for value, giver in zip(values, givers, strict=True))
    assert kept == max(0, 2 * n_commonest - len(values))
    assert givers.tolist() == givers_of(values).tolist()


def test_takers_are_not_told_the_value_beside_their_own():
    values = np.arange(1000)
    steps = np.abs(values[givers_of(values.tolist())] - values)
    assert steps.mean() == pytest.approx(1000 / 3, rel=0.1)


def test_where_all_have_the_same_value_each_takes_its_own():
    assert givers_of([b"x"] * 3).tolist() == [0, 1, 2]
    assert len(givers_of([GENRE.start])) == 1
    assert givers_of([]).tolist() == []
