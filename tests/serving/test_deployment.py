from __future__ import annotations

from types import SimpleNamespace

import pytest

from amt_ray.errors import RequestError
from amt_ray.generation.request import Request
from amt_ray.serving.deployment import ComposerReplica


@pytest.fixture
def replica():
    """A replica without Ray, whose model returns each request's seed, or raises what stands under it."""
    errors = {13: ZeroDivisionError(), 14: RequestError("key", "'X'", "a key")}

    def generate_batch(requests):
        for request in requests:
            if request.seed in errors:
                raise errors[request.seed]
        return [request.seed for request in requests]

    made = object.__new__(ComposerReplica)
    made._composer = SimpleNamespace(generate_batch=generate_batch)
    made._failure = None
    return made


def requests_of(*seeds: int) -> list[Request]:
    return [Request(text="a tune", seed=seed) for seed in seeds]


def test_a_batch_that_dies_makes_the_replica_ill_until_one_does_not(replica):
    replica.check_health()
    with pytest.raises(ZeroDivisionError):
        replica.compose_all(requests_of(1, 13))
    with pytest.raises(RuntimeError, match=r"^the last batch failed$") as caught:
        replica.check_health()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert replica.compose_all(requests_of(1, 2)) == [1, 2]
    replica.check_health()


def test_a_bad_request_is_no_illness(replica):
    with pytest.raises(RequestError):
        replica.compose_all(requests_of(14))
    replica.check_health()
