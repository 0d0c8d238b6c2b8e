import pytest

from amt_ray.text.analyse import analyse
from amt_ray.text.tempo import find_bpm, find_bpm_range


def value(found):
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("around 90 bpm", 90.0),
        ("120 BPM", 120.0),
        ("85ish bpm", 85.0),
        ("50 crotchets to the minute", 50.0),
        ("quarter note equals 66", 66.0),
        ("128BPM", 128.0),
        ("♩ = 76", 76.0),
        ("♩. = 60", 90.0),
        ("half note = 60", 120.0),
        ("dotted quarter = 80", 120.0),
        ("tempo: 97.5", 97.5),
        ("a tempo of around 110", 110.0),
        ("114 beats per minute", 114.0),
        ("5 bpm", None),
        ("999 bpm", None),
        ("tempo 12/8", None),
        ("80-100 bpm", None),
        ("in 1990", None),
        ("q=120", 120.0),
        ("84 to the minute", 84.0),
        ("BPM 140", 140.0),
        ("a hundred and twenty bpm", 120.0),
        ("ninety beats per minute", 90.0),
        ("not 120 bpm", None),
        ("under 100 bpm", None),
    ],
)
def test_tempo(text, bpm):
    assert value(find_bpm(text)) == bpm


def test_tempo_range():
    assert value(find_bpm_range("between 80 and 100 bpm")) == (80.0, 100.0)
    assert value(find_bpm_range("100-80 bpm")) is None


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("around 90 bpm", (85.5, 94.5)),
        ("90ish bpm", (85.5, 94.5)),
        ("exactly 90 bpm", None),
        ("under 100 bpm", (75.0, 100.0)),
        ("100 bpm max", (75.0, 100.0)),
        ("at least 140 bpm", (140.0, 175.0)),
        ("no slower than 100 bpm and no faster than 115", (100.0, 115.0)),
        ("tempo 96-104", (96.0, 104.0)),
        ("♩ = 60-66", (60.0, 66.0)),
        ("sixty to seventy bpm", (60.0, 70.0)),
    ],
)
def test_bounds_of_a_tempo(text, bounds):
    assert value(find_bpm_range(text)) == (None if bounds is None else pytest.approx(bounds))


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("keep it at 132 and swing", 132.0), ("drum and bass 174", 174.0), ("sax, piano, 96", 96.0), ("@ 98", 98.0),
        ("ballad tempo, 66.", 66.0), ("hip hop at 90", 90.0), ("he died at 72.", None), ("TR-808 and 909 drums", None),
        ("jazz from 1976", None), ("tuned to 432 Hz", None), ("24-bit piano", None), ("Op. 10 No. 3", None),
        ("K. 545", None),
        ("piano, BWV 846", None), ("like Blink 182", None), ("piano, 64 bars", None), ("symphony 94", None),
        ("piano 808", None),
    ],
)  # fmt: skip
def test_figures_without_a_unit(text, bpm):
    assert analyse(text).tempo_bpm == bpm


def test_a_bare_range_is_one():
    assert analyse("techno, 128-132").tempo_range_bpm == (128.0, 132.0)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("allegro ma non troppo", 100, 145), ("larghetto", 50, 72), ("sehr langsam", 30, 60), ("très vif", 150, 200),
        ("not too fast", 70, 120), ("never slow", 76, 140), ("never played fast", 60, 120), ("a bit slow", 55, 95),
        ("tempo di marcia", 96, 130), ("at a brisk walking pace", 84, 120), ("moderato, not allegro", 90, 120),
    ],
)  # fmt: skip
def test_words_for_tempi(text, low, high):
    found = analyse(text).tempo_range_bpm
    assert low <= found[0] < found[1] <= high


@pytest.mark.parametrize("text", ["slowly building strings", "it gets faster", "più mosso", "a fast car", "half-time feel"])
def test_what_states_no_tempo(text):
    assert analyse(text).tempo_range_bpm is None
