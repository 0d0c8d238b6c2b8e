import io
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import BASE, HEAD, export, page, redirect

from amt_ray.errors import LibraryError
from amt_ray.wiki.dump import KEPT, DumpPage, is_disambiguation, kept, parquet_pages, plain_lead, site_base, xml_pages


def read(data: bytes) -> list[DumpPage]:
    return list(xml_pages(io.BytesIO(data), "test.xml"))


def test_articles_and_redirects_are_read_and_other_namespaces_left_out():
    data = export(
        [
            page("Evening Rain", "A ''waltz'' & <ref>note</ref>.", 3),
            page("Talk:Evening Rain", "Talk.", 4, ns=1),
            redirect("Rain at Evening", "Evening Rain", 5),
            redirect("Rain (B side)", "Evening Rain", 6, section="B_side"),
        ]
    )
    article, first, second = read(data)
    assert article == DumpPage("Evening Rain", 3, 300, "A ''waltz'' & <ref>note</ref>.")
    assert (first.title, first.redirect, first.fragment) == ("Rain at Evening", "Evening Rain", "")
    assert (second.title, second.redirect, second.fragment) == ("Rain (B side)", "Evening Rain", "B side")


@pytest.mark.parametrize("version", ["0.3", "0.10", "0.11", "9.9"])
def test_every_version_of_the_format_is_read(version):
    data = export([page("A", "Text.")], HEAD.replace("0.11", version))
    assert [p.text for p in read(data)] == ["Text."]


def test_a_redirect_of_old_exports_is_told_by_its_text():
    old = page("A", "#REDIRECT [[Evening Rain#Form]]").replace("<revision>", "<redirect /><revision>")
    assert [(p.redirect, p.fragment) for p in read(export([old]))] == [("Evening Rain", "Form")]


def test_the_latest_revision_is_taken():
    twice = page("A", "Old.").replace("</revision>", "</revision><revision><id>101</id><text>New.</text></revision>")
    assert [(p.revision_id, p.text) for p in read(export([twice]))] == [(101, "New.")]


def test_a_part_of_an_export_is_read_between_an_opening_and_a_closing_tag():
    part = io.BytesIO((page("A", "1") + page("B", "2")).encode())
    assert [p.title for p in xml_pages(part, "test.xml", b"<mediawiki>", b"</mediawiki>")] == ["A", "B"]


def test_a_page_without_text_is_read():
    assert [p.text for p in read(export([page("A", "x").replace("<text>x</text>", '<text deleted="deleted" />')]))] == [""]


def test_four_thousand_pages_need_no_more_memory_than_one_thousand():
    def peak_bytes(n_pages: int) -> int:
        data = export(page(f"Piece {i}", "A waltz. " * 20, i) for i in range(n_pages))
        tracemalloc.start()
        try:
            assert sum(1 for _ in xml_pages(io.BytesIO(data), "test.xml")) == n_pages
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak_bytes(4_000) < 1.5 * peak_bytes(1_000)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (export([page("A", "Text.")])[:-60], "cannot be read to its end"),
        (export([page("A", "Text.").replace("</title>", "</titel>")]), "cannot be read to its end"),
        (export([page("A", "Text.").replace("<id>1</id>", "<id>one</id>")]), "cannot be read to its end"),
        (export([page("A", "&j;")]).replace(b"&amp;", b"&"), "undefined entity"),
        (
            f"<?xml version='1.0'?>{BOMB}]>".encode() + export([page("A", "&j;")]).replace(b"&amp;", b"&"),
            "no MediaWiki export",
        ),
        (b"", "no MediaWiki export"),
        (b"<html><body/></html>", "no MediaWiki export"),
    ],
)
def test_what_is_damaged_or_dangerous_is_refused_with_its_path(data, problem):
    with pytest.raises(LibraryError, match=problem) as caught:
        read(data)
    assert str(caught.value).startswith("test.xml: ")


def test_the_base_of_addresses_stands_in_the_head():
    assert site_base(io.BytesIO(export([])), "x") == BASE
    assert site_base(io.BytesIO(export([], "<mediawiki>")), "x") == ""
    with pytest.raises(LibraryError, match="no MediaWiki export"):
        site_base(io.BytesIO(b"PAR1"), "x")


def parquet(columns: dict[str, list[object]], rows_per_group: int = 2) -> pa.BufferReader:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, row_group_size=rows_per_group)
    return pa.BufferReader(sink.getvalue())


