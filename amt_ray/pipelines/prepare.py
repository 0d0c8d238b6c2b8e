"""`pieces` to captions, embeddings, styles and sequences: four artefacts, each made only if its inputs have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.caption import make_captions
from amt_ray.pipelines.embed import make_embeddings
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.pipelines.sequences import make_sequences, note_rejects
from amt_ray.pipelines.styles import make_styles
from amt_ray.text.embed import TextEncoder


@dataclass(frozen=True)
class PrepareReport:
    """What was made of the pieces."""

    n_pieces: int
    n_captions: int
    encoder: str
    embedding_dim: int
    silhouette_by_k: Mapping[int, float]
    styles: Mapping[str, int]
    """Pieces by style name, the largest first."""
    n_windows: int
    n_tokens: int
    n_validation_windows: int
    pieces_without_windows: int
    was_current: bool


def prepare(workspace: str, settings: PrepareSettings | None = None, progress: Progress = silent) -> PrepareReport:
    """Make captions, embeddings, styles and sequences of the workspace's pieces.

    Raises WorkspaceError when there are no pieces yet, EncoderError when the encoder is not found.
    """
    settings = settings or PrepareSettings()
    place = Workspace(workspace)
    pieces = place.need("pieces")
    encoder = TextEncoder(settings.encoder)
    before = {name: place.manifest(name) for name in ("captions", "embeddings", "styles", "sequences")}
    texts = make_captions(place, pieces, progress)
    vectors = make_embeddings(place, texts, settings, encoder, progress)
    styles = make_styles(place, vectors, settings)
    sequences = make_sequences(place, pieces, styles, settings, progress)
    note_rejects(place, pieces, sequences, settings)
    after = {"captions": texts, "embeddings": vectors, "styles": styles, "sequences": sequences}
    return PrepareReport(
        n_pieces=pieces.n_rows,
        n_captions=texts.n_rows,
        encoder=settings.encoder,
        embedding_dim=vectors.facts["dim"],
        silhouette_by_k={int(k): v for k, v in styles.facts["silhouette_by_k"].items()},
        styles=styles.facts["sizes"],
        n_windows=sequences.n_rows,
        n_tokens=sequences.facts["tokens"],
        n_validation_windows=sequences.facts["validation_windows"],
        pieces_without_windows=pieces.n_rows - sequences.facts["pieces"],
        was_current=before == after,
    )
