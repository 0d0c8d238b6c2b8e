"""`pieces` to captions, embeddings, styles and sequences: four artefacts, each made only if its inputs have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.errors import InvalidPiece
from amt_ray.events.quantise import quantise
from amt_ray.midi.parse import parse_midi
from amt_ray.pipelines.cluster import actor_restarts, block_count, remote_arguments, resources, start_ray
from amt_ray.pipelines.parts import RowCount
from amt_ray.pipelines.progress import Progress, polled, silent
from amt_ray.schemas import CAPTIONS, PIECES, REJECTS, SEQUENCES
from amt_ray.styles import fit_styles
from amt_ray.text.analyse import analyse
from amt_ray.text.caption import captions
from amt_ray.text.embed import TextEncoder
from amt_ray.training.windows import Labels, cut_windows, split_of

if TYPE_CHECKING:
    import ray.data

PIECES_PER_BLOCK = 250
TEXTS_PER_BATCH = 256
_COUNTED = {"captions": "pieces described", "embeddings": "captions embedded", "sequences": "pieces encoded"}
"""What progress counts while an artefact is made: the rows that go in."""


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
    texts = _captions(place, pieces, progress)
    vectors = _embeddings(place, texts, settings, encoder, progress)
    styles = _styles(place, vectors, settings)
    sequences = _sequences(place, pieces, styles, settings, progress)
    _note_rejects(place, pieces, sequences, settings)
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


class Embed:
    """A Ray Data actor that holds the encoder: texts in, vectors out."""

    def __init__(self, encoder: str, device: str) -> None:
        self.encoder = TextEncoder(encoder, device=device)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Embed the column `text`; the columns piece_id and kind go through."""
        vectors = self.encoder.encode(batch["text"].to_pylist())
        values = pa.array(list(vectors), pa.list_(pa.float32()))
        return batch.select(["piece_id", "kind"]).append_column("vector", values)


def caption_batch(batch: pa.Table) -> pa.Table:
    """Write the captions of each piece from its features, artist, title and genre."""
    rows = [
        {"piece_id": piece["piece_id"], "kind": f"features-{i}", "text": text}
        for piece in batch.to_pylist()
        for i, text in enumerate(captions(piece, piece["piece_id"]))
    ]
    return pa.Table.from_pylist(rows, schema=CAPTIONS)


def window_batch(batch: pa.Table, style_of: Mapping[str, int], settings: PrepareSettings) -> pa.Table:
    """Cut each piece into windows, with the style and genre that are known of it."""
    rows = [row for piece in batch.to_pylist() for row in _windows_of(piece, style_of, settings)]
    return pa.Table.from_pylist(rows, schema=SEQUENCES)


def _windows_of(
    piece: Mapping[str, Any], style_of: Mapping[str, int], settings: PrepareSettings
) -> Iterable[dict[str, Any]]:
    style = style_of.get(piece["piece_id"])
    labels = Labels(style=style, genre=next((label.name for label in analyse(piece["genre"] or "").genres), None))
    split = split_of(piece["piece_id"], settings.validation_share)
    try:
        quantised = quantise(parse_midi(piece["midi"]))
    except InvalidPiece:  # read when it was collected, by another version of the parser: `_note_rejects` says so
        return
    for window in cut_windows(quantised, labels, settings.window_tokens):
        named = {"piece_id": piece["piece_id"], "style": style, "split": split}
        yield {**named, "window": window.number, "ids": window.ids, "n_controls": window.n_controls}


def _captions(place: Workspace, pieces: Manifest, progress: Progress) -> Manifest:
    made_of = fingerprint("captions", pieces.version)
    if current := place.current("captions", made_of):
        return current
    table = place.table("pieces", [name for name in PIECES.names if name != "midi"])

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(caption_batch, batch_format="pyarrow", batch_size=None)

    return _write(place, "captions", made_of, _slices(table, PIECES_PER_BLOCK), transform, progress)


def _embeddings(
    place: Workspace, texts: Manifest, settings: PrepareSettings, encoder: TextEncoder, progress: Progress
) -> Manifest:
    made_of = fingerprint("embeddings", texts.version, encoder.fingerprint)
    if current := place.current("embeddings", made_of):
        return current
    facts = {"encoder": settings.encoder, "fingerprint": encoder.fingerprint, "dim": encoder.dim}

    blocks = _slices(place.table("captions"), TEXTS_PER_BATCH)

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        from ray.data import ActorPoolStrategy

        gpus, cpus = int(resources().get("GPU", 0)), int(resources().get("CPU", 1))
        device = "cuda" if gpus else "cpu"
        with remote_arguments():
            # A little less than a CPU an actor leaves room for the tasks that write what the actors have made.
            return rows.map_batches(
                Embed,
                batch_format="pyarrow",
                batch_size=TEXTS_PER_BATCH,
                compute=ActorPoolStrategy(size=gpus or min(cpus, len(blocks))),
                fn_constructor_args=(settings.encoder, device),
                num_gpus=1 if gpus else None,
                num_cpus=0 if gpus else 0.9,
                max_restarts=actor_restarts(),
            )

    return _write(place, "embeddings", made_of, blocks, transform, progress, lambda rows: facts)


