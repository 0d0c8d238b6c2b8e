import dataclasses
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, facts, make_piece, pieces
from walks import random_walk

from amt_ray.events.controls import Controls, controls_of
from amt_ray.events.encode import decode, encode
from amt_ray.events.grammar import check
from amt_ray.events.vocabulary import BAR, KEY, PITCH, TEMPO, TEMPO_BPM, VELOCITIES
from amt_ray.midi.features import measure
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import KEYS
from amt_ray.training.augment import Augmentation, Moves, augmented, draw_moves, moved

seeds = st.integers(0, 2**32 - 1)
STANDING = Augmentation(semitones=(0, 0), tempo_steps=0, velocity_steps=0, share=1.0)
ALWAYS = Augmentation(share=1.0)
PITCH_CLASSES = {"C": 0, "C#": 1, "Db": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "G#": 8, "Ab": 8, "A": 9,
                 "Bb": 10, "B": 11}  # fmt: skip


def laid(sequences):
    """Lay rows one after the other: ids and starts."""
    return np.concatenate(sequences).astype(np.uint16), np.append(0, np.cumsum([len(ids) for ids in sequences]))


def rows_of(ids, starts):
    return [ids[a:b] for a, b in pairwise(starts)]


def encoded(piece):
    return encode(piece, Controls(genre="jazz", tempo_bpm=float(piece.tempo_bpm[0]), key=piece.key, bars=9))


def tone(pitch, velocity=84, program=0, key=None, bpm=120.0):
    return encoded(make_piece([(0, 12, pitch, velocity, program)], tempi=[(0, bpm)], key=key))


def moves_of(n_rows, semitones=0, tempo_steps=0, velocity_steps=0):
    return Moves(*(np.full(n_rows, steps) for steps in (semitones, tempo_steps, velocity_steps)))


def moved_facts(piece, semitones, tempo_steps, velocity_steps):
    """Move a decoded piece note by note; its key is found by the pitch classes of the keys' names."""
    told = facts(piece)
    told["notes"] = [
        (onset, duration, pitch + (0 if program == DRUMS else semitones), velocity + 8 * velocity_steps, program)
        for onset, duration, pitch, velocity, program in told["notes"]
    ]
    told["tempi"] = [(tick, TEMPO_BPM[np.flatnonzero(bpm == TEMPO_BPM)[0] + tempo_steps]) for tick, bpm in told["tempi"]]
    if piece.key:
        told["key"] = transposed_key(piece.key, semitones)
    return told


def transposed_key(key, semitones):
    tonic, mode = key.split()
    (name,) = [
        k for k in KEYS if k.endswith(mode) and PITCH_CLASSES[k.split()[0]] == (PITCH_CLASSES[tonic] + semitones) % 12
    ]
    return name


@given(st.lists(pieces(), min_size=1, max_size=4), seeds)
def test_the_music_is_the_same_moved(batch, seed):
    ids, starts = laid([encoded(piece) for piece in batch])
    moves = draw_moves(ids, starts, ALWAYS, np.random.default_rng(seed))
    result = augmented(ids, starts, ALWAYS, np.random.default_rng(seed))
    assert (result.dtype, result.shape) == (np.uint16, ids.shape)
    steps = zip(*(steps.tolist() for steps in moves), strict=True)
    for before, after, row_steps in zip(rows_of(ids, starts), rows_of(result, starts), steps, strict=True):
        assert check(after).last == "END"
        assert facts(decode(after)) == moved_facts(decode(before), *row_steps)


@given(st.lists(pieces(max_tempo_changes=1), min_size=1, max_size=4), seeds)
def test_all_but_pitch_key_tempo_and_velocity_stands(batch, seed):
    ids, starts = laid([encoded(piece) for piece in batch])
    result = augmented(ids, starts, ALWAYS, np.random.default_rng(seed))
    may_move = np.zeros(len(ids), bool)
    for block in (PITCH, KEY, TEMPO, VELOCITIES):
        was_in, is_in = ((a >= block.start) & (a < block.end) for a in (ids, result))
        assert (was_in == is_in).all()
        may_move |= is_in
    assert (result == ids)[~may_move].all()


@given(seeds)
def test_the_grammar_accepts_every_walk_moved(seed):
    rng = np.random.default_rng(seed)
    ids, starts = laid([random_walk(rng)[0] for _ in range(3)])
    for row in rows_of(augmented(ids, starts, ALWAYS, rng), starts):
        assert check(row).last == "END"


