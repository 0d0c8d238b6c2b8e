from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from amt_ray.media.page import Exhibit, build_page

BALLAD = Exhibit(
    "a melancholic jazz ballad",
    "ballad.mid",
    "ballad.wav",
    "ballad.png",
    (("Key", "D minor"), ("Requests met", "5 of 5")),
)


class Outline(HTMLParser):
    """Start tags with their attributes, and the text within each kind of tag; fails on tags that do not match."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], {}, []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_a_card_shows_plays_and_offers_the_piece():
    outline = Outline(build_page([BALLAD], "Demo", [("Pieces collected", "150")]))
    assert outline.text["title"] == ["Demo"]
    assert outline.text["h1"] == ["Demo"]
    assert outline.text["h2"] == ["“a melancholic jazz ballad”", "How it was made"]
    assert [a["src"] for a in outline.all("audio")] == ["./ballad.wav"]
    assert "controls" in outline.all("audio")[0]
    assert [a["src"] for a in outline.all("img")] == ["./ballad.png"]
    alt = outline.all("img")[0]["alt"]
    assert alt == "Piano roll of “a melancholic jazz ballad”: pitch against bars. Key: D minor; Requests met: 5 of 5"
    assert [a["href"] for a in outline.all("a")] == ["./ballad.mid", "./ballad.wav"]
    assert outline.text["th"] == ["Key", "Requests met", "Pieces collected"]
    assert outline.text["td"] == ["D minor", "5 of 5", "150"]
    assert outline.all("html") == [{"lang": "en"}]


def test_markup_in_texts_stays_text():
    evil = "<script>alert(\"1\")</script> & 'x' $title ${text}"
    exhibit = Exhibit(evil, "a.mid", "a.wav", "a.png", ((evil, evil),))
    outline = Outline(build_page([exhibit], evil, [(evil, evil)]))
    assert outline.all("script") == []
    assert outline.text["h1"] == [evil]
    assert outline.text["h2"][0] == f"“{evil}”"
    assert outline.text["td"] == [evil, evil]
    assert outline.all("img")[0]["alt"].startswith(f"Piano roll of “{evil}”")


def test_file_names_are_percent_encoded_and_stay_relative():
    exhibit = Exhibit("x", 'take 1#2?".mid', "http://evil.example/a.wav", "sub/ä&b.png", ())
    outline = Outline(build_page([exhibit], "t", []))
    assert outline.all("a")[0]["href"] == "./take%201%232%3F%22.mid"
    assert outline.all("img")[0]["src"] == "./sub/%C3%A4%26b.png"
    assert urlsplit(outline.all("audio")[0]["src"]).netloc == ""
    assert urlsplit(outline.all("audio")[0]["src"]).scheme == ""


def test_nothing_comes_from_elsewhere():
    html = build_page([BALLAD, BALLAD], "Demo", [("a", "b")])
    outline = Outline(html)
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert outline.all("link") == outline.all("script") == []


def test_labels_point_at_ids_that_stand_once():
    outline = Outline(build_page([BALLAD, BALLAD, BALLAD], "Demo", [("a", "b")]))
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert ids == ["piece-1", "piece-2", "piece-3", "how"]
    assert [attrs["aria-labelledby"] for _, attrs in outline.tags if "aria-labelledby" in attrs] == ids
    assert all(attrs["alt"] for attrs in outline.all("img"))


def test_empty_parts_are_left_out():
    outline = Outline(build_page([], "Demo", []))
    assert outline.all("article") == outline.all("table") == outline.all("section") == []
    assert "No pieces yet." in outline.text["p"]


@given(st.text(), st.text(), st.text(min_size=1))
def test_any_text_keeps_the_page_whole(text, fact, file):
    outline = Outline(build_page([Exhibit(text, file, file, file, ((fact, fact),))], text, [(fact, fact)]))
    shape = [tag for tag, _ in outline.tags]
    expected = Outline(build_page([Exhibit("t", "f", "f", "f", (("a", "b"),))], "t", [("a", "b")]))
    assert shape == [tag for tag, _ in expected.tags]
    assert unquote(outline.all("img")[0]["src"]) == "./" + file.replace("\\", "/")
