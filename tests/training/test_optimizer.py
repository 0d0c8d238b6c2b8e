import math

import pytest
import torch

from amt_ray.config import ModelShape, TrainSettings
from amt_ray.model.conditional_gpt2 import new_model
from amt_ray.training.optimizer import new_optimizer, parameter_groups, precision_of, rate


def test_weight_decay_acts_on_matrices_only():
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=64), 8)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decayed, free = parameter_groups(model, 0.3)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.3, 0.0)
    block = "transformer.h.0."
    assert {names[id(p)] for p in decayed["params"]} == {
        block + "attn.c_attn.weight", block + "attn.c_proj.weight", block + "mlp.c_fc.weight", block + "mlp.c_proj.weight",
        "text_prefix.weight", "told_text.weight",
    }  # fmt: skip
    assert len(decayed["params"]) + len(free["params"]) == len(names)
    assert {"no_text", "transformer.wte.weight", "transformer.wpe.weight"} <= {names[id(p)] for p in free["params"]}


def test_the_rate_rises_in_a_line_and_falls_on_a_cosine_to_a_tenth():
    assert [rate(share, 0.1) for share in (0.01, 0.05, 0.1)] == pytest.approx([0.1, 0.5, 1.0])
    assert [rate(0.1 + 0.9 * share, 0.1) for share in (0.25, 0.5, 0.75, 1)] == pytest.approx(
        [0.1 + 0.45 * (1 + math.sqrt(0.5)), 0.55, 0.1 + 0.45 * (1 - math.sqrt(0.5)), 0.1]
    )
    assert rate(0.5, 0.0) == pytest.approx(0.55)


def test_the_optimizer_is_the_fused_one_with_the_settings_of_the_run():
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=64), 8)
    optimizer = new_optimizer(model, TrainSettings(learning_rate=0.5, weight_decay=0.25))
    assert [(group["lr"], group["weight_decay"], group["fused"]) for group in optimizer.param_groups] == [
        (0.5, 0.25, True),
        (0.5, 0.0, True),
    ]


def test_precision_is_single_on_a_cpu_unless_asked(monkeypatch):
    assert precision_of(TrainSettings()) == "no"
    assert precision_of(TrainSettings(mixed_precision="bf16")) == "bf16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert precision_of(TrainSettings(use_gpu=True)) == "bf16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: including_emulation)
    assert precision_of(TrainSettings(use_gpu=True)) == "no"
