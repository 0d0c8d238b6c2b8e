import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.config import WikipediaSettings
from amt_ray.errors import OutputError, WikiError, WorkspaceError
from amt_ray.wiki.answers import PartlyAnswered
from amt_ray.wiki.cache import Cache, Cached
from amt_ray.wiki.page import Page

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
SETTINGS = WikipediaSettings()
WIKI = SETTINGS.api_url


def page(title, number=1):
    return Page(title, number, number + 1000, f"https://wiki.example/{title}", redirected_from=("x", "y"), fragment="Z")


class Source:
    """Has a page for every title with a capital, and keeps count of what it is asked."""

    def __init__(self):
        self.asked = []
        self.failing = set()

    async def pages(self, titles):
        return await self.answer("pages", titles, lambda title: page(title) if title[:1].isupper() else None)

    async def extracts(self, pages):
        texts = {p.title: replace(p, extract=f"Of {p.revision_id}", revision_id=7777, fetched_at="now") for p in pages}
        return await self.answer("extracts", [p.title for p in pages if p.title != "Gone"], texts.__getitem__)

    async def search(self, query):
        return (await self.answer("search", [query], lambda _: [replace(page(query), extract="Found")]))[query]

    async def answer(self, kind, keys, of):
        self.asked.append((kind, list(keys)))
        await asyncio.sleep(0)
        failures = {key: WikiError("server_error", key) for key in keys if key in self.failing}
        answers = {key: of(key) for key in keys if key not in failures}
        if failures:
            raise PartlyAnswered("server_error", "some", answers, failures)
        return answers


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "wiki.sqlite") as opened:
        yield opened


def run(call):
    return asyncio.run(call)


def failure_of(call):
    with pytest.raises(WikiError) as caught:
        asyncio.run(call)
    return caught.value


def test_pages_are_asked_for_once_and_so_is_what_is_not_there(cache):
    first, second = Source(), Source()
    found = run(Cached(first, cache, SETTINGS).pages(["Abba", "nobody"]))
    assert found == {"Abba": page("Abba"), "nobody": None}
    assert run(Cached(second, cache, SETTINGS).pages(["nobody", "Abba", "Other"])) == found | {"Other": page("Other")}
    assert second.asked == [("pages", ["Other"])]


def test_extracts_are_of_one_revision_and_keep_what_led_to_the_page(cache):
    source = Source()
    cached = Cached(source, cache, SETTINGS)
    asked = [page("Abba"), page("Gone")]
    read = replace(page("Abba"), extract="Of 1001", revision_id=7777, fetched_at="now")
    assert run(cached.extracts(asked)) == {"Abba": read}
    assert run(cached.extracts(asked)) == {"Abba": read}
    otherwise = replace(page("Abba"), redirected_from=(), fragment="")
    assert run(cached.extracts([otherwise])) == {"Abba": replace(read, redirected_from=(), fragment="")}
    assert source.asked == [("extracts", ["Abba"])]
    changed = replace(page("Abba"), revision_id=1002)
    assert run(cached.extracts([changed]))["Abba"].extract == "Of 1002"


def test_searches_are_made_once(cache):
    source = Source()
    found = [replace(page("ABBA Waterloo"), extract="Found")]
    for _ in range(2):
        assert run(Cached(source, cache, SETTINGS).search("ABBA Waterloo")) == found
    assert source.asked == [("search", ["ABBA Waterloo"])]


def test_what_is_lacking_is_asked_for_as_much_as_fits_a_request(cache):
    source = Source()
    cached = Cached(source, cache, SETTINGS)
    titles = [f"T{number}" for number in range(130)]
    run(cached.pages(titles[::13]))
    assert list(run(cached.pages(titles))) != []
    assert [len(keys) for _, keys in source.asked] == [10, 50, 50, 20]
    source.asked.clear()
    run(cached.extracts([page(title) for title in titles[:50]]))
    assert [len(keys) for _, keys in source.asked] == [20, 20, 10]


