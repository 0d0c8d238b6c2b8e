import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.pipelines.joins import piece_runs, rows_of
from amt_ray.schemas import SCHEMAS


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("amt_ray.pipelines.batches.ROWS_PER_BATCH", 2)
    place = Workspace(str(tmp_path))
    for name, ids in {"pieces": "abcde", "captions": "eaaxb"}.items():
        rows = [{"piece_id": piece_id, "title": piece_id, "kind": str(i)} for i, piece_id in enumerate(ids)]
        place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), "f", {}, {})
    return place


@pytest.mark.parametrize(
    ("n_pieces", "runs"), [(0, ["ab", "cd", "e"]), (2, ["ab", "cd", "e"]), (3, ["abcd", "e"]), (9, ["abcde"])]
)
def test_runs_are_of_whole_batches_in_order(place, n_pieces, runs):
    tables = list(piece_runs(place, ["piece_id", "title"], n_pieces))
    assert ["".join(table["piece_id"].to_pylist()) for table in tables] == runs
    assert tables[0].column_names == ["piece_id", "title"]


def test_rows_of_some_pieces_are_all_of_theirs_and_no_others(place):
    rows = rows_of(place, "captions", ["kind", "piece_id"], pa.array(["a", "b", "c"]))
    assert rows.to_pylist() == [
        {"kind": "1", "piece_id": "a"},
        {"kind": "2", "piece_id": "a"},
        {"kind": "4", "piece_id": "b"},
    ]


def test_what_was_never_made_has_no_rows(place):
    rows = rows_of(place, "embeddings", ["piece_id", "vector"], pa.array(["a"]))
    assert rows.num_rows == 0
    assert rows.schema.field("vector").type == pa.list_(pa.float32())
