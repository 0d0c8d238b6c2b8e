"""GPT-2 over events, with a sentence embedding turned into a few soft vectors in front of BOS (prefix tuning's shape:
Li and Liang, 2021). Every event is embedded together with the events that say where it stands, as REMI's descendants embed
the bar position (Compound Word Transformer, Hsiao et al., 2021): left to attention alone, a small model is slow to
learn that time goes forward. For the same reason what is asked for, controls and text, is added to every event behind it
(in-attention conditioning, MuseMorphose: Wu and Yang, 2021): a small model does not look back hundreds of events for a key.

Legend of shapes: B batch, T events, P prefix vectors, S all positions (P + T), D model width, E width of the sentence
embedding, V vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from amt_ray.config import ModelShape
from amt_ray.events.vocabulary import BAR, BLOCKS, BOS, EOS, N_IDS, PAD, POSITION, PROGRAM

TOLD_SHARE = 0.1
"""What is asked for is added this softly: all of it moves every event at once, and at full size it drowns them."""


class ConditionalGPT2Config(GPT2Config):  # type: ignore[no-untyped-call]
    """GPT-2's settings, with the width of the text embedding and the number of prefix vectors."""

    model_type = "amt_ray_conditional_gpt2"

    def __init__(self, text_dim: int = 384, prefix_tokens: int = 4, **gpt2: Any) -> None:
        super().__init__(**gpt2)
        self.text_dim = text_dim
        self.prefix_tokens = prefix_tokens


class Place(NamedTuple):
    """What an event's vector depends on beside the event: where it stands, and what is asked for."""

    frame_B2: Tensor
    """See `frame`."""
    is_music_B: Tensor
    """bool: whether a BAR has come, behind which there are no controls."""
    told_BD: Tensor
    """The sum of the vectors of the text and of the controls so far."""


class ConditionalGPT2(GPT2LMHeadModel):
    """GPT-2 whose sequences begin with the text's prefix."""

    config_class = ConditionalGPT2Config

    def __init__(self, config: ConditionalGPT2Config) -> None:
        super().__init__(config)
        self.text_prefix = nn.Linear(config.text_dim, config.prefix_tokens * config.n_embd)
        self.no_text = nn.Parameter(torch.zeros(config.prefix_tokens, config.n_embd))
        self.told = nn.Embedding(config.vocab_size, config.n_embd)
        self.told_text = nn.Linear(config.text_dim, config.n_embd, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]
        # A new model is told nothing everywhere, as one that knows how to read music is easier to teach what to play.
        nn.init.zeros_(self.told.weight)
        nn.init.zeros_(self.told_text.weight)

    def prefix(self, text_BE: Tensor, has_text_B: Tensor) -> Tensor:
        """Turn unit-norm sentence embeddings into prefix vectors [B, P, D]; a learnt constant stands for "no text"."""
        prefix_BPD = self.text_prefix(text_BE).unflatten(1, (self.config.prefix_tokens, self.config.n_embd))
        return torch.where(has_text_B[:, None, None], prefix_BPD, self.no_text)

    def start(self, text_BE: Tensor, has_text_B: Tensor) -> Place:
        """Return the place before BOS."""
        told_BD = TOLD_SHARE * self.told_text(text_BE) * has_text_B[:, None]
        return Place(has_text_B.new_full((len(text_BE), 2), PAD, dtype=torch.long), torch.zeros_like(has_text_B), told_BD)

    def embed_events(self, ids_BT: Tensor, before: Place) -> tuple[Tensor, Place]:
        """Sum each event's vector, those of its `frame` and of what is asked for: [B, T, D], and the place behind them."""
        frame_BT2 = frame(ids_BT, before.frame_B2)
        is_music_BT = before.is_music_B[:, None] | ((ids_BT == BAR).cumsum(1) > 0)
        is_control_BT = ~is_music_BT & (ids_BT >= BLOCKS["SPECIAL"].end)
        told_BTD = before.told_BD[:, None] + (TOLD_SHARE * self.told(ids_BT) * is_control_BT[..., None]).cumsum(1)
        vectors_BTD = self.transformer.wte(ids_BT) + self.transformer.wte(frame_BT2).sum(2) + told_BTD
        return vectors_BTD, Place(frame_BT2[:, -1], is_music_BT[:, -1], told_BTD[:, -1])

    def embed(self, ids_BT: Tensor, text_BE: Tensor, has_text_B: Tensor) -> tuple[Tensor, Place]:
        """Embed the prefix and the events behind it: [B, S, D], and the place behind them."""
        events_BTD, place = self.embed_events(ids_BT, self.start(text_BE, has_text_B))
        return torch.cat([self.prefix(text_BE, has_text_B), events_BTD], dim=1), place

    def forward(
        self,
        ids_BT: Tensor | None = None,
        text_BE: Tensor | None = None,
        has_text_B: Tensor | None = None,
        **gpt2: Any,
    ) -> Any:
        """With texts: logits [B, T, V], whose entry t predicts the event after `ids_BT[:, t]` (right padding needs no mask).

        Without: GPT-2's own forward on `inputs_embeds`, as generation uses it.
        """
        if ids_BT is None or text_BE is None or has_text_B is None:
            return super().forward(**gpt2)
        embeds_BSD, _ = self.embed(ids_BT, text_BE, has_text_B)
        logits_BSV = super().forward(inputs_embeds=embeds_BSD, use_cache=False).logits
        return logits_BSV[:, self.config.prefix_tokens :]


