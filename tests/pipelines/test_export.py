import json
import math
import os

import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace, fingerprint
from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.pipelines import export
from amt_ray.pipelines.export import export_json, metadata_of
from amt_ray.schemas import PIECES, SCHEMAS

TITLES = ["Fernando", "Dancing Queen", "Waterloo", "Chiquitita"]
PIECES_WRITTEN = [
    {
        "piece_id": f"id-{title}",
        "library": "/music/",
        "path": f"ABBA/{title}.mid",
        "artist": "ABBA",
        "title": title,
        "licence": "CC0-1.0",
        "lyrics": 'Ünï "quoted"\n歌 🎵',
        "midi": b"MThd",
        "duration_s": 180.5,
        "tempo_bpm": math.nan,
        "programs": [0, 40, 128],
        "pitch_classes": [0.1, math.inf, 0.7],
    }
    for title in TITLES
]
ARTICLE = {
    "status": "song",
    "reason": "",
    "confidence": 0.89,
    "page_title": "Dancing Queen",
    "page_url": "https://en.wikipedia.org/wiki/Dancing_Queen",
    "revision_id": 123456789,
    "extract": "“Dancing Queen” is a song by ABBA.",
    "licence": "CC BY-SA 4.0",
    "fetched_at": "2026-01-01T00:00:00Z",
}
ARTICLES = [  # in another order than the pieces, as they are found by artist and title
    ARTICLE | {"piece_id": "id-Waterloo", "status": "artist", "reason": "low_confidence", "extract": "ABBA are a group."},
    ARTICLE | {"piece_id": "id-Chiquitita", "status": "none", "reason": "low_confidence", "extract": "An island."},
    ARTICLE | {"piece_id": "id-Dancing Queen"},
    ARTICLE | {"piece_id": "id-of a piece that is gone"},
]


def write(place, name, rows):
    return place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), "f", {}, {})


@pytest.fixture
def workspace(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    write(place, "pieces", PIECES_WRITTEN)
    write(place, "articles", ARTICLES)
    return place


def load(path):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_constant=refuse)


def test_every_piece_is_an_object_with_every_column_but_midi(workspace, tmp_path):
    report = export_json(workspace.root)
    assert report.metadata.path == str(tmp_path / "w" / "midi_metadata_list.json")
    assert report.metadata.n_objects == 4
    assert report.metadata.size_bytes == (tmp_path / "w" / "midi_metadata_list.json").stat().st_size
    rows = load(report.metadata.path)
    assert [row["title"] for row in rows] == TITLES
    assert list(rows[0]) == ["file_path", *(name for name in PIECES.names if name != "midi"), "instruments"]
    assert rows[0]["file_path"] == "/music/ABBA/Fernando.mid"
    assert rows[0]["instruments"] == ["piano", "violin", "drums"]
    assert rows[0]["lyrics"] == 'Ünï "quoted"\n歌 🎵'
    assert rows[0]["duration_s"] == 180.5
    assert rows[0]["genre"] is None


def test_what_is_not_a_number_is_null_and_floats_are_short(workspace):
    row = load(export_json(workspace.root).metadata.path)[0]
    assert row["tempo_bpm"] is None
    assert row["pitch_classes"] == [0.1, None, 0.7]


def test_pieces_with_an_article_are_paired_with_its_text_and_attribution(workspace):
    report = export_json(workspace.root)
    rows = load(report.paired.path)
    assert [(row["title"], row["description"]) for row in rows] == [
        ("Dancing Queen", "“Dancing Queen” is a song by ABBA."),
        ("Waterloo", "ABBA are a group."),
    ]
    assert report.paired.n_objects == 2
    assert rows[0]["licence"] == "CC0-1.0"
    assert rows[0]["article"] == {
        "status": "song",
        "confidence": 0.89,
        "page_title": "Dancing Queen",
        "page_url": "https://en.wikipedia.org/wiki/Dancing_Queen",
        "revision_id": 123456789,
        "licence": "CC BY-SA 4.0",
        "fetched_at": "2026-01-01T00:00:00Z",
    }
    metadata = {row["title"]: row for row in load(report.metadata.path)}
    for row in rows:
        assert row == metadata[row["title"]] | {"description": row["description"], "article": row["article"]}


