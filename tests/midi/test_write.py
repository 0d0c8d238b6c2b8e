import io

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from strategies import compose, facts, make_piece, pieces, rows_of

from amt_ray.events.quantise import quantise
from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.keys import KEYS
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.write import cut_at_next_strike, write_midi


@given(pieces())
def test_a_piece_on_the_grid_comes_back_from_its_file(piece):
    piece = quantise(piece).piece
    again, wanted = facts(parse_midi(write_midi(piece))), facts(piece)
    got_tempi, wanted_tempi = again.pop("tempi"), wanted.pop("tempi")
    assert again == wanted
    # A file holds whole microseconds a quarter note.
    np.testing.assert_allclose(got_tempi, wanted_tempi, rtol=1e-5)


@given(pieces())
def test_a_second_trip_changes_no_byte(piece):
    data = write_midi(quantise(piece).piece)
    assert write_midi(parse_midi(data)) == data


def test_the_same_piece_gives_the_same_bytes():
    assert write_midi(compose(5)) == write_midi(compose(5))
    assert write_midi(compose(5)) != write_midi(compose(6))


@pytest.fixture(params=range(8))
def piece(request):
    return compose(request.param)


@pytest.fixture
def opened(piece):
    return pretty_midi.PrettyMIDI(io.BytesIO(write_midi(piece)))


def test_pretty_midi_reads_the_same_notes_at_the_same_seconds(piece, opened):
    ours = []
    for onset, duration, pitch, velocity, program in rows_of(piece):
        start_s, end_s = piece.seconds_at([onset, onset + duration])
        ours.append((program, pitch, velocity, start_s, end_s))
    theirs = [
        (DRUMS if instrument.is_drum else instrument.program, note.pitch, note.velocity, note.start, note.end)
        for instrument in opened.instruments
        for note in instrument.notes
    ]
    assert [row[:3] for row in sorted(ours)] == [row[:3] for row in sorted(theirs)]
    np.testing.assert_allclose([row[3:] for row in sorted(ours)], [row[3:] for row in sorted(theirs)], atol=1e-3)


def test_pretty_midi_reads_tracks_metre_and_key(piece, opened):
    names = {DRUMS if i.is_drum else i.program: i.name for i in opened.instruments}
    assert names == {program: INSTRUMENTS[program] for program in piece.programs}
    assert [(c.numerator, c.denominator, c.time) for c in opened.time_signature_changes] == [
        (int(piece.metre_numerator[0]), int(piece.metre_denominator[0]), 0.0)
    ]
    assert [(change.key_number, change.time) for change in opened.key_signature_changes] == [(KEYS.index(piece.key), 0.0)]


def test_pretty_midi_follows_changes_of_tempo_and_metre():
    tempi = [(0, 100.0), (960, 50.0), (2400, 200.0)]
    piece = make_piece([(tick, 240, 60, 80, 0) for tick in range(0, 4800, 480)], 480, tempi, [(0, 4, 4), (1920, 6, 8)])
    opened = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(piece)))
    times_s, bpm = opened.get_tempo_changes()
    np.testing.assert_allclose(bpm, [100.0, 50.0, 200.0], rtol=1e-5)
    np.testing.assert_allclose(times_s, piece.seconds_at([0, 960, 2400]), rtol=1e-5)
    assert [(c.numerator, c.denominator) for c in opened.time_signature_changes] == [(4, 4), (6, 8)]
    onsets_s = [note.start for note in opened.instruments[0].notes]
    np.testing.assert_allclose(onsets_s, piece.seconds_at(piece.notes.onset_ticks), rtol=1e-5)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_written_as_its_signature(key):
    data = write_midi(make_piece([(0, 480, 60, 80, 0)], 480, key=key))
    [change] = pretty_midi.PrettyMIDI(io.BytesIO(data)).key_signature_changes
    assert change.key_number == KEYS.index(key)
    assert parse_midi(data).key == key


def test_mido_opens_it_and_finds_drums_on_channel_ten(piece):
    file = mido.MidiFile(file=io.BytesIO(write_midi(piece)))
    assert (file.type, file.ticks_per_beat) == (1, 480)
    channels = {m.channel for track in file.tracks for m in track if m.type == "note_on"}
    assert (9 in channels) == piece.has_drums
    assert len(channels) == len(piece.programs)
    assert file.length == pytest.approx(piece.duration_s, rel=1e-3)


def test_more_than_sixteen_programs_keep_theirs():
    rows = [(0, 480, 60 + program % 12, 80, program) for program in range(40)]
    assert rows_of(parse_midi(write_midi(make_piece(rows, 480)))) == sorted(rows, key=lambda row: row[4])


def test_a_note_struck_again_is_cut_there():
    rows = [(0, 960, 60, 80, 0), (240, 240, 60, 90, 0), (240, 240, 60, 90, 1)]
    cut = [(0, 240, 60, 80, 0), *rows[1:]]
    assert rows_of(parse_midi(write_midi(make_piece(rows, 480)))) == cut
    opened = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(make_piece(rows, 480))))
    assert [round(n.end - n.start, 3) for n in opened.instruments[0].notes] == [0.25, 0.25]


@given(pieces())
def test_cutting_agrees_with_a_plain_loop(piece):
    rows = list({(row[0], row[2]): row for row in rows_of(piece)}.values())
    piece = make_piece(rows)
    notes = piece.notes
    wanted = []
    for onset, duration, pitch, _, _ in rows_of(piece):
        later = [other for other, _, p, _, _ in rows if p == pitch and other > onset]
        wanted.append(min([duration, *(other - onset for other in later)]))
    assert cut_at_next_strike(notes.pitch, notes.onset_ticks, notes.duration_ticks).tolist() == wanted
