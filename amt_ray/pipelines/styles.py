"""`embeddings` to `styles` and `style_of_piece`.

A workspace keeps its styles: a trained model's style tokens mean them. Pieces that are added later are given to the
nearest of them. Styles are fitted anew where that is asked for, where other settings are, and by `amt prepare` with another
encoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.errors import EncoderError, RequestError
from amt_ray.pipelines.batches import batches
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.styles import Codebook, Vectors, assign, example_rows, fit_styles, project
from amt_ray.text.telling import group_names

PIECES_THAT_NAME = 2_000
"""So many pieces of each style, evenly over their ids, give it its name."""
ROWS_AT_ONCE = 65_536
_FIT_SETTINGS = ("min_styles", "max_styles", "seed")
_FIXED_POINT = 2.0**24


@dataclass(frozen=True)
class StyleSummary:
    """One style: how many pieces it has now, and those nearest to its centroid as "Artist - Title"."""

    name: str
    n_pieces: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class StylesReport:
    """The styles of a workspace, the largest first when they were fitted."""

    silhouette_by_k: Mapping[int, float]
    styles: tuple[StyleSummary, ...]
    n_pieces: int
    n_pieces_fitted: int
    """Pieces that the styles were fitted on: another number than `n_pieces` once pieces have come or gone."""
    is_prepare_due: bool
    """Whether the training windows carry other styles than these."""


def restyle(
    workspace: str, settings: PrepareSettings | None = None, refit: bool = False, progress: Progress = silent
) -> StylesReport:
    """Give each embedded piece its style: of those there are, or of new ones where `refit` or other settings ask for them.

    Only settings that are named count. Raises WorkspaceError without embeddings, EncoderError where the styles are of
    another encoder than the embeddings and are to be kept, RequestError where `min_styles` is more than `max_styles`.
    """
    place = Workspace(workspace)
    vectors, old = place.need("embeddings"), place.manifest("styles")
    if old is not None and not refit and not _is_same_encoder(old, vectors):
        raise EncoderError(
            vectors.facts["encoder"],
            f"the embeddings of {workspace} are made with it, but its styles with {old.facts['encoder']}",
            f"fit styles anew with `amt styles {workspace} --refit`",
        )
    make_styles(place, vectors, settings or PrepareSettings(), refit, progress)
    return styles_report(place)


def make_styles(
    place: Workspace, vectors: Manifest, settings: PrepareSettings, refit: bool = False, progress: Progress = silent
) -> Manifest:
    """Make `styles` and `style_of_piece` of the means of the pieces' embeddings, as the top of this module says."""
    plan = _plan(place.manifest("styles"), vectors, settings, refit)
    current = place.current("styles", plan.made_of)
    if current and place.current("style_of_piece", plan.made_of):
        return current
    piece_ids, means_NE = mean_vectors(place)
    if plan.kept is None:
        on_tried = partial(progress, "numbers of styles tried")
        min_k, max_k, seed = (plan.settings[name] for name in _FIT_SETTINGS)
        book = fit_styles(means_NE, min_k, max_k, seed, on_tried=on_tried)
        names = _names(place, piece_ids, book)
    else:
        book, names = _kept_book(place, plan.kept, means_NE)
    facts = plan.facts | {"examples": _examples(place, piece_ids, book)}
    facts.setdefault("n_pieces_fitted", len(piece_ids))
    styles = _write_styles(place, plan, book, names, facts)
    progress("pieces on the map", 0, len(piece_ids))
    x, y = project(means_NE, plan.settings["seed"]).T
    progress("pieces on the map", len(piece_ids), len(piece_ids))
    columns = {"piece_id": piece_ids, "style": book.style_of_row, "similarity": book.similarity, "x": x, "y": y}
    place.write("style_of_piece", pa.table(columns), plan.made_of, plan.settings, {})
    return styles


def mean_vectors(place: Workspace) -> tuple[list[str], Vectors]:
    """Average the embeddings of each piece: piece ids, sorted, and unit-norm float32[pieces, E].

    Holds 4 bytes for each number of the result and a few thousand embeddings. Sums are in fixed point, so that the order in
    which an artefact's rows come makes no difference.
    """
    n_numbers = place.need("embeddings").facts["dim"]
    ids = pc.unique(place.table("embeddings", ["piece_id"])["piece_id"]).sort()
    sums_NE = np.zeros((len(ids), n_numbers), np.int32)
    for batch in batches(place, "embeddings", ["piece_id", "vector"]):
        rows = pc.index_in(batch["piece_id"], ids).to_numpy()
        vectors_BE = batch["vector"].flatten().to_numpy().reshape(-1, n_numbers)
        np.add.at(sums_NE, rows, np.rint(vectors_BE * _FIXED_POINT).astype(np.int32))
    means_NE = sums_NE.view(np.float32)  # in the same memory, some rows at a time
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part_BE = sums_NE[start : start + ROWS_AT_ONCE].astype(np.float64)
        part_BE /= np.maximum(np.linalg.norm(part_BE, axis=1, keepdims=True), 1.0)
        means_NE[start : start + ROWS_AT_ONCE] = part_BE
    return ids.to_pylist(), means_NE


