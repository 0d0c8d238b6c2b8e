"""What a trained model has learnt of what it is told, asked on music that it was not trained on.

Windows are scored as they are, with what another window is told in place of their own ("shuffled"), and without it. What a
model makes nothing of may be another's at no loss. Only the events of a window's own music are predicted, so that the losses
of a question, and those of a model and the n-gram models beside it, are over the very same events.

Legend of shapes: R windows, N their events laid one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from amt_ray.events.vocabulary import BLOCK_OF, CONTROL_ORDER, DRUM, PITCH, Block
from amt_ray.training.batches import Rows, Variation, plan_epoch
from amt_ray.training.exchange import controls_of, givers_of, ids_of, rows_at, with_controls, with_texts, without_controls
from amt_ray.training.ngrams import Mask, grams_of, ngram_loss
from amt_ray.training.validation import ALL_TOLD, NO_TEXT, Score, score
from amt_ray.training.windows import MOST_CONTROL_PROGRAMS

MOST_CONTROLS = len(CONTROL_ORDER) - 1 + MOST_CONTROL_PROGRAMS
"""Each control once, and the most instruments that a window has."""
N_GRAM = 4
_SEED = 0
_NAMES = ("style", "genre", "mood", "tempo", "key", "metre", "instruments", "density", "polyphony", "length")

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Question:
    """What is exchanged and left out at once: the controls of some blocks, the text, or both."""

    name: str
    blocks: tuple[Block, ...]
    is_of_text: bool = False

    def askable(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Say which windows have such a control, or a text where that is asked: bool[R]."""
        controls = controls_of(rows)
        return np.array([self.is_of_text or any(len(ids_of(block, ids)) for block in self.blocks) for ids in controls], bool)

    def values(self, rows: Rows) -> list[Hashable]:
        """What an exchange is to change: the value of a single control, else the piece."""
        if len(self.blocks) == 1:
            return [ids_of(self.blocks[0], ids).tobytes() for ids in controls_of(rows)]
        return [int(texts[0]) for texts in rows.texts]


QUESTIONS = (
    *(Question(name, (block,)) for name, block in zip(_NAMES, CONTROL_ORDER, strict=True)),
    Question("text", (), is_of_text=True),
    Question("all controls", CONTROL_ORDER),
    Question("all controls and text", CONTROL_ORDER, is_of_text=True),
)


class Losses(NamedTuple):
    """Nats per event of the same windows, told what is true of them, of others, or nothing."""

    true: float
    shuffled: float
    without: float

    @property
    def shuffled_margin(self) -> float:
        """What it costs to be told what is true of others."""
        return self.shuffled - self.true

    @property
    def without_margin(self) -> float:
        """What it costs to be told nothing."""
        return self.without - self.true


@dataclass(frozen=True)
class Answer:
    """What a question has brought out."""

    name: str
    n_windows: int
    """Windows that it was asked on: those that have the control."""
    losses: Losses | None
    """None where fewer than two windows have it."""


@dataclass(frozen=True)
class Examination:
    """How well a model predicts windows, beside n-gram models, and what each thing that it is told does for that."""

    n_windows: int
    model: Score
    ngram: Score
    """Of `N_GRAM` events."""
    unigram: Score
    answers: tuple[Answer, ...]


def examine(
    model: Any,
    train: Rows,
    validation: Rows,
    batch_tokens: int,
    on_progress: OnProgress = lambda what, done, total: None,
    device: str | torch.device = "cpu",
) -> Examination:
    """Ask a model all `QUESTIONS` on `validation`, and score n-gram models trained on `train` on the same windows.

    A model maps (ids_BT, text_BE, has_text_B) to logits; it has to be on `device` and in evaluation mode. Its batches are of
    about `batch_tokens` events. `on_progress` is called with "windows scored", how often one was, and how often one will be.
    Raises ValueError where either side has no event to predict.
    """
    ngram, unigram = (ngram_score(train, validation, n) for n in (N_GRAM, 1))
    asked = [(question, question.askable(validation)) for question in QUESTIONS]
    n_scored = sum(int(has_R.sum()) * (2 if has_R.all() else 3) for _, has_R in asked if has_R.sum() > 1)
    scorer = _Scorer(model, batch_tokens, device, on_progress, len(validation) + n_scored)
    all_true = scorer(validation)
    answers = tuple(_answer(scorer, question, validation, has_R, all_true.loss) for question, has_R in asked)
    return Examination(len(validation), all_true, ngram, unigram, answers)


