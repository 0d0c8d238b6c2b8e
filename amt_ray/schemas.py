"""Arrow schemas of the artefacts. A column's unit is in its name; `piece_id` is the SHA-256 of the file's bytes, in hex."""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1
"""Raised whenever a column changes its meaning; a workspace of another version is refused."""

_FEATURES = [
    ("duration_s", pa.float64()),
    ("n_notes", pa.int64()),
    ("n_tracks", pa.int64()),
    ("programs", pa.list_(pa.int16())),  # by notes, most first; 128 = drums
    ("has_drums", pa.bool_()),
    ("tempo_bpm", pa.float64()),  # mean, by time
    ("time_signature", pa.string()),  # the one that holds longest
    ("key", pa.string()),
    ("key_confidence", pa.float64()),  # 0..1
    ("pitch_min", pa.int16()),
    ("pitch_max", pa.int16()),
    ("polyphony", pa.string()),  # mono, homo, poly
    ("mean_voices", pa.float64()),
    ("density_notes_per_beat", pa.float64()),
    ("velocity_mean", pa.float64()),
    ("velocity_std", pa.float64()),
    ("n_bars", pa.int64()),
]

PIECES = pa.schema(
    [
        ("piece_id", pa.string()),
        ("path", pa.string()),  # relative to the library
        ("artist", pa.string()),
        ("title", pa.string()),
        ("genre", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("midi", pa.binary()),
        *_FEATURES,
    ]
)
REJECTS = pa.schema([("path", pa.string()), ("stage", pa.string()), ("reason", pa.string()), ("detail", pa.string())])
CAPTIONS = pa.schema([("piece_id", pa.string()), ("kind", pa.string()), ("text", pa.string())])
EMBEDDINGS = pa.schema([("piece_id", pa.string()), ("kind", pa.string()), ("vector", pa.list_(pa.float32()))])
STYLES = pa.schema(
    [
        ("style", pa.int16()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("centroid", pa.list_(pa.float32())),
    ]
)
SEQUENCES = pa.schema(
    [
        ("piece_id", pa.string()),
        ("window", pa.int32()),
        ("ids", pa.list_(pa.uint16())),
        ("n_controls", pa.int16()),  # ids[1 : 1 + n_controls] are the controls
        ("style", pa.int16()),
        ("split", pa.string()),  # train, validation
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "pieces": PIECES,
    "rejects": REJECTS,
    "captions": CAPTIONS,
    "embeddings": EMBEDDINGS,
    "styles": STYLES,
    "sequences": SEQUENCES,
}
"""Artefact name to schema: the whole list of what a workspace can hold."""
