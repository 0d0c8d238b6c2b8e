"""Drawing events from the model for several requests at once, over one KV cache.

Prompts are padded on the left; each row has its own random generator, so that what a request gives depends on its seed and
not on its neighbours (up to float rounding of batched matrix products). Legend: B rows, S positions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from amt_ray.events.vocabulary import EOS, PAD
from amt_ray.generation.sampling import constrain, draw, temperature, top_k, top_p
from amt_ray.generation.steering import Steering
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, Place


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence to draw: the events that it begins with, its text, how it is steered and sampled."""

    prompt: Sequence[int]
    text_E: npt.NDArray[np.float32]
    steering: Steering
    temperature: float
    top_k: int | None
    top_p: float
    rng: np.random.Generator


OnStep = Callable[[int], None]


@torch.no_grad()
def generate(model: ConditionalGPT2, rows: Sequence[Row], on_step: OnStep = lambda step: None) -> list[list[int]]:
    """Draw each row to its EOS. Returns all events of each row, its prompt included.

    `on_step` is called with the number of events drawn so far after each step.
    """
    if not rows:
        return []
    embeds_BSD, attention_BS, place = _prompts(model, rows)
    position_BS = (attention_BS.cumsum(1) - 1).clamp(min=0)
    sequences = [list(row.prompt) for row in rows]
    for row in rows:
        for event_id in row.prompt:
            row.steering.push(event_id)
    cache, step = None, 0
    while True:
        out = model(
            inputs_embeds=embeds_BSD,
            attention_mask=attention_BS,
            position_ids=position_BS,
            past_key_values=cache,
            use_cache=True,
        )
        cache = out.past_key_values
        next_B = [_next(row, logits_V) for row, logits_V in zip(rows, out.logits[:, -1].double().cpu().numpy(), strict=True)]
        for sequence, event_id in zip(sequences, next_B, strict=True):
            if event_id != PAD:
                sequence.append(event_id)
        step += 1
        on_step(step)
        if all(sequence[-1] == EOS for sequence in sequences):
            return sequences
        ids_B1 = torch.tensor(next_B, device=model.device)[:, None]
        embeds_BSD, place = model.embed_events(ids_B1, place)
        attention_BS = torch.cat([attention_BS, attention_BS.new_ones(len(rows), 1)], dim=1)
        position_BS = (position_BS[:, -1:] + 1).clamp(max=model.config.n_positions - 1)


def _next(row: Row, logits_V: npt.NDArray[np.float64]) -> int:
    if row.steering.state.last == "END":
        return PAD
    constrained = constrain(row.steering.end_logit(logits_V), row.steering.mask())
    event_id = draw(top_p(top_k(temperature(constrained, row.temperature), row.top_k), row.top_p), row.rng)
    row.steering.push(event_id)
    return event_id


def _prompts(model: ConditionalGPT2, rows: Sequence[Row]) -> tuple[Tensor, Tensor, Place]:
    """Embed prefix and prompt of each row, padded on the left: [B, S, D], the attention mask [B, S] and the place behind."""
    device = model.device
    has_text = torch.ones(1, dtype=torch.bool, device=device)
    embedded = [
        model.embed(torch.tensor([list(row.prompt)], device=device), torch.from_numpy(row.text_E)[None].to(device), has_text)
        for row in rows
    ]
    longest = max(e.shape[1] for e, _ in embedded)
    padded = [torch.nn.functional.pad(e, (0, 0, longest - e.shape[1], 0)) for e, _ in embedded]
    attention = [[0] * (longest - e.shape[1]) + [1] * e.shape[1] for e, _ in embedded]
    place = Place(*(torch.cat(parts) for parts in zip(*(place for _, place in embedded), strict=True)))
    return torch.cat(padded), torch.tensor(attention, device=device), place
