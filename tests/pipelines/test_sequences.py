from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from strategies import compose, make_piece

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.events.controls import controls_of
from amt_ray.midi.collect import ACCEPTED
from amt_ray.midi.duplicates import KEPT, near_duplicates
from amt_ray.midi.fingerprint import N_ONSETS, N_SHINGLES, N_SLOTS, SKETCH_SIZE
from amt_ray.midi.scan import MidiFile
from amt_ray.midi.write import write_midi
from amt_ray.pipelines.parsing import PARSED
from amt_ray.pipelines.parts import PART, Parts
from amt_ray.pipelines.pieces import verdicts
from amt_ray.pipelines.progress import silent
from amt_ray.pipelines.sequences import (
    TallyBoard,
    article_genres,
    labelled_pieces,
    make_sequences,
    note_rejects,
    window_batch,
    with_music,
)
from amt_ray.schemas import CAPTIONS, PIECES, REJECTS, SEQUENCES, STYLE_OF_PIECE, STYLES
from amt_ray.training.statistics import Tally, WindowStatistics, summarise
from amt_ray.training.windows import split_of

SETTINGS = PrepareSettings(window_tokens=512, validation_share=0.4)
N_PIECES = 7
GENRES_SAID = ("jazz", "", None, "zzz", "jazz", "jazz", "jazz")
"""By a piece's metadata."""
ARTICLE_GENRES = {
    "1": [("blues", 0.9), ("rock", 0.4)],
    "2": [("rock", 0.29), ("film", 0.9), ("folk", 0.3)],
    "3": [("pop", 0.2)],
    "4": [("rock", 0.9)],
}


def music_of(i):
    return compose(i, 12)


def caption(piece_id, kind, genres):
    found = [{"name": name, "confidence": confidence} for name, confidence in genres]
    return {"piece_id": piece_id, "kind": kind, "text": "", "keywords": [], "genres": found}


@pytest.fixture
def place(tmp_path):
    """A workspace of seven pieces in two files, with everything that sequences are made of; the seventh has no style."""
    place = Workspace(str(tmp_path / "w"))
    pieces = [
        {
            "piece_id": str(i),
            "library": "/midi",
            "path": f"{i}.mid",
            "genre": GENRES_SAID[i],
            "midi": write_midi(music_of(i)),
        }
        for i in range(N_PIECES)
    ]
    place.write("pieces", pa.Table.from_pylist(pieces[:4], PIECES), "p", {}, {})
    pa.parquet.write_table(pa.Table.from_pylist(pieces[4:], PIECES), f"{place.root}/pieces/p/part-1.parquet")
    said = [caption(str(i), "features-0", [("latin", 1.0)]) for i in range(N_PIECES)]
    said += [caption(piece_id, "wikipedia", genres) for piece_id, genres in ARTICLE_GENRES.items()]
    place.write("captions", pa.Table.from_pylist(said, CAPTIONS), "c", {}, {})
    styled = [{"piece_id": str(i), "style": i % 2} for i in reversed(range(N_PIECES - 1))]
    place.write("style_of_piece", pa.Table.from_pylist(styled, STYLE_OF_PIECE), "s", {}, {})
    place.write("styles", STYLES.empty_table(), "s", {}, {})
    place.write("rejects", REJECTS.empty_table(), "r", {}, {})
    return place


def make(place, settings=SETTINGS):
    inputs = [place.need(name) for name in ("pieces", "captions", "styles")]
    return make_sequences(place, *inputs, settings, silent)


def test_an_article_s_surest_genre_counts_if_it_is_named_and_known(place):
    assert article_genres(place) == {"1": "blues", "2": "folk", "4": "rock"}


def test_pieces_are_named_with_their_labels_and_the_file_of_their_music(place):
    pieces = labelled_pieces(place)
    assert pieces.column_names == ["piece_id", "genre", PART, "article_genre", "style"]
    assert pieces["article_genre"].to_pylist() == [None, "blues", "folk", None, "rock", None, None]
    assert pieces["style"].to_pylist() == [0, 1, 0, 1, 0, 1, None]
    assert [path.rpartition("/")[2] for path in pieces[PART].to_pylist()] == ["part-0.parquet"] * 4 + ["part-1.parquet"] * 3


def test_music_is_read_from_the_files_for_the_pieces_that_are_asked_for(place):
    some = labelled_pieces(place).take([3, 5, 0])
    assert with_music(some, place.fs)["midi"].to_pylist() == [write_midi(music_of(i)) for i in (3, 5, 0)]
    assert with_music(some.take([2]), place.fs)["piece_id"].to_pylist() == ["0"]


