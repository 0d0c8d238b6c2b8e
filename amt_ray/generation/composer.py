"""`Composer`: a model bundle that turns sentences into pieces."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amt_ray.artifacts import write_file
from amt_ray.errors import EncoderError, RequestError
from amt_ray.events.controls import control_ids
from amt_ray.events.encode import decode
from amt_ray.events.vocabulary import BAR, BAR_UNITS, BOS, METRES
from amt_ray.generation.checks import Check, check_requests
from amt_ray.generation.engine import OnStep, Row, generate
from amt_ray.generation.request import Plan, Request, new_request, plan
from amt_ray.generation.steering import Steering
from amt_ray.midi.features import Features, measure
from amt_ray.midi.piece import Piece
from amt_ray.midi.write import check_opens, write_midi
from amt_ray.model.bundle import Bundle, EncoderInfo, load_bundle
from amt_ray.text.embed import TextEncoder, find_encoder

FILE_TICKS_PER_UNIT = 40
"""Sequencers expect a fine resolution in which moved notes keep their place: 480 ticks a quarter note is customary."""


@dataclass(frozen=True, eq=False)
class Take:
    """One generated piece, and how it came about."""

    plan: Plan
    ids: list[int]
    piece: Piece
    similarity: float
    """Cosine of the text's embedding with the nearest style's centroid; 0 for a model without styles."""
    checks: tuple[Check, ...]
    seconds: float

    @functools.cached_property
    def midi(self) -> bytes:
        """The piece as a Standard MIDI File of 480 ticks a quarter note, opened again with pretty_midi as a check."""
        data = write_midi(self.piece.with_finer_ticks(FILE_TICKS_PER_UNIT))
        check_opens(data)
        return data

    @functools.cached_property
    def features(self) -> Features:
        """What can be measured of the piece."""
        return measure(self.piece)

    def save(self, path: str | Path) -> None:
        """Write the .mid, whole or not at all, making its folder if need be. Raises OutputError."""
        write_file(path, self.midi)


def check_encoder(info: EncoderInfo) -> None:
    """Raise EncoderError when a bundle's encoder is not found, or is not the one that the model was trained with."""
    fingerprint = find_encoder(info.name).fingerprint
    if fingerprint != info.fingerprint:
        raise EncoderError(
            info.name,
            f"its weights ({fingerprint[:12]}) are not those the model was trained with ({info.fingerprint[:12]})",
            "install the encoder that the model's encoder.json names",
        )


class Composer:
    """Generates music from text with one model; make it with `from_pretrained`."""

    def __init__(self, bundle: Bundle, encoder: Callable[[Sequence[str]], np.ndarray]) -> None:
        self.bundle = bundle
        self.encode_texts = encoder

    @classmethod
    def from_pretrained(cls, path: str | Path, device: str = "cpu") -> Composer:
        """Load a bundle and its encoder.

        Raises BundleError for a folder that is no bundle, EncoderError when the encoder is not found or is not the one
        that the model was trained with, RequestError for a device that is not there.
        """
        if device != "cpu" and not torch.cuda.is_available():
            raise RequestError("device", device, "cpu: PyTorch finds no GPU on this machine")
        bundle = load_bundle(path)
        check_encoder(bundle.encoder)
        encoder = TextEncoder(bundle.encoder.name, device=device)
        bundle.model.to(torch.device(device))  # type: ignore[arg-type]
        return cls(bundle, encoder.encode)

    @property
    def context_tokens(self) -> int:
        """Most events of one piece."""
        return int(self.bundle.model.config.n_positions - self.bundle.model.config.prefix_tokens)

    def generate(self, text: str, *, on_step: OnStep = lambda step: None, **options: Any) -> Take:
        """Generate one piece; `options` are the fields of `Request` (seed, temperature, key, bars, instruments …).

        Raises RequestError for an option out of its range.
        """
        return self.generate_batch([new_request(text=text, **options)], on_step)[0]

    def generate_batch(self, requests: Sequence[Request], on_step: OnStep = lambda step: None) -> list[Take]:
        """Generate one piece for each request, all at once. Raises RequestError for the first that cannot be understood."""
        began_s = time.monotonic()
        texts_BE = self.encode_texts([request.text for request in requests])
        plans = [plan(request, self.bundle.nearest_style(text)) for request, text in zip(requests, texts_BE, strict=True)]
        rows = [self._row(a_plan, text) for a_plan, text in zip(plans, texts_BE, strict=True)]
        sequences = generate(self.bundle.model, rows, on_step)
        seconds = time.monotonic() - began_s
        return [self._take(a_plan, ids, text, seconds) for a_plan, ids, text in zip(plans, sequences, texts_BE, strict=True)]

    def _row(self, a_plan: Plan, text_E: np.ndarray) -> Row:
        request = a_plan.request
        max_tokens = min(request.max_tokens or self.context_tokens, self.context_tokens)
        return Row(
            prompt=[BOS, *control_ids(a_plan.controls)],
            text_E=text_E,
            steering=Steering(a_plan.controls, a_plan.excluded_programs, max_tokens),
            temperature=request.temperature,
            top_k=request.top_k,
            top_p=request.top_p,
            rng=np.random.default_rng(request.seed),
        )

    def _take(self, a_plan: Plan, ids: list[int], text_E: np.ndarray, seconds: float) -> Take:
        piece = _ended_with_its_last_bar(decode(ids), ids.count(BAR))
        if a_plan.exact_tempo_bpm is not None:
            piece = replace(piece, tempo_bpm=np.full(len(piece.tempo_bpm), a_plan.exact_tempo_bpm))
        style = self.bundle.nearest_style(text_E)
        similarity = 0.0 if style is None else float(np.array(self.bundle.styles[style].centroid) @ text_E)
        return Take(a_plan, ids, piece, similarity, check_requests(a_plan, piece, ids.count(BAR)), seconds)


def _ended_with_its_last_bar(piece: Piece, n_bars: int) -> Piece:
    """Cut the notes that sound beyond the last bar, so that the file has whole bars; generated pieces keep one metre."""
    metre = (int(piece.metre_numerator[0]), int(piece.metre_denominator[0]))
    end_units = n_bars * int(BAR_UNITS[METRES.index(metre)])
    notes = piece.notes
    duration = np.minimum(notes.duration_ticks, end_units - notes.onset_ticks)
    return replace(piece, notes=replace(notes, duration_ticks=duration))
