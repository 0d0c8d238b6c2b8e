"""`captions` to `embeddings`, by a pool of actors that each hold the encoder.

Each different text is embedded once, whatever number of captions it is. Texts go in order of their length over the whole
input, for a batch costs as much as if all its texts were as long as its longest; the longest go first, so that the actors
end together. The order depends on the texts alone: the same captions give the same batches and, on the same kind of
machine, the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.encoding import EncoderActor, choose_device, encoder_errors, through_pool
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.schemas import EMBEDDINGS
from amt_ray.text.embed import EncoderSource

if TYPE_CHECKING:
    import ray.data

TEXTS_PER_BLOCK = {"cpu": 512, "cuda": 4096}
"""Enough for Ray's 20 ms a block to be little beside what the encoder needs: some seconds on a core, tenths on a GPU."""
TEXTS_PER_ACTOR = 256
"""An actor takes as long to start as it takes to embed a few hundred texts: it is not started for fewer."""


def make_embeddings(
    place: Workspace, texts: Manifest, settings: PrepareSettings, encoder: EncoderSource, progress: Progress
) -> Manifest:
    """Embed the captions; its facts name the encoder (`encoder`, `fingerprint`, `dim`) and count the different `texts`.

    Raises EncoderError for an encoder that cannot be loaded, RequestError for a device that is not there.
    """
    made_of = embeddings_fingerprint(texts, encoder.fingerprint)
    if current := place.current("embeddings", made_of):
        return current
    device = choose_device(settings.device)
    distinct = distinct_texts(place.table("captions", ["piece_id", "kind", "text"]))
    blocks = slices(distinct, TEXTS_PER_BLOCK[device])
    facts = {"encoder": settings.encoder, "fingerprint": encoder.fingerprint, "texts": distinct.num_rows}

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        arguments = (encoder, device, settings.batch_size)
        # A batch is a block: Ray wants a number where there are GPUs.
        return through_pool(rows, Embed, arguments, blocks[0].num_rows, -(-distinct.num_rows // TEXTS_PER_ACTOR))

    def facts_of(rows: pa.Table) -> dict[str, Any]:
        return facts | {"dim": len(rows["vector"][0])}

    with encoder_errors(settings.encoder):
        return write_rows(place, "embeddings", made_of, blocks, transform, progress, facts_of)


def embeddings_fingerprint(captions: Manifest, encoder: str) -> str:
    """Say what embeddings of these captions by the encoder of this fingerprint are known by."""
    return fingerprint("embeddings", captions.version, encoder)


def distinct_texts(captions: pa.Table) -> pa.Table:
    """Return a row for each different text, with lists of the `piece_id` and `kind` that it stands for, longest first.

    The longest is the one with the most bytes: they are nearer to the number of word pieces than characters are, for a
    Chinese character is a piece of its own. Texts of one length are in the order of the alphabet.
    """
    columns = captions.group_by("text", use_threads=False).aggregate([("piece_id", "list"), ("kind", "list")])
    texts = columns.select(["text", "piece_id_list", "kind_list"]).rename_columns(["text", "piece_id", "kind"])
    order = pc.sort_indices(
        pa.table({"n_bytes": pc.binary_length(texts["text"]), "text": texts["text"]}),
        [("n_bytes", "descending"), ("text", "ascending")],
    )
    return texts.take(order).combine_chunks()


class Embed(EncoderActor):
    """A Ray Data actor: texts in, vectors out."""

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Embed rows of `distinct_texts`; return rows of the schema `EMBEDDINGS`, one for each caption."""
        vectors_BD = self.encoder.encode(batch["text"].to_pylist(), self.batch_size)
        text_of_row = pc.list_parent_indices(batch["piece_id"].combine_chunks()).to_numpy()
        columns = [pc.list_flatten(batch["piece_id"]), pc.list_flatten(batch["kind"]), _lists(vectors_BD[text_of_row])]
        return pa.table(columns, schema=EMBEDDINGS)


def _lists(vectors_BD: npt.NDArray[np.float32]) -> pa.ListArray:
    n_rows, dim = vectors_BD.shape
    return pa.ListArray.from_arrays(np.arange(n_rows + 1, dtype=np.int32) * np.int32(dim), pa.array(vectors_BD.reshape(-1)))
