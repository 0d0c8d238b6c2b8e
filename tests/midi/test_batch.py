import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, make_piece, pieces, rows_of

from amt_ray.midi.batch import grouped, lay_out, sizes_by_piece, sums
from amt_ray.midi.features import measure, measure_all
from amt_ray.midi.fingerprint import SKETCH_SIZE, sketch, sketches
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.rhythm import MAX_BEATS

LOOP = [
    (12 * i, 12, 48 + pitch, 80, 0) for i in range(16) for pitch in ((0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12))[i % 4]
]
ODD_PIECES = (
    make_piece([(0, 1, 60, 80, 0)], 1),
    make_piece([(7, 480, 127, 1, 127)], 480, key="D minor"),
    make_piece([(12 * i, 6, 36 + i % 3, 80, DRUMS) for i in range(40)]),
    make_piece([(0, 12, 36, 80, DRUMS), *LOOP[:6]], 12, [(0, 60.0), (999, 90.0)], [(0, 6, 8), (48, 5, 8), (500, 3, 4)]),
    make_piece([*LOOP, *LOOP], 12, [(192, 90.0), (5000, 80.0)], [(18, 3, 4), (100, 4, 4), (192, 3, 4), (7777, 4, 4)]),
    make_piece([(16 * i, 16, 60 + i % 7, 80, 0) for i in range(24)], 16, [(700, 90.0)], [(380, 7, 8)]),
    make_piece([(20 * i, 24, 60 + i * i % 11, 80, 40) for i in range(64)], 24),
    make_piece([(0, MAX_BEATS + 9, 60, 80, 0), (MAX_BEATS - 4, 3, 64, 80, 0), (MAX_BEATS + 5, 9, 67, 80, 0)], 16,
               metres=[(0, 1, 64), (MAX_BEATS - 2, 3, 8), (MAX_BEATS + 4, 1, 64)]),
    make_piece([(0, 10**9, 60, 80, 0), (10**9, 9, 64, 80, DRUMS)], 1000, [(10**9 + 4, 77.0)], [(0, 1, 64), (10**9, 2, 4)]),
    *(make_piece([(12 * i, 12, 48 + (i % n) * 12 // n, 80, 0) for i in range(3 * n)], 12) for n in (2, 3, 4, 6, 12)),
    *(compose(seed, 8) for seed in range(4)),
)  # fmt: skip
"""Those that a random one seldom is; several keys fit those of equal steps equally well."""
any_piece = st.one_of(st.sampled_from(ODD_PIECES), pieces(max_quarters=20))
some_pieces = st.lists(any_piece, min_size=1, max_size=6)


def changes_of(some):
    """Ticks of metre changes, by piece."""
    return [piece.metre_ticks for piece in some]


def by_piece(batch, values):
    """What belongs to each piece, as lists."""
    return [
        [value for value, piece in zip(values.tolist(), batch.piece.tolist(), strict=True) if piece == i]
        for i in range(len(batch))
    ]


def masked(draw_from, batch):
    return np.array(draw_from.draw(st.lists(st.booleans(), min_size=len(batch.piece), max_size=len(batch.piece))), np.bool_)


def measured_alone(some):
    rows = [measure(piece).as_row() for piece in some]
    return {name: [row[name] for row in rows] for name in rows[0]}


@given(some_pieces)
def test_pieces_measured_together_are_as_each_alone(some):
    assert measure_all(lay_out(some)) == measured_alone(some)


@given(some_pieces)
def test_sketches_made_together_are_as_each_alone(some):
    together = sketches(lay_out(some))
    assert (together.dtype, together.shape) == (np.uint32, (len(some), SKETCH_SIZE))
    np.testing.assert_array_equal(together, np.stack([sketch(piece) for piece in some]))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, len(ODD_PIECES)])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_however_pieces_are_grouped_they_measure_the_same(size, is_reversed):
    some = ODD_PIECES[::-1] if is_reversed else ODD_PIECES
    groups = [lay_out(some[start : start + size]) for start in range(0, len(some), size)]
    columns = [measure_all(group) for group in groups]
    assert {name: [v for column in columns for v in column[name]] for name in columns[0]} == measured_alone(some)
    np.testing.assert_array_equal(np.concatenate([*map(sketches, groups)]), np.stack([*map(sketch, some)]))


@given(some_pieces)
def test_each_piece_has_a_stretch_of_the_axis_for_itself(some):
    batch = lay_out(some)
    assert len(batch) == len(some)
    end = -1
    for i, piece in enumerate(some):
        start = int(batch.start_ticks[i])
        notes = batch.notes.take(batch.piece == i)
        on_axis = [(onset - start, *row) for onset, *row in rows_of(replace(piece, notes=notes))]
        assert on_axis == rows_of(piece)
        assert (batch.onset_ticks[i], batch.end_ticks[i]) == (start + piece.notes.onset_ticks[0], start + piece.end_ticks)
        assert start > end
        end = start + max(piece.end_ticks, int(piece.tempo_ticks[-1]), int(piece.metre_ticks[-1]))
    assert batch.ticks_per_quarter.tolist() == [piece.ticks_per_quarter for piece in some]
    assert batch.start_ticks[0] == 0


@given(some_pieces, st.data())
def test_taken_notes_are_those_of_the_mask_and_the_pieces_stay(some, data):
    batch = lay_out(some)
    is_taken = masked(data, batch)
    taken = batch.take(is_taken)
    expected = [i for i, is_it in enumerate(is_taken.tolist()) if is_it]
    assert rows_of(replace(some[0], notes=taken.notes)) == [
        rows_of(replace(some[0], notes=batch.notes))[i] for i in expected
    ]
    assert taken.piece.tolist() == [batch.piece.tolist()[i] for i in expected]
    assert taken.n_notes.tolist() == [sum(mask) for mask in by_piece(batch, is_taken)]
    assert len(taken) == len(some)
    assert taken.end_ticks.tolist() == batch.end_ticks.tolist()


@given(some_pieces)
def test_pitched_notes_are_all_but_drums(some):
    batch = lay_out(some)
    assert batch.n_notes.tolist() == [len(piece.notes) for piece in some]
    kept = [[pitch for _, _, pitch, _, program in rows_of(piece) if program != DRUMS] for piece in some]
    assert by_piece(batch.pitched, batch.pitched.notes.pitch) == kept
    assert batch.pitched.n_notes.tolist() == [len(pitches) for pitches in kept]


@given(some_pieces, st.data())
def test_sums_and_histograms_are_those_of_plain_python(some, data):
    batch = lay_out(some)
    is_taken = masked(data, batch)
    assert batch.sums(is_taken).tolist() == [sum(mask) for mask in by_piece(batch, is_taken)]
    taken = batch.take(is_taken)
    velocities, durations = (by_piece(taken, values) for values in (taken.notes.velocity, taken.notes.duration_ticks))
    assert taken.sums(taken.notes.velocity).tolist() == [*map(sum, velocities)]
    assert taken.sums(taken.notes.velocity / 4).tolist() == [sum(own) / 4 for own in velocities]
    counts = [Counter(own) for own in velocities]
    assert taken.histogram(taken.notes.velocity, 128).tolist() == [[count[v] for v in range(128)] for count in counts]
    ticks = [Counter() for _ in some]
    for own, velocity, duration in zip(ticks, velocities, durations, strict=True):
        for v, n in zip(velocity, duration, strict=True):
            own[v] += n
    weighed = taken.histogram(taken.notes.velocity, 128, taken.notes.duration_ticks)
    assert weighed.tolist() == [[own[v] for v in range(128)] for own in ticks]


groups = st.lists(st.lists(st.integers(-1000, 1000), max_size=4), min_size=1, max_size=8)


@given(groups)
def test_sums_of_groups_are_theirs_empty_ones_too(values):
    flat, sizes = np.array([*itertools.chain(*values)], np.int64), np.array([*map(len, values)])
    assert sums(flat, sizes).tolist() == [*map(sum, values)]
    assert sums(flat > 0, sizes).tolist() == [sum(value > 0 for value in group) for group in values]
    assert sums(flat / 8, sizes).tolist() == [sum(group) / 8 for group in values]
    assert [sums(flat.astype(t), sizes).dtype for t in (np.bool_, np.int64, np.float64)] == [np.int64, np.int64, np.float64]


@given(groups)
def test_sizes_are_how_often_each_piece_occurs(values):
    piece = np.repeat(np.arange(len(values)), [*map(len, values)])
    assert sizes_by_piece(piece, len(values)).tolist() == [*map(len, values)]


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 100))
def test_groups_are_as_large_as_they_may_be(sizes, most):
    items = [*enumerate(sizes)]
    groups = [*grouped(items, sizes, most)]
    assert [*itertools.chain(*groups)] == items
    totals = [sum(size for _, size in group) for group in groups]
    assert all(total <= most or len(group) == 1 for total, group in zip(totals, groups, strict=True))
    assert all(total + after[0][1] > most for total, after in zip(totals, groups[1:], strict=False))


