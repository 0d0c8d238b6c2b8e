"""`pieces` to `captions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.schemas import CAPTIONS, PIECES
from amt_ray.text.caption import captions

if TYPE_CHECKING:
    import ray.data

PIECES_PER_BLOCK = 250


def make_captions(place: Workspace, pieces: Manifest, progress: Progress) -> Manifest:
    """Describe each piece in several ways, as text with the labels that are read back from it."""
    made_of = fingerprint("captions", pieces.version)
    if current := place.current("captions", made_of):
        return current
    table = place.table("pieces", [name for name in PIECES.names if name != "midi"])

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(caption_batch, batch_format="pyarrow", batch_size=None)

    return write_rows(place, "captions", made_of, slices(table, PIECES_PER_BLOCK), transform, progress)


def caption_batch(batch: pa.Table) -> pa.Table:
    """Write the captions of each piece from its features, artist, title and genre."""
    rows = [
        {"piece_id": piece["piece_id"], "kind": f"features-{i}", "text": text}
        for piece in batch.to_pylist()
        for i, text in enumerate(captions(piece, piece["piece_id"]))
    ]
    return pa.Table.from_pylist(rows, schema=CAPTIONS)
