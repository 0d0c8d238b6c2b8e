"""Text to MIDI on Ray: a folder of MIDI files becomes a model, a sentence becomes music."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["Composer", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `Composer` when it is first asked for: it brings PyTorch along."""
    if name == "Composer":
        from amt_ray.generation.composer import Composer

        return Composer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
