import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LISTED_METRES, compose, facts, make_piece, pieces, rows_of

from amt_ray.events.quantise import LONGEST_SILENCE_BARS, nearest_tempo, quantise
from amt_ray.events.vocabulary import BAR_UNITS, DURATION_UNITS, METRES, TEMPO_BPM, VELOCITY
from amt_ray.midi.instruments import DRUMS

NOTE = (0, 12, 60, 84, 0)


def quantised_rows(rows, **settings):
    return rows_of(quantise(make_piece(rows, **settings)).piece)


def folded(rows, **settings):
    return {rule: count for rule, count in quantise(make_piece(rows, **settings)).folded.items() if count}


@given(pieces())
def test_quantising_twice_changes_nothing(piece):
    once = quantise(piece)
    twice = quantise(once.piece)
    assert facts(twice.piece) == facts(once.piece)
    for name in ("bar_start_units", "bar_metre", "bar_tempo"):
        assert getattr(twice, name).tolist() == getattr(once, name).tolist()
    assert twice.folded == dict.fromkeys(once.folded, 0)


@given(pieces())
def test_everything_on_the_grid_has_an_event(piece):
    quantised = quantise(piece)
    notes = quantised.piece.notes
    assert quantised.piece.ticks_per_quarter == 12
    assert set(notes.duration_ticks.tolist()) <= set(DURATION_UNITS.tolist())
    assert set(notes.velocity.tolist()) <= set(VELOCITY.tolist())
    assert set(quantised.piece.tempo_bpm.tolist()) <= set(TEMPO_BPM.tolist())
    is_drum = notes.program == DRUMS
    assert set(notes.pitch[is_drum].tolist()) <= set(range(35, 82))
    assert set(notes.pitch[~is_drum].tolist()) <= set(range(21, 109))
    strikes = [(onset, program, pitch) for onset, _, pitch, _, program in rows_of(quantised.piece)]
    assert strikes == sorted(set(strikes))


@given(pieces())
def test_bars_tile_the_piece_and_carry_its_maps(piece):
    quantised = quantise(piece)
    start, lengths = quantised.bar_start_units, BAR_UNITS[quantised.bar_metre]
    onset = quantised.piece.notes.onset_ticks
    assert start.tolist() == [0, *np.cumsum(lengths)[:-1].tolist()]
    assert onset[0] < lengths[0]
    assert start[-1] <= onset[-1] < start[-1] + lengths[-1]
    changes = [*quantised.piece.metre_ticks.tolist(), *quantised.piece.tempo_ticks.tolist()]
    assert set(changes) <= set(start.tolist())


@given(pieces())
def test_no_note_outlasts_the_next_of_its_pitch(piece):
    by_voice = {}
    for onset, duration, pitch, _, program in rows_of(quantise(piece).piece):
        by_voice.setdefault((program, pitch), []).append((onset, onset + duration))
    for strikes in by_voice.values():
        assert all(end <= onset for (_, end), (onset, _) in pairwise(strikes))


@given(pieces())
def test_onsets_move_by_rounding_and_by_whole_silences_only(piece):
    """Between strikes less than eight of the shortest bars apart, the distance is that of the rounded onsets."""
    exact = np.unique(piece.notes.onset_ticks) * 12 / piece.ticks_per_quarter
    rounded = np.unique(np.floor(exact + 0.5)).astype(int)
    assert np.abs(np.floor(exact + 0.5) - exact).max() <= 0.5
    got = np.unique(quantise(piece).piece.notes.onset_ticks)
    assert len(got) == len(rounded)
    kept_units = LONGEST_SILENCE_BARS * BAR_UNITS.min()
    for before, after in zip(np.diff(rounded), np.diff(got), strict=True):
        assert after == before if before <= kept_units else kept_units <= after <= before


