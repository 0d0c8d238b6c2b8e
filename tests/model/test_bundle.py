import json

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amt_ray.config import ModelShape
from amt_ray.errors import BundleError, OutputError
from amt_ray.model.bundle import Bundle, EncoderInfo, Style, load_bundle, save_bundle
from amt_ray.model.conditional_gpt2 import ConditionalGPT2, new_model

STYLES = (Style("calm, piano", (0.6, 0.8, 0.0)), Style("fugue, Örgel", (0.0, 0.0, 1.0)))


@pytest.fixture(scope="module")
def bundle():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=256), text_dim=3)
    return Bundle(model, EncoderInfo("mini", "abc123", 3), STYLES, {"loss": 1.25, "settings": {"seed": 0}})


@pytest.fixture
def folder(bundle, tmp_path):
    save_bundle(bundle, tmp_path / "model")
    return tmp_path / "model"


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_saved_is_loaded_bit_for_bit(bundle, folder):
    loaded = load_bundle(folder)
    assert (loaded.encoder, loaded.styles, loaded.training) == (bundle.encoder, bundle.styles, bundle.training)
    assert not loaded.model.training
    wanted, got = bundle.model.state_dict(), loaded.model.state_dict()
    assert wanted.keys() == got.keys()
    assert [name for name in wanted if not torch.equal(wanted[name], got[name])] == []
    own = {
        "text_dim",
        "prefix_tokens",
        "n_positions",
        "n_embd",
        "n_layer",
        "n_head",
        "vocab_size",
        "attn_pdrop",
        "resid_pdrop",
    }
    assert {name: getattr(loaded.model.config, name) for name in own} == {
        name: getattr(bundle.model.config, name) for name in own
    }


def test_saved_twice_and_saved_again_are_the_same_bytes(bundle, folder, tmp_path):
    save_bundle(bundle, tmp_path / "twice")
    save_bundle(load_bundle(folder), tmp_path / "again")
    assert files_of(tmp_path / "twice") == files_of(folder)
    assert files_of(tmp_path / "again") == files_of(folder)
    assert set(files_of(folder)) >= {
        "config.json", "model.safetensors", "vocabulary.json", "encoder.json", "styles.json", "training.json", "README.md",
    }  # fmt: skip


def test_a_bundle_that_stands_there_is_replaced_whole(bundle, folder, tmp_path):
    (folder / "old_file").write_text("from before")
    save_bundle(bundle, folder)
    assert "old_file" not in files_of(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_model_card_tells_size_encoder_and_styles(bundle, folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{bundle.model.num_parameters():,} parameters" in card
    assert "`mini`" in card
    assert "- calm, piano\n- fugue, Örgel\n" in card


def test_the_nearest_style_is_the_most_similar(bundle):
    assert bundle.nearest_style(np.array([1.0, 0.0, 0.0], np.float32)) == 0
    assert bundle.nearest_style(np.array([0.0, 0.6, 0.8], np.float32)) == 1
    assert Bundle(bundle.model, bundle.encoder, (), {}).nearest_style(np.zeros(3, np.float32)) is None


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def gone(name):
    return lambda folder: (folder / name).unlink()


def cut_short(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def without_a_weight(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["no_text"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def other_config(**changes):
    def damage(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return damage


DAMAGE = {
    "weights cut short": (cut_short, "it is damaged (Error while deserializing header: incomplete metadata"),
    "weights empty": (text("model.safetensors", b""), "it is damaged (Error while deserializing header"),
    "weights are text": (text("model.safetensors", b"x" * 99), "it is damaged (Error while deserializing header"),
    "weights gone": (gone("model.safetensors"), "it is damaged (Error no file named model.safetensors found"),
    "a weight gone": (without_a_weight, "differ in 1 weights, no_text the first"),
    "a layer more": (other_config(n_layer=2), "differ in 12 weights, transformer.h.1."),
    "wider": (other_config(n_embd=64), "config.json and model.safetensors differ in"),
    "config gone": (gone("config.json"), "config.json and model.safetensors differ in"),
    "config no JSON": (text("config.json", b"{"), "is not a valid JSON file"),
    "config a list": (text("config.json", b"[]"), "must be a mapping"),
    "encoder gone": (gone("encoder.json"), "No such file"),
    "encoder empty": (text("encoder.json", b"{}"), "missing 3 required positional arguments"),
    "styles no JSON": (text("styles.json", b'[{"name"'), "it is damaged (Expecting"),
    "styles without names": (text("styles.json", b"[{}]"), "it is damaged ('name')"),
    "styles a number": (text("styles.json", b"7"), "not iterable"),
    "training gone": (gone("training.json"), "No such file"),
    "vocabulary no text": (text("vocabulary.json", b"\xff\xfe"), "codec can't decode"),
    "other vocabulary": (text("vocabulary.json", b'["PAD"]'), "its events are not those of this amt_ray"),
    "no vocabulary": (gone("vocabulary.json"), "it holds no vocabulary.json, so it is not a model bundle"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_bundle_is_one_sentence(folder, damage, capfd):
    act, wrong = DAMAGE[damage]
    act(folder)
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert wrong in caught.value.args[1]
    assert caught.value.args[0] == str(folder)
    assert caught.value.args[2].split()[0] in {"train", "name"}
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_no_folder_and_a_file_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in ("moon", "file", "file/deeper"):
        with pytest.raises(BundleError) as caught:
            load_bundle(tmp_path / name)
        assert str(caught.value) == (
            f"model {tmp_path / name}: there is no such folder; "
            "name the folder that `amt train` wrote, such as WORKSPACE/model."
        )


def test_a_place_that_cannot_be_written_is_an_output_error(bundle, tmp_path):
    (tmp_path / "file").write_text("kept")
    for place in ("file", "file/model"):
        with pytest.raises(OutputError, match="name a place that you may write to"):
            save_bundle(bundle, tmp_path / place)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "kept")]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), OutputError),
        (SafetensorError("I/O error: No space left"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["disk full", "disk full in safetensors", "interrupted"],
)
def test_a_saving_that_fails_leaves_the_old_bundle_and_no_half(bundle, folder, tmp_path, monkeypatch, error, raised):
    before = files_of(folder)

    def fails(self, place):
        (place / "config.json").write_text("{}")
        raise error

    monkeypatch.setattr(ConditionalGPT2, "save_pretrained", fails)
    with pytest.raises(raised):
        save_bundle(bundle, folder)
    assert files_of(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_training_that_json_cannot_hold_leaves_no_half(bundle, tmp_path):
    bad = Bundle(bundle.model, bundle.encoder, bundle.styles, {"when": object()})
    with pytest.raises(TypeError):
        save_bundle(bad, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
