"""Music by a model that is still in training, for an ear on how it comes along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from amt_ray.events.controls import control_ids, controls_of
from amt_ray.events.encode import decode
from amt_ray.events.vocabulary import BOS
from amt_ray.generation.engine import Row, generate
from amt_ray.generation.request import Request
from amt_ray.generation.steering import Steering
from amt_ray.midi.piece import Piece
from amt_ray.model.conditional_gpt2 import ConditionalGPT2
from amt_ray.training.batches import Rows

BARS, MOST_EVENTS = 8, 384


def sample_like(model: ConditionalGPT2, rows: Rows, seed: int) -> Piece:
    """Draw eight bars of music that are asked to be what the first row is: its controls and the first of its texts.

    Leaves the model in evaluation mode, and torch's random state as it was.
    """
    controls = controls_of(rows.ids[1 : 1 + int(rows.n_controls[0])].astype(np.int64))
    controls = replace(controls, bars=BARS)
    usual = Request(text="music")
    row = Row(
        prompt=[BOS, *control_ids(controls)],
        text_E=np.array(rows.text_vectors[rows.texts[0][0]]),
        steering=Steering(controls, (), min(MOST_EVENTS, model.config.n_positions - model.config.prefix_tokens)),
        temperature=usual.temperature,
        top_k=usual.top_k,
        top_p=usual.top_p,
        rng=np.random.default_rng(seed),
    )
    model.train(False)
    with torch.compiler.set_stance("force_eager"):  # compiled for training, layers would be compiled again for each length
        return decode(generate(model, [row])[0])