@given(st.lists(pieces(), min_size=1, max_size=3), seeds)
def test_standing_ranges_and_no_share_change_nothing(batch, seed):
    ids, starts = laid([encoded(piece) for piece in batch])
    for augmentation in (STANDING, Augmentation(share=0.0)):
        assert augmented(ids, starts, augmentation, np.random.default_rng(seed)).tobytes() == ids.tobytes()


def test_the_same_generator_gives_the_same_bytes_and_the_input_stands():
    ids, starts = laid([encoded(compose(seed)) for seed in range(6)])
    before = ids.tobytes()
    results = [augmented(ids, starts, ALWAYS, np.random.default_rng(seed)).tobytes() for seed in (1, 1, 2)]
    assert results[0] == results[1] != results[2]
    assert ids.tobytes() == before


@pytest.mark.parametrize("seed", range(8))
def test_a_moved_window_is_the_window_of_the_moved_piece(seed):
    """Key and tempo are measured, as those of training windows are."""
    piece = compose(seed)
    piece = dataclasses.replace(piece, tempo_bpm=TEMPO_BPM[[9 + seed]])
    for semitones, tempo_steps, velocity_steps in ((1, 0, 0), (6, -2, 1), (-3, 2, -2)):
        is_drum = piece.notes.program == DRUMS
        notes = dataclasses.replace(
            piece.notes,
            pitch=piece.notes.pitch + np.where(is_drum, 0, semitones),
            velocity=piece.notes.velocity + 8 * velocity_steps,
        )
        other = dataclasses.replace(piece, notes=notes, tempo_bpm=TEMPO_BPM[[9 + seed + tempo_steps]])
        before, after = (encode(p, Controls(key=measure(p).key, tempo_bpm=measure(p).tempo_bpm)) for p in (piece, other))
        result = moved(before, np.array([0, len(before)]), moves_of(1, semitones, tempo_steps, velocity_steps))
        assert result.tolist() == after.tolist()


def test_every_key_moves_to_the_one_key_of_its_new_tonic_and_mode():
    ids, starts = laid([tone(60, key=key) for key in KEYS])
    for semitones in range(-12, 13):
        result = moved(ids, starts, moves_of(24, semitones))
        keys = [decode(row).key for row in rows_of(result, starts)]
        assert keys == [transposed_key(key, semitones) for key in KEYS]
        assert set(keys) == set(KEYS)
    assert (
        decode(moved(tone(60, key="D minor"), np.array([0, len(tone(60, key="D minor"))]), moves_of(1, 2))).key == "E minor"
    )


def test_a_row_without_a_key_stays_without_one():
    ids = encode(make_piece([(0, 12, 60, 84, 0)]), Controls(key="none"))
    result = moved(ids, np.array([0, len(ids)]), moves_of(1, 5))
    assert controls_of(result[1 : result.tolist().index(BAR)].astype(np.int64)).key == "none"
    assert decode(result).notes.pitch.tolist() == [65]
    assert KEY.end - 1 in result


def drawn(ids, augmentation=ALWAYS, n_rows=400):
    """Draw moves for many rows that are alike: the values that came, of each kind."""
    return [set(steps.tolist()) for steps in draw_moves(*laid([ids] * n_rows), augmentation, np.random.default_rng(0))]


@pytest.mark.parametrize(
    ("pitches", "semitones"),
    [((21, 108), {0}), ((21,), set(range(7))), ((108,), set(range(-5, 1))), ((24, 105), set(range(-3, 4))),
     ((60,), set(range(-5, 7))), ((26, 102), set(range(-5, 7)))],
)  # fmt: skip
def test_transposition_keeps_to_the_piano_and_uses_all_of_its_room(pitches, semitones):
    ids = encoded(make_piece([(12 * i, 12, pitch, 84, 0) for i, pitch in enumerate(pitches)]))
    assert drawn(ids) == [semitones, {-2, -1, 0, 1, 2}, {-2, -1, 0, 1, 2}]


@pytest.mark.parametrize(("velocity", "steps"), [(1, {0, 1, 2}), (12, {-1, 0, 1, 2}), (127, {-2, -1, 0})])
def test_velocity_keeps_to_its_block(velocity, steps):
    assert drawn(tone(60, velocity))[2] == steps


@pytest.mark.parametrize(("index", "steps"), [(0, {0, 1, 2}), (1, {-1, 0, 1, 2}), (26, {-2, -1, 0, 1}), (27, {-2, -1, 0})])
def test_tempo_keeps_to_its_block(index, steps):
    assert drawn(tone(60, bpm=float(TEMPO_BPM[index])))[1] == steps