def test_windows_carry_their_piece_s_split_style_and_genre(place):
    windows, tally = window_batch(with_music(labelled_pieces(place), place.fs), SETTINGS)
    assert windows.schema.equals(SEQUENCES)
    genres = {}
    for row in windows.to_pylist():
        control = controls_of(np.array(row["ids"][1 : 1 + row["n_controls"]]))
        genres.setdefault(row["piece_id"], set()).add(control.genre)
        assert control.style == row["style"] == (None if row["piece_id"] == "6" else int(row["piece_id"]) % 2)
        assert row["split"] == split_of(row["piece_id"], 0.4)
        assert (row["n_context"] > 0) == (row["window"] > 0)
    assert genres == {
        "0": {"jazz"}, "1": {"blues"}, "2": {"folk"}, "3": {None}, "4": {"jazz"}, "5": {"jazz"}, "6": {"jazz"},
    }  # fmt: skip
    assert tally.windows.total() == windows.num_rows
    assert tally.context_tokens == pc.sum(windows["n_context"]).as_py()
    assert tally.notes == sum(len(music_of(i).notes) for i in range(N_PIECES))


def test_a_piece_that_cannot_be_read_any_more_gives_no_window():
    piece = {"piece_id": "a", "genre": None, "article_genre": None, "style": 0, "midi": b"no music"}
    windows, tally = window_batch(pa.Table.from_pylist([piece]), SETTINGS)
    assert (windows.num_rows, tally.pieces, tally.pieces_without_windows, tally.notes) == (0, 1, 1, 0)


def test_a_block_that_is_cut_twice_counts_once():
    board = TallyBoard()
    for block, n in (("a", 3), ("b", 4), ("a", 3)):
        board.put(block, Tally(pieces=n))
    assert sum(tally.pieces for tally in board.all()) == 7


def test_through_ray_come_the_windows_of_one_batch_and_their_statistics(ray_local, place):
    made = make(place)
    windows, tally = window_batch(with_music(labelled_pieces(place), place.fs), SETTINGS)
    order = [("piece_id", "ascending"), ("window", "ascending")]
    assert place.table("sequences").sort_by(order) == windows.sort_by(order)
    assert made.facts == asdict(summarise([tally], 8192)) | {"styles": "s"}
    assert WindowStatistics.of_facts(place.need("sequences").facts).pieces == N_PIECES
    assert make(place) == made
    place.write("captions", place.table("captions"), "other", {}, {})
    assert make(place).version != made.version


def test_pieces_without_windows_are_found_and_their_music_alone_is_read(ray_local, place):
    dense = make_piece([(i, 1, 21 + (7 * i + j) % 88, 84, j) for i in range(40) for j in range(5)])
    rows = place.table("pieces").to_pylist()
    rows[2]["midi"] = write_midi(dense)
    place.write("pieces", pa.Table.from_pylist(rows, PIECES), "dense", {}, {})
    made = make(place)
    assert (made.facts["pieces_without_windows"], made.facts["overlong_bars"], made.facts["overlong_notes"]) == (1, 1, 200)
    note_rejects(place, made, SETTINGS)
    assert [(row["path"], row["reason"]) for row in place.table("rejects").to_pylist()] == [("2.mid", "no_window")]


def test_no_two_accepted_pieces_are_near_duplicates_so_no_split_hears_the_other_s_music(tmp_path):
    # A chain over three libraries in which each piece is like the next, and not like the one after that.
    chain = np.random.default_rng(3).integers(1, 2**32, (10, SKETCH_SIZE), np.uint32)
    chain[:, [N_ONSETS, N_SHINGLES]] = 1000
    for i in range(1, len(chain)):
        chain[i, i % 2 : N_SLOTS : 2] = chain[i - 1, i % 2 : N_SLOTS : 2]
    nothing = dict.fromkeys(PARSED.names)
    rows = [
        nothing
        | {"library": f"/l{i % 3}", "path": f"{i}.mid", "size_bytes": 1, "modified_ns": 1, "piece_id": str(i)}
        | {"status": ACCEPTED, "detail": "", "sketch": sketch.tobytes()}
        for i, sketch in enumerate(chain)
    ]
    parts = Parts(Workspace(str(tmp_path)), "parsed", "x", PARSED)
    parts.add(pa.Table.from_pylist(rows, PARSED))
    decided = verdicts([MidiFile(row["library"], row["path"], 1, 1, b"") for row in rows], parts)
    status = dict(zip(decided["piece_id"].to_pylist(), decided["status"].to_pylist(), strict=True))
    accepted = [int(piece_id) for piece_id, said in status.items() if said == ACCEPTED]
    assert accepted == [0, 3, 6, 9]
    assert sorted(set(status.values())) == [ACCEPTED, "near_duplicate"]
    for order in (accepted, accepted[::-1]):
        assert (near_duplicates(chain[order]) == KEPT).all()
