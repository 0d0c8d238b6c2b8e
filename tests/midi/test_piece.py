import numpy as np
import pytest
from hypothesis import given
from strategies import make_piece, pieces, rows_of

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import Notes, Piece

EMPTY = Notes(*(np.zeros(0, np.int64) for _ in range(5)))


def test_a_piece_without_notes():
    piece = Piece(480, EMPTY)
    assert (len(piece.notes), piece.end_ticks, piece.programs, piece.has_drums, piece.duration_s) == (0, 0, [], False, 0.0)


def test_the_end_is_the_last_notes_end_not_the_last_onsets():
    piece = make_piece([(0, 1920, 60, 80, 0), (480, 240, 64, 80, 0)], 480)
    assert piece.end_ticks == 1920
    assert piece.duration_s == pytest.approx(2.0)


def test_programs_ascend_and_say_whether_there_are_drums():
    piece = make_piece([(0, 1, 36, 80, DRUMS), (0, 1, 60, 80, 40), (5, 1, 60, 80, 40), (5, 1, 60, 80, 0)])
    assert (piece.programs, piece.has_drums) == ([0, 40, DRUMS], True)
    assert not make_piece([(0, 1, 60, 80, 40)]).has_drums


def test_take_chooses_notes_by_position_or_mask():
    notes = make_piece([(0, 1, 60, 80, 0), (1, 2, 61, 81, 1), (2, 3, 62, 82, 2)]).notes
    assert notes.take(np.array([2, 0])).pitch.tolist() == [62, 60]
    assert notes.take(np.array([False, True, False])).duration_ticks.tolist() == [2]


def test_seconds_follow_the_tempo_map():
    piece = make_piece([(0, 1, 60, 80, 0)], 480, [(0, 120.0), (960, 60.0), (1440, 240.0)])
    ticks = [0, 480, 960, 1200, 1440, 1920]
    assert piece.seconds_at(ticks).tolist() == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.25])
    assert float(piece.seconds_at(0.5 * 480)) == pytest.approx(0.25)


@given(pieces())
def test_seconds_agree_with_a_walk_over_the_tempo_map(piece):
    changes = list(zip(piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist(), strict=True))
    for onset, *_ in rows_of(piece)[:5]:
        seconds = 0.0
        for (tick, bpm), (until, _) in zip(changes, [*changes[1:], (onset, 0)], strict=True):
            if tick < onset:
                seconds += (min(until, onset) - tick) * 60 / bpm / piece.ticks_per_quarter
        assert float(piece.seconds_at(onset)) == pytest.approx(seconds)


@given(pieces())
def test_finer_ticks_change_no_time(piece):
    finer = piece.with_finer_ticks(7)
    assert finer.ticks_per_quarter == 7 * piece.ticks_per_quarter
    assert rows_of(finer) == [(7 * onset, 7 * duration, *rest) for onset, duration, *rest in rows_of(piece)]
    assert finer.seconds_at(finer.notes.onset_ticks) == pytest.approx(piece.seconds_at(piece.notes.onset_ticks))
    assert (finer.metre_ticks / 7).tolist() == piece.metre_ticks.tolist()
