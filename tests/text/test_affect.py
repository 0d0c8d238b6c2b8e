import pytest

from amt_ray.text.affect import affect_of, place_of
from amt_ray.text.analysis import Label
from amt_ray.text.labels import MOODS
from amt_ray.text.lexicon_files import read_rows


def moods(**confidences):
    return [Label(name, confidence, (0, 0)) for name, confidence in confidences.items()]


@pytest.mark.parametrize(
    ("mood", "is_pleasant", "is_excited"),
    [
        ("joyful", True, True), ("energetic", True, True), ("epic", True, True), ("playful", True, True),
        ("calm", True, False), ("dreamy", True, False), ("romantic", True, False),
        ("melancholic", False, False), ("tense", False, True), ("dark", False, True),
    ],
)  # fmt: skip
def test_every_mood_has_its_quadrant(mood, is_pleasant, is_excited):
    valence, arousal = place_of(mood)
    assert (valence > 0, arousal > 0) == (is_pleasant, is_excited)


def test_all_moods_are_placed():
    assert [mood for mood in MOODS if place_of(mood) is None] == []


def test_places_lie_on_the_circumplex_and_no_term_stands_twice():
    rows = read_rows("affect")
    assert len({row["term"] for row in rows}) == len(rows)
    assert all(abs(float(row[axis])) <= 1 for row in rows for axis in ("valence", "arousal"))


def test_one_mood_has_its_own_place_whatever_its_confidence():
    assert affect_of(moods(calm=0.3)) == pytest.approx(place_of("calm"))


def test_the_mean_is_weighted_by_confidence():
    (v_calm, a_calm), (v_tense, a_tense) = place_of("calm"), place_of("tense")
    expected = (0.9 * v_calm + 0.3 * v_tense) / 1.2, (0.9 * a_calm + 0.3 * a_tense) / 1.2
    assert affect_of(moods(calm=0.9, tense=0.3)) == pytest.approx(expected)


def test_labels_without_a_place_are_left_out():
    assert affect_of(moods(film=0.9, calm=0.5)) == pytest.approx(place_of("calm"))


@pytest.mark.parametrize("labels", [moods(), moods(film=0.9), moods(calm=0.0)])
def test_no_affect_without_moods(labels):
    assert affect_of(labels) is None
