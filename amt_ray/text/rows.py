"""Analyses as lines of JSON, one for each text of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from amt_ray.errors import RequestError
from amt_ray.text.analysis import TextAnalysis

TEXTS_AT_ONCE = 256
_LEFT_OUT = frozenset({"cleaned", "n_chars_before", "n_chars_after", "evidence"})


def analysis_row(id: str, analysis: TextAnalysis) -> dict[str, Any]:  # noqa: A002
    """Return what an analysis says as plain JSON values, with the id of its text; of the style hints, their names."""
    row = {name: value for name, value in asdict(analysis).items() if name not in _LEFT_OUT}
    return {"id": id, **row, "style_hints": [hint.name for hint in analysis.style_hints]}


def analysis_line(id: str, analysis: TextAnalysis) -> str:  # noqa: A002
    """Return `analysis_row` as a line of JSON, in characters that UTF-8 has."""
    line = json.dumps(analysis_row(id, analysis), ensure_ascii=False)
    return line.encode("utf-8", "replace").decode()


def analysed_lines(
    lines: Iterable[str], source: str, read: Callable[[Sequence[str]], Sequence[TextAnalysis]]
) -> Iterator[list[str]]:
    """Turn JSON lines of `{"id", "text"}` into JSON lines of analyses, TEXTS_AT_ONCE in a list; empty lines are passed over.

    `read` analyses several texts. Raises RequestError, with the number of the line, for one that is no such object;
    `source` is the file's name.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while some := list(islice(numbered, TEXTS_AT_ONCE)):
        rows = [_parsed(line, f"{source}, line {number}") for number, line in some]
        analyses = read([row["text"] for row in rows])
        yield [analysis_line(str(row["id"]), analysis) for row, analysis in zip(rows, analyses, strict=True)]


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise RequestError(place, line.strip()[:80], 'an object such as {"id": "1", "text": "a slow waltz"}')
    return row
