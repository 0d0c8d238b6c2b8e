import numpy as np
import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.errors import EncoderError, RequestError, WorkspaceError
from amt_ray.pipelines.styles import make_styles, mean_vectors, restyle, styles_report
from amt_ray.schemas import SCHEMAS

KINDS = ("baroque piece for harpsichord", "jazz piece for alto sax", "rock piece for banjo")


def fill(place, n_pieces, encoder="small", seed=0):
    """Pieces "p00", "p01" … of the kinds 0, 1, 2, 0 …, each with two captions and a vector near its kind's axis."""
    rng = np.random.default_rng(seed)
    pieces, captions, embeddings = [], [], []
    for n in range(n_pieces):
        piece_id = f"p{n:02}"
        pieces.append({"piece_id": piece_id, "artist": f"Artist {n % 4}", "title": f"Study {n}"})
        for kind in ("features-0", "features-1"):
            vector = np.eye(8)[n % 3] + rng.normal(0, 0.05, 8)
            captions.append({"piece_id": piece_id, "kind": kind, "text": f"A {KINDS[n % 3]}."})
            embeddings.append({"piece_id": piece_id, "kind": kind, "vector": vector / np.linalg.norm(vector)})
    facts = {"encoder": encoder, "fingerprint": f"sha of {encoder}", "dim": 8}
    for name, rows, known in (("pieces", pieces, {}), ("captions", captions, {}), ("embeddings", embeddings, facts)):
        made_of = f"{name}-{n_pieces}-{encoder}-{seed}"
        place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), made_of, {}, known)
    return place


@pytest.fixture
def place(tmp_path):
    return fill(Workspace(str(tmp_path / "w")), 12)


def style_of(place):
    rows = place.table("style_of_piece").to_pylist()
    return {row["piece_id"]: row["style"] for row in rows}


def test_each_piece_has_the_style_of_its_kind_and_a_place_on_the_map(place):
    report = restyle(place.root)
    rows = place.table("style_of_piece").to_pylist()
    assert [row["piece_id"] for row in rows] == [f"p{n:02}" for n in range(12)]
    assert len({(n % 3, row["style"]) for n, row in enumerate(rows)}) == 3
    centroids = np.stack(place.table("styles")["centroid"].to_numpy())
    _, means = mean_vectors(place)
    for row, mean in zip(rows, means, strict=True):
        assert row["similarity"] == pytest.approx(float((centroids @ mean).max()), abs=1e-6)
    assert np.isfinite([[row["x"], row["y"]] for row in rows]).all()
    assert {style.name for style in report.styles} == {
        "baroque, harpsichord", "jazz, alto saxophone", "rock, banjo",
    }  # fmt: skip
    assert [style.n_pieces for style in report.styles] == [4, 4, 4]
    assert max(report.silhouette_by_k, key=report.silhouette_by_k.get) == 3
    assert (report.n_pieces, report.n_pieces_fitted, report.is_prepare_due) == (12, 12, False)
    for style in report.styles:
        assert len({example.split(" - ")[0] for example in style.examples}) == 3


def test_a_piece_is_the_mean_of_its_captions_whatever_their_order(place):
    rows = place.table("embeddings").to_pylist()
    ids, means = mean_vectors(place)
    assert ids == [f"p{n:02}" for n in range(12)]
    for piece_id, mean in zip(ids, means, strict=True):
        own = np.mean([row["vector"] for row in rows if row["piece_id"] == piece_id], axis=0)
        assert mean == pytest.approx(own / np.linalg.norm(own), abs=1e-6)
    shuffled = pa.Table.from_pylist(rows[::-1], SCHEMAS["embeddings"])
    place.write("embeddings", shuffled, "shuffled", {}, place.need("embeddings").facts)
    assert mean_vectors(place)[1].tobytes() == means.tobytes()
    assert means.dtype == np.float32


def test_again_does_nothing(place):
    restyle(place.root)
    before = {name: place.manifest(name) for name in ("styles", "style_of_piece")}
    tables = [place.table(name) for name in before]
    restyle(place.root)
    restyle(place.root, refit=True)
    assert {name: place.manifest(name) for name in before} == before
    place.fs.delete_dir(place.folder("style_of_piece"))
    restyle(place.root)
    assert [place.table(name) for name in before] == tables


