import itertools
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.artifacts import Workspace
from amt_ray.errors import OutputError
from amt_ray.pipelines.json_arrays import _finite, json_arrays, json_line, number_lists, short_doubles

floats = st.floats(width=32)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=8,
)


def strict(text):
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("parts", [[], [[]], [[{"a": 1}]], [[{"a": 1}, {"b": None}], [], [{"c": "ä"}]]])
def test_an_array_is_what_was_put_in(tmp_path, parts):
    with json_arrays(Workspace(str(tmp_path)), ["a.json"]) as arrays:
        for part in parts:
            arrays["a.json"].extend(part)
    written, elements = arrays["a.json"].written(), list(itertools.chain(*parts))
    assert strict((tmp_path / "a.json").read_text(encoding="utf-8")) == elements
    assert (written.path, written.n_objects) == (f"{tmp_path}/a.json", len(elements))
    assert written.size_bytes == (tmp_path / "a.json").stat().st_size


def test_files_appear_together_at_the_end(tmp_path):
    with json_arrays(Workspace(str(tmp_path)), ["a.json", "b.json"]) as arrays:
        arrays["a.json"].extend([{"a": 1}])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json.partial", "b.json.partial"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(KeyError), json_arrays(Workspace(str(tmp_path)), ["a.json", "b.json"]):
        raise KeyError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_a_failed_write_is_an_output_error(tmp_path):
    class Full(pafs.SubTreeFileSystem):
        def move(self, src, dest):
            raise OSError(28, "No space left on device")

    folder = Workspace(str(tmp_path / "out"))
    folder.fs = Full("/", folder.fs)
    with pytest.raises(OutputError, match="No space left on device"), json_arrays(folder, ["a.json"]):
        pass
    assert list((tmp_path / "out").iterdir()) == []


@given(st.dictionaries(st.text(), values))
def test_any_object_is_one_line_of_strict_json(element):
    line = json_line(element)
    assert "\n" not in line
    assert strict(line) == _finite(element)


@given(st.lists(st.lists(floats), min_size=1))
def test_lists_of_numbers_are_the_float32_that_they_were(rows):
    texts = number_lists(pa.array(rows, pa.list_(pa.float32())))
    for text, row in zip(texts, rows, strict=True):
        back = strict(text)
        assert [number is None for number in back] == [not math.isfinite(number) for number in row]
        numbers = [(one, two) for one, two in zip(back, row, strict=True) if one is not None]
        for one, two in numbers:
            assert np.float32(one).tobytes() == np.float32(two).tobytes() or one == two == 0


def test_lists_of_numbers_are_as_short_as_can_be():
    vectors = pa.array([[1.0], [0.1, -0.25, 1 / 3], [math.nan, -math.inf], []], pa.list_(pa.float32()))
    assert number_lists(vectors[1:]) == ["[0.1,-0.25,0.33333334]", "[null,null]", "[]"]


@given(st.lists(floats, min_size=1))
def test_float32_become_doubles_that_round_back_to_them(numbers):
    batch = pa.record_batch({"one": pa.array(numbers, pa.float32()), "name": ["x"] * len(numbers)})
    short = short_doubles(batch)
    assert short.schema.field("one").type == pa.float64()
    back = np.array(short["one"].to_pylist()).astype(np.float32)
    assert np.array_equal(back, np.array(numbers, np.float32), equal_nan=True)
    assert short["name"].to_pylist() == ["x"] * len(numbers)


def test_doubles_print_short():
    batch = pa.record_batch(
        {"one": pa.array([0.1, None], pa.float32()), "two": pa.array([[0.7], []], pa.list_(pa.float32()))}
    )
    assert short_doubles(batch).to_pylist() == [{"one": 0.1, "two": [0.7]}, {"one": None, "two": []}]
