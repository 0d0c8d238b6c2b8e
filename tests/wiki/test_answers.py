import asyncio
import pickle

import pytest

from amt_ray.errors import WikiError
from amt_ray.wiki.answers import PartlyAnswered, complete, outcome, together, with_extract
from amt_ray.wiki.page import Page

LATE = WikiError("timeout", "no answer within 30 s")


async def give(answers, *errors):
    for error in errors:
        raise error
    return answers


def test_an_outcome_names_every_failure():
    partly = PartlyAnswered("timeout", "late", {"a": 1}, {"b": LATE})
    assert asyncio.run(outcome(give({"a": 1, "b": 2}), "ab")) == ({"a": 1, "b": 2}, {})
    assert asyncio.run(outcome(give({}, partly), "ab")) == ({"a": 1}, {"b": LATE})
    assert asyncio.run(outcome(give({}, LATE), "ab")) == ({}, {"a": LATE, "b": LATE})
    with pytest.raises(ZeroDivisionError):
        asyncio.run(outcome(give({}, ZeroDivisionError()), "ab"))


def test_several_outcomes_are_one_answer_or_one_failure_with_it():
    async def all_of(*calls):
        return await together(outcome(call, keys) for call, keys in calls)

    assert asyncio.run(all_of((give({"a": 1}), "a"), (give({"b": 2}), "b"))) == {"a": 1, "b": 2}
    with pytest.raises(PartlyAnswered, match="timeout: no answer within 30 s") as caught:
        asyncio.run(all_of((give({"a": 1}), "a"), (give({}, LATE), "bc")))
    assert (caught.value.answers, caught.value.failures) == ({"a": 1}, {"b": LATE, "c": LATE})
    assert caught.value.reason == "timeout"


def test_a_partial_answer_survives_pickling():
    error = pickle.loads(pickle.dumps(PartlyAnswered("timeout", "late", {"a": 1}, {"b": LATE})))
    assert (str(error), error.reason, error.answers) == ("timeout: late", "timeout", {"a": 1})
    assert str(error.failures["b"]) == str(LATE)


def test_nothing_failed_nothing_raised():
    assert complete({"a": 1}, {}) == {"a": 1}


def test_an_extract_comes_with_its_revision():
    page = Page("A", 1, 2, "https://wiki.example/wiki/A", redirected_from=("B",))
    read = Page("A", 1, 3, "", extract="Text", fetched_at="now")
    made = Page("A", 1, 3, "https://wiki.example/wiki/A", redirected_from=("B",), extract="Text", fetched_at="now")
    assert with_extract(page, read) == made
