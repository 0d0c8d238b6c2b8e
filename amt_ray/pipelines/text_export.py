"""What `amt prepare` says of a workspace's pieces, as JSON: `text_embeddings.json` and `clustered_text_data.json`.

The first has an object a caption that is embedded: its `piece_id`, `kind` and `text`, the encoder's name and fingerprint and
the dimension (in each object, for the file is one array like the others), and the `embedding`. The second has an object a
piece that has a style: its captions as `texts`, the `style` by number and name, and its `similarity`, the cosine with the
style's centroid. Pieces are in the order of `pieces`, captions in that of their kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import MADE_BY, Workspace
from amt_ray.pipelines.embed import embeddings_fingerprint
from amt_ray.pipelines.joins import piece_runs, rows_of
from amt_ray.pipelines.json_arrays import JsonArray, json_line, number_lists, short_doubles

EMBEDDINGS_FILE, CLUSTERED_FILE = "text_embeddings.json", "clustered_text_data.json"
NUMBERS_PER_JOIN = 2**25
"""Numbers of embeddings that are held at once, of 4 bytes; the embeddings are read once for each so many."""
PIECES_PER_JOIN = 50_000
ROWS_PER_WRITE = 1024
_CAPTION_COLUMNS = ["piece_id", "kind", "text"]


def left_out(place: Workspace) -> dict[str, str]:
    """Say of each of the two files that cannot be written why, and what to run."""
    reasons = {
        EMBEDDINGS_FILE: _lacking(place, ("captions", "embeddings")) or _outdated_embeddings(place),
        CLUSTERED_FILE: _lacking(place, ("captions", "styles", "style_of_piece")) or _outdated_styles(place),
    }
    return {file: reason for file, reason in reasons.items() if reason}


def write_text_embeddings(place: Workspace, array: JsonArray) -> None:
    """Append every caption that is embedded, with its embedding."""
    captions, embeddings = place.need("captions"), place.need("embeddings")
    dim = embeddings.facts["dim"]
    encoder = {"encoder": embeddings.facts["encoder"], "encoder_fingerprint": embeddings.facts["fingerprint"], "dim": dim}
    captions_per_piece = -(-captions.n_rows // max(place.need("pieces").n_rows, 1))
    n_pieces = NUMBERS_PER_JOIN // max(dim * captions_per_piece, 1)
    for pieces in piece_runs(place, ["piece_id"], n_pieces):
        for part, vectors in _embedded(place, pieces["piece_id"].combine_chunks()):
            rows = zip(part.to_pylist(), number_lists(vectors), strict=True)
            array.extend_lines([f'{json_line(row | encoder)[:-1]}, "embedding": {numbers}}}' for row, numbers in rows])


def write_clustered(place: Workspace, array: JsonArray) -> None:
    """Append every piece that has a style, with its captions."""
    styles = place.table("styles", ["style", "name"])
    name_of = dict(zip(styles["style"].to_pylist(), styles["name"].to_pylist(), strict=True))
    for pieces in piece_runs(place, ["piece_id", "artist", "title"], PIECES_PER_JOIN):
        piece_ids = pieces["piece_id"].combine_chunks()
        captions = _captions(place, piece_ids)
        found = rows_of(place, "style_of_piece", ["piece_id", "style", "similarity"], piece_ids).combine_chunks()
        for batch in pieces.to_batches():
            texts = _texts_by_piece(captions.filter(pc.is_in(captions["piece_id"], batch["piece_id"])))
            own = short_doubles(found.take(pc.index_in(batch["piece_id"], found["piece_id"])).to_batches()[0])
            rows = zip(batch.to_pylist(), own["style"].to_pylist(), own["similarity"].to_pylist(), strict=True)
            array.extend(
                {
                    **piece,
                    "texts": texts.get(piece["piece_id"], []),
                    "style": style,
                    "style_name": name_of[style],
                    "similarity": similarity,
                }
                for piece, style, similarity in rows
                if style is not None
            )


def _lacking(place: Workspace, names: tuple[str, ...]) -> str | None:
    lacking = [name for name in names if place.manifest(name) is None]
    return f"the workspace has no {lacking[0]} yet: run `{MADE_BY[lacking[0]]}` first" if lacking else None


def _outdated_embeddings(place: Workspace) -> str | None:
    embeddings = place.need("embeddings")
    same = embeddings.fingerprint == embeddings_fingerprint(place.need("captions"), embeddings.facts["fingerprint"])
    return None if same else f"the embeddings are of other captions: run `{MADE_BY['embeddings']}` first"


def _outdated_styles(place: Workspace) -> str | None:
    same = place.need("styles").fingerprint == place.need("style_of_piece").fingerprint
    return None if same else f"the styles are newer than the pieces' styles: run `{MADE_BY['styles']}` first"


def _captions(place: Workspace, piece_ids: pa.Array) -> pa.Table:
    """The captions of some pieces, in the pieces' order."""
    captions = rows_of(place, "captions", _CAPTION_COLUMNS, piece_ids)
    place_of_row = pc.index_in(captions["piece_id"], piece_ids)
    keys = pa.table({"piece": place_of_row, "kind": captions["kind"]})
    return captions.take(pc.sort_indices(keys, [("piece", "ascending"), ("kind", "ascending")])).combine_chunks()


def _embedded(place: Workspace, piece_ids: pa.Array) -> Iterator[tuple[pa.Table, pa.ListArray]]:
    """Captions of some pieces with their vectors, a few at a time; captions without one are passed over."""
    captions = _captions(place, piece_ids)
    vectors = rows_of(place, "embeddings", ["piece_id", "kind", "vector"], piece_ids).combine_chunks()
    rows = pc.index_in(_keys(captions), _keys(vectors))
    captions, rows = captions.filter(pc.is_valid(rows)), rows.drop_null()
    for start in range(0, captions.num_rows, ROWS_PER_WRITE):
        part = vectors["vector"].take(rows.slice(start, ROWS_PER_WRITE))
        yield captions.slice(start, ROWS_PER_WRITE), part.combine_chunks()


def _keys(rows: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(rows["piece_id"], rows["kind"], " ").combine_chunks()


def _texts_by_piece(captions: pa.Table) -> dict[str, list[dict[str, Any]]]:
    texts: dict[str, list[dict[str, Any]]] = {}
    for caption in captions.to_pylist():
        texts.setdefault(caption.pop("piece_id"), []).append(caption)
    return texts
