import pytest

from amt_ray.text.notation import TIME_SIGNATURES, find_time_signature, is_time_signature


def value(found):
    return None if found is None else found.value


@pytest.mark.parametrize("metre", TIME_SIGNATURES)
def test_every_metre_of_captions_is_read_where_it_is_called_one(metre):
    assert value(find_time_signature(f"in {metre} time")) == metre


@pytest.mark.parametrize(
    ("text", "metre"),
    [
        ("in 3/4", "3/4"), ("12 / 8 time", "12/8"), ("a 5/8 groove", "5/8"), ("15/16", "15/16"), ("11/8, fast", "11/8"),
        ("alternating 3/4 and 4/4", "3/4"), ("not in 4/4 but in 7/8", "7/8"), ("cheerful in three, with flute", "3/4"),
        ("in a slow six", "6/8"), ("in five", "5/4"), ("on 3/4/2020", None), ("0/0", None), ("4/4 stars", None),
        ("9/11", None), ("24/7", None), ("3/4 of the piece", None), ("a 1/4 note", None), ("a 1/2 step", None),
        ("1/4 of it", None), ("in 1/4 time", "1/4"), ("the time signature is 1/4", "1/4"),
        ("a time signature of 1/8", "1/8"), ("33/4 time", None), ("one in three", None),
        ("split in two, then", None),
        ("in three parts", None), ("scored 7/8", None),
    ],
)  # fmt: skip
def test_time_signature(text, metre):
    assert value(find_time_signature(text)) == metre


@pytest.mark.parametrize(
    ("metre", "is_one"),
    [("4/4", True), ("32/32", True), ("33/4", False), ("4/3", False), ("4", False), ("", False), ("²/4", False)],
)
def test_what_can_be_a_metre(metre, is_one):
    assert is_time_signature(metre) is is_one
