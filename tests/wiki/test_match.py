import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_wiki import LabelledWiki, read_songs

from amt_ray.wiki.lookup import look_up
from amt_ray.wiki.match import (
    MAX_CANDIDATES,
    THRESHOLD,
    artist_confidence,
    choose,
    confidence,
    is_worth_reading,
    is_worth_searching,
)
from amt_ray.wiki.page import Page, Song

TEXT = st.text(alphabet=st.sampled_from('abcdefg ABC().,"-0123456789éü'), max_size=40)
SONGS = st.builds(Song, artist=TEXT, title=TEXT)
PAGES = st.builds(
    Page,
    title=TEXT.filter(bool),
    page_id=st.just(1),
    revision_id=st.just(1),
    url=st.just(""),
    is_disambiguation=st.booleans(),
    redirected_from=st.lists(TEXT, max_size=2).map(tuple),
    fragment=st.sampled_from(["", "Songs"]),
    extract=st.none() | TEXT | TEXT.map('"X" is a song by {}.'.format),
)


def page(title, extract=None, **fields):
    return Page(title, 1, 1, "", extract=extract, **fields)


@given(SONGS, PAGES)
def test_confidence_is_a_share(song, found):
    assert 0 <= confidence(song, found) <= 1
    assert 0 <= artist_confidence(song, found) <= 1


@given(SONGS, st.lists(PAGES, max_size=6), st.lists(PAGES, max_size=3))
def test_a_disambiguation_page_is_never_named(song, pages, artist_pages):
    match = choose(song, pages, artist_pages)
    assert match.page is None or not match.page.is_disambiguation
    assert (match.page is None) == (match.status == "none")
    assert (match.reason == "") == (match.status == "song")
    assert len(match.candidates) <= MAX_CANDIDATES
    assert [c.confidence for c in match.candidates] == sorted((c.confidence for c in match.candidates), reverse=True)


@given(st.integers(1, 99), st.integers(1, 99), st.sampled_from(["Symphony", "Piano Sonata", "String Quartet"]))
def test_another_number_is_never_the_song(number, other, form):
    lead = f"The {form} No. {other} is a work by Ludwig van Beethoven."
    value = confidence(Song("Ludwig van Beethoven", f"{form} No. {number}"), page(f"{form} No. {other} (Beethoven)", lead))
    assert value == (1.0 if number == other else 0.0)


WATERLOO = Song("ABBA", "Waterloo")
SONG_PAGE = page("Waterloo (ABBA song)", '"Waterloo" is a song by the Swedish pop group ABBA.')
TOWN = page("Waterloo", "Waterloo is a municipality in Belgium.")
NAMESAKE = page("Waterloo (Stonewall Jackson song)", '"Waterloo" is a song by Stonewall Jackson.')
BAND = page("ABBA", "ABBA were a Swedish pop group formed in Stockholm.")


def test_the_songs_page_is_named():
    match = choose(WATERLOO, [TOWN, NAMESAKE, SONG_PAGE], [BAND])
    assert (match.status, match.reason, match.page, match.confidence) == ("song", "", SONG_PAGE, 1.0)
    assert match.candidates[0].title == "Waterloo (ABBA song)"
    assert match.n_results == 4
    assert match.query == "ABBA Waterloo (song)"


def test_without_it_the_artists_page_is_named():
    match = choose(WATERLOO, [TOWN, NAMESAKE], [BAND])
    assert (match.status, match.reason, match.page) == ("artist", "low_confidence", BAND)
    assert {c.title for c in match.candidates} == {"Waterloo", "Waterloo (Stonewall Jackson song)"}


@pytest.mark.parametrize(
    ("song", "pages", "reason"),
    [
        (WATERLOO, [TOWN], "low_confidence"),
        (WATERLOO, [], "no_page"),
        (Song("ABBA", ""), [], "no_title"),
    ],
)
def test_none_has_a_reason(song, pages, reason):
    match = choose(song, pages, [])
    assert (match.status, match.reason, match.page, match.confidence) == ("none", reason, None, 0.0)