def _styles(place: Workspace, vectors: Manifest, settings: PrepareSettings) -> Manifest:
    made_of = fingerprint("styles", vectors.version, settings.min_styles, settings.max_styles, settings.seed)
    if current := place.current("styles", made_of):
        return current
    piece_ids, means = mean_vectors(place.table("embeddings"))
    texts = place.table("captions").group_by("piece_id").aggregate([("text", "list")])
    joined = {row["piece_id"]: " ".join(sorted(row["text_list"])) for row in texts.to_pylist()}
    book = fit_styles(means, [joined[i] for i in piece_ids], settings.min_styles, settings.max_styles, settings.seed)
    sizes = np.bincount(book.style_of_row, minlength=len(book.names)).tolist()
    rows = pa.table({"style": range(len(book.names)), "name": book.names, "size": sizes, "centroid": list(book.centroids)})
    facts = {
        "silhouette_by_k": dict(book.silhouette_by_k),
        "sizes": dict(zip(book.names, sizes, strict=True)),
        "style_of_piece": dict(zip(piece_ids, book.style_of_row.tolist(), strict=True)),
    }
    return place.write("styles", rows, made_of, settings.model_dump(), facts)


def mean_vectors(embeddings: pa.Table) -> tuple[list[str], np.ndarray]:
    """Average the embeddings of each piece: piece ids, sorted, and unit-norm float32[pieces, E]."""
    table = embeddings.sort_by([("piece_id", "ascending"), ("kind", "ascending")])
    vectors = np.stack(table["vector"].to_numpy()).astype(np.float32)
    piece_ids, starts = np.unique(table["piece_id"].to_numpy().astype(str), return_index=True)
    sums = np.add.reduceat(vectors, starts, axis=0)
    return piece_ids.tolist(), sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


def _sequences(
    place: Workspace, pieces: Manifest, styles: Manifest, settings: PrepareSettings, progress: Progress
) -> Manifest:
    made_of = fingerprint("sequences", pieces.version, styles.version, settings.window_tokens, settings.validation_share)
    if current := place.current("sequences", made_of):
        return current
    style_of = styles.facts["style_of_piece"]

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        return rows.map_batches(
            lambda batch: window_batch(batch, style_of, settings), batch_format="pyarrow", batch_size=None
        )

    blocks = _slices(place.table("pieces", ["piece_id", "genre", "midi"]), PIECES_PER_BLOCK)
    return _write(place, "sequences", made_of, blocks, transform, progress, _window_facts)


def _note_rejects(place: Workspace, pieces: Manifest, sequences: Manifest, settings: PrepareSettings) -> None:
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


def _window_facts(windows: pa.Table) -> dict[str, Any]:
    return {
        "tokens": int(pc.sum(pc.list_value_length(windows["ids"])).as_py() or 0),
        "validation_windows": int(pc.sum(pc.equal(windows["split"], "validation")).as_py() or 0),
        "pieces": len(pc.unique(windows["piece_id"])),
    }


def _slices(table: pa.Table, rows_per_block: int) -> list[pa.Table]:
    """Cut a table into blocks: enough for every CPU to have some, and few, for each has its cost."""
    start_ray()
    size = -(-table.num_rows // block_count(table.num_rows, rows_per_block))
    return [table.slice(start, size) for start in range(0, table.num_rows, size)]


def _write(
    place: Workspace,
    name: str,
    made_of: str,
    blocks: Sequence[pa.Table],
    transform: Callable[[ray.data.Dataset], ray.data.Dataset],
    progress: Progress,
    facts_of: Callable[[pa.Table], dict[str, Any]] = lambda rows: {},
) -> Manifest:
    """Run input blocks through a Ray Data transform into a new version of an artefact, and commit it."""
    start_ray()
    import ray.data

    folder = place.begin(name, made_of)
    count = RowCount(place.fs, folder)

    def inputs_done() -> int:
        count()
        return sum(block.num_rows for block in blocks[: len(count.by_part)])

    with polled(progress, _COUNTED[name], sum(block.num_rows for block in blocks), inputs_done):
        dataset = transform(ray.data.from_blocks(list(blocks)))
        dataset.write_parquet(folder, filesystem=place.fs, ray_remote_args={"num_cpus": 0.1})
    manifest = Manifest(made_of, made_of, count(), facts=facts_of(place.rows(name, made_of)))
    place.commit(name, manifest)
    return manifest
