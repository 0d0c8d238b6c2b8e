"""What MediaWiki's replies mean (`action=query`, `format=json`, `formatversion=2`), as pure functions.

https://www.mediawiki.org/wiki/API:Query, https://www.mediawiki.org/wiki/API:Continue,
https://www.mediawiki.org/wiki/Manual:Page_title
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from amt_ray.errors import WikiError
from amt_ray.wiki.answers import complete
from amt_ray.wiki.page import Page

Reply = Mapping[str, Any]

MAX_TITLE_BYTES = 255
MAX_SEARCH_CHARACTERS = 300
"""Wikipedia's search refuses more."""

_FORBIDDEN = re.compile(r"[#<>\[\]|{}\x00-\x1f\x7f\ufffd-\uffff\ud800-\udfff]")


def askable(title: str) -> str | None:
    """Return the title as MediaWiki will repeat it in its reply; None if no page can have it."""
    if _FORBIDDEN.search(title):
        return None
    spaced = _spaced(title.replace("_", " "))
    return spaced if spaced and len(spaced.encode()) <= MAX_TITLE_BYTES else None


def searchable(query: str) -> str:
    """Return the query as a search takes it, cut at 300 characters; "" if nothing is left."""
    return _spaced(_FORBIDDEN.sub(" ", query))[:MAX_SEARCH_CHARACTERS]


def _spaced(text: str) -> str:
    # the wiki repeats a title that is not NFC percent-encoded, and so unrecognisably
    return " ".join(unicodedata.normalize("NFC", text).split())


@contextmanager
def _of_known_form() -> Iterator[None]:
    """Make a `WikiError` (bad_reply) of whatever a reply of another form than MediaWiki's leads to."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise WikiError("bad_reply", f"a reply of an unknown form: {exc!r}") from exc


@dataclass
class Answer:
    """One query's reply, put together from its continuations. Every method may raise `WikiError` (bad_reply)."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By title."""
    normalised: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Title and section, by title; they come in any order and may go in circles."""
    elsewhere: set[str] = field(default_factory=set)
    """Titles, and redirects, that are other wikis'."""
    go_on: dict[str, str] = field(default_factory=dict)
    """Parameters that ask for the rest; {} where the answer is complete."""

    def add(self, reply: Reply) -> None:
        """Take in one reply."""
        with _of_known_form():
            query = reply.get("query", {})
            for page in query.get("pages", []):
                # what is missing by its number has no title
                self.pages.setdefault(str(page.get("title") or page["pageid"]), {}).update(page)
            for entry in query.get("normalized", []):
                asked = unquote(entry["from"]) if entry.get("fromencoded") else entry["from"]
                self.normalised[asked] = str(entry["to"])
            for entry in query.get("redirects", []):
                self.redirects[entry["from"]] = str(entry["to"]), str(entry.get("tofragment", ""))
                self.elsewhere |= {entry["from"]} if "tointerwiki" in entry else set()
            self.elsewhere.update(entry["title"] for entry in query.get("interwiki", []))
            # a search that is complete still offers its next results
            offer = {} if "batchcomplete" in reply else reply.get("continue", {})
            self.go_on = {name: str(value) for name, value in offer.items()}

    def led_to(self, titles: Sequence[str], fetched_at: str) -> dict[str, Page | None]:
        """Return the article that each title leads to, None if none. Raises `PartlyAnswered` if some are not mentioned."""
        pages: dict[str, Page | None] = {}
        failures: dict[str, WikiError] = {}
        for title in titles:
            try:
                pages[title] = self._led_to(title, fetched_at)
            except WikiError as exc:
                failures[title] = exc
        return complete(pages, failures)

    def _led_to(self, title: str, fetched_at: str) -> Page | None:
        name = self.normalised.get(title, title)
        name = self.normalised.get(name, name)  # made NFC, then the wiki's own spelling
        fragment, passed = "", set[str]()
        while name in self.redirects and name not in passed | self.elsewhere:
            passed.add(name)
            name, section = self.redirects[name]
            fragment = section or fragment
        if name in passed or {title, name} & self.elsewhere:
            return None
        if name not in self.pages:
            raise WikiError("bad_reply", f"the reply does not mention {title!r}")
        return page_of(self.pages[name], fetched_at, (title,) if passed else (), fragment)

    def read(self, pages: Sequence[Page], fetched_at: str) -> dict[str, Page]:
        """Return the pages with extract and the revision that it is of, by title; those that are no more are left out.

        Raises `PartlyAnswered` if some are not mentioned.
        """
        entries = {str(entry.get("pageid")): entry for entry in self.pages.values()}
        read: dict[str, Page] = {}
        failures: dict[str, WikiError] = {}
        for page in pages:
            entry = entries.get(str(page.page_id), {})
            try:
                if "missing" not in entry:
                    text, revision_id = str(entry["extract"]), int(entry["lastrevid"])
                    read[page.title] = replace(page, extract=text, revision_id=revision_id, fetched_at=fetched_at)
            except (KeyError, TypeError, ValueError):
                failures[page.title] = WikiError("bad_reply", f"no extract of {page.title!r}: has the wiki TextExtracts?")
        return complete(read, failures)

    def found(self, fetched_at: str) -> list[Page]:
        """Return the articles that a search found, best first."""
        with _of_known_form():
            ranked = sorted(self.pages.values(), key=lambda entry: int(entry.get("index", 0)))
        return [page for entry in ranked if (page := page_of(entry, fetched_at)) is not None]


def page_of(entry: Reply, fetched_at: str, redirected_from: Sequence[str] = (), fragment: str = "") -> Page | None:
    """Return one entry of a reply as a page; None for what is not an article: missing, invalid, of another namespace.

    Raises `WikiError` (bad_reply) if the entry lacks what an article's has.
    """
    if entry.get("ns") != 0 or not entry.keys().isdisjoint({"missing", "invalid", "special"}):
        return None
    with _of_known_form():
        extract = entry.get("extract")
        return Page(
            title=str(entry["title"]),
            page_id=int(entry["pageid"]),
            revision_id=int(entry["lastrevid"]),
            url=str(entry["fullurl"]),
            is_disambiguation="disambiguation" in entry.get("pageprops", {}),
            redirected_from=tuple(redirected_from),
            fragment=fragment,
            extract=None if extract is None else str(extract),
            fetched_at=fetched_at,
        )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how many seconds the server wants to be left alone, None if it does not say.

    `Retry-After` holds seconds or a date (RFC 9110, 10.2.3). A date is compared with the server's own `Date`, so that a
    clock that is wrong here does no harm; without one, with `now`.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", value):
        return float(value)
    until = _date(value)
    if until is None:
        return None
    return max(0.0, (until - (_date(headers.get("Date", "")) or now)).total_seconds())


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
