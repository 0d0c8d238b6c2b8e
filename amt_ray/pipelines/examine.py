"""A trained model and the workspace that it was trained on, to what it has learnt; without Ray."""

from __future__ import annotations

from pathlib import Path

import torch

from amt_ray.artifacts import Workspace
from amt_ray.errors import BundleError, RequestError, WorkspaceError
from amt_ray.model.bundle import Bundle, load_bundle
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.pipelines.training_data import need_prepared, training_data
from amt_ray.training.examine import Examination, choose_windows, examine
from amt_ray.training.rows import TrainingData

BATCH_TOKENS = 8192


def examine_model(
    workspace: str, bundle: str | None = None, most_windows: int = 200, device: str = "cpu", progress: Progress = silent
) -> Examination:
    """Examine a bundle, by default WORKSPACE/model, on at most `most_windows` of the workspace's validation windows.

    Raises WorkspaceError before `amt prepare` and without validation windows that the model has room for, BundleError for a
    folder that is no bundle or one of another sentence encoder or other styles, RequestError for a device that is not there,
    OutputError where the training rows cannot be written to this machine's disk.
    """
    place = Workspace(workspace)
    need_prepared(place)
    if bundle is None and "://" in workspace:
        raise RequestError("bundle", "nothing", "a local folder, because the workspace is not on this machine")
    if device != "cpu" and not torch.cuda.is_available():
        raise RequestError("device", device, "cpu: PyTorch finds no GPU on this machine")
    path = bundle if bundle is not None else str(Path(place.path) / "model")
    loaded = load_bundle(path)
    data = training_data(place)
    _check_same(path, loaded, place, data)
    config = loaded.model.config
    windows = choose_windows(data.validation, most_windows, config.n_positions - config.prefix_tokens)
    if not len(windows):
        wrong = "it has no validation windows that the model has room for"
        raise WorkspaceError(place.root, wrong, "collect more pieces, or prepare it with fewer --window-tokens")
    model = loaded.model.to(torch.device(device))  # type: ignore[arg-type]
    return examine(model, data.train, windows, BATCH_TOKENS, progress, device)


def _check_same(path: str, bundle: Bundle, place: Workspace, data: TrainingData) -> None:
    """Raise BundleError where the workspace's vectors or style numbers mean other things than in the model's training."""
    remedy = f"name a model that was trained on this workspace, or run `amt train {place.root}`"
    if bundle.encoder.fingerprint != data.encoder.fingerprint:
        one, other = (f"{info.name} ({info.fingerprint[:12]})" for info in (bundle.encoder, data.encoder))
        raise BundleError(path, f"its texts are embedded by {one}, those of workspace {place.root} by {other}", remedy)
    if [style.centroid for style in bundle.styles] != [style.centroid for style in data.styles]:
        raise BundleError(path, f"its styles are not those of workspace {place.root}", remedy)
