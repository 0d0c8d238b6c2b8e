import io
import math
from dataclasses import replace
from itertools import pairwise, permutations

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, make_piece, pieces, rows_of

from amt_ray.midi.batch import lay_out
from amt_ray.midi.fingerprint import (
    FEWEST_ONSETS,
    FEWEST_SHINGLES,
    N_ONSETS,
    N_SHINGLES,
    N_SLOTS,
    SKETCH_SIZE,
    WHOLE_HIGH,
    WHOLE_LOW,
    sketch,
    sketches,
)
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.write import write_midi

composed = st.builds(compose, st.integers(0, 10**6), st.sampled_from([4, 16, 40]))


def changed(piece, change, ticks_per_quarter=None):
    """The piece with `change(onset, duration, pitch, velocity, program)` made to each note."""
    return make_piece([change(*row) for row in rows_of(piece)], ticks_per_quarter or piece.ticks_per_quarter)


def mixed(seed, other_seed, n_bars_of_other, n_bars=40):
    """A composed piece whose end is another one's."""
    first, other = compose(seed, n_bars), compose(other_seed, n_bars)
    change = (n_bars - n_bars_of_other) * 1920
    rows = [row for row in rows_of(first) if row[0] < change] + [row for row in rows_of(other) if row[0] >= change]
    return make_piece(rows, 480)


def shingles_by_definition(piece):
    """The set of shingles of a piece on a grid, whose notes begin together or at least a fifth of a typical step apart."""
    rows = [row for row in rows_of(piece) if row[4] != DRUMS] or rows_of(piece)
    by_onset = {onset: [row[2] for row in rows if row[0] == onset] for onset in sorted({row[0] for row in rows})}
    gaps = [later - earlier for earlier, later in pairwise(by_onset)]
    comparisons = [(later > earlier * 11 / 9) - (earlier > later * 11 / 9) for earlier, later in pairwise(gaps)]
    found = set()
    for extreme in (min, max):
        line = [extreme(pitches) for pitches in by_onset.values()]
        steps = [later - earlier for earlier, later in pairwise(line)][1:]
        tokens = list(zip(steps, comparisons, strict=True))
        found |= {(extreme, *tokens[i : i + 5]) for i in range(len(tokens) - 4)}
    return found


def assert_same(one, other):
    np.testing.assert_array_equal(sketch(one), sketch(other))


@given(pieces())
def test_any_piece_has_a_sketch_of_one_size(piece):
    found = sketch(piece)
    assert (found.dtype, found.shape) == (np.uint32, (SKETCH_SIZE,))
    assert 1 <= found[N_ONSETS] <= len(piece.notes)


@given(composed, st.integers(-24, 24))
def test_transposing_changes_nothing(piece, semitones):
    assert_same(piece, changed(piece, lambda on, d, pitch, v, p: (on, d, pitch if p == DRUMS else pitch + semitones, v, p)))


@given(composed, st.floats(20, 400))
def test_another_tempo_changes_nothing(piece, bpm):
    assert_same(piece, replace(piece, tempo_bpm=np.array([bpm])))


@given(pieces(max_tempo_changes=0), st.sampled_from([2, 4, 8]))
def test_more_ticks_change_nothing(piece, factor):
    assert_same(piece, piece.with_finer_ticks(factor))


@given(composed, st.sampled_from([96, 100, 120, 192, 220, 384, 1000]))
def test_other_ticks_per_quarter_note_change_nothing(piece, ticks_per_quarter):
    ticks = lambda n: max(1, round(n * ticks_per_quarter / 480))  # noqa: E731
    assert_same(piece, changed(piece, lambda on, d, *note: (ticks(on), ticks(d), *note), ticks_per_quarter))


@given(composed, st.sampled_from([0.5, 2, 3]))
def test_longer_and_shorter_note_values_change_nothing(piece, factor):
    assert_same(piece, changed(piece, lambda on, d, *note: (int(on * factor), int(d * factor), *note)))


@given(composed, st.integers(0, 10_000))
def test_silence_at_the_beginning_changes_nothing(piece, silence):
    assert_same(piece, changed(piece, lambda on, *note: (on + silence, *note)))


@given(composed, st.integers(1, 127))
def test_velocities_instruments_and_note_lengths_change_nothing(piece, number):
    assert_same(
        piece, changed(piece, lambda on, d, pitch, v, p: (on, d + number, pitch, number, p if p == DRUMS else number))
    )


@given(composed, st.integers(1, 2), st.randoms(use_true_random=False))
def test_a_jitter_of_ticks_changes_nothing(piece, most, random):
    jittered = changed(piece, lambda on, *note: (max(0, on + random.randint(-most, most)), *note))
    assert_same(piece, jittered)


@given(composed)
def test_a_note_played_by_two_instruments_changes_nothing(piece):
    lead = [row for row in rows_of(piece) if row[4] != DRUMS]
    assert_same(piece, make_piece([*rows_of(piece), *((on, d, pitch, v, 71) for on, d, pitch, v, _ in lead)], 480))


