"""Style hints: the eras, composers, artists, subgenres, forms and regions that a text names. Linear; takes any string.

Names come from `amt_ray.text.names`; terms from `lexicons/eras.csv` and `lexicons/substyles.csv`, by the longest match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from amt_ray.text.analysis import Label
from amt_ray.text.clean import Token, tokenize
from amt_ray.text.denial import denied_matches
from amt_ray.text.lexicon import Match, Meaning
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.names import find_names, fold, genre_by_name

IMPLIED_GENRE_SHARE = 0.55
"""A name's confidence times this is the confidence of the genre it implies."""

_ERA = 0.8
_DECADE = re.compile(r"(?P<century>1[5-9]|20)?(?P<decade>[0-9])0'?s", re.ASCII)
_DECADE_WORDS = "twenties thirties forties fifties sixties seventies eighties nineties"
_SPOKEN_DECADES = {word: f"19{i}0s" for i, word in enumerate(_DECADE_WORDS.split(), start=2)}
_AGE_WORDS = frozenset({"his", "her", "their", "my", "our", "your"})
_ERA_WORDS = frozenset({"the", "early", "mid", "late"})
# "60s loop" and "for 60s" are seconds.
_LENGTH_BEFORE = frozenset({"for", "about", "around", "lasting", "length", "duration", "approximately", "exactly"})
_LENGTH_AFTER = frozenset({"long", "loop", "clip", "duration", "of"})
_ORDINAL = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)", re.ASCII)
_ORDINAL_WORDS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_SPOKEN_ORDINALS = {word: i for i, word in enumerate(_ORDINAL_WORDS.split(), start=10)}
_EARLIEST_CENTURY, _LATEST_CENTURY = 9, 21
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st"}


@dataclass(frozen=True)
class _Hit:
    """A hint at the tokens `first` to `last` inclusive; one without confidence is a term that hints at nothing."""

    first: int
    last: int
    hint: str
    confidence: float


def find_hints(text: str, tokens: Sequence[Token]) -> tuple[Label, ...]:
    """Return what the text hints at, each once, most confident first; what it denies ("not a waltz") is left out."""
    hits = _without_overlaps([*_term_hits(text, tokens), *_name_hits(text, tokens)])
    spans = {hit: (tokens[hit.first].start, tokens[hit.last].end) for hit in hits}
    # All hints are of one kind here, so that "no trap, drill or grime" denies all three.
    matches = {hit: Match(hit.first, hit.last, (Meaning("genre", hit.hint, hit.confidence),), spans[hit]) for hit in hits}
    denied = denied_matches(text, tokens, list(matches.values()))
    labels: dict[str, Label] = {}
    for hit in hits:
        is_better = hit.hint not in labels or labels[hit.hint].confidence < hit.confidence
        if is_better and matches[hit] not in denied:
            labels[hit.hint] = Label(hit.hint, hit.confidence, spans[hit])
    return tuple(sorted(labels.values(), key=lambda label: (-label.confidence, label.span)))


def implied_genres(hints: Sequence[Label]) -> tuple[Label, ...]:
    """Return the labels of `GENRES` that the names among the hints imply ("Chopin": romantic), each once, 0.5 at most."""
    genres: dict[str, Label] = {}
    for hint in hints:
        genre = genre_by_name().get(hint.name)
        confidence = round(hint.confidence * IMPLIED_GENRE_SHARE, 2)
        if genre and (genre not in genres or genres[genre].confidence < confidence):
            genres[genre] = Label(genre, confidence, hint.span)
    return tuple(genres.values())


def is_month(text: str, tokens: Sequence[Token], first: int) -> bool:
    """Tell "8 March 1842" and "in March" from a march, at the token `first`."""
    if text[tokens[first].start : tokens[first].end] != "March":
        return False
    beside = [token.word for token in (*tokens[max(0, first - 1) : first], *tokens[first + 1 : first + 2])]
    return any(word[0].isdigit() or word in {"in", "on", "of", "since", "until", "by"} for word in beside)


