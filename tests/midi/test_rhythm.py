import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LISTED_METRES, ODD_METRES, make_piece, pieces

from amt_ray.midi.batch import lay_out
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.parse import DENOMINATORS, MOST_BEATS
from amt_ray.midi.rhythm import MAX_BEATS, NOTE_LENGTHS, SLOTS, beats_of, note_length_shares, syncopation

KICK, SNARE, HI_HAT = 36, 38, 42


def line(onsets, length=1, pitch=60, program=0):
    """Notes at onsets counted in sixteenth notes (3 ticks)."""
    return [(3 * onset, 3 * length, pitch, 80, program) for onset in onsets]


def syncopation_of(piece):
    batch = lay_out([piece])
    (share,) = syncopation(batch, beats_of(batch)).tolist()
    return share


def measured(rows, metres=((0, 4, 4),)):
    return syncopation_of(make_piece(rows, 12, metres=metres))


def shares_of(piece):
    (shares,) = note_length_shares(lay_out([piece])).tolist()
    return shares


def shares(quarters, ticks_per_quarter=480):
    piece = make_piece([(0, round(q * ticks_per_quarter), 60, 80, 0) for q in quarters], ticks_per_quarter)
    return dict(zip([name for name, _ in NOTE_LENGTHS], shares_of(piece), strict=True))


@pytest.mark.parametrize(("name", "quarters"), NOTE_LENGTHS)
@pytest.mark.parametrize("ticks_per_quarter", [96, 480, 1024])
def test_every_note_length_counts_as_itself_staccato_or_not(name, quarters, ticks_per_quarter):
    assert shares([quarters, 0.95 * quarters], ticks_per_quarter)[name] == 1


@pytest.mark.parametrize(
    ("quarters", "name"), [(400.0, "whole"), (0.002, "thirty-second"), (3.49, "whole"), (0.4, "triplet eighth")]
)
def test_other_lengths_count_as_the_nearest_by_ratio(quarters, name):
    assert shares([quarters])[name] == 1


@given(st.lists(st.integers(1, 20_000), min_size=1), st.sampled_from((1, 12, 220, 480, 1024)))
def test_shares_are_those_of_the_least_ratio(durations, ticks_per_quarter):
    def nearest(ticks):
        ratios = [abs(math.log(ticks / ticks_per_quarter / quarters)) for _, quarters in NOTE_LENGTHS]
        return ratios.index(min(ratios))

    piece = make_piece([(0, ticks, 60, 80, 0) for ticks in durations], ticks_per_quarter)
    by_hand = np.bincount([nearest(ticks) for ticks in durations], minlength=len(NOTE_LENGTHS)) / len(durations)
    assert shares_of(piece) == pytest.approx(by_hand.tolist())


def test_without_notes_there_are_no_lengths_and_no_syncopation():
    batch = lay_out([make_piece([(0, 9, 36, 80, DRUMS)])])
    assert note_length_shares(batch.pitched).tolist() == [[0.0] * len(NOTE_LENGTHS)]
    assert syncopation(batch.pitched, beats_of(batch)).tolist() == [0.0]


def beats_by_hand(piece):
    """Start and end of every beat in ticks, and how long it is unless a change of metre cuts it, by walking."""
    changes = zip(piece.metre_ticks.tolist(), piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True)
    for (start, numerator, denominator), (stop, *_) in itertools.pairwise([*changes, (math.inf,)]):
        if denominator >= 8 and numerator % 3 == 0:
            quarters = Fraction(12, denominator)
        else:
            quarters = Fraction(1) if 4 * numerator % denominator == 0 else Fraction(4, denominator)
        at, end = Fraction(start), min(stop, piece.end_ticks)
        while at < end:
            whole = quarters * piece.ticks_per_quarter
            yield at, min(at + whole, stop), whole
            at += whole


