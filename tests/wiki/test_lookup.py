import asyncio
from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.errors import WikiError
from amt_ray.wiki.answers import PartlyAnswered, complete
from amt_ray.wiki.lookup import look_up
from amt_ray.wiki.page import Match, Page, Song
from amt_ray.wiki.titles import plausible_titles, search_query, shown_query

ADJECTIVES = ("Amber", "Bitter", "Crimson", "Distant", "Empty", "Fading", "Golden", "Hollow", "Ivory", "Jagged")
NOUNS = (
    "Anchor", "Balcony", "Bridge", "Candle", "Cathedral", "Dancer", "Doorway", "Echo", "Falcon", "Feather",
    "Garden", "Glacier", "Harbour", "Island", "Jasmine", "Kingdom", "Lantern", "Meadow", "Nomad", "Orchard",
    "Painter", "Quarry", "Ribbon", "Shadow", "Thunder", "Umbrella", "Velvet", "Willow", "Yonder", "Zephyr",
)  # fmt: skip
ARTISTS = ("Ada Quaver", "Bela Minim", "Clara Breve", "The Crotchets", "Semibreve")
LIBRARY = [Song(ARTISTS[n % 5], f"{ADJECTIVES[n % 10]} {NOUNS[n // 10]}") for n in range(300)]


class Wiki:
    """Pages by title, asked 50 titles, 20 extracts or one search at a time; what is `broken` fails the request it is in."""

    def __init__(self, texts, redirects=(), meanings=(), finds=(), broken=()):
        self.texts, self.redirects, self.meanings, self.finds = dict(texts), dict(redirects), set(meanings), dict(finds)
        self.broken = set(broken)
        self.asked = {"titles": [], "extracts": [], "searches": []}

    @property
    def n_requests(self):
        per_request = {"titles": 50, "extracts": 20, "searches": 1}
        return sum(ceil(len(keys) / per_request[kind]) for kind, calls in self.asked.items() for keys in calls)

    async def pages(self, titles):
        return self.answer("titles", titles, self.page)

    async def extracts(self, pages):
        pages = {page.title: page for page in pages}
        return self.answer("extracts", pages, lambda title: replace(pages[title], extract=self.texts[title]))

    async def search(self, query):
        found = self.answer("searches", [query], lambda query: [self.page(title) for title in self.finds.get(query, [])])
        return [replace(page, extract=self.texts[page.title]) for page in found[query]]

    def page(self, title):
        name, _, fragment = self.redirects.get(title, title).partition("#")
        if name not in self.texts:
            return None
        way = (title,) if title in self.redirects else ()
        return Page(name, len(name), 1, f"https://wiki.example/{name}", name in self.meanings, way, fragment)

    def answer(self, kind, keys, of):
        keys = list(keys)
        assert len(keys) == len(set(keys))
        self.asked[kind].append(keys)
        batch = {"titles": 50, "extracts": 20, "searches": 1}[kind]
        batches = [keys[start : start + batch] for start in range(0, len(keys), batch)]
        lost = [key for some in batches if self.broken & set(some) for key in some]
        failures = {key: WikiError("timeout", key) for key in lost}
        return complete({key: of(key) for key in keys if key not in failures}, failures)


def matches(songs, wiki):
    return asyncio.run(look_up(songs, wiki))


def text_of(song):
    return f'"{song.title}" is a song by {song.artist}, released in 1974. It is a slow ballad in D minor.'


ARTIST = "Ada Quaver is an English singer and songwriter. She has recorded nine albums."
HARBOUR = Song("Ada Quaver", "Amber Harbour")


def test_a_song_is_found_under_its_likeliest_title_in_two_requests():
    wiki = Wiki({"Amber Harbour (Ada Quaver song)": text_of(HARBOUR), "Ada Quaver": ARTIST})
    (match,) = matches([HARBOUR], wiki)
    assert (match.status, match.reason, match.query) == ("song", "", shown_query(HARBOUR))
    assert match.page.title == "Amber Harbour (Ada Quaver song)"
    assert match.page.extract == text_of(HARBOUR)
    assert match.n_results == 1
    assert wiki.n_requests == 2


def test_the_likeliest_titles_are_asked_for_first_and_the_others_only_if_need_be():
    song = Song("The Crotchets", "Amber Harbour: Leaving Home")
    titles = plausible_titles(song)
    assert len(titles) > 3
    early, late = Wiki({titles[0]: text_of(song)}), Wiki({titles[-1]: text_of(song)})
    matches([song], early)
    matches([song], late)
    assert early.asked["titles"] == [titles[:3]]
    assert late.asked["titles"][:2] == [titles[:3], titles[3:]]


def test_redirects_and_disambiguation_pages_count_as_results():
    texts = {"Amber Harbor": text_of(HARBOUR), "Amber Harbour": "Amber Harbour may refer to:"}
    wiki = Wiki(texts, {"Amber Harbour (song)": "Amber Harbor"}, meanings={"Amber Harbour"})
    (match,) = matches([HARBOUR], wiki)
    assert (match.status, match.page.title, match.n_results) == ("song", "Amber Harbor", 2)
    assert match.page.redirected_from == ("Amber Harbour (song)",)
    assert wiki.asked["extracts"] == [["Amber Harbor"]]


def test_the_artist_stands_in_for_a_song_without_an_article():
    wiki = Wiki({"Ada Quaver": ARTIST})
    (match,) = matches([HARBOUR], wiki)
    assert (match.status, match.page.title, match.page.extract) == ("artist", "Ada Quaver", ARTIST)
    assert wiki.asked["searches"] == []


