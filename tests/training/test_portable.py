import json

import numpy as np
import pyarrow as pa
import pytest

from amt_ray.errors import OutputError, TrainingError
from amt_ray.events.vocabulary import BAR, BOS, EOS
from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.schemas import EMBEDDINGS, SEQUENCES
from amt_ray.training.portable import load_portable, save_portable
from amt_ray.training.rows import rows_of_split

ENCODER = EncoderInfo("bert", "f" * 64, 4)
STYLES = (Style("jazz, piano", (0.1, -0.25, 1 / 3, 0.0)), Style("Lieder", (1.0, 0.0, 0.0, 0.0)))
ABOUT = {"pieces": 3, "licences": {"CC0": 2, "unknown": 1}}


def tables():
    sequences = [
        {"piece_id": piece_id, "window": window, "ids": [BOS, 100 + window, BAR, EOS], "n_controls": 1,
         "n_context": window, "style": 0, "split": "validation" if piece_id == "c" else "train"}
        for piece_id in "cab" for window in range(2)
    ]  # fmt: skip
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [(piece_id, kind) for piece_id in "abc" for kind in ("features-0", "wikipedia")]
    embeddings = [
        {"piece_id": piece_id, "kind": kind, "vector": vector.tolist()}
        for (piece_id, kind), vector in zip(keys, vectors, strict=True)
    ]
    return pa.Table.from_pylist(sequences, SEQUENCES), pa.Table.from_pylist(embeddings, EMBEDDINGS)


@pytest.fixture
def folder(tmp_path):
    n_bytes = save_portable(tmp_path / "data", *tables(), ENCODER, STYLES, ABOUT)
    assert n_bytes == sum(path.stat().st_size for path in (tmp_path / "data").iterdir())
    return tmp_path / "data"


def test_what_is_read_is_what_was_written_but_for_the_rounding_of_vectors(folder):
    data = load_portable(folder)
    assert (data.encoder, data.styles, data.about) == (ENCODER, STYLES, ABOUT)
    for split, rows in (("train", data.train), ("validation", data.validation)):
        expected = rows_of_split(*tables(), split)
        for name in ("ids", "starts", "n_controls", "n_context"):
            np.testing.assert_array_equal(getattr(rows, name), getattr(expected, name))
        assert [texts.tolist() for texts in rows.texts] == [texts.tolist() for texts in expected.texts]
        np.testing.assert_allclose(rows.text_vectors, expected.text_vectors, atol=1e-3)
        assert rows.text_vectors.dtype == np.float32


def test_a_folder_of_other_events_is_refused(folder):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"events": about["events"][::-1]}))
    with pytest.raises(TrainingError, match="was written for other events; write it again"):
        load_portable(folder)


@pytest.mark.parametrize("name", ["about.json", "sequences.parquet", "embeddings.parquet"])
def test_a_damaged_or_missing_file_is_one_sentence(folder, name):
    for spoil in (lambda path: path.write_bytes(b"{}"), lambda path: path.unlink()):
        spoil(folder / name)
        with pytest.raises(TrainingError, match="name a folder that `amt pack` wrote") as caught:
            load_portable(folder)
        assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        save_portable(tmp_path / "file" / "data", *tables(), ENCODER, STYLES, ABOUT)
