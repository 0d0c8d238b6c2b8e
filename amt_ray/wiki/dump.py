"""Pages out of an offline dump of a wiki, one after the other, in constant memory; and what is kept of a page.

Two layouts are read: MediaWiki's XML export (https://www.mediawiki.org/xml/export-0.11.xsd, Wikipedia's `pages-articles`),
whose text is wikitext; and Parquet with the columns id, url, title and text (as the data set wikimedia/wikipedia), whose
text is plain, without redirects and revisions.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from amt_ray.errors import LibraryError
from amt_ray.wiki.wikitext import MAX_LEAD_CHARS, lead_text, shorten

KEPT = pa.schema(
    [
        ("title", pa.string()),
        ("page_id", pa.int64()),
        ("revision_id", pa.int64()),  # 0 if the dump does not tell
        ("url", pa.string()),
        ("redirect", pa.string()),  # the title that it leads to; "" for an article
        ("fragment", pa.string()),  # the section that it leads to
        ("is_disambiguation", pa.bool_()),
        ("extract", pa.string()),
    ]
)
"""What is kept of a page."""

_READ_BYTES = 256 * 1024
_HEAD_BYTES = 64 * 1024
# MediaWiki writes no document type; what a document type could define (entities without end) is refused with it.
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<mediawiki[\s>]")
_BASE = re.compile(rb"<base>\s*([^<\s]+(?:/|title=))[^</]*</base>")
_REDIRECT = re.compile(r"\s*#\w+\s*:?\s*\[\[:?([^\[\]|#]*)(?:#([^\[\]|]*))?")


@dataclass(frozen=True)
class DumpPage:
    """One page as it stands in the dump: `text` is wikitext, or plain if `is_plain`."""

    title: str
    page_id: int
    revision_id: int
    text: str
    redirect: str = ""
    """Title of the page that this one leads to; "" if it is not a redirect."""
    fragment: str = ""
    url: str = ""
    is_plain: bool = False


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Turn whatever reading a dump may raise into a LibraryError that names its path."""
    try:
        yield
    except (ET.ParseError, OSError, ValueError) as exc:
        detail = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
        problem = f"the dump cannot be read to its end ({detail})"
        raise LibraryError(
            path, problem, "compare its size with the original, and download it again if it is cut short"
        ) from exc


def site_base(stream: BinaryIO, path: str) -> str:
    """Return the beginning of every page's address, as the head of an XML export tells it; "" if it does not.

    Raises LibraryError for a stream that is no XML export, or has a document type.
    """
    with readable(path):
        head = stream.read(_HEAD_BYTES)
    _check(head, path)
    base = _BASE.search(head)
    return base[1].decode() if base else ""


def xml_pages(stream: BinaryIO, path: str, opening: bytes = b"", closing: bytes = b"") -> Iterator[DumpPage]:
    """Read the articles and redirects (namespace 0) of an XML export of current revisions, of any version of the format.

    `opening` and `closing` make a document of a stream that is only a part of one: `<mediawiki>`, `</mediawiki>`. Raises
    LibraryError for what is damaged, cut short or no export.
    """
    with readable(path):
        root: ET.Element | None = None
        for event, element in ET.iterparse(_Parts(_parts(stream, path, opening, closing)), ("start", "end")):
            if root is None:
                root, namespace = element, element.tag[: element.tag.rfind("}") + 1]
            elif event == "end" and element.tag == f"{namespace}page":
                if element.findtext(f"{namespace}ns", "0") == "0":
                    yield _xml_page(element, namespace)
                root.clear()


def parquet_pages(file: pa.NativeFile, path: str, row_groups: Sequence[int]) -> Iterator[DumpPage]:
    """Read some row groups of a Parquet file, a thousand rows at a time.

    Raises LibraryError for what is damaged or lacks a column.
    """
    with readable(path):
        parquet = pq.ParquetFile(file)
        names = parquet.schema_arrow.names
        if missing := [name for name in ("id", "title", "text") if name not in names]:
            problem = f"it has no column {missing[0]!r}, only {', '.join(names)}"
            raise LibraryError(path, problem, "name a data set with the columns id, url, title and text")
        columns = [name for name in ("id", "url", "title", "text") if name in names]
        for batch in parquet.iter_batches(1000, row_groups, columns):
            for row in batch.to_pylist():
                yield DumpPage(
                    row["title"] or "", int(row["id"]), 0, row["text"] or "", url=row.get("url") or "", is_plain=True
                )


