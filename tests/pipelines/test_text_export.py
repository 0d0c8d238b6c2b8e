import json

import numpy as np
import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace, fingerprint
from amt_ray.pipelines import text_export
from amt_ray.pipelines.json_arrays import json_arrays
from amt_ray.pipelines.text_export import left_out, write_clustered, write_text_embeddings
from amt_ray.schemas import SCHEMAS

PIECES = [
    {"piece_id": "d", "artist": "ABBA", "title": "Fernando", "midi": b"MThd"},
    {"piece_id": "a", "artist": "Bach", "title": 'Air "für" 歌'},
    {"piece_id": "c", "artist": None, "title": "no captions"},
    {"piece_id": "b", "artist": "", "title": "no style"},
]
CAPTIONS = [
    {"piece_id": "a", "kind": "features-1", "text": "Air, two"},
    {"piece_id": "gone", "kind": "features-0", "text": "?"},
    {"piece_id": "a", "kind": "features-0", "text": 'Air, "one"\n'},
    {"piece_id": "d", "kind": "article", "text": "A song by ABBA."},
    {"piece_id": "d", "kind": "features-0", "text": "A song."},
    {"piece_id": "b", "kind": "features-0", "text": "not embedded"},
]
STYLES = [{"style": 0, "name": "pop, disco"}, {"style": 1, "name": "strings"}]
STYLE_OF_PIECE = [
    {"piece_id": "c", "style": 0, "similarity": 1.0, "x": 0.0, "y": 0.0},
    {"piece_id": "d", "style": 0, "similarity": 0.1, "x": 0.0, "y": 0.0},
    {"piece_id": "a", "style": 1, "similarity": 0.7, "x": 0.0, "y": 0.0},
]
FACTS = {"encoder": "all-MiniLM", "fingerprint": "0123abcd", "dim": 3}
VECTORS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
EMBEDDED = [("gone", "features-0"), ("d", "features-0"), ("a", "features-1"), ("d", "article"), ("a", "features-0")]


def write(place, name, rows, made_of="f", facts=None):
    return place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), made_of, {}, facts or {})


@pytest.fixture
def place(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    write(place, "pieces", PIECES)
    captions = write(place, "captions", CAPTIONS, "captions")
    rows = [
        {"piece_id": piece_id, "kind": kind, "vector": vector}
        for (piece_id, kind), vector in zip(EMBEDDED, VECTORS.tolist(), strict=True)
    ]
    write(place, "embeddings", rows, fingerprint("embeddings", captions.version, "0123abcd"), FACTS)
    write(place, "styles", STYLES)
    write(place, "style_of_piece", STYLE_OF_PIECE)
    return place


def written(place, write_file):
    with json_arrays(Workspace(f"{place.root}-out"), ["x.json"]) as arrays:
        write_file(place, arrays["x.json"])
    with open(f"{place.root}-out/x.json", encoding="utf-8") as file:
        return json.load(file, parse_constant=pytest.fail)


def test_every_embedded_caption_is_an_object_that_names_its_encoder(place):
    rows = written(place, write_text_embeddings)
    assert [(row["piece_id"], row["kind"], row["text"]) for row in rows] == [
        ("d", "article", "A song by ABBA."),
        ("d", "features-0", "A song."),
        ("a", "features-0", 'Air, "one"\n'),
        ("a", "features-1", "Air, two"),
    ]
    for row in rows:
        assert list(row) == ["piece_id", "kind", "text", "encoder", "encoder_fingerprint", "dim", "embedding"]
        assert (row["encoder"], row["encoder_fingerprint"], row["dim"]) == ("all-MiniLM", "0123abcd", 3)
        expected = VECTORS[EMBEDDED.index((row["piece_id"], row["kind"]))]
        assert np.array(row["embedding"]).astype(np.float32).tobytes() == expected.tobytes()


def test_every_piece_with_a_style_is_an_object_with_its_captions(place):
    assert written(place, write_clustered) == [
        {
            "piece_id": "d",
            "artist": "ABBA",
            "title": "Fernando",
            "texts": [{"kind": "article", "text": "A song by ABBA."}, {"kind": "features-0", "text": "A song."}],
            "style_name": "pop, disco",
            "style": 0,
            "similarity": 0.1,
        },
        {
            "piece_id": "a",
            "artist": "Bach",
            "title": 'Air "für" 歌',
            "texts": [{"kind": "features-0", "text": 'Air, "one"\n'}, {"kind": "features-1", "text": "Air, two"}],
            "style_name": "strings",
            "style": 1,
            "similarity": 0.7,
        },
        {
            "piece_id": "c",
            "artist": None,
            "title": "no captions",
            "texts": [],
            "style_name": "pop, disco",
            "style": 0,
            "similarity": 1.0,
        },
    ]


@pytest.mark.parametrize("write_file", [write_text_embeddings, write_clustered])
def test_the_same_bytes_however_much_is_joined_at_once(place, tmp_path, monkeypatch, write_file):
    written(place, write_file)
    together = (tmp_path / "w-out" / "x.json").read_bytes()
    monkeypatch.setattr(text_export, "NUMBERS_PER_JOIN", 1)
    monkeypatch.setattr(text_export, "PIECES_PER_JOIN", 1)
    monkeypatch.setattr(text_export, "ROWS_PER_WRITE", 1)
    monkeypatch.setattr("amt_ray.pipelines.batches.ROWS_PER_BATCH", 1)
    written(place, write_file)
    assert (tmp_path / "w-out" / "x.json").read_bytes() == together


def test_pieces_are_joined_with_as_many_numbers_as_are_allowed(place, monkeypatch):
    runs = []

    def spy(place, columns, n_pieces):
        runs.append(n_pieces)
        return iter(())

    monkeypatch.setattr(text_export, "piece_runs", spy)
    monkeypatch.setattr(text_export, "NUMBERS_PER_JOIN", 60)
    written(place, write_text_embeddings)
    assert runs == [10]  # 6 captions of 4 pieces are up to 2 a piece, of 3 numbers each


def test_no_file_is_left_out_when_all_is_there(place):
    assert left_out(place) == {}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("captions", ["text_embeddings.json", "clustered_text_data.json"]),
        ("embeddings", ["text_embeddings.json"]),
        ("styles", ["clustered_text_data.json"]),
        ("style_of_piece", ["clustered_text_data.json"]),
    ],
)
def test_what_is_missing_is_named_with_what_makes_it(place, name, files):
    place.fs.delete_dir(place.folder(name))
    command = "amt prepare"
    assert left_out(place) == dict.fromkeys(files, f"the workspace has no {name} yet: run `{command}` first")


def test_embeddings_of_other_captions_are_left_out(place):
    write(place, "captions", CAPTIONS, "newer")
    assert left_out(place) == {"text_embeddings.json": "the embeddings are of other captions: run `amt prepare` first"}


def test_styles_without_their_pieces_are_left_out(place):
    write(place, "styles", STYLES, "newer")
    reason = "the styles are newer than the pieces' styles: run `amt prepare` first"
    assert left_out(place) == {"clustered_text_data.json": reason}
