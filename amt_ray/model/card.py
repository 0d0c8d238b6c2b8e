"""The model card of a bundle: what it is, what it was trained on and how, in the form that Hugging Face reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HEAD = """\
---
library_name: amt_ray
pipeline_tag: text-to-audio
tags: [midi, music]
---

# A text-to-MIDI model made with amt_ray
"""
USE = """\
```python
from amt_ray import Composer

Composer.from_pretrained("this folder").generate("a slow waltz in D minor", seed=1).save("waltz.mid")
```
"""
_METRICS = {
    "step": "Steps",
    "epoch": "Epoch",
    "loss": "Loss of the last step, nats per event",
    "validation_loss": "Validation loss, nats per event of unseen music",
    "validation_loss_without_controls": "The same, told no controls",
    "validation_loss_without_text": "The same, told no text",
    "bits_per_note": "Bits per note of unseen music",
}


def model_card(config: Any, n_parameters: int, encoder: str, styles: Sequence[str], training: Mapping[str, Any]) -> str:
    """Write the card; `training` is the bundle's training record, of which what is missing is left out."""
    metrics, settings = training.get("metrics", {}), training.get("settings", {})
    data = {name.capitalize(): f"{training[name]:,}" for name in ("pieces", "windows", "events") if name in training}
    licences = [f"{licence} ({n:,} pieces)" for licence, n in sorted(training.get("licences", {}).items())]
    made = {"amt_ray": training.get("amt_ray"), "Commit": training.get("commit"), "Made of": training.get("fingerprint")}
    context_tokens = config.n_positions - config.prefix_tokens
    parts = [
        HEAD,
        f"GPT-2 with {config.n_layer} layers of width {config.n_embd} and {config.n_head} heads, "
        f"{n_parameters:,} parameters, conditioned on texts through `{encoder}`. "
        f"One sequence holds up to {context_tokens:,} events of amt_ray's 512.\n",
        USE,
        _section("Data", _table(data | ({"Licences": ", ".join(licences)} if licences else {}))),
        _section("Training", _table({title: _number(metrics[name]) for name, title in _METRICS.items() if name in metrics})),
        _section("Settings", _table(settings)),
        _section("Made with", _table({name: value for name, value in made.items() if value})),
        _section("Styles", [f"- {style}" for style in styles]),
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"## {title}\n\n{body}\n" if body else ""


def _table(rows: Mapping[str, Any]) -> list[str]:
    return ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())] if rows else []


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
