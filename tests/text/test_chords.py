import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.chords import find_chords


@pytest.mark.parametrize(
    ("text", "chords"),
    [
        ("Am F C G", "Am F C G"),
        ("It goes C - G - Am - F", "C G Am F"),
        ("the chords of G6 and D6", "G6 D6"),
        ("a single B/A, E/B, B, C#, F# chord sequence", "B/A E/B B C# F#"),
        ("the main chord progression consists of Eb, Ab, G, Ab, Bb.", "Eb Ab G Ab Bb"),
        ("alternates between the C and G chords", "C G"),
        ("a recurring chord progression of B, C♯m, and E♭maj7", "B C#m Ebmaj7"),
        ("A minor, F major, C major and G major chords", "Am F C G"),
        ("vamp between Dm7 and G7sus4", "Dm7 G7sus4"),
        ("ii-V-I in Bb", "ii V I"),
        ("pop on I–V–vi–IV", "I V vi IV"),
        ("vi IV I V ballad", "vi IV I V"),
        ("over a D chord", "D"),
        ("verse: Am F C. Chorus: F G Am", "Am F C F G Am"),
        ("F#m7b5 → B7 → Em", "F#m7b5 B7 Em"),
        ("in F# minor, Am F C G", "Am F C G"),
        ("funky string stabs. Am7 D9", "Am7 D9"),
        ("chords: Am, F, FM electric piano", "Am F"),
        ("chords: FM, Gm", "FM Gm"),
    ],
)
def test_chords_that_a_text_names(text, chords):
    assert find_chords(text).value == tuple(chords.split())


@pytest.mark.parametrize(
    "text",
    [
        "", "a song in A major and B minor", "a piece in D", "form A B A C A", "sections A, B, C",
        "A chord progression",
        "I am a V", "acts I II III", "plan A, plan B and C", "in C, G or D minor", "Vitamin B12, C, D3",
        "C'mon, A-ha!", "12-bar blues in E",
        "from Am to Em", "notes C4 E4", "a vamp of FM electric piano",
    ],
)  # fmt: skip
def test_letters_that_are_no_chords(text):
    assert find_chords(text) is None


def test_the_span_holds_the_first_and_the_last_chord():
    text = "Play Am, F, C and G slowly"
    found = find_chords(text)
    assert text[slice(*found.span)] == "Am, F, C and G"


@given(st.text(alphabet="ABCGm#b7/ ,-IVi and", max_size=60))
def test_every_chord_stands_in_the_text(text):
    found = find_chords(text)
    if found is not None:
        first, last = found.span
        assert text[first:last].strip() == text[first:last]
        assert all(chord[0] in text[first:last] for chord in found.value)


def test_a_very_long_text_is_read_to_its_end():
    assert find_chords("Am F " * 50_000).value == ("Am", "F") * 50_000
    assert find_chords("A major chord of music " * 50_000).value == ("A",) * 50_000
