"""Moods and genres that no word of a text names, heard by a sentence encoder.

Each label is described in a few sentences (`lexicons/label_descriptions.csv`). A text's score for a label is the cosine of
its vector with the mean vector of the label's sentences, in units that any encoder has: standard deviations above the mean
of what labels score with the sentences of others. `calibration` turns scores into confidences.

Legend: B texts, D numbers to a vector, L labels of one kind, S sentences of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from amt_ray.text.analysis import NAMED, Label, TextAnalysis
from amt_ray.text.calibration import Calibration, FloatArray, calibrations, is_calibrated
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.lexicon_files import read_rows

Heard = Literal["mood", "genre"]
Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

LABELS: dict[Heard, tuple[str, ...]] = {"mood": MOODS, "genre": GENRES}
LEAST_HEARD = 0.1
"""Labels that are heard with less are left out."""
MOST_HEARD: dict[Heard, int] = {"mood": 3, "genre": 2}


class ZeroShot:
    """The described labels as vectors of one encoder.

    `encode` turns texts into float32[B, D] of unit rows; `fingerprint` says which encoder that is, and so which calibration
    holds. Building it encodes about 150 short sentences.
    """

    def __init__(self, encode: Encode, fingerprint: str) -> None:
        self.is_calibrated = is_calibrated(fingerprint)
        """False where nothing was fitted for this encoder: confidences are then careful guesses of at most 0.5."""
        self._calibrations: Mapping[Heard, Calibration] = {kind: calibrations(fingerprint)[kind] for kind in LABELS}
        self._described = {kind: _Described(kind, encode) for kind in LABELS}

    def recalibrated(self, calibrations: Mapping[Heard, Calibration]) -> ZeroShot:
        """Return the same labels with other calibrations, such as ones that were fitted just now."""
        other = copy(self)
        other.is_calibrated, other._calibrations = True, dict(calibrations)
        return other

    def scores(self, kind: Heard, vectors_BD: Vectors) -> FloatArray:
        """Return float64[B, L] in the order of `LABELS[kind]`. Raises ValueError for vectors of another length."""
        return self._described[kind].scores(vectors_BD)

    def confidences(self, kind: Heard, vectors_BD: Vectors) -> FloatArray:
        """Return float64[B, L] in 0..1, in the order of `LABELS[kind]`. Raises ValueError for vectors of another length."""
        return self._calibrations[kind].confidences(self.scores(kind, vectors_BD))


def heard(analyses: Sequence[TextAnalysis], vectors_BD: Vectors, zero_shot: ZeroShot) -> list[TextAnalysis]:
    """Return the analyses with moods and genres added where their texts name none; `vectors_BD` are the texts' vectors.

    What is added has the whole text as its span and mostly a low confidence: candidates, in place of weaker ones of the same
    name. A text without a word stays as it is. Raises ValueError if there is not one vector an analysis, or for vectors of
    another length than the encoder's.
    """
    if len(analyses) != len(vectors_BD):
        raise ValueError(f"{len(vectors_BD)} vectors for {len(analyses)} analyses: give the vector of each analysed text")
    if not analyses:
        return []
    moods_BL, genres_BL = (zero_shot.confidences(kind, vectors_BD) for kind in LABELS)
    return [_heard(*one) for one in zip(analyses, moods_BL, genres_BL, strict=True)]


def _heard(analysis: TextAnalysis, moods_L: FloatArray, genres_L: FloatArray) -> TextAnalysis:
    if not analysis.cleaned:
        return analysis
    span = (0, analysis.n_chars_before)
    return replace(
        analysis,
        moods=_added("mood", analysis.moods, moods_L, span),
        genres=_added("genre", analysis.genres, genres_L, span),
    )


def _added(kind: Heard, stated: tuple[Label, ...], confidences_L: FloatArray, span: tuple[int, int]) -> tuple[Label, ...]:
    names = LABELS[kind]
    if any(label.name in names and label.confidence >= NAMED for label in stated):
        return stated
    likeliest = np.argsort(-confidences_L, kind="stable")[: MOST_HEARD[kind]]
    candidates = [Label(names[i], round(float(confidences_L[i]), 2), span) for i in likeliest]
    weak = {label.name: label.confidence for label in stated}
    added = [label for label in candidates if label.confidence >= max(LEAST_HEARD, weak.get(label.name, 0.0))]
    replaced = {label.name for label in added}
    kept = (label for label in stated if label.name not in replaced)
    return tuple(sorted((*kept, *added), key=lambda label: -label.confidence))


class _Described:
    """The labels of one kind as unit vectors, and what their cosines with each other's sentences are."""

    def __init__(self, kind: Heard, encode: Encode) -> None:
        rows = [row for row in read_rows("label_descriptions") if row["kind"] == kind]
        sentences_SD = np.asarray(encode([row["sentence"] for row in rows]), np.float64)
        is_own_LS = np.array([[row["label"] == name for row in rows] for name in LABELS[kind]])
        sums_LD = is_own_LS @ sentences_SD
        self._labels_LD = sums_LD / np.maximum(np.linalg.norm(sums_LD, axis=1, keepdims=True), 1e-12)
        with_others = (self._labels_LD @ sentences_SD.T)[~is_own_LS]
        self._centre, self._spread = float(with_others.mean()), max(float(with_others.std()), 1e-6)

    def scores(self, vectors_BD: Vectors) -> FloatArray:
        if vectors_BD.ndim != 2 or vectors_BD.shape[1] != self._labels_LD.shape[1]:
            raise ValueError(
                f"vectors of shape {vectors_BD.shape}, but the labels' have {self._labels_LD.shape[1]} numbers each: "
                "encode the texts with the encoder that the labels were encoded with"
            )
        scores_BL: FloatArray = (vectors_BD.astype(np.float64) @ self._labels_LD.T - self._centre) / self._spread
        return scores_BL
