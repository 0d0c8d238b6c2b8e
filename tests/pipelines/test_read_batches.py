import json
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amt_ray.artifacts import Manifest, Workspace
from amt_ray.errors import WorkspaceError
from amt_ray.pipelines import batches as module
from amt_ray.pipelines.batches import batches
from amt_ray.schemas import CAPTIONS


@pytest.fixture
def workspace(tmp_path):
    """Captions 0 to 24 in three files, of 10, 0 and 15."""
    place = Workspace(str(tmp_path / "w"))
    folder = place.begin("captions", "f")
    for part, numbers in enumerate((range(10), (), range(10, 25))):
        rows = [{"piece_id": f"p{n}", "kind": "features-0", "text": f"text {n}"} for n in numbers]
        pq.write_table(pa.Table.from_pylist(rows, CAPTIONS), f"{folder}/part-{part}.parquet", row_group_size=7)
    place.commit("captions", Manifest("f", "f", 25))
    return place


def test_batches_hold_all_rows_in_order_and_only_the_columns_asked_for(workspace, monkeypatch):
    monkeypatch.setattr(module, "ROWS_PER_BATCH", 4)
    found = list(batches(workspace, "captions", ["text", "piece_id"]))
    assert max(batch.num_rows for batch in found) == 4
    table = pa.Table.from_batches(found)
    assert table.column_names == ["text", "piece_id"]
    assert table.equals(workspace.table("captions", ["text", "piece_id"]))
    assert table["piece_id"].to_pylist() == [f"p{n}" for n in range(25)]


def test_columns_have_the_types_of_the_schema(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    folder = place.begin("captions", "f")
    large = CAPTIONS.set(CAPTIONS.names.index("text"), pa.field("text", pa.large_string()))
    row = {"piece_id": "p", "kind": "k", "text": "t"}
    pq.write_table(pa.Table.from_pylist([row], schema=large), f"{folder}/part-0.parquet")
    place.commit("captions", Manifest("f", "f", 1))
    (batch,) = batches(place, "captions", ["text"])
    assert batch.schema.field("text").type == pa.string()


def test_a_version_that_is_named_is_read_though_another_is_committed(workspace):
    folder = workspace.begin("captions", "g")
    pq.write_table(pa.Table.from_pylist([{"text": "new"}], CAPTIONS), f"{folder}/part-0.parquet")
    workspace.write_bytes("captions/manifest.json", json.dumps(asdict(Manifest("g", "g", 1))).encode())

    def texts(*version):
        return [text for batch in batches(workspace, "captions", ["text"], *version) for text in batch["text"].to_pylist()]

    assert texts() == texts("g") == ["new"]
    assert texts("f") == [f"text {n}" for n in range(25)]


def test_what_is_missing_or_damaged_is_said(workspace):
    with pytest.raises(WorkspaceError, match="no pieces yet"):
        next(batches(workspace, "pieces", ["path"]))
    with open(workspace.folder("captions", "f", "part-2.parquet"), "wb") as file:
        file.write(b"not Parquet")
    with pytest.raises(WorkspaceError, match="is damaged"):
        list(batches(workspace, "captions", ["text"]))
