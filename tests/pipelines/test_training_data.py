import os
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amt_ray.artifacts import Manifest, Workspace
from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.pipelines import training_data as module
from amt_ray.pipelines.training_data import scratch_folder, training_data
from amt_ray.schemas import EMBEDDINGS, PIECES, SEQUENCES, STYLES
from amt_ray.training.rows import rows_of_split
from amt_ray.training.shards import kept_shards


def write(place, name, version, rows, facts, n_files=1):
    """Commit rows as several Parquet files, in random order."""
    order = np.random.default_rng(0).permutation(len(rows))
    folder = place.begin(name, version)
    for number, part in enumerate(np.array_split(order, n_files)):
        pq.write_table(rows.take(part), f"{folder}/part-{number}.parquet", row_group_size=5)
    place.commit(name, Manifest(version, version, len(rows), facts=facts))


def write_sequences(place, version, first_id=0):
    windows = [
        {"piece_id": piece_id, "window": number, "ids": [first_id + p, number, number][: 1 + number % 3],
         "n_controls": number, "n_context": p, "style": 0, "split": "validation" if piece_id == "b" else "train"}
        for p, piece_id in enumerate("abc") for number in range(12)
    ]  # fmt: skip
    write(place, "sequences", version, pa.Table.from_pylist(windows, SEQUENCES), {"styles": "st", "tokens": 72}, n_files=3)


@pytest.fixture
def place(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    write_sequences(place, "s1")
    texts = [
        {"piece_id": piece_id, "kind": kind, "vector": [float(ord(piece_id)), float(len(kind))]}
        for piece_id in "abc" for kind in ("features-0", "wikipedia")
    ]  # fmt: skip
    encoder = {"encoder": "bert", "fingerprint": "f", "dim": 2}
    write(place, "embeddings", "e1", pa.Table.from_pylist(texts, EMBEDDINGS), encoder, n_files=2)
    style = {"style": 0, "name": "jazz", "size": 3, "centroid": [1.0, 0.0]}
    write(place, "styles", "st", pa.Table.from_pylist([style], STYLES), {"encoder_fingerprint": "f"})
    pieces = [
        {"piece_id": piece_id, "licence": licence} for piece_id, licence in zip("abc", ["CC0", None, "CC0"], strict=True)
    ]
    write(place, "pieces", "p1", pa.Table.from_pylist(pieces, PIECES), {})
    return place


def shard_folders(scratch):
    """Versions of the sequences and the embeddings that are kept."""
    return sorted(path.parent.name.rpartition("-")[0] for path in scratch.glob("*/*/ids.npy"))


def assert_holds(data, place):
    tables = place.table("sequences"), place.table("embeddings")
    for split in ("train", "validation"):
        rows, expected = getattr(data, split), rows_of_split(*tables, split)
        for name in ("ids", "starts", "n_controls", "n_context", "text_vectors"):
            np.testing.assert_array_equal(getattr(rows, name), getattr(expected, name), strict=True)
        assert [texts.tolist() for texts in rows.texts] == [texts.tolist() for texts in expected.texts]


def test_a_workspace_s_windows_in_order_with_what_the_bundle_says_of_them(place, tmp_path):
    data = training_data(place, tmp_path / "scratch")
    assert_holds(data, place)
    read = [data.train.ids[a:b].tolist() for a, b in zip(data.train.starts, data.train.starts[1:], strict=False)]
    assert read == [[p, number, number][: 1 + number % 3] for p in (0, 2) for number in range(12)]
    assert data.train.text_vectors[data.train.texts[12]].tolist() == [[99.0, 10.0], [99.0, 9.0]]
    assert (data.encoder, data.styles) == (EncoderInfo("bert", "f", 2), (Style("jazz", (1.0, 0.0)),))
    assert data.about == {"pieces": 3, "windows": 36, "events": 72, "licences": {"CC0": 2, "unknown": 1}}


def test_rows_are_written_once_for_each_version(place, tmp_path):
    scratch = tmp_path / "scratch"
    before = training_data(place, scratch)
    (written,) = scratch.glob("*/*/ids.npy")
    number = written.stat().st_ino
    assert_holds(training_data(place, scratch), place)
    assert written.stat().st_ino == number
    write_sequences(place, "s2", first_id=100)
    after = training_data(place, scratch)
    assert after.train.ids[0] == 100
    assert_holds(after, place)
    assert shard_folders(scratch) == ["s2-e1"]
    assert before.train.ids[0] == 0


def test_a_version_that_is_made_again_is_written_again(place, tmp_path):
    training_data(place, tmp_path / "scratch")
    write_sequences(place, "s1", first_id=100)
    assert training_data(place, tmp_path / "scratch").train.ids[0] == 100
    assert shard_folders(tmp_path / "scratch") == ["s1-e1"]


def test_a_version_that_is_replaced_while_it_is_read_is_not_mixed_with_the_next(place, tmp_path, monkeypatch):
    def replaced_first(*arguments):
        write_sequences(place, "s2", first_id=100)
        return kept_shards(*arguments)

    monkeypatch.setattr(module, "kept_shards", replaced_first)
    with pytest.raises(WorkspaceError, match="sequences/s1 is damaged"):
        training_data(place, tmp_path / "scratch")
    assert shard_folders(tmp_path / "scratch") == []


def test_workspaces_do_not_share_a_folder(place, tmp_path):
    other = Workspace(str(tmp_path / "other"))
    (tmp_path / "w").rename(tmp_path / "other")
    training_data(other, tmp_path / "scratch")
    (tmp_path / "other").rename(tmp_path / "w")
    training_data(place, tmp_path / "scratch")
    assert shard_folders(tmp_path / "scratch") == ["s1-e1", "s1-e1"]


def test_by_default_a_node_keeps_them_in_its_temporary_folder(place, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert scratch_folder() == tmp_path / "tmp" / f"amt_ray_shards_{os.getuid()}"
    training_data(place)
    assert shard_folders(scratch_folder()) == ["s1-e1"]


def test_a_folder_that_cannot_be_written_is_named(place, tmp_path):
    (tmp_path / "scratch").write_text("a file")
    with pytest.raises(OutputError) as caught:
        training_data(place, tmp_path / "scratch")
    sentence = str(caught.value)
    assert sentence.startswith(f"cannot write {tmp_path}/scratch/")
    assert sentence.endswith(": Not a directory (TMPDIR names another folder); name a place that you may write to.")


def test_damaged_artefacts_are_the_workspace_s_error(place, tmp_path):
    (tmp_path / "w" / "sequences" / "s1" / "part-1.parquet").write_bytes(b"not Parquet")
    with pytest.raises(WorkspaceError, match="is damaged"):
        training_data(place, tmp_path / "scratch")
    assert shard_folders(tmp_path / "scratch") == []
