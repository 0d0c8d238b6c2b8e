import numpy as np
import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.errors import WorkspaceError
from amt_ray.pipelines.similarity import Similarity, similarity
from amt_ray.schemas import CAPTIONS, EMBEDDINGS


def place_of(folder, vectors):
    """A workspace with a caption for each vector, of which every piece has two."""
    place = Workspace(str(folder))
    keys = [{"piece_id": f"p{i // 2}", "kind": f"features-{i % 2}"} for i in range(len(vectors))]
    captions = [key | {"text": f"text {i}"} for i, key in enumerate(keys)]
    rows = [key | {"vector": vector} for key, vector in zip(keys, vectors, strict=True)]
    place.write("captions", pa.Table.from_pylist(captions[::-1], CAPTIONS), "c", {}, {})
    place.write("embeddings", pa.Table.from_pylist(rows, EMBEDDINGS), "e", {}, {})
    return place


def test_the_nearest_caption_and_the_mean_are_those_of_all_captions(tmp_path):
    place = place_of(tmp_path, [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]])
    found = similarity(place, np.array([0.6, 0.8], np.float32))
    assert (found.caption, found.n_captions) == ("text 3", 4)
    assert found.nearest == pytest.approx(1.0)
    assert found.mean == pytest.approx((0.6 + 0.8 - 0.6 + 1.0) / 4)


def test_no_embeddings_are_like_nothing(tmp_path):
    assert similarity(place_of(tmp_path, []), np.zeros(2, np.float32)) is None
    with pytest.raises(WorkspaceError, match="amt prepare"):
        similarity(Workspace(str(tmp_path / "none")), np.zeros(2, np.float32))


def test_a_caption_that_has_gone_is_shown_as_none(tmp_path):
    place = place_of(tmp_path, [[1.0, 0.0]])
    place.write("captions", CAPTIONS.empty_table(), "c2", {}, {})
    assert similarity(place, np.array([1.0, 0.0], np.float32)) == Similarity(1.0, "", 1.0, 1)