def styles_report(place: Workspace) -> StylesReport:
    """Return what there is to say of a workspace's styles. Raises WorkspaceError where there are none."""
    facts = place.need("styles").facts
    summaries = [
        StyleSummary(name, n_pieces, tuple(examples))
        for (name, n_pieces), examples in zip(facts["sizes"].items(), facts["examples"], strict=True)
    ]
    silhouettes = {int(k): value for k, value in facts["silhouette_by_k"].items()}
    sequences, n_pieces = place.manifest("sequences"), sum(facts["sizes"].values())
    is_due = sequences is not None and sequences.facts.get("styles") != place.need("styles").version
    return StylesReport(silhouettes, tuple(summaries), n_pieces, facts["n_pieces_fitted"], is_due)


@dataclass(frozen=True)
class _Plan:
    """What styles are to be made of; `kept` are those that there are, where they stay."""

    kept: Manifest | None
    made_of: str
    settings: dict[str, Any]
    facts: dict[str, Any]


def _plan(old: Manifest | None, vectors: Manifest, settings: PrepareSettings, refit: bool) -> _Plan:
    """Decide whether the styles stay: not with other settings, of which only those that were named count."""
    named = settings.model_dump(include=settings.model_fields_set)
    is_other = old is not None and any(name in named and named[name] != old.settings[name] for name in _FIT_SETTINGS)
    stays = old is not None and old.n_rows > 0 and not refit and not is_other and _is_same_encoder(old, vectors)
    kept = old if stays else None
    before = {name: old.settings[name] for name in _FIT_SETTINGS} if old else {}
    default = settings.model_dump(include={*_FIT_SETTINGS})
    effective = {name: named.get(name, before.get(name, default[name])) for name in _FIT_SETTINGS}
    if effective["min_styles"] > effective["max_styles"]:
        raise RequestError("min_styles", effective["min_styles"], f"at most max_styles, which is {effective['max_styles']}")
    facts = {"encoder": vectors.facts["encoder"], "encoder_fingerprint": vectors.facts["fingerprint"]}
    if kept:
        facts |= {name: kept.facts[name] for name in ("fit", "n_pieces_fitted", "silhouette_by_k")}
    else:
        facts["fit"] = fingerprint("fit", vectors.version, *(effective[name] for name in _FIT_SETTINGS))
    return _Plan(kept, fingerprint("styles", facts["fit"], vectors.version), effective, facts)


def _is_same_encoder(styles: Manifest, vectors: Manifest) -> bool:
    return bool(styles.facts["encoder_fingerprint"] == vectors.facts["fingerprint"])


def _kept_book(place: Workspace, kept: Manifest, means_NE: Vectors) -> tuple[Codebook, tuple[str, ...]]:
    table = place.rows("styles", kept.version)
    centroids_KE = np.stack(table["centroid"].to_numpy()).astype(np.float32)
    return Codebook(centroids_KE, *assign(means_NE, centroids_KE), {}), tuple(table["name"].to_pylist())


def _write_styles(place: Workspace, plan: _Plan, book: Codebook, names: Sequence[str], facts: Mapping[str, Any]) -> Manifest:
    sizes = np.bincount(book.style_of_row, minlength=len(names)).tolist()
    rows = pa.table({"style": range(len(names)), "name": names, "size": sizes, "centroid": list(book.centroids)})
    found = {"silhouette_by_k": dict(book.silhouette_by_k), "sizes": dict(zip(names, sizes, strict=True))}
    return place.write("styles", rows, plan.made_of, plan.settings, {**found, **facts})


def _names(place: Workspace, piece_ids: list[str], book: Codebook) -> tuple[str, ...]:
    """Name each style by the captions of some of its pieces."""
    style_of = {piece_ids[row]: int(book.style_of_row[row]) for row in _some_of_each(book)}
    wanted = pa.array(list(style_of), pa.string())
    texts, styles = [], []
    for batch in batches(place, "captions", ["piece_id", "text"]):
        found = batch.filter(pc.is_in(batch["piece_id"], wanted))
        texts += found["text"].to_pylist()
        styles += [style_of[piece_id] for piece_id in found["piece_id"].to_pylist()]
    return group_names(texts, styles, len(book.centroids))


def _some_of_each(book: Codebook) -> Iterator[int]:
    for style in range(len(book.centroids)):
        rows = np.flatnonzero(book.style_of_row == style)
        yield from rows[:: -(-len(rows) // PIECES_THAT_NAME) or 1].tolist()


def _examples(place: Workspace, piece_ids: list[str], book: Codebook) -> list[list[str]]:
    """Return the example pieces of each style, as "Artist - Title"."""
    pieces = place.table("pieces", ["piece_id", "artist", "title"])
    pieces = pieces.take(pc.index_in(pa.array(piece_ids, pa.string()), pieces["piece_id"].combine_chunks()))
    artists = [artist or "" for artist in pieces["artist"].to_pylist()]
    chosen = example_rows(book.style_of_row, book.similarity, artists, len(book.centroids))
    titles = pieces["title"]
    return [[" - ".join(filter(None, [artists[row], titles[row].as_py()])) for row in rows] for rows in chosen]
