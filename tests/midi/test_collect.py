import hashlib
from typing import get_args

import pyarrow.fs as pafs
import pytest
from strategies import compose, make_piece

from amt_ray.config import Limits
from amt_ray.errors import REJECT_REASONS, RejectReason
from amt_ray.midi.collect import ACCEPTED, collect_file
from amt_ray.midi.features import measure
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.scan import MidiFile, scan
from amt_ray.midi.write import write_midi
from amt_ray.schemas import PIECES

LOCAL = pafs.LocalFileSystem()
BOOKKEEPING = {"status", "detail", "size_bytes", "modified_ns"}


def collected(folder, limits):
    return {file.path: collect_file(LOCAL, str(folder), file, limits) for file in scan(LOCAL, str(folder))}


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


def test_a_row_has_the_columns_of_pieces_and_its_bookkeeping(library):
    row = next(iter(collected(library, Limits()).values()))
    assert set(row) == set(PIECES.names) | BOOKKEEPING


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
        assert set(row) == (set(PIECES.names) if row["status"] == ACCEPTED else {"path"}) | BOOKKEEPING
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
    file = MidiFile("gone.mid", size_bytes=101, modified_ns=5)
    row = collect_file(LOCAL, str(tmp_path), file, Limits(max_file_bytes=100))
    assert row == {
        "path": "gone.mid", "size_bytes": 101, "modified_ns": 5, "status": "too_large", "detail": "101 bytes > 100",
    }  # fmt: skip


def test_a_file_that_went_away_is_unreadable(tmp_path):
    row = collect_file(LOCAL, str(tmp_path), MidiFile("gone.mid", 10, 0), Limits())
    assert row["status"] == "unreadable"
    assert "No such file" in row["detail"]


def test_the_library_s_own_limits_refuse_a_single_note(broken_files):
    assert collected(broken_files, Limits())["one_note.mid"]["status"] == "too_few_notes"


def test_every_reason_of_a_single_file_is_one_that_this_file_shows(broken_files, odd_sizes, tmp_path):
    limits = Limits(min_notes=4, max_notes=40, min_duration_s=2.0, max_duration_s=40.0)
    seen = {row["status"] for folder in (broken_files, odd_sizes) for row in collected(folder, limits).values()}
    seen |= {collect_file(LOCAL, str(tmp_path), MidiFile("gone.mid", size, 0), limits)["status"] for size in (10, 10**9)}
    assert seen == {*REJECT_REASONS, ACCEPTED} - {"duplicate", "no_window"}
    assert set(get_args(RejectReason)) == set(REJECT_REASONS)


def test_a_piece_is_known_by_its_bytes_not_by_its_path(tmp_path):
    for name in ("A - one.mid", "B - two.mid"):
        (tmp_path / name).write_bytes(write_midi(compose(3)))
    one, two = collected(tmp_path, Limits()).values()
    assert one["piece_id"] == two["piece_id"]
    assert (one["artist"], two["artist"]) == ("A", "B")
