"""Rows through Ray Data into an artefact: how the stages of `amt prepare` cut their input and write what they make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from amt_ray.artifacts import Manifest, Workspace
from amt_ray.pipelines.cluster import block_count, start_ray
from amt_ray.pipelines.parts import RowCount
from amt_ray.pipelines.progress import Progress, polled

if TYPE_CHECKING:
    import ray.data

_COUNTED = {"captions": "pieces described", "embeddings": "texts embedded", "sequences": "pieces encoded"}
"""What progress counts while an artefact is made: the rows that go in."""


def slices(table: pa.Table, rows_per_block: int) -> list[pa.Table]:
    """Cut a table into blocks: enough for every CPU to have some, and few, for each has its cost."""
    start_ray()
    size = -(-table.num_rows // block_count(table.num_rows, rows_per_block))
    return [table.slice(start, size) for start in range(0, table.num_rows, size)]


def write_rows(
    place: Workspace,
    name: str,
    made_of: str,
    blocks: Sequence[pa.Table],
    transform: Callable[[ray.data.Dataset], ray.data.Dataset],
    progress: Progress,
    facts_of: Callable[[pa.Table], dict[str, Any]] = lambda rows: {},
) -> Manifest:
    """Run input blocks through a Ray Data transform into a new version of an artefact, and commit it."""
    start_ray()
    import ray.data

    folder = place.begin(name, made_of)
    count = RowCount(place.fs, folder)

    def inputs_done() -> int:
        count()
        return sum(block.num_rows for block in blocks[: len(count.by_part)])

    with polled(progress, _COUNTED[name], sum(block.num_rows for block in blocks), inputs_done):
        dataset = transform(ray.data.from_blocks(list(blocks)))
        dataset.write_parquet(folder, filesystem=place.fs, ray_remote_args={"num_cpus": 0.1})
    manifest = Manifest(made_of, made_of, count(), facts=facts_of(place.rows(name, made_of)))
    place.commit(name, manifest)
    return manifest
