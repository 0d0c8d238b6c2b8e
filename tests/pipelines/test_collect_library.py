import shutil

import pyarrow.compute as pc
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.errors import LibraryError, WorkspaceError
from amt_ray.pipelines import collect as collect_module
from amt_ray.pipelines.collect import collect
from amt_ray.schemas import PIECES, REJECTS


@pytest.fixture
def mixed(library, broken_files, tmp_path):
    """The good library, the broken files, and one copy."""
    folder = tmp_path / "mixed"
    shutil.copytree(library, folder)
    shutil.copytree(broken_files, folder / "broken")
    first = min(library.rglob("*.mid"))
    shutil.copy(first, folder / "zz copy.mid")
    return folder


def test_every_file_is_a_piece_or_a_reject(ray_local, mixed, library, broken_files, tmp_path):
    report = collect(str(mixed), str(tmp_path / "w"))
    place = Workspace(str(tmp_path / "w"))
    pieces, rejects = place.table("pieces"), place.table("rejects")
    assert report.scanned == report.accepted + report.rejected + report.duplicates
    assert report.accepted == len(list(library.rglob("*.mid"))) == pieces.num_rows
    assert (report.duplicates, report.rejected) == (1, len(list(broken_files.iterdir())))
    assert pieces.schema.equals(PIECES)
    assert rejects.schema.equals(REJECTS)
    assert pieces["path"].to_pylist() == sorted(pieces["path"].to_pylist())
    copies = rejects.filter(pc.equal(rejects["reason"], "duplicate")).to_pylist()
    assert [row["path"] for row in copies] == ["zz copy.mid"]
    assert copies[0]["detail"].startswith("same content as ")
    assert sum(report.files_by_artist.values()) == report.accepted


def test_a_second_run_does_nothing_and_a_grown_library_only_what_is_new(ray_local, mixed, tmp_path, monkeypatch):
    parsed = []
    original = collect_module._parse_missing

    def counting(fs, root, files, parts, limits, progress):
        before = parts.n_rows()
        original(fs, root, files, parts, limits, progress)
        parsed.append(parts.n_rows() - before)

    monkeypatch.setattr(collect_module, "_parse_missing", counting)
    first = collect(str(mixed), str(tmp_path / "w"))
    again = collect(str(mixed), str(tmp_path / "w"))
    assert (first.was_current, again.was_current) == (False, True)
    assert again.accepted == first.accepted
    source = min(mixed.rglob("*.mid"))
    (mixed / "new.mid").write_bytes(source.read_bytes() + b"trailing bytes make another file")
    grown = collect(str(mixed), str(tmp_path / "w"))
    assert parsed == [first.scanned, 1]
    assert grown.scanned == first.scanned + 1 == grown.accepted + grown.rejected + grown.duplicates


def test_a_file_changed_in_place_is_read_again(ray_local, mixed, tmp_path):
    victim = min(mixed.rglob("*.mid"))
    before = collect(str(mixed), str(tmp_path / "w"))
    victim.write_bytes(b"no music any more")
    after = collect(str(mixed), str(tmp_path / "w"))
    # Its copy is now the piece: nothing else was lost.
    assert (after.accepted, after.duplicates) == (before.accepted, 0)
    assert after.rejected == before.rejected + 1


def test_a_half_written_part_is_parsed_again(ray_local, mixed, tmp_path):
    collect(str(mixed), str(tmp_path / "w"))
    part = next((tmp_path / "w" / ".parts").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    shutil.rmtree(tmp_path / "w" / "pieces")
    report = collect(str(mixed), str(tmp_path / "w"))
    assert report.scanned == report.accepted + report.rejected + report.duplicates
    assert Workspace(str(tmp_path / "w")).table("pieces").num_rows == report.accepted


def test_nothing_readable_is_an_error_that_leaves_nothing(ray_local, broken_files, tmp_path):
    with pytest.raises(LibraryError, match="none of its MIDI files can be taken"):
        collect(str(broken_files), str(tmp_path / "w"))
    assert not (tmp_path / "w").exists()


def test_a_workspace_of_another_schema_is_refused_untouched(library, tmp_path):
    manifest = tmp_path / "w" / "pieces" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"schema_version": 999}')
    with pytest.raises(WorkspaceError, match=r"schema version 999, this amt_ray reads version 1"):
        collect(str(library), str(tmp_path / "w"))
    assert [p.name for p in (tmp_path / "w").rglob("*")] == ["pieces", "manifest.json"]
