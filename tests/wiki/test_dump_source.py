import asyncio
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.dump import KEPT
from amt_ray.wiki.dump_source import DumpSource, TitleSet, folded, missing_targets


def row(title: str, page_id: int = 1, redirect: str = "", fragment: str = "", lists: bool = False) -> dict[str, object]:
    return {
        "title": title,
        "page_id": page_id,
        "revision_id": page_id * 100,
        "url": f"https://wiki.example.org/wiki/{title.replace(' ', '_')}",
        "redirect": redirect,
        "fragment": fragment,
        "is_disambiguation": lists,
        "extract": "" if redirect else f"{title} is a waltz.",
    }


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), KEPT)


def leads(source: DumpSource, asked: str) -> str | None:
    page = asyncio.run(source.pages([asked]))[asked]
    return page and page.title


def test_a_page_is_told_without_its_extract():
    source = DumpSource(table(row("Evening Rain", 3)), "2024-01-01T00:00:00Z")
    page = asyncio.run(source.pages(["Evening Rain"]))["Evening Rain"]
    assert (page.page_id, page.revision_id, page.url) == (3, 300, "https://wiki.example.org/wiki/Evening_Rain")
    assert (page.extract, page.fetched_at, page.redirected_from, page.is_disambiguation) == (
        None,
        "2024-01-01T00:00:00Z",
        (),
        False,
    )
    assert asyncio.run(source.extracts([page]))["Evening Rain"].extract == "Evening Rain is a waltz."


@pytest.mark.parametrize(
    "asked",
    ["Evening Rain", "evening Rain", "Evening_Rain", " Evening  Rain ", "EVENING RAIN", "Évening, Rain!", "evening-rain"],
)
def test_a_title_is_found_however_it_is_spelled(asked):
    assert leads(DumpSource(table(row("Evening Rain"))), asked) == "Evening Rain"


@pytest.mark.parametrize("asked", ["Evening", "", "[[Evening Rain]]x", "Evening Rain#Form waltz", "\ud800"])
def test_other_titles_are_not_found(asked):
    assert leads(DumpSource(table(row("Evening Rain"))), asked) is None


def test_an_exact_title_wins_and_else_the_oldest_article():
    source = DumpSource(
        table(row("RAIN", 5), row("Rain", 9), row("RaIn", 2, redirect="Snow"), row("rAIN", 3, lists=True), row("Snow", 7))
    )
    assert leads(source, "Rain") == "Rain"
    assert leads(source, "rain") == "Rain"
    assert leads(source, "RAIN") == "RAIN"
    assert leads(source, "raIN") == "RAIN"
    assert leads(source, "RaIn") == "Snow"


def test_redirects_are_followed():
    source = DumpSource(
        table(
            row("A", redirect="B", fragment="First"),
            row("B", redirect="c", fragment=""),
            row("C", 3),
            row("D", redirect="C", fragment="Form"),
            row("E", redirect="Gone"),
        )
    )
    found = asyncio.run(source.pages(["A", "b", "C", "D", "E"]))
    assert {asked: page and (page.title, page.redirected_from, page.fragment) for asked, page in found.items()} == {
        "A": ("C", ("A",), "First"),
        "b": ("C", ("b",), ""),
        "C": ("C", (), ""),
        "D": ("C", ("D",), "Form"),
        "E": None,
    }


@pytest.mark.parametrize("rows", [[row("A", redirect="A")], [row("A", redirect="B"), row("B", redirect="A")]])
def test_circles_of_redirects_lead_nowhere(rows):
    assert leads(DumpSource(table(*rows)), "A") is None


def test_extracts_are_of_pages_that_are_there():
    source = DumpSource(table(row("A"), row("B")))
    pages = asyncio.run(source.pages(["A", "B"])).values()
    assert {
        title: page.extract for title, page in asyncio.run(DumpSource(table(row("A"))).extracts(list(pages))).items()
    } == {"A": "A is a waltz."}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("ada quaver evening rain", ["Evening Rain"]),
        ("Evening Rian", ["Evening Rain"]),
        ("morning rain", ["Evening Rain"]),
        ("sunrise", ["Sunrise"]),
        ("snow", []),
        ("", []),
    ],
)
def test_a_search_compares_titles_that_share_words(query, titles):
    source = DumpSource(
        table(row("Evening Rain"), row("Sunrise", redirect=""), row("The Long Day of a Miller in the Valley"))
    )
    found = asyncio.run(source.search(query))
    assert [page.title for page in found] == titles
    assert all(page.extract == f"{page.title} is a waltz." for page in found)


def test_a_search_finds_what_redirects_lead_to_once():
    source = DumpSource(table(row("Evening Rain"), row("Evening Rain (song)", redirect="Evening Rain")))
    assert [page.title for page in asyncio.run(source.search("evening rain song"))] == ["Evening Rain"]


def test_a_source_survives_pickling():
    source = pickle.loads(pickle.dumps(DumpSource(table(row("A"), row("B", redirect="A")), "2024-01-01T00:00:00Z")))
    assert (len(source), leads(source, "b"), source.fetched_at) == (2, "A", "2024-01-01T00:00:00Z")


def test_targets_that_are_missing_are_told():
    rows = table(row("A", redirect="b"), row("B"), row("C", redirect="d"), row("E", redirect="D"))
    assert missing_targets(rows) == {"D"}


@pytest.mark.parametrize(("title", "same"), [("Björk", "bjork"), ("Don’t Stop", "Dont Stop"), ("÷", "÷"), ("!!!", "!!!")])
def test_titles_are_folded(title, same):
    assert folded(title) == folded(same)


def test_titles_of_signs_are_told_apart():
    assert len({folded(title) for title in ["÷", "×", "!!!", "?"]}) == 4


TEXTS = st.text(st.characters(), max_size=8)


@given(st.lists(TEXTS), st.lists(TEXTS))
def test_a_title_set_has_what_a_set_of_folded_titles_has(titles, others):
    hashed, plain = TitleSet.of(titles), {folded(title) for title in titles}
    assert len(hashed) == len(plain)
    assert all(title in hashed for title in titles)
    assert [title in hashed for title in others] == [folded(title) in plain for title in others]


def test_a_title_set_is_the_same_whatever_the_order():
    ab, ba = TitleSet.of(["A", "B"]), TitleSet.of(iter(["b", "a", "A"]))
    assert ab.hashes.dtype == np.uint64
    assert ab.digest == ba.digest != TitleSet.of(["A"]).digest