@given(some_pieces)
def test_changes_hold_until_the_next_of_their_piece_or_its_end(some):
    batch = lay_out(some)
    changes = batch.changes(changes_of(some))
    flat = [(i, n, tick) for i, piece in enumerate(some) for n, tick in enumerate(piece.metre_ticks.tolist())]
    n_changes = [len(piece.metre_ticks) for piece in some]
    assert changes.piece.tolist() == [i for i, _, _ in flat]
    assert changes.ticks.tolist() == [batch.start_ticks.tolist()[i] + tick for i, _, tick in flat]
    assert changes.is_first.tolist() == [n == 0 for _, n, _ in flat]
    assert changes.is_last.tolist() == [n == n_changes[i] - 1 for i, n, _ in flat]
    spans = []
    for piece in some:
        ends = [*piece.metre_ticks.tolist()[1:], piece.end_ticks]
        starts = piece.metre_ticks.tolist()
        spans.append([max(min(end, piece.end_ticks) - start, 0) for start, end in zip(starts, ends, strict=True)])
    assert changes.span_ticks.tolist() == [*itertools.chain(*spans)]
    assert changes.sums(changes.span_ticks).tolist() == [piece.end_ticks for piece in some]
    assert changes.sums(np.ones(len(flat), np.int64)).tolist() == n_changes


@pytest.mark.parametrize("empty_at", [0, 1, 2])
def test_a_piece_without_notes_is_refused(empty_at):
    some = [make_piece(LOOP), make_piece(LOOP)]
    some.insert(empty_at, make_piece([]))
    with pytest.raises(ValueError, match="without notes"):
        lay_out(some)
