import hashlib
import struct
import zipfile
from typing import get_args

import pytest
from strategies import compose, facts, make_piece

from amt_ray.config import Limits
from amt_ray.errors import REJECT_REASONS, InvalidPiece, RejectReason
from amt_ray.midi.batch import lay_out
from amt_ray.midi.collect import ACCEPTED, Reader, collect_files
from amt_ray.midi.features import measure, measure_all
from amt_ray.midi.fingerprint import sketch, sketches
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.scan import Library, MidiFile
from amt_ray.midi.write import write_midi
from amt_ray.schemas import PIECES

BOOKKEEPING = {"status", "detail", "size_bytes", "modified_ns"}


def collected(folder, limits=None):
    library = Library(str(folder))
    with Reader([library]) as read:
        rows = collect_files(library.scan(), read, limits or Limits())
    return {row["path"]: row for row in rows}


def one(folder, size_bytes, limits):
    with Reader([Library(str(folder))]) as read:
        (row,) = collect_files([MidiFile(str(folder), "gone.mid", size_bytes, 5, b"gone.mid")], read, limits)
    return row


def put(folder, name, rows, **piece):
    (folder / name).write_bytes(write_midi(make_piece(rows, 480, **piece)))


def scale(n_notes, step=480, start=0):
    return [(start + i * step, step, 60 + i % 12, 80, 0) for i in range(n_notes)]


def test_a_sound_library_is_accepted_whole(library):
    rows = collected(library, Limits())
    assert len(rows) == 12
    assert {row["status"] for row in rows.values()} == {ACCEPTED}
    row, data = rows["Ada Quaver/Study No 1.mid"], (library / "Ada Quaver/Study No 1.mid").read_bytes()
    assert row["piece_id"] == hashlib.sha256(data).hexdigest()
    assert (row["artist"], row["title"], row["genre"], row["midi"]) == ("Ada Quaver", "Study No 1", "", data)
    assert row["size_bytes"] == len(data)
    assert {name: row[name] for name in measure(parse_midi(data)).as_row()} == measure(parse_midi(data)).as_row()
    assert row["sketch"].tolist() == sketch(parse_midi(data)).tolist()


def test_a_row_has_the_columns_of_pieces_and_its_bookkeeping(library):
    row = next(iter(collected(library, Limits()).values()))
    assert set(row) == {*PIECES.names, "sketch"} | BOOKKEEPING


def test_each_broken_file_has_its_reason(broken_files):
    rows = collected(broken_files, Limits(min_notes=1, min_duration_s=0))
    assert {path: row["status"] for path, row in rows.items()} == {
        "zero_bytes.mid": "empty_file",
        "text.mid": "not_midi",
        "truncated.mid": "corrupt",
        "header_only.mid": "no_notes",
        "division_zero.mid": "bad_timing",
        "no_notes.mid": "no_notes",
        "one_note.mid": ACCEPTED,
    }
    for row in rows.values():
        known = {*PIECES.names, "sketch"} if row["status"] == ACCEPTED else {"library", "path"}
        assert set(row) == known | BOOKKEEPING
        assert (row["detail"] == "") == (row["status"] == ACCEPTED)


@pytest.fixture(scope="module")
def odd_sizes(tmp_path_factory):
    """Pieces at and beyond each limit of `LIMITS`; a quarter note lasts half a second."""
    folder = tmp_path_factory.mktemp("odd")
    for n_notes in (3, 4, 40, 41):
        put(folder, f"{n_notes} notes.mid", scale(n_notes))
    put(folder, "long enough.mid", scale(4, 960))
    put(folder, "too short.mid", scale(4, 470))
    put(folder, "longest.mid", scale(4, start=480 * 76))
    put(folder, "too long.mid", scale(4, start=480 * 77))
    return folder


