import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.embed import TextEncoder
from amt_ray.text.encoder_source import PACKAGE
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.musical_texts import (
    MAX_WORDS,
    MUSICAL_ANCHORS,
    OTHER_ANCHORS,
    embedding_scores,
    lexicon_score,
    musical_probabilities,
    musical_texts,
    unnamed,
)

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "article_sentences.jsonl").read_text(encoding="utf-8").splitlines()
]
BALLAD = "It is a Europop ballad in A major with piano glissandi."
CHART = "Released in 1976, it reached number one in nine countries."


def by_keyword(texts):
    """An encoder of two numbers: music if a word of sound is there, else something else."""
    words = ("piano", "tempo", "riff", "melody", "movement", "music blends", "guitar", "orchestra", "hum")
    return np.array([[1, 0] if any(word in text for word in words) else [0, 1] for text in texts], np.float32)


def knows_nothing(texts):
    return np.tile(np.array([[1, 0]], np.float32), (len(texts), 1))


def test_the_music_is_not_drowned_by_the_charts():
    assert musical_texts([f"{CHART} {BALLAD} It sold a million copies."], by_keyword) == [BALLAD]


def test_articles_keep_their_order_and_are_encoded_in_one_call():
    calls = []

    def encode(texts):
        calls.append(list(texts))
        return by_keyword(texts)

    riff = "A heavy riff drives the verses."
    assert musical_texts([CHART, BALLAD, "", f"{riff} {CHART} {BALLAD}"], encode) == ["", BALLAD, "", f"{riff} {BALLAD}"]
    assert calls == [[*MUSICAL_ANCHORS, *OTHER_ANCHORS, CHART, BALLAD, riff, CHART, BALLAD]]


def test_nothing_is_encoded_where_there_is_no_sentence():
    def encode(texts):
        raise AssertionError(texts)

    assert musical_texts(["", "== Music ==", "\n"], encode) == ["", "", ""]
    assert musical_texts([], encode) == []


def test_the_likeliest_sentences_are_taken_until_the_words_run_out():
    plain = [
        f"It has a guitar solo and {i} plain words that make this sentence rather longer than it need be." for i in range(9)
    ]
    text = musical_texts([" ".join([*plain, BALLAD])], by_keyword)[0]
    assert text.endswith(BALLAD)
    assert MAX_WORDS - 20 < len(text.split()) <= MAX_WORDS
    assert text.startswith(plain[0])


def test_a_sentence_without_an_end_is_no_prose():
    assert musical_texts(["a heavy piano riff and " * 50, "riff" * 400], by_keyword) == ["", ""]


def test_words_that_no_list_knows_are_left_to_the_encoder():
    sentence = "Everybody may hum along."
    assert lexicon_score(sentence) == 0
    assert musical_texts([sentence], by_keyword) == [sentence]
    assert musical_texts([sentence], knows_nothing) == [""]


def test_scores_lie_between_the_anchors():
    scores = embedding_scores([*MUSICAL_ANCHORS, "a hum", "a treaty"], by_keyword)
    np.testing.assert_allclose(scores, [1.0] * len(MUSICAL_ANCHORS) + [1.0, -1.0])
    np.testing.assert_allclose(embedding_scores(["a hum", "a treaty"], knows_nothing), 0, atol=1e-12)
    assert embedding_scores([], by_keyword).shape == (0,)


def test_every_kind_of_evidence_counts():
    for said in ("a riff", "an oboe", "in F minor", "in 6/8 time", "at 90 bpm", "very gloomy", "some bebop", "Am–F–C–G"):
        assert lexicon_score(f"It is {said}.") > 0.3, said
    for said in ("sold", "platinum", "born", "married", "premiered", "number one", "in 1976"):
        assert lexicon_score(f"It was {said}.") < 0, said
    assert lexicon_score("It was.") == 0


def test_an_ensemble_is_one_piece_of_evidence():
    assert lexicon_score("It is for orchestra.") < 1.5


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("Piano Man reached number one.", " –  reached number one."),
        ("The Piano Man was second.", "The  –  was second."),
        ("He plays in the Rock and Roll Hall of Fame.", "He plays in the  – ."),
        ('"Sad Guitars" was a "slow, sad waltz".', ' –  was a "slow, sad waltz".'),
        ("“Drum Major” failed.", " –  failed."),
        ("The Piano Sonata No. 3 is long.", "The Piano Sonata No. 3 is long."),
        ("The String Quartet in D minor is long.", "The String Quartet in D minor is long."),
        ("Electric guitars play.", "Electric guitars play."),
        ("It is in E Minor.", "It is in E Minor."),
    ],
)
def test_titles_and_names_are_taken_out(sentence, left):
    assert unnamed(sentence) == left


@pytest.mark.parametrize("title", ["Piano Man", "Slow Waltz in Blue", '"Heavy Metal Guitar Riff"', "“Sad Violin Melody”"])
def test_a_title_makes_no_sentence_musical(title):
    assert lexicon_score(f"{title} reached number one in Canada.") < 0.5
    assert musical_texts([f"{title} reached number one in Canada."], knows_nothing) == [""]


def test_words_alone_tell_most_labelled_sentences():
    right = [(lexicon_score(case["text"]) > 1.0) == case["is_musical"] for case in CASES]
    assert sum(right) / len(right) > 0.88


def test_labelled_sentences_are_distinct_and_balanced():
    assert len({case["text"] for case in CASES}) == len(CASES) > 150
    assert 0.4 < sum(case["is_musical"] for case in CASES) / len(CASES) < 0.6


def test_weighted_words_are_listed_once_in_lower_case():
    terms = [row["term"] for row in read_rows("music_words")]
    assert len(set(terms)) == len(terms)
    assert [term for term in terms if term != term.lower() or len(term.split()) > 2] == []
    assert {abs(float(row["weight"])) <= 1 for row in read_rows("music_words")} == {True}


@given(st.text(max_size=100))
def test_any_sentence_has_a_score(sentence):
    assert -3 <= lexicon_score(sentence) <= 3
    assert 0 < musical_probabilities([sentence], by_keyword)[0] < 1


@pytest.mark.parametrize("unit", ["A-", "Aa ", "Aa the ", '"', "“", "riff ", "1976 ", "A"])
def test_repeated_signs_cost_linear_work(unit):
    assert -3 <= lexicon_score(unit * (100_000 // len(unit))) <= 3


@pytest.mark.parametrize("text", ["这是一首慢歌。", "🎹🎸", "\x00\x01.", "Er wurde in Wien geboren."])
def test_other_scripts_and_languages_give_a_result(text):
    assert musical_texts([text], by_keyword) == [""]


def test_the_packaged_encoder_knows_what_no_word_list_does():
    if find_spec(PACKAGE.replace("-", "_")) is None:
        pytest.skip(f"the package {PACKAGE} is not installed")
    encode = TextEncoder().encode
    is_musical = np.array([case["is_musical"] for case in CASES])
    found = musical_probabilities([case["text"] for case in CASES], encode) >= 0.5
    assert np.mean(found[is_musical]) > 0.92
    assert np.mean(found[~is_musical]) < 0.08
    article = f"{CHART} {BALLAD} The left hand ripples while the right sings above it. He was born in Salzburg in 1756."
    assert musical_texts([article], encode) == [f"{BALLAD} The left hand ripples while the right sings above it."]
