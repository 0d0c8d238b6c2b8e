"""Styles: clusters of caption embeddings (k-means, spherical by unit norm), their number chosen by silhouette
(Rousseeuw, 1987), each named by its most telling words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOST_SILHOUETTE_ROWS = 5000
"""The silhouette is measured on a random sample of this many: its cost grows with the square."""
WORDS_IN_NAME = 3

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Codebook:
    """K styles: unit-norm centroids float32[K, E], names, the style of each row int64[N], the silhouette of each K tried."""

    centroids: Vectors
    names: tuple[str, ...]
    style_of_row: npt.NDArray[np.int64]
    silhouette_by_k: Mapping[int, float]


def fit_styles(vectors_NE: Vectors, texts: Sequence[str], min_k: int, max_k: int, seed: int) -> Codebook:
    """Cluster unit-norm embeddings of N pieces, whose texts name the clusters; deterministic by seed.

    Fewer than `min_k` + 1 different rows are one style. Styles are numbered by size, the largest first.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    n_distinct = len(np.unique(vectors_NE, axis=0))
    silhouettes: dict[int, float] = {}
    best = np.zeros(len(vectors_NE), np.int64)
    for k in range(min_k, min(max_k, n_distinct - 1) + 1):
        labels = KMeans(k, n_init=4, random_state=seed).fit_predict(vectors_NE)
        sample = min(MOST_SILHOUETTE_ROWS, len(vectors_NE))
        silhouettes[k] = float(silhouette_score(vectors_NE, labels, sample_size=sample, random_state=seed))
        if silhouettes[k] == max(silhouettes.values()):
            best = labels.astype(np.int64)
    by_size = np.argsort(-np.bincount(best), kind="stable")
    style_of_row = np.argsort(by_size)[best]
    centroids = np.stack([vectors_NE[style_of_row == style].mean(axis=0) for style in range(len(by_size))])
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-9)
    return Codebook(centroids.astype(np.float32), _names(texts, style_of_row), style_of_row, silhouettes)


def _names(texts: Sequence[str], style_of_row: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Words whose mean tf-idf in a style most exceeds that in all texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(stop_words="english", token_pattern=r"(?u)\b[^\W\d_]{3,}\b")
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # no text has a word
        return tuple(f"style {style}" for style in range(int(style_of_row.max()) + 1))
    words = vectorizer.get_feature_names_out()
    everywhere = np.asarray(weights.mean(axis=0)).ravel()
    names = []
    for style in range(int(style_of_row.max()) + 1):
        here = np.asarray(weights[np.flatnonzero(style_of_row == style)].mean(axis=0)).ravel()
        order = np.argsort(everywhere - here if style_of_row.any() else -here, kind="stable")
        name = ", ".join(words[order[:WORDS_IN_NAME]])
        names.append(f"{name} ({style})" if name in names else name)
    return tuple(names)
