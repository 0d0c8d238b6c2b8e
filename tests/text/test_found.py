import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.found import Found, best, is_denied, number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16", 16),
        ("2.5", 2.5),
        ("seven", 7),
        ("Twenty-one", 21),
        ("a hundred", 100),
        ("two hundred and ten", 210),
        ("hundred five", 105),
    ],
)
def test_numbers(text, expected):
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not in ", True),
        ("instead of ", True),
        ("I don't want a ", True),
        ("not only ", False),
        ("knot in ", False),
        ("", False),
    ],
)
def test_what_words_before_deny(text, expected):
    assert is_denied(text + "4/4", len(text)) is expected


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9))))
def test_the_best_is_the_surest_and_of_equals_the_first(cases):
    found = [Found("x", confidence, (start, start + 1)) for confidence, start in cases]
    surest = best(found)
    assert (surest is None) == (not cases)
    assert all((surest.confidence, -surest.span[0]) >= (f.confidence, -f.span[0]) for f in found)
