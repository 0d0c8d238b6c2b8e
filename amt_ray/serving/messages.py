"""What goes over the wire: a body to a `Request`, a `Take` to a reply, an error to a status and a sentence. No Ray here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

from amt_ray.errors import (
    AmtError,
    BundleError,
    EncoderError,
    InvalidPiece,
    LibraryError,
    MissingPackageError,
    OutputError,
    RequestError,
    TrainingError,
    WikiError,
    WorkspaceError,
)
from amt_ray.generation.composer import Take
from amt_ray.generation.request import Request, new_request

MAX_BODY_BYTES = 64 * 1024
STATUS: dict[type[AmtError], int] = {
    RequestError: 422,
    BundleError: 503,
    EncoderError: 503,
    MissingPackageError: 503,
    LibraryError: 500,
    InvalidPiece: 500,
    WorkspaceError: 500,
    TrainingError: 500,
    WikiError: 500,
    OutputError: 500,
}
"""503 for a server that was set up wrong, 500 for what no request should ever cause."""

Form = Literal["midi", "json"]
_FORM_OF_TYPE: dict[str, Form] = {
    "application/json": "json",
    "application/*": "json",
    "audio/midi": "midi",
    "audio/mid": "midi",
    "audio/*": "midi",
    "*/*": "midi",
}
_EXAMPLE = 'a JSON object such as {"text": "a slow waltz in D minor"}'


def request_of(body: bytes, draw_seed: Callable[[], int]) -> Request:
    """Read a body as JSON, with a drawn seed where it names none.

    Raises ValueError for a body that is not JSON, RequestError for one that is no request.
    """
    try:
        values = json.loads(body)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc
    if not isinstance(values, dict):
        raise RequestError("body", f"a JSON {type(values).__name__}", _EXAMPLE)
    if values.get("seed") is None:
        values["seed"] = draw_seed()
    return new_request(**values)


def not_json(exc: ValueError) -> RequestError:
    """Say what is wrong with a body that `request_of` could not read."""
    return RequestError("body", f"what is not JSON ({exc})", _EXAMPLE)


def form_of(wanted: str | None, accept: str) -> Form:
    """Choose the reply's form: what `?format=` says, else the first type of the Accept header that we can make, else MIDI.

    Raises RequestError for a format that we don't know.
    """
    if wanted is not None:
        if wanted not in ("midi", "json"):
            raise RequestError("format", repr(wanted)[:80], "midi or json")
        return "json" if wanted == "json" else "midi"
    types = (part.split(";")[0].strip().lower() for part in accept.split(","))
    return next((_FORM_OF_TYPE[name] for name in types if name in _FORM_OF_TYPE), "midi")


def filename_of(text: str) -> str:
    """Name a .mid file after the first words of a text, in plain ASCII."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return ("-".join(words)[:60].rstrip("-") or "take") + ".mid"


def as_json(take: Take) -> dict[str, Any]:
    """A take as JSON values: the file in base64, the seed, which requests were met, controls, statistics, seconds."""
    controls = take.plan.controls
    return {
        "midi_base64": base64.b64encode(take.midi).decode("ascii"),
        "seed": take.plan.request.seed,
        "requests": [asdict(check) for check in take.checks],
        "controls": {name: getattr(controls, name) for name in controls.stated()},
        "statistics": take.features.as_row(),
        "seconds": round(take.seconds, 3),
    }


def error_body(kind: str, message: str) -> dict[str, Any]:
    """The body of every reply that is not music."""
    return {"error": {"type": kind, "message": message}}
