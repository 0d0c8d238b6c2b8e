"""The files of a dump, and how they are cut into chunks that can be read apart from each other.

A chunk of XML is a range of bytes: a plain file is cut before any `<page>`; a .bz2 file where one of its streams begins with
one, as they all do in the multistream dumps of Wikipedia (100 pages each); other compressed files are one chunk. A chunk of
Parquet is a range of row groups.
"""

from __future__ import annotations

import bz2
import fnmatch
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, BinaryIO
from urllib.parse import quote

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from amt_ray.artifacts import filesystem_of
from amt_ray.errors import LibraryError
from amt_ray.wiki.dump import DumpPage, kept, parquet_pages, readable, site_base, xml_pages

CHUNK_BYTES = 64 * 2**20
"""About 20,000 pages of a .bz2 dump, which take 10 s to read."""

_DUMP_NAME = re.compile(r".*\.(?:parquet|xml(?:-p\d+p\d+)?(?:\.(?:bz2|gz|zst))?)", re.IGNORECASE)
_CODECS = {".bz2": "bz2", ".gz": "gzip", ".zst": "zstd"}
_WINDOW_BYTES = 2**20
_PAGE = b"<page>"
_BZ2_STREAM = re.compile(rb"BZh[1-9]1AY&SY")
_DAY = re.compile(r"(?<!\d)20\d{6}(?!\d)")


@dataclass(frozen=True)
class DumpFile:
    """One file of a dump."""

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Chunk:
    """A part of a dump file: bytes, or row groups of Parquet, from `start` up to `stop`."""

    path: str
    start: int
    stop: int
    is_last: bool
    n_bytes: int
    """As stored; for progress."""
    base: str
    """Beginning of every page's address; "" if each page tells its own."""
    name: str
    """Tells it from other chunks, and from those of the same file before a change."""


def dump_files(path: str) -> tuple[pafs.FileSystem, list[DumpFile]]:
    """Find a dump's files, sorted by path: one file, all of a folder and its subfolders, or those that a pattern fits.

    `path` is local or a URI that pyarrow.fs understands; in patterns, `*` stands for anything. Raises LibraryError if there
    are none.
    """
    folder = path[: path.rfind("/", 0, path.index("*")) + 1] if "*" in path else path
    with readable(path):
        fs, root = filesystem_of(folder or ".")
        info = fs.get_file_info(root)
        if info.type == pafs.FileType.NotFound:
            raise LibraryError(path, "there is no such file or folder", "name a Wikipedia dump (.xml, .xml.bz2, .parquet)")
        found = [info] if info.is_file else fs.get_file_info(pafs.FileSelector(root, recursive=True))
    pattern = f"{root}/{path.removeprefix(folder)}"
    files = [
        DumpFile(info.path, info.size, info.mtime_ns or 0)
        for info in found
        if info.is_file
        and (info.path == root or (fnmatch.fnmatchcase(info.path, pattern) if "*" in path else _is_dump(info)))
    ]
    if not files:
        raise LibraryError(
            path, "no dump in it (.xml, .xml.bz2, .xml.gz, .parquet)", "name a file, or a folder that holds some"
        )
    return fs, sorted(files, key=lambda file: file.path)


def chunks(fs: pafs.FileSystem, file: DumpFile, chunk_bytes: int = CHUNK_BYTES) -> list[Chunk]:
    """Cut a file into chunks of about `chunk_bytes`. Raises LibraryError for a file that is no dump."""
    with readable(file.path), fs.open_input_file(file.path) as opened:
        if _is_parquet(file.path):
            return _row_group_chunks(file, pq.ParquetFile(opened).metadata, chunk_bytes)
        codec = _codec(file.path)
        base = site_base(_decompressed(opened.get_stream(0, file.size_bytes), codec), file.path)
        cuts = (_page_start(opened, offset, codec) for offset in range(chunk_bytes, file.size_bytes, chunk_bytes))
        bounds = [0, *sorted({cut for cut in cuts if cut}), file.size_bytes]
        return [_chunk(file, start, stop, stop == file.size_bytes, stop - start, base) for start, stop in pairwise(bounds)]