def test_pieces_that_are_added_are_given_to_the_styles_that_there_are(place):
    restyle(place.root)
    before, styles = style_of(place), place.table("styles").to_pylist()
    fill(place, 20, seed=1)
    report = restyle(place.root)
    after = style_of(place)
    assert {piece_id: after[piece_id] for piece_id in before} == before
    assert all(after[f"p{n:02}"] == before[f"p{n % 3:02}"] for n in range(20))
    kept = place.table("styles").to_pylist()
    assert [(row["name"], row["centroid"]) for row in kept] == [(row["name"], row["centroid"]) for row in styles]
    assert sorted(row["size"] for row in kept) == [6, 7, 7]
    assert (report.n_pieces, report.n_pieces_fitted) == (20, 12)
    refitted = restyle(place.root, refit=True)
    assert (refitted.n_pieces, refitted.n_pieces_fitted) == (20, 20)
    assert place.table("styles")["centroid"].to_pylist() != [row["centroid"] for row in kept]


def test_other_settings_find_other_styles_and_those_that_are_not_named_stay(place):
    restyle(place.root, PrepareSettings(max_styles=2, seed=5))
    assert place.table("styles").num_rows == 2
    assert place.need("styles").settings == {"min_styles": 2, "max_styles": 2, "seed": 5}
    restyle(place.root, PrepareSettings())
    assert place.table("styles").num_rows == 2
    restyle(place.root, PrepareSettings(max_styles=4))
    assert place.table("styles").num_rows == 3
    assert place.need("styles").settings == {"min_styles": 2, "max_styles": 4, "seed": 5}


def test_more_styles_at_least_than_at_most_are_refused(place):
    with pytest.raises(RequestError, match="min_styles: received 12; allowed is at most max_styles, which is 10"):
        restyle(place.root, PrepareSettings(min_styles=12))


def test_styles_of_another_encoder_are_refused_unless_new_ones_are_fitted(place):
    restyle(place.root)
    fill(place, 12, encoder="large")
    with pytest.raises(EncoderError, match=r"text encoder large: the embeddings .* but its styles with small; .*--refit"):
        restyle(place.root)
    assert place.need("styles").facts["encoder"] == "small"
    restyle(place.root, refit=True)
    assert place.need("styles").facts["encoder"] == "large"


def test_preparing_with_another_encoder_fits_anew(place):
    restyle(place.root)
    fill(place, 12, encoder="large")
    styles = make_styles(place, place.need("embeddings"), PrepareSettings(encoder="large"))
    assert (styles.facts["encoder"], styles.facts["n_pieces_fitted"]) == ("large", 12)


def test_windows_of_other_styles_make_prepare_due(place):
    restyle(place.root)
    facts = {"styles": place.need("styles").version}
    place.write("sequences", SCHEMAS["sequences"].empty_table(), "s", {}, facts)
    assert not styles_report(place).is_prepare_due
    assert restyle(place.root, PrepareSettings(max_styles=2)).is_prepare_due


def test_one_piece_is_one_style(tmp_path):
    report = restyle(fill(Workspace(str(tmp_path / "one")), 1).root)
    assert [(style.name, style.n_pieces, style.examples) for style in report.styles] == [
        ("baroque, harpsichord", 1, ("Artist 0 - Study 0",))
    ]
    assert report.silhouette_by_k == {}


def test_no_pieces_are_no_styles(tmp_path):
    report = restyle(fill(Workspace(str(tmp_path / "none")), 0).root)
    assert (report.styles, report.n_pieces) == ((), 0)
    assert restyle(fill(Workspace(str(tmp_path / "none")), 9).root).n_pieces_fitted == 9


def test_styles_need_embeddings(tmp_path):
    with pytest.raises(WorkspaceError, match="it has no embeddings yet; run `amt prepare` first"):
        restyle(str(tmp_path / "w"))
