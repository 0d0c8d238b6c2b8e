import asyncio
import gzip
import pickle
import time

import pytest
from aiohttp import web
from pydantic import ValidationError
from scripted_wiki import Clock, ScriptedWiki, answer, ask, entry, failure, missing, nothing_there, status

import amt_ray
from amt_ray.config import WikipediaSettings
from amt_ray.errors import WikiError
from amt_ray.wiki.answers import PartlyAnswered
from amt_ray.wiki.client import MAX_URL_BYTES, MOST_GIVEN_UP, MediaWiki
from amt_ray.wiki.page import Page

DATE = "Sun, 22 Nov 2026 12:00:%02d GMT"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def page(number, title=None):
    title = title or f"Page {number}"
    url = f"https://wiki.example/wiki/{title.replace(' ', '_')}"
    return Page(title, number, number + 1000, url, fetched_at="2026-11-22T12:00:00+00:00")


REDIRECTS = {
    "normalized": [{"fromencoded": False, "from": "waterloo song", "to": "Waterloo song"}],
    "redirects": [
        {"from": "Ring", "to": "Gnir"},
        {"from": "The Waterloo", "to": "Waterloo (ABBA song)"},
        {"from": "Gnir", "to": "Ring"},
        {"from": "Waterloo song", "to": "The Waterloo", "tofragment": "Reception"},
        {"from": "Abroad", "to": "de:Woanders", "tointerwiki": "de"},
        {"from": "Lost", "to": "Nowhere"},
    ],
    "interwiki": [{"title": "fr:Ailleurs", "iw": "fr"}],
    "pages": [
        missing("Nowhere"),
        missing("Nobody"),
        {"title": "~~~", "invalid": True, "invalidreason": "No."},
        {"ns": -1, "title": "Special:Version", "special": True},
        entry("Talk:Waterloo", 5, ns=1),
        entry("Waterloo (ABBA song)", 7),
        entry("Waterloo", 8, pageprops={"disambiguation": ""}),
    ],
}  # fmt: skip


def test_each_title_gets_the_page_that_it_leads_to():
    titles = ["waterloo song", "Waterloo (ABBA song)", "Waterloo", "Ring", "Abroad", "Lost", "Nobody", "~~~"]
    titles += ["Special:Version", "Talk:Waterloo", "fr:Ailleurs"]
    found = ask(ScriptedWiki(answer(REDIRECTS)), lambda client: client.pages(titles))
    url = "https://wiki.example/wiki/Waterloo"
    at = "2026-11-22T12:00:00+00:00"
    assert found == dict.fromkeys(titles) | {
        "waterloo song": Page(
            "Waterloo (ABBA song)", 7, 1007, f"{url}_(ABBA_song)", False, ("waterloo song",), "Reception", None, at
        ),
        "Waterloo (ABBA song)": Page("Waterloo (ABBA song)", 7, 1007, f"{url}_(ABBA_song)", fetched_at=at),
        "Waterloo": Page("Waterloo", 8, 1008, url, is_disambiguation=True, fetched_at=at),
    }


def test_a_request_says_who_asks_and_how():
    wiki = ScriptedWiki(nothing_there)
    ask(wiki, lambda client: client.pages(["Été", "A_b"]), contact="mail@example.org", maxlag_s=3)
    (seen,) = wiki.seen
    assert seen.method == "GET"
    assert seen.parameters == {
        "action": "query",
        "format": "json",
        "formatversion": "2",
        "maxlag": "3",
        "prop": "info|pageprops",
        "inprop": "url",
        "ppprop": "disambiguation",
        "redirects": "1",
        "titles": "Été|A b",
    }
    assert seen.headers["User-Agent"] == f"amt_ray/{amt_ray.__version__} (mail@example.org)"
    assert "gzip" in seen.headers["Accept-Encoding"]


def test_titles_that_no_page_can_have_are_not_asked_for():
    wiki = ScriptedWiki(nothing_there)
    impossible = ["", "  ", "_", "a|b", "C#", "<b>", "[x]", "{y}", "a\nb", "\ud800", "\ufffd", "x" * 256, "é" * 128]
    assert ask(wiki, lambda client: client.pages(impossible)) == dict.fromkeys(impossible)
    assert wiki.seen == []
    assert ask(wiki, lambda client: client.pages(["é" * 127])) == {"é" * 127: None}


