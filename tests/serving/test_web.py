from __future__ import annotations

import asyncio
import base64
import io
import json

import httpx
import mido
import pytest
from fastapi import FastAPI

from amt_ray.errors import BundleError, EncoderError, RequestError
from amt_ray.generation.request import Request
from amt_ray.serving.messages import MAX_BODY_BYTES, as_json
from amt_ray.serving.web import web_app

FIDDLE = 110  # of General MIDI, counted from 0
URL = "http://replica/v1/generate"


@pytest.fixture(scope="module")
def app(composer) -> FastAPI:
    async def compose(request: Request):
        return composer.generate_batch([request])[0]

    return web_app(compose, "tiny", 1234, draw_seed=lambda: 42)


def ask(app: FastAPI, method: str, url: str, **options) -> httpx.Response:
    """Send one request to an application, in this process."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, **options)

    return asyncio.run(send())


def failing(error: Exception) -> FastAPI:
    async def compose(request: Request):
        raise error

    return web_app(compose, "tiny", 1234)


def test_a_curl_command_gets_a_midi_file(app):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
    reply = ask(app, "POST", URL, content='{"text": "a fast reel for fiddle", "bars": 2}', headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "audio/midi")
    assert reply.headers["content-disposition"] == 'attachment; filename="a-fast-reel-for-fiddle.mid"'
    assert reply.headers["x-seed"] == "42"
    messages = list(mido.MidiFile(file=io.BytesIO(reply.content)))
    assert {message.program for message in messages if message.type == "program_change"} == {FIDDLE}


@pytest.mark.parametrize("how", [{"headers": {"Accept": "application/json"}}, {"params": {"format": "json"}}])
def test_json_says_everything_about_the_take(app, composer, how):
    wanted = {"text": "a waltz in D minor for piano", "bars": 2, "seed": 5}
    reply = ask(app, "POST", URL, json=wanted, **how)
    take = composer.generate_batch([Request(**wanted)])[0]
    assert reply.status_code == 200
    said = reply.json()
    assert base64.b64decode(said.pop("midi_base64")) == take.midi
    assert said.pop("seconds") >= 0
    expected = json.loads(json.dumps(as_json(take)))
    assert said == {name: expected[name] for name in ("seed", "requests", "controls", "statistics")}
    assert said["seed"] == 5
    controls = {"programs": [0], "key": "D minor", "time_signature": "3/4", "bars": 2}
    assert {name: said["controls"][name] for name in controls} == controls
    metre = {"name": "metre", "asked": "3/4", "got": "3/4", "is_met": True}
    assert metre in said["requests"]


def test_a_drawn_seed_repeats_the_piece(app):
    drawn = ask(app, "POST", URL, json={"text": "a tune", "bars": 1})
    again = ask(app, "POST", URL, json={"text": "a tune", "bars": 1, "seed": int(drawn.headers["x-seed"])})
    other = ask(app, "POST", URL, json={"text": "a tune", "bars": 1, "seed": 43})
    assert drawn.content == again.content != other.content


def test_health_says_what_is_served(app):
    reply = ask(app, "GET", "http://replica/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok", "model": "tiny", "parameters": 1234})


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "sentence"),
    [
        ("POST", URL, b"{", 400, "body: received what is not JSON (Expecting property name"),
        ("POST", URL, b"", 400, "body: received what is not JSON (Expecting value"),
        ("POST", URL, b"[1]", 422, "body: received a JSON list; allowed is a JSON object"),
        ("POST", URL, b'{"text": "a", "tune": 1}', 422, "tune: received 1;"),
        ("POST", URL, b'{"text": "a", "key": "H minor"}', 422, "key: received 'H minor'; allowed is a key such as"),
        ("POST", URL, b'{"text": "a", "instruments": ["blorp"]}', 422, "instruments: received 'blorp';"),
        ("POST", URL, b" " * (MAX_BODY_BYTES + 1), 413, f"body: received a longer one; allowed is at most {MAX_BODY_BYTES}"),
        ("POST", URL + "?format=mp3", b'{"text": "a"}', 422, "format: received 'mp3'; allowed is midi or json."),
        ("GET", URL, b"", 405, "path: received GET /v1/generate; allowed is POST /v1/generate or GET /healthz."),
        ("GET", "http://replica/", b"", 404, "path: received GET /; allowed is POST /v1/generate or GET /healthz."),
    ],
)
def test_a_bad_request_gets_one_sentence(app, method, url, body, status, sentence):
    reply = ask(app, method, url, content=body)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["type"] == "RequestError"
    assert error["message"].startswith(sentence)
    assert "\n" not in error["message"]


def test_the_longest_body_is_taken(app):
    body = b'{"text": "a tune", "bars": 1}'
    assert ask(app, "POST", URL, content=body.ljust(MAX_BODY_BYTES)).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestError("key", "'X'", "a key"), 422, "RequestError"),
        (BundleError("m", "it is damaged", "copy it"), 503, "BundleError"),
        (EncoderError("e", "it is gone", "install it"), 503, "EncoderError"),
        (type("Odd", (RequestError,), {})("key", "'X'", "a key"), 422, "Odd"),
    ],
)
def test_an_error_of_ours_is_its_sentence(error, status, kind):
    reply = ask(failing(error), "POST", URL, json={"text": "a"})
    assert (reply.status_code, reply.json()) == (status, {"error": {"type": kind, "message": str(error)}})


def test_a_bug_shows_no_traceback():
    reply = ask(failing(ZeroDivisionError("secret detail")), "POST", URL, json={"text": "a"})
    message = "the server failed on this request (ZeroDivisionError); its log says why."
    assert (reply.status_code, reply.json()) == (500, {"error": {"type": "InternalError", "message": message}})


def test_the_openapi_document_knows_the_body(app):
    operation = ask(app, "GET", "http://replica/openapi.json").json()["paths"]["/v1/generate"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == set(Request.model_fields)


def test_the_event_loop_is_free_while_a_client_is_slow(app):
    async def send() -> int:
        async def slow_body():
            yield b'{"text": "a tune",'
            await asyncio.sleep(0)
            yield b' "bars": 1}'

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return (await client.post(URL, content=slow_body())).status_code

    assert asyncio.run(send()) == 200
