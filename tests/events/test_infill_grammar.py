import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import rows_of
from walks import random_infill_walk, random_walk, read

from amt_ray.events.encode import decode
from amt_ray.events.grammar import START, START_INFILL, advance, allowed, check, follow
from amt_ray.events.infill import filled, hide_bars, hide_part
from amt_ray.events.vocabulary import (
    BAR,
    BLOCKS,
    DRUM,
    END_FILL,
    EOS,
    FILL,
    GAP,
    MORE,
    N_IDS,
    PAD,
    PITCH,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
    name_of,
)

seeds = st.integers(0, 2**32 - 1)
IDS = {name_of(event_id): event_id for event_id in range(N_IDS)}
OPENING = ["BAR", "TIME_SIGNATURE 3/4", "TEMPO 119.3"]
VIOLIN = ["POSITION 0", "PROGRAM violin", "PITCH 60", "VELOCITY 68", "DURATION 12"]
PIANO = ["POSITION 0", "PROGRAM piano", "PITCH 60", "VELOCITY 68", "DURATION 12"]
PART_NOTE = ["POSITION 0", "PITCH 60", "VELOCITY 68", "DURATION 12"]
BEAT = ["POSITION 0", "DRUM 36", "VELOCITY 68", "DURATION 12"]
FIRST_BAR = ["BOS", *OPENING, *VIOLIN]
TWO_BARS = [*FIRST_BAR, "BAR", "TIME_SIGNATURE 2/4", *PIANO]
BARS = [*FIRST_BAR, "GAP", "BAR", "TIME_SIGNATURE 2/4", "TEMPO 28", *PIANO, "FILL", *OPENING, *VIOLIN, "END_FILL", "EOS"]
PART = [*TWO_BARS, "FILL", "PROGRAM drums", "BAR", *BEAT, "BAR", "END_FILL", "EOS"]


def ids_of(names):
    return [IDS[name] for name in names]


def allowed_after(*names):
    return set(np.flatnonzero(allowed(check(ids_of(names), START_INFILL))).tolist())


def block(name, to_index=None):
    start = BLOCKS[name].start
    return set(range(start, BLOCKS[name].end if to_index is None else start + to_index))


@given(seeds)
def test_a_fill_can_always_be_ended_and_is_the_fill_of_one_plain_sequence(seed):
    """Every walk is what hiding makes of what `filled` makes of it: the grammar allows nothing else."""
    ids, _ = random_infill_walk(np.random.default_rng(seed))
    plain = filled(ids)
    assert check(plain).last == check(ids, START_INFILL).last == "END"
    fill = ids.index(FILL)
    if GAP in ids:
        first = ids[: ids.index(GAP)].count(BAR)
        again = hide_bars(plain, first, first + ids[fill:].count(BAR))
    else:
        again = hide_part(plain, ids[fill + 1] - PROGRAM.start)
    assert again.tolist() == ids
    assert rows_of(decode(ids)) == read(plain.tolist()).rows


def test_walks_take_both_forms():
    walks = [random_infill_walk(np.random.default_rng(seed), n_events=100)[0] for seed in range(60)]
    assert 15 <= sum(GAP in ids for ids in walks) <= 45


@given(seeds)
def test_something_is_always_allowed_and_the_rest_is_refused(seed):
    rng = np.random.default_rng(seed)
    for state in random_infill_walk(rng, n_events=60)[1]:
        mask = allowed(state)
        assert mask.shape == (N_IDS,)
        assert mask.any()
        assert not mask[[EOS, MORE]].any() or state.last == "END_FILL"
        refused = int(rng.choice(np.flatnonzero(~mask)))
        with pytest.raises(ValueError, match=f"^{name_of(refused)} cannot follow "):
            advance(state, refused)
        taken = int(rng.choice(np.flatnonzero(mask)))
        assert advance(state, taken) == follow(state, taken)