@given(pieces(max_quarters=20))
def test_beats_are_those_of_a_walk_through_the_metres(piece):
    by_hand, beats = list(beats_by_hand(piece)), beats_of(lay_out([piece]))
    lengths = [end - start for start, end, _ in by_hand]
    assert beats.row_length.tolist() == [16 * length for length in lengths] + [0]
    shares = [float(length / whole) for length, (_, _, whole) in zip(lengths, by_hand, strict=True)]
    assert beats.row_beats.tolist() == pytest.approx([*shares, 0.0])
    assert beats.piece.tolist() == [0] * (len(by_hand) + 1)


def places_by_hand(piece, ticks):
    """Index of the beat in which each tick lies, and the whole beats since that began, as one number.

    A tick at or after the end of the last beat is in that after it.
    """
    by_hand = list(beats_by_hand(piece))
    for tick in ticks.tolist():
        at = (i + (tick - start) / whole for i, (start, end, whole) in enumerate(by_hand) if start <= tick < end)
        yield next(at, Fraction(len(by_hand)))


@given(st.lists(pieces(max_quarters=12), min_size=1, max_size=4))
def test_ticks_of_every_piece_of_a_batch_lie_in_the_beats_of_a_walk(some):
    batch = lay_out(some)
    beats = beats_of(batch)
    onset_ticks = batch.notes.onset_ticks
    end_ticks = onset_ticks + batch.notes.duration_ticks
    onset_segment = beats.segments(onset_ticks)
    first = np.searchsorted(beats.piece, batch.piece)
    for of, ticks, segment in (
        (lambda notes: notes.onset_ticks, onset_ticks, onset_segment),
        (lambda notes: notes.onset_ticks + notes.duration_ticks, end_ticks, beats.segments_from(onset_segment, end_ticks)),
    ):
        row, part = beats.locate(ticks, segment)
        by_hand = [at for piece in some for at in places_by_hand(piece, of(piece.notes))]
        assert (row - first + part).tolist() == pytest.approx([float(at) for at in by_hand], abs=1e-9)
        # On the edge between two beats it is either of them.
        is_within = [at.denominator > 1 for at in by_hand]
        assert (row - first)[is_within].tolist() == [int(at) for at in by_hand if at.denominator > 1]


@given(st.lists(pieces(max_quarters=12), min_size=1, max_size=4))
def test_segments_are_those_that_begin_last_before_a_tick(some):
    batch = lay_out(some)
    beats = beats_of(batch)
    starts = [start + tick for start, piece in zip(batch.start_ticks, some, strict=True) for tick in piece.metre_ticks]
    onset_ticks = batch.notes.onset_ticks
    end_ticks = onset_ticks + batch.notes.duration_ticks
    found = beats.segments(onset_ticks)
    assert found.tolist() == [max(i for i, start in enumerate(starts) if start <= tick) for tick in onset_ticks]
    before = found.copy()
    later = beats.segments_from(found, end_ticks)
    assert later.tolist() == [max(i for i, start in enumerate(starts) if start <= tick) for tick in end_ticks]
    assert found.tolist() == before.tolist()


def test_there_are_no_segments_of_no_ticks():
    beats, nothing = beats_of(lay_out([make_piece([(0, 9, 60, 80, 0)])])), np.zeros(0, np.int64)
    assert beats.segments(nothing).tolist() == beats.segments_from(nothing, nothing).tolist() == []


def many_beats(n_beats):
    """A piece of so many beats of 1/64, a tick each, with a note in the last."""
    return make_piece([(n_beats - 1, 1, 60, 80, 0)], 16, metres=[(0, 1, 64)])


@pytest.mark.parametrize(("n_beats", "is_cut_short"), [(MAX_BEATS - 1, False), (MAX_BEATS, False), (MAX_BEATS + 1, True)])
def test_beats_after_the_most_that_are_laid_are_as_one(n_beats, is_cut_short):
    batch = lay_out([many_beats(3), many_beats(n_beats), many_beats(2)])
    beats = beats_of(batch)
    n_laid = min(n_beats, MAX_BEATS)
    assert np.bincount(beats.piece).tolist() == [4, n_laid + 1, 3]
    assert np.flatnonzero(beats.row_length == 0).tolist() == [3, n_laid + 4, n_laid + 7]
    assert beats.is_cut_short == is_cut_short
    ticks = batch.start_ticks[1] + np.array([0, n_laid - 1, n_beats - 1, n_beats])
    row, part = beats.locate(ticks, np.ones(4, np.int64))
    assert (row + part).tolist() == pytest.approx([4, n_laid + 3, min(n_beats - 1, MAX_BEATS) + 4, n_laid + 4])


