import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose

from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, BOS, CONTROL_ORDER, DRUM, EOS, GENRE, KEY, LENGTH, N_IDS, PITCH, PROGRAM, STYLE
from amt_ray.training.batches import Rows
from amt_ray.training.examine import MOST_CONTROLS, QUESTIONS, choose_windows, examine, given_events, ngram_score
from amt_ray.training.ngrams import ngram_loss
from amt_ray.training.validation import ALL_TOLD, NO_CONTROLS, score
from amt_ray.training.windows import Labels, cut_windows

TEXT_DIM = 8


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    torch.set_num_threads(1)


def rows_from(windows, text_of):
    """Rows of (controls, context, own events), window i with the texts `text_of[i]`."""
    sequences = [[BOS, *controls, *context, *own] for controls, context, own in windows]
    return Rows(
        ids=np.concatenate(sequences).astype(np.uint16),
        starts=np.append(0, np.cumsum([len(ids) for ids in sequences])),
        n_controls=np.array([len(controls) for controls, _, _ in windows], np.int64),
        n_context=np.array([len(context) for _, context, _ in windows], np.int64),
        texts=[np.array(texts) for texts in text_of],
        text_vectors=np.eye(TEXT_DIM, dtype=np.float32),
    )


def composed(seeds, n_bars=12):
    """Windows as they are cut from pieces, with their context."""
    windows = [(i, w) for i, seed in enumerate(seeds) for w in cut_windows(quantise(compose(seed, n_bars)), Labels(i), 256)]
    parts = [np.split(w.ids, [1, 1 + w.n_controls, 1 + w.n_controls + w.n_context])[1:] for _, w in windows]
    return rows_from(parts, [[i] for i, _ in windows])


SURE = 5.0
"""How much likelier, as a logit, the toy models hold one event than any other."""
HIT = math.log(math.exp(SURE) + N_IDS - 1) - SURE
MISS = HIT + SURE
EVEN = math.log(N_IDS)


def hears_key(ids_BT, text_BE, has_text_B):
    """A model of music that repeats the pitch its key control names; without one it expects nothing."""
    logits_BTV = torch.zeros(*ids_BT.shape, N_IDS)
    for b, ids in enumerate(ids_BT.tolist()):
        for key in (event_id - KEY.start for event_id in ids if event_id in KEY):
            logits_BTV[b, :, PITCH.start + key] = SURE
    return logits_BTV


def hears_text(ids_BT, text_BE, has_text_B):
    """The same, of the text's number."""
    logits_BTV = torch.zeros(*ids_BT.shape, N_IDS)
    for b, number in enumerate(text_BE.argmax(1).tolist()):
        logits_BTV[b, :, PITCH.start + number] = SURE * has_text_B[b]
    return logits_BTV


def pitches(numbers, with_key=True):
    """Windows of nine notes of one pitch, some of them given, and of a piece each; the context is of another pitch."""
    windows = [
        ([STYLE.start, *[KEY.start + n] * with_key, PROGRAM.start], [PITCH.start + 60] * (i % 3), [PITCH.start + n] * 9)
        for i, n in enumerate(numbers)
    ]
    return rows_from(windows, [[n] for n in numbers])


def answers_of(model, rows, **options):
    return {answer.name: answer for answer in examine(model, rows, rows, 64, **options).answers}


def test_a_control_that_is_listened_to_has_exactly_its_margin_and_others_none():
    answers = answers_of(hears_key, pitches([0, 1, 2, 3, 0, 2]))
    assert list(answers) == [question.name for question in QUESTIONS]
    hears, deaf = pytest.approx((HIT, MISS, EVEN), rel=1e-6), pytest.approx((HIT, HIT, HIT), rel=1e-6)
    assert answers["key"].losses == hears
    assert answers["all controls"].losses == hears
    assert answers["all controls and text"].losses == hears
    for name in ("style", "instruments", "text"):
        assert answers[name].losses == deaf
        assert answers[name].n_windows == 6
    for name in ("genre", "mood", "tempo", "metre", "density", "polyphony", "length"):
        assert (answers[name].n_windows, answers[name].losses) == (0, None)


