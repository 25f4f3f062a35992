"""A digest of one row that does not depend on the container. The recipe is in ``docs/schema.md``.

SHA-256 over the columns of the row in the order of the schema, ``row_digest`` left out. Everything
is little-endian; every text and list is preceded by its length, so that no two different rows give
the same bytes. The bytes begin with the version, whose columns are those that count.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.lists import flat_values
from gazecode.export.schema import SCHEMA_VERSION, Column, columns_of
from gazecode.model.checks import IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["batch_digests", "prefix"]

_DTYPES = {"int32": "<i4", "float": "<f4", "bool": "u1"}

Part = bytes | Iterable[bytes | memoryview]
"""Bytes of each row, or those that all rows have."""
Lengths = dict[bytes, Part]
"""Lengths of lists as bytes: columns along one dimension share them."""


def prefix(version: int) -> bytes:
    """Name the recipe: a digest of another version, or of something else, is never equal."""
    return b"gazecode row %d\n" % version


def batch_digests(batch: "pa.RecordBatch", *, version: int = SCHEMA_VERSION) -> list[str]:
    """Digest of every row of a batch without nulls; a column ``row_digest`` is not looked at.

    Parameters
    ----------
    batch
        Arrow record batch with the columns of the schema.
    version
        Of the schema, and so of the recipe.

    Returns
    -------
    list of str
        64 hexadecimal digits per row.
    """
    if not batch.num_rows:
        return []
    parts: list[Part] = [prefix(version)]
    lengths: Lengths = {}
    for column in columns_of(version)[:-1]:
        parts += _parts(batch.column(column.name), column, lengths)
    rows = zip(*_joined(parts), strict=False)
    return [hashlib.sha256(b"".join(row)).hexdigest() for row in islice(rows, batch.num_rows)]


def _joined(parts: list[Part]) -> Iterator[Iterable[bytes | memoryview]]:
    """Parts that all rows share, joined with their neighbours: a corpus has many such columns."""
    shared = b""
    for part in parts:
        if isinstance(part, bytes):
            shared += part
            continue
        yield repeat(shared)
        yield part
        shared = b""
    yield repeat(shared)


def _parts(values: Any, column: Column, lengths: Lengths) -> Iterator[Part]:
    """The bytes of a column by row; of a list first its lengths, then what is in it."""
    if column.is_list:
        flat, borders = flat_values(values)
        raw_lengths = np.diff(borders).astype("<u8").tobytes()
        if raw_lengths not in lengths:
            lengths[raw_lengths] = _by_row(raw_lengths, 8 * np.arange(len(borders)))
        yield lengths[raw_lengths]
        if not borders[-1]:
            return
    else:
        flat, borders = values, np.arange(len(values) + 1)
    raw, at = (_texts if column.element == "string" else _numbers)(flat, column, borders)
    yield _by_row(raw, at)


def _by_row(raw: bytes | memoryview, at: IntArray) -> Part:
    sizes = np.diff(at)
    if (sizes == sizes[0]).all():
        rows = np.frombuffer(raw, np.uint8)[at[0] : at[-1]].reshape(len(sizes), -1)
        if (rows == rows[0]).all():
            return bytes(rows[0].data)
    return [raw[a:b] for a, b in pairwise(at.tolist())]


def _length(count: int) -> bytes:
    return count.to_bytes(8, "little")


def _texts(values: Any, _: Column, borders: IntArray) -> tuple[memoryview, IntArray]:
    """All texts with their lengths, end to end, and where those of each row begin.

    Each is encoded once, however often it occurs: labels are few and repeat.
    """
    import pyarrow as pa

    coded = values.cast("binary").dictionary_encode()
    encoded = [_length(len(raw)) + raw for raw in coded.dictionary.to_pylist()]
    if len(encoded) == 1:
        return memoryview(encoded[0] * len(values)), borders * len(encoded[0])
    whole = pa.array(encoded, pa.large_binary()).take(coded.indices)
    if not len(whole):
        return memoryview(b""), borders
    _, ends, data = whole.buffers()
    return memoryview(data), np.frombuffer(ends, np.int64, len(whole) + 1)[borders]


def _numbers(values: Any, column: Column, borders: IntArray) -> tuple[memoryview, IntArray]:
    # Arrow packs truth values in bits; here they are one byte each, 0 or 1.
    numbers = np.asarray(values.to_numpy(zero_copy_only=False))
    fixed = np.ascontiguousarray(numbers, dtype=_DTYPES[column.element])
    return fixed.view(np.uint8).data, borders * fixed.itemsize
