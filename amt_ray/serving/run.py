"""Serving a model from this machine: check everything first, start, wait, stop cleanly."""

from __future__ import annotations

import io
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from amt_ray.errors import BundleError, RequestError
from amt_ray.generation.composer import check_encoder
from amt_ray.model.bundle import load_bundle
from amt_ray.pipelines.cluster import resources, start_ray

if TYPE_CHECKING:
    from ray.serve import Application

APPLICATION = "amt_ray"


def serve_model(
    bundle: str,
    host: str = "127.0.0.1",
    port: int = 8080,
    replicas: int = 1,
    use_gpu: bool = False,
    on_ready: Callable[[str], None] = lambda url: None,
    stop_after_s: float | None = None,
) -> None:
    """Serve a bundle over HTTP until Ctrl-C, SIGTERM or `stop_after_s`; `on_ready` is called with the address.

    Raises as `served` does.
    """
    with served(bundle, host, port, replicas, use_gpu) as url, _stop_signals() as stop:
        on_ready(url)
        stop.wait(stop_after_s)


@contextmanager
def served(
    bundle: str, host: str = "127.0.0.1", port: int = 8080, replicas: int = 1, use_gpu: bool = False
) -> Iterator[str]:
    """Serve a bundle as long as the context lasts; yields the address, such as `http://127.0.0.1:8080`.

    Each replica has a CPU, and a GPU with `use_gpu`. Raises BundleError or EncoderError for a model that cannot be loaded,
    RequestError for a host or port that cannot be listened on, for more replicas than Ray has room for, and for a cluster
    on which Ray Serve runs already.
    """
    check_encoder(load_bundle(bundle).encoder)
    check_port(host, port)
    start_ray()
    check_room(replicas, use_gpu)
    from ray import serve

    from amt_ray.serving.deployment import composer_deployment

    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    if serve.status().proxies:
        # Its address is another one, and stopping ours would stop theirs.
        allowed = "one without (there, use: serve deploy serve_config.yaml)"
        raise RequestError("cluster", "one on which Ray Serve runs already", allowed)
    deployment = composer_deployment.options(
        num_replicas=replicas, autoscaling_config=None, ray_actor_options={"num_cpus": 1, "num_gpus": int(use_gpu)}
    )
    try:
        serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port})
        _deploy(deployment.bind(str(Path(bundle).resolve())), bundle)
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        with redirect_stdout(io.StringIO()):  # Ray prints the end of Serve's controller as a failure
            serve.shutdown()  # type: ignore[no-untyped-call]


def _deploy(application: Application, bundle: str) -> None:
    from ray import serve

    try:
        serve.run(application, name=APPLICATION)
    except RuntimeError as exc:
        deployments = serve.status().applications[APPLICATION].deployments.values()
        reasons = [deployment.message.strip().splitlines()[-1] for deployment in deployments if deployment.message.strip()]
        reason = reasons[0].rpartition("Error: ")[2].rstrip(".") if reasons else str(exc)
        raise BundleError(bundle, f"its replica did not start ({reason})", "mend that and serve again") from exc


def check_room(replicas: int, use_gpu: bool) -> None:
    """Raise RequestError for replicas that this Ray would wait for for ever."""
    kind = "GPU" if use_gpu else "CPU"
    room = int(resources().get(kind, 0))
    if not 1 <= replicas <= room:
        raise RequestError(
            "replicas", str(replicas), f"1 to {room}, for each needs a {kind}" if room else f"none: Ray has no {kind}"
        )


def check_port(host: str, port: int) -> None:
    """Raise RequestError for a host or a port that cannot be listened on now."""
    if not 1 <= port <= 65535:
        raise RequestError("port", str(port), "1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as exc:
        raise RequestError("host", repr(host), "an address of this machine, such as 127.0.0.1") from exc
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as exc:
            received = f"{port} on {host} ({exc.strerror or exc})"
            raise RequestError("port", received, "a port that is free and that you may listen on, such as 8081") from exc


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event; outside of the main thread, where Python takes none, leave them alone."""
    stop = threading.Event()
    with ExitStack() as restore:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                restore.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        yield stop
