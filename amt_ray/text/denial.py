"""What a text says it does not want: "without drums", "no guitar or bass", "not sad"."""

from __future__ import annotations

from collections.abc import Sequence

from amt_ray.text.clean import Token
from amt_ray.text.lexicon import Match

# After these a comma goes on with the list ("without drums, bass or guitar"); after "no" it begins something else.
_LISTING_WORDS = "without excluding except sans minus lacking omit avoid"
_DENIAL_WORDS = "no not never non isn't aren't don't doesn't nor neither"
_FILLER_WORDS = (
    "a an the any of for want need include add use using have very too particularly overly loud heavy audible additional"
)
_LISTING = frozenset(_LISTING_WORDS.split())
_DENIALS = _LISTING | frozenset(_DENIAL_WORDS.split())
_FILLERS = frozenset(_FILLER_WORDS.split())
_OPPOSITES = frozenset({("everything", "but"), ("all", "but"), ("anything", "but"), ("rather", "than"), ("instead", "of")})
_LINKS = frozenset({"or", "nor"})
_SENTENCE_ENDS = frozenset(".;:!?\n")
_MAX_FILLERS = 3


def denied_matches(text: str, tokens: Sequence[Token], matches: Sequence[Match]) -> frozenset[Match]:
    """Return those of the matches (in the text's order) that the text denies. Linear time."""
    denied: dict[Match, str] = {}
    previous: Match | None = None
    for match in matches:
        denial = _denial_before(tokens, match.first)
        if denial is None and previous in denied and _continues(text, tokens, previous, match, denied[previous]):
            denial = denied[previous]
        if denial is not None:
            denied[match] = denial
        previous = match
    return frozenset(denied)


def _denial_before(tokens: Sequence[Token], first: int) -> str | None:
    if (opposite := _opposite_before(tokens, first)) is not None:
        return opposite
    for i in range(first - 1, max(-1, first - 2 - _MAX_FILLERS), -1):
        if not tokens[i + 1].is_joined:
            return None
        if tokens[i].word in _DENIALS:
            return tokens[i].word
        if tokens[i].word not in _FILLERS:
            return None
    return None


def _opposite_before(tokens: Sequence[Token], first: int) -> str | None:
    """Tell "everything but the drums" and "rather than strings" from "but" and "than" alone."""
    at = first - 1 - (first > 0 and tokens[first - 1].word in _FILLERS)
    is_opposite = at > 0 and (tokens[at - 1].word, tokens[at].word) in _OPPOSITES and tokens[at].is_joined
    return tokens[at].word if is_opposite and tokens[at + 1].is_joined else None


def _continues(text: str, tokens: Sequence[Token], previous: Match, match: Match, denial: str) -> bool:
    links = _LINKS | {"and"} if denial in _LISTING else _LINKS
    between = {token.word for token in tokens[previous.last + 1 : match.first]}
    gap = text[previous.span[1] : match.span[0]]
    if not between <= links | _FILLERS or not _SENTENCE_ENDS.isdisjoint(gap):
        return False
    # "without brass, andante" goes on with something else.
    if {meaning.kind for meaning in previous.meanings}.isdisjoint(meaning.kind for meaning in match.meanings):
        return False
    return not between.isdisjoint(links) or (denial in _LISTING and "," in gap)
