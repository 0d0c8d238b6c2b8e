import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.names import artist_names, fold, is_nobody, is_unnamed, last_name, plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Guns N’ Roses", "guns and roses"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Antonín Dvořák", "ANTONIN DVORAK"),
        ("Sigur Rós", "Sigur Ros"),
        ("P!nk", "Pink"),
        ("Ke$ha", "kesha"),
        ("Don’t Stop Believin’", "Dont stop believin'"),
        ("Help!", "help"),
        ("Edvard_Grieg", "Edvard Grieg"),
        ("Łódź Ørsted", "lodz orsted"),
    ],
)
def test_what_only_looks_different_folds_to_one(one, other):
    assert fold(one) == fold(other)


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_plain_keeps_case_and_reads_accidentals():
    assert plain("Prélude in C♯ minor — “Raindrop”") == 'Prelude in C-sharp minor - "Raindrop"'


@pytest.mark.parametrize(
    "artist",
    ["", " ", "Traditional", "trad.", "Traditional, arr. Jeffrey Olson", "Anonymous", "Anon.", "Unknown", "Unknown Artist",
     "Various Artists", "n/a", "Drummer 3", "Track 12", "?"],
)  # fmt: skip
def test_nobodies_are_told(artist):
    assert is_nobody(artist)
    assert artist_names(artist) == []


@pytest.mark.parametrize("artist", ["Anonymous 4", "The Band", "U2", "Traditionalists United"])
def test_somebodies_are_not_nobodies(artist):
    assert artist_names(artist)[0] == artist


def test_only_some_nobodies_say_that_the_author_is_not_known_by_name():
    assert [is_unnamed(artist) for artist in ("Traditional", "Anon.", "", "Various Artists", "ABBA")] == [
        True, True, False, False, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("artist", "names"),
    [
        ("Beethoven, Ludwig van", ["Ludwig van Beethoven"]),
        ("Beatles, The", ["The Beatles"]),
        ("Strauss, Johann II", ["Johann Strauss II"]),
        ("Tyler, the Creator", ["Tyler, the Creator"]),
        ("Earth, Wind & Fire", ["Earth, Wind & Fire"]),
        ("Johann Sebastian Bach (1685-1750)", ["Johann Sebastian Bach"]),
        ("by J.S. Bach", ["J. S. Bach"]),
        ("ludwig van beethoven", ["Ludwig van Beethoven"]),
        ("Antonin Dvorak", ["Antonin Dvořák"]),
        ("Sergei Rachmaninov", ["Sergei Rachmaninoff"]),
        ("Felix Mendelssohn Bartholdy", ["Felix Mendelssohn"]),
        ("Mark Ronson feat. Bruno Mars", ["Mark Ronson", "Bruno Mars"]),
        ("Elton John & Kiki Dee", ["Elton John & Kiki Dee", "Elton John", "Kiki Dee"]),
        ("Jimmy Monaco and Joseph McCarthy", ["Jimmy Monaco and Joseph McCarthy", "Jimmy Monaco", "Joseph McCarthy"]),
        ("Bob Marley and the Wailers", ["Bob Marley and the Wailers", "Bob Marley"]),
        ("The Dave Brubeck Quartet", ["The Dave Brubeck Quartet", "Dave Brubeck"]),
    ],
)
def test_the_names_in_an_artist_field(artist, names):
    assert artist_names(artist) == names


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("Ludwig van Beethoven", "Beethoven"),
        ("Ralph Vaughan Williams", "Vaughan Williams"),
        ("Guy d'Hardelot", "d'Hardelot"),
        ("Johann Strauss II", "Strauss"),
        ("Luise Adolpha Le Beau", "Le Beau"),
        ("Camille Saint-Saëns", "Saint-Saëns"),
        ("The Dave Brubeck Quartet", "Brubeck"),
        ("Mozart", "Mozart"),
        ("", ""),
    ],
)
def test_last_names(name, last):
    assert last_name(name) == last
