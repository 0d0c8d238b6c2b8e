"""The HTTP interface as a FastAPI application, around any function that turns a request into a take. No Ray here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from amt_ray import __version__
from amt_ray.errors import AmtError, RequestError
from amt_ray.generation.composer import Take
from amt_ray.generation.request import Request
from amt_ray.serving.messages import (
    MAX_BODY_BYTES,
    STATUS,
    Form,
    as_json,
    error_body,
    filename_of,
    form_of,
    not_json,
    request_of,
)

ROUTES = "POST /v1/generate or GET /healthz"
MAX_DRAWN_SEED = 2**32
"""Small enough for every JSON reader, JavaScript's among them."""
_BODY = {"required": True, "content": {"application/json": {"schema": Request.model_json_schema()}}}
_REPLIES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The piece, as a MIDI file or as JSON.", "content": {"audio/midi": {}, "application/json": {}}}
}

Compose = Callable[[Request], Awaitable[Take]]


def random_seed() -> int:
    """Draw a seed from the operating system."""
    return secrets.randbelow(MAX_DRAWN_SEED)


def web_app(compose: Compose, model: str, parameters: int, draw_seed: Callable[[], int] = random_seed) -> FastAPI:
    """Make the application: `POST /v1/generate`, `GET /healthz`, every error as JSON with one sentence.

    `compose` may raise any AmtError; `model` and `parameters` are what /healthz says; `draw_seed` gives requests
    without a seed one.
    """
    app = FastAPI(title="amt_ray", version=__version__, description="Text to MIDI.")

    @app.post("/v1/generate", response_class=Response, responses=_REPLIES, openapi_extra={"requestBody": _BODY})
    async def generate(http: HttpRequest) -> Response:
        form = form_of(http.query_params.get("format"), http.headers.get("accept", ""))
        body = await _read_body(http)
        try:
            request = request_of(body, draw_seed)
        except ValueError as exc:
            raise HTTPException(400, str(not_json(exc))) from exc
        return await asyncio.to_thread(_reply, await compose(request), form)

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        return {"status": "ok", "model": model, "parameters": parameters}

    app.add_exception_handler(AmtError, _on_amt_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_bug)
    return app


async def _read_body(http: HttpRequest) -> bytes:
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, str(RequestError("body", "a longer one", f"at most {MAX_BODY_BYTES} bytes")))
    return bytes(body)


def _reply(take: Take, form: Form) -> Response:
    request = take.plan.request
    headers = {"X-Seed": str(request.seed)}
    if form == "json":
        return JSONResponse(as_json(take), headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{filename_of(request.text)}"'
    return Response(take.midi, media_type="audio/midi", headers=headers)


async def _on_amt_error(http: HttpRequest, exc: Exception) -> Response:
    status = next((STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), 500)
    return JSONResponse(error_body(type(exc).__name__, str(exc)), status)


async def _on_http_error(http: HttpRequest, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    sentence = exc.detail
    if exc.status_code in (404, 405):
        sentence = str(RequestError("path", f"{http.method} {http.url.path[:80]}", ROUTES))
    return JSONResponse(error_body(RequestError.__name__, sentence), exc.status_code, exc.headers)


async def _on_disconnect(http: HttpRequest, exc: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the status is nginx's for a client that went away


async def _on_bug(http: HttpRequest, exc: Exception) -> Response:
    sentence = f"the server failed on this request ({type(exc).__name__}); its log says why."
    return JSONResponse(error_body("InternalError", sentence), 500)
