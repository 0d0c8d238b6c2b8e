"""A web server on loopback that answers like MediaWiki, in turn as it is told; and a clock that only sleeping moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from amt_ray.config import WikipediaSettings
from amt_ray.wiki.client import MediaWiki

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    parameters: dict[str, str]
    headers: dict[str, str]
    request: web.Request

    @property
    def titles(self) -> list[str]:
        return self.parameters["titles"].split("|")


@dataclass
class Clock:
    """Time that passes while somebody sleeps and at no other time."""

    passed_s: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.passed_s += seconds
        await asyncio.sleep(0)

    def monotonic_s(self) -> float:
        return self.passed_s

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed_s)


def answer(
    query: dict[str, Any] | None = None, status: int = 200, headers: dict[str, str] | None = None, **more: Any
) -> Callable[[Seen], web.Response]:
    """A reply with `query`, complete unless `more` says otherwise."""
    body = {"batchcomplete": True} | ({"query": query} if query else {}) | more
    body = {name: value for name, value in body.items() if value is not None}
    return lambda _: web.json_response(body, status=status, headers=headers)


def failure(code: str, status: int = 200, headers: dict[str, str] | None = None) -> Callable[[Seen], web.Response]:
    """An error as MediaWiki words it."""
    return lambda _: web.json_response({"error": {"code": code, "info": "Words."}}, status=status, headers=headers)


def status(code: int, **headers: str) -> Callable[[Seen], web.Response]:
    """An error as a web server words it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=code, headers=named, text="<html>Sorry</html>")


def entry(title: str, number: int, **more: Any) -> dict[str, Any]:
    """What `prop=info` says of an article."""
    url = f"https://wiki.example/wiki/{title.replace(' ', '_')}"
    return {"pageid": number, "ns": 0, "title": title, "lastrevid": number + 1000, "fullurl": url} | more


def missing(title: str) -> dict[str, Any]:
    """What `prop=info` says of a page that is not there."""
    return {"ns": 0, "title": title, "missing": True}


def nothing_there(seen: Seen) -> web.Response:
    """Answer that no title has a page."""
    return web.json_response({"batchcomplete": True, "query": {"pages": [missing(title) for title in seen.titles]}})


MAX_REQUESTS = 100
"""A client that asks more often goes round in circles."""


class ScriptedWiki:
    """Gives its answers in turn, and the last one again and again."""

    def __init__(self, *answers: Callable[[Seen], Any]) -> None:
        self.answers = list(answers)
        self.seen: list[Seen] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.method, {**request.query, **await request.post()}, dict(request.headers), request)
        self.seen.append(seen)
        if len(self.seen) > MAX_REQUESTS:
            return web.Response(status=400)
        reply = self.answers[min(len(self.seen), len(self.answers)) - 1](seen)
        return await reply if asyncio.iscoroutine(reply) else reply


def ask(
    wiki: ScriptedWiki, call: Callable[[MediaWiki], Any], clock: Clock | None = None, jitter: float = 1.0, **settings: Any
) -> Any:
    """Start the server and a client of it, and return what the call returns."""
    clock = clock or Clock()

    async def main() -> Any:
        app = web.Application()
        app.router.add_route("*", "/w/api.php", wiki.handle)
        async with TestServer(app) as server:
            made = WikipediaSettings(**{"api_url": str(server.make_url("/w/api.php")), "delay_s": 0, **settings})
            client = MediaWiki(made, sleep=clock.sleep, monotonic_s=clock.monotonic_s, now=clock.now, jitter=lambda: jitter)
            async with client:
                return await call(client)

    return asyncio.run(main())
