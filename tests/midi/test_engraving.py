from __future__ import annotations

from fractions import Fraction

import pytest

from amt_ray.errors import InvalidPiece
from amt_ray.midi.engraving import piece_of_score

pytest.importorskip("music21")
from music21 import bar, chord, converter, dynamics, harmony, instrument, key, meter, note, stream, tempo, tie


def score_of(*lines: str) -> stream.Score:
    """A score with one part for each line of TinyNotation."""
    parts = [converter.parse(f"tinynotation: {line}", format="tinynotation").makeMeasures() for line in lines]
    score = stream.Score()
    for part in parts:
        score.insert(0, part)
    return score


def onsets(piece):
    return (piece.notes.onset_ticks / piece.ticks_per_quarter).tolist()


def lengths(piece):
    return (piece.notes.duration_ticks / piece.ticks_per_quarter).tolist()


def test_onsets_lengths_pitches_and_programs():
    piece = piece_of_score(score_of("4/4 c4 d8 e8 f2", "4/4 C1"), [40, 42], 90.0)
    assert onsets(piece) == [0, 0, 1, 1.5, 2]
    assert lengths(piece) == [1, 4, 0.5, 0.5, 2]
    assert piece.notes.pitch.tolist() == [60, 48, 62, 64, 65]
    assert piece.notes.program.tolist() == [40, 42, 40, 40, 40]
    assert piece.tempo_bpm.tolist() == [90.0]
    assert piece.notes.velocity.tolist() == [80] * 5


def test_further_parts_take_the_last_program():
    assert piece_of_score(score_of("4/4 c1", "4/4 e1", "4/4 g1"), [52], 60.0).programs == [52]


def test_a_unison_of_one_program_is_its_longer_note():
    piece = piece_of_score(score_of("4/4 c4 e4 r2", "4/4 c2 r2"), [40], 60.0)
    assert list(zip(piece.notes.pitch.tolist(), lengths(piece), strict=True)) == [(60, 2), (64, 1)]
    assert len(piece_of_score(score_of("4/4 c4 e4 r2", "4/4 c2 r2"), [40, 41], 60.0).notes) == 3


def test_tied_notes_are_one_and_struck_notes_are_two():
    piece = piece_of_score(score_of("4/4 c1~ c1 c1"), [0], 60.0)
    assert onsets(piece) == [0, 8]
    assert lengths(piece) == [8, 4]


def test_a_tie_that_nothing_answers_joins_nothing():
    score = score_of("4/4 c1~ c1")
    score.parts[0].recurse().notes[1].tie = None
    assert onsets(piece_of_score(score, [0], 60.0)) == [0, 4]


def test_ties_in_a_chord_join_only_the_tied_heads():
    score = score_of("4/4 r1 r1")
    first, second = score.parts[0].getElementsByClass("Measure")
    for measure, kind in ((first, "start"), (second, "stop")):
        held = note.Note("C4")
        held.tie = tie.Tie(kind)
        measure.removeByClass("Rest")
        measure.insert(0, chord.Chord([held, note.Note("E4")], quarterLength=4))
    piece = piece_of_score(score, [0], 60.0)
    assert list(zip(piece.notes.pitch.tolist(), onsets(piece), lengths(piece), strict=True)) == [
        (60, 0, 8),
        (64, 0, 4),
        (64, 4, 4),
    ]


def test_a_repeat_is_played_out_in_all_parts():
    score = score_of("4/4 c1 d1", "4/4 e1 f1")
    score.parts[0].getElementsByClass("Measure")[0].rightBarline = bar.Repeat(direction="end")
    piece = piece_of_score(score, [0, 1], 60.0)
    assert piece.notes.pitch.tolist() == [60, 64, 60, 64, 62, 65]
    assert onsets(piece) == [0, 0, 4, 4, 8, 8]


