"""A table of what a library's files are, given by its owner: CSV or JSON lines, one row a file."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.fs as pafs
import pyarrow.json as pajson

from amt_ray.artifacts import filesystem_of
from amt_ray.errors import LibraryError

KEYS = ("path", "sha256")
NAMES = ("artist", "title", "genre", "source", "licence")
SPELLINGS = {"piece_id": "sha256", "license": "licence", "name": "title", "composer": "artist", "file": "path"}


def read_metadata(path: str) -> dict[str, dict[str, str]]:
    """Read a `.csv` or `.jsonl` file: path (relative to the library) or sha256 of each file, to what is said of it.

    Of the other columns artist, title, genre, source and licence count; an empty cell says nothing. Raises LibraryError
    for a file that cannot be read, or that has neither key.
    """
    table = _read(path)
    columns = {SPELLINGS.get(name.lower(), name.lower()): name for name in reversed(table.column_names)}
    keys = [name for name in KEYS if name in columns]
    if not keys:
        found = ", ".join(table.column_names) or "none"
        raise LibraryError(path, f"its columns are {found}", "name each row's file in a column path or sha256")
    used = [*keys, *(name for name in NAMES if name in columns)]
    rows = table.select([columns[name] for name in used]).rename_columns(used).to_pylist()
    described = [{name: str(value).strip() for name, value in row.items() if value not in {None, ""}} for row in rows]
    return {row[key]: {n: v for n, v in row.items() if n in NAMES} for key in keys for row in described if key in row}


def _read(path: str) -> pa.Table:
    fs, place = filesystem_of(path)
    as_text = pacsv.ConvertOptions(strings_can_be_null=True)
    try:
        if path.lower().endswith(".csv"):
            with fs.open_input_stream(place) as stream:
                names = pacsv.open_csv(stream).schema.names
            as_text.column_types = dict.fromkeys(names, pa.string())
            with fs.open_input_stream(place) as stream:
                return pacsv.read_csv(
                    stream, convert_options=as_text, parse_options=pacsv.ParseOptions(newlines_in_values=True)
                )
        if path.lower().endswith((".jsonl", ".ndjson")):
            with fs.open_input_stream(place) as stream:
                return pajson.read_json(stream)
    except (OSError, pa.ArrowInvalid) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).splitlines()[0].rstrip(".")
        raise LibraryError(path, f"cannot be read ({reason})", "give a table as CSV or JSON lines") from exc
    kind = fs.get_file_info(place).type
    problem = "there is no such file" if kind == pafs.FileType.NotFound else "its name ends in neither .csv nor .jsonl"
    raise LibraryError(path, problem, "give a table as CSV or JSON lines")
