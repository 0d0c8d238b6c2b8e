"""Styles: clusters of caption embeddings, their number chosen by silhouette (Rousseeuw, 1987), and a flat map of them.

Legend: N pieces, E numbers to an embedding, K styles. Vectors have length 1, centroids too. A piece is of the style whose
centroid has the highest cosine with it: that one rule holds for the pieces that styles were fitted on, for pieces added
later, and for the text of a request.

The vectors are clustered as they are. Taking their mean or their first components away (Mu & Viswanath, 2018) or whitening
them was measured on five sets of four kinds of real music: none of it was better on all of them. On four kinds of unequal
size whitening raised the adjusted Rand index from 0.56 to 0.71 and centring lowered it to 0.30, on the larger sets whitening
lost 0.2, and without the first component it fell everywhere by a third and more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MANY_ROWS = 50_000
"""Above so many rows k-means goes by mini-batches."""
MOST_SILHOUETTE_ROWS = 10_000
"""Of more rows the silhouette is that of a sample: it holds the distance of each two, 400 MB for so many."""
N_STARTS, MAX_PASSES = 10, 100
"""k-means begins so often, with so many passes over the rows at most, and the tightest clusters count."""
BATCH_ROWS = 4096
MAP_COMPONENTS = 50
MOST_NEIGHBOUR_MAP_ROWS = 5_000
"""Above so many rows the map is of the first two principal components alone."""
PERPLEXITY = 30.0
EXAMPLES = 3

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Codebook:
    """K styles, the largest first: unit-norm centroids float32[K, E], each row's style int64[N] and cosine float32[N]."""

    centroids: Vectors
    style_of_row: Rows
    similarity: Vectors
    silhouette_by_k: Mapping[int, float]
    """By each K that was tried, in ascending order."""


def fit_styles(
    vectors_NE: Vectors,
    min_k: int,
    max_k: int,
    seed: int,
    many_rows: int = MANY_ROWS,
    on_tried: Callable[[int, int], None] = lambda done, total: None,
) -> Codebook:
    """Cluster unit-norm embeddings by k-means with the K, of `min_k` to `max_k`, of the highest silhouette.

    A K needs more different rows than clusters; where none has them, all rows are one style, and no rows are none. The same
    rows and seed give the same bytes. `on_tried` hears how many of how many K are tried.
    """
    from threadpoolctl import threadpool_limits

    vectors_NE = np.ascontiguousarray(vectors_NE, np.float32)
    best, silhouettes = np.zeros(len(vectors_NE), np.int64), {}
    # Threads share sums out differently from run to run, which may move a row from one cluster to another.
    with threadpool_limits(1):
        sample = _sample(len(vectors_NE), min(MOST_SILHOUETTE_ROWS, many_rows), seed)
        distances_SS = _distances(vectors_NE[sample])
        tried = range(min_k, min(max_k, _n_different(vectors_NE, max_k + 1) - 1) + 1)
        for k in tried:
            labels = _clusters(vectors_NE, k, seed, many_rows)
            silhouettes[k] = _silhouette(distances_SS, labels[sample])
            if silhouettes[k] > max((s for other, s in silhouettes.items() if other < k), default=-np.inf):
                best = labels
            on_tried(len(silhouettes), len(tried))
    style_of_row, _ = assign(vectors_NE, _centroids(vectors_NE, best))
    used, style_of_row = np.unique(style_of_row, return_inverse=True)
    by_size = np.argsort(-np.bincount(style_of_row), kind="stable")
    centroids_KE = _centroids(vectors_NE, best)[used][by_size]
    return Codebook(centroids_KE, *assign(vectors_NE, centroids_KE), silhouettes)


def assign(vectors_NE: Vectors, centroids_KE: Vectors) -> tuple[Rows, Vectors]:
    """Return each row's style int64[N], the one of the highest cosine, and that cosine float32[N], -1..1.

    Both have unit-norm rows. Raises ValueError for rows without any style, or of another length than the styles'.
    """
    if len(vectors_NE) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    if len(centroids_KE) == 0 or vectors_NE.shape[1] != centroids_KE.shape[1]:
        raise ValueError(
            f"vectors {vectors_NE.shape} cannot be assigned to centroids {centroids_KE.shape}; "
            "both need the same length, and there must be a style"
        )
    cosines_NK = vectors_NE @ centroids_KE.T
    style_of_row = cosines_NK.argmax(axis=1)
    return style_of_row.astype(np.int64), np.clip(cosines_NK.max(axis=1), -1, 1).astype(np.float32)


def example_rows(style_of_row: Rows, similarity: Vectors, artists: Sequence[str], n_styles: int) -> list[list[int]]:
    """Return for each style the up to EXAMPLES rows nearest to its centroid, of different artists where there are some."""
    chosen = []
    for style in range(n_styles):
        rows = np.flatnonzero(style_of_row == style)
        nearest = rows[np.argsort(-similarity[rows], kind="stable")].tolist()
        firsts: dict[str, int] = {}
        for row in nearest:
            if len(firsts) < EXAMPLES:
                firsts.setdefault(artists[row], row)
        others = [row for row in nearest[: 2 * EXAMPLES] if row not in firsts.values()]
        chosen.append([*firsts.values(), *others][:EXAMPLES])
    return chosen


