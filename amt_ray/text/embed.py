"""Sentences as unit vectors, with sentence-transformers.

Legend: B texts, D numbers to a vector. A text's vector depends on its neighbours in the batch only by the rounding of
padded matrix products: less than `TOLERANCE` in any number on a CPU (measured 2e-7). The same call gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from amt_ray.artifacts import Manifest, Workspace
from amt_ray.errors import EncoderError
from amt_ray.text.encoder_source import DEFAULT_ENCODER, EncoderSource, find_encoder
from amt_ray.text.quiet import quiet

__all__ = ["DEFAULT_ENCODER", "TOLERANCE", "EncoderSource", "TextEncoder", "find_encoder", "need_embeddings"]

TOLERANCE = 1e-5


class TextEncoder:
    """A sentence encoder in memory: `name` is a folder or a name on the hub, `device` one of torch's ("cpu", "cuda:0").

    Loading takes seconds. Raises `EncoderError` as `find_encoder` does, and for weights that cannot be loaded.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, device: str = "cpu") -> None:
        self.source = find_encoder(name)
        with quiet():
            from sentence_transformers import SentenceTransformer

            try:
                self._model = SentenceTransformer(
                    str(self.source.folder),
                    device=device,
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                )
            except Exception as exc:  # what a damaged folder raises is as varied as its files
                reason = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
                problem = f"it cannot be loaded on {device} ({reason})"
                raise EncoderError(name, problem, "name another folder or another device") from exc

    @property
    def dim(self) -> int:
        """D."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 that tells encoders apart and is equal on every machine."""
        return self.source.fingerprint

    def encode(self, texts: Sequence[str], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """Return float32 [B, D], rows of length 1, in the texts' order; [0, D] for no texts.

        Texts longer than the encoder reads (256 word pieces for all-MiniLM-L6-v2) are cut. Equal texts in one call are
        encoded once and get equal bytes.
        """
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not distinct:
            return np.zeros((0, self.dim), np.float32)
        with quiet():
            # Half of a UTF-16 pair, as JSON and command lines can hold, is no character to the tokenizer.
            texts_in_utf8 = [text.encode("utf-8", "replace").decode() for text in distinct]
            vectors = self._model.encode(
                texts_in_utf8, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
            )
        rows: npt.NDArray[np.float32] = np.asarray(vectors, np.float32)[[distinct[text] for text in texts]]
        return rows


def need_embeddings(place: Workspace, name: str, fingerprint: str) -> Manifest:
    """Return the manifest of a workspace's embeddings, which the encoder of this name and fingerprint must have made.

    Numbers of different encoders have nothing to do with each other, even where they are equally many. Raises EncoderError
    for another encoder's embeddings, WorkspaceError where there are none.
    """
    manifest = place.need("embeddings")
    made_by, theirs = manifest.facts["encoder"], manifest.facts["fingerprint"]
    if theirs != fingerprint:
        raise EncoderError(
            name,
            f"its fingerprint is {fingerprint[:12]}, but the embeddings of workspace {place.root} were made by {made_by} "
            f"({theirs[:12]})",
            f"use {made_by}, or run `amt prepare {place.root} --encoder {name}` to embed its captions again",
        )
    return manifest
