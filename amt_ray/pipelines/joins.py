"""Some pieces at a time, with their rows in other artefacts, for artefacts that are too big to be held whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.pipelines.batches import batches
from amt_ray.schemas import SCHEMAS


def piece_runs(place: Workspace, columns: Sequence[str], n_pieces: int) -> Iterator[pa.Table]:
    """Read columns of `pieces` in tables of at least `n_pieces` rows, but for the last, and of a batch more at most."""
    run: list[pa.RecordBatch] = []
    for batch in batches(place, "pieces", columns):
        run.append(batch)
        if sum(part.num_rows for part in run) >= n_pieces:
            yield pa.Table.from_batches(run)
            run = []
    if run:
        yield pa.Table.from_batches(run)


def rows_of(place: Workspace, name: str, columns: Sequence[str], piece_ids: pa.Array) -> pa.Table:
    """Read all rows that an artefact has of some pieces; none where it was never made.

    It reads the whole artefact, in batches: ask for as many pieces at once as memory allows.
    """
    schema = pa.schema([SCHEMAS[name].field(column) for column in columns])
    if place.manifest(name) is None:
        return schema.empty_table()
    found = (batch.filter(pc.is_in(batch["piece_id"], piece_ids)) for batch in batches(place, name, columns))
    return pa.Table.from_batches(found, schema)
