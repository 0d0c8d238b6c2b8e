from __future__ import annotations

import csv
import sys
from dataclasses import replace

import pytest

from amt_ray.errors import MissingPackageError, OutputError
from amt_ray.midi.corpus import default_works
from amt_ray.midi.parse import parse_midi
from amt_ray.pipelines import corpus
from amt_ray.pipelines.corpus import CorpusReport, make_corpus

SHORT = [work for work in default_works() if work.corpus_path.startswith(("ryansMammoth/", "bach/bwv3"))][:4]


@pytest.fixture
def four_works(monkeypatch):
    """The list cut to four works that take hundredths of a second; the workers read numbers, so theirs is cut too."""
    pytest.importorskip("music21")
    numbers = [default_works().index(work) for work in SHORT]
    converted = corpus._converted

    def renumbered(missing):
        for number, midi, reason in converted([numbers[i] for i in missing]):
            yield numbers.index(number), midi, reason

    monkeypatch.setattr(corpus, "_converted", renumbered)
    monkeypatch.setattr(corpus, "default_works", lambda limit=None: SHORT[:limit])


@pytest.mark.usefixtures("ray_local", "four_works")
def test_a_library_is_made_and_a_second_run_makes_what_is_missing(tmp_path):
    calls = []
    report = make_corpus(str(tmp_path), progress=lambda *call: calls.append(call))
    assert report == CorpusReport(str(tmp_path), written=4, already_there=0, failed=[])
    assert calls == [("pieces", done, 4) for done in range(5)]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.mid")}
    assert sorted(p.relative_to(tmp_path).as_posix() for p in before) == sorted(work.midi_path for work in SHORT)
    assert min(len(parse_midi(data).notes) for data in before.values()) > 50

    lost = tmp_path / SHORT[2].midi_path
    lost.unlink()
    calls.clear()
    again = make_corpus(str(tmp_path), progress=lambda *call: calls.append(call))
    assert (again.written, again.already_there) == (1, 3)
    assert calls == [("pieces", 3, 4), ("pieces", 4, 4)]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.mid")} == before
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".")] == []


@pytest.mark.usefixtures("four_works")
def test_licences_list_all_that_is_there_and_a_failure_is_reported(tmp_path, monkeypatch):
    outcomes = [(0, b"MThd", ""), (1, None, "no_notes: rests only"), (2, b"MThd", "")]
    monkeypatch.setattr(corpus, "_converted", lambda missing: iter(outcomes))
    report = make_corpus(str(tmp_path), limit=3)
    assert (report.written, report.failed) == (2, [(SHORT[1].corpus_path, "no_notes: rests only")])
    with (tmp_path / "LICENCES.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert set(rows) == {SHORT[0].midi_path, SHORT[2].midi_path}
    row = rows[SHORT[0].midi_path]
    assert (row["title"], row["composer"], row["licence"]) == (SHORT[0].title, SHORT[0].composer, SHORT[0].licence)
    assert (row["attribution"], row["source"]) == (SHORT[0].attribution, f"music21 corpus: {SHORT[0].corpus_path}")


def test_one_works_failure_is_its_reason_and_no_exception():
    pytest.importorskip("music21")
    midi, reason = corpus._outcome(replace(SHORT[0], corpus_path="bach/none.mxl"))
    assert midi is None
    assert reason.startswith("unreadable: bach/none.mxl")


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*file.*name a place that you may write to"):
        make_corpus(str(tmp_path / "file" / "library"))


def test_without_music21_nothing_is_started(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "music21", None)
    monkeypatch.setattr(corpus, "start_ray", lambda: pytest.fail("Ray was started"))
    with pytest.raises(MissingPackageError, match="amt corpus"):
        make_corpus(str(tmp_path))
