"""Whether a text wants no instruments but those it names: "only piano", "solo flute", "strings alone"."""

from __future__ import annotations

from collections.abc import Sequence

from amt_ray.text.clean import Token
from amt_ray.text.lexicon import Match

_ONLY_BEFORE = frozenset({"only", "just", "solely", "exclusively", "purely"})
_ONLY_AFTER = frozenset({"only", "alone", "unaccompanied"})
_SOLO = frozenset({"solo", "unaccompanied"})
_FILLER_WORDS = "a an the for by on with of in performed played using use one two three four"
_FILLERS = frozenset(_FILLER_WORDS.split())
_MAX_FILLERS = 4


def is_exclusive(tokens: Sequence[Token], stated: Sequence[Match]) -> bool:
    """Tell from the words around the instruments among the matches (in the text's order). Linear time."""
    instruments = [match for match in stated if any(meaning.kind == "instrument" for meaning in match.meanings)]
    if not instruments:
        return False
    last = instruments[-1].last
    if last + 1 < len(tokens) and tokens[last + 1].is_joined and tokens[last + 1].word in _ONLY_AFTER:
        return True
    names = {meaning.name for match in instruments for meaning in match.meanings if meaning.kind == "instrument"}
    before, word = _words_before(tokens, instruments[0].first)
    return (word in _ONLY_BEFORE and before != "not") or (word in _SOLO and len(names) == 1)


def _words_before(tokens: Sequence[Token], first: int) -> tuple[str, str]:
    """The two words before an instrument and what may stand between them: "not only for two violins"."""
    i = first
    while i > 0 and first - i <= _MAX_FILLERS and tokens[i].is_joined and tokens[i - 1].word in _FILLERS:
        i -= 1
    if i == 0 or not tokens[i].is_joined:
        return "", ""
    return tokens[i - 2].word if i > 1 else "", tokens[i - 1].word
