import hashlib
import json
import os
import shutil
import zipfile

import pytest
from strategies import compose

from amt_ray.artifacts import Workspace
from amt_ray.config import CollectSettings
from amt_ray.errors import LibraryError, WorkspaceError
from amt_ray.midi.write import write_midi
from amt_ray.pipelines.collect import collect
from amt_ray.schemas import PIECES, REJECTS, SCHEMA_VERSION

SKIP = CollectSettings(skip_wikipedia=True)


@pytest.fixture
def mixed(library, broken_files, tmp_path):
    """The good library, the broken files, one copy, and one copy of the music in another key."""
    folder = tmp_path / "mixed"
    shutil.copytree(library, folder)
    shutil.copytree(broken_files, folder / "broken")
    shutil.copy(min(library.rglob("*.mid")), folder / "zz copy.mid")
    music = compose(1)
    music.notes.pitch[music.notes.program != 128] += 1
    (folder / "zz higher.mid").write_bytes(write_midi(music))
    return folder


def rows_of(place):
    return {name: Workspace(str(place)).table(name).to_pylist() for name in ("pieces", "rejects")}


def test_every_file_is_a_piece_or_a_reject(ray_local, mixed, library, broken_files, tmp_path):
    report = collect(str(mixed), str(tmp_path / "w"), SKIP)
    place = Workspace(str(tmp_path / "w"))
    pieces, rejects = place.table("pieces"), place.table("rejects")
    counts = report.library
    assert counts.total_files == report.files_parsed == len([path for path in mixed.rglob("*") if path.is_file()])
    assert counts.accepted == len(list(library.rglob("*.mid"))) == pieces.num_rows
    assert (counts.duplicates, counts.near_duplicates, counts.rejected) == (1, 1, len(list(broken_files.iterdir())))
    assert pieces.schema.equals(PIECES)
    assert rejects.schema.equals(REJECTS)
    assert pieces["path"].to_pylist() == sorted(pieces["path"].to_pylist())
    assert set(pieces["library"].to_pylist()) == {str(mixed)}
    assert report.wikipedia is None
    assert json.loads((tmp_path / "w" / "report.json").read_text())["total_files"] == counts.total_files
    assert (tmp_path / "w" / "report.png").read_bytes().startswith(b"\x89PNG")


def test_duplicates_name_the_piece_that_is_kept(ray_local, mixed, tmp_path):
    collect(str(mixed), str(tmp_path / "w"), SKIP)
    rows = rows_of(tmp_path / "w")
    id_of = {row["path"]: row["piece_id"] for row in rows["pieces"]}
    copies = {row["path"]: row for row in rows["rejects"] if row["kept_piece_id"]}
    assert {path: (row["reason"], row["detail"], row["kept_piece_id"]) for path, row in copies.items()} == {
        "zz copy.mid": (
            "duplicate",
            "same content as Ada Quaver/Study No 1.mid",
            id_of["Ada Quaver/Study No 1.mid"],
        ),
        "zz higher.mid": (
            "near_duplicate",
            "same music as Bela Minim/Study No 2.mid",
            id_of["Bela Minim/Study No 2.mid"],
        ),
    }


def test_a_second_run_does_nothing_and_a_grown_library_only_what_is_new(ray_local, mixed, tmp_path):
    place = str(tmp_path / "w")
    first, again = collect(str(mixed), place, SKIP), collect(str(mixed), place, SKIP)
    assert (first.was_current, again.was_current, again.files_parsed) == (False, True, 0)
    assert again.library == first.library
    source = min(mixed.rglob("*.mid"))
    (mixed / "new.mid").write_bytes(source.read_bytes() + b"trailing bytes make another file")
    (mixed / "newer.mid").write_bytes(write_midi(compose(77)))
    grown = collect(str(mixed), place, SKIP)
    assert (grown.files_parsed, grown.was_current) == (2, False)
    assert grown.library.accepted == first.library.accepted + 1
    collect(str(mixed), str(tmp_path / "fresh"), SKIP)
    assert rows_of(place) == rows_of(tmp_path / "fresh")


def test_a_file_changed_in_place_is_read_again(ray_local, mixed, tmp_path):
    victim = min(mixed.rglob("*.mid"))
    before = collect(str(mixed), str(tmp_path / "w"), SKIP).library
    victim.write_bytes(b"no music any more")
    after = collect(str(mixed), str(tmp_path / "w"), SKIP).library
    # Its copy is now the piece: nothing else was lost.
    assert (after.accepted, after.duplicates) == (before.accepted, 0)
    assert after.rejected == before.rejected + 1