@pytest.mark.parametrize("seed", range(4))
def test_rewriting_by_other_programs_changes_nothing(seed):
    data = write_midi(compose(seed, 24))
    file, rewritten, rewritten_too = mido.MidiFile(file=io.BytesIO(data)), io.BytesIO(), io.BytesIO()
    file.tracks[1:] = file.tracks[:0:-1]
    file.save(file=rewritten)
    pretty_midi.PrettyMIDI(io.BytesIO(data)).write(rewritten_too)
    assert_same(parse_midi(data), parse_midi(rewritten.getvalue()))
    assert_same(parse_midi(data), parse_midi(rewritten_too.getvalue()))


@given(composed)
def test_shingles_are_counted_as_defined(piece):
    assert sketch(piece)[N_SHINGLES] == len(shingles_by_definition(piece))


@pytest.mark.parametrize("n_bars_of_other", [2, 5, 10, 20, 30, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_share_of_equal_slots_estimates_the_jaccard_similarity(seed, n_bars_of_other):
    one, other = compose(seed, 40), mixed(seed, seed + 4, n_bars_of_other)
    sets = shingles_by_definition(one), shingles_by_definition(other)
    jaccard = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    estimate = (sketch(one) == sketch(other))[:N_SLOTS].mean()
    assert abs(estimate - jaccard) <= 4 * math.sqrt(jaccard * (1 - jaccard) / N_SLOTS)


def test_slots_of_few_shingles_are_full_and_different():
    assert len(set(sketch(compose(1, 4))[:N_SLOTS].tolist())) == N_SLOTS


BEAT = [
    (bar * 1920 + at, 60, pitch, 90, DRUMS) for bar in range(8) for at, pitch in ((0, 36), (480, 38), (720, 42), (960, 36))
]


def test_drums_count_only_where_little_else_sounds():
    tune = [(i * 240, 200, 60 + i * i % 11, 80, 0) for i in range(16)]
    assert (sketch(make_piece(BEAT + tune, 480))[:N_SLOTS] == sketch(make_piece(tune, 480))[:N_SLOTS]).all()
    assert (sketch(make_piece(BEAT + tune[:15], 480))[:N_SLOTS] == sketch(make_piece(BEAT, 480))[:N_SLOTS]).all()


def test_drums_are_told_apart_by_their_pitches():
    higher = [(on, d, pitch + 1, v, p) for on, d, pitch, v, p in BEAT]
    assert not (sketch(make_piece(BEAT, 480)) == sketch(make_piece(higher, 480)))[:N_SLOTS].any()


def whole(rows):
    found = sketch(make_piece(rows, 480))
    assert found[N_SHINGLES] < FEWEST_SHINGLES
    return tuple(found[[WHOLE_HIGH, WHOLE_LOW]].tolist())


SCALE = [(i * 240, 200, 60 + step, 80, 0) for i, step in enumerate([0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0])]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:-1],
        lambda rows: [*rows, (7000, 200, 60, 80, 0)],
        lambda rows: [*rows, (240, 200, 66, 80, 0)],
        lambda rows: [*rows, (240, 60, 2, 80, DRUMS)],
        lambda rows: [(on, d, pitch + (i == 7), v, p) for i, (on, d, pitch, v, p) in enumerate(rows)],
        lambda rows: [(on + 120 * (i % 2), d, pitch, v, p) for i, (on, d, pitch, v, p) in enumerate(rows)],
    ],
    ids=["shorter", "longer", "a chord", "a drum", "a pitch", "rhythm"],
)
def test_any_change_to_little_music_shows_in_the_whole(change):
    assert whole(SCALE) != (0, 0)
    assert whole(change(SCALE)) not in ((0, 0), whole(SCALE))


def test_the_whole_of_little_music_is_known_in_another_key_and_tempo():
    assert whole([(2 * on + 999, d, pitch - 7, v, 40) for on, d, pitch, v, _ in SCALE]) == whole(SCALE)


def test_a_few_notes_are_known_by_nothing():
    assert whole(SCALE[: FEWEST_ONSETS - 1]) == (0, 0)
    assert whole(SCALE[:FEWEST_ONSETS]) != (0, 0)


@pytest.mark.parametrize("n_notes", [1, 6])
def test_without_a_shingle_all_slots_are_empty(n_notes):
    found = sketch(make_piece(SCALE[:n_notes], 480))
    assert (found[N_ONSETS], found[N_SHINGLES], found[:N_SLOTS].tolist()) == (n_notes, 0, [0] * N_SLOTS)


def test_a_shingle_of_two_pieces_counts_for_both():
    def piece(bass):
        return make_piece(
            [row for i in range(7) for row in ((480 * i, 480, 72, 80, 0), (480 * i, 480, 40 + bass * i, 80, 0))]
        )

    # Each has one shingle of the highest line, the same, and one of the lowest; of some pairs it is the last and the first.
    pairs = [piece(bass) for one, other in permutations(range(8), 2) for bass in (one, other)]
    assert sketches(lay_out(pairs))[:, N_SHINGLES].tolist() == [2] * len(pairs)


def test_much_music_has_no_whole():
    found = sketch(compose(1, 40))
    assert found[N_SHINGLES] >= FEWEST_SHINGLES
    assert found[[WHOLE_HIGH, WHOLE_LOW]].tolist() == [0, 0]


def test_a_piece_without_notes_is_refused():
    with pytest.raises(ValueError, match="without notes"):
        sketch(make_piece([]))