def test_beats_of_a_long_piece_are_counted_and_not_laid():
    piece = make_piece([(0, 10**10, 60, 80, 0)], 10_000, metres=[(0, 1, 64)])
    beats = beats_of(lay_out([piece]))
    assert len(beats.row_length) == len(beats.row_beats) == len(beats.piece) == MAX_BEATS + 1
    assert syncopation_of(piece) == 0.0


def test_a_change_of_metre_after_the_last_beat_that_is_laid_has_no_row():
    late, many = 2 * MAX_BEATS, [(MAX_BEATS + i, 3 + i % 2, 4) for i in range(4)]
    beats = beats_of(lay_out([make_piece([(late, 1, 60, 80, 0)], 16, metres=[(0, 1, 64), *many, (late - 8, 1, 64)])]))
    assert beats.row_length.tolist() == [16] * MAX_BEATS + [0]


# How each level of a metre divides, down to sixteenths of 6/8 and of 4/4: the trees of Longuet-Higgins and Lee.
TREES = {
    (4, 4): (2, 2, 2, 2), (3, 4): (3, 2, 2), (2, 4): (2, 2, 2), (2, 2): (2, 2, 2, 2), (3, 2): (3, 2, 2, 2),
    (6, 4): (2, 3, 2, 2), (5, 4): (5, 2, 2), (8, 4): (2, 2, 2, 2, 2), (4, 8): (2, 2, 2), (10, 8): (5, 2, 2),
    (6, 8): (2, 3, 2), (9, 8): (3, 3, 2), (12, 8): (2, 2, 3, 2), (3, 8): (3, 2), (15, 8): (5, 3, 2),
}  # fmt: skip


def weight(place, tree):
    """0 at the beginning of a bar, and one less at every level below (Longuet-Higgins and Lee, 1984)."""
    size, level = math.prod(tree), 0
    for parts in tree:
        if place % size == 0:
            return level
        size, level = size // parts, level - 1
    return level


@given(st.sampled_from(sorted(TREES)), st.sets(st.integers(0, 60), min_size=1))
def test_short_notes_of_one_line_are_syncopated_as_in_the_metrical_tree(metre, onsets):
    tree, onsets = TREES[metre], sorted(onsets)
    by_hand = [
        any(weight(place, tree) > weight(here, tree) for place in range(here + 1, after))
        for here, after in itertools.pairwise(onsets)
    ]
    assert measured(line(onsets), [(0, *metre)]) == pytest.approx(sum(by_hand) / len(onsets))


@pytest.mark.parametrize(
    ("name", "onsets", "share"),
    [
        ("straight quarters", range(0, 64, 4), 0),
        ("straight sixteenths", range(64), 0),
        ("dotted eighths and sixteenths", [16 * bar + at for bar in range(4) for at in (0, 3, 4, 7, 8, 11, 12, 15)], 0),
        # The last onset is not counted as syncopated: what follows it is the end.
        ("quarters off the beat", range(2, 66, 4), 15 / 16),
        ("son clave", [16 * bar + at for bar in range(4) for at in (0, 3, 6, 10, 12)], 2 / 5),
        ("rumba clave", [16 * bar + at for bar in range(4) for at in (0, 3, 7, 10, 12)], 2 / 5),
        ("tresillo", [16 * bar + at for bar in range(4) for at in (0, 3, 6, 8, 11, 14)], 2 / 6),
        ("Charleston", [16 * bar + at for bar in range(4) for at in (0, 6)], 3 / 8),
    ],
)
def test_known_rhythms(name, onsets, share):
    assert measured(line(onsets)) == pytest.approx(share, abs=1 / 30), name


def test_triplets_and_a_swung_line_are_not_syncopated():
    triplets = [(4 * i, 4, 60, 80, 0) for i in range(48)]
    swung = [(12 * i + at, 4, 60, 80, 0) for i in range(16) for at in (0, 8)]
    assert (measured(triplets), measured(swung)) == (0, 0)


