"""The whole line on a small library: collect, prepare, train, generate, by the commands that a user types."""

import io
import json
import shutil

import mido
import numpy as np
import pretty_midi
import pytest

from amt_ray import Composer
from amt_ray.artifacts import Workspace
from amt_ray.cli.main import main
from amt_ray.config import train_settings
from amt_ray.events.grammar import check
from amt_ray.midi.parse import parse_midi
from amt_ray.pipelines.prepare import prepare
from amt_ray.pipelines.train import train_model
from amt_ray.text.embed import TextEncoder

REQUEST = "a slow waltz in D minor for violin and piano"


@pytest.fixture(scope="module")
def workspace(ray_local, library, tmp_path_factory):
    """A workspace that has gone the whole line, with a model of three steps."""
    place = tmp_path_factory.mktemp("line") / "w"
    for command in (
        ["collect", library, place, "--skip-wikipedia"],
        ["prepare", place],
        ["train", place, "--preset", "tiny", "--steps", "3", "--batch-tokens", "1024"],
    ):
        assert main([str(part) for part in command]) == 0
    return place


def test_every_piece_has_captions_vectors_a_style_and_windows(workspace, library):
    place = Workspace(str(workspace))
    pieces = set(place.table("pieces", ["piece_id"])["piece_id"].to_pylist())
    assert len(pieces) == len(list(library.rglob("*.mid")))
    for name in ("captions", "embeddings", "sequences"):
        assert set(place.table(name, ["piece_id"])["piece_id"].to_pylist()) == pieces, name
    assert sum(place.table("styles")["size"].to_pylist()) == len(pieces)


def test_vectors_are_those_of_the_encoder_itself(workspace):
    place = Workspace(str(workspace))
    text_of = {(r["piece_id"], r["kind"]): r["text"] for r in place.table("captions").to_pylist()}
    rows = place.table("embeddings").to_pylist()
    alone = TextEncoder().encode([text_of[r["piece_id"], r["kind"]] for r in rows])
    np.testing.assert_allclose(np.array([r["vector"] for r in rows]), alone, atol=1e-5)


def test_windows_obey_the_grammar_and_their_controls_come_first(workspace):
    for row in Workspace(str(workspace)).table("sequences").to_pylist():
        assert check(row["ids"]).last == "END"
        assert row["ids"][1 + row["n_controls"]] == 3  # BAR
        assert row["ids"][1 + row["n_controls"] + row["n_context"]] == 3
        assert len(row["ids"]) <= 1024