def test_a_pick_up_ends_on_a_bar_line():
    score = score_of("3/4 c4 d2. e2.")
    part = score.parts[0]
    for measure in part.getElementsByClass("Measure"):
        part.remove(measure)
    for number, (name, length) in enumerate([("C4", 1), ("D4", 3), ("E4", 3)]):
        measure = stream.Measure(number=number)
        if number == 0:
            measure.timeSignature = meter.TimeSignature("3/4")
        measure.append(note.Note(name, quarterLength=length))
        part.append(measure)
    piece = piece_of_score(score, [0], 60.0)
    assert onsets(piece) == [2, 3, 6]
    assert (piece.metre_ticks.tolist(), piece.metre_numerator.tolist()) == ([0], [3])


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_bar_too_long_in_one_part_does_not_shift_the_parts(wrong):
    score = score_of("2/4 c2 d2", "2/4 e2 f2")
    score.parts[wrong].getElementsByClass("Measure")[0].append(note.Note("G4", quarterLength=Fraction(1, 4)))
    piece = piece_of_score(score, [0, 1], 60.0)
    assert [o for o, p in zip(onsets(piece), piece.notes.pitch, strict=True) if p in (62, 65)] == [2, 2]


def test_a_clarinet_in_b_flat_sounds_a_tone_lower():
    score = score_of("4/4 d1")
    score.parts[0].insert(0, instrument.Clarinet())
    assert piece_of_score(score, [71], 60.0).notes.pitch.tolist() == [60]


def test_dynamics_hold_until_the_next_and_accents_change_nothing():
    score = score_of("4/4 c4 d4 e4 f4")
    measure = score.parts[0].getElementsByClass("Measure")[0]
    for offset, mark in ((1, "p"), (2, "sf"), (3, "ff")):
        measure.insert(offset, dynamics.Dynamic(mark))
    assert piece_of_score(score, [0], 60.0).notes.velocity.tolist() == [80, 56, 56, 108]


def test_tempo_marks_of_the_score_hold_unless_a_tempo_is_given():
    score = score_of("4/4 c1 d1")
    first, second = score.parts[0].getElementsByClass("Measure")
    first.insert(0, tempo.MetronomeMark(number=66))
    second.insert(0, tempo.MetronomeMark(number=40, referent=note.Note(type="half")))
    piece = piece_of_score(score, [0])
    assert (piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist()) == ([0, 1920], [66.0, 80.0])
    assert piece_of_score(score, [0], 100.0).tempo_bpm.tolist() == [100.0]
    assert piece_of_score(score_of("4/4 c1"), [0]).tempo_bpm.tolist() == [120.0]


def test_a_change_of_metre():
    piece = piece_of_score(score_of("4/4 c1 3/4 d2."), [0], 60.0)
    rows = zip(piece.metre_ticks.tolist(), piece.metre_numerator.tolist(), strict=True)
    assert list(rows) == [(0, 4), (1920, 3)]


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (key.KeySignature(0), "A minor"),
        (key.Key("C"), "A minor"),
        (key.Key("a"), "A minor"),
        (key.Key("g"), "G minor"),
        (key.Key("D"), "D major"),
        (key.KeySignature(2), None),
    ],
)
def test_the_key_is_the_written_minor_or_what_the_notes_agree_on(signature, expected):
    score = score_of("4/4 a4 e4 a4 c'4 b4 g#4 a2 d4 e4 a2")
    score.parts[0].getElementsByClass("Measure")[0].keySignature = signature
    assert piece_of_score(score, [0], 60.0).key == expected


def test_grace_notes_and_chord_symbols_are_left_out():
    score = score_of("4/4 c1")
    measure = score.parts[0].getElementsByClass("Measure")[0]
    measure.insert(0, note.Note("D4").getGrace())
    measure.insert(0, harmony.ChordSymbol("G7"))
    assert piece_of_score(score, [0], 60.0).notes.pitch.tolist() == [60]


def test_a_score_without_bars_or_without_notes_is_refused():
    with pytest.raises(InvalidPiece) as no_bars:
        piece_of_score(stream.Score(), [0], 60.0)
    with pytest.raises(InvalidPiece) as no_notes:
        piece_of_score(score_of("4/4 r1"), [0], 60.0)
    assert (no_bars.value.reason, no_notes.value.reason) == ("unreadable", "no_notes")
