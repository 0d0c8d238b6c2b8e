"""`pieces` and `styles` to `sequences`; pieces that give none become `rejects`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.errors import InvalidPiece
from amt_ray.events.quantise import quantise
from amt_ray.midi.parse import parse_midi
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.schemas import REJECTS, SEQUENCES
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import surest
from amt_ray.text.labels import GENRES
from amt_ray.training.windows import Labels, cut_windows, split_of

if TYPE_CHECKING:
    import ray.data

PIECES_PER_BLOCK = 250


def make_sequences(
    place: Workspace, pieces: Manifest, styles: Manifest, settings: PrepareSettings, progress: Progress
) -> Manifest:
    """Cut each piece into training windows, with the style that it belongs to."""
    made_of = fingerprint("sequences", pieces.version, styles.version, settings.window_tokens, settings.validation_share)
    if current := place.current("sequences", made_of):
        return current
    styled = place.table("style_of_piece", ["piece_id", "style"])
    style_of = dict(zip(styled["piece_id"].to_pylist(), styled["style"].to_pylist(), strict=True))

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(
            lambda batch: window_batch(batch, style_of, settings), batch_format="pyarrow", batch_size=None
        )

    blocks = slices(place.table("pieces", ["piece_id", "genre", "midi"]), PIECES_PER_BLOCK)

    def facts_of(windows: pa.Table) -> dict[str, Any]:
        return _window_facts(windows) | {"styles": styles.version}

    return write_rows(place, "sequences", made_of, blocks, transform, progress, facts_of)


def note_rejects(place: Workspace, pieces: Manifest, sequences: Manifest, settings: PrepareSettings) -> None:
    """Make the pieces that gave no window rows of `rejects`, in place of those of the time before."""
    rejects = place.need("rejects")
    before = place.table("rejects").to_pylist()
    after = [row for row in before if row["stage"] != "prepare"]
    if pieces.n_rows > sequences.facts["pieces"]:
        encoded = place.table("sequences", ["piece_id"])["piece_id"]
        table = place.table("pieces", ["piece_id", "library", "path", "midi"])
        without = table.filter(pc.invert(pc.is_in(table["piece_id"], encoded.combine_chunks())))
        after += [reject_of(piece, settings) for piece in without.to_pylist()]
    if after != before:
        place.write("rejects", pa.Table.from_pylist(after, REJECTS), rejects.fingerprint, rejects.settings, rejects.facts)


def reject_of(piece: Mapping[str, Any], settings: PrepareSettings) -> dict[str, str]:
    """Say as a row of `rejects` why a piece (columns library, path and midi) gave no window."""
    reason, detail = "no_window", f"no bar of it fits into a window of {settings.window_tokens} events"
    try:
        parse_midi(piece["midi"])
    except InvalidPiece as exc:
        reason, detail = exc.reason, exc.detail
    return {"library": piece["library"], "path": piece["path"], "stage": "prepare", "reason": reason, "detail": detail}


def window_batch(batch: pa.Table, style_of: Mapping[str, int], settings: PrepareSettings) -> pa.Table:
    """Cut each piece into windows, with the style and genre that are known of it."""
    rows = [row for piece in batch.to_pylist() for row in _windows_of(piece, style_of, settings)]
    return pa.Table.from_pylist(rows, schema=SEQUENCES)


def _windows_of(
    piece: Mapping[str, Any], style_of: Mapping[str, int], settings: PrepareSettings
) -> Iterable[dict[str, Any]]:
    style = style_of.get(piece["piece_id"])
    labels = Labels(style=style, genre=surest(analyse(piece["genre"] or "").genres, GENRES))
    split = split_of(piece["piece_id"], settings.validation_share)
    try:
        quantised = quantise(parse_midi(piece["midi"]))
    except InvalidPiece:  # read when it was collected, by another version of the parser: `_note_rejects` says so
        return
    for window in cut_windows(quantised, labels, settings.window_tokens):
        named = {"piece_id": piece["piece_id"], "style": style, "split": split}
        yield {**named, "window": window.number, "ids": window.ids, "n_controls": window.n_controls}


def _window_facts(windows: pa.Table) -> dict[str, Any]:
    return {
        "tokens": int(pc.sum(pc.list_value_length(windows["ids"])).as_py() or 0),
        "validation_windows": int(pc.sum(pc.equal(windows["split"], "validation")).as_py() or 0),
        "pieces": len(pc.unique(windows["piece_id"])),
    }
