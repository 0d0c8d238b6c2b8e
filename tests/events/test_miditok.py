"""MidiTok's REMI as an independent oracle: another tokenizer must find the same notes at the same places of a file."""

from collections import defaultdict

import numpy as np
import pytest
from strategies import compose, make_piece, rows_of
from symusic import Score

from amt_ray.events.encode import decode, encode
from amt_ray.events.vocabulary import TEMPO_BPM
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.write import write_midi

GRID_STEP = 1 / 12
"""In quarter notes. Off the grid, the two round halves differently, and REMI's grid is finer in 6/8 (12 to an eighth)."""


@pytest.fixture(scope="module")
def remi():
    from miditok import REMI, TokenizerConfig

    return REMI(
        TokenizerConfig(
            pitch_range=(21, 109),
            beat_res={(0, 16): 12},
            num_velocities=16,
            use_programs=True,
            one_token_stream_for_programs=True,
            use_tempos=True,
            num_tempos=28,
            tempo_range=(28, 280),
            log_tempos=True,
            use_time_signatures=True,
            time_signature_range={4: [2, 3, 4, 5, 6], 8: [3, 6, 9, 12]},
        )
    )


def onsets_of_ours(data):
    """Onsets in quarter notes by (program, pitch), after encoding and decoding."""
    voices = defaultdict(list)
    for onset, _, pitch, _, program in rows_of(decode(encode(parse_midi(data)))):
        voices[program, pitch].append(onset / 12)
    return voices


def onsets_of_remi(remi, data):
    score = remi.decode(remi.encode(Score.from_midi(data)))
    voices = defaultdict(list)
    for track in score.tracks:
        for note in track.notes:
            voices[128 if track.is_drum else track.program, note.pitch].append(note.time / score.ticks_per_quarter)
    return {voice: sorted(onsets) for voice, onsets in voices.items()}


@pytest.mark.parametrize("seed", range(8))
def test_on_the_grid_both_find_the_same_notes(remi, seed):
    data = write_midi(compose(seed))
    ours, theirs = onsets_of_ours(data), onsets_of_remi(remi, data)
    assert dict(ours) == theirs
    assert sum(map(len, ours.values())) == len(compose(seed).notes)


@pytest.mark.parametrize("seed", range(8))
def test_off_the_grid_both_are_within_a_step(remi, seed):
    rng = np.random.default_rng(seed)
    played = [(max(0, onset + int(rng.integers(-19, 20))), *rest) for onset, *rest in rows_of(compose(seed))]
    piece = compose(seed)
    tempi = [(int(tick), float(bpm)) for tick, bpm in zip(piece.tempo_ticks, piece.tempo_bpm, strict=True)]
    metre = (0, int(piece.metre_numerator[0]), int(piece.metre_denominator[0]))
    data = write_midi(make_piece(played, 480, tempi, [metre]))
    ours, theirs = onsets_of_ours(data), onsets_of_remi(remi, data)
    assert set(ours) == set(theirs)
    for voice, onsets in theirs.items():
        np.testing.assert_allclose(ours[voice], onsets, atol=GRID_STEP + 1e-9, rtol=0)


def test_both_follow_changes_of_metre_and_tempo(remi):
    metres = [(0, 4, 4), (3840, 3, 4), (6720, 6, 8), (9600, 5, 4)]
    rows = [(tick, 240, 60 + tick // 240 % 12, 84, 0) for tick in range(0, 14_400, 240)]
    data = write_midi(make_piece(rows, 480, [(0, 100.0), (3840, 60.0), (9600, 200.0)], metres))
    assert dict(onsets_of_ours(data)) == onsets_of_remi(remi, data)
    score = remi.decode(remi.encode(Score.from_midi(data)))
    got = decode(encode(parse_midi(data)))
    assert [tick / 12 for tick in got.metre_ticks] == [t.time / score.ticks_per_quarter for t in score.time_signatures]
    assert [(n, d) for n, d in zip(got.metre_numerator, got.metre_denominator, strict=True)] == [
        (t.numerator, t.denominator) for t in score.time_signatures
    ]
    assert [tick / 12 for tick in got.tempo_ticks] == [t.time / score.ticks_per_quarter for t in score.tempos]
    step = TEMPO_BPM[1] / TEMPO_BPM[0]
    np.testing.assert_allclose(got.tempo_bpm, [t.qpm for t in score.tempos], rtol=step - 1)