def test_wikis_do_not_answer_for_each_other(cache):
    run(Cached(Source(), cache, SETTINGS).pages(["Abba"]))
    other = Source()
    run(Cached(other, cache, WikipediaSettings(api_url="https://de.wikipedia.org/w/api.php")).pages(["Abba"]))
    assert other.asked == [("pages", ["Abba"])]


def test_failures_are_not_kept_and_answers_beside_them_are(cache):
    source = Source()
    source.failing = {"B", "Q"}
    cached = Cached(source, cache, SETTINGS)
    error = failure_of(cached.pages(["A", "B"]))
    assert error.answers == {"A": page("A")}
    assert {title: failure.reason for title, failure in error.failures.items()} == {"B": "server_error"}
    error = failure_of(cached.extracts([page("A"), page("B", 2)]))
    assert (list(error.answers), list(error.failures)) == (["A"], ["B"])
    assert failure_of(cached.search("Q")).reason == "server_error"
    source.failing, source.asked = set(), []
    assert run(cached.pages(["A", "B"])) == {"A": page("A"), "B": page("B")}
    run(cached.extracts([page("A"), page("B", 2)]))
    run(cached.search("Q"))
    assert source.asked == [("pages", ["B"]), ("extracts", ["B"]), ("search", ["Q"])]


def test_offline_gives_what_is_known_and_says_what_is_not(cache):
    run(Cached(Source(), cache, SETTINGS).pages(["A", "nobody"]))
    offline = Cached(None, cache, SETTINGS)
    assert run(offline.pages(["A", "nobody"])) == {"A": page("A"), "nobody": None}
    error = failure_of(offline.pages(["A", "B"]))
    assert error.answers == {"A": page("A")}
    assert {title: failure.reason for title, failure in error.failures.items()} == {"B": "offline"}
    assert failure_of(offline.search("Q")).reason == "offline"
    assert failure_of(offline.extracts([page("A")])).reason == "offline"


def test_a_refresh_asks_again_and_goes_on_where_it_was_interrupted(cache):
    source = Source()
    run(Cached(source, cache, SETTINGS, now=lambda: NOON).pages(["A", "B"]))
    for hours, titles in [(1, ["A"]), (2, ["A", "B"])]:
        at = NOON + timedelta(hours=hours)
        since = cache.begin_refresh(WIKI, at)
        assert since == NOON + timedelta(hours=1)
        run(Cached(source, cache, SETTINGS, since=since, now=lambda at=at: at).pages(titles))
    assert source.asked == [("pages", ["A", "B"]), ("pages", ["A"]), ("pages", ["B"])]
    cache.end_refresh(WIKI)
    assert cache.begin_refresh(WIKI, NOON + timedelta(hours=3)) == NOON + timedelta(hours=3)


def test_a_clock_that_goes_back_does_not_undo_a_refresh(cache):
    since = cache.begin_refresh(WIKI, NOON)
    cached = Cached(Source(), cache, SETTINGS, since=since, now=lambda: NOON - timedelta(hours=1))
    assert run(cached.pages(["A"])) == {"A": page("A")}


def test_what_several_want_at_the_same_time_is_asked_for_once(cache):
    source = Source()
    cached = Cached(source, cache, SETTINGS)

    async def several():
        return await asyncio.gather(cached.pages(["A", "B"]), cached.pages(["B", "C"]), cached.pages(["A"]))

    assert [list(found) for found in run(several())] == [["A", "B"], ["B", "C"], ["A"]]
    assert source.asked == [("pages", ["A", "B"]), ("pages", ["C"])]


def test_a_caller_that_gives_up_takes_nothing_from_the_others(cache):
    source = Source()
    cached = Cached(source, cache, SETTINGS)

    async def several():
        first = asyncio.create_task(cached.pages(["A"]))
        second = asyncio.create_task(cached.pages(["A"]))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert run(several()) == {"A": page("A")}
    assert source.asked == [("pages", ["A"])]


