"""Text as words with their places, and text without the words that say nothing.

Spans are (start, end) character offsets into the original text. Every function is linear in the text's length and takes
any string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from amt_ray.text.lexicon_files import read_rows

# A metre, a decimal, a note name with its accidental, a word ("r&b", "don't"), a sign that stands for "and", or an emoji.
_TOKEN = re.compile(
    r"[0-9]+/[0-9]+|[0-9]+\.[0-9]+|[A-Ga-g][#♯♭](?![^\W_])|[^\W_]+(?:['’&][^\W_]+)*|[&+]|"
    r"[\U0001F300-\U0001FAFF\u2600-\u27BF]",
)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
# Spaces, hyphens, and what emoji are put together with.
_WORD_JOINER = re.compile(r"[\s\-‐‑–_'’\u200d\ufe0f]*")
_AFTER_TONIC = frozenset({"major", "minor", "flat", "sharp"})


class Token(NamedTuple):
    """A word in lower case, where it stands, and whether only spaces or hyphens part it from the word before."""

    word: str
    start: int
    end: int
    is_joined: bool


def tokenize(text: str) -> list[Token]:
    """Split a text into its words, in order; punctuation is left out, and `&` or `+` alone reads "and"."""
    return list(_tokens(text))


def clean(text: str) -> str:
    """Return the words that carry meaning, parted by one space: no stop words, no punctuation, no emoji, lower case.

    Stop words are the closed word classes of English (`lexicons/stopwords.csv`); "no" and "without" stay, and so does the
    "A" of "A minor".
    """
    return clean_tokens(text, tokenize(text))


def clean_tokens(text: str, tokens: Sequence[Token]) -> str:
    """Do as `clean` does, given the text's tokens."""
    following = [*(token.word for token in tokens), ""][1:]
    return " ".join(
        token.word
        for token, next_word in zip(tokens, following, strict=True)
        if (token.word not in stop_words() and not _EMOJI.match(token.word))
        or (text[token.start : token.end] == "A" and next_word in _AFTER_TONIC)
    )


@cache
def stop_words() -> frozenset[str]:
    """Return the words that `clean` leaves out."""
    return frozenset(row["word"] for row in read_rows("stopwords"))


def _tokens(text: str) -> Iterator[Token]:
    previous_end = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        word = match.group().lower().replace("’", "'")
        is_joined = _WORD_JOINER.fullmatch(text, previous_end, start) is not None
        yield Token("and" if word in {"&", "+"} else word, start, end, is_joined)
        previous_end = end
