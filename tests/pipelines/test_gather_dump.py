import asyncio
import bz2
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.errors import LibraryError
from amt_ray.pipelines import dump as dump_module
from amt_ray.pipelines.dump import dump_source, wanted_titles
from amt_ray.wiki.page import Song

HEAD = "<mediawiki><siteinfo><base>https://wiki.example.org/wiki/Main_Page</base></siteinfo>"


def page(number: int, title: str, text: str, redirect: str = "") -> str:
    to = f'<redirect title="{redirect}" />' if redirect else ""
    revision = f"<revision><id>{number * 100}</id><text>{text}</text></revision>"
    return f"<page><title>{title}</title><ns>0</ns><id>{number}</id>{to}{revision}</page>"


def leads_to(number: int, title: str, target: str) -> str:
    return page(number, title, f"#REDIRECT [[{target}#Form]]", target)


EARLY = [
    page(1, "Evening Rain", "'''Evening Rain''' is a waltz.\n== Form ==\nSlow."),
    leads_to(2, "Rain at Evening", "Late Rain"),
    leads_to(3, "Circle", "Circle two"),
    leads_to(4, "Chain", "Chain two"),
    page(5, "Unwanted", "Nobody asks."),
]
LATE = [
    page(6, "Late Rain", "'''Late Rain''' is a march."),
    leads_to(7, "Circle two", "Circle"),
    leads_to(8, "Chain two", "Chain three"),
    page(9, "Chain three", "Too far."),
    page(10, "Rain (disambiguation)", "'''Rain''' may refer to: {{disambig}}"),
    page(11, "EVENING RAIN", "'''EVENING RAIN''' is a film."),
]
TITLES = ["Evening Rain", "evening_rain", "rain at evening", "Circle", "Chain", "Rain (disambiguation)", "Gone"]


def export(pages: Iterable[str]) -> bytes:
    return "".join([HEAD, *pages, "</mediawiki>"]).encode()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "enwiki-20240101"
    folder.mkdir()
    (folder / "a.xml").write_bytes(export(EARLY))
    (folder / "b.xml.bz2").write_bytes(bz2.compress(export(LATE)))
    return folder


class Told:
    """A progress that remembers what it was told to be done at last."""

    def __init__(self):
        self.totals = []

    def __call__(self, what, done, total):
        if done == total:
            self.totals.append((what, total))


def found(source, titles=TITLES):
    pages = asyncio.run(source.pages(titles))
    return {title: page.title for title, page in pages.items() if page}


def test_wanted_pages_and_what_they_lead_to_are_gathered(ray_local, folder, tmp_path):
    source = dump_source(str(folder), iter(TITLES), Workspace(str(tmp_path / "w")))
    titles = set(source.rows["title"].to_pylist())
    assert titles == {
        *("Evening Rain", "EVENING RAIN", "Rain at Evening", "Late Rain", "Rain (disambiguation)"),
        *("Circle", "Circle two", "Chain", "Chain two"),
    }
    assert found(source) == {
        "Evening Rain": "Evening Rain",
        "evening_rain": "Evening Rain",
        "rain at evening": "Late Rain",
        "Rain (disambiguation)": "Rain (disambiguation)",
    }
    pages = asyncio.run(source.pages(TITLES))
    assert pages["Rain (disambiguation)"].is_disambiguation
    assert pages["rain at evening"].fragment == "Form"
    assert pages["Evening Rain"].url == "https://wiki.example.org/wiki/Evening_Rain"
    assert pages["Evening Rain"].fetched_at == "2024-01-01T00:00:00Z"
    assert asyncio.run(source.extracts([pages["Evening Rain"]]))["Evening Rain"].extract == "Evening Rain is a waltz."


def test_parquet_is_gathered_too(ray_local, tmp_path):
    columns = {
        "id": ["1", "2"],
        "url": ["u1", "u2"],
        "title": ["Evening Rain", "Other"],
        "text": ["A waltz.\n\nForm\nSlow.", ""],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=1)
    source = dump_source(str(tmp_path / "a.parquet"), TITLES, Workspace(str(tmp_path / "w")))
    assert source.rows.to_pylist() == [
        {"title": "Evening Rain", "page_id": 1, "revision_id": 0, "url": "u1", "redirect": "", "fragment": "",
         "is_disambiguation": False, "extract": "A waltz."}
    ]  # fmt: skip


def test_what_was_read_is_not_read_again(ray_local, folder, tmp_path):
    place, told, again, other = Workspace(str(tmp_path / "w")), Told(), Told(), Told()
    first = dump_source(str(folder), TITLES, place, told)
    assert set(told.totals) == {("MB of the dump", 1)}
    parts = sorted(Path(place.folder(".parts", "dump")).glob("*/*.parquet"))
    assert len(parts) == 2
    assert dump_source(str(folder), reversed(TITLES), place, again).rows.equals(first.rows)
    assert again.totals == []
    parts[0].write_bytes(b"half-written")
    assert found(dump_source(str(folder), TITLES, place, again)) == found(first)
    assert set(again.totals) == {("MB of the dump", 1)}
    assert found(dump_source(str(folder), ["Unwanted"], place, other), ["Unwanted"]) == {"Unwanted": "Unwanted"}
    assert set(other.totals) == {("MB of the dump", 1)}


def test_only_missing_chunks_are_read(ray_local, folder, tmp_path, monkeypatch):
    read = []
    original = dump_module._gather_missing

    def watched(parts, fs, missing, wanted, progress):
        read.append(len(missing))
        original(parts, fs, missing, wanted, progress)

    monkeypatch.setattr(dump_module, "_gather_missing", watched)
    place = Workspace(str(tmp_path / "w"))
    dump_source(str(folder), ["Evening Rain"], place)
    next(Path(place.folder(".parts", "dump")).glob("*/*.parquet")).unlink()
    assert found(dump_source(str(folder), ["Evening Rain"], place)) == {
        "Evening Rain": "Evening Rain",
        "evening_rain": "Evening Rain",
    }
    assert read == [2, 1]


def test_a_file_that_changed_is_read_again_and_no_other(ray_local, folder, tmp_path):
    place, told = Workspace(str(tmp_path / "w")), Told()
    dump_source(str(folder), ["Evening Rain"], place)
    (folder / "b.xml.bz2").write_bytes(bz2.compress(export([page(12, "evening rain", "A film.")])))
    source = dump_source(str(folder), ["Evening Rain"], place, told)
    assert source.rows["title"].to_pylist() == ["Evening Rain", "evening rain"]
    assert told.totals == [("MB of the dump", 1)]


def test_a_damaged_file_ends_the_run_with_its_path(ray_local, folder, tmp_path):
    (folder / "c.xml").write_bytes(export(EARLY)[:-30])
    with pytest.raises(
        LibraryError, match=r"c\.xml: the dump cannot be read to its end \(.*\); compare its size with"
    ) as caught:
        dump_source(str(folder), TITLES, Workspace(str(tmp_path / "w")))
    assert "\n" not in str(caught.value)


def test_the_titles_of_a_song_and_its_artist_are_wanted():
    titles = list(wanted_titles([Song("ABBA", "Waterloo"), Song("", "Greensleeves")]))
    assert {"Waterloo", "ABBA", "Greensleeves"} <= set(titles)
