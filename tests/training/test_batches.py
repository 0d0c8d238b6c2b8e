from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose

from amt_ray.events.controls import Controls
from amt_ray.events.encode import encode
from amt_ray.events.grammar import START_INFILL, check
from amt_ray.events.infill import filled
from amt_ray.events.vocabulary import BAR, BOS, EOS, GENRE, KEY, LENGTH, PAD, PITCH, PROGRAM, STYLE, TEMPO, TIME_SIGNATURE
from amt_ray.schemas import EMBEDDINGS, SEQUENCES
from amt_ray.training.augment import Augmentation
from amt_ray.training.batches import OPENING, Rows, Variation, make_batch, make_share, plan_epoch
from amt_ray.training.rows import rows_of_split

CONTROLS = [STYLE.start, GENRE.start, KEY.start, PROGRAM.start, PROGRAM.start + 40, PROGRAM.start + 128, LENGTH.start]
KEPT = Variation()


def rows_from(sequences, n_controls, texts=None, n_texts=1, dim=4, n_context=None):
    lengths = [len(ids) for ids in sequences]
    vectors = np.eye(max(n_texts, dim), dtype=np.float32)[:n_texts]
    return Rows(
        ids=np.concatenate(sequences).astype(np.uint16),
        starts=np.append(0, np.cumsum(lengths)),
        n_controls=np.array(n_controls),
        n_context=np.array(n_context or [0] * len(sequences)),
        texts=texts or [np.array([0])] * len(sequences),
        text_vectors=vectors,
    )


def realistic_lengths(n=4000):
    """Windows of up to 1,024 events: most nearly full, the pieces' ends anywhere."""
    rng = np.random.default_rng(0)
    return np.where(rng.random(n) < 0.7, rng.integers(900, 1025, n), rng.integers(60, 1025, n))


@given(st.lists(st.integers(1, 600), min_size=1, max_size=300), st.integers(1, 2000), st.integers(0, 9), st.integers(0, 9))
def test_every_row_once_and_within_the_budget(lengths, batch_tokens, seed, epoch):
    lengths = np.array(lengths)
    plan = plan_epoch(lengths, batch_tokens, seed, epoch)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    for batch in plan:
        assert len(batch) == 1 or lengths[batch].max() * len(batch) <= batch_tokens


@pytest.mark.parametrize("batch_tokens", [8192, 32768])
def test_padding_stays_under_five_percent(batch_tokens):
    lengths = realistic_lengths()
    plan = plan_epoch(lengths, batch_tokens, 0, 0)
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in plan)
    assert 1 - lengths.sum() / padded < 0.05
    assert lengths.sum() / (batch_tokens * len(plan)) > 0.85


