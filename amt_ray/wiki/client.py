"""A polite client of any MediaWiki's `api.php`.

It says who it is, asks in batches, spaces its requests, has few under way at once, and obeys `Retry-After`: while one wait
lasts, nothing else goes out. https://www.mediawiki.org/wiki/API:Etiquette,
https://www.mediawiki.org/wiki/Manual:Maxlag_parameter
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from amt_ray import __version__
from amt_ray.config import WikipediaSettings
from amt_ray.errors import WikiError
from amt_ray.wiki.answers import complete, outcome, together
from amt_ray.wiki.page import Page
from amt_ray.wiki.replies import Answer, Reply, askable, retry_after_s, searchable

MOST_GIVEN_UP = 50
"""Requests in a row; after them the wiki is asked no more."""
MAX_URL_BYTES = 6000
"""Longer requests are POSTed: web servers refuse addresses of about 8,000 bytes."""

_COMMON = {"action": "query", "format": "json", "formatversion": "2"}
_INFO = {"inprop": "url", "ppprop": "disambiguation", "redirects": "1"}
_EXTRACTS = {"exintro": "1", "explaintext": "1", "exlimit": "20"}
_PASSING_ERRORS = ("maxlag", "readonly", "internal_api_error")


class _Unanswered(WikiError):
    """One try that may go better the next time. Arguments as of `WikiError`, and what the server says of waiting."""

    def __init__(self, reason: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason, detail)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class WikiStatistics:
    """What a client has done since it was made."""

    requests: int
    """Tries, each counted."""
    retries: int
    response_s: float
    """Time that the tries took together, without waits between them."""
    failures: Mapping[str, int]
    """Requests that were given up, by reason."""

    @property
    def mean_response_s(self) -> float:
        """Mean time of a try; 0 before the first."""
        return self.response_s / self.requests if self.requests else 0.0


class MediaWiki:
    """A wiki's API as a `PageSource`, used as `async with MediaWiki(settings) as wiki`.

    All limits hold over everything that is asked of one instance. When as many requests in a row as run at once have
    been given up, each further one is tried once only, until one is answered, and MOST_GIVEN_UP are the last.
    """

    def __init__(
        self,
        settings: WikipediaSettings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._sleep, self._monotonic_s, self._now, self._jitter = sleep, monotonic_s, now, jitter
        self._session: aiohttp.ClientSession | None = None
        self._open_at_s = float("-inf")
        self._given_up_in_a_row, self._last_reason = 0, ""
        self._requests, self._retries, self._response_s = 0, 0, 0.0
        self._failures: Counter[str] = Counter()

    async def __aenter__(self) -> MediaWiki:
        """Open the connections."""
        settings = self.settings
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._rate = AsyncLimiter(1, settings.delay_s) if settings.delay_s else None
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": f"amt_ray/{__version__} ({settings.contact})", "Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
            middlewares=(_send_once,),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    @property
    def statistics(self) -> WikiStatistics:
        """Counts up to now."""
        return WikiStatistics(self._requests, self._retries, self._response_s, dict(self._failures))

    async def pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        """Return for each title the page that it leads to, without extract, or None; impossible titles are not asked for.

        Raises `PartlyAnswered` if some requests failed.
        """
        asked = {title: askable(title) for title in titles}
        batches = _batches(list(dict.fromkeys(name for name in asked.values() if name)), self.settings.titles_per_request)
        found, failures = await outcome(together(outcome(self._pages(batch), batch) for batch in batches), ())
        answers = {title: found.get(name or "") for title, name in asked.items() if name not in failures}
        return complete(answers, {title: failures[name] for title, name in asked.items() if name in failures})

    async def extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        """Return the pages with the text of their leads, by title; a page that is no more is left out.

        The revision is the one that the text is of. Raises `PartlyAnswered` if some requests failed.
        """
        batches = _batches(list({page.page_id: page for page in pages}.values()), self.settings.extracts_per_request)
        return await together(outcome(self._extracts(batch), [page.title for page in batch]) for batch in batches)

    async def search(self, query: str) -> Sequence[Page]:
        """Return the pages that the wiki's full-text search finds, best first, with extracts. Raises `WikiError`."""
        words = searchable(query)
        if not words:
            return []
        answer = await self._query(
            prop="info|pageprops|extracts",
            generator="search",
            gsrsearch=words,
            gsrwhat="text",
            gsrnamespace="0",
            gsrlimit=str(self.settings.search_results),
            **_INFO,
            **_EXTRACTS,
        )
        return answer.found(self._timestamp())

    async def _pages(self, titles: Sequence[str]) -> Mapping[str, Page | None]:
        answer = await self._query(prop="info|pageprops", titles="|".join(titles), **_INFO)
        return answer.led_to(titles, self._timestamp())

    async def _extracts(self, pages: Sequence[Page]) -> Mapping[str, Page]:
        ids = "|".join(str(page.page_id) for page in pages)
        answer = await self._query(prop="info|extracts", pageids=ids, **_EXTRACTS)
        return answer.read(pages, self._timestamp())

    def _timestamp(self) -> str:
        return self._now().astimezone(timezone.utc).isoformat(timespec="seconds")

    async def _query(self, **parameters: str) -> Answer:
        """Ask, and go on asking while the wiki says that its answer goes on."""
        answer, asked = Answer(), {**_COMMON, "maxlag": str(self.settings.maxlag_s), **parameters}
        answer.add(await self._reply(asked))
        passed: list[dict[str, str]] = []
        while answer.go_on:
            if answer.go_on in passed:
                raise WikiError("bad_reply", f"the wiki goes on in a circle: {answer.go_on}")
            passed.append(answer.go_on)
            answer.add(await self._reply({**asked, **answer.go_on}))
        return answer

    async def _reply(self, parameters: Mapping[str, str]) -> Reply:
        """Return the reply to one request, after as many tries as it takes and the settings allow."""
        if self._given_up_in_a_row >= MOST_GIVEN_UP:
            raise WikiError(self._last_reason, f"{MOST_GIVEN_UP} requests in a row were not answered; try again later")
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Unanswered),
            stop=self._is_enough,
            wait=self._wait_s,
            sleep=self._sleep,
            before_sleep=self._count_retry,
            reraise=True,
        )
        try:
            reply: Reply = await retrying(self._try, parameters)
        except WikiError as exc:
            self._failures[exc.reason] += 1
            self._given_up_in_a_row += isinstance(exc, _Unanswered)
            self._last_reason = exc.reason
            raise WikiError(exc.reason, exc.detail) from exc
        self._given_up_in_a_row = 0
        return reply

    def _is_enough(self, state: RetryCallState) -> bool:
        is_dead = self._given_up_in_a_row >= self.settings.concurrency
        return is_dead or state.attempt_number >= self.settings.max_attempts

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Unanswered) and error.retry_after_s:
            return error.retry_after_s
        backoff_s: float = wait_exponential(max=self.settings.max_wait_s)(state)
        return backoff_s * (0.5 + 0.5 * self._jitter())

    def _count_retry(self, _: RetryCallState) -> None:
        self._retries += 1

    async def _try(self, parameters: Mapping[str, str]) -> Reply:
        if self._session is None:
            raise RuntimeError("this client is not open: use it as `async with MediaWiki(settings) as wiki`")
        async with self._slots:
            await self._turn()
            self._requests += 1
            began_s = self._monotonic_s()
            try:
                async with self._request(self._session, parameters) as response:
                    body = await response.read()
            except asyncio.TimeoutError as exc:
                raise _Unanswered("timeout", f"no answer within {self.settings.timeout_s:g} s") from exc
            except aiohttp.ClientPayloadError as exc:
                raise _Unanswered("bad_reply", f"the answer broke off: {exc}") from exc
            except (aiohttp.ClientError, OSError) as exc:
                raise _Unanswered("connection", str(exc) or repr(exc)) from exc
            finally:
                self._response_s += self._monotonic_s() - began_s
            return self._understood(response, body)

    def _request(self, session: aiohttp.ClientSession, parameters: Mapping[str, str]) -> Any:
        url = self.settings.api_url
        # a redirect would be a second request that nobody has timed
        if len(url) + 1 + len(urlencode(parameters)) <= MAX_URL_BYTES:
            return session.get(url, params=parameters, allow_redirects=False)
        # https://www.mediawiki.org/wiki/API:Data_formats#HTTP: a POST that writes nothing may go to any data centre
        headers = {"Promise-Non-Write-API-Action": "true"}
        return session.post(url, data=parameters, headers=headers, allow_redirects=False)

    async def _turn(self) -> None:
        """Wait until a request may start. Raises `WikiError` if the wiki wants to be left alone for too long."""
        while True:
            if self._rate:
                await self._rate.acquire()
            wait_s = self._open_at_s - self._monotonic_s()
            if wait_s <= 0:
                return
            self._check_wait(wait_s)
            await self._sleep(wait_s)

    def _check_wait(self, wait_s: float) -> None:
        if wait_s > self.settings.max_wait_s:
            raise WikiError("rate_limited", f"the wiki wants to be left alone for {wait_s:.0f} s; try again after that")

    def _understood(self, response: aiohttp.ClientResponse, body: bytes) -> Reply:
        """Return a reply that answers the request; close the gate if the wiki asks for it. Raises `WikiError`."""
        problem = _problem(response.status, body)
        if isinstance(problem, _Unanswered):
            problem.retry_after_s = retry_after_s(response.headers, self._now())
            if problem.retry_after_s:
                self._open_at_s = max(self._open_at_s, self._monotonic_s() + problem.retry_after_s)
                self._check_wait(problem.retry_after_s)
        if isinstance(problem, WikiError):
            raise problem
        return problem


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending again by itself what went out on a connection that turned out to be closed."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise _Unanswered("connection", str(exc) or repr(exc)) from exc


def _problem(status: int, body: bytes) -> Reply | WikiError:
    """Return the reply that a body holds, or what is wrong with it."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    error = reply.get("error") if isinstance(reply, dict) else None
    code = str(error.get("code")) if isinstance(error, dict) else ""
    detail = f"{code}: {error.get('info')}" if isinstance(error, dict) else f"HTTP {status}"
    if status == 429 or code == "ratelimited":
        return _Unanswered("rate_limited", detail)
    if status >= 500 or code.startswith(_PASSING_ERRORS):
        return _Unanswered("server_error", detail)
    if error or status != 200:
        return WikiError("refused", detail)
    if not isinstance(reply, dict) or not reply.keys() & {"batchcomplete", "continue"}:
        return _Unanswered("bad_reply", f"{len(body)} bytes that are no reply of MediaWiki: {body[:80]!r}")
    return reply


def _batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
