import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.evidence import Evidence, evidence, same_name, split_title
from amt_ray.wiki.page import Page, Song


def page(title, extract=None, **fields):
    return Page(title, 1, 1, "", extract=extract, **fields)


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Waterloo (ABBA song)", ("Waterloo", "ABBA song")),
        ("Symphony No. 5 (Beethoven)", ("Symphony No. 5", "Beethoven")),
        ("Creep (2014 film)", ("Creep", "2014 film")),
        ("Sweet Dreams (Are Made of This)", ("Sweet Dreams (Are Made of This)", "")),
        ("(I Can't Get No) Satisfaction", ("(I Can't Get No) Satisfaction", "")),
        ("Hello", ("Hello", "")),
    ],
)
def test_titles_and_qualifiers(title, parts):
    assert split_title(title) == parts


@pytest.mark.parametrize(
    ("name", "other", "likeness"),
    [
        ("The Sound of Silence", "sound of silence", 1.0),
        ("Für Elise", "Fur Elise!", 1.0),
        ("Rock 'n' Roll", "Rock and Roll", 1.0),
        ("T.N.T.", "TNT", 0.98),
        ("Bohemian Rapsody", "Bohemian Rhapsody", 0.93),
        ("Hello", "Hallo", 0.0),
        ("Mambo No. 5", "Mambo No. 6", 0.0),
        ("Mambo No. 5", "Mambo", 0.0),
        ("Part II", "Part 2", 1.0),
        ("", "", 0.0),
    ],
)
def test_likeness_of_names(name, other, likeness):
    assert same_name(name, other) == pytest.approx(likeness)


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_mutual_and_a_share(name, other):
    assert 0 <= same_name(name, other) <= 1
    assert same_name(name, other) == same_name(other, name)


SONG = Song("ABBA", "Waterloo")
LEAD = '"Waterloo" is a song by the Swedish pop group ABBA.'


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (page("Waterloo (ABBA song)"), Evidence(1.0, 1.0, 1.0)),
        (page("Waterloo (ABBA song)", LEAD), Evidence(1.0, 1.0, 1.0)),
        (page("Waterloo"), Evidence(1.0, 0.7, 0.7)),
        (page("Waterloo", LEAD), Evidence(1.0, 1.0, 1.0)),
        (page("Waterloo", "Waterloo is a municipality in Belgium."), Evidence(1.0, 0.3, 0.45)),
        (page("Waterloo (1970 film)"), Evidence(1.0, 0.0, 0.7)),
        (page("Waterloo (album)", "Waterloo is an album by ABBA."), Evidence(1.0, 0.0, 1.0)),
        (page("Waterloo", LEAD, is_disambiguation=True), Evidence(1.0, 0.0, 1.0)),
        (page("Waterloo (Stonewall Jackson song)"), Evidence(1.0, 1.0, 0.5)),
        (page("Waterloo (Stonewall Jackson song)", '"Waterloo" is a song by Stonewall Jackson.'), Evidence(1.0, 1.0, 0.15)),
        (page("Ring Ring", redirected_from=("Waterloo (song)",)), Evidence(1.0, 0.7, 0.7)),
        (page("Ring Ring", redirected_from=("Waterloo (song)",), fragment="Singles"), Evidence(0.0, 0.7, 0.7)),
        (page("Waterloo (Doctor and the Medics song)", redirected_from=("Waterloo (ABBA song)",)), Evidence(1.0, 1.0, 1.0)),
        (page("List of ABBA songs", redirected_from=("Waterloo",)), Evidence(1.0, 0.0, 0.7)),
    ],
)
def test_what_speaks_for_pages(found, expected):
    assert evidence(SONG, found) == expected


@pytest.mark.parametrize(
    ("song", "found", "artist"),
    [
        (Song("Johnny Cash", "Hurt"),
         page("Hurt (Nine Inch Nails song)", '"Hurt" is a song by Nine Inch Nails. Johnny Cash covered it.'), 0.92 * 0.95),
        (Song("Carl Loewe", "Erlkönig"),
         page("Erlkönig (Schubert)", '"Erlkönig" is a Lied by Franz Schubert. Carl Loewe wrote another.'), 0.15),
        (Song("Michael Haydn", "Symphony No. 22"),
         page("Symphony No. 22 (Haydn)", "Symphony No. 22 is a symphony by Joseph Haydn."), 0.15),
        (Song("Joseph Haydn", "Symphony No. 22"),
         page("Symphony No. 22 (Haydn)", "Symphony No. 22 is a symphony by Joseph Haydn."), 1.0),
        (Song("Prince", "Summertime"), page("Summertime (DJ Jazzy Jeff & the Fresh Prince song)"), 0.5),
        (Song("Lady Gaga", "Shallow"), page("Shallow (Lady Gaga and Bradley Cooper song)"), 1.0),
        (Song("Traditional", "Greensleeves"), page("Greensleeves", '"Greensleeves" is a traditional folk song.'), 0.95),
        (Song("Traditional", "Mercy"), page("Mercy (song)", '"Mercy" is a song by Welsh singer Duffy.'), 0.3),
        (Song("", "Dancing Queen"), page("Dancing Queen", '"Dancing Queen" is a song by ABBA.'), 0.7),
        (Song("", "Toxic"), page("Toxic (song)", '"Toxic" is a song by Britney Spears.'), 0.4),
        (Song("", "Hello"), page("Hello", '"Hello" is a song by Adele.'), 0.4),
    ],
)  # fmt: skip
def test_whom_pages_speak_of(song, found, artist):
    assert evidence(song, found).artist == pytest.approx(artist)