def test_a_control_is_taken_from_a_window_where_it_is_another_one():
    rows = replace(pitches([0, 0, 0, 0, 1, 1, 1, 1]), texts=[np.array([i]) for i in range(8)])
    assert answers_of(hears_key, rows)["key"].losses.shuffled == pytest.approx(MISS, rel=1e-6)
    assert answers_of(hears_key, rows)["all controls"].losses.shuffled < MISS - 0.1  # of another piece, whatever it is


def test_a_text_that_is_listened_to_is_one_of_another_piece():
    answers = answers_of(hears_text, pitches([0, 0, 0, 1, 1, 2]))
    hears, deaf = pytest.approx((HIT, MISS, EVEN), rel=1e-6), pytest.approx((HIT, HIT, HIT), rel=1e-6)
    assert (answers["text"].losses, answers["all controls and text"].losses) == (hears, hears)
    assert (answers["key"].losses, answers["all controls"].losses) == (deaf, deaf)


def test_all_three_losses_are_of_the_windows_that_have_the_control():
    # In windows without a key the toy is not better than chance.
    own, keyless = pitches([0, 1, 2]), pitches([3, 4, 5, 6], with_key=False)
    rows = Rows(
        np.concatenate([own.ids, keyless.ids]),
        np.append(own.starts, own.starts[-1] + keyless.starts[1:]),
        np.append(own.n_controls, keyless.n_controls),
        np.append(own.n_context, keyless.n_context),
        own.texts + keyless.texts,
        own.text_vectors,
    )
    report = examine(hears_key, rows, rows, 64)
    answers = {answer.name: answer for answer in report.answers}
    assert (answers["key"].n_windows, answers["key"].losses) == (3, pytest.approx((HIT, MISS, EVEN), rel=1e-6))
    assert report.model.loss == pytest.approx((3 * HIT + 4 * EVEN) / 7, rel=1e-6)
    assert answers["style"].losses.true == report.model.loss


def test_a_control_of_one_window_has_no_other_to_be_exchanged_with():
    rows = rows_from([([KEY.start], [], [PITCH.start]), ([LENGTH.start], [], [PITCH.start])], [[0], [1]])
    answers = answers_of(hears_key, rows)
    assert (answers["key"].n_windows, answers["key"].losses) == (1, None)
    assert answers["all controls"].losses.shuffled == pytest.approx(answers["all controls"].losses.true, rel=1e-6)


def test_a_window_keeps_its_text_whatever_else_is_exchanged():
    # Texts of one piece differ: were another drawn, the loss would change.
    rows = replace(pitches([0, 1, 2, 3]), texts=[np.array([n, n + 4]) for n in range(4)])
    answers = answers_of(hears_text, rows)
    for name in ("style", "key", "instruments", "all controls"):
        assert answers[name].losses == pytest.approx([answers["text"].losses.true] * 3, rel=1e-6)


def test_losses_do_not_depend_on_the_batches():
    rows = composed((0, 1, 2))
    one, other = (examine(hears_key, rows, rows, batch_tokens) for batch_tokens in (100, 5000))
    assert one.model == pytest.approx(other.model, rel=1e-5)
    for a, b in zip(one.answers, other.answers, strict=True):
        assert (a.name, a.n_windows) == (b.name, b.n_windows)
        assert a.losses is b.losses is None or a.losses == pytest.approx(b.losses, rel=1e-5)


def test_progress_counts_every_window_that_is_scored():
    seen = []
    rows = pitches([0, 1, 2, 3])
    answers_of(hears_key, rows, on_progress=lambda *told: seen.append(told))
    # As they are, and twice more for style, key, instruments, text, and both kinds of all.
    assert {(what, total) for what, _, total in seen} == {("windows scored", 4 * (1 + 2 * 6))}
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    assert seen[-1][1] == seen[-1][2]


