import json
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from safetensors import safe_open
from strategies import compose

from amt_ray.events.quantise import quantise
from amt_ray.model.bundle import EncoderInfo, Style, load_bundle
from amt_ray.schemas import EMBEDDINGS, SEQUENCES
from amt_ray.training.__main__ import main
from amt_ray.training.portable import save_portable
from amt_ray.training.windows import Labels, cut_windows

ABOUT = {"pieces": 3, "windows": 9, "events": 900, "licences": {"CC0": 3}}


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    rows = [
        {"piece_id": str(seed), "window": w.number, "ids": w.ids.tolist(), "n_controls": w.n_controls, "n_context": 0,
         "style": 0, "split": "train" if seed else "validation"}
        for seed in range(4) for w in cut_windows(quantise(compose(seed, 4)), Labels(), 128)
    ]  # fmt: skip
    vectors = [{"piece_id": str(i), "kind": "features-0", "vector": np.eye(4)[i].tolist()} for i in range(4)]
    tables = pa.Table.from_pylist(rows, SEQUENCES), pa.Table.from_pylist(vectors, EMBEDDINGS)
    folder = tmp_path_factory.mktemp("sequences")
    save_portable(folder, *tables, EncoderInfo("bert", "f", 4), (Style("all", (1.0, 0.0, 0.0, 0.0)),), ABOUT)
    return folder


def run(sequences, out, *options):
    return main([str(sequences), str(out), "--preset", "tiny", "--device", "cpu", "--batch-tokens", "512", *options])


def records(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_a_run_leaves_metrics_checkpoints_and_a_model_in_bfloat16(sequences, tmp_path, capsys):
    assert run(sequences, tmp_path, "--steps", "5") == 0
    assert [record["step"] for record in records(tmp_path)] == [1, 2, 3, 4, 5]
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == f"model: {tmp_path / 'model'}"
    assert out[-2].startswith("Epoch ")
    assert ", validation loss " in out[-2]
    assert (
        out[-3].split(":")[0].split("  ")[1] == f"Batch {records(tmp_path)[-1]['batch']}/{records(tmp_path)[-1]['batches']}"
    )
    bundle = load_bundle(tmp_path / "model")
    assert (bundle.encoder.name, bundle.styles[0].name) == ("bert", "all")
    assert bundle.training["licences"] == {"CC0": 3}
    assert bundle.training["metrics"]["step"] == 5
    assert next(bundle.model.parameters()).dtype.is_floating_point
    with safe_open(tmp_path / "model" / "model.safetensors", "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118


def test_a_run_that_is_there_goes_on(sequences, tmp_path):
    assert run(sequences, tmp_path, "--steps", "2") == 0
    assert run(sequences, tmp_path, "--steps", "4") == 0
    assert [record["step"] for record in records(tmp_path)] == [1, 2, 3, 4]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "checkpoint_00000002",
        "checkpoint_00000004",
    ]


def test_minutes_hold_and_can_be_added_to(sequences, tmp_path):
    for _ in range(2):
        assert run(sequences, tmp_path, "--minutes", "0.15") == 0
    seconds = [record["seconds"] for record in records(tmp_path)]
    assert seconds == sorted(seconds)
    assert 2 < seconds[-1] < 2 * 0.15 * 60
    assert [record["is_last"] for record in records(tmp_path)].count(True) == 2


def test_what_a_run_wrote_after_its_last_checkpoint_is_written_again(sequences, tmp_path):
    assert run(sequences, tmp_path, "--steps", "2") == 0
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(records(tmp_path)[-1] | {"step": 3}) + "\n")
    (tmp_path / "checkpoints" / "amt_ray_checkpoint_x").mkdir()
    assert run(sequences, tmp_path, "--steps", "3") == 0
    assert [record["step"] for record in records(tmp_path)] == [1, 2, 3]
    assert {path.name[:11] for path in (tmp_path / "checkpoints").iterdir()} == {"checkpoint_"}


def test_a_model_is_trained_further_with_data_of_its_encoder_only(sequences, tmp_path, capsys):
    assert run(sequences, tmp_path / "one", "--steps", "30", "--learning-rate", "0.01") == 0
    model = str(tmp_path / "one" / "model")
    assert run(sequences, tmp_path / "two", "--steps", "1", "--learning-rate", "1e-9", "--from", model) == 0
    first, last = records(tmp_path / "two")[0]["validation_loss"], records(tmp_path / "one")[-1]["validation_loss"]
    assert first == pytest.approx(last, rel=0.01)  # from bfloat16
    other = tmp_path / "other"
    shutil.copytree(sequences, other)
    about = json.loads((other / "about.json").read_text())
    (other / "about.json").write_text(json.dumps(about | {"encoder": about["encoder"] | {"fingerprint": "g"}}))
    capsys.readouterr()
    assert run(other, tmp_path / "three", "--steps", "1", "--from", model) == 1
    assert run(sequences, tmp_path / "three", "--steps", "1", "--from", model, "--layers", "2") == 1
    assert run(other, tmp_path / "one", "--steps", "31") == 1
    reasons = capsys.readouterr().err.splitlines()
    assert [reason.startswith("error: ") for reason in reasons] == [True] * 3
    assert "its texts were read by bert (f), not bert (g); prepare with its encoder" in reasons[0]
    assert "its layers is 4, not 2" in reasons[1]
    assert f"the run in {tmp_path / 'one'} is of other training data" in reasons[2]


def test_what_a_user_gets_wrong_is_one_sentence(tmp_path, capsys):
    assert run(tmp_path / "nothing", tmp_path / "out", "--steps", "1") == 1
    err = capsys.readouterr().err
    assert err.startswith("error: training stopped: ")
    assert err.count("\n") == 1


def test_a_run_of_another_shape_and_heads_that_do_not_fit_are_one_sentence_each(sequences, tmp_path, capsys):
    assert run(sequences, tmp_path, "--steps", "1") == 0
    capsys.readouterr()
    for option, value, reason in (
        ("--layers", "3", "of another shape"),
        ("--heads", "3", "allowed is a multiple"),
    ):
        assert run(sequences, tmp_path, "--steps", "2", option, value) == 1
        err = capsys.readouterr().err
        assert (err.count("\n"), reason in err) == (1, True), err


def test_it_needs_no_ray_and_nothing_that_reads_midi_or_text():
    code = "import sys, amt_ray.training.bare, amt_ray.training.__main__; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in printed.split()}
    assert {"torch", "transformers", "accelerate", "pyarrow", "pydantic"} <= loaded
    assert not loaded & {"ray", "symusic", "pretty_midi", "sentence_transformers", "aiohttp", "typer", "matplotlib"}
