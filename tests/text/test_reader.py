import numpy as np

from amt_ray.text.analyse import analyse
from amt_ray.text.embed import TextEncoder
from amt_ray.text.reader import Reader, Reading
from amt_ray.text.zero_shot import ZeroShot, heard

TEXTS = ["a slow jazz piano", "", "\ud83c slow", "🎹"]


def test_without_an_encoder_words_alone_are_read():
    assert Reader().read(TEXTS) == [Reading(analyse(text)) for text in TEXTS]


def test_an_encoder_adds_what_it_hears_and_the_embedding(plain_bert):
    encoder = TextEncoder(str(plain_bert))
    readings = Reader(encoder).read(TEXTS)
    vectors_BE = encoder.encode(TEXTS)
    np.testing.assert_array_equal([reading.vector_E for reading in readings], vectors_BE)
    zero_shot = ZeroShot(encoder.encode, encoder.fingerprint)
    expected = heard([analyse(text) for text in TEXTS], vectors_BE, zero_shot)
    assert [reading.analysis for reading in readings] == expected
    assert Reader(encoder).read([]) == []