def test_titles_are_asked_for_once_each_and_fifty_at_a_time():
    wiki = ScriptedWiki(nothing_there)
    titles = [f"Title {number}" for number in range(120)]
    found = ask(wiki, lambda client: client.pages([*titles, " Title  3", "Title_4", *titles]), concurrency=1)
    assert found == dict.fromkeys([*titles, " Title  3", "Title_4"])
    assert [len(seen.titles) for seen in wiki.seen] == [50, 50, 20]
    assert [title for seen in wiki.seen for title in seen.titles] == titles


def test_an_answer_that_goes_on_is_put_together():
    parts = [
        answer(
            {"pages": [entry("A", 1), entry("B", 2)]},
            batchcomplete=None,
            **{"continue": {"ppcontinue": "2|x", "continue": "||"}},
        ),
        answer({"pages": [entry("A", 1), entry("B", 2, pageprops={"disambiguation": ""})]}),
    ]
    wiki = ScriptedWiki(*parts)
    found = ask(wiki, lambda client: client.pages(["A", "B"]))
    assert {title: found[title].is_disambiguation for title in found} == {"A": False, "B": True}
    assert [seen.parameters.get("ppcontinue") for seen in wiki.seen] == [None, "2|x"]
    assert wiki.seen[1].titles == ["A", "B"]


def test_an_answer_that_goes_on_for_ever_is_a_bad_reply():
    again = answer({"pages": [entry("A", 1)]}, batchcomplete=None, **{"continue": {"continue": "||"}})
    wiki = ScriptedWiki(again)
    with pytest.raises(WikiError) as caught:
        ask(wiki, lambda client: client.pages(["A"]))
    assert caught.value.reason == "bad_reply"
    assert len(wiki.seen) == 2


@pytest.mark.parametrize("go_on", [3, "more", None, ["gsroffset"]])
def test_an_answer_that_does_not_say_how_it_goes_on_is_a_bad_reply(go_on):
    with pytest.raises(WikiError) as caught:
        ask(ScriptedWiki(lambda _: web.json_response({"continue": go_on})), lambda client: client.pages(["A"]))
    assert caught.value.reason == "bad_reply"


@pytest.mark.parametrize(
    "query",
    [
        {"pages": [{"pageid": 3}]},
        {"pages": [{"pageid": 1, "ns": 0, "title": "A"}]},
        {"pages": [missing("Another")]},
        {"pages": {"1": {}}},
        {"pages": [missing("A")], "redirects": [{"to": "A"}]},
        {"pages": 3},
    ],
)
def test_an_answer_of_another_form_is_a_bad_reply(query):
    with pytest.raises(WikiError) as caught:
        ask(ScriptedWiki(answer(query)), lambda client: client.pages(["A"]))
    assert caught.value.reason == "bad_reply"


def test_a_title_that_the_answer_passes_over_costs_no_other_title():
    with pytest.raises(PartlyAnswered) as caught:
        ask(ScriptedWiki(answer({"pages": [entry("A", 1)]})), lambda client: client.pages(["A", "B"]))
    assert caught.value.answers == {"A": page(1, "A")}
    assert {title: error.reason for title, error in caught.value.failures.items()} == {"B": "bad_reply"}
    assert pickle.loads(pickle.dumps(caught.value)).answers == caught.value.answers


def test_extracts_are_asked_for_by_number_twenty_at_a_time():
    def read(seen):
        numbers = [int(number) for number in seen.parameters["pageids"].split("|")]
        pages = [entry(f"Page {number}", number, lastrevid=9, extract=f"Text {number}") for number in numbers]
        return web.json_response({"batchcomplete": True, "query": {"pages": pages}})

    wiki = ScriptedWiki(read)
    asked = [page(number) for number in range(1, 46)]
    found = ask(wiki, lambda client: client.extracts([*asked, asked[0]]), concurrency=1)
    assert [len(seen.parameters["pageids"].split("|")) for seen in wiki.seen] == [20, 20, 5]
    assert {wiki.seen[0].parameters[name] for name in ("exintro", "explaintext")} == {"1"}
    assert list(found) == [page.title for page in asked]
    assert (found["Page 45"].extract, found["Page 45"].revision_id) == ("Text 45", 9)
    assert found["Page 45"].url == page(45).url


def test_a_page_that_is_no_more_has_no_extract():
    gone = answer({"pages": [{"pageid": 1, "missing": True}, entry("Page 2", 2, extract="")]})
    found = ask(ScriptedWiki(gone), lambda client: client.extracts([page(1), page(2)]))
    assert {title: read.extract for title, read in found.items()} == {"Page 2": ""}


