import numpy as np
import pytest
import torch
from torch.nn import functional

from amt_ray.events.vocabulary import N_IDS, PAD
from amt_ray.training.batches import Batch
from amt_ray.training.objective import event_loss


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_smoothed_cross_entropy_of_the_next_event_without_padding(smoothing):
    torch.manual_seed(0)
    lengths = (7, 4, 2)
    ids = torch.full((3, 7), PAD)
    for row, n in enumerate(lengths):
        ids[row, :n] = torch.randint(1, N_IDS, (n,))
    logits = torch.randn(3, 7, N_IDS)
    batch = Batch(ids.numpy(), ids.numpy(), np.zeros((3, 1), np.float32), np.ones(3, bool))
    objective, plain = event_loss(lambda *_: logits, batch, label_smoothing=smoothing)
    smoothed = functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), ignore_index=PAD, label_smoothing=smoothing, reduction="sum"
    )
    assert objective.item() == pytest.approx(smoothed.item(), rel=1e-6)
    terms = [-logits[row, t].log_softmax(0)[ids[row, t + 1]] for row, n in enumerate(lengths) for t in range(n - 1)]
    assert plain.item() == pytest.approx(torch.stack(terms).sum().item(), rel=1e-6)
