from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, make_piece, rows_of

from amt_ray.midi.duplicates import (
    FEW_SHINGLES,
    KEPT,
    SAME_FIGURES,
    SAME_LENGTH,
    SAME_LENGTH_OF_FIGURES,
    SAME_MUSIC,
    near_duplicates,
)
from amt_ray.midi.fingerprint import (
    FEWEST_SHINGLES,
    N_ONSETS,
    N_SHINGLES,
    N_SLOTS,
    SKETCH_SIZE,
    WHOLE_HIGH,
    WHOLE_LOW,
    sketch,
)
from amt_ray.midi.instruments import DRUMS

MUCH = (1000, 1000)
"""Onsets and shingles."""


def random_sketch(rng, n_onsets=1000, n_shingles=1000, whole=0):
    made = rng.integers(0, 2**32, SKETCH_SIZE, dtype=np.uint32)
    made[[N_ONSETS, N_SHINGLES, WHOLE_HIGH, WHOLE_LOW]] = n_onsets, n_shingles, whole, whole
    return made


def like(one, n_equal, rng, *counts):
    """A sketch that agrees with another one in so many slots."""
    made = random_sketch(rng, *counts)
    same = rng.permutation(N_SLOTS)[:n_equal]
    made[same] = one[same]
    return made


def same_by_definition(one, other):
    shingles = min(one[N_SHINGLES], other[N_SHINGLES])
    if shingles < FEWEST_SHINGLES:
        return one[WHOLE_HIGH] > 0 and list(one[[WHOLE_HIGH, WHOLE_LOW]]) == list(other[[WHOLE_HIGH, WHOLE_LOW]])
    lengths = sorted([int(one[N_ONSETS]), int(other[N_ONSETS])])
    similarity, length = sum(one[:N_SLOTS] == other[:N_SLOTS]) / N_SLOTS, lengths[0] / lengths[1]
    if shingles < FEW_SHINGLES:
        return similarity >= SAME_FIGURES and length >= SAME_LENGTH_OF_FIGURES
    return similarity >= SAME_MUSIC and length >= SAME_LENGTH


def near_duplicates_by_definition(sketches):
    kept_as, kept = [], []
    for i, one in enumerate(sketches):
        kept_as.append(next((j for j in kept if same_by_definition(sketches[j], one)), KEPT))
        if kept_as[-1] == KEPT:
            kept.append(i)
    return kept_as


def found(*sketches):
    return near_duplicates(np.stack(sketches)).tolist()


def of_pieces(*pieces):
    return found(*map(sketch, pieces))


@given(st.integers(0, 10**6), st.sampled_from([16, 40]), st.randoms(use_true_random=False))
def test_the_same_music_in_another_file_is_found(seed, n_bars, random):
    piece = compose(seed, n_bars)
    semitones, silence = random.randint(-12, 12), random.randint(0, 5000)
    rows = [
        (2 * on + silence + random.randint(-2, 2), d, pitch if p == DRUMS else pitch + semitones, 99, p if p == DRUMS else 3)
        for on, d, pitch, _, p in rows_of(piece)
    ]
    other = replace(make_piece([(max(0, on), *note) for on, *note in rows], 960), tempo_bpm=np.array([77.0]))
    assert of_pieces(piece, other) == [KEPT, 0]


@pytest.mark.parametrize("seed", range(12))
def test_music_with_one_note_in_fifty_changed_is_found(seed):
    rng = np.random.default_rng(seed)
    piece = compose(seed, 64)
    rows = [(on, d, pitch + 3 * (rng.random() < 0.02), v, p) for on, d, pitch, v, p in rows_of(piece)]
    assert of_pieces(piece, make_piece(rows, 480)) == [KEPT, 0]


@pytest.mark.parametrize("n_bars", [8, 16, 32])
def test_different_pieces_are_kept(n_bars):
    sketches = np.stack([sketch(compose(seed, n_bars)) for seed in range(250)])
    assert (near_duplicates(sketches) == KEPT).all()


def test_the_same_beat_with_other_fills_is_another_piece():
    def beat(seed, n_bars=16):
        rng = np.random.default_rng(seed)
        rows = [(bar * 1920 + i * 240, 60, 42, 80, DRUMS) for bar in range(n_bars) for i in range(8)]
        rows += [(bar * 1920 + at, 60, pitch, 99, DRUMS) for bar in range(n_bars) for at, pitch in ((0, 36), (480, 38))]
        fills = [(bar, i) for bar in range(3, n_bars, 4) for i in range(4)]
        rows += [(bar * 1920 + 1440 + i * 120, 60, int(rng.choice([41, 45, 48])), 99, DRUMS) for bar, i in fills]
        return make_piece(rows, 480)

    assert of_pieces(*map(beat, range(8))) == [KEPT] * 8
    assert of_pieces(beat(0), beat(0)) == [KEPT, 0]


