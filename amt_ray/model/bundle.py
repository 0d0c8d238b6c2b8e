"""A trained model with everything that generating from it needs, in one folder of Hugging Face form.

config.json, model.safetensors    the conditional GPT-2
vocabulary.json                   the names of the 512 events it was trained on
encoder.json                      which sentence encoder made its texts: name, fingerprint, width
styles.json                       names and centroids of the styles
training.json                     data, settings and metrics of the training
README.md                         the model card
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError

from amt_ray.errors import BundleError, OutputError
from amt_ray.events.vocabulary import N_IDS, name_of
from amt_ray.model.card import model_card
from amt_ray.model.conditional_gpt2 import ConditionalGPT2
from amt_ray.text.quiet import quiet


@dataclass(frozen=True)
class EncoderInfo:
    """The sentence encoder that the prefix was trained with."""

    name: str
    fingerprint: str
    dim: int


@dataclass(frozen=True)
class Style:
    """One cluster of embeddings: its most telling words and its unit-norm centroid."""

    name: str
    centroid: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Bundle:
    """What `load_bundle` gives back."""

    model: ConditionalGPT2
    encoder: EncoderInfo
    styles: tuple[Style, ...]
    training: Mapping[str, Any]

    def nearest_style(self, text_E: npt.NDArray[np.float32]) -> int | None:
        """Index of the style whose centroid is most similar to an embedding; None without styles."""
        if not self.styles:
            return None
        centroids = np.array([style.centroid for style in self.styles], np.float32)
        return int((centroids @ text_E).argmax())


def save_bundle(bundle: Bundle, path: str | Path) -> None:
    """Write a bundle to a folder, whole or not at all; one that stands there is replaced. Raises OutputError."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with quiet():
            bundle.model.save_pretrained(partial)
        _write_json(partial / "vocabulary.json", [name_of(i) for i in range(N_IDS)])
        _write_json(partial / "encoder.json", asdict(bundle.encoder))
        _write_json(partial / "styles.json", [asdict(style) for style in bundle.styles])
        _write_json(partial / "training.json", bundle.training)
        styles = [style.name for style in bundle.styles]
        card = model_card(bundle.model.config, bundle.model.num_parameters(), bundle.encoder.name, styles, bundle.training)
        (partial / "README.md").write_text(card, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
    except (OSError, SafetensorError) as exc:
        raise OutputError(str(target), getattr(exc, "strerror", None) or str(exc)) from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load_bundle(path: str | Path) -> Bundle:
    """Read a bundle from a folder, in evaluation mode, on the CPU.

    Raises BundleError when the folder is missing, is no bundle, is damaged, or was made with another vocabulary.
    """
    folder = Path(path)
    if not (folder / "vocabulary.json").is_file():
        wrong = "it holds no vocabulary.json, so it is not a model bundle" if folder.is_dir() else "there is no such folder"
        raise BundleError(str(path), wrong, "name the folder that `amt train` wrote, such as WORKSPACE/model")
    try:
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        encoder = EncoderInfo(**json.loads((folder / "encoder.json").read_text(encoding="utf-8")))
        stored_styles = json.loads((folder / "styles.json").read_text(encoding="utf-8"))
        styles = tuple(Style(style["name"], tuple(style["centroid"])) for style in stored_styles)
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        model = _load_model(folder)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as exc:
        detail = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise BundleError(str(path), f"it is damaged ({detail})", "train it again or copy it whole") from exc
    if vocabulary != [name_of(i) for i in range(N_IDS)]:
        raise BundleError(str(path), "its events are not those of this amt_ray", "train it again with this version")
    model.train(False)
    return Bundle(model, encoder, styles, training)


def weights_digest(path: str | Path) -> str:
    """Hash a bundle's weights and shape to 64 hex digits. Raises BundleError where they are missing."""
    try:
        parts = [(Path(path) / name).read_bytes() for name in ("config.json", "model.safetensors")]
    except OSError as exc:
        raise BundleError(str(path), exc.strerror or str(exc), "name the folder that `amt train` wrote") from exc
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _load_model(folder: Path) -> ConditionalGPT2:
    """Load the weights; transformers would put random numbers where some are missing, so that is a ValueError here."""
    with quiet():
        loaded: Any = ConditionalGPT2.from_pretrained(
            folder,
            dtype=torch.float32,  # whatever it is on disk
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    model, report = loaded
    wrong = sorted({*report["missing_keys"], *report["unexpected_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if wrong:
        raise ValueError(f"config.json and model.safetensors differ in {len(wrong)} weights, {wrong[0]} the first")
    return cast(ConditionalGPT2, model)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
