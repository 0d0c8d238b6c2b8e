"""`pieces` to captions, embeddings, styles and sequences: four artefacts, each made only if its inputs have changed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.caption import make_captions
from amt_ray.pipelines.embed import make_embeddings
from amt_ray.pipelines.encoding import choose_device
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.pipelines.sequences import make_sequences, note_rejects
from amt_ray.pipelines.styles import StylesReport, make_styles, styles_report
from amt_ray.text.embed import find_encoder
from amt_ray.training.statistics import WindowStatistics


@dataclass(frozen=True)
class PrepareReport:
    """What was made of the pieces."""

    n_pieces: int
    n_captions: int
    encoder: str
    embedding_dim: int
    n_texts_embedded: int
    """Different captions that were embedded this time; 0 when their embeddings were there."""
    embedding_s: float
    """How long that took, with the start of the processes that did it."""
    styles: StylesReport
    windows: WindowStatistics
    was_current: bool

    @property
    def n_windows(self) -> int:
        """Training windows of both splits."""
        return self.windows.windows

    @property
    def n_tokens(self) -> int:
        """Events in them."""
        return self.windows.tokens

    @property
    def texts_per_s(self) -> float:
        """How fast texts were embedded, with the start; 0 when none was."""
        return self.n_texts_embedded / self.embedding_s if self.n_texts_embedded else 0.0


def prepare(workspace: str, settings: PrepareSettings | None = None, progress: Progress = silent) -> PrepareReport:
    """Make captions, embeddings, styles and sequences of the workspace's pieces.

    Raises WorkspaceError when there are no pieces yet, EncoderError when the encoder is not found or cannot be loaded,
    RequestError for a device that is not there.
    """
    settings = settings or PrepareSettings()
    place = Workspace(workspace)
    pieces = place.need("pieces")
    encoder = find_encoder(settings.encoder)
    if settings.device == "cuda":  # refused before anything is written
        choose_device(settings.device)
    before = {name: place.manifest(name) for name in ("captions", "embeddings", "styles", "sequences")}
    texts = make_captions(place, pieces, settings, encoder, progress)
    began_s = time.monotonic()
    vectors = make_embeddings(place, texts, settings, encoder, progress)
    embedding_s = time.monotonic() - began_s
    styles = make_styles(place, vectors, settings, progress=progress)
    sequences = make_sequences(place, pieces, texts, styles, settings, progress)
    note_rejects(place, sequences, settings)
    after = {"captions": texts, "embeddings": vectors, "styles": styles, "sequences": sequences}
    return PrepareReport(
        n_pieces=pieces.n_rows,
        n_captions=texts.n_rows,
        encoder=settings.encoder,
        embedding_dim=vectors.facts["dim"],
        n_texts_embedded=vectors.facts["texts"] if vectors != before["embeddings"] else 0,
        embedding_s=embedding_s,
        styles=styles_report(place),
        windows=WindowStatistics.of_facts(sequences.facts),
        was_current=before == after,
    )
