import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.clean import tokenize
from amt_ray.text.keywords import MAX_KEYWORDS, rank_keywords
from amt_ray.text.lexicon import find

ARTICLE = (
    "Anna Maria Holt (12 March 1801 – 3 June 1877) was a painter's daughter from Leeds who met Peter Lindqvist in 1822. "
    "Holt and Lindqvist moved to Oslo on a Tuesday. Her nocturne for piano was printed in 1850. "
    "The piano part is slow and melancholic, with a cello below the piano. It sold 400 copies."
)


def keywords(text):
    tokens = tokenize(text)
    return rank_keywords(text, tokens, find(tokens))


def test_the_words_of_a_prompt_in_their_order():
    text = "A melancholic jazz ballad with piano and saxophone"
    assert keywords(text) == ("melancholic", "jazz", "ballad", "piano", "saxophone")


def test_a_term_of_several_words_is_one_keyword_and_leads_other_words():
    assert keywords("dusty crackle, slide guitar and bossa nova") == ("slide guitar", "bossa nova", "dusty", "crackle")


def test_musical_words_of_an_article_lead_the_most_frequent_first_and_names_end_it():
    ranked = keywords(ARTICLE)
    assert ranked[0] == "piano"
    assert {"slow", "melancholic", "cello"} < set(ranked[:5])
    assert ranked.index("daughter") < ranked.index("holt")
    assert not {"1801", "1822", "12", "march", "june", "tuesday", "400"} & set(ranked)


def test_a_word_in_more_sentences_is_ahead_of_one_that_is_as_frequent_in_fewer():
    assert keywords("clunk clunk hiss. hiss.") == ("hiss", "clunk")


def test_an_earlier_sentence_counts_more():
    assert keywords("Rain falls. Wind blows. Snow lies.") == ("rain", "falls", "wind", "blows", "snow", "lies")


def test_a_capital_within_a_sentence_is_a_name_and_comes_last():
    assert keywords("Odd tune like Zorbwick with hiss") == ("odd", "tune", "hiss", "zorbwick")


@pytest.mark.parametrize("text", ["", "   ", "and the of", "1999 4/4 120", "🎵🎵", "\x00\x01"])
def test_texts_without_keywords(text):
    assert keywords(text) == ()


@given(st.text(max_size=200))
def test_at_most_twenty_distinct_words_of_the_text(text):
    ranked = keywords(text)
    assert len(ranked) == len(set(ranked)) <= MAX_KEYWORDS
    words = {token.word for token in tokenize(text)}
    assert all(word in words for keyword in ranked for word in keyword.split())


def test_no_more_than_twenty():
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert len(keywords(" ".join(a + b + "zq" for a in letters for b in letters))) == MAX_KEYWORDS