def test_row_groups_of_parquet_are_read():
    file = parquet({"id": ["1", "2", "3"], "url": ["u1", "u2", None], "title": ["A", "B", "C"], "text": ["a", "b", None]})
    pages = list(parquet_pages(file, "x.parquet", [1]))
    assert pages == [DumpPage("C", 3, 0, "", is_plain=True)]
    assert [p.url for p in parquet_pages(file, "x.parquet", [0, 1])] == ["u1", "u2", ""]


def test_parquet_of_other_columns_is_refused():
    with pytest.raises(LibraryError, match="no column 'title', only id, body"):
        list(parquet_pages(parquet({"id": [1], "body": ["x"]}), "x.parquet", [0]))


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("A waltz.\n\nIt is slow.\n\nForm \n\nIt has three parts.", "A waltz.\nIt is slow."),
        ("A waltz.\n\nForm\nIt has three parts.", "A waltz."),
        ("A waltz.\n\n== Form ==\nIt has three parts.", "A waltz."),
        ("A waltz.\n\nReferences", "A waltz."),
        ("Evening Rain", "Evening Rain"),
        (
            "It may refer to:\n\nEvening Rain (song)\nEvening Rain (film)",
            "It may refer to:\nEvening Rain (song)\nEvening Rain (film)",
        ),
        ("", ""),
    ],
)
def test_a_plain_lead_ends_before_the_first_heading(text, lead):
    assert plain_lead(text) == lead


def test_a_plain_lead_is_cut_after_a_sentence():
    assert plain_lead("A waltz. It is slow.", 10) == "A waltz."


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Rain (disambiguation)", ""),
        ("Rain", "'''Rain''' is.\n{{disambiguation}}"),
        ("Rain", "x {{Disambig|songs}}"),
        ("Rain", "x {{ disambiguation cleanup | date=May }}"),
        ("Rain", "x {{Letter–number combination disambiguation}}"),
        ("Rain", "x {{human name disambiguation}}"),
        ("Rain", "x {{hndis|Rain, Ada}}"),
        ("Rain", "x {{Geodis}}"),
        ("Rain", "x {{school disambiguation}}"),
        ("Rain", "x {{surname}}"),
        ("Rain", "x {{given name|type=both}}"),
        ("Rain", "x {{Set index article}}"),
        ("Rain", "x {{Begriffsklärung}}"),
        ("Rain", "x __DISAMBIG__"),
        ("Rain", "'''Rain''' may refer to:\n* [[Rain (song)]]"),
        ("Rain", "Rain is weather.\n\n'''Rain''' can also refer to these songs:\n* [[Rain (song)]]"),
    ],
)
def test_lists_of_meanings_are_recognised(title, text):
    assert kept(DumpPage(title, 1, 1, text), "")["is_disambiguation"]


@pytest.mark.parametrize(
    "text",
    [
        "A waltz about [[rain]]{{disambiguation needed|date=May}}.",
        "{{about|the waltz|others|Rain (disambiguation)}}A waltz.",
        "A waltz that may refer to: nothing, or to the weather.",
        "{{Infobox song|name=Disambiguation}} A waltz, {{R to disambiguation page}}.",
    ],
)
def test_articles_are_not_taken_for_lists(text):
    assert not kept(DumpPage("Rain", 1, 1, text), "")["is_disambiguation"]


def test_plain_pages_are_lists_by_their_words():
    assert is_disambiguation(DumpPage("Rain", 1, 0, "", is_plain=True), "Rain may refer to:\nRain (song)")
    assert not is_disambiguation(DumpPage("Rain", 1, 0, "{{disambig}}", is_plain=True), "Rain is a waltz.")


def test_what_is_kept_has_the_lead_of_an_article_and_the_target_of_a_redirect():
    article, lead_to = read(export([page("Rain", "'''Rain''' is.\n==H==\nMore.", 3), redirect("R", "Rain", 4, "H")]))
    assert kept(article, "u") == {
        "title": "Rain",
        "page_id": 3,
        "revision_id": 300,
        "url": "u",
        "redirect": "",
        "fragment": "",
        "is_disambiguation": False,
        "extract": "Rain is.",
    }
    row = kept(lead_to, "u")
    assert list(row) == KEPT.names
    assert (row["redirect"], row["fragment"], row["extract"]) == ("Rain", "H", "")
