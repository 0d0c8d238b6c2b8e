"""`articles` to what they say of the music, by a pool of actors that each hold the encoder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.encoding import EncoderActor, choose_device, encoder_errors, through_pool
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices
from amt_ray.text.embed import EncoderSource
from amt_ray.text.musical_texts import musical_texts

ARTICLES_PER_BLOCK = {"cpu": 16, "cuda": 256}
ARTICLES_PER_ACTOR = 16
"""An actor takes as long to start as it takes to read so many articles."""
FOUND = ("song", "artist")
"""Of `articles.status`: the article is on the piece, or on who wrote or plays it."""


def musical_text_by_piece(
    place: Workspace, settings: PrepareSettings, encoder: EncoderSource, progress: Progress
) -> dict[str, str]:
    """Return the musical text of the article of each piece that has such an article; each article is read once.

    Raises EncoderError for an encoder that cannot be loaded, RequestError for a device that is not there.
    """
    articles = place.table("articles", ["piece_id", "status", "extract"])
    articles = articles.filter(pc.is_in(articles["status"], pa.array(FOUND)))
    articles = articles.filter(pc.greater(pc.binary_length(articles["extract"]), 0))
    text_by_extract = _read(pc.unique(articles["extract"]), settings, encoder, progress)
    pieces = zip(articles["piece_id"].to_pylist(), articles["extract"].to_pylist(), strict=True)
    return {piece_id: text for piece_id, extract in pieces if (text := text_by_extract[extract])}


class PickSentences(EncoderActor):
    """A Ray Data actor: articles in, their sentences about the music out."""

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Add the column `text` to the column `extract`; "" where nothing is said of the music."""
        encode = partial(self.encoder.encode, batch_size=self.batch_size)
        return batch.append_column("text", pa.array(musical_texts(batch["extract"].to_pylist(), encode), pa.string()))


def _read(extracts: pa.Array, settings: PrepareSettings, encoder: EncoderSource, progress: Progress) -> dict[str, str]:
    if not len(extracts):
        return {}
    import ray.data

    device = choose_device(settings.device)
    blocks = slices(pa.table({"extract": extracts}), ARTICLES_PER_BLOCK[device])
    arguments = (encoder, device, settings.batch_size)
    actors = -(-len(extracts) // ARTICLES_PER_ACTOR)
    rows = through_pool(ray.data.from_blocks(blocks), PickSentences, arguments, blocks[0].num_rows, actors)
    read: dict[str, str] = {}
    progress("articles read", 0, len(extracts))
    with encoder_errors(encoder.name):
        batches: Iterable[pa.Table] = rows.iter_batches(batch_format="pyarrow", batch_size=None)
        for batch in batches:
            read.update(zip(batch["extract"].to_pylist(), batch["text"].to_pylist(), strict=True))
            progress("articles read", len(read), len(extracts))
    return read
