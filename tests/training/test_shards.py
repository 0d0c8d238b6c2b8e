import resource
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.schemas import EMBEDDINGS, SEQUENCES
from amt_ray.training.batches import Variation, make_batch
from amt_ray.training.rows import rows_of_split
from amt_ray.training.shards import kept_shards, open_shards, write_shards

ARRAYS = ("ids", "starts", "n_controls", "n_context", "text_vectors")
FILES = ["ids", "text_vectors"] + [
    f"{split}_{name}"
    for split in ("train", "validation")
    for name in ("starts", "n_controls", "n_context", "text_first", "text_last")
]


class Reader:
    """Reads a table some rows at a time, as an artefact's files are read, and counts how often it is asked."""

    def __init__(self, table, rows_per_batch=4):
        self.table, self.rows_per_batch, self.n_read = table, rows_per_batch, 0

    def __call__(self, columns):
        self.n_read += 1
        yield from self.table.select(columns).to_batches(self.rows_per_batch)


def window(piece_id, number, split, ids):
    kept = {"piece_id": piece_id, "window": number, "split": split, "style": 0}
    return kept | {"ids": ids, "n_controls": len(ids) // 2, "n_context": len(ids) // 3}


def tables(seed=0):
    """Windows of four pieces, one without texts, and texts of four, one without windows; in random order."""
    rng = np.random.default_rng(seed)
    split_of = {"a": "train", "b": "validation", "cc": "train", "d": "train"}
    windows = [
        window(piece_id, number, split, rng.integers(0, 500, rng.integers(1, 9)).tolist())
        for piece_id, split in split_of.items() for number in range(12)
    ]  # fmt: skip
    texts = [
        {"piece_id": piece_id, "kind": kind, "vector": rng.normal(size=3).tolist()}
        for piece_id in ("b", "cc", "d", "c") for kind in ("wikipedia", "features-1", "features-0")
    ]  # fmt: skip
    rows = pa.Table.from_pylist(windows, SEQUENCES), pa.Table.from_pylist(texts, EMBEDDINGS)
    return [table.take(rng.permutation(len(table))) for table in rows]


def assert_equal(rows, expected):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(rows, name), getattr(expected, name), strict=True)
    assert [texts.tolist() for texts in rows.texts] == [texts.tolist() for texts in expected.texts]


def assert_holds(shards, sequences, embeddings):
    assert set(shards) == {"train", "validation"}
    for split, rows in shards.items():
        assert_equal(rows, rows_of_split(sequences, embeddings, split))


piece_ids = st.text("abc", min_size=1, max_size=2)
windows = st.tuples(piece_ids, st.integers(0, 12), st.sampled_from(["train", "validation"]), st.lists(st.integers(0, 65535)))
texts = st.tuples(piece_ids, st.sampled_from(["features-0", "features-1", "wikipedia"]), st.integers(-9, 9))


@given(
    st.lists(windows, unique_by=lambda row: row[:2]),
    st.lists(texts, min_size=1, unique_by=lambda row: row[:2]),
    st.integers(1, 9),
)
def test_shards_are_the_rows_of_the_splits_in_whatever_order_and_batches_these_come(windows, texts, rows_per_batch):
    sequences = pa.Table.from_pylist([window(*row) for row in windows], SEQUENCES)
    vectors = [{"piece_id": piece_id, "kind": kind, "vector": [x, x / 3]} for piece_id, kind, x in texts]
    embeddings = pa.Table.from_pylist(vectors, EMBEDDINGS)
    with TemporaryDirectory() as folder:
        write_shards(Path(folder) / "s", Reader(sequences, rows_per_batch), Reader(embeddings, rows_per_batch))
        assert_holds(open_shards(Path(folder) / "s"), sequences, embeddings)


def test_without_windows_and_texts_there_are_no_rows(tmp_path):
    none = SEQUENCES.empty_table(), EMBEDDINGS.empty_table()
    for rows in kept_shards(tmp_path / "w" / "v", *map(Reader, none)).values():
        assert (len(rows), rows.ids.tolist(), rows.starts.tolist(), list(rows.texts)) == (0, [], [0], [])
        assert rows.text_vectors.shape == (0, 0)


def file_of(array):
    """The file that an array, or the one that it is a view of, is mapped from."""
    return Path(array.filename) if isinstance(array, np.memmap) else file_of(array.base)


