"""Texts read by the word lists and, where there is an encoder, by what it hears in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.embed import TextEncoder
from amt_ray.text.zero_shot import ZeroShot, heard


@dataclass(frozen=True)
class Reading:
    """What is known of a text, and its embedding where there is an encoder: unit-norm float32[E]."""

    analysis: TextAnalysis
    vector_E: npt.NDArray[np.float32] | None = None


class Reader:
    """Reads texts; with an encoder it adds moods and genres that no word names (see `amt_ray.text.zero_shot`)."""

    def __init__(self, encoder: TextEncoder | None = None) -> None:
        self._encoder = encoder
        self._zero_shot = ZeroShot(encoder.encode, encoder.fingerprint) if encoder else None

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Read any strings; the encoder takes them all at once."""
        analyses = [analyse(text) for text in texts]
        if self._encoder is None or self._zero_shot is None:
            return [Reading(analysis) for analysis in analyses]
        vectors_BE = self._encoder.encode(texts)
        return [Reading(*one) for one in zip(heard(analyses, vectors_BE, self._zero_shot), vectors_BE, strict=True)]
