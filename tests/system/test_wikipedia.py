"""Client, cache and lookup against a real MediaWiki: its own answers, and those that a faulty proxy makes of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from faulty_proxy import FAULTS, FORWARDED, Entry, asked_again, faulty_proxy, read_log
from wiki_of_songs import SONGS

import amt_ray
from amt_ray.config import WikipediaSettings
from amt_ray.errors import WikiError
from amt_ray.wiki.cache import Cache, Cached
from amt_ray.wiki.client import MediaWiki, WikiStatistics
from amt_ray.wiki.lookup import look_up
from amt_ray.wiki.page import Match, Song

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONCURRENCY = 3
TIMEOUT_S = 3.0
RETRY_AFTER_S = 2
UNDER_WAY_S = 1.0
"""A request that is already on its way when a wait is asked for may still arrive, so long after."""


def settings_for(api_url: str, **more: object) -> WikipediaSettings:
    given = {"delay_s": 0, "concurrency": CONCURRENCY, "timeout_s": TIMEOUT_S, "contact": "tests@example.org", **more}
    return WikipediaSettings(api_url=api_url, **given)


def ask(settings: WikipediaSettings, call, **clock):
    """Return what a call of an open client gives, and what the client has counted."""

    async def main():
        async with MediaWiki(settings, **clock) as client:
            return await call(client), client.statistics

    return asyncio.run(main())


def found_by(settings: WikipediaSettings, songs: Sequence[Song], cache: Cache) -> tuple[list[Match], WikiStatistics]:
    return ask(settings, lambda client: look_up(songs, Cached(client, cache, settings)))


def test_titles_lead_where_the_wiki_says(wiki):
    titles = {
        "Ada Quaver": ("Ada Quaver", (), "", False),
        "ada_Quaver": ("Ada Quaver", (), "", False),
        "Older": ("Ada Quaver", ("Older",), "Life", False),
        "Distant Harbour": ("Distant Harbour", (), "", False),
        "Golden Harbour": ("Golden Harbour", (), "", True),
        "Amber R&B (Ada Quaver song)": ("Amber R&B (Ada Quaver song)", (), "", False),
        "Amber E\u0301te\u0301 (Ada Quaver song)": ("Amber Été (Ada Quaver song)", (), "", False),
        "Amber 東京 (Ada Quaver song)": ("Amber 東京 (Ada Quaver song)", (), "", False),
    }
    nowhere = [
        "Ring",
        "Lost",
        "Abroad",
        "Nothing",
        "Special:Version",
        "Talk:Ada Quaver",
        "wikipedia:Old",
        "~~~",
        "A%20B",
        "a|b",
        "\u200e",
    ]
    found, _ = ask(settings_for(wiki), lambda client: client.pages([*titles, *nowhere]))
    seen = {
        title: page and (page.title, page.redirected_from, page.fragment, page.is_disambiguation)
        for title, page in found.items()
    }
    assert seen == titles | dict.fromkeys(nowhere)
    assert found["Older"].url.endswith("/Ada_Quaver")
    assert (found["Older"].page_id, found["Older"].revision_id) == (
        found["Ada Quaver"].page_id,
        found["Ada Quaver"].revision_id,
    )


def test_leads_are_read_as_plain_text_and_many_at_once(wiki):
    async def call(client):
        pages = await client.pages(["Ada Quaver", "Amber Harbour (Ada Quaver song)", *(f"Filler {n}" for n in range(500))])
        return await client.extracts(list(pages.values()))

    read, statistics = ask(settings_for(wiki), call)
    assert read["Ada Quaver"].extract == "Ada Quaver is an English musician. The best of them."
    assert read["Amber Harbour (Ada Quaver song)"].extract == '"Amber Harbour" is a song by Ada Quaver, released in 1974.'
    assert [read[f"Filler {n}"].extract for n in (0, 499)] == ["This is page 0 of many.", "This is page 499 of many."]
    assert (len(read), statistics.requests, statistics.retries) == (502, 11 + 26, 0)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("Amber U2 Ada Quaver", ["Amber U2 (Ada Quaver song)"]),
        ("Amber It", ["Amber It (Ada Quaver song)"]),
        ("qmxjsudek", []),
    ],
)
def test_a_search_finds_pages_with_their_leads(wiki, query, titles):
    found, statistics = ask(settings_for(wiki), lambda client: client.search(query))
    assert [page.title for page in found] == titles
    assert all(page.extract.startswith('"Amber') for page in found)
    assert statistics.requests == 1


def test_a_wiki_that_lags_behind_says_how_long_to_wait(wiki):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def call(client):
        with pytest.raises(WikiError, match="maxlag") as caught:
            await client.pages(["Ada Quaver"])
        return caught.value.reason

    # a wiki with one database lags by -1 s
    settings = settings_for(wiki, max_attempts=3).model_copy(update={"maxlag_s": -2})
    reason, statistics = ask(settings, call, sleep=sleep, monotonic_s=lambda: sum(slept))
    assert (reason, slept, statistics.requests) == ("server_error", [5, 5], 3)


def test_through_faults_every_song_is_answered_politely_and_nothing_is_asked_twice(wiki, tmp_path):
    with Cache(tmp_path / "sound.sqlite") as cache:
        sound, _ = found_by(settings_for(wiki), SONGS, cache)
    statuses = [("song", "song", "song", "song", "artist" if n % 10 == 8 else "none")[n // 2 % 5] for n in range(120)]
    assert [match.status for match in sound] == statuses
    log, counts = tmp_path / "log", []
    with faulty_proxy(wiki, log, retry_after_s=RETRY_AFTER_S) as api_url:
        settings = settings_for(api_url, max_attempts=10, titles_per_request=10, extracts_per_request=5)
        for songs in (SONGS[:50], SONGS):  # the second run has what the first one got
            with Cache(tmp_path / "cache.sqlite") as cache:
                matches, statistics = found_by(settings, songs, cache)
            counts.append(statistics.requests)
        entries = asyncio.run(whole_log(log, sum(counts)))
    for match, should_be in zip(matches, sound, strict=True):
        assert same_answer(match, should_be) or (match.status == "failed" and match.reason)
    assert sum(match.status == "failed" for match in matches) <= len(SONGS) // 10
    assert set(Counter(entry.did for entry in entries)) == {*FAULTS, FORWARDED}
    assert requests_in_waits(entries) == []
    assert asked_again(entries, TIMEOUT_S / 2) == []
    assert most_at_once(entries) <= CONCURRENCY
    assert {(entry.user_agent, entry.accept_encoding) for entry in entries} == {
        (f"amt_ray/{amt_ray.__version__} (tests@example.org)", "gzip")
    }
    with Cache(tmp_path / "cache.sqlite") as cache:
        offline = asyncio.run(look_up(SONGS, Cached(None, cache, settings)))
    assert [match for match in offline if match.status != "failed"] == [
        match for match in matches if match.status != "failed"
    ]


def same_answer(match: Match, other: Match) -> bool:
    return without_time(match) == without_time(other)


def without_time(match: Match) -> Match:
    return replace(match, page=match.page and replace(match.page, fetched_at=""))


async def whole_log(log, n_requests: int) -> list[Entry]:
    """The log, once it has an entry for every request: the proxy sees a moment late that a client has hung up."""
    for _ in range(100):
        if len(read_log(log)) >= n_requests:
            break
        await asyncio.sleep(0.1)
    entries = read_log(log)
    assert len(entries) == n_requests
    return entries


def requests_in_waits(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Numbers of answers that asked for a wait, with those of requests that came before it was over."""
    return [
        (answer.number, entry.number)
        for answer in entries
        if "Retry-After" in answer.did
        for entry in entries
        if answer.end_s + UNDER_WAY_S < entry.start_s < answer.end_s + RETRY_AFTER_S
    ]


def most_at_once(entries: Sequence[Entry]) -> int:
    """Requests under way together; one that the client gave up ends for it sooner than for the proxy."""
    ends = [(min(entry.end_s, entry.start_s + TIMEOUT_S - UNDER_WAY_S), -1) for entry in entries]
    n_under_way, most = 0, 0
    for _, change in sorted([*((entry.start_s, 1) for entry in entries), *ends]):
        n_under_way += change
        most = max(most, n_under_way)
    return most
