import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from exports import BASE, HEAD, TAIL, export, page

from amt_ray.errors import LibraryError
from amt_ray.wiki.dump import DumpPage
from amt_ray.wiki.dump_files import chunk_pages, chunks, dump_files, dumped_at, gather, page_url

TITLES = [f"Piece {i}" for i in range(40)]
PAGES = [page(title, f"{title} is a waltz. " * 5, i) for i, title in enumerate(TITLES, 1)]
WHOLE = export(PAGES)


def multistream(pages_per_stream: int) -> bytes:
    groups = ["".join(PAGES[i : i + pages_per_stream]) for i in range(0, len(PAGES), pages_per_stream)]
    return b"".join(bz2.compress(part.encode()) for part in [HEAD, *groups, TAIL])


def read(path: Path | str, chunk_bytes: int) -> tuple[int, list[DumpPage]]:
    """How many chunks there are, and the pages of all."""
    fs, files = dump_files(str(path))
    found = [chunk for file in files for chunk in chunks(fs, file, chunk_bytes)]
    assert sum(chunk.n_bytes for chunk in found) <= sum(file.size_bytes for file in files)
    return len(found), [p for chunk in found for p in chunk_pages(fs, chunk)]


@pytest.mark.parametrize(
    ("name", "data", "is_cut"),
    [
        ("a.xml", WHOLE, True),
        ("a.xml.bz2", multistream(5), True),
        ("a.xml.bz2", bz2.compress(WHOLE), False),
        ("a.xml.bz2", b"".join(bz2.compress(WHOLE[i : i + 1000]) for i in range(0, len(WHOLE), 1000)), False),
        ("a.xml.gz", gzip.compress(WHOLE[:5000]) + gzip.compress(WHOLE[5000:]), False),
    ],
    ids=["plain", "bz2 multistream", "bz2", "bz2 streams that cut pages", "gzip members"],
)
def test_the_chunks_of_a_file_have_each_page_once(tmp_path, name, data, is_cut):
    (tmp_path / name).write_bytes(data)
    n_chunks, pages = read(tmp_path / name, 400)
    assert [p.title for p in pages] == TITLES
    assert (n_chunks > 3) == is_cut


@pytest.mark.parametrize("chunk_bytes", [1, 100, 333, 1000, 10**9])
def test_wherever_a_file_is_cut_its_pages_are_whole(tmp_path, chunk_bytes):
    (tmp_path / "a.xml").write_bytes(WHOLE)
    assert [p.text for p in read(tmp_path / "a.xml", chunk_bytes)[1]] == [f"{title} is a waltz. " * 5 for title in TITLES]


def test_row_groups_of_parquet_are_chunks(tmp_path):
    columns = {"id": [str(i) for i in range(40)], "url": TITLES, "title": TITLES, "text": TITLES}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=5)
    n_chunks, pages = read(tmp_path / "a.parquet", 1)
    assert (n_chunks, [p.title for p in pages]) == (8, TITLES)
    assert read(tmp_path / "a.parquet", 10**9)[0] == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xml", WHOLE[:-500]),
        ("a.xml.bz2", multistream(5)[:-100]),
        ("a.xml.bz2", bz2.compress(WHOLE)[:-100]),
        ("a.xml.bz2", bz2.compress(WHOLE[:-500])),
        ("a.xml.bz2", multistream(5)[:800] + b"damage" + multistream(5)[806:]),
        ("a.xml.gz", gzip.compress(WHOLE)[:-20]),
    ],
    ids=["plain", "bz2 multistream", "bz2", "bz2 of a part", "bz2 with damage", "gzip"],
)
def test_a_damaged_file_is_told_by_its_path(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LibraryError, match="cannot be read to its end") as caught:
        read(tmp_path / name, 400)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.parquet", b"PAR1 not", "cannot be read"),
        ("a.xml", b"<rss/>", "no MediaWiki export"),
        ("a.xml.bz2", WHOLE, "cannot be read"),
        ("a.7z", b"7z\xbc\xaf", "no MediaWiki export"),
    ],
)
def test_what_is_no_dump_is_refused_before_it_is_read(tmp_path, name, data, problem):
    (tmp_path / name).write_bytes(data)
    fs, files = dump_files(str(tmp_path / name))
    with pytest.raises(LibraryError, match=problem):
        chunks(fs, files[0])


@pytest.fixture
def folder(tmp_path):
    names = ["b/enwiki-p.xml-p1p99.bz2", "a.xml.bz2", "c.XML", "d.parquet", "index.txt.bz2", "README.md", "e.xml.gz"]
    (tmp_path / "b").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ["a.xml.bz2", "b/enwiki-p.xml-p1p99.bz2", "c.XML", "d.parquet", "e.xml.gz"]),
        ("/a.xml.bz2", ["a.xml.bz2"]),
        ("/README.md", ["README.md"]),
        ("/*.bz2", ["a.xml.bz2", "b/enwiki-p.xml-p1p99.bz2", "index.txt.bz2"]),
        ("/b/en*", ["b/enwiki-p.xml-p1p99.bz2"]),
    ],
)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_dump_is_a_file_a_folder_or_a_pattern(folder, path, names, scheme):
    fs, files = dump_files(f"{scheme}{folder}{path}")
    assert isinstance(fs, pafs.LocalFileSystem)
    assert [file.path.removeprefix(f"{folder}/") for file in files] == names


@pytest.mark.parametrize(
    ("path", "problem"), [("/nowhere", "no such file"), ("/*.zip", "no dump in it"), ("/nowhere/*.bz2", "no such file")]
)
def test_a_dump_that_is_not_there_is_told(folder, path, problem):
    with pytest.raises(LibraryError, match=problem):
        dump_files(f"{folder}{path}")


def test_wanted_pages_are_gathered_with_their_addresses(tmp_path):
    (tmp_path / "a.xml").write_bytes(export([page("Été & Co?", "A waltz.", 1), page("Other", "A march.", 2)]))
    fs, files = dump_files(str(tmp_path))
    [chunk] = chunks(fs, files[0])
    assert [(row["title"], row["url"], row["extract"]) for row in gather(fs, chunk, {"Été & Co?"})] == [
        ("Été & Co?", f"{BASE}%C3%89t%C3%A9_%26_Co%3F", "A waltz.")
    ]


def test_an_address_is_spelled_as_mediawiki_does():
    assert page_url(BASE, "Hello, World! (AC/DC song)") == f"{BASE}Hello,_World!_(AC/DC_song)"
    assert page_url("", "Hello") == ""


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/d/enwiki-20240101-pages-articles.xml.bz2", "2024-01-01T00:00:00Z"),
        ("/backup-20250505/20231101.en/train-00000-of-00041.parquet", "2023-11-01T00:00:00Z"),
        ("/d/enwiki-20241399.xml", ""),
        ("/d/enwiki-latest-pages-articles.xml.bz2", ""),
        ("/d/120240101.xml", ""),
    ],
)
def test_the_day_of_a_dump_stands_in_its_path(path, day):
    assert dumped_at(path) == day