def test_the_same_seed_and_epoch_are_the_same_plan_and_others_are_not():
    lengths = realistic_lengths(500)

    def plan(seed, epoch):
        return [batch.tolist() for batch in plan_epoch(lengths, 4096, seed, epoch)]

    assert plan(1, 2) == plan(1, 2)
    assert len({str(plan(seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}) == 4


def test_short_and_long_batches_come_mixed():
    lengths = realistic_lengths()
    longest = [int(lengths[batch].max()) for batch in plan_epoch(lengths, 8192, 0, 0)]
    first, second = longest[: len(longest) // 2], longest[len(longest) // 2 :]
    assert abs(np.mean(first) - np.mean(second)) < 60
    assert abs(np.corrcoef(longest[1:], longest[:-1])[0, 1]) < 0.3


def test_a_batch_holds_its_rows_and_pads_on_the_right():
    sequences = [[BOS, *CONTROLS, BAR, 100, EOS], [BOS, BAR, EOS], [BOS, CONTROLS[0], BAR, 99, 98, EOS]]
    rows = rows_from(sequences, [len(CONTROLS), 0, 1], [np.array([i]) for i in range(3)], 3)
    batch = make_batch(rows, np.array([2, 0]), KEPT, (0,))
    width = len(sequences[0])
    assert batch.ids_BT.tolist() == [sequences[2] + [PAD] * (width - 6), sequences[0]]
    assert batch.text_BE.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert batch.has_text_B.tolist() == [True, True]
    assert (batch.ids_BT.dtype, batch.text_BE.dtype) == (np.int64, np.float32)


def test_bos_padding_and_context_behind_its_metre_and_tempo_are_no_targets():
    metre, tempo = TIME_SIGNATURE.start, TEMPO.start
    music = [BAR, metre, tempo, 100, BAR, 101, EOS]
    rows = rows_from([[BOS, *CONTROLS, *music], [BOS, BAR, EOS]], [len(CONTROLS), 0], n_context=[4, 0])
    batch = make_batch(rows, np.array([0, 1]), Variation(0.5, 0.0), (3,))
    n_kept = len(set(CONTROLS) & set(batch.ids_BT[0].tolist()))
    assert 0 < n_kept < len(CONTROLS)
    kept = batch.ids_BT[0, 1 : 1 + n_kept].tolist()
    assert batch.targets_BT[0].tolist() == [PAD, *kept, BAR, metre, tempo, PAD, BAR, 101, EOS]
    assert batch.targets_BT[1, :4].tolist() == [PAD, BAR, EOS, PAD]
    assert batch.n_targets == n_kept + 6 + 2
    assert batch.without_targets().n_targets == 0
    music_alone = make_batch(rows, np.array([0, 1]), replace(KEPT, learns_controls=False), (3,))
    assert music_alone.targets_BT[0].tolist() == [PAD] * (1 + len(CONTROLS) + 4) + [BAR, 101, EOS]
    assert music_alone.targets_BT[1, :4].tolist() == [PAD, BAR, EOS, PAD]


def test_what_a_row_shows_does_not_depend_on_its_neighbours():
    rows = rows_from([[BOS, *CONTROLS, BAR, 100 + i, EOS] for i in range(30)], [len(CONTROLS)] * 30, n_texts=4)
    some = Variation(0.5, 0.5)
    together = make_batch(rows, np.arange(30), some, (1, 2))
    for row in range(30):
        alone = make_batch(rows, np.array([row]), some, (1, 2))
        ids = together.ids_BT[row]
        assert ids[ids != PAD].tolist() == alone.ids_BT[0].tolist()
        assert together.has_text_B[row] == alone.has_text_B[0]
    assert make_batch(rows, np.arange(30), some, (1, 3)).has_text_B.tolist() != together.has_text_B.tolist()


def test_rows_that_are_infilled_are_whole_music_with_something_hidden():
    ids = encode(compose(3, 6), Controls(key="D minor"))
    rows = rows_from([ids] * 40, [1] * 40, n_context=[9] * 40)
    batch = make_batch(rows, np.arange(40), Variation(infill_share=0.5, most_tokens=len(ids) + 100), (0,))
    shown = [row[row != PAD].astype(np.uint16) for row in batch.ids_BT]
    hidden = [row for row in shown if len(row) != len(ids) or (row != ids).any()]
    assert 8 < len(hidden) < 32
    for row in hidden:
        check(row, START_INFILL)
        assert filled(row).tolist() == ids.tolist()
    for row, targets in zip(shown, batch.targets_BT, strict=True):
        n_left_out = 1 if any(row is other for other in hidden) else 1 + 9 - OPENING
        assert (targets != PAD).sum() == len(row) - n_left_out


def test_rows_that_are_augmented_keep_their_length_and_move_their_key_along():
    ids = encode(compose(3, 6), Controls(key="D minor"))
    rows = rows_from([ids] * 40, [1] * 40)
    batch = make_batch(rows, np.arange(40), Variation(augmentation=Augmentation()), (0,))
    is_pitch = (ids >= PITCH.start) & (ids < PITCH.end)
    semitones = {(row[is_pitch] - ids[is_pitch]).tolist()[0] for row in batch.ids_BT}
    assert len(semitones) > 5
    minor = KEY.start + KEY.names.index("D minor") - 2
    for row in batch.ids_BT:
        moved = (row[is_pitch] - ids[is_pitch])[0]
        assert row[1] == minor + (2 + moved) % 12
    assert batch.n_targets == 40 * (len(ids) - 1)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_parts_of_a_batch_are_its_rows_without_padding_that_they_do_not_need(n):
    rows = rows_from([[BOS, *[BAR] * i, EOS] for i in (1, 5, 2, 7, 3)], [0] * 5)
    batch = make_batch(rows, np.arange(5), KEPT, (0,))
    parts = list(batch.parts(n))
    assert len(parts) == min(n, 5)
    assert sum(part.n_targets for part in parts) == batch.n_targets
    read = [ids[ids != PAD].tolist() for part in parts for ids in part.ids_BT]
    assert read == [[BOS, *[BAR] * i, EOS] for i in (1, 5, 2, 7, 3)]
    assert all((part.ids_BT != PAD).any(axis=0).all() for part in parts)


@given(st.integers(1, 5), st.integers(1, 7))
def test_ranks_share_each_row_of_a_step_once(world_size, n_rows):
    rows = rows_from([[BOS, PITCH.start + row, EOS] for row in range(n_rows)], [0] * n_rows)
    shares = [make_share(rows, np.arange(n_rows), KEPT, (0,), rank, world_size) for rank in range(world_size)]
    learnt = [share.targets_BT[:, 1][share.targets_BT[:, 1] != PAD].tolist() for share in shares]
    assert sorted(pitch for share in learnt for pitch in share) == [PITCH.start + row for row in range(n_rows)]
    assert max(map(len, learnt)) - min(map(len, learnt)) <= 1
    assert min(len(share.ids_BT) for share in shares) == max(1, n_rows // world_size)


def test_controls_are_targets_unless_only_the_music_is_to_be_learnt():
    rows = rows_from([[BOS, KEY.start, LENGTH.start, BAR, PITCH.start, EOS]], [2])
    assert make_batch(rows, np.array([0]), KEPT, (0,)).targets_BT.tolist() == [
        [PAD, KEY.start, LENGTH.start, BAR, PITCH.start, EOS]
    ]
    music = make_batch(rows, np.array([0]), Variation(learns_controls=False), (0,))
    assert music.targets_BT.tolist() == [[PAD, PAD, PAD, BAR, PITCH.start, EOS]]


def test_dropout_leaves_out_each_control_with_its_chance_and_instruments_together():
    n = 6000
    body = [BAR, PITCH.start, EOS]
    rows = rows_from([[BOS, *CONTROLS, *body]] * n, [len(CONTROLS)] * n)
    batch = make_batch(rows, np.arange(n), Variation(0.3, 0.2), (1,))
    within = 4 * np.sqrt(0.3 * 0.7 / n)
    has = {control: (batch.ids_BT == control).any(axis=1) for control in CONTROLS}
    for control in CONTROLS:
        assert has[control].mean() == pytest.approx(0.7, abs=within)
    assert (has[CONTROLS[3]] == has[CONTROLS[4]]).all()
    assert (has[CONTROLS[3]] == has[CONTROLS[5]]).all()
    both = (has[CONTROLS[0]] & has[CONTROLS[1]]).mean()
    assert both == pytest.approx(0.49, abs=within)
    assert batch.has_text_B.mean() == pytest.approx(0.8, abs=within)
    assert (has[CONTROLS[0]] & batch.has_text_B).mean() == pytest.approx(0.56, abs=within)
    for ids in batch.ids_BT.tolist():
        kept = [event_id for event_id in ids if event_id != PAD]
        assert kept == [BOS, *(control for control in CONTROLS if control in kept), *body]


def test_an_event_of_the_music_is_never_dropped_though_it_looks_like_a_control():
    rows = rows_from([[BOS, PROGRAM.start, BAR, PROGRAM.start, EOS]] * 200, [1] * 200)
    batch = make_batch(rows, np.arange(200), Variation(0.99, 0.0), (0,))
    assert (batch.ids_BT[:, :3] == [BOS, BAR, PROGRAM.start]).all(axis=1).sum() > 150
    assert ((batch.ids_BT == BAR).sum(axis=1) == 1).all()


def test_each_of_a_piece_s_texts_is_used_as_often():
    rows = rows_from([[BOS, BAR, EOS]] * 2000, [0] * 2000, [np.array([1, 3])] * 2000, 4)
    batch = make_batch(rows, np.arange(2000), KEPT, (0,))
    assert batch.text_BE.mean(axis=0) == pytest.approx([0, 0.5, 0, 0.5], abs=0.05)


def tables():
    sequences = [
        {"piece_id": piece_id, "window": window, "ids": [BOS, 10 * p + window, BAR, EOS][: 4 - window % 2],
         "n_controls": 1, "n_context": window, "style": 0, "split": "validation" if piece_id == "c" else "train"}
        for p, piece_id in enumerate("abcd") for window in range(12)
    ]  # fmt: skip
    kinds = {"a": ["features"], "b": ["wikipedia", "features"], "c": ["features"], "d": ["features"]}
    embeddings = [
        {"piece_id": piece_id, "kind": kind, "vector": [float(ord(piece_id)), float(len(kind))]}
        for piece_id, of_piece in kinds.items() for kind in of_piece
    ]  # fmt: skip
    return pa.Table.from_pylist(sequences, SEQUENCES), pa.Table.from_pylist(embeddings, EMBEDDINGS)


def test_rows_of_a_split_are_in_order_with_their_texts():
    rows = rows_of_split(*tables(), "train")
    assert len(rows) == 36
    read = [rows.ids[a:b].tolist() for a, b in zip(rows.starts, rows.starts[1:], strict=False)]
    assert read == [[BOS, 10 * p + window, BAR, EOS][: 4 - window % 2] for p in (0, 1, 3) for window in range(12)]
    assert rows.lengths.tolist() == [len(ids) for ids in read]
    assert rows.n_controls.tolist() == [1] * 36
    assert rows.n_context.tolist() == [*range(12)] * 3
    texts = [sorted(map(tuple, rows.text_vectors[index].tolist())) for index in rows.texts]
    assert texts[0] == [(97.0, 8.0)]
    assert texts[12] == [(98.0, 8.0), (98.0, 9.0)]
    assert texts[35] == [(100.0, 8.0)]
    assert len(rows_of_split(*tables(), "validation")) == 12


def test_rows_do_not_depend_on_the_order_of_the_tables():
    sequences, embeddings = tables()
    rng = np.random.default_rng(0)
    mixed = pa.concat_tables([sequences.take(rng.permutation(48)).slice(0, 20), sequences.slice(0, 0)])
    rest = sequences.filter(pa.array([row not in mixed.to_pylist() for row in sequences.to_pylist()]))
    shuffled = pa.concat_tables([rest, mixed]), embeddings.take(rng.permutation(5))
    one, two = rows_of_split(sequences, embeddings, "train"), rows_of_split(*shuffled, "train")
    for name in ("ids", "starts", "n_controls", "n_context", "text_vectors"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    assert [index.tolist() for index in one.texts] == [index.tolist() for index in two.texts]


def test_a_split_without_windows_has_no_rows():
    sequences, embeddings = tables()
    rows = rows_of_split(sequences.slice(0, 12), embeddings, "validation")
    assert (len(rows), rows.starts.tolist(), rows.lengths.tolist(), list(rows.texts)) == (0, [0], [], [])