@given(pieces(metres=LISTED_METRES, bpm=(28.0, 280.0), max_tempo_changes=0, max_quarters=30))
def test_time_is_kept_when_the_tempo_is_in_range(piece):
    quantised = quantise(piece)
    before_s, after_s = (
        float(np.ptp(p.seconds_at([p.notes.onset_ticks[0], p.notes.onset_ticks[-1]]))) for p in (piece, quantised.piece)
    )
    unit_s = 60.0 / piece.tempo_bpm[0] / 12
    step = 10 ** (1 / 54)  # half a step of the tempo ladder
    assert quantised.folded["silent_bars"] or before_s / step - 2 * unit_s <= after_s <= before_s * step + 2 * unit_s


def test_a_bar_has_its_mean_tempo_by_time():
    """Half of the bar at 60, half at 120: 2 + 1 seconds for 4 quarters are 80 a minute."""
    piece = make_piece([(0, 12, 60, 84, 0), (48, 12, 60, 84, 0)], tempi=[(0, 60.0), (24, 120.0)])
    quantised = quantise(piece)
    assert quantised.bar_tempo.tolist() == nearest_tempo(np.array([80.0, 120.0])).tolist()


def test_tempi_are_those_of_the_music_behind_a_pickup():
    """The pickup of 5 units is moved to fill an eighth note; each bar keeps the tempo that its notes had."""
    rows = [(0, 5, 60, 84, 0), (5, 48, 62, 84, 0), (53, 48, 64, 84, 0)]
    piece = make_piece(rows, tempi=[(0, 60.0), (5, 120.0), (53, 240.0)], metres=[(0, 4, 4), (5, 4, 4)])
    quantised = quantise(piece)
    assert [METRES[metre] for metre in quantised.bar_metre] == [(1, 8), (4, 4), (4, 4)]
    assert quantised.bar_tempo.tolist() == nearest_tempo(np.array([60.0, 120.0, 240.0])).tolist()
    assert [row[0] for row in rows_of(quantised.piece)] == [1, 6, 54]


@pytest.mark.parametrize(
    ("bpm", "nearest"), [(28, 28.0), (1, 28.0), (1000, 280.0), (120, 119.3), (100, 100.6), (280, 280.0)]
)
def test_tempo_goes_to_the_nearest_by_ratio(bpm, nearest):
    assert TEMPO_BPM[nearest_tempo(np.array(float(bpm)))] == pytest.approx(nearest, abs=0.05)


def test_halves_go_up():
    rows = [(onset, 40, 60, 84, 0) for onset in (0, 39, 40, 41, 120)]
    assert [row[0] for row in quantised_rows(rows, ticks_per_quarter=480)] == [0, 1, 3]
    assert [row[0] for row in quantised_rows([(0, 40, 60, 84, 0), (20, 40, 61, 84, 0)], ticks_per_quarter=480)] == [0, 1]


@pytest.mark.parametrize(("pitch", "to"), [(20, 32), (9, 21), (0, 24), (21, 21), (108, 108), (109, 97), (127, 103)])
def test_pitches_move_by_octaves_into_the_piano(pitch, to):
    assert quantised_rows([(0, 12, pitch, 84, 0)]) == [(0, 12, to, 84, 0)]
    assert folded([(0, 12, pitch, 84, 0)]) == ({} if pitch == to else {"pitches": 1})


@pytest.mark.parametrize(
    ("pitch", "to"), [(27, 75), (31, 37), (34, 81), (82, 70), (87, 64), (35, 35), (81, 81), (0, 35), (127, 81)]
)
def test_drums_of_other_sets_become_the_nearest(pitch, to):
    assert quantised_rows([(0, 12, pitch, 84, DRUMS)]) == [(0, 12, to, 84, DRUMS)]
    assert folded([(0, 12, pitch, 84, DRUMS)]) == ({} if pitch == to else {"drums": 1})


def test_of_notes_struck_together_the_longest_stays_and_of_those_the_loudest():
    rows = [(0, 6, 60, 124, 0), (0, 12, 60, 44, 0), (0, 12, 60, 84, 0), (0, 12, 60, 84, 1)]
    assert quantised_rows(rows) == [(0, 12, 60, 84, 0), (0, 12, 60, 84, 1)]
    assert folded(rows) == {"merged_notes": 2}


def test_a_note_ends_where_it_is_struck_again():
    rows = [(0, 48, 60, 84, 0), (7, 12, 60, 84, 0), (7, 12, 64, 84, 0)]
    assert quantised_rows(rows) == [(0, 6, 60, 84, 0), (7, 12, 60, 84, 0), (7, 12, 64, 84, 0)]


