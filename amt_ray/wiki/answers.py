"""When a call asks for many things and some of them cannot be got: what was got is not lost, and each failure has a name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from amt_ray.errors import WikiError
from amt_ray.wiki.page import Page

T = TypeVar("T")
Outcome = tuple[dict[str, T], dict[str, WikiError]]
"""Answers, and failures, by key."""


class PartlyAnswered(WikiError):
    """Some of what one call asked for was not answered.

    Arguments: reason and detail of the first failure; the answers; the failures, `WikiError` each; both by title.
    """

    def __init__(self, reason: str, detail: str, answers: Mapping[str, Any], failures: Mapping[str, WikiError]) -> None:
        super().__init__(reason, detail)
        self.args = (reason, detail, answers, failures)
        self.answers = answers
        self.failures = failures


async def outcome(call: Awaitable[Mapping[str, T]], keys: Iterable[str]) -> Outcome[T]:
    """Await a call that asks for `keys`; return its answers and its failures, each by key."""
    try:
        return dict(await call), {}
    except PartlyAnswered as exc:
        return dict(exc.answers), dict(exc.failures)
    except WikiError as exc:
        return {}, dict.fromkeys(keys, exc)


async def together(calls: Iterable[Awaitable[Outcome[T]]]) -> dict[str, T]:
    """Await several outcomes at once and return all their answers. Raises `PartlyAnswered` if anything failed."""
    answers: dict[str, T] = {}
    failures: dict[str, WikiError] = {}
    for some_answers, some_failures in await asyncio.gather(*calls):
        answers.update(some_answers)
        failures.update(some_failures)
    return complete(answers, failures)


def complete(answers: dict[str, T], failures: Mapping[str, WikiError]) -> dict[str, T]:
    """Return the answers. Raises `PartlyAnswered` if there are failures."""
    for first in failures.values():
        raise PartlyAnswered(first.reason, first.detail, answers, failures)
    return answers


def with_extract(page: Page, read: Page) -> Page:
    """Return `page` with the extract, revision and time of the same page as it was read."""
    return replace(page, extract=read.extract, revision_id=read.revision_id, fetched_at=read.fetched_at)
