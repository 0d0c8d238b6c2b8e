import pytest

from amt_ray.text.analyse import analyse


@pytest.mark.parametrize(
    "text",
    [
        "only piano", "a solo flute", "a piece for solo cello", "just strings", "piano only", "for cello alone",
        "performed by a solo piano in C major", "only for two violins", "unaccompanied violin", "purely brass",
    ],
)  # fmt: skip
def test_nothing_but_what_is_named(text):
    assert analyse(text).instruments_exclusive is True


@pytest.mark.parametrize(
    "text",
    [
        "", "only sad", "piano", "a piano and a flute", "solo violin with orchestra", "features a guitar solo",
        "the only song with piano", "if only! A piano plays", "piano. Alone at last", "not only piano but also strings",
    ],
)  # fmt: skip
def test_others_may_play(text):
    assert analyse(text).instruments_exclusive is False
