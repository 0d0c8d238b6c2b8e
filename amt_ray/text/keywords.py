"""The words that say most about the music of a text, ranked. Linear in the text's length; takes any string."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median_low, pstdev

from amt_ray.text.clean import Token, stop_words
from amt_ray.text.hints import is_month
from amt_ray.text.lexicon import Match

MAX_KEYWORDS = 20
_LONGEST_WORD_CHARS = 40
_SENTENCE_END = re.compile(r"[.!?]+(?=\s)|\n+")
_SAYING_NOTHING = (
    "no not without never non one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
    "first second third january february march april june july august september october november december monday tuesday "
    "wednesday thursday friday saturday sunday"
)
_NO_KEYWORDS = frozenset(_SAYING_NOTHING.split())
# A capital tells nothing where a sentence begins, so that any other place of the word decides.
_TERM, _WORD, _NAME, _OPENING = range(4)


@dataclass
class _Candidate:
    """Where a word or phrase stands, and the least of its ranks below."""

    rank: int
    first: int
    sentences: list[int] = field(default_factory=list)


def rank_keywords(text: str, tokens: Sequence[Token], matches: Sequence[Match]) -> tuple[str, ...]:
    """Return at most `MAX_KEYWORDS` keywords in lower case, the most telling first.

    `matches` are the lexicons' terms in the text's order; they lead, a term of many words is one keyword, and capitalised
    words within a sentence come last. Within each group the order is that of YAKE (Campos et al., 2020, "YAKE! Keyword
    extraction from single documents using multiple local features"): normalised frequency plus the share of sentences
    over the log-log of the median sentence. YAKE's other two features prize names, which say little of the music.
    Equals stand in the text's order. Numbers, dates and stop words are no keywords.
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    candidates: dict[str, _Candidate] = {}
    for keyword, rank, first in _occurrences(text, tokens, matches, set(ends)):
        candidate = candidates.setdefault(keyword, _Candidate(rank, first))
        candidate.rank = min(candidate.rank, rank)
        candidate.sentences.append(bisect_right(ends, tokens[first].start))
    if not candidates:
        return ()
    counts = [len(candidate.sentences) for candidate in candidates.values()]
    typical = fmean(counts) + pstdev(counts)
    n_sentences = len(ends) + 1

    def order(keyword: str) -> tuple[int, float, int]:
        candidate = candidates[keyword]
        rank = _WORD if candidate.rank == _OPENING else candidate.rank
        return rank, -_telling(candidate, typical, n_sentences), candidate.first

    return tuple(sorted(candidates, key=order)[:MAX_KEYWORDS])


def _telling(candidate: _Candidate, typical_count: float, n_sentences: int) -> float:
    frequency = len(candidate.sentences) / typical_count
    spread = len(set(candidate.sentences)) / n_sentences
    position = math.log(math.log(3 + median_low(candidate.sentences)))
    return (frequency + spread) / position


def _occurrences(
    text: str, tokens: Sequence[Token], matches: Sequence[Match], ends: set[int]
) -> Iterator[tuple[str, int, int]]:
    """Yield each candidate with its rank and first token, in the text's order."""
    in_terms = {match.first: match for match in matches}
    i = 0
    while i < len(tokens):
        match = None if is_month(text, tokens, i) else in_terms.get(i)
        last = match.last if match else i
        if match:
            yield " ".join(token.word for token in tokens[i : last + 1]), _TERM, i
        elif _is_content(tokens[i].word):
            yield tokens[i].word, _rank(text, tokens, i, ends), i
        i = last + 1


def _is_content(word: str) -> bool:
    is_word = 1 < len(word) <= _LONGEST_WORD_CHARS and not word[0].isdigit()
    return is_word and word not in stop_words() and word not in _NO_KEYWORDS


def _rank(text: str, tokens: Sequence[Token], i: int, ends: set[int]) -> int:
    if not text[tokens[i].start].isupper():
        return _WORD
    opens_sentence = i == 0 or not ends.isdisjoint(range(tokens[i - 1].end, tokens[i].start + 1))
    return _OPENING if opens_sentence else _NAME
