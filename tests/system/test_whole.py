"""The package as processes: the demo, a server with a client, a job on a Ray head. Minutes, so not in `make test`."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mido
import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**extra: str) -> dict[str, str]:
    """This process's, with the commands of this Python first on the path and without the suite's settings for Ray."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0"} | extra


def stop(process: subprocess.Popen[str]) -> None:
    """End a process that this test started, and what it started."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The demo at a small scale, in a process of its own: 8 pieces, 5 steps."""
    out = tmp_path_factory.mktemp("demo")
    code = f"from amt_ray.pipelines.demo import run_demo; run_demo({str(out)!r}, n_pieces=8, train_steps=5)"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(), timeout=600)
    return out


def test_the_demo_ends_with_three_pieces_to_hear_and_see(demo):
    page = (demo / "index.html").read_text(encoding="utf-8")
    for number in (1, 2, 3):
        assert mido.MidiFile(demo / f"piece-{number}.mid").length > 1
        assert (demo / f"piece-{number}.wav").stat().st_size > 100_000
        assert (demo / f"piece-{number}.png").read_bytes().startswith(b"\x89PNG")
        assert f"./piece-{number}.wav" in page
    assert len(list((demo / "library").rglob("*.mid"))) == 8
    assert (demo / "library" / "LICENCES.csv").read_text(encoding="utf-8").count("\n") == 9


def test_curl_gets_a_midi_file_from_amt_serve(demo, tmp_path):
    port = free_port()
    command = [str(BIN / "amt"), "serve", "--model", str(demo / "workspace" / "model"), "--port", str(port)]
    server = subprocess.Popen(command, env=environment(), text=True, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert server.stdout is not None
        assert f"listening on http://127.0.0.1:{port}" in server.stdout.readline()
        body = json.dumps({"text": "a fast reel for fiddle", "bars": 4, "seed": 3}).encode()
        replies = []
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/generate", body, timeout=120) as reply:
                assert reply.headers["Content-Type"] == "audio/midi"
                replies.append(reply.read())
        assert replies[0] == replies[1]
        tracks = mido.MidiFile(file=io.BytesIO(replies[0])).tracks
        assert {message.program for track in tracks for message in track if message.type == "program_change"} == {110}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as reply:
            assert json.load(reply)["status"] == "ok"
    finally:
        stop(server)


def test_a_submitted_job_does_its_work_and_exits_with_0(library, tmp_path, tmp_path_factory):
    port, dashboard, token = free_port(), free_port(), tmp_path / "token"
    token.write_text(os.urandom(32).hex())
    settings = environment(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))
    command = [
        *("ray", "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}"),
        *(
            "--dashboard-host=127.0.0.1",
            "--num-cpus=2",
            "--object-store-memory=300000000",
            f"--ray-client-server-port={free_port()}",
        ),
    ]
    log = (tmp_path / "head.log").open("w+")
    head = subprocess.Popen(command, env=settings, text=True, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        wait_for_port(dashboard, head)
        job = ["ray", "job", "submit", "--address", address, "--working-dir", str(REPOSITORY), "--", sys.executable]
        arguments = ["jobs/collect.py", str(library), str(tmp_path / "w"), "--skip-wikipedia"]
        for _ in range(20):  # the head listens before its agent takes jobs
            done = subprocess.run([*job, *arguments], env=settings, capture_output=True, text=True, check=False, timeout=300)
            if "No available agent" not in done.stdout + done.stderr:
                break
            time.sleep(3)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Found 12 MIDI files (12 of them new)" in done.stdout
        assert (tmp_path / "w" / "pieces" / "manifest.json").is_file()
        failed = [*job, "jobs/collect.py", str(tmp_path / "nowhere"), str(tmp_path / "w2")]
        assert subprocess.run(failed, env=settings, capture_output=True, check=False, timeout=300).returncode == 1
    finally:
        stop(head)
        log.close()


def wait_for_port(port: int, process: subprocess.Popen[str], limit_s: float = 90) -> None:
    began_s = time.monotonic()
    while time.monotonic() - began_s < limit_s:
        assert process.poll() is None, "ray start ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"nothing listened on port {port} within {limit_s} s")
