"""What training minimises: the cross-entropy of the next event, smoothed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from amt_ray.events.vocabulary import PAD
from amt_ray.training.batches import Batch


def event_loss(
    model: Any, batch: Batch, device: str | torch.device = "cpu", label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Add up, over the next events that are targets and in nats, what is minimised and the cross-entropy within it.

    They differ by label smoothing (Szegedy et al., 2016): a share of the cross-entropy with all 512 events alike.
    """
    ids_BT, targets_BT, text_BE, has_text_B = (
        torch.from_numpy(array).to(device, non_blocking=True)
        for array in (batch.ids_BT, batch.targets_BT, batch.text_BE, batch.has_text_B)
    )
    log_p_BTV = model(ids_BT, text_BE, has_text_B)[:, :-1].float().log_softmax(-1)
    targets_BT = targets_BT[:, 1:]
    is_target_BT = targets_BT != PAD
    cross_entropy = -(log_p_BTV.gather(2, targets_BT[..., None])[..., 0] * is_target_BT).sum()
    with_all = -(log_p_BTV.mean(2) * is_target_BT).sum() if label_smoothing else cross_entropy
    return torch.lerp(cross_entropy, with_all, label_smoothing), cross_entropy.detach()
