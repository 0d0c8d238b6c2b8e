from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, facts, make_piece, pieces
from walks import random_infill_walk, random_walk

from amt_ray.events.controls import Controls
from amt_ray.events.encode import decode, encode, encode_bars
from amt_ray.events.grammar import START_INFILL, check
from amt_ray.events.infill import (
    HIDDEN_BARS_OVERHEAD,
    HIDDEN_PART_OVERHEAD,
    INFILL_OVERHEAD,
    draw_infill,
    filled,
    hide_bars,
    hide_part,
)
from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, DURATION, END_FILL, FILL, GAP, N_IDS, PAD, POSITION, PROGRAM, name_of
from amt_ray.midi.instruments import DRUMS

IDS = {name_of(event_id): event_id for event_id in range(N_IDS)}
seeds = st.integers(0, 2**32 - 1)


@st.composite
def windows(draw):
    """A window of a random piece with controls, or a random walk through the grammar: odd metres, empty bars, crowds."""
    kind = draw(st.sampled_from(("piece", "walk", "many bars")))
    if kind == "walk":
        return np.array(random_walk(np.random.default_rng(draw(seeds)))[0], np.uint16)
    if kind == "many bars":
        return filled(random_infill_walk(np.random.default_rng(draw(seeds)))[0])
    quantised = quantise(draw(pieces()))
    controls = Controls(tempo_bpm=100.0, key="none", time_signature="4/4", programs=(0, 40), bars=len(quantised.bar_metre))
    return encode_bars(quantised, controls, goes_on=draw(st.booleans()))


def ids_of(*names):
    return np.array([IDS[name] for name in names], np.uint16)


def n_notes(ids):
    return sum(event_id in DURATION for event_id in ids.tolist())


def bars_of(ids):
    """A plain window's bars, each as its ids."""
    at = [*np.flatnonzero(ids == BAR).tolist(), len(ids) - 1]
    return [ids[first:last] for first, last in zip(at, at[1:])]  # noqa: B905, RUF007 - pairs of neighbours


def programs_of(ids):
    """Programs that sound in a plain window."""
    return sorted({int(i) - PROGRAM.start for bar in bars_of(ids) for i in bar if int(i) in PROGRAM})


def spans(ids):
    """All spans of bars that may be hidden."""
    notes = [n_notes(bar) for bar in bars_of(ids)]
    n_bars = len(notes)
    return [
        (first, last)
        for first in range(n_bars)
        for last in range(first + 1, n_bars + 1)
        if 0 < sum(notes[first:last]) < sum(notes)
    ]


def assert_is_infill_of(hidden, ids):
    assert hidden.dtype == np.uint16
    assert filled(hidden).dtype == np.uint16
    assert filled(hidden).tolist() == ids.tolist()
    assert facts(decode(hidden)) == facts(decode(ids))
    state = check(hidden, START_INFILL)
    assert (state.last, state.notes) == ("END", n_notes(ids))
    with pytest.raises(ValueError, match=r"(GAP|FILL) cannot follow"):
        check(hidden)
    with pytest.raises(ValueError, match=r"(EOS|MORE) cannot follow"):
        check(ids, START_INFILL)


@given(windows(), st.data())
def test_hidden_bars_come_back(ids, data):
    possible = spans(ids)
    if not possible:
        return
    first, last = data.draw(st.sampled_from(possible))
    hidden = hide_bars(ids, first, last)
    assert_is_infill_of(hidden, ids)
    assert len(ids) + 3 <= len(hidden) <= len(ids) + HIDDEN_BARS_OVERHEAD
    gap, fill, end_fill = (hidden.tolist().index(mark) for mark in (GAP, FILL, END_FILL))
    bar_counts = [int((part == BAR).sum()) for part in (hidden[:gap], hidden[gap:fill], hidden[fill:end_fill])]
    assert bar_counts == [first, len(bars_of(ids)) - last, last - first]
    assert (end_fill, hidden[-1]) == (len(hidden) - 2, ids[-1])


