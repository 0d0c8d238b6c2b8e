import numpy as np
import torch
from strategies import compose

from amt_ray.config import ModelShape
from amt_ray.events.controls import controls_of
from amt_ray.events.quantise import quantise
from amt_ray.generation.sample import BARS, sample_like
from amt_ray.model.conditional_gpt2 import new_model
from amt_ray.training.batches import Rows
from amt_ray.training.windows import Labels, cut_windows


def test_a_sample_is_asked_for_what_the_first_row_is_and_the_same_each_time():
    torch.manual_seed(0)
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=512), 8)
    window = next(cut_windows(quantise(compose(0, 6)), Labels(), 256))
    starts, zero = np.array([0, len(window.ids)]), np.zeros(1, np.int64)
    vectors = np.ones((1, 8), np.float32)
    rows = Rows(window.ids, starts, np.array([window.n_controls]), zero, [np.array([0])], vectors)
    state = torch.get_rng_state()
    piece, again, other = (sample_like(model, rows, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    wanted = controls_of(window.ids[1 : 1 + window.n_controls].astype(np.int64))
    assert set(piece.notes.program.tolist()) <= set(wanted.programs)
    assert np.array_equal(piece.notes.onset_ticks, again.notes.onset_ticks)
    assert np.array_equal(piece.notes.pitch, again.notes.pitch)
    assert not np.array_equal(piece.notes.pitch, other.notes.pitch)
    bar_ticks = piece.ticks_per_quarter * 4 * piece.metre_numerator[0] / piece.metre_denominator[0]
    assert piece.notes.onset_ticks.max() < BARS * bar_ticks
