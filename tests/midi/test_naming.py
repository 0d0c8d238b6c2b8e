import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.naming import clean_name, clean_title, describe_path, is_placeholder


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("Take.mid", ("", "Take", "")),
        ("dancing_queen_2.mid", ("", "Dancing Queen", "")),
        ("Miles Davis - So What.mid", ("Miles Davis", "So What", "")),
        ("Miles_Davis_-_So_What_2.mid", ("Miles Davis", "So What", "")),
        ("01 - ABBA - Waterloo.mid", ("ABBA", "Waterloo", "")),
        ("A - B - C.mid", ("A", "B - C", "")),
        ("Abba/Waterloo.MID", ("Abba", "Waterloo", "")),
        ("Abba/Live - Waterloo.mid", ("Abba", "Live - Waterloo", "")),
        ("rock/Queen/We_Will_Rock_You.kar", ("Queen", "We Will Rock You", "rock")),
        ("all/hip-hop/Nas/NY_State_of_Mind_(2).mid", ("Nas", "NY State of Mind", "hip hop")),
        ("pop/the_beatles/hey_jude.mid", ("The Beatles", "Hey Jude", "pop")),
        ("dump.zip/Rock/Queen/Innuendo.mid", ("Queen", "Innuendo", "Rock")),
        ("Queen/best.ZIP/Innuendo.mid", ("Queen", "Innuendo", "")),
        ("best.zip/Queen - Innuendo.mid", ("Queen", "Innuendo", "")),
        ("Björk/Jóga.mid", ("Björk", "Jóga", "")),
    ],
)
def test_what_a_path_tells(path, described):
    assert describe_path(path) == described


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("Suite 3", "Suite 3"),
        ("Suite_No_12", "Suite No 12"),
        ("suite_no_1", "Suite No 1"),
        ("casino_2", "Casino"),
        ("Op. 1 no. 2", "Op. 1 no. 2"),
        ("Op.9 No.2", "Op.9 No.2"),
        ("Dancing Queen.1", "Dancing Queen"),
        ("One (2)", "One"),
        ("Skyfall - Copy", "Skyfall"),
        ("1999_", "1999"),
        ("99 Luftballons", "99 Luftballons"),
        ("01 Waterloo", "Waterloo"),
        ("07_waterloo", "Waterloo"),
        ("23. Johnny Cock thy Beaver", "Johnny Cock thy Beaver"),
        ("2", "2"),
        ("My   Generation", "My Generation"),
        ("smoke on the water", "Smoke on the Water"),
        ("HEY JUDE", "Hey Jude"),
        ("YMCA", "YMCA"),
        ("DancingQueen", "Dancing Queen"),
        ("MacArthurPark", "MacArthur Park"),
        ("dancing-queen", "Dancing Queen"),
        ("Drive-In Saturday", "Drive-In Saturday"),
        ("Boxer, The", "The Boxer"),
        ("Ave María", "Ave María"),
        ("BWV 846", "BWV 846"),
    ],
)
def test_clean_titles(stem, title):
    assert clean_title(stem) == title


@pytest.mark.parametrize(
    ("folder", "artist"),
    [("abba", "Abba"), ("ABBA", "ABBA"), ("AC_DC", "AC DC"), ("Beatles, The", "The Beatles"), ("will.i.am", "Will.i.am")],
)
def test_clean_artists(folder, artist):
    assert clean_name(folder) == artist


@given(st.text(string.ascii_letters + string.digits + " _-.()é", min_size=1, max_size=40))
def test_a_clean_title_is_clean_and_stays_so(stem):
    title = clean_title(stem)
    assert "_" not in title
    assert "  " not in title
    assert title == title.strip()
    if re.search(r"[^\W\d_]", stem):
        assert re.search(r"[^\W\d_]", title)


@pytest.mark.parametrize("title", ["", "1", "track 01", "Track01", "untitled", "d2f3a4b5c6d7", "000123", "---", "Midi 4"])
def test_placeholders(title):
    assert is_placeholder(title)


@pytest.mark.parametrize("title", ["Waterloo", "Newgrange", "Track of My Tears", "Decade", "K545", "New York, New York"])
def test_titles_are_no_placeholders(title):
    assert not is_placeholder(title)
