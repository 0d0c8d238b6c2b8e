import os
import stat
import sys
import zipfile
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from amt_ray.errors import LibraryError
from amt_ray.midi.scan import Library

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def zipped(path, *members, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", **options) as archive:
        for member in members:
            archive.writestr(member, f"bytes of {member}")


def found(root):
    return [file.path for file in Library(str(root)).scan()]


def test_all_suffixes_in_any_case_and_any_depth_sorted_by_path(tmp_path):
    wanted = ["A/z.kar", "Z.MIDI", "a.mid", "a/b/c/d.Mid", "é ü.KAR"]
    put(tmp_path, *wanted, "notes.txt", "a.mid.bak", "mid", "a/midi", "song.midi.gz")
    (tmp_path / "folder.mid").mkdir()
    assert found(tmp_path) == wanted


def test_size_and_time_are_those_of_the_file(tmp_path):
    put(tmp_path, "one.mid")
    (file,) = Library(str(tmp_path)).scan()
    assert (file.size_bytes, file.modified_ns) == (7, (tmp_path / "one.mid").stat().st_mtime_ns)
    assert (file.library, file.problem) == (str(tmp_path), "")


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_a_slash_at_the_end_changes_nothing(tmp_path, ending):
    put(tmp_path, "x/one.mid")
    assert found(str(tmp_path) + ending) == ["x/one.mid"]


def test_a_relative_root_is_one_too(tmp_path, monkeypatch):
    put(tmp_path, "x/one.mid")
    monkeypatch.chdir(tmp_path)
    for root in ("x", "./x", "."):
        assert found(root) == [{".": "x/one.mid"}.get(root, "one.mid")]


def test_where_there_is_nothing_a_sentence_says_what_to_do(tmp_path):
    put(tmp_path, "file.mid", "texts/a.txt")
    for name, sentence in {
        "moon": "there is no such folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "file.mid": "it is not a folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "file.mid/deeper": "there is no such folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "texts": "no MIDI file in it (.mid, .midi, .kar, .zip); name a folder that holds some.",
    }.items():
        with pytest.raises(LibraryError) as caught:
            Library(str(tmp_path / name)).scan()
        assert str(caught.value) == f"{tmp_path / name}: {sentence}"


def test_links_are_followed_and_no_folder_is_entered_twice(tmp_path):
    put(tmp_path, "a/one.mid", "elsewhere/two.mid")
    library = tmp_path / "library"
    put(library, "real/three.mid")
    (library / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (library / "again").symlink_to(library / "real", target_is_directory=True)
    (library / "real" / "up").symlink_to(library, target_is_directory=True)
    (library / "itself").symlink_to(library / "itself")
    (library / "file.mid").symlink_to(tmp_path / "a" / "one.mid")
    assert found(library) == ["file.mid", "linked/two.mid", "real/three.mid"]


def test_what_cannot_be_read_is_found_with_its_problem(tmp_path):
    put(tmp_path, "good.mid")
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nowhere.mid")
    (tmp_path / "round.mid").symlink_to(tmp_path / "round.mid")
    os.mkfifo(tmp_path / "pipe.mid")
    problems = {file.path: file.problem for file in Library(str(tmp_path)).scan()}
    assert problems == {
        "gone.mid": "No such file or directory",
        "good.mid": "",
        "pipe.mid": "not a regular file",
        "round.mid": "Too many levels of symbolic links",
    }


def test_a_folder_that_may_not_be_read_is_named_and_the_rest_is_found(tmp_path, monkeypatch):
    put(tmp_path, "a/one.mid", "shut/two.mid", "z/three.mid")
    original = os.scandir

    def scandir(path):  # as root, no mode would shut a folder
        if os.fsencode(path).endswith(b"/shut"):
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    problems = {file.path: file.problem for file in Library(str(tmp_path)).scan()}
    assert problems == {"a/one.mid": "", "shut": "folder: Permission denied", "z/three.mid": ""}


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may read everything")
def test_a_library_that_may_not_be_read_is_an_error(tmp_path):
    put(tmp_path, "x/one.mid")
    (tmp_path / "x").chmod(stat.S_IWUSR)
    with pytest.raises(LibraryError, match=r"cannot be read \(Permission denied\); name a folder that you may read"):
        Library(str(tmp_path / "x")).scan()


@on_linux
def test_a_name_that_is_not_utf8_is_shown_and_read(tmp_path):
    folder = os.fsencode(tmp_path) + b"/Bj\xf6rk"
    os.mkdir(folder)
    Path(os.fsdecode(folder + b"/caf\xe9.mid")).write_bytes(b"bytes")
    (file,) = Library(str(tmp_path)).scan()
    assert file.path == r"Bj\xf6rk/caf\xe9.mid"
    assert file.readable_path == "Björk/café.mid"
    with Library(str(tmp_path)).open(file.location) as stream:
        assert stream.read() == b"bytes"


def test_files_in_archives_are_files_of_the_library(tmp_path):
    zipped(tmp_path / "a" / "x.ZIP", "Queen/One.mid", "readme.txt", "Queen/", "two.KAR", "Queen/é.mid")
    put(tmp_path, "three.mid")
    files = Library(str(tmp_path)).scan()
    assert [file.path for file in files] == ["a/x.ZIP/Queen/One.mid", "a/x.ZIP/Queen/é.mid", "a/x.ZIP/two.KAR", "three.mid"]
    assert files[0].size_bytes == len("bytes of Queen/One.mid")
    assert {file.modified_ns for file in files[:3]} == {(tmp_path / "a" / "x.ZIP").stat().st_mtime_ns}


@on_linux
def test_the_readable_path_of_a_member_of_an_archive_with_a_bad_name(tmp_path):
    zipped(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.zip")), "Queen/One.mid")
    (file,) = Library(str(tmp_path)).scan()
    assert (file.path, file.readable_path) == (r"\xe9.zip/Queen/One.mid", "é.zip/Queen/One.mid")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_odd_archives(tmp_path):
    put(tmp_path, "broken.zip", "good.mid")
    zipped(tmp_path / "outer.zip", "inner.zip", "a.mid", "a.mid")
    zipped(tmp_path / "empty.zip")
    locked = tmp_path / "locked.zip"
    zipped(locked, "secret.mid")
    data = bytearray(locked.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    locked.write_bytes(bytes(data))
    assert {file.path: file.problem for file in Library(str(tmp_path)).scan()} == {
        "broken.zip": "zip archive: File is not a zip file",
        "good.mid": "",
        "locked.zip/secret.mid": "encrypted",
        "outer.zip/a.mid": "",
        "outer.zip/a.mid#2": "",
        "outer.zip/inner.zip": "an archive within an archive; unpack the outer one",
    }


def test_names_in_archives_without_the_utf8_flag(tmp_path):
    path = tmp_path / "x.zip"
    zipped(path, "é.mid")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 9] &= ~0x08  # the flag of bit 11, in the directory
    path.write_bytes(bytes(data))
    assert found(tmp_path) == ["x.zip/é.mid"]


def test_another_filesystem_of_pyarrow_is_scanned_and_read_alike(tmp_path):
    put(tmp_path, "Queen/one.mid", "two.txt")
    zipped(tmp_path / "x.zip", "three.mid")
    local, remote = Library(str(tmp_path)), Library(str(tmp_path))
    remote.fs, remote.is_local = pafs.SubTreeFileSystem("/", pafs.LocalFileSystem()), False
    assert remote.scan() == local.scan()
    with remote.open(b"Queen/one.mid") as stream:
        assert stream.read() == b"Queen/one.mid"
