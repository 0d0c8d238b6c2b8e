import json

import pytest

from amt_ray.errors import RequestError
from amt_ray.text.analyse import analyse
from amt_ray.text.rows import TEXTS_AT_ONCE, analysed_lines, analysis_row


def read(texts):
    return [analyse(text) for text in texts]


def test_a_row_holds_what_the_analysis_says_as_json():
    row = json.loads(json.dumps(analysis_row("7", analyse("slow solo flute in D minor, 3/4, 80-90 bpm, Am F C, no drums"))))
    assert (row["id"], row["key"], row["time_signature"]) == ("7", "D minor", "3/4")
    assert (row["tempo_bpm"], row["tempo_range_bpm"], row["chords"]) == (None, [80, 90], ["Am", "F", "C"])
    assert row["instruments"] == [{"name": "flute", "programs": [73], "confidence": 0.95, "span": [10, 15]}]
    assert row["instruments_exclusive"] is True
    assert [mention["name"] for mention in row["excluded_instruments"]] == ["drums"]
    assert row["mode"] == "minor"
    assert set(row) == {
        *("id", "instruments", "instruments_exclusive", "excluded_instruments", "key", "mode", "tempo_bpm"),
        *("tempo_range_bpm", "time_signature", "bars", "duration_s", "polyphony", "density", "chords", "genres", "moods"),
        *("valence", "arousal", "keywords", "style_hints", "contradictions"),
    }


def test_every_line_with_a_text_gives_a_line_with_its_id():
    lines = ['{"id": 1, "text": "a waltz", "more": []}\n', "\n", '{"id": "b", "text": "♪ für Elise"}']
    rows = [json.loads(line) for some in analysed_lines(lines, "x.jsonl", read) for line in some]
    assert [(row["id"], row["time_signature"]) for row in rows] == [("1", "3/4"), ("b", None)]


def test_many_lines_come_in_lists_in_their_order():
    lines = [json.dumps({"id": i, "text": "a waltz"}) for i in range(TEXTS_AT_ONCE + 1)]
    lists = list(analysed_lines(lines, "x.jsonl", read))
    assert [len(some) for some in lists] == [TEXTS_AT_ONCE, 1]
    assert json.loads(lists[1][0])["id"] == str(TEXTS_AT_ONCE)


def test_half_a_character_becomes_a_question_mark():
    ((line,),) = analysed_lines(['{"id": "a", "text": "\\ud83c piano \\ud83c"}'], "x.jsonl", read)
    assert line.encode()
    assert json.loads(line)["instruments"][0]["name"] == "piano"


@pytest.mark.parametrize("line", ["x", "[]", '{"id": 1}', '{"text": "a"}', '{"id": 1, "text": null}'])
def test_a_line_that_is_no_such_object_is_named(line):
    with pytest.raises(RequestError, match=r"x\.jsonl, line 2") as caught:
        list(analysed_lines(['{"id": 1, "text": "a"}', line], "x.jsonl", read))
    assert line in str(caught.value)
