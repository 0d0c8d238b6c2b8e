import numpy as np
import pytest

from amt_ray.text.analyse import analyse
from amt_ray.text.embed import TextEncoder
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.reader import Reader, Reading

TEXTS = ["a slow jazz piano", "", "\ud83c slow", "🎹"]
LULLING = "what the sea does at night"


class Hearing:
    """An encoder to which LULLING is what a calm piece is described as, and all else is one."""

    fingerprint = "hearing"

    def encode(self, texts):
        calm = {row["sentence"] for row in read_rows("label_descriptions") if row["label"] == "calm"} | {LULLING}
        return np.array([[text in calm, text not in calm] for text in texts], np.float32).reshape(-1, 2)


def test_without_an_encoder_words_alone_are_read():
    assert Reader().read([*TEXTS, LULLING]) == [Reading(analyse(text)) for text in [*TEXTS, LULLING]]


def test_an_encoder_adds_what_it_hears_where_no_word_says_it():
    lulling, sad = Reader(Hearing()).read([LULLING, "sad"])
    assert analyse(LULLING).moods == ()
    assert [label.name for label in lulling.analysis.moods][:1] == ["calm"]
    assert [label.name for label in sad.analysis.moods] == ["melancholic"]


@pytest.mark.parametrize("texts", [TEXTS, []])
def test_an_encoder_gives_each_text_its_embedding(plain_bert, texts):
    encoder = TextEncoder(str(plain_bert))
    readings = Reader(encoder).read(texts)
    np.testing.assert_array_equal([reading.vector_E for reading in readings], list(encoder.encode(texts)))