def test_a_half_written_part_is_parsed_again(ray_local, mixed, tmp_path):
    collect(str(mixed), str(tmp_path / "w"), SKIP)
    rows = rows_of(tmp_path / "w")
    part = next((tmp_path / "w" / ".parts").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    shutil.rmtree(tmp_path / "w" / "pieces")
    assert collect(str(mixed), str(tmp_path / "w"), SKIP).files_parsed > 0
    assert rows_of(tmp_path / "w") == rows


def test_a_file_that_can_be_read_at_last_is_read_though_it_has_not_changed(ray_local, library, tmp_path, monkeypatch):
    folder = tmp_path / "library"
    shutil.copytree(library, folder)
    outside = tmp_path / "outside.mid"
    outside.write_bytes(write_midi(compose(78)))
    (folder / "linked.mid").symlink_to(tmp_path / "elsewhere.mid")
    first = collect(str(folder), str(tmp_path / "w"), SKIP)
    assert first.library.rejected_by_reason == {"unreadable": 1}
    assert collect(str(folder), str(tmp_path / "w"), SKIP).files_parsed == 1
    before = Workspace(str(tmp_path / "w")).need("pieces").version
    os.replace(outside, tmp_path / "elsewhere.mid")
    last = collect(str(folder), str(tmp_path / "w"), SKIP)
    assert (last.files_parsed, last.library.rejected, last.library.accepted) == (1, 0, first.library.accepted + 1)
    assert Workspace(str(tmp_path / "w")).need("pieces").version != before


def test_several_libraries_and_archives_are_one(ray_local, library, tmp_path):
    other, packed = tmp_path / "other", tmp_path / "packed"
    shutil.copytree(library / "Ada Quaver", other / "Ada Quaver")
    packed.mkdir()
    with zipfile.ZipFile(packed / "all.zip", "w") as archive:
        archive.writestr("jazz/Bela_Minim/new_tune.mid", write_midi(compose(79)))
    report = collect([str(library), str(other), str(packed), str(other)], str(tmp_path / "w"), SKIP)
    rows = rows_of(tmp_path / "w")
    assert (report.library.accepted, report.library.duplicates) == (13, 4)
    new = [row for row in rows["pieces"] if row["library"] == str(packed)]
    assert [(row["path"], row["artist"], row["title"], row["genre"]) for row in new] == [
        ("all.zip/jazz/Bela_Minim/new_tune.mid", "Bela Minim", "New Tune", "jazz")
    ]
    # The libraries come by name: "library…" after "other" in the temporary folder, whatever order they were given in.
    kept_in = {row["library"] for row in rows["pieces"] if row["artist"] == "Ada Quaver"}
    assert kept_in == {min(str(library), str(other))}


def test_metadata_says_more_than_paths(ray_local, library, tmp_path):
    table = tmp_path / "about.csv"
    piece_id = hashlib.sha256((library / "Bela Minim/Study No 2.mid").read_bytes()).hexdigest()
    table.write_text(
        "path,sha256,title,artist,genre,licence,source\n"
        "Ada Quaver/Study No 1.mid,,Étude,,study,CC0,mine\n"
        f",{piece_id},,B. Minim,,,\n"
        "nowhere.mid,,X,,,,\n"
    )
    collect(str(library), str(tmp_path / "w"), SKIP.model_copy(update={"metadata": str(table)}))
    named = {
        row["path"]: tuple(row[name] for name in ("artist", "title", "genre", "licence", "source"))
        for row in rows_of(tmp_path / "w")["pieces"]
    }
    assert named["Ada Quaver/Study No 1.mid"] == ("Ada Quaver", "Étude", "study", "CC0", "mine")
    assert named["Bela Minim/Study No 2.mid"] == ("B. Minim", "Study No 2", "", "", "")
    assert named["Clara Breve/Study No 3.mid"] == ("Clara Breve", "Study No 3", "", "", "")


def test_nothing_readable_is_an_error_that_leaves_nothing(ray_local, broken_files, tmp_path):
    with pytest.raises(LibraryError, match="none of its MIDI files can be taken"):
        collect(str(broken_files), str(tmp_path / "w"), SKIP)
    assert not (tmp_path / "w").exists()


def test_a_workspace_of_another_schema_is_refused_untouched(library, tmp_path):
    manifest = tmp_path / "w" / "pieces" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"schema_version": 999}')
    with pytest.raises(WorkspaceError, match=rf"schema version 999, this amt_ray reads version {SCHEMA_VERSION}"):
        collect(str(library), str(tmp_path / "w"), SKIP)
    assert [p.name for p in (tmp_path / "w").rglob("*")] == ["pieces", "manifest.json"]
