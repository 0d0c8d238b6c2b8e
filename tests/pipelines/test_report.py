import json

import matplotlib.image
import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.midi.library import ArticleCounts
from amt_ray.pipelines.report import library_report, write_report
from amt_ray.schemas import SCHEMAS

PIECE = {
    "artist": "宇多田ヒカル",
    "genre": "pop",
    "midi": b"MThd",
    "duration_s": 120.0,
    "n_notes": 500,
    "tempo_bpm": 120.0,
    "time_signature": "4/4",
    "key": "C major",
    "polyphony": "homo",
    "families": ["piano"],
}
REJECTS = [
    ("collect", "corrupt"),
    ("collect", "duplicate"),
    ("collect", "near_duplicate"),
    ("collect", "near_duplicate"),
    ("prepare", "no_window"),
]


def write(place, name, rows):
    place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), "f", {}, {})


@pytest.fixture
def workspace(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    write(place, "pieces", [PIECE | {"piece_id": str(i), "genre": genre} for i, genre in enumerate(["pop", "pop", "rock"])])
    write(place, "rejects", [{"stage": stage, "reason": reason} for stage, reason in REJECTS])
    return place


def test_scanned_is_accepted_and_rejected_and_duplicates(workspace):
    report = library_report(workspace)
    of_collect = sum(stage == "collect" for stage, _ in REJECTS)
    assert report.total_files == workspace.need("pieces").n_rows + of_collect == 7
    assert (report.accepted, report.rejected, report.duplicates, report.near_duplicates) == (3, 1, 1, 2)
    assert report.genres == {"pop": 2, "rock": 1}
    assert report.articles is None


def test_articles_are_counted_where_there_are_any(workspace):
    rows = [
        {"status": "song", "reason": "", "extract": "x" * 100},
        {"status": "artist", "reason": "no_page", "extract": "é" * 50},
        {"status": "failed", "reason": "timeout"},
    ]
    write(workspace, "articles", rows)
    assert library_report(workspace).articles == ArticleCounts(
        {"artist": 1, "failed": 1, "song": 1}, {"no_page": 1, "timeout": 1}, 75.0
    )
    write(workspace, "articles", [])
    assert library_report(workspace).articles == ArticleCounts({}, {}, 0.0)


def test_the_report_is_written_beside_the_artefacts(workspace, tmp_path):
    report = write_report(workspace)
    told = json.loads((tmp_path / "w" / "report.json").read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(report.as_json()))
    assert (told["total_files"], told["top_artists"]) == (7, {"宇多田ヒカル": 3})
    assert matplotlib.image.imread(tmp_path / "w" / "report.png").shape[1] > 1000


def test_a_library_of_one_piece_has_a_report(tmp_path):
    place = Workspace(str(tmp_path / "one"))
    write(place, "pieces", [PIECE | {"artist": "", "genre": None, "key": None, "families": []}])
    write(place, "rejects", [])
    report = write_report(place)
    assert (report.total_files, report.artists, report.genres, report.median_notes) == (1, 0, {}, 500.0)


def test_errors_say_what_is_missing(workspace, tmp_path):
    with pytest.raises(WorkspaceError, match="run `amt collect` first"):
        library_report(Workspace(str(tmp_path / "nowhere")))
    (tmp_path / "w" / "report.png").mkdir()
    (tmp_path / "w" / "report.png" / "in the way").touch()
    with pytest.raises(OutputError, match=r"report\.png"):
        write_report(workspace)