def frame(ids_BT: Tensor, before_B2: Tensor) -> Tensor:
    """Return where each event stands, as events: the last BAR or POSITION and the last PROGRAM up to it, [B, T, 2].

    `before_B2` is the frame of the event before the first, PAD where there is none.
    """
    is_time_BT = (ids_BT == BAR) | ((ids_BT >= POSITION.start) & (ids_BT < POSITION.end))
    is_program_BT = (ids_BT >= PROGRAM.start) & (ids_BT < PROGRAM.end)
    columns = [_last(ids_BT, where, before_B2[:, i]) for i, where in enumerate((is_time_BT, is_program_BT))]
    return torch.stack(columns, dim=2)


def _last(ids_BT: Tensor, where_BT: Tensor, before_B: Tensor) -> Tensor:
    """Repeat the last id that stands where `where_BT` says, or else `before_B`."""
    index_BT = torch.arange(1, ids_BT.shape[1] + 1, device=ids_BT.device).where(where_BT, 0).cummax(1).values
    return torch.cat([before_B[:, None], ids_BT], dim=1).gather(1, index_BT)


def new_model(shape: ModelShape, text_dim: int) -> ConditionalGPT2:
    """Make an untrained model of a shape; its weights come from torch's global generator (seed it first)."""
    return ConditionalGPT2(
        ConditionalGPT2Config(
            text_dim=text_dim,
            prefix_tokens=shape.prefix_tokens,
            vocab_size=N_IDS,
            n_positions=shape.prefix_tokens + shape.context_tokens,
            n_embd=shape.hidden_dim,
            n_layer=shape.layers,
            n_head=shape.heads,
            # GPT-2's own 0.02 suits about 1,000 wide models; narrower ones start too quiet and learn later.
            initializer_range=shape.hidden_dim**-0.5,
            resid_pdrop=shape.dropout,
            embd_pdrop=shape.dropout,
            # Dropout inside the attention keeps PyTorch from its fused kernels: on a CPU a step takes several times as long.
            attn_pdrop=0.0,
            # The same function as gpt2's own "gelu_new" to float rounding, in one kernel instead of eight.
            activation_function="gelu_pytorch_tanh",
            bos_token_id=BOS,
            eos_token_id=EOS,
            pad_token_id=PAD,
        )
    )