@given(windows(), st.data())
def test_a_hidden_part_comes_back(ids, data):
    programs = programs_of(ids)
    if len(programs) < 2:
        return
    program = data.draw(st.sampled_from(programs))
    hidden = hide_part(ids, program)
    assert_is_infill_of(hidden, ids)
    fill, n_bars = hidden.tolist().index(FILL), len(bars_of(ids))
    first_bar = hidden.tolist().index(BAR)
    assert len(hidden) <= len(ids) + HIDDEN_PART_OVERHEAD + n_bars
    assert PROGRAM.start + program not in hidden[first_bar:fill]
    assert hidden[fill + 1] == PROGRAM.start + program
    assert not any(int(event_id) in PROGRAM for event_id in hidden[fill + 2 :])
    assert [int((part == BAR).sum()) for part in (hidden[:fill], hidden[fill:])] == [n_bars, n_bars]
    # Each position is followed by something that sounds there.
    for here, following in zip(hidden[first_bar:], hidden[first_bar + 1 :], strict=False):
        assert int(here) not in POSITION or int(following) not in POSITION
        assert int(here) not in POSITION or int(following) not in (BAR, FILL, END_FILL)


HEAD = ["BOS", "MOOD calm"]
FIRST = ["BAR", "TIME_SIGNATURE 4/4", "TEMPO 119.3"]
PIANO = ["POSITION 0", "PROGRAM piano", "PITCH 60", "VELOCITY 84", "DURATION 12"]
BEAT = ["DRUM 36", "VELOCITY 124", "DURATION 6"]
VIOLIN = ["POSITION 18", "PROGRAM violin", "PITCH 67", "VELOCITY 4", "DURATION 24"]


def small_window():
    rows = [(0, 12, 60, 84, 0), (0, 6, 36, 124, DRUMS), (66, 24, 67, 4, 40), (96, 12, 60, 84, 0), (96, 6, 36, 124, DRUMS)]
    rows += [(132, 12, 60, 84, 0)]
    piece = make_piece(rows, tempi=[(0, 119.3), (96, 28.0)], metres=[(0, 4, 4), (96, 3, 4)])
    return encode(piece, Controls(mood="calm"))


