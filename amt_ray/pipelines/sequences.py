"""`pieces`, `captions` and `styles` to `sequences`; pieces that give none become `rejects`.

The driver never holds music: blocks name pieces and the files that they are in, and Ray Data's tasks read these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.fs as pafs

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings, TrainSettings
from amt_ray.errors import InvalidPiece
from amt_ray.events.quantise import quantise
from amt_ray.midi.parse import parse_midi
from amt_ray.pipelines.batches import batches
from amt_ray.pipelines.cluster import start_ray
from amt_ray.pipelines.parts import PART
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.schemas import PIECES, REJECTS, SEQUENCES
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import Label, surest
from amt_ray.text.labels import GENRES
from amt_ray.training.statistics import Tally, summarise, tally_piece
from amt_ray.training.windows import Labels, cut_windows, split_of

if TYPE_CHECKING:
    import ray.data

PIECES_PER_BLOCK = 250


class TallyBoard:
    """An actor that keeps the tally of each block, once however often the block is cut."""

    def __init__(self) -> None:
        self.by_block: dict[str, Tally] = {}

    def put(self, block: str, tally: Tally) -> None:
        """Keep a block's tally."""
        self.by_block[block] = tally

    def all(self) -> list[Tally]:
        """Return those of all blocks."""
        return list(self.by_block.values())


def make_sequences(
    place: Workspace, pieces: Manifest, texts: Manifest, styles: Manifest, settings: PrepareSettings, progress: Progress
) -> Manifest:
    """Cut each piece into training windows, with its style and its genre.

    The manifest's facts are the `WindowStatistics`, for batches of the default size, and the version of the `styles`.
    """
    made_of = fingerprint(
        "sequences", pieces.version, texts.version, styles.version, settings.window_tokens, settings.validation_share
    )
    if current := place.current("sequences", made_of):
        return current
    start_ray()
    import ray

    blocks = slices(labelled_pieces(place), PIECES_PER_BLOCK)
    fs = place.fs
    board: Any = ray.remote(TallyBoard).options(num_cpus=0).remote()

    def cut(block: pa.Table) -> pa.Table:
        windows, tally = window_batch(with_music(block, fs), settings)
        ray.get(board.put.remote(block["piece_id"][0].as_py(), tally))
        return windows

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(cut, batch_format="pyarrow", batch_size=None)

    def facts_of(windows: pa.Table) -> dict[str, Any]:
        statistics = summarise(ray.get(board.all.remote()), TrainSettings().batch_tokens)
        return asdict(statistics) | {"styles": styles.version}

    return write_rows(place, "sequences", made_of, blocks, transform, progress, facts_of)


def labelled_pieces(place: Workspace) -> pa.Table:
    """Name each piece with its `genre`, its article's, its `style`, and the file of the workspace that has its music."""
    table = place.table("pieces", ["piece_id", "genre", PART])
    styled = place.table("style_of_piece", ["piece_id", "style"])
    by_article = article_genres(place)
    article_genre = pa.array([by_article.get(piece_id) for piece_id in table["piece_id"].to_pylist()], pa.string())
    style = pc.take(styled["style"], pc.index_in(table["piece_id"], styled["piece_id"]))
    return table.append_column("article_genre", article_genre).append_column("style", style)


def article_genres(place: Workspace) -> dict[str, str]:
    """Return by piece the surest genre that its article's caption names; of pieces without one, nothing."""
    found: dict[str, str] = {}
    for batch in batches(place, "captions", ["piece_id", "kind", "genres"]):
        for row in batch.filter(pc.equal(batch["kind"], "wikipedia")).to_pylist():
            labels = [Label(genre["name"], genre["confidence"], (0, 0)) for genre in row["genres"]]
            if genre := surest(labels, GENRES):
                found[row["piece_id"]] = genre
    return found


def with_music(pieces: pa.Table, fs: pafs.FileSystem) -> pa.Table:
    """Add the column `midi` to rows of `pieces` that have `piece_id` and the file that they are in."""
    files = pads.dataset(pc.unique(pieces[PART]).to_pylist(), filesystem=fs, format="parquet", schema=PIECES)
    music = files.to_table(["piece_id", "midi"], filter=pads.field("piece_id").isin(pieces["piece_id"].combine_chunks()))
    return pieces.append_column("midi", pc.take(music["midi"], pc.index_in(pieces["piece_id"], music["piece_id"])))


def note_rejects(place: Workspace, sequences: Manifest, settings: PrepareSettings) -> None:
    """Make the pieces that gave no window rows of `rejects`, in place of those of the time before."""
    rejects = place.need("rejects")
    before = place.table("rejects").to_pylist()
    after = [row for row in before if row["stage"] != "prepare"]
    if sequences.facts["pieces_without_windows"]:
        encoded = place.table("sequences", ["piece_id"])["piece_id"]
        table = place.table("pieces", ["piece_id", "library", "path", PART])
        without = table.filter(pc.invert(pc.is_in(table["piece_id"], encoded.combine_chunks())))
        after += [reject_of(piece, settings) for piece in with_music(without, place.fs).to_pylist()]
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


def window_batch(batch: pa.Table, settings: PrepareSettings) -> tuple[pa.Table, Tally]:
    """Cut rows of `labelled_pieces` with their music into rows of `sequences`, and count what they gave."""
    cut = [_windows_of(piece, settings) for piece in batch.to_pylist()]
    rows = [row for windows, _ in cut for row in windows]
    return pa.Table.from_pylist(rows, schema=SEQUENCES), sum((tally for _, tally in cut), Tally())


def _windows_of(piece: Mapping[str, Any], settings: PrepareSettings) -> tuple[Sequence[dict[str, Any]], Tally]:
    labels = Labels(style=piece["style"], genre=_genre_named(piece["genre"] or "") or piece["article_genre"])
    split = split_of(piece["piece_id"], settings.validation_share)
    try:
        parsed = parse_midi(piece["midi"])
    except InvalidPiece:  # read when it was collected, by another version of the parser: `note_rejects` says so
        return [], Tally(pieces=1, pieces_without_windows=1)
    quantised = quantise(parsed)
    windows = list(cut_windows(quantised, labels, settings.window_tokens))
    named = {"piece_id": piece["piece_id"], "style": piece["style"], "split": split}
    rows = [
        {**named, "window": w.number, "ids": w.ids, "n_controls": w.n_controls, "n_context": w.n_context} for w in windows
    ]
    return rows, tally_piece(len(parsed.notes), quantised, windows, split, settings.window_tokens)


@cache
def _genre_named(text: str) -> str | None:
    return surest(analyse(text).genres, GENRES)
