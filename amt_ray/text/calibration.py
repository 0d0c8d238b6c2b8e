"""Scores as confidences that mean what they say, and how well they do.

A confidence of 0.8 should be right about 8 times in 10. Legend: N judgements, B texts, L labels of one kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from amt_ray.text.lexicon_files import read_rows

FloatArray = npt.NDArray[np.float64]

ANY_ENCODER = "any"
UNCALIBRATED_LIMIT = 0.5
"""No confidence is higher that comes from an encoder for which nothing was fitted."""
N_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Platt's scaling of a score: confidence = sigmoid(intercept + score · x + margin · y), never above `limit`.

    x is a label's score, y its distance from the mean score of all labels of its kind for the same text. Source: Platt
    (1999), "Probabilistic outputs for support vector machines".
    """

    intercept: float
    score: float
    margin: float
    limit: float = 1.0

    def confidences(self, scores_BL: FloatArray) -> FloatArray:
        """Return float64[B, L] in 0..1 for the scores of B texts against the L labels of one kind."""
        logits_BL = self.intercept + self.score * scores_BL + self.margin * margins(scores_BL)
        confidences_BL: FloatArray = np.minimum(1.0 / (1.0 + np.exp(-np.clip(logits_BL, -30, 30))), self.limit)
        return confidences_BL


@dataclass(frozen=True)
class Bin:
    """The judgements whose confidence lies in one part of 0..1: how many, their mean confidence, the share that is right."""

    n: int
    confidence: float
    right: float


def margins(scores_BL: FloatArray) -> FloatArray:
    """Return float64[B, L]: how far each score lies above the mean of its row."""
    result: FloatArray = scores_BL - scores_BL.mean(axis=1, keepdims=True)
    return result


@cache
def calibrations(encoder: str) -> dict[str, Calibration]:
    """Return the calibration of each kind of label for the encoder with this fingerprint.

    For an encoder that nothing was fitted for: careful ones for `ANY_ENCODER`, limited to `UNCALIBRATED_LIMIT`.
    """
    rows = read_rows("calibration")
    is_known = any(row["encoder"] == encoder for row in rows)
    name, limit = (encoder, 1.0) if is_known else (ANY_ENCODER, UNCALIBRATED_LIMIT)
    return {
        row["kind"]: Calibration(float(row["intercept"]), float(row["score"]), float(row["margin"]), limit)
        for row in rows
        if row["encoder"] == name
    }


def is_calibrated(encoder: str) -> bool:
    """Return whether numbers were fitted for the encoder with this fingerprint."""
    return encoder != ANY_ENCODER and any(row["encoder"] == encoder for row in read_rows("calibration"))


def reliability(confidences_N: Sequence[float], is_right_N: Sequence[bool], n_bins: int = N_BINS) -> list[Bin]:
    """Sort judgements into bins of equal width by confidence, lowest first; empty bins are left out."""
    confidence_N, right_N = np.asarray(confidences_N, np.float64), np.asarray(is_right_N, bool)
    bin_N = np.minimum((confidence_N * n_bins + 1e-9).astype(int), n_bins - 1)
    return [
        Bin(int(inside.sum()), float(confidence_N[inside].mean()), float(right_N[inside].mean()))
        for inside in (bin_N == i for i in range(n_bins))
        if inside.any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: the mean distance of confidence from share right, weighted by counts.

    0 for no judgements. Source: Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks".
    """
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.confidence - one.right) for one in bins) / total if total else 0.0


def brier_score(confidences_N: Sequence[float], is_right_N: Sequence[bool]) -> float:
    """Return the mean squared distance of confidence from outcome (Brier 1950); 0 for no judgements."""
    if not len(confidences_N):
        return 0.0
    return float(np.mean((np.asarray(confidences_N, np.float64) - np.asarray(is_right_N, np.float64)) ** 2))
