import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import facts, rows_of
from walks import bar_indices, random_walk, read

from amt_ray.events.controls import controls_of
from amt_ray.events.encode import decode, encode, encode_bars
from amt_ray.events.grammar import START, advance, allowed, check, follow
from amt_ray.events.quantise import Quantised
from amt_ray.events.vocabulary import (
    BAR,
    BLOCKS,
    BOS,
    DRUM,
    DURATION,
    END_FILL,
    EOS,
    FILL,
    GAP,
    GENRE,
    KEY,
    MORE,
    N_IDS,
    PAD,
    PITCH,
    POSITION,
    PROGRAM,
    STYLE,
    TEMPO,
    TIME_SIGNATURE,
    VELOCITIES,
    name_of,
)

seeds = st.integers(0, 2**32 - 1)
IDS = {name_of(event_id): event_id for event_id in range(N_IDS)}
FIRST_BAR = ["BOS", "BAR", "TIME_SIGNATURE 3/4", "TEMPO 119.3"]
NOTE = ["POSITION 0", "PROGRAM violin", "PITCH 60", "VELOCITY 68", "DURATION 12"]


def allowed_after(*names):
    return set(np.flatnonzero(allowed(check(IDS[name] for name in names))).tolist())


def block(name, from_index=0, to_index=None):
    return set(
        range(BLOCKS[name].start + from_index, BLOCKS[name].end if to_index is None else BLOCKS[name].start + to_index)
    )


@given(seeds)
def test_something_is_always_allowed_and_the_rest_is_refused(seed):
    rng = np.random.default_rng(seed)
    _, states = random_walk(rng, n_events=60)
    for state in states:
        mask = allowed(state)
        assert mask.shape == (N_IDS,)
        assert mask.any()
        assert not mask[[GAP, FILL, END_FILL]].any()
        refused = int(rng.choice(np.flatnonzero(~mask)))
        with pytest.raises(ValueError, match=f"^{name_of(refused)} cannot follow "):
            advance(state, refused)
        taken = int(rng.choice(np.flatnonzero(mask)))
        assert advance(state, taken) == follow(state, taken)


@given(seeds)
def test_every_walk_decodes_to_what_it_says(seed):
    ids, _ = random_walk(np.random.default_rng(seed))
    assert rows_of(decode(ids)) == read(ids).rows
    for tick, numerator, denominator in facts(decode(ids))["metres"]:
        assert (tick, (numerator, denominator)) in [(start, metre) for start, metre, _ in read(ids).bars]
    bar_bpm = {start: bpm for start, _, bpm in read(ids).bars}
    assert all(bar_bpm[tick] == bpm for tick, bpm in facts(decode(ids))["tempi"])


@given(seeds)
def test_every_walk_is_the_only_sequence_of_its_bars(seed):
    ids, _ = random_walk(np.random.default_rng(seed))
    reading = read(ids)
    controls = controls_of(np.array([IDS[name] for name in reading.controls], np.int64))
    quantised = Quantised(decode(ids), *bar_indices(reading), {})
    assert encode_bars(quantised, controls, goes_on=ids[-1] == MORE).tolist() == ids


def test_walks_that_break_no_rule_of_quantising_encode_to_themselves():
    """Left out: walks with empty bars at an end, with more than eight in a row, or with overlapping notes."""
    n_kept = 0
    for seed in range(60):
        ids, _ = random_walk(np.random.default_rng(seed))
        reading = read(ids)
        filled = [np.searchsorted([s for s, _, _ in reading.bars], row[0], side="right") - 1 for row in reading.rows]
        ends = {}
        overlap = any(
            ends.get((program, pitch), 0) > onset or ends.update({(program, pitch): onset + duration})
            for onset, duration, pitch, _, program in reading.rows
        )
        if overlap or filled[0] != 0 or filled[-1] != len(reading.bars) - 1 or np.diff([0, *filled]).max() > 9:
            continue
        n_kept += 1
        start = ids.index(BAR)
        again = encode(decode(ids)).tolist()
        assert again[1:-1] == ids[start:-1]
    assert n_kept >= 20


@given(seeds)
def test_a_second_trip_changes_nothing(seed):
    ids, _ = random_walk(np.random.default_rng(seed))
    once = encode(decode(ids)).tolist()
    check(once)
    assert encode(decode(once)).tolist() == once


