import shutil

import pytest
from strategies import make_piece

from amt_ray.artifacts import Workspace
from amt_ray.config import CollectSettings, PrepareSettings
from amt_ray.midi.write import write_midi
from amt_ray.pipelines.collect import collect
from amt_ray.pipelines.prepare import prepare
from amt_ray.pipelines.sequences import reject_of

PLACE = {"library": "/midi", "path": "Ada/Dense.mid", "stage": "prepare"}


@pytest.fixture
def workspace(ray_local, library, tmp_path):
    """Twelve pieces with short bars beside one of 32 notes in each bar, and a file that is no MIDI."""
    shutil.copytree(library, tmp_path / "midi")
    dense = make_piece(
        [(24 * bar + bar_note % 8 * 3, 3, 40 + bar_note, 80, 0) for bar in range(9) for bar_note in range(32)]
    )
    (tmp_path / "midi" / "Ada").mkdir()
    (tmp_path / "midi" / "Ada" / "Dense.mid").write_bytes(write_midi(dense))
    (tmp_path / "midi" / "Ada" / "Text.mid").write_text("hello")
    collect(str(tmp_path / "midi"), str(tmp_path / "w"), CollectSettings(skip_wikipedia=True))
    return Workspace(str(tmp_path / "w"))


def test_a_piece_that_gives_no_window_is_a_reject_until_it_gives_one(workspace):
    narrow = prepare(workspace.root, PrepareSettings(window_tokens=64))
    paths = dict(zip(*(workspace.table("pieces")[name].to_pylist() for name in ("piece_id", "path")), strict=True))
    encoded = {paths[piece_id] for piece_id in workspace.table("sequences")["piece_id"].to_pylist()}
    rejects = {row["path"]: (row["stage"], row["reason"]) for row in workspace.table("rejects").to_pylist()}
    assert rejects.pop("Ada/Text.mid") == ("collect", "not_midi")
    assert rejects["Ada/Dense.mid"] == ("prepare", "no_window")
    assert narrow.windows.pieces_without_windows == len(rejects)
    assert rejects.keys() | encoded == set(paths.values())
    assert rejects.keys().isdisjoint(encoded)
    wide = prepare(workspace.root)
    assert (wide.windows.pieces, wide.windows.pieces_without_windows) == (13, 0)
    sequences = workspace.table("sequences")
    assert (wide.n_windows, wide.n_tokens) == (len(sequences), sum(map(len, sequences["ids"].to_pylist())))
    assert wide.n_tokens - wide.windows.context_tokens == sum(wide.windows.event_counts)
    assert [row["path"] for row in workspace.table("rejects").to_pylist()] == ["Ada/Text.mid"]


def test_why_a_piece_gives_no_window_is_said():
    settings = PrepareSettings(window_tokens=64)
    sound = {"library": PLACE["library"], "path": PLACE["path"], "midi": write_midi(make_piece([(0, 1, 60, 80, 0)]))}
    assert reject_of(sound, settings) == PLACE | {
        "reason": "no_window", "detail": "no bar of it fits into a window of 64 events",
    }  # fmt: skip
    assert reject_of(sound | {"midi": b""}, settings) == PLACE | {"reason": "empty_file", "detail": "0 bytes"}
