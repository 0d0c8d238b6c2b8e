from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray import errors
from amt_ray.errors import AmtError, RequestError
from amt_ray.serving.messages import STATUS, filename_of, form_of, request_of


def seed_7() -> int:
    return 7


def test_a_seed_is_drawn_only_where_none_is_named():
    assert request_of(b'{"text": "a waltz"}', seed_7).seed == 7
    assert request_of(b'{"text": "a waltz", "seed": null}', seed_7).seed == 7
    assert request_of(b'{"text": "a waltz", "seed": 0}', seed_7).seed == 0


def test_every_option_arrives():
    values = {
        "text": "a waltz", "seed": 3, "temperature": 0.5, "top_k": 9, "top_p": 0.8, "max_tokens": 100,
        "instruments": ["violin", "40"], "key": "D minor", "tempo_bpm": 99.5, "time_signature": "3/4", "bars": 8,
        "genre": "folk", "mood": "happy",
    }  # fmt: skip
    request = request_of(json.dumps(values).encode(), seed_7)
    assert request.model_dump(mode="json") == values


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\x00", b"[" * 60_000, b'{"text": 1e}', b'{"seed": ' + b"9" * 5000 + b"}"]
)
def test_what_is_not_json_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 (the decoder's own words)
        request_of(body, seed_7)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", "body"),
        (b'"a waltz"', "body"),
        (b"null", "body"),
        (b"{}", "text"),
        (b'{"text": " "}', "text"),
        (b'{"text": 5}', "text"),
        (b'{"text": "\\ud800"}', "text"),
        (b'{"text": "a", "tune": 1}', "tune"),
        (b'{"text": "a", "seed": -1}', "seed"),
        (b'{"text": "a", "seed": 1e400}', "seed"),
        (b'{"text": "a", "temperature": NaN}', "temperature"),
        (b'{"text": "a", "bars": 1.5}', "bars"),
        (b'{"text": "a", "self": 1}', "self"),
    ],
)
def test_what_is_no_request_names_the_field(body, field):
    with pytest.raises(RequestError) as caught:
        request_of(body, seed_7)
    assert caught.value.args[0] == field


@given(
    st.binary(max_size=200)
    | st.text().map(str.encode)
    | st.dictionaries(st.text(), st.none() | st.integers()).map(json.dumps)
)
def test_no_body_raises_anything_else(body):
    with pytest.raises((ValueError, RequestError)):
        request_of(body, seed_7)


@pytest.mark.parametrize(
    ("wanted", "accept", "form"),
    [
        (None, "", "midi"),
        (None, "*/*", "midi"),
        (None, "audio/midi", "midi"),
        (None, "application/json", "json"),
        (None, "Application/JSON; charset=utf-8", "json"),
        (None, "application/json, text/plain, */*", "json"),
        (None, "text/html,application/xhtml+xml,*/*;q=0.8", "midi"),
        (None, "audio/midi, application/json", "midi"),
        (None, "text/html", "midi"),
        ("json", "audio/midi", "json"),
        ("midi", "application/json", "midi"),
    ],
)
def test_the_form_of_the_reply(wanted, accept, form):
    assert form_of(wanted, accept) == form


def test_an_unknown_format_is_refused():
    with pytest.raises(RequestError, match=r"^format: received 'mp3'; allowed is midi or json\.$"):
        form_of("mp3", "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A fast reel, for fiddle!", "a-fast-reel-for-fiddle.mid"),
        ('"../../etc/passwd"\r\nX: 1', "etc-passwd-x-1.mid"),
        ("舒缓的钢琴", "take.mid"),
        ("a" * 100, "a" * 60 + ".mid"),
    ],
)
def test_a_file_is_named_after_its_text(text, name):
    assert filename_of(text) == name


@given(st.text())
def test_a_file_name_is_plain(text):
    assert set(filename_of(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


def test_every_class_of_error_has_a_status():
    tree = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AmtError)}
    assert tree - {AmtError} == set(STATUS)
    assert {kind: status for kind, status in STATUS.items() if status < 500} == {RequestError: 422}
