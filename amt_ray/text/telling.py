"""The words that tell groups of texts apart: what names a style.

A term is something that a text says of its music: a genre, a mood, an instrument, a key, a style hint, or, of less weight, a
word of its own. What counts is the share of a group's texts that say it, against the share of all: the term's part
p log(p / q) of the divergence of the group from the whole (Kullback & Leibler, 1951). Like class-based TF-IDF
(Grootendorst, BERTopic, 2022) it treats a group as one document, but a word that all groups share equally weighs nothing,
so that the wording of captions ("a piece in … for …") names no style.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import Evidence, Label, Mention, TextAnalysis

TERMS_IN_NAME = 3
GENRE_WEIGHT, INSTRUMENT_WEIGHT, MOOD_WEIGHT, HINT_WEIGHT, KEY_WEIGHT, WORD_WEIGHT = 1.5, 1.2, 1.0, 1.0, 0.7, 0.4
SHORTEST_WORD = 4
_WORD = re.compile(r"\w+")
_OF_CAPTIONS = (
    "bars beats complex composed composition instruments length line lines like long major manner melodic melody metre "
    "minor minute minutes moves music musical notes piece pieces played plays rather score seconds sharp flat short "
    "signature simple single song style tempo texture time track with work written"
)
_WORDS_OF_CAPTIONS = frozenset(_OF_CAPTIONS.split())
"""Words that speak of music without telling one from another."""


def terms_of(text: str) -> dict[str, float]:
    """Return what a text says of its music, with the weight of each term; any string."""
    analysis = analyse(text)
    weights: dict[str, float] = {}
    for term, weight in (*_label_terms(analysis), *_word_terms(text, analysis)):
        weights[term] = max(weight, weights.get(term, 0.0))
    return weights


def group_names(texts: Sequence[str], group_of_text: Sequence[int], n_groups: int) -> tuple[str, ...]:
    """Name each group by the up to TERMS_IN_NAME terms that most tell it from the others: "ragtime, piano, playful".

    `group_of_text` is 0..n_groups - 1 for each text. Names differ from one another; a group that nothing is said of, or
    nothing that is not said of all, is called by its number, such as "style 1".
    """
    weights: dict[str, float] = {}
    counts: defaultdict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(n_groups))
    for text, group in zip(texts, group_of_text, strict=True):
        for term, weight in terms_of(text).items():
            weights[term] = max(weight, weights.get(term, 0.0))
            counts[term][group] += 1
    terms = sorted(weights)
    sizes_G = np.bincount(np.asarray(group_of_text, np.int64), minlength=n_groups)
    counts_TG = np.array([counts[term] for term in terms]).reshape(len(terms), n_groups)
    scores_TG = np.array([weights[term] for term in terms])[:, None] * _divergence(counts_TG, sizes_G)
    return _distinct(_ranked(terms, scores_TG[:, group]) for group in range(n_groups))


def _label_terms(analysis: TextAnalysis) -> Iterator[tuple[str, float]]:
    yield from ((label.name, GENRE_WEIGHT) for label in analysis.genres)
    yield from ((mention.name, INSTRUMENT_WEIGHT) for mention in analysis.instruments)
    yield from ((label.name, MOOD_WEIGHT) for label in analysis.moods)
    yield from ((label.name, HINT_WEIGHT) for label in analysis.style_hints)
    if analysis.key is not None:
        yield analysis.key, KEY_WEIGHT


def _word_terms(text: str, analysis: TextAnalysis) -> Iterator[tuple[str, float]]:
    """Keywords other than those that stand for a label or a value: "fiddle" is the violin, "adagio" a tempo."""
    labels = (*analysis.genres, *analysis.moods, *analysis.style_hints)
    found: list[Label | Mention | Evidence] = [*labels, *analysis.instruments, *analysis.evidence.values()]
    known = _WORDS_OF_CAPTIONS | {word for thing in found for word in _WORD.findall(text[slice(*thing.span)].lower())}
    for word in analysis.keywords:
        if len(word) >= SHORTEST_WORD and word.isalpha() and word not in known:
            yield word, WORD_WEIGHT


def _divergence(counts_TG: npt.NDArray[np.float64], sizes_G: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Each term's part of each group's divergence from all texts, in nats; of a single group, the share that says it."""
    share_TG = counts_TG / np.maximum(sizes_G, 1)
    if len(sizes_G) == 1:
        return share_TG
    share_T = counts_TG.sum(axis=1, keepdims=True) / max(int(sizes_G.sum()), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts_TG = share_TG * np.log(share_TG / share_T)
    return np.asarray(np.nan_to_num(parts_TG), np.float64)


def _ranked(terms: Sequence[str], scores_T: npt.NDArray[np.float64]) -> list[str]:
    """Terms of positive score, the highest first, without those that repeat a word of a term before them."""
    chosen: list[str] = []
    said: set[str] = set()
    for index in np.argsort(-scores_T, kind="stable"):
        words = {*_WORD.findall(terms[index].lower())}
        if scores_T[index] > 0 and words.isdisjoint(said):
            chosen.append(terms[index])
            said |= words
    return chosen


def _distinct(ranked_by_group: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Join the first terms of each group; a name that is taken goes on with the next term, or else with a number."""
    names: list[str] = []
    for group, terms in enumerate(ranked_by_group):
        longer = (", ".join(terms[:n]) for n in range(min(TERMS_IN_NAME, len(terms)), len(terms) + 1))
        name = next((name for name in longer if name and name not in names), "")
        names.append(name or ", ".join([*terms[:TERMS_IN_NAME], f"style {group}"]))
    return tuple(names)
