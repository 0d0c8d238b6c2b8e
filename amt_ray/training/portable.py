"""Everything that training needs in one folder that is small enough to be carried: a few bytes for each ten events.

about.json           format, events' names, sentence encoder, styles, and where the music comes from
sequences.parquet    the training windows: columns of the artefact `sequences`
embeddings.parquet   the pieces' texts as vectors: columns of the artefact `embeddings`, in half precision
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from amt_ray.errors import OutputError, TrainingError
from amt_ray.events.vocabulary import N_IDS, name_of
from amt_ray.model.bundle import EncoderInfo, Style
from amt_ray.training.rows import TrainingData, rows_of_split

FORMAT = 1
SEQUENCES, EMBEDDINGS, ABOUT = "sequences.parquet", "embeddings.parquet", "about.json"
_SEQUENCE_COLUMNS = ["piece_id", "window", "ids", "n_controls", "n_context", "split"]
_COMPRESSION = {"compression": "zstd", "compression_level": 12}


def save_portable(
    folder: str | Path,
    sequences: pa.Table,
    embeddings: pa.Table,
    encoder: EncoderInfo,
    styles: tuple[Style, ...],
    about: Mapping[str, Any],
) -> int:
    """Write a folder that `load_portable` reads; the tables are the artefacts'. Returns its bytes. Raises OutputError."""
    target = Path(folder)
    content = {
        "format": FORMAT,
        "events": [name_of(i) for i in range(N_IDS)],
        "encoder": asdict(encoder),
        "styles": [asdict(style) for style in styles],
        "about": dict(about),
    }
    sequences = sequences.select(_SEQUENCE_COLUMNS).sort_by([("piece_id", "ascending"), ("window", "ascending")])
    try:
        target.mkdir(parents=True, exist_ok=True)
        pq.write_table(sequences, target / SEQUENCES, use_dictionary=["piece_id", "split"], **_COMPRESSION)
        pq.write_table(_halved(embeddings), target / EMBEDDINGS, use_dictionary=["piece_id", "kind"], **_COMPRESSION)
        (target / ABOUT).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return sum((target / name).stat().st_size for name in (SEQUENCES, EMBEDDINGS, ABOUT))
    except OSError as exc:
        raise OutputError(str(target), exc.strerror or str(exc)) from exc


def load_portable(folder: str | Path) -> TrainingData:
    """Read such a folder. Raises TrainingError where it is none, is damaged, or its events are not those of this amt_ray."""
    source = Path(folder)
    try:
        content = json.loads((source / ABOUT).read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["events"] != [name_of(i) for i in range(N_IDS)]:
            raise TrainingError(f"{source} was written for other events", "write it again with this version of amt_ray")
        sequences, embeddings = (pq.read_table(source / name) for name in (SEQUENCES, EMBEDDINGS))
        return TrainingData(
            rows_of_split(sequences, embeddings, "train"),
            rows_of_split(sequences, embeddings, "validation"),
            EncoderInfo(**content["encoder"]),
            tuple(Style(style["name"], tuple(style["centroid"])) for style in content["styles"]),
            content["about"],
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as exc:
        detail = (str(exc).splitlines() or [type(exc).__name__])[0].rstrip(".")
        raise TrainingError(f"{source} holds no training data ({detail})", "name a folder that `amt pack` wrote") from exc


def _halved(embeddings: pa.Table) -> pa.Table:
    """Vectors as float16, whose rounding is a thousandth of what captions of one piece differ by."""
    rows = embeddings.select(["piece_id", "kind", "vector"]).combine_chunks()
    vectors = rows["vector"].combine_chunks()
    halves = pa.array(vectors.flatten().to_numpy().astype(np.float16))
    return rows.set_column(2, "vector", pa.ListArray.from_arrays(vectors.offsets, halves))
