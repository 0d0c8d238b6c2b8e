"""What a training asks of Ray for each of its workers, and the waiting for it.

Ray Train waits for what is not free without an end and without a word. Something may stay in use after its user has ended:
an actor of Ray Data that failed lives, with its CPU, until Python collects the cycle of objects that holds its handle.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence

from amt_ray.config import TrainSettings
from amt_ray.errors import RequestError

PATIENCE_S = 15.0
"""So long a training waits for all CPUs before it makes do with those that are free."""
NOTICE_INTERVAL_S = 60.0
ASK_INTERVAL_S = 0.2

Say = Callable[[str], None]


def worker_resources(settings: TrainSettings, say: Say = lambda text: None) -> dict[str, float]:
    """Return what each worker is to get: a GPU, or a like share of the CPUs. Waits until Ray has room for the workers.

    `say` is told of the waiting, and of CPUs that are in use. Raises RequestError for more workers than will ever have room.
    """
    kind = "GPU" if settings.use_gpu else "CPU"
    sizes, fewest = _nodes(kind), settings.min_workers or settings.workers
    if sum(sizes) < fewest:
        asked, hint = f"{fewest} with a {kind} each", "; --device cpu needs no GPU" if settings.use_gpu else ""
        raise RequestError("workers", asked, f"at most {sum(sizes)}, which is what Ray has here{hint}")
    workers = min(settings.workers, sum(sizes))
    share = 1 if settings.use_gpu else largest_share(sizes, workers)
    free = _wait(kind, sum(sizes), share * workers, fewest, say)
    return {"CPU": 1, "GPU": 1} if settings.use_gpu else {"CPU": max(1, min(share, free // workers))}


def largest_share(cpus_of_node: Sequence[int], workers: int) -> int:
    """Return how many CPUs each worker can have so that all of them find place; 1 where not even that is so."""
    shares = range(max(cpus_of_node, default=1), 1, -1)
    return next((share for share in shares if sum(cpus // share for cpus in cpus_of_node) >= workers), 1)


def _nodes(kind: str) -> list[int]:
    import ray

    return [int(node["Resources"].get(kind, 0)) for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _wait(kind: str, total: int, wanted: int, fewest: int, say: Say) -> int:
    """Wait until so many are free, or, when patience is over, `fewest`; returns how many are."""
    import ray

    gc.collect()
    began_s = time.monotonic()
    said_s = began_s + PATIENCE_S - NOTICE_INTERVAL_S
    while (free := int(ray.available_resources().get(kind, 0))) < wanted:  # type: ignore[no-untyped-call]
        now_s = time.monotonic()
        of_all = f"{free} of Ray's {total} {kind}s {'is' if free == 1 else 'are'} free"
        if now_s - began_s >= PATIENCE_S and free >= fewest:
            say(f"{of_all}: training with {'it' if free == 1 else 'those'}")
            break
        if now_s - said_s >= NOTICE_INTERVAL_S:
            say(f"{of_all}: waiting for {fewest}")
            said_s = now_s
        time.sleep(ASK_INTERVAL_S)
    return free
