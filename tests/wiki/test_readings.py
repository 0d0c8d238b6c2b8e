import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.page import Song
from amt_ray.wiki.readings import attributed, readings, respellings, without_brackets


@pytest.mark.parametrize(
    ("title", "first"),
    [
        ("Dancing Queen", "Dancing Queen"),
        ("dancing_queen-karaoke", "Dancing Queen"),
        ("01 - Take On Me.mid", "Take On Me"),
        ("BILLIE JEAN", "Billie Jean"),
        ("eye of the tiger v2", "Eye of the Tiger"),
        ("Sultans Of Swing - Live", "Sultans of Swing"),
        ("Let It Be - Remastered 2009", "Let It Be"),
        ("Stayin Alive (Remastered 2009)", "Stayin Alive"),
        ("Uptown Funk (feat. Bruno Mars)", "Uptown Funk"),
        ("Hotel California [karaoke version]", "Hotel California"),
        ("Levitating - Remix", "Levitating"),
        ("la isla bonita (12\" extended remix)", "La Isla Bonita"),
        ("Entertainer, The", "The Entertainer"),
        ("dont stop believin", "Don't Stop Believin"),
        ("Mr Brightside", "Mr. Brightside"),
        ("Live Forever", "Live Forever"),
        ("Live and Let Die", "Live and Let Die"),
        ("Sweet Dreams (Are Made of This)", "Sweet Dreams (Are Made of This)"),
        ("(I Can't Get No) Satisfaction", "(I Can't Get No) Satisfaction"),
        ("1999", "1999"),
        ("7 Rings", "7 Rings"),
        ("Carmen: Habanera", "Habanera"),
        ("With a Little Help from My Friends", "With a Little Help from My Friends"),
        ("Prelude from Cello Suite No. 1", "Cello Suite No. 1"),
        ("Blame It on Me from the Start", "Blame It on Me from the Start"),
        ("Suite bergamasque: III. Clair de lune", "Clair de lune"),
        ("Symphony No.5, Op.67 - mvt 2", "Symphony No. 5, Op. 67"),
        ("Sonata No. 5 (1st Movement: Allegro molto e con brio)", "Sonata No. 5"),
        ("Quartet No. 4 in C Minor: 4. Allegro - Prestissimo", "Quartet No. 4 in C minor"),
        ("The Violets Blue, H.69", "The Violets Blue"),
        ("Nº. 44. Il Pleut, Bergère.", "Il Pleut, Bergère"),
        ("Allegro", "Allegro"),
    ],
)  # fmt: skip
def test_the_likeliest_reading(title, first):
    assert readings(title)[0] == first


@pytest.mark.parametrize(
    ("title", "others"),
    [
        ("Carmen: Habanera", ("Carmen", "Carmen: Habanera")),
        ("Bridal Chorus from Lohengrin", ("Bridal Chorus",)),
        ("Another Brick in the Wall, Part 2", ("Another Brick in the Wall",)),
        ("Ein Musikalischer Spass (A Musical Joke) Mv 1", ("Ein Musikalischer Spass", "A Musical Joke")),
        ('Piano Sonata No. 14 "Moonlight", 1st movement', ("Moonlight Sonata",)),
        ("Gretchen am Spinnrade, D.118", ("Gretchen am Spinnrade",)),
        ("Dancing Queen", ()),
    ],
)
def test_the_other_readings(title, others):
    assert readings(title)[1:] == others


@pytest.mark.parametrize("title", ["", "  ", "!!!", "___", "()"])
def test_what_is_no_title_has_no_reading(title):
    assert readings(title) == ()


@given(st.text(max_size=400))
def test_readings_are_never_empty_strings(title):
    assert all(reading.strip() for reading in readings(title))


@pytest.mark.parametrize(
    ("song", "artist", "title"),
    [
        (Song("", "ABBA - Dancing Queen"), "ABBA", "Dancing Queen"),
        (Song("Queen", "Queen - Bohemian Rhapsody"), "Queen", "Bohemian Rhapsody"),
        (Song("Beethoven, Ludwig van", "Ludwig van Beethoven - Für Elise"), "Beethoven, Ludwig van", "Für Elise"),
        (Song("", "Symphony No. 5 - Allegro"), "", "Symphony No. 5 - Allegro"),
        (Song("", "Levitating - Remix"), "", "Levitating - Remix"),
        (Song("Toto", "Africa - Live"), "Toto", "Africa - Live"),
        (Song("", "Sonata - 1"), "", "Sonata - 1"),
    ],
)
def test_artists_in_titles(song, artist, title):
    assert attributed(song) == Song(artist, title)


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("come on eileen", "Come On Eileen"),
        ("Bridge Over Troubled Water", "Bridge over Troubled Water"),
        ("clair de lune", "Clair de lune"),
        ("Clair de Lune", "Clair de lune"),
        ("Por Una Cabeza", "Por una cabeza"),
        ("Stayin Alive", "Stayin' Alive"),
        ("Smoke on the water", "Smoke on the Water"),
    ],
)
def test_other_spellings(written, spelling):
    assert spelling in respellings(written, readings(written)[0])


def test_brackets_are_cut_where_something_is_left():
    assert without_brackets("Kiss (Live)") == "Kiss"
    assert without_brackets("(Everything I Do) I Do It for You") == "(Everything I Do) I Do It for You"