@given(seeds)
def test_up_to_the_mark_an_infill_is_plain_but_for_the_end(seed):
    _, states = random_walk(np.random.default_rng(seed), n_events=60)
    ids, _ = random_walk(np.random.default_rng(seed), n_events=60)
    opened = START_INFILL
    for state, event_id in zip(states[:-1], ids, strict=False):
        plain, wanted = allowed(opened), allowed(state)
        can_leave = bool(wanted[BAR])
        assert (bool(plain[GAP]), bool(plain[FILL])) == (can_leave, can_leave and state.notes > 0)
        plain[[GAP, FILL]] = wanted[[EOS, MORE]] = False
        assert plain.tolist() == wanted.tolist()
        if not plain[event_id]:
            break
        opened = follow(opened, event_id)


def test_the_whole_forms_pass_and_only_from_their_start():
    for names in (BARS, PART):
        assert check(ids_of(names), START_INFILL).last == "END"
        assert allowed_after(*names) == allowed_after(*names, "PAD") == {PAD}
        with pytest.raises(ValueError, match="cannot follow"):
            check(ids_of(names), START)
    with pytest.raises(ValueError, match="EOS cannot follow duration"):
        check(ids_of([*TWO_BARS, "EOS"]), START_INFILL)


def test_a_gap_may_stand_between_bars_and_before_the_first():
    assert allowed_after("BOS") >= {GAP, BAR}
    assert FILL not in allowed_after("BOS")
    assert allowed_after("BOS", "GAP") == {BAR}
    assert allowed_after(*FIRST_BAR, "GAP") == {BAR, FILL}
    assert {GAP, FILL} < allowed_after(*FIRST_BAR)
    assert not {GAP, FILL} & allowed_after(*FIRST_BAR[:-1])
    assert {GAP, FILL} & allowed_after("BOS", *OPENING) == {GAP}


@pytest.mark.parametrize("before", [["BOS", "GAP"], [*FIRST_BAR, "GAP"], [*FIRST_BAR, "GAP", "FILL"]])
def test_metre_and_tempo_are_stated_anew_behind_a_gap_and_in_its_fill(before):
    assert allowed_after(*before, "BAR") == block("TIME_SIGNATURE")
    assert allowed_after(*before, "BAR", "TIME_SIGNATURE 3/4") == block("TEMPO")


def test_the_fill_of_a_gap_has_a_note_and_ends_at_a_bar_line():
    fill = [*FIRST_BAR, "GAP", "FILL"]
    assert allowed_after(*fill) == {BAR}
    assert allowed_after(*fill, *OPENING) == block("POSITION", 36) | {BAR}
    assert END_FILL not in allowed_after(*fill, *OPENING, *VIOLIN[:-1])
    after = allowed_after(*fill, *OPENING, *VIOLIN)
    assert {END_FILL, BAR} < after
    assert not {GAP, FILL, EOS, MORE} & after
    assert allowed_after(*fill, *OPENING, *VIOLIN, "BAR") >= {END_FILL, BAR}
    assert allowed_after(*fill, *OPENING, *VIOLIN, "END_FILL") == {EOS, MORE}


def test_what_is_left_around_a_gap_has_a_note():
    assert allowed_after("BOS", *OPENING, "GAP") == {BAR}
    assert FILL not in allowed_after("BOS", "GAP", *OPENING)
    assert FILL in allowed_after("BOS", "GAP", *OPENING, *VIOLIN)


def test_a_part_is_of_a_program_that_is_not_heard_yet():
    assert allowed_after("BOS", "PROGRAM cello", *TWO_BARS[1:], "FILL") == block("PROGRAM") - {
        IDS["PROGRAM violin"],
        IDS["PROGRAM piano"],
    }
    assert allowed_after(*TWO_BARS, "FILL", "PROGRAM cello") == {BAR}