def kept(page: DumpPage, url: str) -> dict[str, Any]:
    """Return the row of `KEPT` of a page whose address is `url`; the lead of an article is made here, which takes 2 ms."""
    extract = "" if page.redirect else plain_lead(page.text) if page.is_plain else lead_text(page.text)
    return {
        "title": page.title,
        "page_id": page.page_id,
        "revision_id": page.revision_id,
        "url": url,
        "redirect": page.redirect,
        "fragment": page.fragment,
        "is_disambiguation": not page.redirect and is_disambiguation(page, extract),
        "extract": extract,
    }


_HEADING = re.compile(r"\n[ \t]*\n(?:[^\n]{0,99}[^\s.!?:;,…\"”')\]]|=[^\n]*=)[ \t]*(?:\n|\Z)")


def plain_lead(text: str, max_chars: int = MAX_LEAD_CHARS) -> str:
    """Return the lead of a plain text: what stands before the first line, after an empty one, that is no sentence."""
    heading = _HEADING.search(text)
    paragraphs = text[: heading.start() if heading else None].split("\n")
    return shorten("\n".join(part for part in (" ".join(part.split()) for part in paragraphs) if part), max_chars)


_DISAMBIGUATION_TEMPLATE = re.compile(
    r"""\{\{\s*(?:
        (?!r[ _]|redirect)[\w –-]{0,60}disambig(?:uation)?(?:[ _-]cleanup|[ _]page)?
        | dab | disamb
        | (?:hn|geo|num|number|math|music|opus|school|road|letter|station|hospital|mil-unit-|wp|tn|bio|latin)-?d(?:is|ab)
        | (?:set|ship|mountain|plant|lake)[ _-]?index(?:[ _]article)? | sia
        | surnames? | given[ _]names? | family[ _]name | nickname
        | begriffsklärung | homonymie | desambiguación | disambigua | desambiguação | ujednoznacznienie | неоднозначность
    )\s*[|}]""",
    re.IGNORECASE | re.VERBOSE,
)
_MAY_REFER_TO = re.compile(
    r"\b(?:(?:may|can|could)(?: also)? (?:refer to|stand for|mean)|refers to)\b[^.\n]{0,80}:\s*$", re.MULTILINE
)
_BEGINNING_CHARS = 1000


def is_disambiguation(page: DumpPage, lead: str) -> bool:
    """Tell whether a page only lists what its title may mean, lists of a name's bearers included."""
    return bool(
        page.title.endswith("(disambiguation)")
        or _MAY_REFER_TO.search(lead[:_BEGINNING_CHARS])
        or (not page.is_plain and (_DISAMBIGUATION_TEMPLATE.search(page.text) or "__DISAMBIG__" in page.text))
    )


class _Parts:
    """A stream as iterparse wants it, of parts as they come."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, _size: int = -1) -> bytes:
        """Return the next part; empty at the end."""
        return next(self._parts, b"")


def _parts(stream: BinaryIO, path: str, opening: bytes, closing: bytes) -> Iterator[bytes]:
    head = opening + stream.read(_HEAD_BYTES)
    _check(head, path)
    yield head
    while part := stream.read(_READ_BYTES):
        yield part
    yield closing


def _check(head: bytes, path: str) -> None:
    if not _ROOT.match(head):
        problem = f"it is no MediaWiki export, for it begins with {head[:40].decode(errors='replace')!r}"
        raise LibraryError(path, problem, "name a dump as Wikipedia's pages-articles.xml.bz2, or a folder of Parquet files")


def _xml_page(page: ET.Element, namespace: str) -> DumpPage:
    revisions = page.findall(f"{namespace}revision")
    latest = revisions[-1] if revisions else page
    text = latest.findtext(f"{namespace}text") or ""
    element = page.find(f"{namespace}redirect")
    link = _REDIRECT.match(text) if element is not None else None
    return DumpPage(
        title=page.findtext(f"{namespace}title") or "",
        page_id=int(page.findtext(f"{namespace}id") or 0),
        revision_id=int(latest.findtext(f"{namespace}id") or 0),
        text=text,
        redirect="" if element is None else element.get("title") or (link[1].strip() if link else ""),
        fragment=(link[2] or "").replace("_", " ").strip() if link else "",
    )
