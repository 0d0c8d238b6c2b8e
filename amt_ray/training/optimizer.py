"""AdamW (Loshchilov and Hutter, 2019) as GPT models are trained with it, its learning rate and its precision."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from amt_ray.config import TrainSettings


def new_optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Make the optimizer of a model; fused, its step is one pass over the parameters."""
    return torch.optim.AdamW(parameter_groups(model, settings.weight_decay), lr=settings.learning_rate, fused=True)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices only: norms, biases and embeddings are left to grow as they must."""
    decayed: list[Tensor] = []
    free: list[Tensor] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim >= 2 and not name.endswith((".wte.weight", ".wpe.weight", "told.weight", "no_text"))
        (decayed if is_matrix else free).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


def rate(share_done: float, warmup_share: float) -> float:
    """Factor of the learning rate: a linear rise, then a cosine to a tenth (Loshchilov and Hutter, 2017)."""
    if share_done < warmup_share:
        return share_done / warmup_share
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (share_done - warmup_share) / max(1 - warmup_share, 1e-9)))


def precision_of(settings: TrainSettings) -> str:
    """Accelerate's name of the precision: bfloat16 where a GPU has it, single precision on a CPU, unless asked."""
    if settings.mixed_precision != "auto":
        return settings.mixed_precision
    return "bf16" if settings.use_gpu and torch.cuda.is_bf16_supported(including_emulation=False) else "no"
