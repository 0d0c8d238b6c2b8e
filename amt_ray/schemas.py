"""Arrow schemas of the artefacts. A column's unit is in its name; `piece_id` is the SHA-256 of the file's bytes, in hex."""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 4
"""Raised whenever a column changes its meaning; a workspace of another version is refused."""

_FEATURES = [
    ("duration_s", pa.float64()),
    ("n_notes", pa.int64()),
    ("n_tracks", pa.int64()),
    ("n_bars", pa.int64()),
    ("density_notes_per_beat", pa.float64()),
    ("tempo_bpm", pa.float64()),  # mean, by time
    ("tempo_first_bpm", pa.float64()),
    ("n_tempo_changes", pa.int64()),
    ("time_signature", pa.string()),  # the one that holds longest
    ("n_time_signature_changes", pa.int64()),
    ("key", pa.string()),
    ("key_confidence", pa.float64()),  # 0..1
    ("key_signature", pa.string()),  # as written in the file
    ("programs", pa.list_(pa.int16())),  # by notes, most first; 128 = drums
    ("families", pa.list_(pa.string())),  # of General MIDI, by notes, most first
    ("has_drums", pa.bool_()),
    ("pitch_min", pa.int16()),
    ("pitch_max", pa.int16()),
    ("n_pitches", pa.int16()),  # different ones, drums left out
    ("pitch_classes", pa.list_(pa.float32())),  # 12 shares of the sounding time, from C
    ("polyphony", pa.string()),  # mono, homo, poly
    ("mean_voices", pa.float64()),
    ("velocity_mean", pa.float64()),
    ("velocity_std", pa.float64()),
    ("velocity_min", pa.int16()),
    ("velocity_max", pa.int16()),
    ("note_lengths", pa.list_(pa.float32())),  # shares of the notes, in the order of amt_ray.midi.rhythm.NOTE_LENGTHS
    ("syncopation", pa.float64()),  # 0..1
    ("chords", pa.list_(pa.string())),  # by time, most first
    ("progression", pa.string()),  # most frequent, in Roman numerals
]

PIECES = pa.schema(
    [
        ("piece_id", pa.string()),
        ("library", pa.string()),  # the folder that was scanned
        ("path", pa.string()),  # relative to the library; "archive.zip/member" within archives
        ("artist", pa.string()),
        ("title", pa.string()),
        ("genre", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("lyrics", pa.string()),
        ("midi", pa.binary()),
        *_FEATURES,
    ]
)
REJECTS = pa.schema(
    [
        ("library", pa.string()),
        ("path", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("kept_piece_id", pa.string()),  # of a duplicate: the piece that is kept in its place
    ]
)
ARTICLES = pa.schema(
    [
        ("piece_id", pa.string()),
        ("artist", pa.string()),
        ("title", pa.string()),
        ("query", pa.string()),
        ("n_results", pa.int32()),
        ("status", pa.string()),  # song, artist, none, failed
        ("reason", pa.string()),
        ("confidence", pa.float64()),  # 0..1
        ("candidates", pa.list_(pa.struct([("title", pa.string()), ("confidence", pa.float64())]))),  # best first
        ("page_title", pa.string()),
        ("page_url", pa.string()),
        ("revision_id", pa.int64()),
        ("extract", pa.string()),
        ("licence", pa.string()),
        ("fetched_at", pa.string()),  # ISO 8601, UTC
    ]
)
_LABELS = pa.list_(pa.struct([("name", pa.string()), ("confidence", pa.float64())]))  # confidence 0..1
CAPTIONS = pa.schema(
    [
        ("piece_id", pa.string()),
        ("kind", pa.string()),  # features-0, features-1 …; wikipedia: what the article says of the music
        ("text", pa.string()),
        ("keywords", pa.list_(pa.string())),  # most telling first
        ("moods", _LABELS),
        ("genres", _LABELS),
        ("instruments", _LABELS),
    ]
)
EMBEDDINGS = pa.schema([("piece_id", pa.string()), ("kind", pa.string()), ("vector", pa.list_(pa.float32()))])
STYLES = pa.schema(
    [
        ("style", pa.int16()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("centroid", pa.list_(pa.float32())),
    ]
)
STYLE_OF_PIECE = pa.schema(
    [
        ("piece_id", pa.string()),
        ("style", pa.int16()),
        ("similarity", pa.float32()),  # cosine with the style's centroid, -1..1
        ("x", pa.float32()),  # on a flat map of all pieces, like beside like
        ("y", pa.float32()),
    ]
)
SEQUENCES = pa.schema(
    [
        ("piece_id", pa.string()),
        ("window", pa.int32()),
        ("ids", pa.list_(pa.uint16())),
        ("n_controls", pa.int16()),  # ids[1 : 1 + n_controls] are the controls
        ("n_context", pa.int16()),  # the ids behind them that are the end of the window before: given, not to be learnt
        ("style", pa.int16()),
        ("split", pa.string()),  # train, validation
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "pieces": PIECES,
    "rejects": REJECTS,
    "articles": ARTICLES,
    "captions": CAPTIONS,
    "embeddings": EMBEDDINGS,
    "styles": STYLES,
    "style_of_piece": STYLE_OF_PIECE,
    "sequences": SEQUENCES,
}
"""Artefact name to schema: the whole list of what a workspace can hold."""
