"""MediaWiki exports, made up."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

BASE = "https://wiki.example.org/wiki/"
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo><sitename>Test</sitename><base>https://wiki.example.org/wiki/Main_Page</base></siteinfo>
"""
TAIL = "</mediawiki>\n"


def page(title: str, text: str, page_id: int = 1, ns: int = 0, redirect: str | None = None) -> str:
    """One page with one revision, its id a hundred times the page's."""
    to = "" if redirect is None else f"<redirect title={quoteattr(redirect)} />"
    return f"""  <page>
    <title>{escape(title)}</title><ns>{ns}</ns><id>{page_id}</id>{to}
    <revision><id>{page_id * 100}</id><contributor><id>7</id></contributor><text>{escape(text)}</text></revision>
  </page>
"""


def redirect(title: str, to: str, page_id: int = 1, section: str = "") -> str:
    """A page that leads to another."""
    link = f"{to}#{section}" if section else to
    return page(title, f"#REDIRECT [[{link}]] {{{{R from song}}}}", page_id, redirect=to)


def export(pages: Iterable[str], head: str = HEAD) -> bytes:
    """A whole document."""
    return "".join([head, *pages, TAIL]).encode()
