from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from amt_ray.errors import RequestError
from amt_ray.generation.request import Request
from amt_ray.serving.deployment import MAX_BATCH, ComposerReplica


@pytest.fixture
def replica():
    """A replica without Ray, whose model returns each request's seed and fails on seed 13; it keeps the batches' sizes."""

    def generate_batch(requests):
        sizes.append(len(requests))
        if any(request.seed == 13 for request in requests):
            raise ZeroDivisionError
        return [request.seed for request in requests]

    sizes: list[int] = []
    made = object.__new__(ComposerReplica)
    made._composer = SimpleNamespace(generate_batch=generate_batch)
    made._failure = None
    made.sizes = sizes
    return made


def compose_all(replica, requests: list[Request]) -> list[object]:
    async def gather() -> list[object]:
        return await asyncio.gather(*map(replica.compose, requests), return_exceptions=True)

    return asyncio.run(gather())


def test_requests_go_in_batches_and_each_gets_its_own(replica):
    requests = [Request(text="a tune", seed=seed) for seed in range(MAX_BATCH + 3)]
    assert compose_all(replica, requests) == list(range(MAX_BATCH + 3))
    assert sum(replica.sizes) == MAX_BATCH + 3
    assert max(replica.sizes) <= MAX_BATCH
    assert len(replica.sizes) < MAX_BATCH


def test_a_request_that_cannot_be_planned_joins_no_batch(replica):
    first, second = compose_all(replica, [Request(text="a", seed=1), Request(text="a", key="H minor", seed=13)])
    assert first == 1
    assert isinstance(second, RequestError)
    assert replica.sizes == [1]


def test_a_batch_that_dies_makes_the_replica_ill_until_one_does_not(replica):
    replica.check_health()
    assert [type(error) for error in compose_all(replica, [Request(text="a", seed=13)])] == [ZeroDivisionError]
    with pytest.raises(RuntimeError, match=r"^the last batch failed$"):
        replica.check_health()
    assert compose_all(replica, [Request(text="a", seed=2)]) == [2]
    replica.check_health()
