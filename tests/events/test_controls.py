import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.events.controls import Controls, control_ids, controls_of
from amt_ray.events.grammar import check
from amt_ray.events.vocabulary import (
    BAR,
    BOS,
    DENSITY_EDGES,
    KEY,
    LENGTH_EDGES,
    METRES,
    N_STYLES,
    POLYPHONIES,
    TEMPO_BPM,
    name_of,
)
from amt_ray.text.labels import GENRES, MOODS

controls = st.builds(
    Controls,
    style=st.none() | st.integers(0, N_STYLES - 1),
    genre=st.none() | st.sampled_from(GENRES),
    mood=st.none() | st.sampled_from(MOODS),
    tempo_bpm=st.none() | st.sampled_from(TEMPO_BPM.tolist()),
    key=st.none() | st.sampled_from(KEY.names),
    time_signature=st.none() | st.sampled_from([f"{n}/{d}" for n, d in METRES]),
    programs=st.sets(st.integers(0, 128)).map(lambda programs: tuple(sorted(programs))),
    density_notes_per_beat=st.none() | st.sampled_from((0.0, *DENSITY_EDGES)),
    polyphony=st.none() | st.sampled_from(POLYPHONIES),
    bars=st.none() | st.sampled_from((*LENGTH_EDGES, 2 * LENGTH_EDGES[-1])),
)


@given(controls)
def test_controls_come_back_from_their_ids(wanted):
    ids = control_ids(wanted)
    assert controls_of(np.array(ids, np.int64)) == wanted
    assert len(ids) == len(wanted.stated()) + max(len(wanted.programs) - 1, 0)


@given(controls)
def test_controls_stand_in_the_grammars_order(wanted):
    ids = control_ids(wanted)
    assert ids == sorted(set(ids), key=ids.index)
    check([BOS, *ids, BAR])


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Controls(), []),
        (Controls(tempo_bpm=120.0), ["TEMPO 119.3"]),
        (Controls(tempo_bpm=5.0), ["TEMPO 28"]),
        (Controls(tempo_bpm=1e6), ["TEMPO 280"]),
        (Controls(programs=(128, 0, 0)), ["PROGRAM piano", "PROGRAM drums"]),
        (Controls(density_notes_per_beat=0.99), ["DENSITY <1"]),
        (Controls(density_notes_per_beat=1.0), ["DENSITY 1-2"]),
        (Controls(density_notes_per_beat=80.0), ["DENSITY >8"]),
        (Controls(bars=4), ["LENGTH 1-4"]),
        (Controls(bars=5), ["LENGTH 5-8"]),
        (Controls(bars=65), ["LENGTH >64"]),
        (Controls(key="F# minor", genre="jazz"), ["GENRE jazz", "KEY F# minor"]),
        (Controls(style=3, mood="epic", polyphony="homo"), ["STYLE 3", "MOOD epic", "POLYPHONY homo"]),
    ],
)
def test_values_fall_into_their_events(wanted, names):
    assert [name_of(event_id) for event_id in control_ids(wanted)] == names


@pytest.mark.parametrize(
    "wanted",
    [
        Controls(style=16),
        Controls(style=-1),
        Controls(genre="polka"),
        Controls(mood=""),
        Controls(key="H minor"),
        Controls(time_signature="4/3"),
        Controls(polyphony="stereo"),
        Controls(programs=(129,)),
        Controls(programs=(-1,)),
        Controls(tempo_bpm=0.0),
        Controls(tempo_bpm=float("nan")),
        Controls(tempo_bpm=float("inf")),
    ],
)
def test_a_value_without_an_event_is_refused_by_name(wanted):
    with pytest.raises(ValueError, match=f"control {wanted.stated()[0]}: received "):
        control_ids(wanted)


def test_stated_lists_what_is_set():
    assert Controls(style=0, programs=(0,), bars=8).stated() == ["style", "programs", "bars"]
