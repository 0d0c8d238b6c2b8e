"""Steering without a model: whatever is wanted, only what the mask allows is drawn, and the plan must come out."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amt_ray.events.controls import Controls, control_ids
from amt_ray.events.encode import decode
from amt_ray.events.grammar import check
from amt_ray.events.quantise import nearest_tempo
from amt_ray.events.vocabulary import (
    BAR,
    BAR_UNITS,
    BOS,
    DURATION,
    EOS,
    METRES,
    MORE,
    N_IDS,
    PITCH,
    POSITION,
    PROGRAM,
    TEMPO_BPM,
    TIME_SIGNATURE,
    VELOCITIES,
)
from amt_ray.generation.steering import FEWEST_BARS, Steering
from amt_ray.midi.instruments import DRUMS

FEW_PROGRAMS = (0, 24, 40, 73, DRUMS)
LONGEST_WAY = 2000

# Tastes that a model may have, as logits over all events: none, one that never stops, one that always plays all at once …
TASTES = {
    "none": np.zeros(N_IDS),
    "low ids": -np.arange(N_IDS) / 3,
    "high ids": np.arange(N_IDS) / 3,
    "never an end": np.where(np.isin(np.arange(N_IDS), [EOS, MORE]), -50.0, 0.0),
    "an end at once": np.where(np.isin(np.arange(N_IDS), [EOS, MORE]), 50.0, 0.0),
    "bars": np.where(np.arange(N_IDS) == BAR, 50.0, 0.0),
    "long notes": np.where(np.arange(N_IDS) == DURATION.end - 1, 50.0, 0.0),
    "late notes": np.linspace(0, 60, N_IDS) * (np.arange(N_IDS) < POSITION.end),
    "one program after another": np.where(np.arange(N_IDS) >= PROGRAM.start, 20.0 * (N_IDS - np.arange(N_IDS)), 0.0),
    "many programs": np.where((np.arange(N_IDS) >= PROGRAM.start) & (np.arange(N_IDS) < PROGRAM.end), 9.0, 0.0),
}


def walk(controls, max_tokens, seed=0, taste="none", excluded=()):
    """Draw a sequence from a taste and the mask. Returns all its ids."""
    steering, rng = Steering(controls, excluded, max_tokens), np.random.default_rng(seed)
    ids = [BOS, *control_ids(controls)]
    for event_id in ids:
        steering.push(event_id)
    while steering.state.last != "END":
        mask = steering.mask()
        assert mask.any()
        assert not mask[MORE]
        assert len(ids) < LONGEST_WAY
        wish = np.where(mask, steering.end_logit(TASTES[taste]) + rng.gumbel(size=N_IDS), -np.inf)
        ids.append(int(wish.argmax()))
        steering.push(ids[-1])
    return ids


plans = st.builds(
    Controls,
    style=st.none() | st.integers(0, 15),
    genre=st.sampled_from((None, "jazz")),
    mood=st.sampled_from((None, "calm")),
    tempo_bpm=st.none() | st.floats(10, 400),
    key=st.sampled_from((None, "D minor")),
    time_signature=st.sampled_from((None, *TIME_SIGNATURE.names)),
    programs=st.lists(st.sampled_from(FEW_PROGRAMS), max_size=4, unique=True).map(tuple),
    polyphony=st.sampled_from((None, "mono", "homo", "poly")),
    bars=st.none() | st.integers(1, 12),
)
seeds = st.integers(0, 2**32)
tastes = st.sampled_from(tuple(TASTES))


@given(plans, st.integers(64, 400), seeds, tastes)
def test_every_way_ends_in_time_obeys_the_grammar_and_is_music(controls, max_tokens, seed, taste):
    ids = walk(controls, max_tokens, seed, taste)
    assert len(ids) <= max_tokens
    assert ids[-1] == EOS
    assert check(ids).last == "END"
    assert len(decode(ids).notes) == sum(event_id in DURATION for event_id in ids) > 0


@pytest.mark.parametrize("taste", TASTES)
@pytest.mark.parametrize("max_tokens", [64, 65, 66, 67, 68, 69, 100])
def test_whatever_the_model_likes_the_budget_holds(taste, max_tokens):
    for controls in (Controls(), Controls(programs=FEW_PROGRAMS, bars=12), Controls(polyphony="mono", bars=1)):
        ids = walk(controls, max_tokens, 0, taste)
        assert len(ids) <= max_tokens
        assert len(decode(ids).notes) > 0


@pytest.mark.parametrize("taste", ["high ids", "long notes", "an end at once", "late notes"])
def test_one_voice_after_another_all_instruments_come_to_sound(taste):
    for seed in range(5):
        ids = walk(Controls(programs=FEW_PROGRAMS, polyphony="mono"), 900, seed, taste)
        assert decode(ids).programs == list(FEW_PROGRAMS)


@given(plans, seeds, tastes)
def test_metre_and_tempo_hold_from_the_first_bar_to_the_last(controls, seed, taste):
    piece = decode(walk(controls, 300, seed, taste))
    assert (len(piece.tempo_bpm), len(piece.metre_ticks)) == (1, 1)
    metre = f"{piece.metre_numerator[0]}/{piece.metre_denominator[0]}"
    if controls.time_signature is not None:
        assert metre == controls.time_signature
    if controls.tempo_bpm is not None:
        assert piece.tempo_bpm[0] == TEMPO_BPM[nearest_tempo(np.array(controls.tempo_bpm))]
    if controls.key is not None:
        assert piece.key == controls.key


@given(plans, seeds, tastes)
def test_nothing_plays_but_the_instruments_asked_for(controls, seed, taste):
    assume(controls.programs)
    ids = walk(controls, 400, seed, taste)
    assert set(decode(ids).programs) <= set(controls.programs)
    planned = {event_id - PROGRAM.start for event_id in ids[: ids.index(BAR)] if event_id in PROGRAM}
    assert planned == set(controls.programs)


@given(plans, seeds, tastes)
def test_all_instruments_asked_for_sound(controls, seed, taste):
    assume(controls.programs)
    # One voice's long notes can fill all bars that were asked for, and a bar can begin with its last position.
    assume(controls.bars is None or (controls.bars > len(controls.programs) and controls.polyphony != "mono"))
    assert set(decode(walk(controls, 900, seed, taste)).programs) == set(controls.programs)


@given(st.lists(st.integers(0, DRUMS), min_size=1, max_size=128, unique=True).map(tuple), seeds, tastes)
def test_excluded_instruments_neither_play_nor_are_planned(excluded, seed, taste):
    ids = walk(Controls(), 300, seed, taste, excluded)
    assert not {event_id - PROGRAM.start for event_id in ids if event_id in PROGRAM} & set(excluded)


def test_what_is_asked_for_wins_over_what_is_excluded():
    assert decode(walk(Controls(programs=(0,)), 300, excluded=(0, 1))).programs == [0]


@given(plans, seeds, tastes)
def test_the_bars_asked_for_come_out_exactly(controls, seed, taste):
    assume(controls.bars is not None)
    ids = walk(controls, 100 + 60 * controls.bars, seed, taste)
    assert ids.count(BAR) == controls.bars


@given(seeds, tastes, st.integers(200, 500))
def test_without_a_length_a_piece_has_a_fewest_number_of_bars(seed, taste, max_tokens):
    assume(taste not in ("low ids", "many programs", "never an end"))
    ids = walk(Controls(programs=(0,)), max_tokens, seed, taste)
    assert ids.count(BAR) >= FEWEST_BARS or len(ids) > max_tokens / 3


@given(plans, seeds, tastes)
def test_a_single_voice_never_meets_itself(controls, seed, taste):
    controls = Controls(**{**vars(controls), "polyphony": "mono"})
    notes = decode(walk(controls, 400, seed, taste)).notes
    ends = notes.onset_ticks + notes.duration_ticks
    assert (notes.onset_ticks[1:] >= ends[:-1]).all()


@given(plans, seeds, tastes)
def test_every_bar_has_a_note_begin_in_it_unless_one_voice_still_sounds(controls, seed, taste):
    assume(controls.polyphony != "mono")
    ids = walk(controls, 500, seed, taste)
    piece = decode(ids)
    bar_units = int(BAR_UNITS[METRES.index((int(piece.metre_numerator[0]), int(piece.metre_denominator[0])))])
    with_notes = set((piece.notes.onset_ticks // bar_units).tolist())
    # The budget may run out right after a bar line.
    assert with_notes >= set(range(ids.count(BAR) - 1))


def test_the_first_bar_states_metre_then_tempo_then_plays():
    steering = Steering(Controls(time_signature="3/4", tempo_bpm=90), (), 100)
    for event_id in (BOS, *control_ids(steering.controls), BAR):
        steering.push(event_id)
    (metre,) = np.flatnonzero(steering.mask())
    steering.push(int(metre))
    (tempo,) = np.flatnonzero(steering.mask())
    steering.push(int(tempo))
    assert TIME_SIGNATURE.names[metre - TIME_SIGNATURE.start] == "3/4"
    assert np.flatnonzero(steering.mask()).tolist() == list(range(POSITION.start, POSITION.start + 36))


NOTE = [POSITION.start, PROGRAM.start, PITCH.start + 40, VELOCITIES.start, DURATION.start]


def test_the_wish_to_leave_the_last_bar_is_a_wish_to_end():
    steering = Steering(Controls(bars=1, time_signature="4/4", tempo_bpm=120), (), 100)
    for event_id in (BOS, *control_ids(steering.controls), BAR):
        steering.push(event_id)
    while steering.state.last != "TEMPO":
        steering.push(int(np.flatnonzero(steering.mask())[0]))
    logits = np.zeros(N_IDS)
    logits[[BAR, MORE, EOS]] = np.log([0.5, 0.125, 0.25])
    assert steering.end_logit(logits) is logits
    for event_id in NOTE:
        steering.push(event_id)
    merged = steering.end_logit(logits)
    assert np.exp(merged[EOS]) == pytest.approx(0.875)
    assert np.flatnonzero(merged != logits).tolist() == [EOS]
    assert np.exp(logits[EOS]) == pytest.approx(0.25)
