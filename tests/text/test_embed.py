import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from huggingface_hub import constants

from amt_ray.artifacts import Workspace
from amt_ray.errors import EncoderError, WorkspaceError
from amt_ray.text.embed import DEFAULT_ENCODER, TOLERANCE, TextEncoder, find_encoder, need_embeddings
from amt_ray.text.encoder_source import PACKAGE


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache, and a hub at a port where nobody listens."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def mini_lm():
    if not _is_installed():
        pytest.skip(f"the package {PACKAGE} is not installed")
    return TextEncoder()


def _is_installed():
    from importlib.util import find_spec

    return find_spec(PACKAGE.replace("-", "_")) is not None


def test_the_packaged_encoder_gives_unit_vectors_that_know_music(mini_lm):
    vectors = mini_lm.encode(["a sad slow piano piece", "mournful adagio for piano", "fast techno with drum machines"])
    assert (vectors.shape, vectors.dtype, mini_lm.dim) == ((3, 384), np.float32, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_neighbours_change_a_vector_by_rounding_only(mini_lm):
    texts = ["jazz", "a long text about " + "music " * 300, "", "slow piano piece in D minor", "jazz"]
    together = mini_lm.encode(texts)
    alone = np.concatenate([mini_lm.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=TOLERANCE, rtol=0)
    assert together[0].tobytes() == together[4].tobytes()
    assert together.tobytes() == mini_lm.encode(texts).tobytes()


def test_no_texts_give_no_rows(mini_lm):
    assert mini_lm.encode([]).shape == (0, 384)


def test_the_package_is_not_imported(mini_lm):
    assert mini_lm.source.origin in {"package", "cache"}
    assert PACKAGE.replace("-", "_") not in sys.modules


def test_a_tampered_package_is_refused(no_network, monkeypatch, tmp_path):
    model = tmp_path / PACKAGE.replace("-", "_") / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise SystemExit('imported')")
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderError, match=r"are not the known ones .*--force-reinstall"):
        find_encoder(DEFAULT_ENCODER)


def test_one_changed_byte_changes_the_fingerprint(plain_bert, tmp_path):
    import shutil

    copy = shutil.copytree(plain_bert, tmp_path / "copy")
    assert find_encoder(str(copy)).fingerprint == find_encoder(str(plain_bert)).fingerprint
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert find_encoder(str(copy)).fingerprint != find_encoder(str(plain_bert)).fingerprint


def test_a_plain_bert_is_pooled_by_the_mean(plain_bert, capfd):
    import torch
    from transformers import BertModel, BertTokenizer

    encoder = TextEncoder(str(plain_bert))
    vector = encoder.encode(["slow jazz piano"])[0]
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    model = BertModel.from_pretrained(plain_bert).eval()
    with torch.no_grad():
        tokens = BertTokenizer.from_pretrained(plain_bert)("slow jazz piano", return_tensors="pt")
        mean = model(**tokens).last_hidden_state[0].mean(0).numpy()
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=TOLERANCE)
    assert (encoder.dim, len(encoder.fingerprint)) == (16, 64)


def test_a_plain_bert_reads_as_much_of_a_text_as_it_has_positions_for(plain_bert):
    encoder = TextEncoder(str(plain_bert))
    longest = "slow jazz piano " * 20 + "slow jazz"
    assert encoder.encode([longest + " piano" * 500]).tobytes() == encoder.encode([longest]).tobytes()
    assert encoder.encode(["jazz" + longest[4:]]).tobytes() != encoder.encode([longest]).tobytes()


@pytest.mark.parametrize("name", ["no-such-encoder", "bert-base-uncased", "nobody/nothing", "not a name!", ""])
def test_a_name_that_leads_nowhere_fails_in_silence(name, no_network, capfd):
    with pytest.raises(EncoderError, match="name a folder that holds one, or use all-MiniLM-L6-v2"):
        find_encoder(name)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_offline_is_respected(no_network, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match="OfflineModeIsEnabled"):
        find_encoder("no-such-encoder")


def test_the_hubs_cache_is_used(no_network, plain_bert, tmp_path):
    import shutil

    repository = tmp_path / "cache" / "models--somebody--encoder"
    shutil.copytree(plain_bert, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    source = find_encoder("somebody/encoder")
    assert (source.origin, source.fingerprint) == ("cache", find_encoder(str(plain_bert)).fingerprint)


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ([{"type": "own.code.Layer", "path": ""}], "code of its own"),
        ("{", "modules.json is damaged"),
        ([{}], "modules.json is damaged"),
    ],
)
def test_a_folder_with_code_of_its_own_or_damage_is_refused(modules, problem, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "modules.json").write_text(modules if isinstance(modules, str) else json.dumps(modules))
    with pytest.raises(EncoderError, match=problem):
        find_encoder(str(tmp_path))


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_an_encoder_is_refused(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"holds no model\.safetensors|there is no such folder"):
        find_encoder(str(tmp_path / name))


def test_weights_that_cannot_be_loaded_are_one_sentence(plain_bert, tmp_path):
    import shutil

    broken = shutil.copytree(plain_bert, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match="cannot be loaded on cpu"):
        TextEncoder(str(broken))


@pytest.fixture
def embedded(tmp_path):
    """A workspace whose embeddings were made by the encoder "mine", fingerprint aaa…"""
    place = Workspace(str(tmp_path / "w"))
    rows = pa.table({"piece_id": ["1"], "kind": ["features-0"], "vector": [[1.0, 0.0]]})
    place.write("embeddings", rows, "made", {}, {"encoder": "mine", "fingerprint": "a" * 64, "dim": 2})
    return place


def test_embeddings_of_the_same_encoder_are_taken_whatever_its_name(embedded):
    assert need_embeddings(embedded, "a copy of mine", "a" * 64) == embedded.manifest("embeddings")


def test_embeddings_of_another_encoder_are_refused(embedded):
    with pytest.raises(EncoderError) as caught:
        need_embeddings(embedded, "yours", "b" * 64)
    assert str(caught.value) == (
        f"text encoder yours: its fingerprint is bbbbbbbbbbbb, but the embeddings of workspace {embedded.root} were made by "
        f"mine (aaaaaaaaaaaa); use mine, or run `amt prepare {embedded.root} --encoder yours` to embed its captions again."
    )


def test_embeddings_that_were_never_made(tmp_path):
    with pytest.raises(WorkspaceError, match="run `amt prepare` first"):
        need_embeddings(Workspace(str(tmp_path)), "mine", "a" * 64)


def test_importing_the_room_loads_neither_torch_nor_the_hub():
    code = "import sys, amt_ray.text.embed, amt_ray.text.caption; print({'torch', 'huggingface_hub'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
