from contextlib import suppress
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amt_ray.errors import WikiError
from amt_ray.wiki.page import Page
from amt_ray.wiki.replies import Answer, askable, page_of, retry_after_s, searchable

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
AMBER = {"pageid": 1, "ns": 0, "title": "Amber", "lastrevid": 2, "fullurl": "https://wiki.example/wiki/Amber"}


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("Waterloo", "Waterloo"),
        ("  The_Winner  takes\u00a0it ", "The Winner takes it"),
        ("E\u0301te\u0301", "Été"),
        ("AC/DC", "AC/DC"),
        ("x" * 255, "x" * 255),
        ("é" * 127 + "x", "é" * 127 + "x"),
        ("é" * 128, None),
        ("x" * 256, None),
        ("", None),
        (" _ ", None),
        *((f"a{character}b", None) for character in "#<>[]|{}\n\t\x00\x7f\x1f\ud800\ufffd\uffff"),
    ],
)
def test_a_title_is_asked_for_as_the_wiki_repeats_it_or_not_at_all(title, asked):
    assert askable(title) == asked


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_asked_for_stays_as_it_is(title):
    asked = askable(title)
    assert asked is None or askable(asked) == asked
    assert searchable(searchable(title)) == searchable(title)
    searchable(title).encode()


def test_a_search_is_cut_at_300_characters():
    assert searchable("a|b\n c") == "a b c"
    assert searchable("x" * 301) == "x" * 300


def test_spellings_are_followed_from_the_encoded_one_to_the_wiki_s_own():
    answer = Answer()
    answer.add(
        {
            "query": {
                "normalized": [
                    {"fromencoded": True, "from": "a%CC%8Amber", "to": "amber"},
                    {"fromencoded": False, "from": "amber", "to": "Amber"},
                ],
                "pages": [AMBER],
            }
        }
    )
    found = answer.led_to(["a\u030amber", "amber", "Amber"], "now")
    assert {title: page.title for title, page in found.items()} == dict.fromkeys(["a\u030amber", "amber", "Amber"], "Amber")


NAMES = st.sampled_from(
    ["A", "B", "title", "pageid", "ns", "lastrevid", "fullurl", "extract", "index", "missing", "pageprops", "from", "to"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
ENTRY = st.dictionaries(NAMES, JSON | st.sampled_from(["A", "B", 0, 1]))
QUERIES = JSON | st.dictionaries(st.sampled_from(["pages", "redirects", "normalized", "interwiki"]), JSON | st.lists(ENTRY))


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={"batchcomplete": JSON, "continue": JSON, "query": QUERIES}))
def test_a_reply_of_any_form_is_understood_or_a_bad_reply(reply):
    answer, amber = Answer(), Page("A", 1, 2, "")
    with suppress(WikiError):
        answer.add(reply)
    with suppress(WikiError):
        assert set(answer.led_to(["A", "B"], "now")) == {"A", "B"}
    with suppress(WikiError):
        assert set(answer.read([amber], "now")) <= {"A"}
    with suppress(WikiError):
        assert all(isinstance(page, Page) for page in answer.found("now"))


@pytest.mark.parametrize("missing", ["pageid", "title", "lastrevid", "fullurl"])
def test_an_article_s_entry_has_all_that_a_page_needs(missing):
    with pytest.raises(WikiError) as caught:
        page_of({name: value for name, value in AMBER.items() if name != missing}, "now")
    assert caught.value.reason == "bad_reply"


@pytest.mark.parametrize("more", [{"missing": True}, {"invalid": True}, {"special": True}, {"ns": 1}, {"ns": -1}])
def test_what_is_no_article_is_no_page(more):
    assert page_of(AMBER | more, "now") is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "1e3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT"}, 60),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 -0000"}, 60),
        ({"Retry-After": "Sun, 22 Nov 2026 13:01:00 +0100"}, 60),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:55 GMT"}, 5),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT", "Date": "today"}, 60),
        ({"Retry-After": "Sun, 99 Nov 2026 12:01:00 GMT"}, None),
    ],
)
def test_a_wait_is_read_in_seconds_or_as_a_date(headers, seconds):
    assert retry_after_s(headers, NOON) == seconds
