"""A digest of one row that does not depend on the container. The recipe is in ``docs/schema.md``.

SHA-256 over the columns of the row in the order of the schema, ``row_digest`` left out. Everything
is little-endian; every text and list is preceded by its length, so that no two different rows give
the same bytes.
"""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.lists import flat_values
from gazecode.export.schema import COLUMNS, Column
from gazecode.model.checks import IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PREFIX", "batch_digests"]

PREFIX = b"gazecode row 1\n"
"""Names the recipe: a digest of another version, or of something else, is never equal."""

_DTYPES = {"int32": "<i4", "float": "<f4", "bool": "u1"}


def batch_digests(batch: "pa.RecordBatch") -> list[str]:
    """Digest of every row of a batch without nulls; a column ``row_digest`` is not looked at.

    Parameters
    ----------
    batch
        Arrow record batch with the columns of the schema.

    Returns
    -------
    list of str
        64 hexadecimal digits per row.
    """
    parts = [part for column in COLUMNS[:-1] for part in _parts(batch.column(column.name), column)]
    return [
        hashlib.sha256(b"".join((PREFIX, *row))).hexdigest() for row in zip(*parts, strict=True)
    ]


def _parts(values: Any, column: Column) -> Iterator[Iterator[bytes | memoryview]]:
    """The bytes of a column by row; of a list first its lengths, then what is in it."""
    if column.is_list:
        flat, borders = flat_values(values)
        yield (_length(count) for count in np.diff(borders).tolist())
    else:
        flat, borders = values, np.arange(len(values) + 1)
    raw, at = (_texts if column.element == "string" else _numbers)(flat, column, borders)
    yield (raw[a:b] for a, b in pairwise(at.tolist()))


def _length(count: int) -> bytes:
    return count.to_bytes(8, "little")


def _texts(values: Any, _: Column, borders: IntArray) -> tuple[memoryview, IntArray]:
    """All texts with their lengths, end to end, and where those of each row begin.

    Each is encoded once, however often it occurs: labels are few and repeat.
    """
    import pyarrow as pa

    coded = values.cast("binary").dictionary_encode()
    encoded = [_length(len(raw)) + raw for raw in coded.dictionary.to_pylist()]
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
