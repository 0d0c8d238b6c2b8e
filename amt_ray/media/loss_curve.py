"""The losses of a training as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amt_ray.midi.piece import FloatArray

SMOOTHED_SHARE, MOST_SMOOTHED_STEPS = 0.05, 50
"""The loss of single steps is drawn faintly, their running mean over such a share of the steps boldly."""
SIZE_IN, DPI = (9.0, 5.0), 120


def draw_loss_curve(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a PNG of loss and validation loss, in nats per event, over the steps of `records`, as training logs them.

    Raises ValueError without any records.
    """
    if not records:
        raise ValueError("no records: a training logs one for each step")
    from matplotlib.figure import Figure

    steps = np.array([record["step"] for record in records])
    losses = np.array([record["loss"] for record in records])
    validated = [(record["step"], record["validation_loss"]) for record in records if record.get("validation_loss")]
    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color="#003CA5", alpha=0.25, linewidth=0.8)
    n_smoothed = min(max(1, int(SMOOTHED_SHARE * len(losses))), MOST_SMOOTHED_STEPS)
    axes.plot(steps, running_mean(losses, n_smoothed), color="#003CA5", label="loss, controls and text left out at times")
    if validated:
        axes.plot(*zip(*validated, strict=True), "o-", color="#C3441E", label="validation loss, everything given")
    axes.set(xlabel="step", ylabel="nats per event", title=f"{losses[-1]:.3f} after {steps[-1]:,} steps")
    axes.grid(color="#E4E4E4")
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def running_mean(values_N: FloatArray, n: int) -> FloatArray:
    """Return float64[N]: the mean of each value and of up to n - 1 before it."""
    sums = np.append(0.0, np.cumsum(values_N))
    last = np.arange(1, len(values_N) + 1)
    first = np.maximum(last - n, 0)
    means: FloatArray = (sums[last] - sums[first]) / (last - first)
    return means
