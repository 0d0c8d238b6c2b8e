import pytest

from amt_ray.text.analyse import analyse

ALONE = (
        "only piano", "a solo flute", "a piece for solo cello", "just strings", "piano only", "for cello alone",
        "performed by a solo piano in C major", "only for two violins", "unaccompanied violin", "purely brass",
        "brass, nothing else", "an a cappella choir", "piano left hand alone", "a duo for flute and harp",
        "🥁 solo", "piano-only",
        "presto, piano solo, stormy", "classical, violin solo",
        "violin and cello, no other instruments", "drums and bass, that's it", "nothing but strings", "a lone trumpet",
        "a single melodic line for bassoon", "a trio for piano, bass and drums",
)  # fmt: skip
WITH_OTHERS = (
        "", "only sad", "piano", "a piano and a flute", "solo violin with orchestra", "features a guitar solo",
        "the only song with piano", "if only! A piano plays", "piano. Alone at last", "not only piano but also strings",
        "drums and a lone trumpet", "a duo of flute, harp and viola", "rock with a guitar solo", "not just piano",
        "metal, guitar solo, fast", "piano solo and strings", "drums, piano solo",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_exclusive"), [*((text, True) for text in ALONE), *((text, False) for text in WITH_OTHERS)]
)
def test_whether_others_may_play(text, is_exclusive):
    assert analyse(text).instruments_exclusive is is_exclusive