def test_each_limit_holds_at_its_edge(odd_sizes):
    rows = collected(odd_sizes, Limits(min_notes=4, max_notes=40, min_duration_s=2.0, max_duration_s=40.0))
    assert {path[:-4]: (row["status"], row["detail"]) for path, row in rows.items()} == {
        "3 notes": ("too_few_notes", "3 < 4"),
        "4 notes": (ACCEPTED, ""),
        "40 notes": (ACCEPTED, ""),
        "41 notes": ("too_many_notes", "41 > 40"),
        "long enough": (ACCEPTED, ""),
        "too short": ("too_short", "1.96 s < 2 s"),
        "longest": (ACCEPTED, ""),
        "too long": ("too_long", "40 s > 40 s"),
    }


def test_a_file_too_large_is_not_even_read(tmp_path):
    assert one(tmp_path, 101, Limits(max_file_bytes=100)) == {
        "library": str(tmp_path), "path": "gone.mid", "size_bytes": 101, "modified_ns": 5, "status": "too_large",
        "detail": "101 bytes > 100",
    }  # fmt: skip


def test_a_file_that_went_away_is_unreadable(tmp_path):
    row = one(tmp_path, 10, Limits())
    assert row["status"] == "unreadable"
    assert "No such file" in row["detail"]


def test_too_many_tracks(tmp_path):
    track = b"MTrk" + struct.pack(">I", 4) + b"\x00\xff\x2f\x00"
    (tmp_path / "x.mid").write_bytes(b"MThd" + struct.pack(">IHHH", 6, 1, 4, 480) + 4 * track)
    row = collected(tmp_path, Limits(max_tracks=3))["x.mid"]
    assert (row["status"], row["detail"]) == ("too_many_tracks", "4 > 3")
    assert collected(tmp_path, Limits(max_tracks=4))["x.mid"]["status"] == "no_notes"


