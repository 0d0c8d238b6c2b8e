"""Whether two places of a text speak of the same thing at the same time, and every place where it states a value."""

from __future__ import annotations

import re
from collections.abc import Callable

from amt_ray.text.notation import Found, T

Span = tuple[int, int]

MAX_STATEMENTS = 6
"""No more of one kind are read: a text with more of them tells a story."""
_MAX_GAP_CHARS, _MAX_CHARS = 160, 20_000
_WINDOW_CHARS = 200
_SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n")
# Words of change, choice, contrast and parts of a piece: what they stand beside holds at another time or of another thing.
_CHANGES = re.compile(
    r"(?<![\w-])(?:then|modulat\w*|transpos\w*|chang\w*|shift\w*|switch\w*|alternat\w*|between|from|to|into|until|till|before|after\w*|"
    r"later|finally|eventually|end(?:s|ing)?|beg[iau]n\w*|start\w*|open\w*|clos(?:es|ing)|intro\w*|outro|coda|verses?|"
    r"chorus\w*|bridge|middle|sections?|parts?|movements?|trio|first|second|third|last|theme|accelerat\w*|slows|speed\w*|"
    r"buil[dt]\w*|becom\w*|turn\w*|mov(?:es|ing)|go(?:es|ing)|or|either|while|whereas|when\w*|but|yet|though|although|except|"
    r"despite|unlike|instead|rather|contrast\w*|vari\w*|mix\w*|both|half|double|twice|relative|parallel|follow\w*|return\w*|"
    r"enter\w*|join\w*|drop\w*|gradual\w*|sometimes|occasional\w*|feel\w*|each|every|times?\s+faster|times?\s+slower|"
    r"album|songs|pieces|tracks|concerto|arrange\w*|version)\b|→|->",
    re.IGNORECASE,
)


def quote(text: str, span: Span) -> str:
    """Return what stands at a span, in quotation marks and on one line."""
    return f'"{" ".join(text[slice(*span)].split())}"'


def in_one_breath(text: str, one: Span, other: Span) -> bool:
    """Whether two places stand near each other with no word of change, choice or contrast in their sentences."""
    (_, first_end), (second, second_end) = sorted((one, other))
    if second - first_end > _MAX_GAP_CHARS:
        return False
    start, end = sentence_of(text, (min(one[0], other[0]), second_end))
    return _CHANGES.search(text, start, end) is None


def sentence_of(text: str, span: Span) -> Span:
    """Return where the sentences begin and end that hold a span; at most 200 characters on either side of it."""
    earliest, latest = max(0, span[0] - _WINDOW_CHARS), span[1] + _WINDOW_CHARS
    start = max((m.end() for m in _SENTENCE_END.finditer(text, earliest, span[0])), default=earliest)
    end = _SENTENCE_END.search(text, span[1], latest)
    return start, end.start() if end else min(latest, len(text))


def are_in_one_sentence(text: str, one: Span, other: Span) -> bool:
    """Whether no sentence ends between two places."""
    (_, first_end), (second, _) = sorted((one, other))
    return _SENTENCE_END.search(text, first_end, second) is None


def every(find: Callable[[str], Found[T] | None], text: str) -> list[Found[T]]:
    """Return all that `find` finds once what it found before is blotted out, in the text's order.

    At most `MAX_STATEMENTS`, of the text's first 20,000 characters.
    """
    statements: list[Found[T]] = []
    text = text[:_MAX_CHARS]
    while len(statements) < MAX_STATEMENTS and (found := find(text)) is not None:
        statements.append(found)
        start, end = found.span
        text = f"{text[:start]}{chr(0) * (end - start)}{text[end:]}"
    return sorted(statements, key=lambda statement: statement.span)
