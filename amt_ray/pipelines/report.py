"""The report of a collected library: computed from `pieces`, `rejects` and `articles`, written as JSON and as a picture."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.media.library_sheet import draw_library_sheet
from amt_ray.midi.library import PIECE_COLUMNS, REJECT_COLUMNS, LibraryReport, measure_library
from amt_ray.pipelines.batches import batches

REPORT_JSON, REPORT_PNG = "report.json", "report.png"


def library_report(place: Workspace) -> LibraryReport:
    """Compute the report; only small columns are held, about 200 bytes a piece. Raises WorkspaceError without pieces."""
    pieces = place.table("pieces", PIECE_COLUMNS)
    rejects = place.table("rejects", REJECT_COLUMNS)
    articles = _articles(place) if place.manifest("articles") is not None else None
    return measure_library(pieces, rejects, articles)


def write_report(place: Workspace) -> LibraryReport:
    """Write `report.json` and `report.png` into the workspace and return what they say.

    Raises WorkspaceError without pieces, OutputError where the workspace cannot be written.
    """
    report = library_report(place)
    place.write_bytes(REPORT_JSON, json.dumps(report.as_json(), ensure_ascii=False, indent=1).encode())
    place.write_bytes(REPORT_PNG, draw_library_sheet(report))
    return report


def _articles(place: Workspace) -> pa.Table:
    """Status, reason and the length of the extract; the extracts themselves are never all in memory."""
    return pa.Table.from_batches(
        [
            pa.record_batch(
                [batch["status"], batch["reason"], pc.utf8_length(batch["extract"])], ["status", "reason", "n_characters"]
            )
            for batch in batches(place, "articles", ["status", "reason", "extract"])
        ],
        pa.schema([("status", pa.string()), ("reason", pa.string()), ("n_characters", pa.int32())]),
    )