def test_three_against_two_in_six_eight_is_syncopated():
    duple = line([0, 6, 12, 18, 24, 30, 36, 42])
    hemiola = line([0, 4, 8, 12, 16, 20, 24, 28, 32, 36])
    assert measured(duple, [(0, 6, 8)]) == 0
    assert measured(hemiola, [(0, 6, 8)]) == pytest.approx(3 / 10)


BASS_ON_THE_BEAT = line(range(0, 32, 4), 2, 40)


@pytest.mark.parametrize(
    ("melody", "n_syncopated"),
    [
        (line(range(2, 30, 4), 4, 72), 7),
        (line(range(2, 30, 4), 2, 72), 0),
        (line(range(2, 30, 4), 4, 30), 0),
        ([(6 + 12 * i, 8, 72, 80, 0) for i in range(7)], 0),
    ],
    ids=["held over the bass", "ends where the bass begins", "below the bass", "a legato overlap"],
)
def test_a_note_held_over_a_lower_one_on_the_beat_is_syncopated(melody, n_syncopated):
    assert measured([*BASS_ON_THE_BEAT, *melody]) == pytest.approx(n_syncopated / 15)


def test_each_program_is_a_part_of_its_own():
    off_beat = line(range(2, 34, 4))
    together = measured([*off_beat, *line(range(0, 36, 4))])
    apart = measured([*off_beat, *line(range(0, 36, 4), program=40)])
    assert (together, apart) == (0, pytest.approx(7 / 17))


def test_cymbals_and_the_other_drums_are_two_parts():
    beat = [*line((0, 8), pitch=KICK, program=DRUMS), *line((4, 12), pitch=SNARE, program=DRUMS)]
    hats = line(range(0, 16, 2), pitch=HI_HAT, program=DRUMS)
    # A kick on the last half of beat two, and no drum on beat three: the hi-hat there is no answer.
    funk = [*line((0, 6), pitch=KICK, program=DRUMS), *line((4, 12), pitch=SNARE, program=DRUMS)]
    assert measured([*beat, *hats]) == 0
    assert measured([*funk, *hats]) == pytest.approx(1 / 12)


def test_played_onsets_count_as_the_places_that_they_are_near():
    rng = np.random.default_rng(0)
    clave = [16 * bar + at for bar in range(8) for at in (0, 3, 6, 10, 12)]
    played = [(max(0, 120 * onset + int(rng.integers(-20, 21))), 60, 60, 80, 0) for onset in clave]
    assert syncopation_of(make_piece(played, 480)) == pytest.approx(measured(line(clave)))


@given(pieces(max_quarters=20), st.sampled_from((2, 3, 10)))
def test_finer_ticks_change_no_rhythm(piece, factor):
    finer = piece.with_finer_ticks(factor)
    assert syncopation_of(finer) == syncopation_of(piece)
    assert shares_of(finer) == shares_of(piece)


@pytest.mark.parametrize("metre", [*LISTED_METRES, *ODD_METRES])
def test_a_bar_of_quarters_or_of_whole_bars_is_never_syncopated(metre):
    bar = Fraction(4 * 192 * metre[0], metre[1])
    on_bar_lines = [(int(i * bar), int(bar), 60, 80, 0) for i in range(4)]
    assert syncopation_of(make_piece(on_bar_lines, 192, metres=[(0, *metre)])) == 0


@pytest.mark.parametrize("denominator", DENOMINATORS)
def test_every_metre_of_a_file_has_beats_that_fill_its_bars(denominator):
    for numerator in range(1, MOST_BEATS + 1):
        beats = beats_of(lay_out([make_piece([(0, 64, 60, 80, 0)], 16, metres=[(0, numerator, denominator)])]))
        n_beats, rest = divmod(int(beats.slots_per_bar[0]), SLOTS)
        assert (rest, n_beats * int(beats.length[0])) == (0, 16 * 64 * numerator // denominator)
        assert (beats.stronger > beats.place).all()
