"""`pieces` and `articles` to `captions`: what a piece sounds like, from its features and from what is written about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.musical_articles import musical_text_by_piece
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.schemas import CAPTIONS, PIECES
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import Label, Mention
from amt_ray.text.caption import captions
from amt_ray.text.embed import EncoderSource

if TYPE_CHECKING:
    import ray.data

PIECES_PER_BLOCK = 250
_PIECE_COLUMNS = [name for name in PIECES.names if name not in {"midi", "lyrics"}]


def make_captions(
    place: Workspace, pieces: Manifest, settings: PrepareSettings, encoder: EncoderSource, progress: Progress
) -> Manifest:
    """Describe each piece in several ways, as text with the labels that are read back from it.

    Of an article, the sentences count that speak of the music. Raises as `musical_text_by_piece` does.
    """
    articles = place.manifest("articles")
    read = (articles.version, encoder.fingerprint) if articles else ()
    made_of = fingerprint("captions", pieces.version, *read)
    if current := place.current("captions", made_of):
        return current
    texts = musical_text_by_piece(place, settings, encoder, progress) if articles else {}
    table = place.table("pieces", _PIECE_COLUMNS)
    article = pa.array([texts.get(piece_id) for piece_id in table["piece_id"].to_pylist()], pa.string())

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(caption_batch, batch_format="pyarrow", batch_size=None)

    blocks = slices(table.append_column("article", article), PIECES_PER_BLOCK)
    return write_rows(place, "captions", made_of, blocks, transform, progress)


def caption_batch(batch: pa.Table) -> pa.Table:
    """Write the captions of each piece from its features, artist, title and genre; its column `article` is one more."""
    rows = [caption_row(piece["piece_id"], *said) for piece in batch.to_pylist() for said in _texts(piece)]
    return pa.Table.from_pylist(rows, schema=CAPTIONS)


def caption_row(piece_id: str, kind: str, text: str) -> dict[str, Any]:
    """Return a row of `captions`: the text, and what is read in it."""
    analysis = analyse(text)
    return {
        "piece_id": piece_id,
        "kind": kind,
        "text": text,
        "keywords": list(analysis.keywords),
        "moods": _labels(analysis.moods),
        "genres": _labels(analysis.genres),
        "instruments": _labels(analysis.instruments),
    }


def _labels(found: Iterable[Label | Mention]) -> list[dict[str, Any]]:
    return [{"name": label.name, "confidence": label.confidence} for label in found]


def _texts(piece: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(captions(piece, piece, piece["piece_id"])):
        yield f"features-{number}", text
    if piece["article"]:
        yield "wikipedia", piece["article"]
