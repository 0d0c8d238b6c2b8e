import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LISTED_METRES, ODD_METRES, make_piece, pieces

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.parse import DENOMINATORS, MOST_BEATS
from amt_ray.midi.piece import Notes
from amt_ray.midi.rhythm import NOTE_LENGTHS, SLOTS, beats_of, note_length_shares, syncopation

KICK, SNARE, HI_HAT = 36, 38, 42


def line(onsets, length=1, pitch=60, program=0):
    """Notes at onsets counted in sixteenth notes (3 ticks)."""
    return [(3 * onset, 3 * length, pitch, 80, program) for onset in onsets]


def measured(rows, metres=((0, 4, 4),)):
    piece = make_piece(rows, 12, metres=metres)
    return syncopation(piece.notes, beats_of(piece))


def shares(quarters, ticks_per_quarter=480):
    notes = make_piece([(0, round(q * ticks_per_quarter), 60, 80, 0) for q in quarters], ticks_per_quarter).notes
    return dict(zip([name for name, _ in NOTE_LENGTHS], note_length_shares(notes, ticks_per_quarter), strict=True))


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

    notes = make_piece([(0, ticks, 60, 80, 0) for ticks in durations], ticks_per_quarter).notes
    by_hand = np.bincount([nearest(ticks) for ticks in durations], minlength=len(NOTE_LENGTHS)) / len(durations)
    assert note_length_shares(notes, ticks_per_quarter) == pytest.approx(by_hand.tolist())


def test_without_notes_there_are_no_lengths_and_no_syncopation():
    nothing = Notes(*np.zeros((5, 0), np.int64))
    assert note_length_shares(nothing, 480) == [0.0] * len(NOTE_LENGTHS)
    assert syncopation(nothing, beats_of(make_piece([(0, 9, 60, 80, 0)]))) == 0.0


def beats_by_hand(piece):
    """Start and end of every beat in ticks, by walking."""
    changes = zip(piece.metre_ticks.tolist(), piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True)
    for (start, numerator, denominator), (stop, *_) in itertools.pairwise([*changes, (math.inf,)]):
        if denominator >= 8 and numerator % 3 == 0:
            quarters = Fraction(12, denominator)
        else:
            quarters = Fraction(1) if 4 * numerator % denominator == 0 else Fraction(4, denominator)
        at, end = Fraction(start), min(stop, piece.end_ticks)
        while at < end:
            yield at, min(at + quarters * piece.ticks_per_quarter, stop)
            at += quarters * piece.ticks_per_quarter


@given(pieces(max_quarters=20))
def test_beats_are_those_of_a_walk_through_the_metres(piece):
    by_hand, beats = list(beats_by_hand(piece)), beats_of(piece)
    assert beats.total == len(by_hand)
    assert beats.lengths(10**6).tolist() == [16 * (end - start) for start, end in by_hand]
    ticks = np.append(piece.notes.onset_ticks, piece.end_ticks - 1)
    for tick, beat, time in zip(ticks.tolist(), *(values.tolist() for values in beats.locate(ticks)), strict=True):
        start, end = by_hand[beat]
        assert start <= tick < end
        assert time == 16 * (tick - start)


def test_beats_of_a_long_piece_are_counted_and_not_laid():
    piece = make_piece([(0, 10**10, 60, 80, 0)], 10_000, metres=[(0, 1, 64)])
    beats = beats_of(piece)
    assert beats.total == 16 * 10**6
    assert len(beats.lengths(100)) == 100


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
    piece = make_piece(played, 480)
    assert syncopation(piece.notes, beats_of(piece)) == pytest.approx(measured(line(clave)))


@given(pieces(max_quarters=20), st.sampled_from((2, 3, 10)))
def test_finer_ticks_change_no_rhythm(piece, factor):
    finer = piece.with_finer_ticks(factor)
    assert syncopation(finer.notes, beats_of(finer)) == syncopation(piece.notes, beats_of(piece))
    assert note_length_shares(finer.notes, finer.ticks_per_quarter) == note_length_shares(
        piece.notes, piece.ticks_per_quarter
    )


@pytest.mark.parametrize("metre", [*LISTED_METRES, *ODD_METRES])
def test_a_bar_of_quarters_or_of_whole_bars_is_never_syncopated(metre):
    bar = Fraction(4 * 192 * metre[0], metre[1])
    on_bar_lines = [(int(i * bar), int(bar), 60, 80, 0) for i in range(4)]
    piece = make_piece(on_bar_lines, 192, metres=[(0, *metre)])
    assert syncopation(piece.notes, beats_of(piece)) == 0


@pytest.mark.parametrize("denominator", DENOMINATORS)
def test_every_metre_of_a_file_has_beats_that_fill_its_bars(denominator):
    for numerator in range(1, MOST_BEATS + 1):
        beats = beats_of(make_piece([(0, 64, 60, 80, 0)], 16, metres=[(0, numerator, denominator)]))
        n_beats, rest = divmod(int(beats.slots_per_bar[0]), SLOTS)
        assert (rest, n_beats * int(beats.length[0])) == (0, 16 * 64 * numerator // denominator)
        assert (beats.stronger > beats.place).all()