def test_a_search_is_made_for_what_titles_did_not_find_where_it_may_help():
    named_otherwise = "Amber Harbour (Quaver and Minim song)"
    texts = {"Amber Harbour": "Amber Harbour is a town in Ontario.", named_otherwise: text_of(HARBOUR), "Ada Quaver": ARTIST}
    wiki = Wiki(texts, finds={search_query(HARBOUR): [named_otherwise, "Ada Quaver"]})
    (match,) = matches([HARBOUR], wiki)
    assert wiki.asked["searches"] == [[search_query(HARBOUR)]]
    assert (match.status, match.page.title) == ("song", named_otherwise)
    assert match.n_results == 3


@pytest.mark.parametrize("song", [Song("", ""), Song("Unknown", "   "), Song("Ada Quaver", "???"), Song("\ud800", "|")])
def test_a_song_without_a_title_is_not_searched_for(song):
    wiki = Wiki({})
    (match,) = matches([song], wiki)
    assert (match.status, match.reason, match.page) == ("none", "no_title", None)
    assert wiki.asked["searches"] == []


def test_nothing_is_asked_for_no_songs():
    wiki = Wiki({})
    assert matches([], wiki) == []
    assert wiki.n_requests == 0


def test_equal_songs_are_looked_up_once_and_answers_come_in_order():
    other = Song("Bela Minim", "Hollow Ribbon")
    wiki = Wiki({"Amber Harbour": text_of(HARBOUR), "Hollow Ribbon": text_of(other)})
    found = matches([other, HARBOUR, other], wiki)
    assert [match.page.title for match in found] == ["Hollow Ribbon", "Amber Harbour", "Hollow Ribbon"]
    assert wiki.asked["titles"] == [[*plausible_titles(other)[:3], *plausible_titles(HARBOUR)[:3]]]


def library_wiki(**more):
    """Of every three articles one is called "… (Somebody song)", beside a list of meanings, one "… (song)", one plainly."""
    texts, meanings = {artist: f"{artist} is an English rock band." for artist in ARTISTS}, set()
    for number, song in enumerate(LIBRARY):
        kind = [f" ({song.artist.removeprefix('The ')} song)", " (song)", ""][number % 3]
        texts[f"{song.title}{kind}"] = text_of(song)
        if number % 3 == 0:
            meanings.add(song.title)
            texts[song.title] = f"{song.title} may refer to:"
    return Wiki(texts, meanings=meanings, **more)


def test_a_library_of_known_songs_costs_a_seventh_of_a_request_each():
    wiki = library_wiki()
    found = matches(LIBRARY, wiki)
    assert [song for song, match in zip(LIBRARY, found, strict=True) if match.status != "song"] == []
    assert all(song.artist in match.page.extract for song, match in zip(LIBRARY, found, strict=True))
    assert wiki.n_requests <= len(LIBRARY) / 7


def test_a_song_s_match_does_not_depend_on_the_songs_beside_it():
    together = matches(LIBRARY, library_wiki())
    assert [matches([song], library_wiki())[0] for song in LIBRARY[::29]] == together[::29]


def failed_songs(found):
    return {song for song, match in zip(LIBRARY, found, strict=True) if match.status == "failed"}


def test_what_could_not_be_asked_is_the_failure_of_the_songs_that_need_it_alone():
    sound = matches(LIBRARY, library_wiki())
    lost = LIBRARY[100]
    wiki = library_wiki(broken=[plausible_titles(lost)[0]])
    found = matches(LIBRARY, wiki)
    batch = next(some for some in batches(wiki.asked["titles"][0], 50) if plausible_titles(lost)[0] in some)
    assert failed_songs(found) == {song for song in LIBRARY if set(plausible_titles(song)[:3]) & set(batch)}
    failed = found[100]
    assert failed == Match("failed", "timeout", None, 0.0, (), shown_query(lost), failed.n_results)
    rest = [n for n, match in enumerate(found) if match.status != "failed"]
    assert [found[n] for n in rest] == [sound[n] for n in rest]


def batches(keys, size):
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def test_what_could_not_be_read_or_searched_is_a_failure_too():
    title = "Amber Harbour (Ada Quaver song)"
    (match,) = matches([HARBOUR], Wiki({title: text_of(HARBOUR)}, broken=[title]))
    assert (match.status, match.reason) == ("failed", "timeout")

    class Unread(Wiki):
        async def extracts(self, pages):
            raise WikiError("rate_limited", "HTTP 429")

        async def search(self, query):
            raise WikiError("server_error", "HTTP 500")

    (match,) = matches([HARBOUR], Unread({title: text_of(HARBOUR)}))
    assert (match.status, match.reason, match.n_results) == ("failed", "rate_limited", 1)
    (match,) = matches([HARBOUR], Unread({"Amber Harbour": "Amber Harbour may refer to:"}, meanings={"Amber Harbour"}))
    assert (match.status, match.reason) == ("failed", "server_error")


def test_a_wiki_that_answers_nothing_fails_every_song():
    class Dead:
        async def pages(self, titles):
            raise WikiError("offline", "no network")

        extracts = search = pages

    found = matches(LIBRARY, Dead())
    assert {(match.status, match.reason) for match in found} == {("failed", "offline")}


def test_a_page_that_went_away_meanwhile_is_none():
    class Fading(Wiki):
        async def extracts(self, pages):
            return {}

    (match,) = matches([HARBOUR], Fading({"Amber Harbour": text_of(HARBOUR)}))
    assert (match.status, match.reason, match.page) == ("none", "no_page", None)


@given(st.lists(st.builds(Song, st.text(), st.text()), max_size=5))
def test_no_song_is_too_strange(songs):
    assert [match.status for match in matches(songs, Wiki({}))] == ["none"] * len(songs)


def test_partly_answered_is_a_wiki_error():
    assert issubclass(PartlyAnswered, WikiError)
