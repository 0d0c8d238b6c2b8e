"""A reverse proxy on loopback, in a process of its own, that misbehaves by a seeded schedule and writes down everything.

Of every 20 requests six are treated badly, each in another way (`FAULTS`). The log is JSON lines, one a request: its
number, parameters, what was done, when it came and when it was answered (seconds of this machine's monotonic clock).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

FORWARDED = "forwarded"
FAULTS = ("429 with Retry-After", "429", "503 maxlag with Retry-After", "half a reply", "reset", "silence")
CYCLE = 20
KEEPING_S = 0.5
"""How long a client may take to keep an answer."""


@dataclass
class Entry:
    """One request and what became of it."""

    number: int
    method: str
    parameters: dict[str, str]
    user_agent: str
    accept_encoding: str
    did: str
    start_s: float
    end_s: float = 0.0
    is_answered: bool = field(default=False)
    """Whether the whole of the wiki's own answer went out."""


def schedule(seed: int) -> Iterator[str]:
    """What is done with each request, for ever."""
    order = random.Random(seed)
    while True:
        cycle = [*FAULTS, *[FORWARDED] * (CYCLE - len(FAULTS))]
        order.shuffle(cycle)
        yield from cycle


@dataclass
class FaultyProxy:
    """Handles requests of the wiki at `upstream`."""

    upstream: str
    log: Path
    seed: int
    retry_after_s: int
    silence_s: float

    def __post_init__(self) -> None:
        self.plan = schedule(self.seed)
        self.n_requests = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Do what the schedule says, and write it down when it is done, or when the client has gone."""
        self.n_requests += 1
        parameters = {**request.query, **await request.post()}
        headers = request.headers
        entry = Entry(
            self.n_requests,
            request.method,
            {name: str(value) for name, value in parameters.items()},
            headers.get("User-Agent", ""),
            headers.get("Accept-Encoding", ""),
            next(self.plan),
            time.monotonic(),
        )
        try:
            return await self.treat(request, entry)
        finally:
            entry.end_s = time.monotonic()
            with self.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(entry)) + "\n")

    async def treat(self, request: web.Request, entry: Entry) -> web.StreamResponse:
        """Answer as the entry says."""
        wait = {"Retry-After": str(self.retry_after_s)}
        if entry.did == "429 with Retry-After":
            return web.Response(status=429, headers=wait, text="Too many requests")
        if entry.did == "429":
            return web.Response(status=429, text="Too many requests")
        if entry.did == "503 maxlag with Retry-After":
            error = {"code": "maxlag", "info": "Waiting for a database server: 9 seconds lagged.", "lag": 9}
            return web.json_response({"error": error}, status=503, headers=wait)
        if entry.did == "silence":
            await asyncio.sleep(self.silence_s)
        if entry.did in ("reset", "silence"):
            if request.transport:
                request.transport.abort()
            return web.Response()
        answer = await self.forward(request)
        if entry.did == "half a reply" and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        entry.is_answered = entry.did == FORWARDED and answer.status == 200
        return answer

    async def forward(self, request: web.Request) -> web.Response:
        """Return the wiki's answer, packed as it came."""
        headers = {"User-Agent": request.headers["User-Agent"], "Accept-Encoding": request.headers["Accept-Encoding"]}
        form = dict(await request.post())
        async with (
            aiohttp.ClientSession(auto_decompress=False, headers=headers) as session,
            session.request(request.method, self.upstream, params=request.query, data=form or None) as answer,
        ):
            kept = ("Content-Type", "Content-Encoding", "Retry-After")
            passed_on = {name: answer.headers[name] for name in kept if name in answer.headers}
            return web.Response(status=answer.status, headers=passed_on, body=await answer.read())

    async def serve(self) -> None:
        """Say on which port it listens, and go on until the process is ended."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)  # noqa: T201
        await asyncio.Event().wait()


@contextmanager
def faulty_proxy(
    upstream: str, log: Path, *, seed: int = 0, retry_after_s: int = 2, silence_s: float = 30.0
) -> Iterator[str]:
    """Run a proxy of the `api.php` at `upstream`, and give its address; `log` grows as requests come."""
    options = {"upstream": upstream, "log": log, "seed": seed, "retry-after-s": retry_after_s, "silence-s": silence_s}
    command = [sys.executable, __file__, *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/api.php"
    finally:
        process.stdout.close()
        process.send_signal(signal.SIGKILL)
        process.wait()


def read_log(log: Path) -> list[Entry]:
    """Return what was written down, by the time at which requests came."""
    entries = [Entry(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]
    return sorted(entries, key=lambda entry: entry.start_s)


def asked_for(entry: Entry) -> set[tuple[str, str]]:
    """The titles, page numbers and query of a request."""
    return {
        (name, value)
        for name in ("titles", "pageids", "gsrsearch")
        for value in entry.parameters.get(name, "").split("|")
        if value
    }


def asked_again(entries: Sequence[Entry], patience_s: float, kills_s: Sequence[float] = ()) -> list[tuple[str, str]]:
    """What was asked for again after it had been answered within the time that a client surely waits.

    An answer that came while or just before its client was killed was perhaps never kept.
    """
    answered: set[tuple[str, str]] = set()
    again = []
    for entry in entries:
        again += answered & asked_for(entry)
        is_lost = any(entry.start_s <= kill_s <= entry.end_s + KEEPING_S for kill_s in kills_s)
        if entry.is_answered and entry.end_s - entry.start_s < patience_s and not is_lost:
            answered |= asked_for(entry)
    return again


def main() -> None:
    """Run the proxy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--retry-after-s", type=int, required=True)
    parser.add_argument("--silence-s", type=float, required=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(FaultyProxy(**vars(parser.parse_args())).serve())


if __name__ == "__main__":
    main()