def test_tempi_at_both_ends_of_the_block_stand():
    rows = [(48 * bar, 12, 60, 84, 0) for bar in range(2)]
    ids = encoded(make_piece(rows, tempi=[(0, float(TEMPO_BPM[0])), (48, float(TEMPO_BPM[-1]))]))
    assert {TEMPO.start, TEMPO.end - 1} <= set(ids.tolist())
    assert drawn(ids)[1] == {0}


def test_a_row_is_limited_by_its_own_events_only():
    n = 300
    ids, starts = laid([tone(21), tone(60), tone(108)] * n)
    semitones = draw_moves(ids, starts, ALWAYS, np.random.default_rng(0)).semitones_R.reshape(n, 3)
    assert [set(column.tolist()) for column in semitones.T] == [set(range(7)), set(range(-5, 7)), set(range(-5, 1))]


def test_drums_alone_are_not_transposed_and_keep_their_key():
    ids, starts = laid([tone(36, program=DRUMS, key="D minor")] * 50)
    result = augmented(ids, starts, ALWAYS, np.random.default_rng(0))
    assert {decode(row).key for row in rows_of(result, starts)} == {"D minor"}
    assert {int(decode(row).notes.pitch[0]) for row in rows_of(result, starts)} == {36}
    assert len({float(decode(row).tempo_bpm[0]) for row in rows_of(result, starts)}) == 5


def test_moves_are_uniform_and_independent_and_rows_stand_with_their_chance():
    n = 24_000
    ids, starts = laid([tone(60)] * n)
    moves = draw_moves(ids, starts, Augmentation(share=0.75), np.random.default_rng(3))
    for steps, values in zip(moves, (range(-5, 7), range(-2, 3), range(-2, 3)), strict=True):
        chance = 0.75 / len(values)
        for value in values:
            wanted = chance + (0.25 if value == 0 else 0)
            assert (steps == value).mean() == pytest.approx(wanted, abs=4.5 * np.sqrt(wanted * (1 - wanted) / n))
    stands = np.all([steps == 0 for steps in moves], axis=0)
    assert stands.mean() == pytest.approx(0.25 + 0.75 / (12 * 5 * 5), abs=4.5 * np.sqrt(0.25 * 0.75 / n))
    among_moved = [steps[~stands] for steps in moves]
    assert np.abs(np.corrcoef(among_moved) - np.eye(3)).max() < 4.5 / np.sqrt(n / 2)


def test_no_rows_are_no_ids():
    result = augmented(np.zeros(0, np.uint16), np.zeros(1, np.int64), ALWAYS, np.random.default_rng(0))
    assert (result.dtype, result.tolist()) == (np.uint16, [])


@pytest.mark.parametrize("starts", [[0, 5], [1, 13], [0, 5, 5, 13], [0, 9, 4, 13], [0, 14]])
def test_starts_that_are_no_rows_are_refused(starts):
    ids = tone(60)
    assert len(ids) == 13
    with pytest.raises(ValueError, match=r"^starts of rows must ascend from 0 to 13, "):
        augmented(ids, np.array(starts), ALWAYS, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("ids", "steps", "name"),
    [(tone(108), (1, 0, 0), "PITCH"), (tone(21), (-1, 0, 0), "PITCH"), (tone(60, 127), (0, 0, 1), "VELOCITY"),
     (tone(60, bpm=28.0), (0, -1, 0), "TEMPO")],
)  # fmt: skip
def test_a_move_out_of_a_block_is_refused(ids, steps, name):
    with pytest.raises(ValueError, match=rf"^a row's {name} events do not fit"):
        moved(ids, np.array([0, len(ids)]), moves_of(1, *steps))


@pytest.mark.parametrize(
    "wrong",
    [{"semitones": (1, 6)}, {"semitones": (-5, -1)}, {"tempo_steps": -1}, {"velocity_steps": -1}, {"share": 1.1},
     {"share": -0.1}, {"share": float("nan")}],
)  # fmt: skip
def test_ranges_that_leave_no_way_to_stand_still_are_refused(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}.*allowed are"):
        Augmentation(**wrong)


@pytest.mark.parametrize("module", ["augment", "ngrams"])
def test_importing_it_brings_neither_midi_readers_nor_frameworks(module):
    heavy = {"symusic", "pretty_midi", "ray", "torch"}
    code = f"import sys, amt_ray.training.{module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
