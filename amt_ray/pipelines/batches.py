"""An artefact's rows a few thousand at a time, for those that are too many or too long to be held at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from amt_ray.artifacts import Workspace
from amt_ray.errors import WorkspaceError
from amt_ray.schemas import SCHEMAS

ROWS_PER_BATCH = 4096


def batches(place: Workspace, name: str, columns: Sequence[str], version: str | None = None) -> Iterator[pa.RecordBatch]:
    """Read columns of a committed artefact in batches of at most ROWS_PER_BATCH, in the order of its rows.

    By default that is the current version; who reads twice names it, to read the same rows.

    Raises WorkspaceError for an artefact that was never made, or whose files are gone or damaged.
    """
    folder = place.folder(name, version or place.need(name).version)
    schema = pa.schema([SCHEMAS[name].field(column) for column in columns])
    try:
        for path in pads.dataset(folder, filesystem=place.fs, format="parquet").files:
            # Not through the dataset: it decodes a whole row group, of up to a million rows, before it gives the first.
            with pq.ParquetFile(path, filesystem=place.fs, buffer_size=2**16) as file:
                for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(columns)):
                    yield batch.select(columns).cast(schema)
    except (OSError, pa.ArrowInvalid) as exc:
        detail = str(exc).splitlines()[0].rstrip(".")
        raise WorkspaceError(place.root, f"{folder} is damaged ({detail})", "make it again in a new folder") from exc