def test_prepare_says_what_the_windows_are_made_of(workspace, capsys):
    assert main(["prepare", str(workspace)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    rows = Workspace(str(workspace)).table("sequences").to_pylist()
    validation = [row for row in rows if row["split"] == "validation"]
    n_events, n_validation = (sum(len(row["ids"]) for row in some) for some in (rows, validation))
    for line in (
        "Training windows Pieces 12 Windows",
        f"Windows {len(rows)}, {len(validation)} of them for validation",
        f"Events {n_events:,}, {n_validation:,} of them for validation",
        f"Context {sum(row['n_context'] for row in rows):,} of the events are bars of the window before",
        "Over-long bars 0 left out, with 0 notes",
    ):
        assert line in shown


def test_prepare_again_does_nothing_and_another_seed_only_what_depends_on_it(workspace, tmp_path):
    copy = tmp_path / "w"
    shutil.copytree(workspace, copy)
    assert prepare(str(copy)).was_current
    version = json.loads((copy / "embeddings" / "manifest.json").read_text())["version"]
    assert main(["prepare", str(copy), "--seed", "1"]) == 0
    assert json.loads((copy / "embeddings" / "manifest.json").read_text())["version"] == version
    assert json.loads((copy / "styles" / "manifest.json").read_text())["settings"]["seed"] == 1


def test_training_again_does_nothing_and_afresh_gives_the_same_weights(workspace, tmp_path):
    settings = train_settings("tiny", max_steps=3, batch_tokens=1024)
    assert train_model(str(workspace), settings).was_current
    copy = tmp_path / "w"
    shutil.copytree(workspace, copy, ignore=shutil.ignore_patterns(".runs", "model"))
    records = []
    report = train_model(str(copy), settings, on_record=records.append)
    assert [record["step"] for record in records] == [1, 2, 3]
    assert report.metrics["validation_loss"] == records[-1]["validation_loss"]
    for name in ("model.safetensors", "styles.json", "encoder.json", "training.json"):
        assert (copy / "model" / name).read_bytes() == (workspace / "model" / name).read_bytes(), name
    lines = next((copy / "metrics").glob("*.jsonl")).read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [record["loss"] for record in records]


def test_generate_meets_the_request_and_gives_the_same_bytes_twice(workspace, tmp_path, capsys):
    command = ["generate", REQUEST, "--model", str(workspace / "model"), "--seed", "7", "-o"]
    assert main([*command, str(tmp_path / "a.mid")]) == 0
    shown = capsys.readouterr().out
    assert main([*command, str(tmp_path / "b.mid")]) == 0
    data = (tmp_path / "a.mid").read_bytes()
    assert data == (tmp_path / "b.mid").read_bytes()
    opened = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert sorted(i.program for i in opened.instruments if i.notes) == [0, 40]
    assert [(t.numerator, t.denominator) for t in opened.time_signature_changes] == [(3, 4)]
    assert [pretty_midi.key_number_to_key_name(k.key_number) for k in opened.key_signature_changes] == ["D minor"]
    assert opened.get_tempo_changes()[1].max() < 80
    assert mido.MidiFile(file=io.BytesIO(data)).length == pytest.approx(opened.get_end_time(), abs=0.1)
    for fact in ("slow waltz d minor violin piano", "✓ metre", "✓ key signature", "✓ tempo", "Note range"):
        assert fact in shown


def test_options_win_over_the_text_and_bars_are_counted(workspace, tmp_path):
    options = ["--instruments", "flute, 24", "--key", "Bb major", "--tempo", "133", "--metre", "7/8", "--bars", "5"]
    out = tmp_path / "x.mid"
    assert main(["generate", REQUEST, "--model", str(workspace / "model"), "--seed", "1", "-o", str(out), *options]) == 0
    piece = parse_midi(out.read_bytes())
    assert piece.programs == [24, 73]
    assert piece.key == "Bb major"
    assert piece.tempo_bpm.tolist() == pytest.approx([133], abs=0.01)
    assert (piece.metre_numerator.tolist(), piece.metre_denominator.tolist()) == ([7], [8])
    bar_ticks = piece.ticks_per_quarter * 7 // 2
    assert 4 * bar_ticks < piece.end_ticks <= 5 * bar_ticks


def test_sound_and_picture_beside_the_midi(workspace, tmp_path):
    out = tmp_path / "music" / "x.mid"
    model = str(workspace / "model")
    assert main(["generate", REQUEST, "--model", model, "--bars", "2", "-o", str(out), "--wav", "--png"]) == 0
    assert out.with_suffix(".wav").read_bytes()[:4] == b"RIFF"
    assert out.with_suffix(".png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_in_python(workspace, tmp_path):
    take = Composer.from_pretrained(workspace / "model").generate("solo flute, 4 bars", seed=1)
    take.save(tmp_path / "x.mid")
    assert parse_midi((tmp_path / "x.mid").read_bytes()).programs == [73]


def test_an_unwritable_output_leaves_nothing(workspace, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    code = main(["generate", REQUEST, "--model", str(workspace / "model"), "-o", str(tmp_path / "file" / "x.mid")])
    assert code == 7
    assert "error: cannot write" in capsys.readouterr().err.splitlines()[-1]


def test_an_encoder_that_is_nowhere(workspace, tmp_path, capsys):
    assert main(["prepare", str(workspace), "--encoder", "no-such-encoder-anywhere"]) == 6
    assert "no-such-encoder-anywhere" in capsys.readouterr().err.splitlines()[-1]