def test_n_grams_are_scored_on_the_events_that_the_model_is_scored_on():
    train, validation = composed((0, 1, 2)), composed((3, 4), 20)
    assert validation.n_context.any()
    report = examine(hears_key, train, validation, 512)
    for told in (ALL_TOLD, NO_CONTROLS):
        of_model = score(hears_key, validation, [np.arange(len(validation))], told)
        assert report.ngram[1:] == report.unigram[1:] == of_model[1:] == report.model[1:]
    n_own = int((validation.lengths - 1 - validation.n_controls - validation.n_context).sum())
    assert (report.n_windows, report.model.n_events) == (len(validation), n_own)
    assert report.ngram.loss < report.unigram.loss < EVEN


def test_n_grams_count_no_controls_and_no_context():
    train, validation = pitches([0, 1, 2]), pitches([1, 2, 1])
    bare = [rows_from([([], [], [PITCH.start + n] * 9) for n in numbers], [[0]] * 3) for numbers in ([0, 1, 2], [1, 2, 1])]
    wanted = ngram_loss(bare[0].ids, bare[0].starts, bare[1].ids, bare[1].starts, 1)
    assert ngram_score(train, validation, 1) == (27 * wanted, 27, 27)


def test_drums_are_notes():
    rows = rows_from([([], [], [BAR, DRUM.start, PITCH.start, EOS])], [[0]])
    assert ngram_score(rows, rows, 1)[1:] == (4, 2)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=5))
def test_given_is_what_stands_before_a_window_s_own_events(sizes):
    windows = [([KEY.start] * a, [BAR] * b, [EOS] * c) for a, b, c in sizes]
    wanted = [bit for a, b, c in sizes for bit in [True] * (1 + a + b) + [False] * c]
    assert given_events(rows_from(windows, [[0]] * len(windows))).tolist() == wanted


def test_windows_that_could_grow_out_of_the_context_are_left_out():
    music = [PITCH.start] * 20
    rows = rows_from([([KEY.start], [], music), ([], [], [*music, EOS]), ([], [], music)], [[0], [1], [2]])
    room = 1 + MOST_CONTROLS + len(music)
    assert choose_windows(rows, 9, room).lengths.tolist() == [22, 21]
    assert choose_windows(rows, 9, room + 1).lengths.tolist() == [22, 22, 21]
    assert len(choose_windows(rows, 9, room - 1)) == 0


def test_no_window_grows_beyond_that_room():
    everything = [block.start for block in CONTROL_ORDER if block is not PROGRAM]
    programs = [PROGRAM.start + i for i in range(12)]
    told = sorted([*everything, *programs], key=lambda i: [i in block for block in CONTROL_ORDER].index(True))
    rows = rows_from([([GENRE.start], [], [BAR]), (told, [], [BAR])], [[0], [1]])
    widths = []

    def model(ids_BT, text_BE, has_text_B):
        widths.append(ids_BT.shape[1])
        return torch.zeros(*ids_BT.shape, N_IDS)

    examine(model, rows, rows, 64)
    assert max(widths) == len(told) + 2 == MOST_CONTROLS + 2
    assert len(choose_windows(rows, 9, max(widths))) == 2


def test_windows_are_drawn_always_the_same_in_their_order_and_more_hold_fewer():
    rows = pitches(range(8))
    few, more = (choose_windows(rows, n, 100).ids for n in (3, 6))
    assert few.tolist() == choose_windows(rows, 3, 100).ids.tolist()
    few, more = (list(dict.fromkeys(ids[(ids >= KEY.start) & (ids < KEY.end)].tolist())) for ids in (few, more))
    assert (len(few), len(more)) == (3, 6)
    assert set(few) < set(more)
    assert few == sorted(few)
    assert few != more[:3]