def test_members_of_archives_are_read_and_named_by_their_path(library, tmp_path):
    data = (library / "Ada Quaver/Study No 1.mid").read_bytes()
    for name in ("one.zip", "two.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("jazz/Ada_Quaver/study_no_1.mid", data)
            archive.writestr("b.mid", b"no music")
    rows = collected(tmp_path)
    row = rows["two.zip/jazz/Ada_Quaver/study_no_1.mid"]
    assert (row["midi"], row["artist"], row["title"], row["genre"]) == (data, "Ada Quaver", "Study No 1", "jazz")
    assert rows["one.zip/b.mid"]["status"] == "not_midi"


def test_a_damaged_or_lying_archive_gives_rejects(library, tmp_path):
    data = (library / "Ada Quaver/Study No 1.mid").read_bytes()
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.mid", data)
    broken = bytearray(path.read_bytes())
    broken[40] ^= 0xFF  # in the music: the checksum tells
    path.write_bytes(bytes(broken))
    row = collected(tmp_path)["x.zip/a.mid"]
    assert (row["status"], row["detail"]) == ("unreadable", "Bad CRC-32 for file 'a.mid'")


def test_what_the_scan_could_not_read_is_unreadable(tmp_path):
    (tmp_path / "x.mid").symlink_to(tmp_path / "nowhere")
    (row,) = collected(tmp_path).values()
    assert (row["status"], row["detail"]) == ("unreadable", "No such file or directory")


def test_a_title_that_says_nothing_gives_way_to_the_file_s_own(tmp_path):
    import mido

    song = mido.MidiFile(ticks_per_beat=480)
    song.tracks.append(mido.MidiTrack([mido.MetaMessage("track_name", name="Waterloo Sunset")]))
    for i in range(32):
        song.tracks[0] += [
            mido.Message("note_on", note=60 + i % 5, time=0),
            mido.Message("note_off", note=60 + i % 5, time=240),
        ]
    (tmp_path / "The Kinks").mkdir()
    for name in ("track 01.mid", "Lola.mid"):
        song.save(tmp_path / "The Kinks" / name)
    assert {path: row["title"] for path, row in collected(tmp_path).items()} == {
        "The Kinks/Lola.mid": "Lola",
        "The Kinks/track 01.mid": "Waterloo Sunset",
    }


def test_the_library_s_own_limits_refuse_a_single_note(broken_files):
    assert collected(broken_files, Limits())["one_note.mid"]["status"] == "too_few_notes"


def test_every_reason_of_a_single_file_is_one_that_this_file_shows(broken_files, odd_sizes, tmp_path):
    limits = Limits(min_notes=4, max_notes=40, min_duration_s=2.0, max_duration_s=40.0)
    seen = {row["status"] for folder in (broken_files, odd_sizes) for row in collected(folder, limits).values()}
    seen |= {one(tmp_path, size, limits)["status"] for size in (10, 10**9)}
    elsewhere = {"duplicate", "near_duplicate", "no_window", "crash", "too_many_tracks"}
    assert seen == {*REJECT_REASONS, ACCEPTED} - elsewhere
    assert set(get_args(RejectReason)) == set(REJECT_REASONS)


def test_a_piece_is_known_by_its_bytes_not_by_its_path(tmp_path):
    for name in ("A - one.mid", "B - two.mid"):
        (tmp_path / name).write_bytes(write_midi(compose(3)))
    first, second = collected(tmp_path).values()
    assert first["piece_id"] == second["piece_id"]
    assert (first["artist"], second["artist"]) == ("A", "B")


def plain(rows):
    return {path: row | {"sketch": row["sketch"].tolist()} if "sketch" in row else row for path, row in rows.items()}


CULPRIT = "Ada Quaver/Study No 1.mid"


@pytest.mark.parametrize("step", [lay_out, measure_all, sketches], ids=lambda step: step.__name__)
@pytest.mark.parametrize(
    ("fault", "status", "detail"),
    [
        (IndexError("index 3 is out of bounds"), "crash", "IndexError: index 3 is out of bounds"),
        (InvalidPiece("bad_timing", "too late"), "bad_timing", "too late"),
    ],
    ids=["a fault of ours", "a fault of the file"],
)
def test_a_file_that_cannot_be_measured_is_a_row_and_all_others_are_as_without_it(
    library, monkeypatch, step, fault, status, detail
):
    without = plain(collected(library))
    culprit = facts(parse_midi((library / CULPRIT).read_bytes()))
    asked = []

    def faulty(some):
        pieces = some if step is lay_out else some.pieces
        asked.append(len(pieces))
        if any(facts(piece) == culprit for piece in pieces):
            raise fault
        return step(some)

    monkeypatch.setattr(f"amt_ray.midi.collect.{step.__name__}", faulty)
    rows = plain(collected(library))
    assert asked == [12] + [1] * 12
    row = rows.pop(CULPRIT)
    assert (row["status"], row["detail"], set(row)) == (status, detail, {"library", "path"} | BOOKKEEPING)
    assert rows == {path: row for path, row in without.items() if path != CULPRIT}


def test_a_fault_of_every_file_is_every_row(library, monkeypatch):
    def faulty(batch):
        raise IndexError("index 3 is out of bounds")

    monkeypatch.setattr("amt_ray.midi.collect.measure_all", faulty)
    found = {(row["status"], row["detail"]) for row in collected(library).values()}
    assert found == {("crash", "IndexError: index 3 is out of bounds")}


@pytest.mark.parametrize("notes_at_once", [1, 300, 1000, 10**6])
def test_batches_of_so_many_notes_give_the_same_rows(library, broken_files, odd_sizes, monkeypatch, notes_at_once):
    folders = library, broken_files, odd_sizes
    limits = Limits(min_notes=4, max_notes=2000, max_duration_s=40.0)
    without = [plain(collected(folder, limits)) for folder in folders]
    batches = []

    def noted(batch):
        batches.append(batch.n_notes.tolist())
        return measure_all(batch)

    monkeypatch.setattr("amt_ray.midi.collect.measure_all", noted)
    monkeypatch.setattr("amt_ray.midi.collect.NOTES_AT_ONCE", notes_at_once)
    assert [plain(collected(folder, limits)) for folder in folders] == without
    assert all(sum(sizes) <= notes_at_once or len(sizes) == 1 for sizes in batches)
    n_pieces = sum(map(len, batches))
    # Those of too few notes are not measured, those too long are.
    assert n_pieces == sum(row["status"] in {ACCEPTED, "too_short", "too_long"} for rows in without for row in rows.values())
    assert len(batches) == {1: n_pieces, 10**6: 2}.get(notes_at_once, len(batches))


def test_no_files_are_no_rows():
    assert collect_files([], None, Limits()) == []
