import json

import pytest

from amt_ray.errors import RequestError
from amt_ray.text.analyse import analyse
from amt_ray.text.rows import analysed_lines, analysis_row


def test_a_row_holds_what_the_analysis_says_as_json():
    row = json.loads(json.dumps(analysis_row("7", analyse("slow solo flute in D minor, 3/4, 80-90 bpm, Am F C, no drums"))))
    assert (row["id"], row["key"], row["time_signature"]) == ("7", "D minor", "3/4")
    assert (row["tempo_bpm"], row["tempo_range_bpm"], row["chords"]) == (None, [80, 90], ["Am", "F", "C"])
    assert row["instruments"] == [{"name": "flute", "programs": [73], "confidence": 0.95, "span": [10, 15]}]
    assert row["instruments_exclusive"] is True
    assert [mention["name"] for mention in row["excluded_instruments"]] == ["drums"]
    assert {"moods", "genres", "keywords", "bars", "duration_s", "polyphony"} <= set(row)


def test_every_line_with_a_text_gives_a_line_with_its_id():
    lines = ['{"id": 1, "text": "a waltz", "more": []}\n', "\n", '{"id": "b", "text": "♪ für Elise"}']
    rows = [json.loads(line) for line in analysed_lines(lines, "x.jsonl")]
    assert [(row["id"], row["time_signature"]) for row in rows] == [("1", "3/4"), ("b", None)]


@pytest.mark.parametrize("line", ["x", "[]", '{"id": 1}', '{"text": "a"}', '{"id": 1, "text": null}'])
def test_a_line_that_is_no_such_object_is_named(line):
    with pytest.raises(RequestError, match=r"x\.jsonl, line 2") as caught:
        list(analysed_lines(['{"id": 1, "text": "a"}', line], "x.jsonl"))
    assert line in str(caught.value)
