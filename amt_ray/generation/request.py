"""A request for music, and the plan that comes of it: what is asked of the model, and what is enforced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, field_validator

from amt_ray.config import Settings
from amt_ray.errors import RequestError
from amt_ray.events.controls import Controls
from amt_ray.events.vocabulary import BAR_UNITS, METRES, TIME_SIGNATURE, UNITS_PER_QUARTER
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import KEYS
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis, surest
from amt_ray.text.keys import find_key, nearest_key
from amt_ray.text.labels import GENRES, MOODS

MOST_BARS = 256
_DENSITIES_NOTES_PER_BEAT = {"sparse": 1.0, "dense": 8.0}
"""Within what captions call so, as `amt_ray.text.facts` has it."""
_PROGRAM_NUMBERS = {str(program) for program in range(DRUMS)}


class Request(Settings):
    """What a caller asks for. An explicit option always wins over what the text says."""

    text: str = Field(min_length=1, max_length=10_000, description="What the music should be, in words.")
    seed: int = Field(0, ge=0, lt=2**63, description="Same seed, same model, same request: same bytes.")
    temperature: float = Field(0.8, gt=0, le=5, description="Below 1 safer, above 1 wilder.")
    top_k: int | None = Field(50, ge=1, le=512, description="Draw only from so many likeliest events.")
    top_p: float = Field(0.9, gt=0, le=1, description="Draw only from the likeliest events of this total probability.")
    max_tokens: int | None = Field(None, ge=64, description="Most events; the model's context is the limit and the default.")
    instruments: tuple[str, ...] | None = Field(None, description="Names, such as violin; or General MIDI numbers 0..127.")
    key: str | None = Field(None, description="Such as D minor.")
    tempo_bpm: float | None = Field(None, ge=10, le=400, description="Quarter notes a minute.")
    time_signature: str | None = Field(None, description="Such as 3/4.")
    bars: int | None = Field(None, ge=1, le=MOST_BARS)
    genre: str | None = None
    mood: str | None = None

    @field_validator("text")
    @classmethod
    def _has_words(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a text with at least one word")
        return value


def new_request(**values: Any) -> Request:
    """Build a request. Raises RequestError naming the first field that is wrong, what was received and what is allowed."""
    try:
        return Request(**values)
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "request"
        raise RequestError(field, repr(first.get("input"))[:80], _allowed(first["type"], first["msg"])) from exc


def _allowed(kind: str, message: str) -> str:
    """What pydantic's message allows, as the end of a sentence."""
    if kind == "extra_forbidden":
        return f"one of the fields {', '.join(Request.model_fields)}"
    for said, meant in (("Value error, ", ""), ("Input should be ", ""), ("String should have ", "text of ")):
        message = message.replace(said, meant)
    return message


@dataclass(frozen=True)
class Plan:
    """A request made definite."""

    request: Request
    analysis: TextAnalysis
    controls: Controls
    """What the model is told; also what the mask enforces, where it can be enforced."""
    excluded_programs: tuple[int, ...]
    exact_tempo_bpm: float | None
    """The tempo asked for, finer than the event language's steps."""


def plan(request: Request, style: int | None) -> Plan:
    """Read the text, let the options win, and settle every control that is stated by either.

    Of a church mode, the parallel major or minor is asked for. Raises RequestError for an option that names nothing the
    event language knows, and for a metre that it lacks, also where the text names it.
    """
    analysis = analyse(request.text)
    excluded = {p for mention in analysis.excluded_instruments for p in mention.programs}
    named = request.instruments
    programs = (
        tuple(_program(name) for name in named)
        if named is not None
        else tuple(mention.programs[0] for mention in analysis.instruments if mention.programs[0] not in excluded)
    )
    tempo_bpm = request.tempo_bpm or analysis.tempo_bpm or _middle(analysis.tempo_range_bpm)
    metre = _choice("time_signature", request.time_signature or analysis.time_signature, TIME_SIGNATURE.names)
    controls = Controls(
        style=style,
        genre=_choice("genre", request.genre, GENRES) or surest(analysis.genres, GENRES),
        mood=_choice("mood", request.mood, MOODS) or surest(analysis.moods, MOODS),
        tempo_bpm=tempo_bpm,
        key=_key(request.key or analysis.key),
        time_signature=metre,
        programs=tuple(dict.fromkeys(programs)),
        density_notes_per_beat=_DENSITIES_NOTES_PER_BEAT.get(analysis.density or ""),
        polyphony=analysis.polyphony,
        bars=request.bars or analysis.bars or _bars_of(analysis.duration_s, tempo_bpm, metre),
    )
    return Plan(
        request, analysis, controls, tuple(sorted(excluded - set(programs))), request.tempo_bpm or analysis.tempo_bpm
    )


def _program(name: str) -> int:
    if name.strip() in _PROGRAM_NUMBERS:
        return int(name)
    if mentions := analyse(name).instruments:
        return mentions[0].programs[0]
    raise RequestError("instruments", repr(name)[:80], "a name such as violin, piano or drums, or a number 0 to 127")


def _choice(field: str, received: str | None, allowed: Sequence[str]) -> str | None:
    if received is not None and received not in allowed:
        raise RequestError(field, repr(received), ", ".join(allowed))
    return received


def _key(received: str | None) -> str | None:
    if received is None or received in KEYS:
        return received
    key = find_key(f"in {received}")
    if key is None:
        raise RequestError("key", repr(received), "a key such as D minor, F# major or Bb minor")
    return nearest_key(key.value)


def _middle(bounds: tuple[float, float] | None) -> float | None:
    """The geometric mean of a range of tempi."""
    return None if bounds is None else math.sqrt(bounds[0] * bounds[1])


def _bars_of(duration_s: tuple[float, float] | None, tempo_bpm: float | None, metre: str | None) -> int | None:
    """Bars that last about as long as asked; 120 bpm and 4/4 where nothing else is stated."""
    if duration_s is None:
        return None
    numerator, denominator = (int(part) for part in (metre or "4/4").split("/"))
    bar_quarters = BAR_UNITS[METRES.index((numerator, denominator))] / UNITS_PER_QUARTER
    quarters = float(np.mean(duration_s)) * (tempo_bpm or 120.0) / 60.0
    return int(np.clip(round(quarters / bar_quarters), 1, MOST_BARS))
