"""An untrained model of one layer, with an encoder that costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from amt_ray.config import ModelShape
from amt_ray.generation.composer import Composer
from amt_ray.model.bundle import Bundle, EncoderInfo, Style
from amt_ray.model.conditional_gpt2 import new_model

TEXT_DIM = 384


def pytest_configure(config):
    # Ray Serve's own settings are written in a way that pydantic gives up.
    config.addinivalue_line("filterwarnings", "ignore:Using extra keyword arguments on `Field`:DeprecationWarning")


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return a unit vector for each text, drawn from its hash."""
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    vectors = np.stack([np.random.default_rng(seed).normal(size=TEXT_DIM) for seed in seeds])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def make_bundle():
    """Make an untrained bundle whose model card names an encoder of a fingerprint."""

    def make(fingerprint: str) -> Bundle:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = new_model(ModelShape(layers=1, hidden_dim=16, heads=1, context_tokens=256), TEXT_DIM)
        model.train(False)
        centroids = encode(["one style", "another style"])
        styles = tuple(Style(name, tuple(map(float, c))) for name, c in zip(("calm", "fast"), centroids, strict=True))
        return Bundle(model, EncoderInfo("all-MiniLM-L6-v2", fingerprint, TEXT_DIM), styles, {"steps": 0})

    return make


@pytest.fixture(scope="session")
def composer(make_bundle) -> Composer:
    return Composer(make_bundle("none"), encode)
