import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["It is slow.", "It ends in F."],
        ["The Nocturne in E-flat, Op. 9, No. 2, is by F. Chopin.", "It is slow."],
        ["J. S. Bach and Mr. T. Hill met in St. Louis.", "They played."],
        ["He (b. 1820, d. 1871) wrote it c. 1850.", "It is lost."],
        ["The band feat. The Owls won.", "Nobody minded."],
        ["It is in the key of E.", "The metre is 4.5 to the bar."],
        ["It sold well in the U.S. and the U.K. that year.", "In the U.S.", "It failed."],
        ["It came out in 1976.", "1977 brought another."],
        ['"Stop! Go On. Now" is a song.', 'She called it "dull."', "Who knows?"],
        ["It is slow (the first edition says Presto. A mistake).", "(It is long, too.)", "It ends."],
        ["Wham! was a duo.", "“Why?” he asked.", "The end…"],
        ["Das Lied ist z. B. langsam.", "¿Y qué?", "Ça va."],
        ["It has strings, horns etc.", "The rest is silence."],
    ],
)
def test_sentences_that_are_joined_by_spaces_come_apart_again(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


def test_headings_bullets_and_references_are_left_out():
    text = "It is slow.[1][note 2]It is long.[citation needed]\n== Music ==\n* A riff\n1. A coda.\n\n=== Notes ===\n"
    assert split_sentences(text) == ["It is slow.", "It is long.", "A riff", "A coda."]


def test_chinese_and_japanese_need_no_spaces():
    assert split_sentences("这是一首慢歌。它很长！「いいね。」次") == ["这是一首慢歌。", "它很长！", "「いいね。」", "次"]


def test_a_bracket_or_quote_that_never_closes_holds_nothing_together():
    assert split_sentences('It (the song. It is "slow. It ends.') == ["It (the song.", 'It is "slow.', "It ends."]


def test_a_long_bracket_is_cut_like_other_text():
    inside = "It is long. " * 30
    assert len(split_sentences(f"It ends ({inside}).")) == 31


@pytest.mark.parametrize("text", ["", " \n\t\r ", "== Music ==", "\u2028"])
def test_a_text_without_sentences_gives_none(text):
    assert split_sentences(text) == []


@given(st.text(st.characters() | st.sampled_from('.!?"“”()[]= \nA.'), max_size=200))
def test_any_text_gives_stripped_sentences_without_line_breaks(text):
    for sentence in split_sentences(text):
        assert sentence == sentence.strip() != ""
        assert "\n" not in sentence


@given(st.lists(st.from_regex(r"[A-Z][a-z]{9}( [a-z]{3,9}){1,5}[.!?]", fullmatch=True), max_size=9))
def test_plain_sentences_survive_in_order(sentences):
    assert split_sentences("\n".join(sentences)) == split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize("unit", ["(", '"', "“", "[1", "A.", ". ", "= a ", "\n", " ", "a", '"a. ', "= \n"])
def test_repeated_signs_cost_linear_work(unit):
    assert isinstance(split_sentences(unit * (200_000 // len(unit))), list)