def choose_windows(rows: Rows, most_windows: int, most_tokens: int) -> Rows:
    """Draw at most so many windows, always the same, of those that have room for all controls in `most_tokens` events.

    So a window that is told of another's instruments stays within a model's context of `most_tokens`. Windows that were cut
    for that context all have the room.
    """
    (fitting,) = np.nonzero(rows.lengths - rows.n_controls + MOST_CONTROLS <= most_tokens)
    return rows_at(rows, np.sort(np.random.default_rng(_SEED).permutation(fitting)[:most_windows]))


def given_events(rows: Rows) -> Mask:
    """Say which events are told and not predicted: BOS, controls and context, bool[N]."""
    is_given_N: Mask = np.zeros(len(rows.ids), bool)
    for first, last in zip(rows.starts[:-1], rows.starts[:-1] + rows.n_controls + rows.n_context, strict=True):
        is_given_N[first : last + 1] = True
    return is_given_N


def ngram_score(train: Rows, validation: Rows, n: int) -> Score:
    """Train an n-gram model on windows and score it on others, on the events that a model is scored on.

    Raises ValueError as `ngram_loss` does.
    """
    is_given_N = given_events(validation)
    loss = ngram_loss(train.ids, train.starts, validation.ids, validation.starts, n, given_events(train), is_given_N)
    predicted = grams_of(validation.ids, validation.starts, 1, is_given_N)
    n_notes = int(np.isin(BLOCK_OF[predicted], BLOCK_OF[[PITCH.start, DRUM.start]]).sum())
    return Score(loss * len(predicted), len(predicted), n_notes)


class _Scorer:
    """Scores a model batch by batch, and reports how often a window has been scored."""

    def __init__(
        self, model: Any, batch_tokens: int, device: str | torch.device, on_progress: OnProgress, n_scored: int
    ) -> None:
        self.model, self.batch_tokens, self.device = model, batch_tokens, device
        self.on_progress, self.n_scored = on_progress, n_scored
        self.n_done = 0

    def __call__(self, rows: Rows, told: Variation = ALL_TOLD) -> Score:
        # Dealt out here: what `make_batch` draws depends on how many controls there are.
        rows = replace(rows, texts=[texts[[row % len(texts)]] for row, texts in enumerate(rows.texts)])
        total = Score(0.0, 0, 0)
        for batch in plan_epoch(rows.lengths, self.batch_tokens, 0, 0):
            of_batch = score(self.model, rows, [batch], told, self.device)
            total = Score(total.nats + of_batch.nats, total.n_events + of_batch.n_events, total.n_notes + of_batch.n_notes)
            self.n_done += len(batch)
            self.on_progress("windows scored", self.n_done, self.n_scored)
        return total


def _answer(scorer: _Scorer, question: Question, rows: Rows, has_R: npt.NDArray[np.bool_], all_true: float) -> Answer:
    """Ask a question on the windows that have the control; `all_true` is the loss of all as they are."""
    asked = rows_at(rows, np.flatnonzero(has_R))
    if len(asked) < 2:
        return Answer(question.name, len(asked), None)
    givers = givers_of(question.values(asked))
    shuffled = with_controls(asked, question.blocks, givers)
    losses = Losses(
        true=all_true if has_R.all() else scorer(asked).loss,
        shuffled=scorer(with_texts(shuffled, givers) if question.is_of_text else shuffled).loss,
        without=scorer(without_controls(asked, question.blocks), NO_TEXT if question.is_of_text else ALL_TOLD).loss,
    )
    return Answer(question.name, len(asked), losses)