def _without_overlaps(hits: Sequence[_Hit]) -> list[_Hit]:
    """The longest of overlapping hits, in the text's order: "Viennese waltz", not "Viennese" of a name."""
    kept: list[_Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.first, -hit.last)):
        if not kept or hit.first > kept[-1].last:
            kept.append(hit)
        elif hit.last - hit.first > kept[-1].last - kept[-1].first:
            kept[-1] = hit
    return [hit for hit in kept if hit.confidence > 0]


def _name_hits(text: str, tokens: Sequence[Token]) -> Iterator[_Hit]:
    for naming in find_names(text, tokens):
        yield _Hit(naming.first, naming.last, naming.name, naming.confidence)


def _term_hits(text: str, tokens: Sequence[Token]) -> Iterator[_Hit]:
    first = 0
    while first < len(tokens):
        hit = _era_at(text, tokens, first) or _term_at(text, tokens, first)
        if hit:
            yield hit
        first = hit.last + 1 if hit else first + 1


def _term_at(text: str, tokens: Sequence[Token], first: int) -> _Hit | None:
    word = fold(tokens[first].word)
    end = first + 1
    while end < min(first + _longest().get(word, 1), len(tokens)) and tokens[end].is_joined:
        end += 1
    words = [word, *(fold(token.word) for token in tokens[first + 1 : end])]
    for n in range(len(words), 0, -1):
        found = _terms().get(" ".join(words[:n]))
        if found and not is_month(text, tokens, first):
            return _Hit(first, first + n - 1, *found)
    return None


def _era_at(text: str, tokens: Sequence[Token], first: int) -> _Hit | None:
    """Find a decade ("80s", "the nineties") or a century ("19th-century")."""
    word = tokens[first].word
    following = tokens[first + 1].word if first + 1 < len(tokens) and tokens[first + 1].is_joined else ""
    if following in {"century", "centuries"} and (century := _century(word)):
        return _Hit(first, first + 1, f"{century}{_ENDINGS.get(century, 'th')} century", _ERA)
    before = tokens[first - 1].word if first > 0 else ""
    if word in _SPOKEN_DECADES and before not in _AGE_WORDS:
        return _Hit(first, first, _SPOKEN_DECADES[word], _ERA)
    decade = _DECADE.fullmatch(word)
    if decade is None or not (decade["century"] or _is_decade(text, tokens[first], before, following)):
        return None
    century_digits = decade["century"] or ("20" if decade["decade"] in "01" else "19")
    return _Hit(first, first, f"{century_digits}{decade['decade']}0s", _ERA)


def _is_decade(text: str, token: Token, before: str, following: str) -> bool:
    """Tell the decade "80s" from eighty seconds; those before the fifties need more than figures."""
    if before in _ERA_WORDS or text[max(0, token.start - 1) : token.start] in {"'", "’", "‘"}:
        return True
    return token.word[0] in "567890" and before not in _LENGTH_BEFORE and following not in _LENGTH_AFTER


def _century(word: str) -> int | None:
    ordinal = _ORDINAL.fullmatch(word)
    century = int(ordinal[1]) if ordinal else _SPOKEN_ORDINALS.get(word, 0)
    return century if _EARLIEST_CENTURY <= century <= _LATEST_CENTURY else None


@cache
def _terms() -> dict[str, tuple[str, float]]:
    """Hint and confidence by folded term."""
    return {
        " ".join(fold(token.word) for token in tokenize(row["term"])): (row["hint"] or row["term"], float(row["confidence"]))
        for file in ("eras", "substyles")
        for row in read_rows(file)
    }


@cache
def _longest() -> dict[str, int]:
    longest: dict[str, int] = {}
    for term in _terms():
        words = term.split()
        longest[words[0]] = max(longest.get(words[0], 0), len(words))
    return longest
