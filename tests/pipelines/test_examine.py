import tempfile

import numpy as np
import pyarrow as pa
import pytest
import torch
from strategies import compose

from amt_ray.artifacts import Workspace
from amt_ray.config import ModelShape
from amt_ray.errors import BundleError, RequestError, WorkspaceError
from amt_ray.events.quantise import quantise
from amt_ray.model.bundle import Bundle, EncoderInfo, Style, save_bundle
from amt_ray.model.conditional_gpt2 import new_model
from amt_ray.pipelines.examine import examine_model
from amt_ray.schemas import SCHEMAS
from amt_ray.training.windows import Labels, cut_windows

ENCODER = EncoderInfo("mini", "abc123", 3)
STYLES = (Style("calm", (1.0, 0.0, 0.0)), Style("loud", (0.0, 1.0, 0.0)))
CONTEXT_TOKENS = 256


@pytest.fixture(autouse=True)
def _scratch_here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    torch.set_num_threads(1)


def prepared(folder, is_validation=lambda seed: seed % 3 == 0):
    """A workspace with the windows of six pieces."""
    place = Workspace(str(folder))
    windows = [
        {"piece_id": str(seed), "window": w.number, "ids": w.ids, "n_controls": w.n_controls, "n_context": w.n_context,
         "style": seed % 2, "split": "validation" if is_validation(seed) else "train"}
        for seed in range(6)
        for w in cut_windows(quantise(compose(seed, 8)), Labels(seed % 2), CONTEXT_TOKENS)
    ]  # fmt: skip
    vectors = [{"piece_id": str(seed), "kind": "features-0", "vector": np.eye(3)[seed % 3]} for seed in range(6)]
    styles = [{"style": i, "name": s.name, "size": 3, "centroid": s.centroid} for i, s in enumerate(STYLES)]
    facts = {
        "sequences": {"styles": "styles", "tokens": 0},
        "styles": {"encoder_fingerprint": ENCODER.fingerprint},
        "embeddings": {"encoder": ENCODER.name, "fingerprint": ENCODER.fingerprint, "dim": ENCODER.dim},
        "pieces": {},
    }
    rows = {"sequences": windows, "styles": styles, "embeddings": vectors, "pieces": []}
    for name, values in facts.items():
        place.write(name, pa.Table.from_pylist(rows[name], SCHEMAS[name]), name, {}, values)
    return place


def save_model(folder, encoder=ENCODER, styles=STYLES, context_tokens=CONTEXT_TOKENS):
    torch.manual_seed(0)
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=context_tokens), encoder.dim)
    save_bundle(Bundle(model, encoder, styles, {}), folder)
    return str(folder)


def test_the_model_of_a_workspace_is_examined_on_its_validation_windows(tmp_path):
    place = prepared(tmp_path / "w")
    save_model(tmp_path / "w" / "model")
    n_validation = place.table("sequences")["split"].to_pylist().count("validation")
    seen = []
    report = examine_model(place.root, progress=lambda *told: seen.append(told))
    assert report.n_windows == n_validation > 3
    assert {answer.name: answer.n_windows for answer in report.answers}["tempo"] == n_validation
    assert report.ngram.loss < report.unigram.loss < report.model.loss  # which has learnt nothing
    assert seen[-1][1] == seen[-1][2]
    assert examine_model(place.root, str(tmp_path / "w" / "model"), most_windows=3).n_windows == 3
    assert examine_model(place.root) == report


def sentence(kind, *arguments, **options):
    with pytest.raises(kind) as caught:
        examine_model(*arguments, **options)
    return str(caught.value)


def test_a_workspace_has_to_be_prepared_first(tmp_path):
    assert sentence(WorkspaceError, str(tmp_path / "w")) == (
        f"workspace {tmp_path / 'w'}: it has no sequences yet; run `amt prepare` first."
    )


def test_a_bundle_has_to_be_one(tmp_path):
    place = prepared(tmp_path / "w")
    assert sentence(BundleError, place.root) == (
        f"model {place.root}/model: there is no such folder; "
        "name the folder that `amt train` wrote, such as WORKSPACE/model."
    )
    assert f"model {tmp_path}: it holds no vocabulary.json" in sentence(BundleError, place.root, str(tmp_path))


def test_vectors_and_styles_have_to_be_those_of_the_training(tmp_path):
    place = prepared(tmp_path / "w")
    remedy = f"name a model that was trained on this workspace, or run `amt train {place.root}`."
    other = save_model(tmp_path / "other", EncoderInfo("mini", "0123456789abcdef", 3))
    assert sentence(BundleError, place.root, other) == (
        f"model {other}: its texts are embedded by mini (0123456789ab), "
        f"those of workspace {place.root} by mini (abc123); {remedy}"
    )
    refitted = save_model(tmp_path / "refitted", styles=STYLES[::-1])
    assert sentence(BundleError, place.root, refitted) == (
        f"model {refitted}: its styles are not those of workspace {place.root}; {remedy}"
    )
    renamed = save_model(tmp_path / "renamed", styles=tuple(Style("x", style.centroid) for style in STYLES))
    assert examine_model(place.root, renamed).n_windows


@pytest.mark.parametrize(("has_validation", "context_tokens"), [(False, CONTEXT_TOKENS), (True, 40)])
def test_there_have_to_be_validation_windows_that_the_model_reads(tmp_path, has_validation, context_tokens):
    place = prepared(tmp_path / "w", is_validation=lambda seed: has_validation and seed == 0)
    save_model(tmp_path / "w" / "model", context_tokens=context_tokens)
    assert sentence(WorkspaceError, place.root) == (
        f"workspace {place.root}: it has no validation windows that the model has room for; "
        "collect more pieces, or prepare it with fewer --window-tokens."
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_has_to_be_there(tmp_path):
    place = prepared(tmp_path / "w")
    assert sentence(RequestError, place.root, device="cuda").startswith("device: received cuda; allowed is cpu")
