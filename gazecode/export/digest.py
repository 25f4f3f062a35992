"""A digest of one row that does not depend on the container. The recipe is in ``docs/schema.md``.

SHA-256 over the columns of the row in the order of the schema, ``row_digest`` left out. Everything
is little-endian; every text and list is preceded by its length, so that no two different rows give
the same bytes.
"""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.lists import flat_values
from gazecode.export.schema import COLUMNS, Column

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PREFIX", "batch_digests"]

PREFIX = b"gazecode row 1\n"
"""Names the recipe: a digest of another version, or of something else, is never equal."""

_DTYPES = {"int32": "<i4", "float": "<f4", "bool": "u1"}

Pieces = Callable[[int], bytes]


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
    encoders = [
        _encoder(batch.column(column.name), column)
        for column in COLUMNS
        if column.name != "row_digest"
    ]
    return [
        hashlib.sha256(PREFIX + b"".join([encode(row) for encode in encoders])).hexdigest()
        for row in range(batch.num_rows)
    ]


def _encoder(values: Any, column: Column) -> Pieces:
    """Return a function from the number of a row to the bytes of its value."""
    if not column.is_list:
        return _scalars(values, column)
    flat, borders = flat_values(values)
    if column.element == "string":
        return _list_of_texts(_texts(flat), borders.tolist())
    return _list_of_numbers(_numbers(flat, column.element), borders.tolist())


def _scalars(values: Any, column: Column) -> Pieces:
    if column.element == "string":
        return _texts(values).__getitem__
    numbers = _numbers(values, column.element)
    return lambda row: numbers[row].tobytes()


def _list_of_texts(flat: list[bytes], borders: list[int]) -> Pieces:
    def encode(row: int) -> bytes:
        a, b = borders[row], borders[row + 1]
        return _length(b - a) + b"".join(flat[a:b])

    return encode


def _list_of_numbers(flat: "np.ndarray[Any, Any]", borders: list[int]) -> Pieces:
    def encode(row: int) -> bytes:
        a, b = borders[row], borders[row + 1]
        return _length(b - a) + flat[a:b].tobytes()

    return encode


def _length(count: int) -> bytes:
    return count.to_bytes(8, "little")


def _texts(values: Any) -> list[bytes]:
    """Encode each text once, however often it occurs: labels are few and repeat."""
    coded = values.cast("binary").dictionary_encode()
    encoded = [_length(len(raw)) + raw for raw in coded.dictionary.to_pylist()]
    return [encoded[i] for i in coded.indices.to_pylist()]


def _numbers(values: Any, element: str) -> "np.ndarray[Any, Any]":
    # Arrow packs truth values in bits; here they are one byte each, 0 or 1.
    return np.asarray(values.to_numpy(zero_copy_only=False)).astype(_DTYPES[element], copy=False)
