import pytest

from amt_ray.text.mood import mood_of

FAST = {"tempo_bpm": 160.0, "density_notes_per_beat": 4.0, "velocity_mean": 100.0, "velocity_std": 9.0}
SLOW = {"tempo_bpm": 52.0, "density_notes_per_beat": 1.5, "velocity_mean": 45.0, "velocity_std": 9.0}
MAJOR, MINOR = {"key": "D major", "key_confidence": 0.9}, {"key": "D minor", "key_confidence": 0.9}
HIGH, LOW = {"pitch_min": 55, "pitch_max": 84}, {"pitch_min": 28, "pitch_max": 60}


@pytest.mark.parametrize(
    ("features", "mood"),
    [
        (FAST | MAJOR, "joyful"),
        (FAST | MINOR, "tense"),
        (SLOW | MAJOR, "calm"),
        (SLOW | MINOR | HIGH, "melancholic"),
        (SLOW | MINOR, "melancholic"),
        (SLOW | MINOR | LOW, "dark"),
        (SLOW | MAJOR | LOW, "calm"),
        (FAST | MAJOR | {"key_confidence": 0.5, "density_notes_per_beat": 8.0}, "energetic"),
        (FAST | {"density_notes_per_beat": 8.0}, "energetic"),
        (FAST | MAJOR | {"tempo_bpm": 100.0}, None),
        (SLOW, None),
        (MINOR, None),
        (SLOW | MINOR | {"tempo_bpm": float("nan")}, None),
        (SLOW | MINOR | HIGH | {"density_notes_per_beat": 5e-324}, "melancholic"),
        ({}, None),
    ],
)
def test_mood_is_named_where_mode_pace_and_register_agree(features, mood):
    assert mood_of(features) == mood


def test_velocities_that_nobody_played_say_nothing():
    loud = SLOW | MINOR | {"tempo_bpm": 70.0, "velocity_mean": 127.0}
    assert mood_of(loud) is None
    assert mood_of(loud | {"velocity_std": 0.0}) == "melancholic"
