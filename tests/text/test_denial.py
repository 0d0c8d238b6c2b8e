import pytest

from amt_ray.text.clean import tokenize
from amt_ray.text.denial import denied_matches
from amt_ray.text.lexicon import find


def denied_terms(text):
    tokens = tokenize(text)
    matches = find(tokens)
    denied = denied_matches(text, tokens, matches)
    return [text[slice(*match.span)] for match in matches if match in denied]


DENIED = (
    "no percussion whatsoever", "leave out the percussion", "skip percussion", "hold the percussion", "percussion-free",
    "percussion is not used", "the percussion drops out", "without using any percussion", "percussion: none",
    "devoid of percussion",
    "everything except percussion", "any instrument but percussion", "keep the percussion out", "exclude: percussion",
    "I do not want to hear any percussion", "percussion should be left out", "ohne percussion",
)  # fmt: skip
WANTED = (
    "why not add percussion", "not only percussion", "never without percussion", "don't leave out the percussion",
    "no instruments except percussion", "no percussion until the chorus",
    "the percussion drops out in the bridge", "hold percussion",
    "no better percussion", "small but the percussion is loud", "percussion is soft", "no more than percussion",
)  # fmt: skip


@pytest.mark.parametrize("text", DENIED)
def test_denied(text):
    assert denied_terms(text) == ["percussion"]


@pytest.mark.parametrize("text", WANTED)
def test_wanted(text):
    assert denied_terms(text) == []


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("no flute, harp or piano", "flute harp piano"),
        ("no flute, harp", "flute"),
        ("no flute and no harp", "flute harp"),
        ("no flute and harp", "flute harp"),
        ("no flute and a harp", "flute"),
        ("no flute/harp", "flute harp"),
        ("without flute, harp and piano", "flute harp piano"),
        ("flute and harp are not used", "flute harp"),
        ("avoid: flute, harp", "flute harp"),
        ("drumless", "drumless"),
    ],
)
def test_how_far_a_list_goes(text, denied):
    assert " ".join(denied_terms(text)) == denied