def test_rows_are_mapped_and_cannot_be_changed(tmp_path):
    for split, rows in kept_shards(tmp_path / "w" / "v", *map(Reader, tables())).items():
        arrays = {f"{split}_{name}": getattr(rows, name) for name in ("starts", "n_controls", "n_context")}
        arrays |= {f"{split}_text_first": rows.texts.firsts, f"{split}_text_last": rows.texts.lasts}
        for name, array in {"ids": rows.ids, "text_vectors": rows.text_vectors, **arrays}.items():
            assert file_of(array) == tmp_path / "w" / "v" / f"{name}.npy"
            assert not array.flags.writeable


def test_a_batch_of_mapped_rows_is_that_of_rows_in_memory(tmp_path):
    mapped = kept_shards(tmp_path / "w" / "v", *map(Reader, tables()))["train"]
    variation, with_texts = Variation(control_dropout=0.3, text_dropout=0.3), np.arange(12, 36)
    one, two = (make_batch(rows, with_texts, variation, (0,)) for rows in (mapped, rows_of_split(*tables(), "train")))
    for name in ("ids_BT", "targets_BT", "text_BE", "has_text_B"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), strict=True)


def test_shards_that_are_whole_are_not_written_again(tmp_path):
    sequences, embeddings = tables()
    for _ in range(2):
        readers = Reader(sequences), Reader(embeddings)
        assert_holds(kept_shards(tmp_path / "w" / "v", *readers), sequences, embeddings)
    assert [reader.n_read for reader in readers] == [0, 0]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("n_bytes", [None, 0, 5, 64, -1])
def test_shards_that_are_not_whole_are_written_again(name, n_bytes, tmp_path):
    sequences, embeddings = tables()
    folder = tmp_path / "w" / "v"
    kept_shards(folder, Reader(sequences), Reader(embeddings))
    path = folder / f"{name}.npy"
    data = path.read_bytes()
    path.unlink()
    if n_bytes is not None:
        path.write_bytes(data[:n_bytes])
    assert_holds(kept_shards(folder, Reader(sequences), Reader(embeddings)), sequences, embeddings)
    assert path.read_bytes() == data


def test_the_files_are_those_that_are_listed(tmp_path):
    kept_shards(tmp_path / "w" / "v", *map(Reader, tables()))
    assert sorted(path.name for path in (tmp_path / "w" / "v").iterdir()) == sorted(f"{name}.npy" for name in FILES)
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["lock", "v"]
    assert (tmp_path / "w").stat().st_mode & 0o777 == 0o700


def test_of_several_at_once_one_writes_and_the_others_wait(tmp_path):
    sequences, embeddings = tables()
    readers = [(Reader(sequences), Reader(embeddings)) for _ in range(8)]
    found, start = [], threading.Barrier(8)

    def ask(pair):
        start.wait()
        found.append(kept_shards(tmp_path / "w" / "v", *pair))

    threads = [threading.Thread(target=ask, args=[pair]) for pair in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reader.n_read for reader, _ in readers) == [0] * 7 + [2]
    assert len(found) == 8
    for shards in found:
        assert_holds(shards, sequences, embeddings)


def test_new_shards_replace_what_is_beside_them_and_whoever_has_that_open_keeps_it(tmp_path):
    before = tables(1)
    earlier = kept_shards(tmp_path / "w" / "1", *map(Reader, before))
    kept_shards(tmp_path / "other" / "1", *map(Reader, before))
    (tmp_path / "w" / "2.partial").mkdir()
    (tmp_path / "w" / "2.partial" / "ids.npy").write_bytes(b"cut off by a kill")
    after = tables(2)
    assert_holds(kept_shards(tmp_path / "w" / "2", *map(Reader, after)), *after)
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["2", "lock"]
    assert_holds(earlier, *before)
    assert (tmp_path / "other" / "1").exists()


@contextmanager
def files_of_at_most(n_bytes):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_an_error_and_nothing_stays_on_it(tmp_path):
    sequences, embeddings = tables()
    sequences = pa.concat_tables([sequences.set_column(1, "window", pa.array([n] * 48, pa.int32())) for n in range(400)])
    with files_of_at_most(100_000), pytest.raises(OSError, match="too large"):
        kept_shards(tmp_path / "w" / "v", Reader(sequences, 4096), Reader(embeddings))
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["lock"]


def test_a_reader_that_fails_leaves_nothing(tmp_path):
    sequences, embeddings = tables()

    def fails_when_read_again(columns):
        if columns == ["vector"]:
            raise RuntimeError("gone")
        return Reader(embeddings)(columns)

    with pytest.raises(RuntimeError, match="gone"):
        kept_shards(tmp_path / "w" / "v", Reader(sequences), fails_when_read_again)
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["lock"]
    assert_holds(kept_shards(tmp_path / "w" / "v", Reader(sequences), Reader(embeddings)), sequences, embeddings)
