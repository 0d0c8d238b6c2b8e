"""A bare PyTorch loop over amt_ray's model, for benchmarks/train.py: python benchmarks/bare_loop.py DATA PRESET DEVICE STEPS

No accelerate, no checkpoints, no metrics; all batches lie on the device before the clock runs. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from amt_ray.artifacts import Workspace
from amt_ray.config import train_settings
from amt_ray.events.vocabulary import PAD
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, new_model
from amt_ray.pipelines.training_data import training_data
from amt_ray.training.augment import Augmentation
from amt_ray.training.batches import Batch, Variation, make_batch
from amt_ray.training.optimizer import parameter_groups
from amt_ray.training.plan import plan_steps
from amt_ray.training.portable import load_portable

NAME = Path(__file__).name
PEAK_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40": 181e12, "4090": 165e12}
"""Of bfloat16 matrix products without sparsity, by the makers' data sheets."""


def batches_of(data: str, arguments: argparse.Namespace) -> list[Batch]:
    """Make the batches of the first steps: those of the preset's plan, or of so many rows each in random order."""
    settings = train_settings(arguments.preset, max_steps=arguments.steps, epochs=1000, batch_tokens=arguments.batch_tokens)
    portable = (Path(data) / "about.json").exists()
    rows = (load_portable(data) if portable else training_data(Workspace(data))).train
    augmentation = Augmentation() if settings.augment else None
    drops = (settings.control_dropout, settings.prefix_dropout)
    variation = Variation(*drops, augmentation, settings.infill_share, settings.shape.context_tokens)
    if arguments.rows:
        order = np.random.default_rng(0).permutation(np.resize(np.arange(len(rows)), arguments.steps * arguments.rows))
        chosen = list(order.reshape(arguments.steps, arguments.rows))
        return [make_batch(rows, batch, variation, (0, 0)) for batch in chosen]
    steps = plan_steps(rows.lengths, settings, settings.batch_tokens)
    return [make_batch(rows, step.rows, variation, (settings.seed, step.epoch)) for step in steps]


def flops_per_token(model: ConditionalGPT2, n_tokens_of_row: float) -> float:
    """Of one token forth and back: 6 for each weight of a matrix, 12 x layers x width for each token attended to, half of
    which causality leaves out (Chowdhery et al., 2022, appendix B).
    """
    config = model.config
    weights = sum(parameter.numel() for parameter in model.transformer.h.parameters()) + config.vocab_size * config.n_embd
    return 6 * weights + 12 * config.n_layer * config.n_embd * n_tokens_of_row / 2


def train(
    model: ConditionalGPT2,
    tensors: Sequence[tuple[torch.Tensor, ...]],
    device: str,
    warm_steps: int,
    on_warm: Callable[[], None],
) -> None:
    """Take a step for each batch; `on_warm` is called before the first that counts."""
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.01), lr=1e-4, fused=True)
    for number, (ids_BT, targets_BT, text_BE, has_text_B) in enumerate(tensors):
        if number == warm_steps:
            on_warm()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits_BTV = model(ids_BT, text_BE, has_text_B)
            loss = functional.cross_entropy(
                logits_BTV[:, :-1].flatten(0, 1).float(), targets_BT[:, 1:].flatten(), ignore_index=PAD, label_smoothing=0.1
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Run the loop of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("preset")
    parser.add_argument("device")
    parser.add_argument("steps", type=int)
    parser.add_argument("--warm-steps", type=int, default=8)
    parser.add_argument("--batch-tokens", type=int)
    parser.add_argument("--rows", type=int, help="fixed batches of so many rows")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    batches = batches_of(arguments.data, arguments)
    device, counted = arguments.device, batches[arguments.warm_steps :]
    torch.manual_seed(0)
    model = new_model(train_settings(arguments.preset).shape, batches[0].text_BE.shape[1]).to(device)
    if device == "cuda":
        for block in model.transformer.h:
            block.compile(dynamic=True)
    tensors = [
        tuple(torch.from_numpy(array).to(device) for array in (b.ids_BT, b.targets_BT, b.text_BE, b.has_text_B))
        for b in batches
    ]
    began_s = [0.0]

    def start_clock() -> None:
        if device == "cuda":
            torch.cuda.synchronize()
        began_s[0] = time.perf_counter()

    train(model, tensors, device, arguments.warm_steps, start_clock)
    seconds = time.perf_counter() - began_s[0]
    n_tokens, n_places = (sum(int((b.ids_BT != PAD).sum()) for b in counted), sum(b.ids_BT.size for b in counted))
    result: dict[str, object] = {
        "tokens_per_s": sum(b.n_targets for b in counted) / seconds,
        "padding": 1 - n_tokens / n_places,
        "flops_per_token": flops_per_token(model, n_tokens / sum(len(b.ids_BT) for b in counted)),
        "peak_flops": next(
            (f for name, f in PEAK_FLOPS.items() if device == "cuda" and name in torch.cuda.get_device_name()), 0
        ),
    }
    if arguments.profile:
        with torch.profiler.profile() as profile:
            train(model, tensors[: arguments.warm_steps], device, 0, lambda: None)
        key = "self_cuda_time_total" if device == "cuda" else "self_cpu_time_total"
        result["profile"] = profile.key_averages().table(sort_by=key, row_limit=15)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
