"""What becomes of a finished training: the bundle, with the record of how it came about."""

from __future__ import annotations

from amt_ray.config import TrainSettings
from amt_ray.model.bundle import Bundle
from amt_ray.training.loop import Trained
from amt_ray.training.rows import TrainingData

_VARYING = frozenset({"events_per_s", "seconds"})
"""Metrics that differ from run to run of the same training: they stay out, for the same seed gives the same bytes."""


def bundle_of(data: TrainingData, settings: TrainSettings, fingerprint: str, trained: Trained) -> Bundle:
    """Put model, encoder and styles together with the data, settings and metrics; `fingerprint` says what it is made of."""
    metrics = {name: value for name, value in trained.metrics.items() if name not in _VARYING}
    training = {
        "fingerprint": fingerprint,
        "preset": settings.preset,
        **data.about,
        "settings": settings.model_dump(),
        "metrics": metrics,
    }
    return Bundle(trained.model, data.encoder, data.styles, training)
