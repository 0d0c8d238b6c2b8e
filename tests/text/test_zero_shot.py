import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import Label
from amt_ray.text.calibration import UNCALIBRATED_LIMIT, Calibration
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.zero_shot import LABELS, MOST_HEARD, NAMED, ZeroShot, heard

WORDS = 64


def encode(texts):
    vectors = np.zeros((len(texts), WORDS), np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().strip(".").split():
            vectors[row, hashlib.sha256(word.encode()).digest()[0] % WORDS] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)


def sure(confidence):
    return {kind: Calibration(float(np.log(confidence / (1 - confidence))), 0.0, 0.0) for kind in LABELS}


def described(kind, name):
    return [row["sentence"] for row in read_rows("label_descriptions") if (row["kind"], row["label"]) == (kind, name)]


@pytest.fixture(scope="module")
def zero_shot():
    return ZeroShot(encode, "an encoder that nobody has fitted")


def test_every_label_is_described_in_two_to_five_sentences():
    counts = Counter((row["kind"], row["label"]) for row in read_rows("label_descriptions"))
    assert set(counts) == {("mood", name) for name in MOODS} | {("genre", name) for name in GENRES}
    assert {n for n in counts.values() if not 2 <= n <= 5} == set()


@pytest.mark.parametrize("kind", LABELS)
def test_what_a_label_s_sentences_say_together_is_heard_as_that_label(zero_shot, kind):
    sums_LD = np.stack([encode(described(kind, name)).sum(axis=0) for name in LABELS[kind]])
    unit_LD = sums_LD / np.linalg.norm(sums_LD, axis=1, keepdims=True)
    assert zero_shot.scores(kind, unit_LD).argmax(axis=1).tolist() == list(range(len(LABELS[kind])))


def test_scores_are_standard_deviations_of_the_cosines_with_the_sentences_of_others(zero_shot):
    rows = [row for row in read_rows("label_descriptions") if row["kind"] == "mood"]
    scores_SL = zero_shot.scores("mood", encode([row["sentence"] for row in rows]))
    of_others = scores_SL[np.array([[row["label"] != name for name in MOODS] for row in rows])]
    assert (of_others.mean(), of_others.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-6))


def test_an_encoder_that_was_not_fitted_is_never_sure(zero_shot):
    sentences = [row["sentence"] for row in read_rows("label_descriptions")]
    assert not zero_shot.is_calibrated
    assert max(zero_shot.confidences(kind, encode(sentences)).max() for kind in LABELS) <= UNCALIBRATED_LIMIT


def test_the_encoder_of_the_fitted_numbers_is_calibrated():
    (fingerprint,) = {row["encoder"] for row in read_rows("calibration")} - {"any"}
    assert ZeroShot(encode, fingerprint).is_calibrated


def test_a_text_that_names_none_gets_the_likeliest_of_each_kind_with_the_whole_text_as_evidence(zero_shot):
    text = "A piano and a cello."
    (before,) = analyses = [analyse(text)]
    (after,) = heard(analyses, encode([text]), zero_shot.recalibrated(sure(0.4)))
    assert before.moods == before.genres == ()
    assert [(label.confidence, label.span) for label in after.moods] == [(0.4, (0, len(text)))] * MOST_HEARD["mood"]
    assert [(label.confidence, label.span) for label in after.genres] == [(0.4, (0, len(text)))] * MOST_HEARD["genre"]
    assert replace(after, moods=(), genres=()) == before


def test_the_order_of_what_is_heard_is_that_of_the_scores(zero_shot):
    text = "xylophone"
    slope = {kind: Calibration(2.0, 1.0, 0.0) for kind in LABELS}
    (after,) = heard([analyse(text)], encode([text]), zero_shot.recalibrated(slope))
    (scores_L,) = zero_shot.scores("mood", encode([text]))
    expected = sorted(MOODS, key=lambda name: -scores_L[MOODS.index(name)])[: MOST_HEARD["mood"]]
    assert [label.name for label in after.moods] == expected


def test_what_a_text_names_stays_alone(zero_shot):
    text = "sad jazz"
    (after,) = heard([analyse(text)], encode([text]), zero_shot.recalibrated(sure(0.99)))
    assert (after.moods, after.genres) == (analyse(text).moods, analyse(text).genres)


def test_a_weak_word_or_a_theme_does_not_keep_moods_from_being_heard(zero_shot):
    weak, theme = Label("calm", NAMED - 0.1, (0, 4)), Label("film", 0.9, (5, 9))
    loudest = {"mood": Calibration(0.0, 1.0, 0.0), "genre": Calibration(0.0, 1.0, 0.0)}
    analysis = replace(analyse("deep film"), moods=(weak, theme))
    (after,) = heard([analysis], encode(described("mood", "calm")[:1]), zero_shot.recalibrated(loudest))
    assert after.moods[0] == theme
    assert [label.span for label in after.moods if label.name == "calm"] == [(0, len("deep film"))]


def test_a_weak_word_is_not_replaced_by_what_is_heard_with_less(zero_shot):
    weak = tuple(Label(name, 0.25, (0, 4)) for name in MOODS)
    analysis = replace(analyse("deep"), moods=weak)
    (after,) = heard([analysis], encode(["deep"]), zero_shot.recalibrated(sure(0.2)))
    assert after.moods == weak


def test_unlikely_labels_are_left_out(zero_shot):
    (after,) = heard([analyse("piano")], encode(["piano"]), zero_shot.recalibrated(sure(0.05)))
    assert (after.moods, after.genres) == ((), ())


@given(st.lists(st.text(), max_size=5))
def test_any_texts_are_heard_alike_alone_and_together(zero_shot, texts):
    analyses, vectors_BD = [analyse(text) for text in texts], encode(texts)
    together = heard(analyses, vectors_BD, zero_shot)
    alone = [heard([one], vectors_BD[i : i + 1], zero_shot)[0] for i, one in enumerate(analyses)]
    assert together == alone


@pytest.mark.parametrize("text", ["", " \n", "?!"])
def test_a_text_without_words_stays_silent(zero_shot, text):
    assert heard([analyse(text)], encode([text]), zero_shot.recalibrated(sure(0.99))) == [analyse(text)]


def test_vectors_of_another_encoder_are_refused(zero_shot):
    with pytest.raises(ValueError, match=r"\(1, 3\).*64 numbers"):
        heard([analyse("piano")], np.ones((1, 3), np.float32), zero_shot)


def test_each_analysis_needs_its_vector(zero_shot):
    with pytest.raises(ValueError, match="2 vectors for 1 analyses"):
        heard([analyse("piano")], encode(["piano", "flute"]), zero_shot)