def chunk_pages(fs: pafs.FileSystem, chunk: Chunk) -> Iterator[DumpPage]:
    """Read the pages of a chunk. Raises LibraryError for what is damaged."""
    with readable(chunk.path), fs.open_input_file(chunk.path) as opened:
        if _is_parquet(chunk.path):
            yield from parquet_pages(opened, chunk.path, range(chunk.start, chunk.stop))
            return
        stream = _decompressed(opened.get_stream(chunk.start, chunk.stop - chunk.start), _codec(chunk.path))
        opening = b"<mediawiki>" if chunk.start else b""
        yield from xml_pages(stream, chunk.path, opening, b"" if chunk.is_last else b"</mediawiki>")


def gather(fs: pafs.FileSystem, chunk: Chunk, wanted: Container[str]) -> Iterator[dict[str, Any]]:
    """Read a chunk and yield rows of `KEPT` of the pages whose titles are wanted."""
    for page in chunk_pages(fs, chunk):
        if page.title in wanted:
            yield kept(page, page.url or page_url(chunk.base, page.title))


def page_url(base: str, title: str) -> str:
    """Return a page's address, spelled as MediaWiki's wfUrlencode does; "" without a base."""
    return base + quote(title.replace(" ", "_"), safe=";@$!*(),/~:") if base else ""


def dumped_at(path: str) -> str:
    """Return the day of a dump from its path (enwiki-20240101-…, 20231101.en/…), in ISO 8601; "" if it has none."""
    for day in reversed(_DAY.findall(path)):
        try:
            return datetime.strptime(day, "%Y%m%d").strftime("%Y-%m-%dT00:00:00Z")
        except ValueError:
            continue
    return ""


def _is_dump(info: pafs.FileInfo) -> bool:
    return _DUMP_NAME.fullmatch(info.base_name) is not None


def _is_parquet(path: str) -> bool:
    return path.lower().endswith(".parquet")


def _codec(path: str) -> str | None:
    return _CODECS.get(path[path.rfind(".") :].lower())


def _decompressed(stream: pa.NativeFile, codec: str | None) -> BinaryIO:
    readable_stream: BinaryIO = pa.CompressedInputStream(stream, codec) if codec else stream
    return readable_stream


def _chunk(file: DumpFile, start: int, stop: int, is_last: bool, n_bytes: int, base: str = "") -> Chunk:
    name = f"{file.path}:{file.size_bytes}:{file.modified_ns}:{start}-{stop}"
    return Chunk(file.path, start, stop, is_last, n_bytes, base, name)


def _row_group_chunks(file: DumpFile, metadata: pq.FileMetaData, chunk_bytes: int) -> list[Chunk]:
    bounds, n_bytes = [0], [0]
    for group in range(metadata.num_row_groups):
        if n_bytes[-1] >= chunk_bytes:
            bounds.append(group)
            n_bytes.append(0)
        columns = (metadata.row_group(group).column(column) for column in range(metadata.num_columns))
        n_bytes[-1] += sum(column.total_compressed_size for column in columns)
    stops = [*bounds[1:], metadata.num_row_groups]
    return [
        _chunk(file, start, stop, stop == stops[-1], size) for start, stop, size in zip(bounds, stops, n_bytes, strict=True)
    ]


def _page_start(opened: pa.NativeFile, offset: int, codec: str | None) -> int | None:
    """The first place from `offset` on where a file can be cut; None if none is near."""
    if codec not in (None, "bz2"):
        return None
    opened.seek(offset)
    window = opened.read(_WINDOW_BYTES)
    if codec is None:
        found = window.find(_PAGE)
        return None if found < 0 else offset + found
    stream = _BZ2_STREAM.search(window)
    if stream is None:
        return None
    try:
        beginning = bz2.BZ2Decompressor().decompress(window[stream.start() :], 64)
    except OSError:
        return None
    return offset + stream.start() if beginning.lstrip().startswith(_PAGE) else None