def project(vectors_NE: Vectors, seed: int, most_rows: int = MOST_NEIGHBOUR_MAP_ROWS) -> Vectors:
    """Lay embeddings out flat, float32[N, 2], like beside like: t-SNE (van der Maaten & Hinton, 2008).

    It goes by the first MAP_COMPONENTS principal components; above `most_rows` rows the map is the first two. Each axis has
    mean 0, and the wider one a standard deviation of 1. The same rows and seed give the same bytes.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        parts_NP = _principal_parts(vectors_NE, MAP_COMPONENTS)
        if 3 <= len(parts_NP) <= most_rows and parts_NP.shape[1] > 2:
            parts_NP = _neighbour_map(parts_NP, seed)
    flat_N2 = np.zeros((len(vectors_NE), 2), np.float32)
    flat_N2[:, : parts_NP.shape[1]] = parts_NP[:, :2]
    spread = max(float(flat_N2.std(axis=0).max()), 1e-9) if len(flat_N2) else 1.0
    return np.asarray(flat_N2 / spread, np.float32)


def _n_different(vectors_NE: Vectors, enough: int) -> int:
    """How many different rows there are, counted no further than `enough`."""
    seen: set[bytes] = set()
    for row in vectors_NE:
        seen.add(row.tobytes())
        if len(seen) > enough:
            break
    return len(seen)


def _clusters(vectors_NE: Vectors, k: int, seed: int, many_rows: int) -> Rows:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if len(vectors_NE) > many_rows:
        model = MiniBatchKMeans(k, n_init=N_STARTS, batch_size=BATCH_ROWS, max_iter=MAX_PASSES, random_state=seed)
    else:
        model = KMeans(k, n_init=N_STARTS, max_iter=MAX_PASSES, random_state=seed)
    return np.asarray(model.fit_predict(vectors_NE), np.int64)


def _sample(n_rows: int, most: int, seed: int) -> Rows:
    rows = np.arange(n_rows)
    return rows if n_rows <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _distances(vectors_SE: Vectors) -> Vectors:
    """Euclidean distance of each two rows of length 1, in place of their dot products: |a - b|² = 2 - 2ab."""
    distances_SS = vectors_SE @ vectors_SE.T
    distances_SS *= -2
    distances_SS += 2
    np.sqrt(np.maximum(distances_SS, 0, out=distances_SS), out=distances_SS)
    np.fill_diagonal(distances_SS, 0)
    return distances_SS


def _silhouette(distances_SS: Vectors, labels: Rows) -> float:
    from sklearn.metrics import silhouette_score

    has_clusters = 1 < len(np.unique(labels)) < len(labels)
    return float(silhouette_score(distances_SS, labels, metric="precomputed")) if has_clusters else 0.0


def _centroids(vectors_NE: Vectors, labels: Rows) -> Vectors:
    """Mean direction of each cluster, float32[K, E]."""
    if not len(labels):
        return vectors_NE[:0]
    sums_KE = np.stack([vectors_NE[labels == k].sum(axis=0, dtype=np.float64) for k in np.unique(labels)])
    return np.asarray(sums_KE / np.maximum(np.linalg.norm(sums_KE, axis=1, keepdims=True), 1e-9), np.float32)


def _principal_parts(vectors_NE: Vectors, most: int) -> npt.NDArray[np.float64]:
    """Coordinates on the first principal axes, by the eigenvectors of the E × E covariance; without axes of no extent."""
    mean_E = vectors_NE.mean(axis=0, dtype=np.float64) if len(vectors_NE) else np.zeros(vectors_NE.shape[1])
    # The sum of outer products less that of the means: the rows are never copied.
    covariance_EE = (vectors_NE.T @ vectors_NE).astype(np.float64) / max(len(vectors_NE), 1) - np.outer(mean_E, mean_E)
    variances_E, axes_EE = np.linalg.eigh(covariance_EE)
    kept = np.flatnonzero(variances_E > 1e-6)[::-1][:most]
    axes_EP = axes_EE[:, kept]
    # An axis has no direction of its own: its largest entry points up.
    axes_EP *= np.sign(axes_EP[np.abs(axes_EP).argmax(axis=0), np.arange(len(kept))])
    return np.asarray(vectors_NE @ axes_EP.astype(np.float32) - mean_E @ axes_EP, np.float64)


def _neighbour_map(parts_NP: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(parts_NP) - 1) / 3)
    flat_N2 = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, max_iter=500, n_jobs=1).fit_transform(parts_NP)
    return np.asarray(flat_N2 - flat_N2.mean(axis=0), np.float64)