def test_a_wiki_without_extracts_is_told_apart_from_pages_without_text():
    with pytest.raises(WikiError, match="TextExtracts") as caught:
        ask(ScriptedWiki(answer({"pages": [entry("Page 1", 1)]})), lambda client: client.extracts([page(1)]))
    assert caught.value.reason == "bad_reply"


def test_a_search_is_one_request_whose_pages_come_in_order():
    pages = [
        entry("Third", 3, index=3, extract="c"),
        entry("First", 1, index=1, extract="a"),
        entry("Talk:X", 4, ns=1, index=2),
    ]
    wiki = ScriptedWiki(answer({"pages": pages}, **{"continue": {"gsroffset": 2, "continue": "gsroffset||"}}))
    found = ask(wiki, lambda client: client.search(" ABBA \n Waterloo|song "), search_results=2)
    assert [(result.title, result.extract) for result in found] == [("First", "a"), ("Third", "c")]
    (seen,) = wiki.seen
    assert seen.parameters["gsrsearch"] == "ABBA Waterloo song"
    assert (seen.parameters["gsrlimit"], seen.parameters["gsrwhat"]) == ("2", "text")


def test_a_search_may_find_nothing_and_an_empty_one_is_not_made():
    wiki = ScriptedWiki(answer())
    assert ask(wiki, lambda client: client.search("qmxjsudek " * 40)) == []
    assert len(wiki.seen[0].parameters["gsrsearch"]) == 300
    assert ask(wiki, lambda client: client.search(" \ud800 ")) == []
    assert len(wiki.seen) == 1


def test_a_long_request_is_posted():
    wiki = ScriptedWiki(nothing_there)
    titles = [f"{number} {'ж' * 100}" for number in range(50)]
    assert ask(wiki, lambda client: client.pages(titles)) == dict.fromkeys(titles)
    assert [(seen.method, seen.titles) for seen in wiki.seen] == [("POST", titles)]
    assert wiki.seen[0].headers["Promise-Non-Write-API-Action"] == "true"
    assert MAX_URL_BYTES < 8000


async def reset(seen):
    seen.request.transport.abort()


async def broken_off(seen):
    response = web.StreamResponse(headers={"Content-Length": "99"})
    await response.prepare(seen.request)
    await response.write(b'{"batchcomplete":true')
    seen.request.transport.close()
    return response


def half(_):
    return web.Response(body=b'{"batchcomplete":true,"que', content_type="application/json")


def half_gzip(_):
    return web.Response(body=gzip.compress(b'{"batchcomplete":true}' * 9)[:20], headers={"Content-Encoding": "gzip"})


TRANSIENT = [
    (status(429), "rate_limited"),
    (failure("ratelimited"), "rate_limited"),
    (failure("maxlag"), "server_error"),
    (failure("maxlag", 503), "server_error"),
    (failure("readonly"), "server_error"),
    (failure("internal_api_error_DBQueryError", 500), "server_error"),
    (status(500), "server_error"),
    (status(502), "server_error"),
    (half, "bad_reply"),
    (half_gzip, "bad_reply"),
    (broken_off, "bad_reply"),
    (reset, "connection"),
    (lambda _: web.Response(text=""), "bad_reply"),
    (lambda _: web.Response(text="[]"), "bad_reply"),
    (lambda _: web.Response(text="{}"), "bad_reply"),
    (lambda _: web.Response(body=b"\xff\xfe"), "bad_reply"),
]


@pytest.mark.parametrize(("trouble", "reason"), TRANSIENT)
def test_passing_trouble_is_tried_again_with_growing_waits(trouble, reason):
    clock, wiki = Clock(), ScriptedWiki(trouble, trouble, trouble, nothing_there)
    found, statistics = ask(wiki, lambda client: with_statistics(client, client.pages(["A"])), clock)
    assert found == {"A": None}
    assert clock.sleeps == [1, 2, 4]
    assert (statistics.requests, statistics.retries, statistics.failures) == (4, 3, {})

    wiki = ScriptedWiki(trouble)
    error, statistics = ask(wiki, lambda client: with_statistics(client, failing(client.pages(["A"]))), max_attempts=3)
    assert error.reason == reason
    assert len(wiki.seen) == 3
    assert (statistics.requests, statistics.retries, statistics.failures) == (3, 2, {reason: 1})


