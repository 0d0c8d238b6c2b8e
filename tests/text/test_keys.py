import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.keys import KEYS, MAJOR_TONICS
from amt_ray.text.keys import find_key, find_mode, nearest_key

CHURCH = ("ionian", "dorian", "phrygian", "phrygian dominant", "lydian", "mixolydian", "aeolian", "locrian")


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
        ("A dorian", "A dorian"),
        ("in D Mixolydian, loud", "D mixolydian"),
        ("E Phrygian dominant", "E phrygian dominant"),
        ("G# lydian", "Ab lydian"),
        ("a mixolydian jam in D", "D mixolydian"),
        ("in a dorian mood", None),
        ("fis-Moll", "F# minor"),
        ("Es-Dur", "Eb major"),
        ("B-Dur", "Bb major"),
        ("H-Dur", "B major"),
        ("en la mineur", "A minor"),
        ("fa dièse majeur", "F# major"),
        ("in si bemolle minore", "Bb minor"),
        ("do sostenido menor", "C# minor"),
        ("key: C#m", "C# minor"),
        ("modulates from C to E flat", "C major"),
        ("not in C major but in D minor", "D minor"),
        ("ballad, Bb, 70 bpm", "Bb major"),
        ("quick, 2/4, G", "G major"),
        ("for Bb clarinet and Eb alto sax", None),
        ("Clarinet in A and piano", None),
        ("2 trumpets in Bb, a horn in F and an alto sax in E flat", None),
        ("clarinet in B flat, slow", None),
        ("a concerto for clarinet in A", "A major"),
        ("trumpet in Bb major", "Bb major"),
        ("a blues for clarinet in G", "G major"),
        ("techno in c#m 130 bpm", "C# minor"),
        ("trance f#m 138", "F# minor"),
        ("blues in bb, slow", "Bb major"),
        ("rock in e 120 bpm", "E major"),
        ("key of g", "G major"),
        ("song in em with strings", "E minor"),
        ("in ebm dark", "Eb minor"),
        ("piano, am, 90 bpm", "A minor"),
        ("reggae, gm, 72bpm", "G minor"),
        ("not in em", None),
        ("fm, dx7 bells", None),
        ("ebm, dark", None),
        ("am, f, c, g", None),
        ("c g am f", None),
        ("rock in a, I am in a flat, calm mood", None),
        ("plan A, or B", None),
        ("G minor pentatonic", "G minor"),
        ("A harmonic minor", "A minor"),
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
    ("text", "mode"),
    [
        ("in a minor key", "minor"), ("a minor-key ballad", "minor"), ("major mode", "major"), ("in minor, slow", "minor"),
        ("140bpm minor", "minor"), ("the Lydian mode", "lydian"), ("A dorian", "dorian"), ("in G", "major"),
        ("not in a minor key", "major"), ("I don't want a major key", "minor"), ("a major label", None),
        ("in minor details", None), ("", None),
    ],
)  # fmt: skip
def test_mode(text, mode):
    assert value(find_mode(text, find_key(text))) == mode


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_the_nearest_to_itself_and_to_its_modes(key):
    assert nearest_key(key) == key
    tonic, mode = key.split()
    like = {
        "major": ("ionian", "lydian", "mixolydian", "phrygian dominant"),
        "minor": ("dorian", "phrygian", "aeolian", "locrian"),
    }
    assert {nearest_key(f"{tonic} {church}") for church in like[mode]} == {key}


@given(st.sampled_from(MAJOR_TONICS), st.sampled_from(CHURCH))
def test_every_church_mode_is_read_and_has_a_nearest_key(tonic, mode):
    found = find_key(f"a tune in {tonic} {mode}")
    assert found.value.split(" ", 1)[1] == mode
    assert nearest_key(found.value) in KEYS


@pytest.mark.parametrize("key", ["", "H major", "A", "A funky", "dorian", "Fb major"])
def test_what_is_no_key_has_no_nearest(key):
    with pytest.raises(ValueError, match="allowed is a tonic"):
        nearest_key(key)
