import pytest

from amt_ray.artifacts import Workspace
from amt_ray.cli.main import main
from amt_ray.errors import RequestError
from amt_ray.pipelines import encoding
from amt_ray.pipelines.encoding import choose_device
from amt_ray.schemas import PIECES


@pytest.mark.parametrize(
    ("wanted", "gpus", "chosen"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda"), ("cpu", 2, "cpu"), ("cpu", 0, "cpu"), ("cuda", 1, "cuda")],
)
def test_the_device_is_what_was_asked_for_or_what_there_is(wanted, gpus, chosen, monkeypatch):
    monkeypatch.setattr(encoding, "start_ray", lambda: None)
    monkeypatch.setattr(encoding, "resources", lambda: {"CPU": 2.0, "GPU": float(gpus)} if gpus else {"CPU": 2.0})
    assert choose_device(wanted) == chosen


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(encoding, "start_ray", lambda: None)
    monkeypatch.setattr(encoding, "resources", lambda: {"CPU": 2.0})
    with pytest.raises(RequestError) as caught:
        choose_device("cuda")
    assert str(caught.value) == "device: received cuda; allowed is cpu or auto, for Ray finds no GPU here."


def test_prepare_refuses_a_gpu_that_is_not_there_before_it_begins(ray_local, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(encoding, "resources", lambda: {"CPU": 2.0})
    place = Workspace(str(tmp_path / "w"))
    place.write("pieces", PIECES.empty_table(), "made", {}, {})
    assert main(["prepare", place.root, "--device", "cuda"]) == 8
    assert (
        capsys.readouterr().err.strip() == "error: device: received cuda; allowed is cpu or auto, for Ray finds no GPU here."
    )
    assert place.manifest("captions") is None