async def with_statistics(client, call):
    return await call, client.statistics


async def failing(call):
    with pytest.raises(WikiError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(
    "trouble", [status(403), status(404), status(414), status(301, Location="/w/api.php"), failure("badvalue")]
)
def test_a_refusal_is_final(trouble):
    clock, wiki = Clock(), ScriptedWiki(trouble)
    with pytest.raises(WikiError) as caught:
        ask(wiki, lambda client: client.pages(["A"]), clock)
    assert caught.value.reason == "refused"
    assert len(wiki.seen) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        (status(429, Retry_After="7"), [7]),
        (status(503, Retry_After=" 7 "), [7]),
        (status(429, Retry_After="2.5"), [2.5]),
        (failure("maxlag", headers={"Retry-After": "5"}), [5]),
        (failure("maxlag", 503, headers={"Retry-After": "5"}), [5]),
        (status(429, Retry_After=DATE % 40, Date=DATE % 10), [30]),
        (status(429, Retry_After="0"), [1]),
        (status(429, Retry_After="-3"), [1]),
        (status(429, Retry_After="soon"), [1]),
        (status(429, Retry_After=DATE % 10, Date=DATE % 40), [1]),
    ],
)
def test_a_wait_that_the_server_asks_for_is_kept_exactly(trouble, waits):
    clock = Clock()
    ask(ScriptedWiki(trouble, nothing_there), lambda client: client.pages(["A"]), clock)
    assert clock.sleeps == waits


@pytest.mark.parametrize(
    ("jitter", "waits"), [(1.0, [1, 2, 4, 5, 5]), (0.5, [0.75, 1.5, 3, 3.75, 3.75]), (0.0, [0.5, 1, 2, 2.5, 2.5])]
)
def test_the_backoff_lies_between_half_and_whole_and_has_a_limit(jitter, waits):
    clock = Clock()
    ask(ScriptedWiki(status(500)), lambda client: failing(client.pages(["A"])), clock, jitter, max_wait_s=5)
    assert clock.sleeps == waits


def test_silence_is_a_timeout():
    async def silent(_):
        await asyncio.Event().wait()

    wiki = ScriptedWiki(silent)
    error = ask(wiki, lambda client: failing(client.pages(["A"])), timeout_s=0.05, max_attempts=2)
    assert (error.reason, len(wiki.seen)) == ("timeout", 2)


def test_a_server_that_is_not_there_is_a_connection_error():
    error = ask(ScriptedWiki(), lambda client: failing(client.pages(["A"])), api_url="http://127.0.0.1:1/w/api.php")
    assert error.reason == "connection"


def test_a_kept_connection_that_turns_out_closed_is_not_used_again_in_silence():
    clock, wiki = Clock(), ScriptedWiki(nothing_there, reset, nothing_there)

    async def twice(client):
        await client.pages(["A"])
        await client.pages(["B"])

    ask(wiki, twice, clock)
    assert clock.sleeps == [1]
    assert [seen.titles for seen in wiki.seen] == [["A"], ["B"], ["B"]]


def test_while_one_wait_lasts_nothing_else_goes_out():
    wiki = ScriptedWiki(status(429, Retry_After="7"), nothing_there)
    began, over = asyncio.Event(), asyncio.Event()
    seen_before: list[int] = []

    async def sleep(seconds):
        clock.sleeps.append(seconds)
        began.set()
        await over.wait()
        clock.passed_s = 7

    async def call(client):
        first = asyncio.create_task(client.pages(["A"]))
        await began.wait()
        clock.passed_s = 6.5
        others = [asyncio.create_task(client.pages([title])) for title in "BCD"]
        for _ in range(100):
            await asyncio.sleep(0)
        seen_before.append(len(wiki.seen))
        over.set()
        await asyncio.gather(first, *others)

    clock = Clock()
    clock.sleep = sleep
    ask(wiki, call, clock)
    assert clock.sleeps == [7, 0.5, 0.5, 0.5]
    assert seen_before == [1]
    assert sorted(seen.titles for seen in wiki.seen) == [["A"], ["A"], ["B"], ["C"], ["D"]]


