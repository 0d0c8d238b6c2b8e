import os
import sys
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from amt_ray.errors import LibraryError
from amt_ray.midi.scan import describe_path, scan

LOCAL = pafs.LocalFileSystem()


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_all_suffixes_in_any_case_and_any_depth_sorted_by_path(tmp_path):
    wanted = ["A/z.kar", "Z.MIDI", "a.mid", "a/b/c/d.Mid", "é ü.KAR"]
    put(tmp_path, *wanted, "notes.txt", "a.mid.bak", "mid", "a/midi", "song.midi.gz")
    (tmp_path / "folder.mid").mkdir()
    assert [file.path for file in scan(LOCAL, str(tmp_path))] == wanted


def test_size_and_time_are_those_of_the_file(tmp_path):
    put(tmp_path, "one.mid")
    (file,) = scan(LOCAL, str(tmp_path))
    stat = (tmp_path / "one.mid").stat()
    assert (file.size_bytes, file.modified_ns) == (7, stat.st_mtime_ns)


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_a_slash_at_the_end_changes_nothing(tmp_path, ending):
    put(tmp_path, "x/one.mid")
    assert [file.path for file in scan(LOCAL, str(tmp_path) + ending)] == ["x/one.mid"]


def test_a_relative_root_is_one_too(tmp_path, monkeypatch):
    put(tmp_path, "x/one.mid")
    monkeypatch.chdir(tmp_path)
    for root in ("x", "./x", "."):
        assert [file.path for file in scan(LOCAL, root)] == [{".": "x/one.mid"}.get(root, "one.mid")]


def test_where_there_is_nothing_a_sentence_says_what_to_do(tmp_path):
    put(tmp_path, "file.mid", "texts/a.txt")
    for name, sentence in {
        "moon": "there is no such folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "file.mid": "it is not a folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "file.mid/deeper": "there is no such folder; name a folder of MIDI files, or make one with `amt corpus`.",
        "texts": "no MIDI file in it (.mid, .midi, .kar); name a folder that holds some.",
    }.items():
        with pytest.raises(LibraryError) as caught:
            scan(LOCAL, str(tmp_path / name))
        assert str(caught.value) == f"{tmp_path / name}: {sentence}"


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("Take.mid", ("", "Take", "")),
        ("Miles Davis - So What.mid", ("Miles Davis", "So What", "")),
        ("Miles_Davis_-_So_What_2.mid", ("Miles Davis", "So What", "")),
        ("A - B - C.mid", ("A", "B - C", "")),
        ("Abba/Waterloo.MID", ("Abba", "Waterloo", "")),
        ("Abba/Live - Waterloo.mid", ("Abba", "Live - Waterloo", "")),
        ("rock/Queen/We_Will_Rock_You.kar", ("Queen", "We Will Rock You", "rock")),
        ("all/hip-hop/Nas/NY_State_of_Mind_(2).mid", ("Nas", "NY State of Mind", "hip hop")),
        ("Bach/Suite 3.mid", ("Bach", "Suite 3", "")),
        ("Bach/Suite_No_12.mid", ("Bach", "Suite No 12", "")),
        ("Bach/Op. 1 no. 2.mid", ("Bach", "Op. 1 no. 2", "")),
        ("Prince/1999_.mid", ("Prince", "1999", "")),
        ("The__Who/My   Generation.mid", ("The Who", "My Generation", "")),
        ("Björk/Jóga.mid", ("Björk", "Jóga", "")),
    ],
)
def test_what_a_path_tells(path, described):
    assert describe_path(path) == described


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_a_name_that_is_not_utf8_is_told(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mid")).touch()
    with pytest.raises(LibraryError, match=r"caf\\xe9\.mid is not UTF-8; rename that file"):
        scan(LOCAL, str(tmp_path))
