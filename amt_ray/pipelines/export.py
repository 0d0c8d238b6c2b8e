"""A workspace as JSON that other programs read.

Each file is one array of objects in the order of `pieces`. `midi_metadata_list.json` has every piece: every column but
`midi` under its own name (units as in `amt_ray.schemas`), `file_path`, and the programs' names as `instruments`.
`automated_paired_data.json` has only the pieces that an article was found for, on the song or on its artist, with its
summary as `description` and, under `article`, the attribution that its licence asks for. Captions written from the music's
features are not among them: they say nothing that the columns do not. `text_export` describes the files of captions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.pipelines.joins import piece_runs, rows_of
from amt_ray.pipelines.json_arrays import ExportedFile, JsonArray, json_arrays, short_doubles
from amt_ray.pipelines.musical_articles import FOUND
from amt_ray.pipelines.text_export import CLUSTERED_FILE, EMBEDDINGS_FILE, left_out, write_clustered, write_text_embeddings
from amt_ray.schemas import PIECES

METADATA_FILE, PAIRED_FILE = "midi_metadata_list.json", "automated_paired_data.json"
PIECES_PER_JOIN = 50_000
"""Pieces that are held at once with their articles; the articles are read once for each so many."""
_PIECE_COLUMNS = [name for name in PIECES.names if name != "midi"]
_ATTRIBUTION = ("status", "confidence", "page_title", "page_url", "revision_id", "licence", "fetched_at")
_ARTICLE_COLUMNS = ["piece_id", "extract", *_ATTRIBUTION]


@dataclass(frozen=True)
class ExportReport:
    """What was written: `embeddings` has an object a caption, the others one a piece.

    A file that could not be written is None, and `left_out` says by its name why, and what to run.
    """

    metadata: ExportedFile
    paired: ExportedFile
    embeddings: ExportedFile | None
    clustered: ExportedFile | None
    left_out: Mapping[str, str]


def export_json(workspace: str, out: str | None = None) -> ExportReport:
    """Write the files into a folder (or `s3://…`), the workspace by default; they appear when all are complete.

    Raises WorkspaceError where there are no pieces, OutputError where the folder cannot be written.
    """
    place = Workspace(workspace)
    place.need("pieces")
    folder = place if out is None else Workspace(out)
    missing = left_out(place)
    names = (METADATA_FILE, PAIRED_FILE, EMBEDDINGS_FILE, CLUSTERED_FILE)
    with json_arrays(folder, [name for name in names if name not in missing]) as arrays:
        _write_pieces(place, arrays[METADATA_FILE], arrays[PAIRED_FILE])
        if EMBEDDINGS_FILE in arrays:
            write_text_embeddings(place, arrays[EMBEDDINGS_FILE])
        if CLUSTERED_FILE in arrays:
            write_clustered(place, arrays[CLUSTERED_FILE])
    written = {name: array.written() for name, array in arrays.items()}
    return ExportReport(
        written[METADATA_FILE], written[PAIRED_FILE], written.get(EMBEDDINGS_FILE), written.get(CLUSTERED_FILE), missing
    )


def metadata_of(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of `pieces` without `midi` as it is exported: with `file_path` and `instruments`."""
    parts = (piece["library"], piece["path"])
    names = [INSTRUMENTS[program] for program in piece["programs"] or ()]
    return {"file_path": "/".join(part.rstrip("/") for part in parts if part), **piece, "instruments": names}


def pair_of(metadata: Mapping[str, Any], article: Mapping[str, Any]) -> dict[str, Any]:
    """Join a piece's metadata with its article: `description`, and `article` with what attribution needs."""
    attribution = {name: article[name] for name in _ATTRIBUTION}
    return {**metadata, "description": article["extract"], "article": attribution}


def _write_pieces(place: Workspace, metadata: JsonArray, paired: JsonArray) -> None:
    for pieces in piece_runs(place, _PIECE_COLUMNS, PIECES_PER_JOIN):
        articles = rows_of(place, "articles", _ARTICLE_COLUMNS, pieces["piece_id"].combine_chunks())
        articles = articles.filter(pc.is_in(articles["status"], pa.array(FOUND)))
        for batch in pieces.to_batches():
            rows = [metadata_of(row) for row in short_doubles(batch).to_pylist()]
            found = articles.take(pc.index_in(batch["piece_id"], articles["piece_id"])).to_pylist()
            metadata.extend(rows)
            paired.extend(pair_of(row, article) for row, article in zip(rows, found, strict=True) if article["extract"])
