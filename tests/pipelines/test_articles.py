import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from strategies import compose

from amt_ray.artifacts import Workspace
from amt_ray.config import CollectSettings, WikipediaSettings
from amt_ray.errors import LibraryError
from amt_ray.midi.write import write_midi
from amt_ray.pipelines.collect import collect
from amt_ray.schemas import ARTICLES
from amt_ray.wiki.page import LICENCE

LEADS = {
    "Waterloo (ABBA song)": '"Waterloo" is a song by the Swedish pop group ABBA, released as a single in 1974.',
    "ABBA": "ABBA are a Swedish pop group formed in Stockholm in 1972.",
    "Hey Jude": '"Hey Jude" is a song by the English rock band the Beatles, released as a single in August 1968.',
}


class TinyWiki(ThreadingHTTPServer):
    """A wiki of three articles; it counts what it is asked, and refuses titles that hold "Refused"."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), TinyWikiHandler)
        self.asked: list[dict[str, str]] = []
        self.is_down = False
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def titles(self):
        return [title for query in self.asked if "titles" in query for title in query["titles"].split("|")]

    def answer(self, query):
        self.asked.append(query)
        ids = {title: number for number, title in enumerate(LEADS, 1)}
        if "pageids" in query:
            wanted = [title for title, number in ids.items() if str(number) in query["pageids"].split("|")]
            found = [{"pageid": ids[title], "ns": 0, "title": title, "extract": LEADS[title]} for title in wanted]
        elif "titles" in query:
            wanted = query["titles"].split("|")
            found = [
                {"pageid": ids[title], "ns": 0, "title": title}
                if title in LEADS
                else {"ns": 0, "title": title, "missing": True}
                for title in wanted
            ]
        else:
            return {"batchcomplete": True}
        for page in found:
            page |= {"lastrevid": 7, "fullurl": "https://wiki.test/" + page["title"].replace(" ", "_")}
        return {"batchcomplete": True, "query": {"pages": found}}


class TinyWikiHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.reply(query)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.reply({name: values[0] for name, values in parse_qs(body).items()})

    def reply(self, query):
        server = self.server
        assert isinstance(server, TinyWiki)
        is_refused = server.is_down or "Refused" in query.get("titles", "")
        body = b"busy" if is_refused else json.dumps(server.answer(query)).encode()
        self.send_response(503 if is_refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def wiki():
    server = TinyWiki()
    yield server
    server.shutdown()
    server.server_close()
    server.thread.join()


@pytest.fixture
def settings(wiki):
    api = f"http://127.0.0.1:{wiki.server_port}/api.php"
    return CollectSettings(wikipedia=WikipediaSettings(api_url=api, delay_s=0, max_attempts=1, contact="tests@example.org"))


@pytest.fixture
def songs(tmp_path):
    """ABBA's Waterloo twice (other music), a song that only its artist's article stands for, and one without any."""
    folder = tmp_path / "songs"
    names = (
        "ABBA/Waterloo",
        "pop/ABBA/waterloo_2",
        "ABBA/Forgotten B-Side",
        "Nobody Known/Lost Tune",
        "The Beatles/Hey Jude",
    )
    for seed, name in enumerate(names):
        path = folder / f"{name}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_midi(compose(seed)))
    return folder


def articles_in(place):
    by_id = {row["piece_id"]: row["path"] for row in Workspace(str(place)).table("pieces").to_pylist()}
    table = Workspace(str(place)).table("articles")
    assert table.schema.equals(ARTICLES)
    return {by_id[row["piece_id"]]: row for row in table.to_pylist()}


def test_every_piece_has_an_article_or_a_reason(ray_local, wiki, settings, songs, tmp_path):
    told = []
    report = collect(str(songs), str(tmp_path / "w"), settings, tell=lambda *args: told.append(args)).wikipedia
    rows = articles_in(tmp_path / "w")
    assert {path: (row["status"], row["reason"], row["page_title"]) for path, row in rows.items()} == {
        "ABBA/Waterloo.mid": ("song", "", "Waterloo (ABBA song)"),
        "pop/ABBA/waterloo_2.mid": ("song", "", "Waterloo (ABBA song)"),
        "ABBA/Forgotten B-Side.mid": ("artist", "no_page", "ABBA"),
        "Nobody Known/Lost Tune.mid": ("none", "no_page", None),
        "The Beatles/Hey Jude.mid": ("song", "", "Hey Jude"),
    }
    row = rows["ABBA/Waterloo.mid"]
    assert (row["extract"], row["page_url"]) == (LEADS["Waterloo (ABBA song)"], "https://wiki.test/Waterloo_(ABBA_song)")
    assert (row["revision_id"], row["licence"], row["query"]) == (7, LICENCE, "ABBA Waterloo (song)")
    assert row["candidates"][0] == {"title": "Waterloo (ABBA song)", "confidence": row["confidence"]}
    assert row["fetched_at"].endswith("+00:00")
    assert (report.total, report.looked_up) == (4, 4)
    assert (report.by_status, report.by_reason) == ({"song": 2, "artist": 1, "none": 1}, {"no_page": 2})
    assert report.n_requests == len(wiki.asked)
    assert [(number, total) for number, total, _ in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(set(wiki.titles)) == len(wiki.titles)


def test_a_second_run_asks_nothing_and_a_new_song_is_asked_for_alone(ray_local, wiki, settings, songs, tmp_path):
    collect(str(songs), str(tmp_path / "w"), settings)
    before, wiki.asked = articles_in(tmp_path / "w"), []
    again = collect(str(songs), str(tmp_path / "w"), settings)
    assert (again.wikipedia.looked_up, wiki.asked) == (0, [])
    (songs / "Somebody").mkdir()
    (songs / "Somebody" / "Something New.mid").write_bytes(write_midi(compose(50)))
    grown = collect(str(songs), str(tmp_path / "w"), settings)
    assert (grown.wikipedia.looked_up, grown.wikipedia.total) == (1, 5)
    assert {title for title in wiki.titles if "Some" not in title} == set()
    after = articles_in(tmp_path / "w")
    assert {path: row for path, row in after.items() if path in before} == before


def test_what_failed_is_a_row_with_its_reason_and_tried_again(ray_local, wiki, settings, songs, tmp_path):
    wiki.is_down = True
    report = collect(str(songs), str(tmp_path / "w"), settings).wikipedia
    assert (report.by_status, report.by_reason) == ({"failed": 4}, {"server_error": 4})
    wiki.is_down = False
    report = collect(str(songs), str(tmp_path / "w"), settings).wikipedia
    assert report.by_status == {"song": 2, "artist": 1, "none": 1}


def test_offline_takes_what_the_cache_knows(ray_local, wiki, settings, songs, tmp_path):
    offline = settings.model_copy(update={"offline": True})
    report = collect(str(songs), str(tmp_path / "w"), offline).wikipedia
    assert (report.by_reason, wiki.asked) == ({"offline": 4}, [])
    online = settings.model_copy(update={"wikipedia_cache": str(tmp_path / "cache")})
    collect(str(songs), str(tmp_path / "online"), online)
    n_asked = len(wiki.asked)
    shared = online.model_copy(update={"offline": True})
    report = collect(str(songs), str(tmp_path / "shared"), shared).wikipedia
    assert (report.by_status["song"], len(wiki.asked)) == (2, n_asked)
    assert articles_in(tmp_path / "shared") == articles_in(tmp_path / "online")


def test_refresh_asks_again(ray_local, wiki, settings, songs, tmp_path):
    collect(str(songs), str(tmp_path / "w"), settings)
    first, wiki.asked = sorted(wiki.titles), []
    for _ in range(2):
        wiki.asked = []
        collect(str(songs), str(tmp_path / "w"), settings.model_copy(update={"refresh": True}))
        assert sorted(wiki.titles) == first


def test_a_dump_instead_of_the_wiki(ray_local, wiki, settings, songs, tmp_path):
    pages = "".join(
        f"<page><title>{title}</title><ns>0</ns><id>{number}</id><revision><id>{number}</id>"
        f"<text>{lead.replace('&', '&amp;')}</text></revision></page>"
        for number, (title, lead) in enumerate(LEADS.items(), 1)
    )
    dump = tmp_path / "dump.xml"
    base = "<siteinfo><base>https://en.wikipedia.org/wiki/Main_Page</base></siteinfo>"
    dump.write_text(f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">{base}{pages}</mediawiki>')
    from_dump = settings.model_copy(update={"wikipedia_dump": str(dump)})
    report = collect(str(songs), str(tmp_path / "w"), from_dump).wikipedia
    assert (report.by_status, report.n_requests, wiki.asked) == ({"song": 2, "artist": 1, "none": 1}, 0, [])
    row = articles_in(tmp_path / "w")["ABBA/Waterloo.mid"]
    assert (row["page_url"], row["extract"]) == (
        "https://en.wikipedia.org/wiki/Waterloo_(ABBA_song)",
        LEADS["Waterloo (ABBA song)"],
    )
    # Another wiki's answers are not this one's.
    assert collect(str(songs), str(tmp_path / "w"), settings).wikipedia.looked_up == 4


def test_a_dump_that_is_not_there_is_a_sentence_before_any_work(songs, tmp_path):
    missing = CollectSettings(wikipedia_dump=str(tmp_path / "nowhere.xml"))
    with pytest.raises(LibraryError, match=r"nowhere\.xml"):
        collect(str(songs), str(tmp_path / "w"), missing)
    assert not (tmp_path / "w").exists()