def test_a_wait_that_is_too_long_ends_everything_until_it_is_over():
    clock, wiki = Clock(), ScriptedWiki(status(429, Retry_After="400"), nothing_there)

    async def call(client):
        errors = [await failing(client.pages(["A"])), await failing(client.pages(["B"]))]
        clock.passed_s = 300
        return errors, await client.pages(["C"])

    errors, found = ask(wiki, call, clock, max_wait_s=300)
    assert [error.reason for error in errors] == ["rate_limited", "rate_limited"]
    assert found == {"C": None}
    assert clock.sleeps == [100]
    assert [seen.titles for seen in wiki.seen] == [["A"], ["C"]]


def test_as_many_requests_as_allowed_are_under_way_and_never_more():
    under_way, most, three_came = 0, 0, asyncio.Event()

    async def slow(seen):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            three_came.set()
        await three_came.wait()
        await asyncio.sleep(0)
        under_way -= 1
        return nothing_there(seen)

    wiki = ScriptedWiki(slow)
    titles = [f"Title {number}" for number in range(20)]
    found = ask(wiki, lambda client: client.pages(titles), concurrency=3, titles_per_request=1)
    assert found == dict.fromkeys(titles)
    assert (most, len(wiki.seen)) == (3, 20)


def test_requests_start_at_least_the_delay_apart():
    wiki = ScriptedWiki(nothing_there)

    async def call(client):
        began_s = time.monotonic()
        await asyncio.gather(*(client.pages([title]) for title in "ABCD"))
        return time.monotonic() - began_s

    assert ask(wiki, call, delay_s=0.03) >= 3 * 0.03 - 1e-3


def test_what_was_answered_beside_a_failure_is_not_lost():
    def some(seen):
        return status(404)(seen) if "Title 60" in seen.titles else nothing_there(seen)

    titles = [f"Title {number}" for number in range(120)]
    error = ask(ScriptedWiki(some), lambda client: failing(client.pages([*titles, "a|b"])))
    assert isinstance(error, PartlyAnswered)
    assert error.reason == "refused"
    assert error.answers == dict.fromkeys([*titles[:50], *titles[100:], "a|b"])
    assert error.failures.keys() == set(titles[50:100])


def test_a_dead_wiki_is_asked_less_until_it_answers():
    wiki = ScriptedWiki(*[status(500)] * 7, nothing_there, status(500), nothing_there)

    async def call(client):
        counts = []
        for title in "ABCDE":
            await (failing(client.pages([title])) if title in "ABC" else client.pages([title]))
            counts.append(len(wiki.seen))
        return counts

    assert ask(wiki, call, concurrency=2, max_attempts=3) == [3, 6, 7, 8, 10]


def test_a_wiki_that_stays_dead_is_let_be():
    wiki = ScriptedWiki(status(500))

    async def call(client):
        errors = [await failing(client.pages([str(number)])) for number in range(MOST_GIVEN_UP + 9)]
        return len(wiki.seen), {error.reason for error in errors}, errors[-1].detail

    n_asked, reasons, detail = ask(wiki, call, concurrency=1, max_attempts=2)
    assert (n_asked, reasons) == (2 + MOST_GIVEN_UP - 1, {"server_error"})
    assert detail == "50 requests in a row were not answered; try again later"


def test_response_times_are_of_the_requests_alone():
    clock = Clock()

    def slow(seen):
        clock.passed_s += 3
        return nothing_there(seen) if len(wiki.seen) > 1 else status(429, Retry_After="50")(seen)

    wiki = ScriptedWiki(slow)
    _, statistics = ask(wiki, lambda client: with_statistics(client, client.pages(["A"])), clock)
    assert (statistics.requests, statistics.response_s, statistics.mean_response_s) == (2, 6, 3)
    assert MediaWiki(WikipediaSettings()).statistics.mean_response_s == 0


def test_a_client_that_is_not_open_says_how_to_open_it():
    client = MediaWiki(WikipediaSettings())
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(client.pages(["A"]))


def test_settings_survive_pickling():
    settings = WikipediaSettings(contact="mail@example.org")
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    "given",
    [
        {"api_url": "en.wikipedia.org"},
        {"api_url": "https://en.wikipedia.org/w/api.php?x=1"},
        {"contact": ""},
        {"contact": "me\r\nX-Other: 1"},
        {"delay_s": -1},
        {"concurrency": 0},
        {"timeout_s": 0},
        {"max_attempts": 0},
        {"max_wait_s": 0},
        {"maxlag_s": -1},
        {"titles_per_request": 0},
        {"extracts_per_request": 21},
    ],
)
def test_impossible_settings_are_refused(given):
    with pytest.raises(ValidationError):
        WikipediaSettings(**given)
