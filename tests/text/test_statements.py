import pytest

from amt_ray.text.notation import find_time_signature
from amt_ray.text.statements import MAX_STATEMENTS, are_in_one_sentence, every, in_one_breath, quote, sentence_of


def span(text, part):
    return text.index(part), text.index(part) + len(part)


def test_every_statement_in_the_text_s_order():
    text = "in 3/4, then 4/4 and 3/4"
    assert [(found.value, text[slice(*found.span)]) for found in every(find_time_signature, text)] == [
        ("3/4", "3/4"), ("4/4", "4/4"), ("3/4", "3/4"),
    ]  # fmt: skip


def test_no_more_statements_than_the_most():
    assert len(every(find_time_signature, "3/4, " * 50)) == MAX_STATEMENTS
    assert every(find_time_signature, "harp " * 5_000 + "3/4") == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("one here, two there", True),
        ("one here. And two there", True),
        ("one here, then two there", False),
        ("one or two", False),
        ("from one, two", False),
        ("It begins. one, two", True),
        ("one, two. It ends.", True),
        ("one " + "x" * 161 + " two", False),
        ("one in half-time, two", False),
        ("one in four-part harmony, two", True),
    ],
)
def test_one_breath(text, is_one):
    assert in_one_breath(text, span(text, "one"), span(text, "two")) is is_one
    assert in_one_breath(text, span(text, "two"), span(text, "one")) is is_one


def test_sentences():
    text = "It is 1.5 long. Here it is, the harp! Then?"
    assert text[slice(*sentence_of(text, span(text, "harp")))].strip() == "Here it is, the harp"
    assert are_in_one_sentence(text, span(text, "Here"), span(text, "harp"))
    assert are_in_one_sentence(text, span(text, "1"), span(text, "long"))
    assert not are_in_one_sentence(text, span(text, "harp"), span(text, "long"))


def test_a_quotation_is_on_one_line():
    assert quote("a very\n  slow piece", (2, 13)) == '"very slow"'
