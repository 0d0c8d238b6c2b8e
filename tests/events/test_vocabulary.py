import numpy as np
import pytest

from amt_ray.events.vocabulary import (
    BAR_UNITS,
    BLOCK_OF,
    BLOCKS,
    DRUM,
    DURATION_UNITS,
    METRES,
    N_IDS,
    PITCH,
    PROGRAM,
    SPECIALS,
    TEMPO_BPM,
    VELOCITY,
    name_of,
)


def test_blocks_tile_all_ids():
    ends = [block.end for block in BLOCKS.values()]
    assert [block.start for block in BLOCKS.values()] == [0, *ends[:-1]]
    assert ends[-1] == N_IDS == 512
    assert len(BLOCK_OF) == N_IDS


def test_an_id_is_in_the_block_that_block_of_names():
    names = list(BLOCKS)
    for event_id in range(N_IDS):
        assert [name for name, block in BLOCKS.items() if event_id in block] == [names[BLOCK_OF[event_id]]]


def test_every_id_has_its_own_name():
    names = [name_of(event_id) for event_id in range(N_IDS)]
    assert len(set(names)) == N_IDS
    assert tuple(names[: len(SPECIALS)]) == SPECIALS
    assert name_of(PITCH.start + 60 - 21) == "PITCH 60"
    assert name_of(DRUM.start) == "DRUM 35"
    assert name_of(PROGRAM.end - 1) == "PROGRAM drums"


@pytest.mark.parametrize("event_id", [-1, 512, 10_000])
def test_an_id_outside_has_no_name(event_id):
    with pytest.raises(ValueError, match=f"event id {event_id}: allowed are 0 to 511"):
        name_of(event_id)


def test_layout_is_the_one_of_saved_models():
    """The ids are part of every saved model: a new layout breaks them all."""
    assert {name: block.start for name, block in BLOCKS.items()} == {
        "SPECIAL": 0,
        "POSITION": 8,
        "PITCH": 80,
        "DRUM": 168,
        "PROGRAM": 215,
        "VELOCITY": 344,
        "DURATION": 360,
        "TEMPO": 384,
        "TIME_SIGNATURE": 412,
        "KEY": 426,
        "STYLE": 451,
        "GENRE": 467,
        "MOOD": 487,
        "DENSITY": 497,
        "POLYPHONY": 503,
        "LENGTH": 506,
    }


def test_tables_ascend_without_a_repeat():
    for table in (DURATION_UNITS, TEMPO_BPM, VELOCITY):
        assert (np.diff(table) > 0).all()
    assert len(set(METRES)) == len(METRES)


def test_bar_lengths_are_the_metres():
    assert dict(zip(METRES, BAR_UNITS.tolist(), strict=True)) == {(n, d): 48 * n // d for n, d in METRES}


def test_tempo_ladder_steps_by_the_same_ratio():
    ratios = TEMPO_BPM[1:] / TEMPO_BPM[:-1]
    np.testing.assert_allclose(ratios, 10 ** (1 / 27), rtol=2e-3)
    assert (TEMPO_BPM[0], TEMPO_BPM[-1]) == (28.0, 280.0)
