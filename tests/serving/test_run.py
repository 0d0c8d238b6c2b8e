"""The whole server: Ray Serve, HTTP, the real encoder, an untrained model."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import threading

import httpx
import mido
import pytest

from amt_ray.errors import BundleError, EncoderError, RequestError
from amt_ray.model.bundle import save_bundle
from amt_ray.serving.app import DEFAULT_BUNDLE, build
from amt_ray.serving.run import check_port, check_room, serve_model, served
from amt_ray.text.embed import find_encoder

TEXTS = (
    "a fast reel for fiddle",
    "a waltz in D minor",
    "a slow ballad for piano",
    "a march for brass",
    "some jazz",
    "a tune",
)


@pytest.fixture(scope="module")
def bundle(make_bundle, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "untrained"
    save_bundle(make_bundle(find_encoder().fingerprint), folder)
    return str(folder)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@pytest.fixture(scope="module")
def url(ray_local, bundle):
    with served(bundle, port=free_port()) as address:
        yield address


def body(seed: int) -> dict[str, object]:
    return {"text": TEXTS[seed % len(TEXTS)], "seed": seed, "bars": 2}


async def post_all(url: str, bodies: list[dict[str, object]]) -> list[httpx.Response]:
    async with httpx.AsyncClient(timeout=60) as client:
        return await asyncio.gather(*(client.post(f"{url}/v1/generate", json=each) for each in bodies))


def test_sixteen_at_once_get_what_each_gets_alone(url):
    together = asyncio.run(post_all(url, [body(seed) for seed in range(16)]))
    assert [reply.status_code for reply in together] == [200] * 16
    assert all(len(mido.MidiFile(file=io.BytesIO(reply.content)).tracks) >= 1 for reply in together)
    assert len({reply.content for reply in together}) == 16
    alone = [httpx.post(f"{url}/v1/generate", json=body(seed)).content for seed in range(6)]
    assert alone == [reply.content for reply in together[:6]]


def test_a_bad_request_does_not_fail_its_neighbours(url):
    bodies = [body(seed) | ({"key": "H minor"} if seed % 3 == 0 else {}) for seed in range(9)]
    replies = asyncio.run(post_all(url, bodies))
    assert [reply.status_code for reply in replies] == [422, 200, 200] * 3


def test_a_client_that_goes_away_is_harmless(url):
    host, port = url.removeprefix("http://").split(":")
    data = json.dumps(body(1)).encode()
    head = b"POST /v1/generate HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(data)
    for sent in (head, head + data[:9], head + data):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(sent)
    assert asyncio.run(post_all(url, [body(1)]))[0].status_code == 200
    health = httpx.get(f"{url}/healthz").json()
    assert (health["status"], health["model"]) == ("ok", "untrained")


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="Linux lists its sockets there")
def test_it_listens_on_the_loopback_address_alone(url):
    port = int(url.rpartition(":")[2])
    with open("/proc/net/tcp") as file:
        listening = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_a_second_server_is_refused(url, bundle):
    port = int(url.rpartition(":")[2])
    with (
        pytest.raises(RequestError, match=rf"^port: received {port} on 127.0.0.1 \(Address already in use\)"),
        served(bundle, port=port),
    ):
        pass
    with (
        pytest.raises(RequestError, match=r"^cluster: received one on which Ray Serve runs already"),
        served(bundle, port=free_port()),
    ):
        pass
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_model_that_cannot_be_loaded_is_said_before_anything_starts(make_bundle, tmp_path):
    with pytest.raises(BundleError, match="there is no such folder"):
        serve_model(str(tmp_path / "nothing"))
    save_bundle(make_bundle("0" * 64), tmp_path / "stranger")
    with pytest.raises(EncoderError, match=r"are not those the model was trained with \(000000000000\)"):
        serve_model(str(tmp_path / "stranger"))


@pytest.mark.parametrize(
    ("host", "port", "field"), [("127.0.0.1", 0, "port"), ("127.0.0.1", 70000, "port"), ("192.0.2.99", 8080, "port")]
)
def test_an_address_that_cannot_be_listened_on(host, port, field):
    with pytest.raises(RequestError) as caught:
        check_port(host, port)
    assert caught.value.args[0] == field


def test_replicas_that_ray_has_no_room_for(ray_local):
    check_room(3, use_gpu=False)
    with pytest.raises(RequestError, match=r"^replicas: received 4; allowed is 1 to 3, for each needs a CPU\.$"):
        check_room(4, use_gpu=False)
    with pytest.raises(RequestError, match=r"^replicas: received 0; "):
        check_room(0, use_gpu=False)


@pytest.mark.parametrize(
    ("args", "variable", "expected"),
    [({"bundle": "/a"}, "/b", "/a"), ({}, "/b", "/b"), ({}, "", DEFAULT_BUNDLE), ({"bundle": ""}, "", DEFAULT_BUNDLE)],
)
def test_the_application_finds_its_bundle(monkeypatch, args, variable, expected):
    monkeypatch.setenv("AMT_RAY_BUNDLE", variable)
    assert build(args)._bound_deployment.init_args == (expected,)


def test_the_application_refuses_other_arguments():
    with pytest.raises(RequestError, match=r"^args: received model; allowed is bundle\.$"):
        build({"model": "/a"})


def test_a_signal_stops_the_server_cleanly(monkeypatch):
    from contextlib import contextmanager

    from amt_ray.serving import run

    events: list[str] = []

    @contextmanager
    def fake(*_):
        yield "http://127.0.0.1:1"
        events.append("shut down")

    monkeypatch.setattr(run, "served", fake)
    before = signal.getsignal(signal.SIGTERM)
    for number in (signal.SIGTERM, signal.SIGINT):
        kill = threading.Timer(0.05, os.kill, (os.getpid(), number))
        serve_model("any", on_ready=lambda url, kill=kill: (events.append(url), kill.start()), stop_after_s=20)
    assert events == ["http://127.0.0.1:1", "shut down"] * 2
    assert signal.getsignal(signal.SIGTERM) is before
