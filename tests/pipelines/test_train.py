import json

import pytest

from amt_ray.artifacts import Workspace
from amt_ray.config import TrainSettings
from amt_ray.errors import WorkspaceError
from amt_ray.pipelines.train import run_name, train_model
from amt_ray.schemas import SCHEMAS


@pytest.mark.parametrize(
    ("windows_of", "styles_by", "reason"),
    [
        ("old styles", "bert", "its training windows carry other styles than it has now"),
        ("s", "another", "its styles and its embeddings are of two encoders"),
    ],
)
def test_styles_must_be_those_of_the_windows_and_of_the_embeddings_encoder(windows_of, styles_by, reason, tmp_path):
    place = Workspace(str(tmp_path))
    facts = {
        "sequences": {"styles": windows_of},
        "styles": {"encoder_fingerprint": styles_by},
        "embeddings": {"fingerprint": "bert"},
    }
    for name, values in facts.items():
        place.write(name, SCHEMAS[name].empty_table(), name[0], {}, values)
    with pytest.raises(WorkspaceError) as caught:
        train_model(place.root, TrainSettings())
    assert str(caught.value) == f"workspace {place.root}: {reason}; run `amt prepare {place.root}`."


def test_a_run_that_was_stopped_goes_on_with_other_workers(tmp_path):
    place = Workspace(str(tmp_path))

    def checkpoint(run, step, is_last=False):
        place.write_bytes(f".runs/{run}/checkpoint_{step:08d}/record.json", json.dumps({"is_last": is_last}).encode())

    assert run_name(place, "abc", 2) == "abc-2"
    checkpoint("abc-1", 200)
    checkpoint("other-4", 200)
    assert run_name(place, "abc", 2) == "abc-1"
    assert run_name(place, "abc", 1) == "abc-1"
    checkpoint("abc-1", 400, is_last=True)
    assert run_name(place, "abc", 2) == "abc-2"
    checkpoint("abc-2", 200)
    assert run_name(place, "abc", 2) == "abc-2"
    assert run_name(place, "abc", 3) == "abc-2"
