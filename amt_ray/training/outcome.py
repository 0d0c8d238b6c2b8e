"""Between bundles and training: the weights that one begins with, and what becomes of one that has finished."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

from amt_ray.config import TrainSettings
from amt_ray.errors import BundleError
from amt_ray.model.bundle import Bundle, EncoderInfo, load_bundle
from amt_ray.model.conditional_gpt2 import ConditionalGPT2
from amt_ray.training.loop import Trained
from amt_ray.training.rows import TrainingData

_VARYING = frozenset({"events_per_s", "seconds", "seconds_left", "memory_bytes", "sample"})
"""Metrics that differ from run to run of the same training: they stay out, for the same seed gives the same bytes."""
_SHAPE = {"layers": "n_layer", "hidden_dim": "n_embd", "heads": "n_head", "dropout": "resid_pdrop"}


def initial_model(path: str | Path, encoder: EncoderInfo, settings: TrainSettings) -> ConditionalGPT2:
    """Load the model of a bundle to train it further.

    Raises BundleError as `load_bundle` does, and where its texts were read by another encoder than the training data's, or
    its shape is not the one that the settings state.
    """
    bundle = load_bundle(path)
    if bundle.encoder.fingerprint != encoder.fingerprint:
        encoders = (
            f"{bundle.encoder.name} ({bundle.encoder.fingerprint[:12]}), not {encoder.name} ({encoder.fingerprint[:12]})"
        )
        raise BundleError(str(path), f"its texts were read by {encoders}", "prepare with its encoder, or train from scratch")
    for name, of_config in _SHAPE.items():
        asked, has = getattr(settings, name), getattr(bundle.model.config, of_config)
        if asked is not None and asked != has:
            raise BundleError(str(path), f"its {name} is {has}, not {asked}", f"leave {name} out, or train from scratch")
    return bundle.model


def bundle_of(data: TrainingData, settings: TrainSettings, fingerprint: str, trained: Trained) -> Bundle:
    """Put model, encoder and styles together with the data, settings and metrics; `fingerprint` says what it is made of."""
    metrics = {name: value for name, value in trained.metrics.items() if name not in _VARYING}
    training = {
        "fingerprint": fingerprint,
        "preset": settings.preset,
        **data.about,
        "amt_ray": version("amt_ray"),
        "commit": commit(),
        "settings": settings.model_dump(),
        "metrics": metrics,
    }
    return Bundle(trained.model, data.encoder, data.styles, training)


def commit() -> str | None:
    """Name the commit of the amt_ray that runs, with a + where files differ from it; None outside a checkout of it."""
    git = ["git", "-C", str(Path(__file__).parents[1])]
    try:
        # Installed into somebody's project, the files are not in that project's repository.
        subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=True)
        described = subprocess.run(
            [*git, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