def test_a_failure_is_told_to_all_who_wait_for_it(cache):
    source = Source()
    source.failing = {"A"}
    cached = Cached(source, cache, SETTINGS)

    async def several():
        return await asyncio.gather(cached.pages(["A"]), cached.pages(["A", "B"]), return_exceptions=True)

    assert [error.failures.keys() for error in run(several())] == [{"A"}, {"A"}]


KILLED = """
import asyncio, os, signal, sys
from amt_ray.config import WikipediaSettings
from amt_ray.wiki.cache import Cache, Cached
from amt_ray.wiki.page import Page

class Source:
    async def pages(self, titles):
        if "T100" in titles:
            os.kill(os.getpid(), signal.SIGKILL)
        return {title: Page(title, 1, 2, "") for title in titles}

async def main():
    cached = Cached(Source(), Cache(sys.argv[1]), WikipediaSettings())
    await cached.pages([f"T{number}" for number in range(150)])

asyncio.run(main())
"""


def test_a_killed_run_keeps_every_answer_that_it_had(tmp_path):
    path = tmp_path / "wiki.sqlite"
    finished = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert finished.returncode == -signal.SIGKILL
    source = Source()
    with Cache(path) as cache:
        run(Cached(source, cache, SETTINGS).pages([f"T{number}" for number in range(150)]))
    assert source.asked == [("pages", [f"T{number}" for number in range(100, 150)])]


SHARED = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from amt_ray.wiki.cache import Cache

for number in range(30):
    with Cache(sys.argv[1]) as cache:
        cache.write("w", "search", {f"{sys.argv[2]} {number}": [number]}, datetime.now(timezone.utc))
"""


def test_processes_may_share_a_cache_from_its_first_moment(tmp_path):
    path = tmp_path / "new" / "wiki.sqlite"
    workers = [subprocess.Popen([sys.executable, "-c", SHARED, str(path), str(number)]) for number in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    keys = [f"{worker} {number}" for worker in range(3) for number in range(30)]
    with Cache(path) as cache:
        assert cache.read("w", "search", keys) == {key: [int(key.split()[1])] for key in keys}


def test_a_commit_waits_until_another_process_has_made_its_own(tmp_path):
    path = tmp_path / "wiki.sqlite"
    with Cache(path) as cache:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as threads:
            writing = threads.submit(cache.write, WIKI, "search", {"Q": []}, NOON)
            time.sleep(0.1)
            other.execute("COMMIT")
            writing.result()
        other.close()
        assert cache.read(WIKI, "search", ["Q"]) == {"Q": []}


def test_a_damaged_cache_says_what_to_do(tmp_path):
    text = tmp_path / "text"
    text.write_text("This is a shopping list, not a database.\n" * 100)
    with pytest.raises(WorkspaceError, match=r"text: .* damaged .*delete it"):
        Cache(text)
    torn = tmp_path / "torn"
    with Cache(torn) as cache:
        cache.write(WIKI, "search", {f"Q{number}": "x" * 900 for number in range(500)}, NOON)
    data = torn.read_bytes()
    torn.write_bytes(data[:8192] + bytes(len(data) - 8192))
    with pytest.raises(WorkspaceError, match="damaged"), Cache(torn) as cache:
        cache.read(WIKI, "search", [f"Q{number}" for number in range(500)])


def test_another_database_is_left_alone(tmp_path):
    path = tmp_path / "songs.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    with pytest.raises(WorkspaceError, match="name another file"):
        Cache(path)


def test_a_place_that_cannot_be_written_to_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        Cache(tmp_path / "file" / "wiki.sqlite")
    with pytest.raises(OutputError, match="cannot write"):
        Cache(tmp_path)


@given(st.dictionaries(st.text(st.characters(exclude_categories=())), st.lists(st.text())))
def test_any_name_and_any_answer_come_back(answers):
    with Cache(":memory:") as cache:
        cache.write(WIKI, "search", answers, NOON)
        assert cache.read(WIKI, "search", answers) == answers
        assert cache.read(WIKI, "page", answers) == {}
        assert not Path(":memory:").exists()