def test_a_part_keeps_its_program_and_the_metre_of_each_bar():
    fill = [*TWO_BARS, "FILL", "PROGRAM cello", "BAR"]
    assert allowed_after(*fill) == block("POSITION", 36) | {BAR}
    assert allowed_after(*fill, "POSITION 0") == set(range(PITCH.start, PITCH.end))
    later = block("POSITION", 36) - {IDS["POSITION 0"]}
    assert allowed_after(*fill, *PART_NOTE) == later | set(range(IDS["PITCH 61"], PITCH.end)) | {BAR}
    second = [*fill, *PART_NOTE, "BAR"]
    assert allowed_after(*second) == block("POSITION", 24) | {END_FILL}
    assert allowed_after(*second, "POSITION 3") == set(range(PITCH.start, PITCH.end))
    assert allowed_after(*second, *PART_NOTE) & {BAR, END_FILL, EOS} == {END_FILL}
    assert allowed_after(*TWO_BARS, "FILL", "PROGRAM drums", "BAR", "POSITION 35") == set(range(DRUM.start, DRUM.end))


def test_a_part_has_a_note_and_as_many_bars_as_the_others():
    fill = [*TWO_BARS, "FILL", "PROGRAM cello", "BAR"]
    assert allowed_after(*fill, "BAR") == block("POSITION", 24)
    assert END_FILL not in allowed_after(*fill, *PART_NOTE)
    assert not (block("TIME_SIGNATURE") | block("TEMPO")) & allowed_after(*fill, "BAR")
    assert (TIME_SIGNATURE.size, TEMPO.size) == (14, 28)


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ([*FIRST_BAR, "FILL", "BAR"], "BAR cannot follow fill"),
        ([*BARS[:-2], "EOS"], "EOS cannot follow duration"),
        ([*BARS[:-2], "PAD"], "PAD cannot follow duration"),
        ([*PART[:-2], "EOS"], "EOS cannot follow bar"),
        ([*FIRST_BAR, "GAP", "GAP"], "GAP cannot follow gap"),
        ([*FIRST_BAR, "GAP", *OPENING, "GAP"], "GAP cannot follow tempo"),
        ([*FIRST_BAR, "GAP", *OPENING, "EOS"], "EOS cannot follow tempo"),
        ([*BARS[:-2], "GAP"], "GAP cannot follow duration"),
        ([*BARS[:-1], "FILL"], "FILL cannot follow end_fill"),
        ([*BARS[:-1], "BAR"], "BAR cannot follow end_fill"),
        ([*FIRST_BAR, "GAP", "FILL", "PROGRAM cello"], "PROGRAM cello cannot follow fill"),
        ([*FIRST_BAR, "END_FILL"], "END_FILL cannot follow duration"),
        ([*TWO_BARS, "FILL", "PROGRAM violin"], "PROGRAM violin cannot follow fill"),
        ([*TWO_BARS, "FILL", "PROGRAM cello", "BAR", *PART_NOTE, "PROGRAM viola"], "PROGRAM viola cannot follow duration"),
        ([*TWO_BARS, "FILL", "PROGRAM drums", "BAR", *PART_NOTE[:2]], "PITCH 60 cannot follow program"),
        ([*TWO_BARS, "FILL", "PROGRAM cello", "BAR", "POSITION 0", "PROGRAM cello"], "PROGRAM cello cannot follow program"),
        ([*TWO_BARS, "FILL", "PROGRAM cello", "BAR", "TEMPO 28"], "TEMPO 28 cannot follow bar"),
        ([*TWO_BARS, "FILL", "PROGRAM cello", "BAR", "BAR", "BAR"], "BAR cannot follow bar"),
        ([*TWO_BARS, "FILL", "PROGRAM cello", "BAR", "BAR", "POSITION 24"], "POSITION 24 cannot follow bar"),
    ],
)
def test_wrong_forms_are_refused(names, refused):
    with pytest.raises(ValueError, match=f"^event {len(names) - 1}: {refused}"):
        check(ids_of(names), START_INFILL)
