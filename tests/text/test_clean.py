import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.clean import clean, tokenize


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (
            "A melancholic jazz ballad with piano and saxophone",
            "melancholic jazz ballad piano saxophone",
        ),
        ("", ""),
        ("the, of; and!", ""),
        ("A slow piece in A minor.", "slow piece A minor".lower()),
        ("Rock & roll, in 6/8 -- C# major", "rock roll 6/8 c# major"),
        ("without drums", "without drums"),
        ("🎷\x00 sax\ud800", "sax"),
        ("🎹 sad ☔ piano", "sad piano"),
    ],
)
def test_clean_keeps_the_words_that_carry_meaning(text, cleaned):
    assert clean(text) == cleaned


@given(st.text())
def test_tokens_are_where_they_say(text):
    tokens = tokenize(text)
    assert [t.start for t in tokens] == sorted(t.start for t in tokens)
    for token in tokens:
        source = text[token.start : token.end]
        assert token.word == "and" if source in {"&", "+"} else token.word == source.lower().replace("’", "'")


def test_only_spaces_and_hyphens_join_words():
    assert [t.is_joined for t in tokenize("bass guitar, honky-tonk. Piano/organ")] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
