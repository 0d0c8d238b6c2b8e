import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.telling import group_names, terms_of

KINDS = (
    "A slow jazz piece in C major for alto sax and piano.",
    "A slow baroque piece in G minor for harpsichord.",
    "A slow folk piece in C major for fiddle and accordion.",
)


def test_what_a_text_says_is_labels_first_and_then_words():
    terms = terms_of("A gloomy baroque piece in G minor for harpsichord, with glissandi, played at 120 bpm.")
    assert {"baroque", "harpsichord", "G minor", "glissandi"} <= terms.keys()
    assert terms.keys().isdisjoint({"piece", "played", "bpm", "120", "minor", "with"})
    assert terms["baroque"] > terms["harpsichord"] > terms["G minor"] > terms["glissandi"]


@given(st.text())
def test_any_text_has_terms_of_positive_weight(text):
    assert all(term and weight > 0 for term, weight in terms_of(text).items())


def test_a_group_is_named_by_what_it_alone_says():
    names = group_names([text for text in KINDS for _ in range(4)], [g for g in range(3) for _ in range(4)], 3)
    assert names == ("jazz, alto saxophone, piano", "baroque, harpsichord, G minor", "folk, accordion, fiddle")


def test_what_all_groups_say_names_none():
    texts = [f"{text} It is calm." for text in KINDS]
    assert all("calm" not in name for name in group_names(texts, [0, 1, 2], 3))


def test_what_few_texts_say_names_less_than_what_most_say():
    texts = ["ragtime for piano"] * 9 + ["ragtime for kalimba"] + ["rock for organ"] * 10
    assert group_names(texts, [0] * 10 + [1] * 10, 2)[0] == "ragtime, piano, kalimba"


def test_a_single_group_is_named_by_what_most_of_it_says():
    assert group_names([KINDS[0], *KINDS[1:2] * 3], [0] * 4, 1) == ("baroque, harpsichord, G minor",)


def test_a_word_stands_once_in_a_name():
    names = group_names(["steel-string guitar and clean electric guitar, banjo", "organ"], [0, 1], 2)
    assert names[0].count("guitar") == 1
    assert "banjo" in names[0]


@pytest.mark.parametrize("text", ["", "12 !", "a piece of music"])
def test_groups_of_which_nothing_is_said_go_by_their_number(text):
    assert group_names([text] * 4, [0, 0, 1, 1], 2) == ("style 0", "style 1")


def test_a_group_without_texts_goes_by_its_number():
    assert group_names([], [], 2) == ("style 0", "style 1")


@given(st.lists(st.tuples(st.sampled_from([*KINDS, ""]), st.integers(0, 3)), max_size=20))
def test_names_differ_and_do_not_depend_on_the_order_of_the_texts(rows):
    texts, groups = [text for text, _ in rows], [group for _, group in rows]
    names = group_names(texts, groups, 4)
    assert len(set(names)) == 4
    assert group_names(texts[::-1], groups[::-1], 4) == names


def test_groups_that_say_the_same_have_names_of_their_own():
    texts = ["jazz for piano"] * 4 + ["rock for banjo"] * 2
    assert group_names(texts, [0, 0, 1, 1, 2, 2], 3) == ("jazz, piano", "jazz, piano, style 1", "rock, banjo")
