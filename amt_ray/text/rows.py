"""Analyses as lines of JSON, one for each text of a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from amt_ray.errors import RequestError
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis

_LEFT_OUT = frozenset({"cleaned", "n_chars_before", "n_chars_after", "evidence"})


def analysis_row(id: str, analysis: TextAnalysis) -> dict[str, Any]:  # noqa: A002
    """Return what an analysis says as plain JSON values, with the id of its text."""
    return {"id": id, **{name: value for name, value in asdict(analysis).items() if name not in _LEFT_OUT}}


def analysed_lines(lines: Iterable[str], source: str) -> Iterator[str]:
    """Turn JSON lines of `{"id", "text"}` into JSON lines of analyses; empty lines are passed over.

    Raises RequestError, with the number of the line, for one that is no such object. `source` is the file's name.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            row = _parsed(line, f"{source}, line {number}")
            yield json.dumps(analysis_row(str(row["id"]), analyse(row["text"])), ensure_ascii=False)


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise RequestError(place, line.strip()[:80], 'an object such as {"id": "1", "text": "a slow waltz"}')
    return row
