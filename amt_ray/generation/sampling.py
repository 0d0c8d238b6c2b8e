"""Sampling as a chain of pure links over the logits of one step: constrain, temperature, top-k, top-p, draw.

All links take and return float64[V]; excluded events are -inf.
"""

from __future__ import annotations

import numpy as np

from amt_ray.events.grammar import Mask
from amt_ray.midi.piece import FloatArray


def constrain(logits_V: FloatArray, mask_V: Mask) -> FloatArray:
    """Exclude the events that the mask does not allow."""
    return np.where(mask_V, logits_V, -np.inf)


def temperature(logits_V: FloatArray, value: float) -> FloatArray:
    """Divide by a temperature > 0."""
    scaled: FloatArray = logits_V / value
    return scaled


def top_k(logits_V: FloatArray, k: int | None) -> FloatArray:
    """Keep the k likeliest events (Fan et al., 2018); all of them for None. Ties with the k-th stay."""
    if k is None or k >= len(logits_V):
        return logits_V
    return np.where(logits_V >= np.partition(logits_V, -k)[-k], logits_V, -np.inf)


def top_p(logits_V: FloatArray, p: float) -> FloatArray:
    """Keep the fewest likeliest events whose probabilities sum to at least p (nucleus sampling, Holtzman et al., 2020)."""
    order = np.argsort(-logits_V, kind="stable")
    before = np.cumsum(probabilities(logits_V)[order]) - probabilities(logits_V)[order]
    kept = np.full(len(logits_V), -np.inf)
    inside = order[before < p]
    kept[inside] = logits_V[inside]
    return kept


def probabilities(logits_V: FloatArray) -> FloatArray:
    """Softmax; at least one logit must be finite."""
    weights: FloatArray = np.exp(logits_V - logits_V.max())
    shares: FloatArray = weights / weights.sum()
    return shares


def draw(logits_V: FloatArray, rng: np.random.Generator) -> int:
    """Draw one event by inverse transform: exactly one number of `rng` a draw."""
    sums = np.cumsum(probabilities(logits_V))
    return int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
