"""`captions` to `embeddings`, by a pool of actors that each hold the encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.cluster import actor_restarts, remote_arguments, resources
from amt_ray.pipelines.progress import Progress
from amt_ray.pipelines.rows import slices, write_rows
from amt_ray.text.embed import TextEncoder

if TYPE_CHECKING:
    import ray.data

TEXTS_PER_BATCH = 256


def make_embeddings(
    place: Workspace, texts: Manifest, settings: PrepareSettings, encoder: TextEncoder, progress: Progress
) -> Manifest:
    """Embed each caption; actors have a GPU each where there are some."""
    made_of = fingerprint("embeddings", texts.version, encoder.fingerprint)
    if current := place.current("embeddings", made_of):
        return current
    facts = {"encoder": settings.encoder, "fingerprint": encoder.fingerprint, "dim": encoder.dim}

    blocks = slices(place.table("captions"), TEXTS_PER_BATCH)

    def transform(rows: ray.data.Dataset) -> ray.data.Dataset:
        from ray.data import ActorPoolStrategy

        gpus, cpus = int(resources().get("GPU", 0)), int(resources().get("CPU", 1))
        device = "cuda" if gpus else "cpu"
        with remote_arguments():
            # A little less than a CPU an actor leaves room for the tasks that write what the actors have made.
            return rows.map_batches(
                Embed,
                batch_format="pyarrow",
                batch_size=TEXTS_PER_BATCH,
                compute=ActorPoolStrategy(size=gpus or min(cpus, len(blocks))),
                fn_constructor_args=(settings.encoder, device),
                num_gpus=1 if gpus else None,
                num_cpus=0 if gpus else 0.9,
                max_restarts=actor_restarts(),
            )

    return write_rows(place, "embeddings", made_of, blocks, transform, progress, lambda rows: facts)


class Embed:
    """A Ray Data actor that holds the encoder: texts in, vectors out."""

    def __init__(self, encoder: str, device: str) -> None:
        self.encoder = TextEncoder(encoder, device=device)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Embed the column `text`; the columns piece_id and kind go through."""
        vectors = self.encoder.encode(batch["text"].to_pylist())
        values = pa.array(list(vectors), pa.list_(pa.float32()))
        return batch.select(["piece_id", "kind"]).append_column("vector", values)