def test_captions_of_features_make_no_pairs(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    write(place, "pieces", PIECES_WRITTEN)
    write(place, "captions", [{"piece_id": "id-Fernando", "kind": "features-0", "text": "A song."}])
    report = export_json(place.root)
    assert load(report.paired.path) == []
    assert (report.metadata.n_objects, report.paired.n_objects) == (4, 0)


def test_the_same_files_however_many_pieces_are_joined_at_once(workspace, tmp_path, monkeypatch):
    together = export_json(workspace.root)
    monkeypatch.setattr(export, "PIECES_PER_JOIN", 1)
    monkeypatch.setattr("amt_ray.pipelines.batches.ROWS_PER_BATCH", 1)
    apart = export_json(workspace.root, str(tmp_path / "new" / "folder"))
    for first, second in ((together.metadata, apart.metadata), (together.paired, apart.paired)):
        assert second.path == str(tmp_path / "new" / "folder" / first.path.rsplit("/", 1)[1])
        with open(first.path, "rb") as one, open(second.path, "rb") as other:
            assert one.read() == other.read()


def test_a_workspace_at_an_address_is_exported_through_its_filesystem(workspace):
    report = export_json(f"file://{workspace.path}")
    assert report.metadata.path == f"file://{workspace.path}/midi_metadata_list.json"
    assert len(load(f"{workspace.path}/midi_metadata_list.json")) == 4


def test_a_failure_leaves_both_files_as_they_were(workspace, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "midi_metadata_list.json").write_text("old")

    def fail(metadata, article):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "pair_of", fail)
    with pytest.raises(KeyboardInterrupt):
        export_json(workspace.root, str(out))
    assert {path.name: path.read_text() for path in out.iterdir()} == {"midi_metadata_list.json": "old"}


def test_a_folder_that_cannot_be_made_is_an_output_error(workspace, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        export_json(workspace.root, str(tmp_path / "file"))


def test_without_captions_and_styles_their_files_are_left_out(workspace, tmp_path):
    report = export_json(workspace.root, str(tmp_path / "out"))
    assert (report.embeddings, report.clustered) == (None, None)
    reason = "the workspace has no captions yet: run `amt prepare` first"
    assert report.left_out == {"text_embeddings.json": reason, "clustered_text_data.json": reason}
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["automated_paired_data.json", "midi_metadata_list.json"]


def test_with_captions_and_styles_there_are_four_files(workspace, tmp_path):
    captions = write(workspace, "captions", [{"piece_id": "id-Fernando", "kind": "features-0", "text": "A song."}])
    made_of = fingerprint("embeddings", captions.version, "print")
    rows = [{"piece_id": "id-Fernando", "kind": "features-0", "vector": [0.5]}]
    facts = {"encoder": "e", "fingerprint": "print", "dim": 1}
    workspace.write("embeddings", pa.Table.from_pylist(rows, SCHEMAS["embeddings"]), made_of, {}, facts)
    write(workspace, "styles", [{"style": 0, "name": "pop"}])
    write(workspace, "style_of_piece", [{"piece_id": "id-Fernando", "style": 0, "similarity": 1.0}])
    report = export_json(workspace.root, str(tmp_path / "out"))
    assert report.left_out == {}
    files = (report.metadata, report.paired, report.embeddings, report.clustered)
    assert [file.n_objects for file in files] == [4, 2, 1, 1]
    assert [file.size_bytes for file in files] == [os.path.getsize(file.path) for file in files]
    assert [len(load(file.path)) for file in files] == [4, 2, 1, 1]


def test_without_pieces_nothing_is_written(tmp_path):
    with pytest.raises(WorkspaceError, match="no pieces yet"):
        export_json(str(tmp_path / "w"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_piece_without_library_or_programs():
    row = metadata_of({"library": "", "path": "a.mid", "programs": None})
    assert row == {"file_path": "a.mid", "library": "", "path": "a.mid", "programs": None, "instruments": []}