def test_the_small_window_reads_as_written():
    assert [name_of(event_id) for event_id in small_window().tolist()] == [
        *HEAD, *FIRST, *PIANO, "PROGRAM drums", *BEAT, "BAR", *VIOLIN,
        "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "PROGRAM drums", *BEAT, "BAR", *PIANO, "EOS",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("span", "names"),
    [
        ((1, 2), [*HEAD, *FIRST, *PIANO, "PROGRAM drums", *BEAT, "GAP", "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO,
                  "PROGRAM drums", *BEAT, "BAR", *PIANO, "FILL", *FIRST, *VIOLIN, "END_FILL", "EOS"]),
        ((0, 3), [*HEAD, "GAP", "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "FILL", *FIRST, *PIANO, "PROGRAM drums",
                  *BEAT, "BAR", *VIOLIN, "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "PROGRAM drums", *BEAT,
                  "END_FILL", "EOS"]),
        ((1, 4), [*HEAD, *FIRST, *PIANO, "PROGRAM drums", *BEAT, "GAP", "FILL", *FIRST, *VIOLIN, "BAR",
                  "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "PROGRAM drums", *BEAT, "BAR", *PIANO, "END_FILL", "EOS"]),
    ],
)  # fmt: skip
def test_hidden_bars_read_as_written(span, names):
    assert [name_of(event_id) for event_id in hide_bars(small_window(), *span).tolist()] == names


@pytest.mark.parametrize(
    ("program", "names"),
    [
        (DRUMS, [*HEAD, *FIRST, *PIANO, "BAR", *VIOLIN, "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "BAR", *PIANO,
                 "FILL", "PROGRAM drums", "BAR", "POSITION 0", *BEAT, "BAR", "BAR", "POSITION 0", *BEAT, "BAR",
                 "END_FILL", "EOS"]),
        (40, [*HEAD, *FIRST, *PIANO, "PROGRAM drums", *BEAT, "BAR", "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO,
              "PROGRAM drums", *BEAT, "BAR", *PIANO,
              "FILL", "PROGRAM violin", "BAR", "BAR", VIOLIN[0], *VIOLIN[2:], "BAR", "BAR", "END_FILL", "EOS"]),
    ],
)  # fmt: skip
def test_a_hidden_part_reads_as_written(program, names):
    assert [name_of(event_id) for event_id in hide_part(small_window(), program).tolist()] == names


def test_an_empty_bar_behind_a_gap_does_not_take_the_next_bars_metre():
    rows = [(48 * bar, 12, 60, 84, 0) for bar in (0, 1, 3)]
    ids = encode(make_piece(rows, tempi=[(0, 119.3), (144, 28.0)], metres=[(0, 4, 4), (144, 3, 4)]))
    assert [name_of(event_id) for event_id in hide_bars(ids, 1, 2).tolist()] == [
        "BOS", *FIRST, *PIANO, "GAP", *FIRST, "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", *PIANO, "FILL", *FIRST, *PIANO,
        "END_FILL", "EOS",
    ]  # fmt: skip
    assert_is_infill_of(hide_bars(ids, 2, 4), ids)


def test_the_overheads_are_reached():
    rows = [(48 * bar, 12, 60, 84, program) for bar in range(6) for program in (0, 40)]
    ids = encode(make_piece(rows))
    assert len(hide_bars(ids, 2, 4)) == len(ids) + HIDDEN_BARS_OVERHEAD
    assert len(hide_part(ids, 40)) == len(ids) + HIDDEN_PART_OVERHEAD + 6


@pytest.mark.parametrize("span", [(-1, 1), (1, 1), (2, 1), (3, 5), (4, 5), (0, 0)])
def test_bars_that_are_no_bars_are_refused(span):
    with pytest.raises(ValueError, match=f"^bars {span[0]} to {span[1]}: the window has bars 0 to 4"):
        hide_bars(small_window(), *span)


def test_a_gap_needs_a_note_inside_and_one_outside():
    ids = encode(make_piece([(0, 12, 60, 84, 0), (48 * 3, 12, 60, 84, 0)]))
    assert len(bars_of(ids)) == 4
    for span in ((1, 2), (1, 3), (0, 4)):
        with pytest.raises(ValueError, match="a note inside of the gap, and one outside"):
            hide_bars(ids, *span)
    assert spans(ids) == [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize("program", [1, 127, -1, 129])
def test_a_part_that_does_not_play_is_refused(program):
    with pytest.raises(ValueError, match=f"^program {program}: it must have notes in the window"):
        hide_part(small_window(), program)


def test_the_only_part_is_refused():
    with pytest.raises(ValueError, match="must not be the only one"):
        hide_part(encode(make_piece([(0, 12, 60, 84, 7)]), Controls(programs=(7, 40))), 7)


@pytest.mark.parametrize("ids", [[], [1], small_window()[:-1], [*small_window(), PAD], hide_bars(small_window(), 1, 2)])
def test_only_of_a_whole_plain_window_something_can_be_hidden(ids):
    ids = np.array(ids, np.uint16)
    for hide in (
        lambda: hide_bars(ids, 0, 1),
        lambda: hide_part(ids, 0),
        lambda: draw_infill(ids, np.random.default_rng(0)),
    ):
        with pytest.raises(ValueError, match="only a whole sequence with bars"):
            hide()


def without(ids, *marks):
    return ids[~np.isin(ids, marks)]


BARS, PART = hide_bars(small_window(), 1, 2), hide_part(small_window(), 40)


@pytest.mark.parametrize(
    ("ids", "complaint"),
    [
        (without(BARS, END_FILL), r"GAP at \[14\], FILL at \[33\], END_FILL at \[\]"),
        (without(BARS, FILL), r"FILL at \[\]"),
        (without(BARS, FILL, END_FILL), "allowed are one FILL"),
        (without(BARS, GAP), "begins with its PROGRAM"),
        (np.insert(BARS, 20, GAP), r"GAP at \[14, 20\]"),
        (np.insert(BARS, 40, GAP), r"GAP at \[14, 40\]"),
        (np.insert(without(BARS, GAP), 38, GAP), r"GAP at \[38\], FILL at \[32\]"),
        (np.append(BARS[:-1], [FILL, END_FILL]), r"FILL at \[33, 43\]"),
        (without(PART, FILL), "allowed are one FILL"),
        (ids_of("BOS", "FILL", "END_FILL", "EOS"), "begins with its PROGRAM"),
    ],
)
def test_fills_that_are_not_whole_are_refused(ids, complaint):
    for read in (filled, decode):
        with pytest.raises(ValueError, match=complaint):
            read(ids)


@given(windows())
def test_a_plain_sequence_is_filled_already(ids):
    assert filled(ids).tolist() == ids.tolist()
    assert filled(ids[:-3].tolist()).tolist() == ids[:-3].tolist()


def test_padding_stays_behind_a_fill():
    for hidden in (BARS, PART):
        assert filled([*hidden, PAD, PAD]).tolist() == [*small_window(), PAD, PAD]


@given(windows(), seeds, st.sampled_from((0, 5, 7, 12, 64, 10_000)))
def test_a_drawn_infill_keeps_to_its_room_and_comes_back(ids, seed, most_added):
    drawn = draw_infill(ids, np.random.default_rng(seed), most_added)
    assert len(drawn) <= len(ids) + most_added
    fits = [p for p in programs_of(ids) if len(programs_of(ids)) > 1 and len(hide_part(ids, p)) <= len(ids) + most_added]
    if (spans(ids) and most_added >= HIDDEN_BARS_OVERHEAD) or fits:
        assert_is_infill_of(drawn, ids)
    else:
        assert drawn.tolist() == ids.tolist()
    assert drawn.tolist() == draw_infill(ids, np.random.default_rng(seed), most_added).tolist()


def test_a_part_is_drawn_from_the_room_on_that_it_needs():
    ids = encode(compose(2, n_bars=5))
    added = {program: len(hide_part(ids, program)) - len(ids) for program in programs_of(ids)}
    assert set(added.values()) == {-3, 8}
    for most_added in range(min(added.values()) - 1, max(added.values()) + 2):
        drawn = [draw_infill(ids, np.random.default_rng(seed), most_added).tolist() for seed in range(40)]
        parts = {infill[infill.index(FILL) + 1] - PROGRAM.start for infill in drawn if FILL in infill and GAP not in infill}
        assert parts == {program for program in added if added[program] <= most_added}


@given(windows(), seeds)
def test_unless_told_otherwise_a_drawn_infill_adds_no_more_than_the_constant(ids, seed):
    assert len(draw_infill(ids, np.random.default_rng(seed))) <= len(ids) + INFILL_OVERHEAD


def test_bars_and_parts_are_drawn_alike_and_so_are_spans_and_programs():
    ids, rng, n = encode(compose(2, n_bars=5)), np.random.default_rng(0), 4000
    names = Counter()
    for _ in range(n):
        hidden = draw_infill(ids, rng).tolist()
        fill, end = hidden.index(FILL), hidden.index(END_FILL)
        names[("bars", hidden[fill:end].count(BAR)) if GAP in hidden else ("part", hidden[fill + 1] - PROGRAM.start)] += 1
    wanted = {("bars", length): n / 8 for length in (1, 2, 3, 4)}
    programs = programs_of(ids)
    assert len(programs) == 4
    wanted |= {("part", program): n / 2 / len(programs) for program in programs}
    assert set(names) == set(wanted)
    for name, count in wanted.items():
        assert names[name] == pytest.approx(count, abs=5 * np.sqrt(count))


def test_a_gap_is_drawn_anywhere():
    ids, rng = encode(make_piece([(48 * bar, 12, 60, 84, 0) for bar in range(4)])), np.random.default_rng(0)
    drawn = {tuple(draw_infill(ids, rng).tolist()) for _ in range(300)}
    assert drawn == {tuple(hide_bars(ids, *span).tolist()) for span in spans(ids)}
    assert len(drawn) == 9


def test_where_nothing_can_be_hidden_the_window_stays():
    one_note = encode(make_piece([(0, 12, 60, 84, 0)]))
    assert draw_infill(one_note, np.random.default_rng(0)).tolist() == one_note.tolist()
    one_bar = encode(make_piece([(0, 12, 60, 84, 0), (12, 12, 60, 84, 40)]))
    drawn = {tuple(draw_infill(one_bar, np.random.default_rng(seed)).tolist()) for seed in range(20)}
    assert drawn == {tuple(hide_part(one_bar, program).tolist()) for program in (0, 40)}
