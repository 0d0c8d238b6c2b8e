import time

import pytest

from amt_ray.config import TrainSettings
from amt_ray.errors import RequestError
from amt_ray.pipelines import room
from amt_ray.pipelines.room import largest_share, worker_resources


@pytest.fixture
def ray_with(monkeypatch):
    """A function that sets what Ray says: how much each node has of a kind, and what is free, each time it is asked."""
    import ray

    def tell(kind, sizes, *free):
        answers = list(free)
        monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {kind: float(size)}} for size in sizes])
        monkeypatch.setattr(
            ray, "available_resources", lambda: {kind: float(answers.pop(0) if len(answers) > 1 else answers[0])}
        )

    monkeypatch.setattr(room, "PATIENCE_S", 0.0)
    monkeypatch.setattr(room, "ASK_INTERVAL_S", 0.0)
    return tell


@pytest.mark.parametrize(
    ("cpus_of_node", "workers", "share"),
    [
        ([2], 1, 2),
        ([8], 3, 2),
        ([4, 16], 2, 8),  # not 10, half of all: the second would wait for ever
        ([2, 16, 16], 7, 4),
        ([64, 64], 2, 64),
        ([1, 1], 2, 1),
        ([2], 3, 1),
        ([0, 8], 1, 8),
    ],
)
def test_a_share_is_the_largest_that_all_workers_find_place_for(cpus_of_node, workers, share):
    assert largest_share(cpus_of_node, workers) == share


@pytest.mark.parametrize(("workers", "cpus"), [(1, 16), (2, 8), (6, 3)])
def test_workers_share_the_cpus(ray_with, workers, cpus):
    ray_with("CPU", [4, 16], 20)
    assert worker_resources(TrainSettings(workers=workers)) == {"CPU": cpus}


def test_cpus_that_stay_in_use_are_done_without(ray_with):
    said = []
    ray_with("CPU", [4], 3)
    assert worker_resources(TrainSettings(), said.append) == {"CPU": 3}
    assert worker_resources(TrainSettings(workers=2), said.append) == {"CPU": 1}
    assert said == ["3 of Ray's 4 CPUs are free: training with those"] * 2


def test_cpus_that_come_free_in_time_are_waited_for(ray_with, monkeypatch):
    said = []
    monkeypatch.setattr(room, "PATIENCE_S", 60.0)
    ray_with("CPU", [4], 3, 1, 4)
    assert worker_resources(TrainSettings(), said.append) == {"CPU": 4}
    assert said == []


def test_without_room_it_waits_and_says_so_now_and_then(ray_with, monkeypatch):
    said = []
    ray_with("GPU", [1, 1], 0, 0, 1, 0, 2)
    assert worker_resources(TrainSettings(workers=2, use_gpu=True), said.append) == {"CPU": 1, "GPU": 1}
    assert said == ["0 of Ray's 2 GPUs are free: waiting for 2"]
    monkeypatch.setattr(room, "NOTICE_INTERVAL_S", 0.0)
    ray_with("GPU", [1, 1], 0, 1, 2)
    worker_resources(TrainSettings(workers=2, use_gpu=True), said.append)
    assert said[1:] == ["0 of Ray's 2 GPUs are free: waiting for 2", "1 of Ray's 2 GPUs is free: waiting for 2"]


def test_an_elastic_training_begins_with_what_is_free(ray_with):
    said = []
    ray_with("GPU", [4], 2)
    assert worker_resources(TrainSettings(workers=8, min_workers=2, use_gpu=True), said.append) == {"CPU": 1, "GPU": 1}
    assert said == ["2 of Ray's 4 GPUs are free: training with those"]


def test_workers_that_will_never_have_room_are_refused(ray_with):
    ray_with("CPU", [1, 2], 3)
    with pytest.raises(RequestError, match=r"4 with a CPU each.*at most 3"):
        worker_resources(TrainSettings(workers=4))
    with pytest.raises(RequestError, match=r"1 with a GPU each.*at most 0.*--device cpu needs no GPU"):
        worker_resources(TrainSettings(use_gpu=True))


def test_ray_itself_says_what_it_has(ray_local):
    assert worker_resources(TrainSettings(workers=2)) == {"CPU": 1}


@pytest.mark.usefixtures("ray_local", "no_collector")
def test_what_is_in_use_only_because_nobody_collected_it_is_collected():
    import ray

    class Idle: ...

    cycle = [ray.remote(Idle).options(num_cpus=1).remote()]
    cycle.append(cycle)
    while ray.available_resources()["CPU"] == ray.cluster_resources()["CPU"]:
        time.sleep(0.1)
    del cycle
    said = []
    assert worker_resources(TrainSettings(workers=3), said.append) == {"CPU": 1}
    assert said == []