@given(seeds)
def test_state_counts_bars_and_notes(seed):
    ids, _ = random_walk(np.random.default_rng(seed))
    state = check(ids)
    assert (state.bars, state.notes) == (len(read(ids).bars), len(read(ids).rows))


def test_start_and_end():
    assert set(np.flatnonzero(allowed(START))) == {BOS}
    assert allowed_after(*FIRST_BAR, *NOTE, "EOS") == {PAD}
    assert allowed_after(*FIRST_BAR, *NOTE, "MORE", "PAD") == {PAD}


def test_controls_come_in_order_and_programs_ascend():
    controls = {*range(STYLE.start, STYLE.end)}
    assert controls < allowed_after("BOS")
    assert allowed_after("BOS", "GENRE jazz") == allowed_after("BOS") - controls - set(range(GENRE.start, GENRE.end))
    violin, last = IDS["PROGRAM violin"], ["DENSITY", "POLYPHONY", "LENGTH"]
    assert allowed_after("BOS", "PROGRAM violin") == set(range(violin + 1, PROGRAM.end)) | {BAR}.union(*map(block, last))
    assert allowed_after("BOS", "LENGTH 1-4") == {BAR}


def test_first_bar_states_metre_and_tempo():
    assert allowed_after("BOS", "BAR") == set(range(TIME_SIGNATURE.start, TIME_SIGNATURE.end))
    assert allowed_after("BOS", "BAR", "TIME_SIGNATURE 3/4") == set(range(TEMPO.start, TEMPO.end))


def test_positions_end_with_the_bar_and_no_piece_is_empty():
    assert allowed_after(*FIRST_BAR) == block("POSITION", 0, 36) | {BAR}


def test_later_bars_state_changes_only():
    positions = block("POSITION", 0, 36)
    metres = block("TIME_SIGNATURE") - {IDS["TIME_SIGNATURE 3/4"]}
    tempi = block("TEMPO") - {IDS["TEMPO 119.3"]}
    later = [*FIRST_BAR, *NOTE, "BAR"]
    assert allowed_after(*later) == metres | tempi | positions | {BAR, EOS, MORE}
    assert allowed_after(*later, "TEMPO 28") == positions | {BAR, EOS, MORE}
    assert allowed_after(*later, "TIME_SIGNATURE 2/4") == tempi | block("POSITION", 0, 24) | {BAR, EOS, MORE}


def test_a_note_is_pitch_velocity_duration():
    assert allowed_after(*FIRST_BAR, "POSITION 0") == block("PROGRAM")
    assert allowed_after(*FIRST_BAR, "POSITION 0", "PROGRAM violin") == set(range(PITCH.start, PITCH.end))
    assert allowed_after(*FIRST_BAR, "POSITION 0", "PROGRAM drums") == set(range(DRUM.start, DRUM.end))
    assert allowed_after(*FIRST_BAR, *NOTE[:3]) == set(range(VELOCITIES.start, VELOCITIES.end))
    assert allowed_after(*FIRST_BAR, *NOTE[:4]) == set(range(DURATION.start, DURATION.end))


def test_pitches_programs_and_positions_ascend():
    after = allowed_after(*FIRST_BAR, *NOTE)
    assert after == (
        block("POSITION", 1, 36)
        | set(range(IDS["PITCH 61"], PITCH.end))
        | set(range(IDS["PROGRAM violin"] + 1, PROGRAM.end))
        | {BAR, EOS, MORE}
    )
    assert allowed_after(*FIRST_BAR, *NOTE, "POSITION 35", "PROGRAM drums", "DRUM 81", "VELOCITY 68", "DURATION 1") == {
        BAR,
        EOS,
        MORE,
    }
    assert allowed_after(*FIRST_BAR, *NOTE, "PROGRAM viola") == set(range(PITCH.start, PITCH.end))


@pytest.mark.parametrize("event_id", [-1, -512, 512, 70_000])
def test_an_id_outside_the_vocabulary_is_refused(event_id):
    with pytest.raises(ValueError, match=f"event id {event_id}"):
        advance(START, event_id)


def test_check_names_the_place():
    with pytest.raises(ValueError, match=r"^event 2: KEY C major cannot follow bar \(bar 1\)$"):
        check([BOS, BAR, KEY.start])
    assert POSITION.start == 8
