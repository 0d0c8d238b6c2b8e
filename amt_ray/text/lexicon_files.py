"""The word lists of this room as rows: CSV files with one line of provenance before the header."""

from __future__ import annotations

import csv
from importlib.resources import files


def read_rows(name: str) -> list[dict[str, str]]:
    """Read `lexicons/<name>.csv` and return its rows by column. FileNotFoundError where there is no such list."""
    text = files("amt_ray.text").joinpath("lexicons", f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()[1:]))
