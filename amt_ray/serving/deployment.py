"""The replica: one model, one batch at a time, and the HTTP interface in the same process, which saves a hop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import ray
from fastapi import FastAPI
from ray import serve

from amt_ray.errors import AmtError
from amt_ray.generation.composer import Composer, Take
from amt_ray.generation.request import Request, plan
from amt_ray.serving.web import web_app

MAX_BATCH = 8
BATCH_WAIT_S = 0.02


class ComposerReplica:
    """Loads a bundle once, then composes; on a GPU where Ray lends the replica one.

    Raises BundleError or EncoderError, which fails the deployment.
    """

    def __init__(self, bundle: str) -> None:
        self._composer = Composer.from_pretrained(bundle, device="cuda" if ray.get_gpu_ids() else "cpu")
        self._model = Path(bundle).name
        self._failure: Exception | None = None

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Make the application that Ray Serve runs in this replica."""
        return web_app(self.compose, self._model, self._composer.bundle.model.num_parameters())

    async def compose(self, request: Request) -> Take:
        """Compose together with what else is asked for now. Raises RequestError, before any neighbour is involved."""
        await asyncio.to_thread(plan, request, None)
        take: Take = await self._compose_batch(request)
        return take

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=BATCH_WAIT_S)
    async def _compose_batch(self, requests: list[Request]) -> list[Take]:
        return await asyncio.to_thread(self.compose_all, requests)

    def compose_all(self, requests: list[Request]) -> list[Take]:
        """Compose one batch, and keep in mind how that went."""
        try:
            takes = self._composer.generate_batch(requests)
        except AmtError:
            raise
        except Exception as exc:
            self._failure = exc
            raise
        self._failure = None
        return takes

    def check_health(self) -> None:
        """Ask for a new replica when the last batch died of what no request should cause, such as a lost GPU."""
        if self._failure is not None:
            raise RuntimeError("the last batch failed") from self._failure


composer_deployment = serve.deployment(
    name="composer",
    max_ongoing_requests=4 * MAX_BATCH,
    max_queued_requests=8 * MAX_BATCH,
    backpressure_config={"status_code": 503, "retry_after_s": 5},
    autoscaling_config={"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": MAX_BATCH},
    max_constructor_retry_count=1,
    health_check_period_s=10,
    health_check_timeout_s=30,
    graceful_shutdown_timeout_s=20,
)(serve.ingress()(ComposerReplica))
