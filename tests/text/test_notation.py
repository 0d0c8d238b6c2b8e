import pytest

from amt_ray.midi.keys import KEYS
from amt_ray.text.keys import find_key
from amt_ray.text.notation import find_bars, find_bpm, find_bpm_range, find_duration, find_time_signature


def value(found):
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("slow piano piece in D minor", "D minor"),
        ("F♯ minor", "F# minor"),
        ("B flat major", "Bb major"),
        ("in Bb major", "Bb major"),
        ("c-sharp minor", "C# minor"),
        ("E-flat-major sonata", "Eb major"),
        ("D# minor", "Eb minor"),
        ("Cb major", "B major"),
        ("E# minor", "F minor"),
        ("G#maj", "Ab major"),
        ("d-moll", "D minor"),
        ("in the key of G.", "G major"),
        ("key of F#m", "F# minor"),
        ("a song in Am", "A minor"),
        ("a waltz in a minor", "A minor"),
        ("It is in A minor, slow", "A minor"),
        ("It's in the key of A major and the main", "A major"),
        ("A minor waltz in C major", "C major"),
        ("A major key change", None),
        ("a minor inconvenience", None),
        ("in a minor key", None),
        ("a slow piece", None),
        ("the chords Em7, Am and D", None),
        ("in C4 or in Dm7", None),
        ("a key of a song", None),
        ("a duet in G", "G major"),
        ("blues in E with harmonica", "E major"),
        ("a march in B-flat, marked Allegro", "Bb major"),
        ("house 124 bpm Fm", "F minor"),
        ("Nocturne for piano, E flat.", "Eb major"),
        ("in A town by the sea", None),
        ("a vitamin in C4, in Basel", None),
        ("Cm - Fm - G7", None),
        ("cſharp minor", None),
        ("", None),
    ],
)
def test_key(text, key):
    assert value(find_key(text)) == key


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_read_as_it_is_spelled_and_in_words(key):
    tonic, mode = key.split()
    in_words = tonic.replace("#", " sharp").replace("b", " flat")
    for text in (f"in {key}", f"in {in_words} {mode}", f"{tonic}-{mode}", f"key: {tonic.lower()} {mode}"):
        assert value(find_key(text)) == key, text


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
    ],
)
def test_tempo(text, bpm):
    assert value(find_bpm(text)) == bpm


def test_tempo_range():
    assert value(find_bpm_range("between 80 and 100 bpm")) == (80.0, 100.0)
    assert value(find_bpm_range("100-80 bpm")) is None


@pytest.mark.parametrize(
    ("text", "metre"),
    [("in 3/4", "3/4"), ("12 / 8 time", "12/8"), ("on 3/4/2020", None), ("13/16", None), ("0/0", None)],
)
def test_time_signature(text, metre):
    assert value(find_time_signature(text)) == metre


@pytest.mark.parametrize(
    ("text", "bars"),
    [("16 bars", 16), ("a sixteen-bar loop", 16), ("thirty-two measures", 32), ("12-bar blues", None), ("0 bars", None)],
)
def test_bars(text, bars):
    assert value(find_bars(text)) == bars


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [
        ("two minutes", (120.0, 120.0)),
        ("30 seconds", (30.0, 30.0)),
        ("a 45-second clip", (45.0, 45.0)),
        ("2 to 3 minutes", (120.0, 180.0)),
        ("1 minute 30 seconds", (90.0, 90.0)),
        ("two minutes and a half", (150.0, 150.0)),
        ("half a minute", (30.0, 30.0)),
        ("under a minute", (0.0, 60.0)),
        ("100 beats a minute", None),
        ("the 90s", None),
        ("2 minor keys", None),
    ],
)
def test_duration(text, duration_s):
    assert value(find_duration(text)) == duration_s
