import math

import numpy as np
import pytest
import torch

from amt_ray.events.vocabulary import BAR, BOS, DRUM, EOS, KEY, N_IDS, PITCH, PROGRAM
from amt_ray.training.batches import Rows, Variation, make_batch
from amt_ray.training.validation import (
    ALL_TOLD,
    NO_CONTROLS,
    NO_TEXT,
    Score,
    n_notes_of,
    score,
    validation_batches,
)

MUSIC = [BAR, PROGRAM.start, PITCH.start, PITCH.start + 4, DRUM.start, EOS]
TEXTS = np.eye(2, dtype=np.float32)


def rows_of(sequences, n_controls=1, n_context=0):
    lengths = [len(ids) for ids in sequences]
    everywhere = np.ones(len(sequences), np.int64)
    return Rows(
        np.concatenate(sequences).astype(np.uint16),
        np.append(0, np.cumsum(lengths)),
        n_controls * everywhere,
        n_context * everywhere,
        [np.array([0])] * len(sequences),
        TEXTS,
    )


def knows_key_and_text(ids_BT, text_BE, has_text_B):
    """Gives what comes next a probability of a half, a quarter without the key, an eighth of that without the text."""
    told_B = (ids_BT == KEY.start).any(1)
    share_B = torch.where(told_B, 0.5, 0.25) * torch.where(has_text_B, 1.0, 0.125)
    next_BT = torch.cat([ids_BT[:, 1:], ids_BT[:, :1]], 1)
    rest_B = (1 - share_B) / (N_IDS - 1)
    p_BTV = rest_B[:, None, None].expand(*ids_BT.shape, N_IDS).clone()
    p_BTV.scatter_(2, next_BT[..., None], share_B[:, None, None].expand(*ids_BT.shape, 1))
    return p_BTV.log()


@pytest.mark.parametrize(("told", "share"), [(ALL_TOLD, 1 / 2), (NO_CONTROLS, 1 / 4), (NO_TEXT, 1 / 16)])
def test_only_the_music_counts_whatever_is_told(told, share):
    rows = rows_of([[BOS, KEY.start, *MUSIC]] * 3)
    result = score(knows_key_and_text, rows, [np.array([0, 1]), np.array([2])], told)
    assert (result.n_events, result.n_notes) == (3 * len(MUSIC), 3 * 3)
    assert result.loss == pytest.approx(-math.log(share), rel=1e-5)
    assert result.bits_per_note == pytest.approx(-math.log2(share) * len(MUSIC) / 3, rel=1e-5)


def test_context_does_not_count():
    rows = rows_of([[BOS, KEY.start, *MUSIC]], n_context=4)
    assert score(knows_key_and_text, rows, [np.array([0])], ALL_TOLD)[1:] == (2, 1)


def test_ranks_shares_add_up():
    rows = rows_of([[BOS, KEY.start, *MUSIC]] * 3)
    batches = [np.arange(2), np.array([2])]
    shares = [score(knows_key_and_text, rows, batches, ALL_TOLD, rank=rank, world_size=2) for rank in range(2)]
    whole = score(knows_key_and_text, rows, batches, ALL_TOLD)
    assert Score(*map(sum, zip(*shares, strict=True))) == pytest.approx(whole)


def test_batches_are_the_first_of_a_fixed_order():
    rows = rows_of([[BOS, KEY.start, *MUSIC]] * 100)
    batches = validation_batches(rows, 16, 80)
    assert [len(batch) for batch in batches] == [2] * 5
    assert [batch.tolist() for batch in validation_batches(rows, 16, 160)[:5]] == [batch.tolist() for batch in batches]
    assert len(validation_batches(rows, 16, 1)) == 1
    none = Rows(rows.ids[:0], rows.starts[:1], rows.n_controls[:0], rows.n_context[:0], [], TEXTS)
    assert validation_batches(none, 16, 80) == []


def test_notes_are_pitches_and_drums_that_are_to_be_learnt():
    batch = make_batch(rows_of([[BOS, KEY.start, *MUSIC]]), np.array([0]), Variation(), (0,))
    assert n_notes_of(batch) == 3
    assert n_notes_of(batch.without_targets()) == 0
