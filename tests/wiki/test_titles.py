import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_wiki import read_songs

from amt_ray.wiki.page import Song
from amt_ray.wiki.titles import MAX_TITLES, artist_titles, plausible_titles, search_query, shown_query

SONGS = st.builds(Song, artist=st.text(max_size=40), title=st.text(max_size=80))
FORBIDDEN = re.compile(r"[#<>\[\]{}|_\x00-\x1f]")


@pytest.mark.parametrize(
    ("artist", "title", "titles"),
    [
        ("ABBA", "Dancing Queen", ["Dancing Queen (ABBA song)", "Dancing Queen (song)", "Dancing Queen"]),
        ("The Beatles", "Help!", ["Help! (Beatles song)", "Help! (song)", "Help!", "Help! (The Beatles song)"]),
        ("Elton John", "Daniel", ["Daniel (Elton John song)", "Daniel (song)", "Daniel", "Daniel (John)"]),
        ("Beethoven, Ludwig van", "Symphony No.5, Op.67 - mvt 2", ["Symphony No. 5 (Beethoven)"]),
        ("Mozart", "Sonata KV 545", ["K. 545", "Sonata K. 545"]),
        ("J.S. Bach", "Toccata and Fugue in D minor BWV565", ["BWV 565", "Toccata and Fugue in D minor BWV 565"]),
        ("Traditional", "Greensleeves", ["Greensleeves", "Greensleeves (song)", "Greensleeves (folk song)"]),
        ("", "Hello", ["Hello", "Hello (song)"]),
        ("ABBA", "", []),
        ("ABBA", "!!!", []),
    ],
)
def test_titles_to_ask_for(artist, title, titles):
    assert plausible_titles(Song(artist, title)) == titles


@pytest.mark.parametrize(
    ("artist", "title", "page"),
    [
        ("ABBA", "dancing queen", "Dancing Queen"),
        ("", "ABBA - Dancing Queen", "Dancing Queen (ABBA song)"),
        ("Dexys Midnight Runners", "come on eileen", "Come On Eileen"),
        ("Simon & Garfunkel", "Bridge Over Troubled Water", "Bridge over Troubled Water"),
        ("Claude Debussy", "clair de lune", "Clair de lune"),
        ("Bee Gees", "Stayin Alive", "Stayin' Alive"),
        ("Franz Schubert", "Gretchen am Spinnrade, D.118", "Gretchen am Spinnrade"),
        ("Frédéric Chopin", "Etude Op.10 No.3", "Étude Op. 10, No. 3 (Chopin)"),
        ("Antonin Dvorak", "Symphony No. 9", "Symphony No. 9 (Dvořák)"),
        ("Sergei Rachmaninov", "Prelude in C# minor", "Prelude in C-sharp minor (Rachmaninoff)"),
        ("Ludwig van Beethoven", 'Klaviersonate Nr. 8 "Pathétique"', "Piano Sonata No. 8 (Beethoven)"),
        ("Pyotr Ilyich Tchaikovsky", "The Seasons: August", "The Seasons (Tchaikovsky)"),
        ("Edvard Grieg", "In the Hall of the Mountain King from Peer Gynt", "In the Hall of the Mountain King"),
        ("Scott Joplin", "Entertainer, The", "The Entertainer"),
        ("Pink Floyd", "Another Brick in the Wall, Part 2", "Another Brick in the Wall"),
        ("Elton John & Kiki Dee", "Don't Go Breaking My Heart", "Don't Go Breaking My Heart"),
    ],
)
def test_the_right_title_is_among_them(artist, title, page):
    assert page in plausible_titles(Song(artist, title))


@given(SONGS)
def test_titles_are_few_different_and_such_as_a_wiki_can_have(song):
    titles = plausible_titles(song)
    assert len(titles) == len(set(titles)) <= MAX_TITLES
    assert all(title.strip() and not FORBIDDEN.search(title) for title in [*titles, *artist_titles(song.artist)])


@given(SONGS)
def test_queries_are_plain_words(song):
    assert not re.search(r"[^\w '.-]|_", search_query(song))
    assert shown_query(song).endswith("(song)")


def test_of_many_titles_the_first_are_asked_for(monkeypatch):
    monkeypatch.setattr("amt_ray.wiki.titles.MAX_TITLES", 2)
    assert plausible_titles(Song("ABBA", "Waterloo")) == ["Waterloo (ABBA song)", "Waterloo (song)"]


def test_about_four_titles_a_song_are_asked_for():
    counts = [len(plausible_titles(row.song)) for row in read_songs()]
    assert 3 < sum(counts) / len(counts) < 4.5


@pytest.mark.parametrize(
    ("artist", "titles"),
    [
        ("ABBA", ["ABBA", "ABBA (band)", "ABBA (musician)", "ABBA (singer)", "The ABBA"]),
        ("The Police", ["The Police", "Police", "Police (band)"]),
        ("Beethoven, Ludwig van", [f"Ludwig van Beethoven{who}" for who in ("", " (composer)", " (musician)")]),
        ("Simon & Garfunkel", ["Simon & Garfunkel"]),
        ("Queen & David Bowie", ["Queen & David Bowie", "David Bowie"]),
        ("Traditional", []),
        ("Drummer 3", []),
        ("", []),
    ],
)  # fmt: skip
def test_titles_of_artists(artist, titles):
    assert artist_titles(artist) == titles


@pytest.mark.parametrize(
    ("artist", "title", "query"),
    [
        ("ABBA", "Dancing Queen (Live)", "ABBA Dancing Queen"),
        ("Johann Sebastian Bach", "Prelude in C, BWV.846", "Bach BWV 846"),
        ("Beethoven, Ludwig van", "Symphony No.5: 1. Allegro", "Beethoven Symphony No 5"),
        ("Bon Jovi", "Livin' on a Prayer!", "Bon Jovi Livin on a Prayer"),
        ("", "Dancing Queen", ""),
        ("ABBA", "", ""),
    ],
)
def test_what_is_searched_for(artist, title, query):
    assert search_query(Song(artist, title)) == query


def test_the_query_that_is_shown():
    assert shown_query(Song("ABBA", "Dancing Queen")) == "ABBA Dancing Queen (song)"