def test_a_figure_repeated_more_often_is_another_piece():
    def loop(times):
        return make_piece([(i * 240, 200, 60 + (0, 4, 7, 12)[i % 4], 80, 0) for i in range(4 * times)], 480)

    assert of_pieces(loop(16), loop(17), loop(16)) == [KEPT, KEPT, 0]


def test_a_duplicate_names_a_piece_that_is_kept():
    rng = np.random.default_rng(0)
    one, three = random_sketch(rng), random_sketch(rng)
    two = one.copy()
    half = rng.permutation(N_SLOTS)[: N_SLOTS // 2]
    two[half] = three[half]
    assert found(one, two, three) == [KEPT, 0, KEPT]
    assert found(two, one, three) == [KEPT, 0, 0]
    assert found(one, three, two) == [KEPT, KEPT, 0]


N_SAME, N_SAME_FIGURES = round(SAME_MUSIC * N_SLOTS), round(SAME_FIGURES * N_SLOTS)
FEW = (1000, FEW_SHINGLES - 1)


@pytest.mark.parametrize(
    ("n_equal", "first", "second", "is_same"),
    [
        (N_SAME, MUCH, MUCH, True),
        (N_SAME - 1, MUCH, MUCH, False),
        (N_SLOTS, MUCH, (round(1000 / SAME_LENGTH), 1000), True),
        (N_SLOTS, MUCH, (round(1000 / SAME_LENGTH) + 1, 1000), False),
        (N_SLOTS, MUCH, (round(1000 * SAME_LENGTH) - 1, 1000), False),
        (N_SAME_FIGURES, (1000, FEW_SHINGLES), FEW, True),
        (N_SAME_FIGURES - 1, (1000, FEW_SHINGLES), FEW, False),
        (N_SAME_FIGURES - 1, (1000, FEW_SHINGLES), (1000, FEW_SHINGLES), True),
        (N_SLOTS, MUCH, (round(1000 * SAME_LENGTH_OF_FIGURES), FEW_SHINGLES - 1), True),
        (N_SLOTS, MUCH, (round(1000 * SAME_LENGTH_OF_FIGURES) - 1, FEW_SHINGLES - 1), False),
        (N_SLOTS, (1000, FEWEST_SHINGLES), (1000, FEWEST_SHINGLES), True),
        (N_SLOTS, (1000, FEWEST_SHINGLES), (1000, FEWEST_SHINGLES - 1), False),
        (N_SLOTS, (20, 9), (20, 9), False),
        (0, (20, 9, 5), (20, 9, 5), True),
        (N_SLOTS, (20, 9, 5), (20, 9, 6), False),
    ],
)
def test_each_rule_holds_at_its_edge(n_equal, first, second, is_same):
    rng = np.random.default_rng(1)
    one = random_sketch(rng, *first)
    assert found(one, like(one, n_equal, rng, *second)) == [KEPT, 0 if is_same else KEPT]


@pytest.mark.parametrize("seed", range(6))
def test_buckets_find_what_comparing_all_pairs_finds(seed):
    rng = np.random.default_rng(seed)
    sketches = [random_sketch(rng, *counts) for counts in ((1000, 1000), (990, 150), (40, 20, 7), (40, 20, 8))]
    for _ in range(120):
        one = sketches[int(rng.integers(len(sketches)))]
        counts = [int(one[i]) for i in (N_ONSETS, N_SHINGLES, WHOLE_HIGH)]
        counts[0] = int(counts[0] * rng.choice([1, 1, 0.97, 0.9]))
        sketches.append(like(one, int(rng.choice([0, 30, 48, 72, 78, 90, 120])), rng, *counts))
    expected = near_duplicates_by_definition(sketches)
    assert 20 < sum(j != KEPT for j in expected) < 120
    assert found(*sketches) == expected


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(60, 120)), max_size=25), st.integers(0, 25))
def test_what_comes_later_changes_nothing(drawn, n_first):
    rng = np.random.default_rng(5)
    families = [random_sketch(rng) for _ in range(5)]
    sketches = np.array([like(families[i], n_equal, rng) for i, n_equal in drawn], np.uint32).reshape(-1, SKETCH_SIZE)
    kept_as = near_duplicates(sketches)
    np.testing.assert_array_equal(near_duplicates(sketches[:n_first]), kept_as[:n_first])
    assert all(kept_as[j] == KEPT and j < i for i, j in enumerate(kept_as) if j != KEPT)


def test_no_pieces_have_no_duplicates():
    assert near_duplicates(np.zeros((0, SKETCH_SIZE), np.uint32)).shape == (0,)


@pytest.mark.parametrize("shape", [(SKETCH_SIZE,), (2, SKETCH_SIZE - 1)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"received sketches of shape \("):
        near_duplicates(np.zeros(shape, np.uint32))