def test_a_page_that_was_not_read_is_not_named():
    assert choose(WATERLOO, [page("Waterloo (ABBA song)")], [page("ABBA")]).status == "none"


def test_a_page_found_twice_counts_by_its_better_way():
    lead = '"Satisfaction" is a song by the Rolling Stones.'
    ways = [
        page("(I Can't Get No) Satisfaction", lead),
        page("(I Can't Get No) Satisfaction", lead, redirected_from=("Satis",)),
    ]
    match = choose(Song("The Rolling Stones", "Satis"), ways, [])
    assert match.page == ways[1]
    assert len(match.candidates) == 1


def test_artists_are_known_by_the_names_that_redirect_to_them():
    schumann = page("Clara Schumann", "Clara Schumann was a German composer.", redirected_from=("Clara Wieck",))
    found = page("Liebst du um Schönheit", '"Liebst du um Schönheit" is a song by Clara Schumann.')
    song = Song("Clara Wieck", "Liebst du um Schönheit")
    assert choose(song, [found], []).status == "none"
    assert choose(song, [found], [schumann]).page == found


@pytest.mark.parametrize(
    ("artist", "found", "value"),
    [
        ("ABBA", BAND, 1.0),
        ("ABBA", page("ABBA"), 0.7),
        ("Queen", page("Queen (band)", "Queen are a British rock band."), 1.0),
        ("Queen", page("Queen (chess)", "The queen is a piece."), 0.0),
        ("Beethoven, Ludwig van", page("Ludwig van Beethoven", "Ludwig van Beethoven was a German composer."), 1.0),
        ("Joseph McCarthy", page("Joseph McCarthy", "Joseph McCarthy was an American politician."), 0.0),
        ("Queen", page("Queen (band)", "Queen are a British rock band.", is_disambiguation=True), 0.0),
        ("Traditional", page("Traditional music", "Traditional music is music."), 0.0),
        ("ABBA", page("Queen (band)", "Queen are a British rock band."), 0.0),
    ],
)
def test_pages_of_artists(artist, found, value):
    assert artist_confidence(Song(artist, "X"), found) == pytest.approx(value)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (page("Waterloo (ABBA song)"), True),
        (page("Waterloo"), True),
        (page("Waterloo (Stonewall Jackson song)"), True),
        (page("ABBA"), True),
        (page("Waterloo (1970 film)"), False),
        (page("Waterloo", is_disambiguation=True), False),
        (page("Napoleon"), False),
    ],
)
def test_what_is_worth_reading(found, verdict):
    assert is_worth_reading(WATERLOO, found) == verdict


@pytest.mark.parametrize(
    ("song", "pages", "verdict"),
    [
        (WATERLOO, [TOWN], True),
        (WATERLOO, [], False),
        (Song("ABBA", "waterlo"), [], True),
        (Song("Ludwig van Beethoven", "Sonata Op. 27 No. 2"), [], True),
        (Song("", "Waterloo"), [TOWN], False),
        (Song("ABBA", ""), [], False),
    ],
)
def test_what_is_worth_a_search(song, pages, verdict):
    assert is_worth_searching(song, pages) == verdict


def test_most_labelled_songs_are_found_and_hardly_one_is_mistaken():
    rows = read_songs()
    matches = asyncio.run(look_up([row.song for row in rows], LabelledWiki()))
    named = [match.page.title if match.status == "song" else "" for match in matches]
    right = sum(title == row.page != "" for title, row in zip(named, rows, strict=True))
    assert len(rows) >= 220
    assert right / sum(title != "" for title in named) >= 0.97
    assert right / sum(row.page != "" for row in rows) >= 0.85
    assert all(match.confidence >= THRESHOLD for match in matches if match.page)