@pytest.mark.parametrize(
    ("units", "to"), [(1, 1), (7, 8), (10, 10), (11, 12), (13, 12), (14, 15), (53, 48), (54, 60), (170, 192), (5000, 192)]
)
def test_durations_go_to_the_nearest_by_ratio(units, to):
    assert quantised_rows([(0, units, 60, 84, 0)])[0][1] == to


def test_a_note_too_short_for_the_grid_lasts_one_unit():
    assert quantised_rows([(0, 1, 60, 84, 0)], ticks_per_quarter=480) == [(0, 1, 60, 84, 0)]


@pytest.mark.parametrize(("velocity", "to"), [(1, 4), (7, 4), (8, 12), (64, 68), (127, 124)])
def test_velocity_goes_to_the_middle_of_its_step(velocity, to):
    assert quantised_rows([(0, 12, 60, velocity, 0)])[0][3] == to


def test_silence_before_the_first_note_is_left_out_by_whole_bars():
    assert quantised_rows([(48 * 5 + 6, 12, 60, 84, 0)]) == [(6, 12, 60, 84, 0)]
    assert folded([(48 * 5 + 6, 12, 60, 84, 0)]) == {"silent_bars": 5}


def test_long_silences_are_shortened_to_eight_bars():
    rows = [NOTE, (48 * 9, 12, 60, 84, 0), (48 * 30 + 3, 12, 60, 84, 0)]
    assert [row[0] for row in quantised_rows(rows)] == [0, 48 * 9, 48 * (9 + 9) + 3]
    assert folded(rows) == {"silent_bars": 12}


def test_a_long_note_over_a_shortened_silence_still_ends_where_it_is_struck_again():
    rows = [(0, 192, 60, 84, 0), (192, 12, 60, 84, 0)]
    assert quantised_rows(rows, metres=[(0, 1, 8)]) == [(0, 48, 60, 84, 0), (54, 12, 60, 84, 0)]


def test_tempi_beyond_the_ladder_are_counted():
    rows = [NOTE, (48, 12, 60, 84, 0)]
    assert folded(rows, tempi=[(0, 10.0)]) == {"tempi": 2}
    assert folded(rows, tempi=[(0, 120.0), (48, 500.0)]) == {"tempi": 1}
    assert folded(rows, tempi=[(0, 27.9)]) == {}


def test_metres_that_are_not_listed_are_counted():
    quantised = quantise(make_piece([NOTE, (84, 12, 60, 84, 0), (150, 12, 60, 84, 0)], metres=[(0, 7, 4)]))
    assert quantised.folded["metres"] == 1
    assert [METRES[metre] for metre in quantised.bar_metre] == [(4, 4), (3, 4), (4, 4), (3, 4)]


def test_no_bar_follows_the_last_note():
    quantised = quantise(make_piece([NOTE], metres=[(0, 7, 4), (84, 3, 4), (500, 2, 4)]))
    assert [METRES[metre] for metre in quantised.bar_metre] == [(4, 4)]
    assert quantised.folded["silent_bars"] == 0


def test_key_is_kept():
    assert quantise(make_piece([NOTE], key="Eb minor")).piece.key == "Eb minor"


def test_an_enormous_pause_costs_little():
    piece = make_piece([(0, 1, 60, 84, 0), (900_000, 1, 60, 84, 0)], ticks_per_quarter=1)
    assert [row[0] for row in rows_of(quantise(piece).piece)] == [0, 9 * 48]


@given(st.integers(0, 1000))
def test_music_on_the_grid_loses_nothing(seed):
    piece = compose(seed, n_bars=4, ticks_per_quarter=12)
    rows = [
        (on, duration, pitch, velocity // 8 * 8 + 4, program) for on, duration, pitch, velocity, program in rows_of(piece)
    ]
    quantised = quantise(dataclasses.replace(piece, notes=make_piece(rows).notes))
    assert rows_of(quantised.piece) == rows
    assert not any(quantised.folded.values())
