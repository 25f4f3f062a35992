"""Reads what `safetensors` writes, in batches of rows; trusts nothing that the file says of itself.

The library checks the header (its length, and that tensors fill the file without gap or overlap);
here follow types, shapes, and that every end lies behind the one before and inside its tensor.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.lists import row_of
from gazecode.export.rows import BATCH_ROWS, BATCH_VALUES
from gazecode.export.safetensors import NAMES, Tensor, ends_of, tensors_of
from gazecode.export.schema import (
    COUNTED_BY,
    SCHEMA_VERSION,
    BrokenRow,
    Column,
    arrow_schema,
    columns_of,
)
from gazecode.export.stored import Stored, file_error

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_safetensors", "open_safetensors"]

Ends = npt.NDArray[np.int64]
_DTYPES = {tensor.name: tensor.dtype for tensor in tensors_of(SCHEMA_VERSION)}
_MOST_BYTES = 2**31 - 1


def is_safetensors(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins as one: eight bytes of length, then a JSON object.

    JSON lines begin with an object, too, but their first eight bytes are no length a file has.

    >>> is_safetensors((2).to_bytes(8, "little") + b"{}", 10)
    True
    >>> is_safetensors(b'{"gazecode":{}}', 15)
    False
    """
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def open_safetensors(path: Path) -> Stored:
    """Open a safetensors file of the schema; the rows are read when they are asked for."""
    with _opened(path) as file:
        said = (file.metadata() or {}).get("gazecode")
        found = {name: _described(file, name) for name in file.keys()}  # noqa: SIM118 - no mapping
    version = metadata.version_of(said, found)
    return Stored(
        path=path,
        container="safetensors",
        metadata=said,
        version=version,
        columns=_problems(found, version),
        rows=lambda: _rows(path, version),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, SchemaError):
            raise
        raise file_error(path, "safetensors", error) from error


def _described(file: Any, name: str) -> str:
    tensor = file.get_slice(name)
    return f"{tensor.get_dtype()} with {len(tensor.get_shape())} dimensions"


def _problems(found: Mapping[str, str], version: int) -> dict[str, str]:
    """Columns of the file, and what is wrong with each or with the ends that belong to it."""
    tensors = {tensor.name: tensor for tensor in tensors_of(version)}
    owner = {ends_of(along): column for along, column in COUNTED_BY.items()}
    problems = {name: "" for name in found if not _is_ends(name, tensors)}
    for tensor in tensors.values():
        column = owner.get(tensor.name, tensor.name.removesuffix(".ends"))
        expected = f"{NAMES[tensor.dtype]} with 1 dimensions"
        said = found.get(tensor.name, "missing")
        if column in problems and said != expected:
            problems[column] = f"stored as {tensor.name}, {said}; expected {expected}"
    return problems


def _is_ends(name: str, tensors: Mapping[str, Tensor]) -> bool:
    return name in tensors and tensors[name].dtype == "int64"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file, opened anew for each batch: the pages it has shown would count as our memory."""

    path: Path
    version: int
    sizes: Mapping[str, int]

    def slices(self, asked: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """Give pieces of tensors by name, from and to."""
        with _opened(self.path) as file:
            # The library refuses to cut nothing out of an empty tensor.
            return {
                name: file.get_slice(name)[a:b] if a < b else np.empty(0, _DTYPES[name])
                for name, (a, b) in asked.items()
            }

    def borders(
        self, asked: Mapping[str, tuple[int, int]], of: Mapping[str, str]
    ) -> dict[str, Ends]:
        """``(n + 1,)`` borders of the rows or texts from a to b, checked against their tensors."""
        # One before the first says where it begins.
        raw = self.slices({name: (max(a - 1, 0), b) for name, (a, b) in asked.items()})
        borders = {}
        for name, (a, b) in asked.items():
            ends = raw[name] if a else np.concatenate([[0], raw[name]])
            size = self.sizes[of[name]]
            bad = np.flatnonzero((np.diff(ends) < 0) | (ends[1:] > size) | (ends[:-1] < 0))
            last = b == self.sizes[name] and ends[-1] != size
            if bad.size or last:
                i = int(bad[0]) if bad.size else b - a - 1
                raise _broken_end(self.path, name, a + i, int(ends[i + 1]), size)
            borders[name] = ends
        return borders


def _broken_end(path: Path, name: str, i: int, end: int, size: int) -> SchemaError:
    return SchemaError(
        f"{path.name}: {name} holds {end} at {i}; expected ends that never decrease, the last of "
        f"them {size}; export the file again"
    )


def _rows(path: Path, version: int) -> "Iterator[pa.RecordBatch]":
    row = 0
    try:
        file = _File(path=path, version=version, sizes=_sizes(path, version))
        total = file.sizes["n_people"]
        _check_sizes(file, total)
        for start in range(0, total, BATCH_ROWS):
            stop = min(start + BATCH_ROWS, total)
            for batch in _batches(file, start, stop):
                yield batch
                row += batch.num_rows
    except BrokenRow:
        raise
    except SchemaError as error:
        raise BrokenRow(str(error), row=row) from error


def _sizes(path: Path, version: int) -> dict[str, int]:
    with _opened(path) as file:
        return {
            tensor.name: int(file.get_slice(tensor.name).get_shape()[0])
            for tensor in tensors_of(version)
        }


def _check_sizes(file: _File, total: int) -> None:
    """Whatever counts rows must count the same, and whatever lies along one dimension, too."""
    expected = {}
    for column in columns_of(file.version):
        size = file.sizes[COUNTED_BY[column.along]] if column.is_list else total
        if column.is_list:
            expected[ends_of(column.along)] = total
        if column.name == "prior_sources":
            size = file.sizes[ends_of(column.name)]
        expected[ends_of(column.name) if column.element == "string" else column.name] = size
    for name, size in expected.items():
        if file.sizes[name] != size:
            raise SchemaError(
                f"{file.path.name}: tensor {name} has {file.sizes[name]} values; expected {size}, "
                "export the file again"
            )
    if not total and any(file.sizes.values()):
        raise SchemaError(f"{file.path.name}: values without rows; export the file again")


def _batches(file: _File, start: int, stop: int) -> "Iterator[pa.RecordBatch]":
    alongs = dict.fromkeys(c.along for c in columns_of(file.version) if c.is_list)
    of = {ends_of(along): _values_of(along) for along in alongs}
    borders = file.borders(dict.fromkeys(of, (start, stop)), of)
    values = sum(ends - ends[0] for ends in borders.values())
    # One long text among short ones: no more values at a time than elsewhere.
    cuts = np.flatnonzero(np.diff(values[1:] // BATCH_VALUES)) + 1
    edges = [0, *cuts.tolist(), stop - start]
    for a, b in pairwise(edges):
        part = {name: ends[a : b + 1] for name, ends in borders.items()}
        yield _batch(file, start + a, start + b, part)


def _values_of(along: str) -> str:
    """Tensor whose length is that of the dimension; texts are counted by their ends."""
    column = COUNTED_BY[along]
    return ends_of(column) if column == "prior_sources" else column


def _batch(file: _File, start: int, stop: int, borders: Mapping[str, Ends]) -> "pa.RecordBatch":
    import pyarrow as pa

    columns = columns_of(file.version)
    spans = {
        column.name: _span(borders[ends_of(column.along)]) if column.is_list else (start, stop)
        for column in columns
    }
    texts = {ends_of(c.name): c.name for c in columns if c.element == "string"}
    ends = file.borders({name: spans[column] for name, column in texts.items()}, texts)
    asked = {
        c.name: _span(ends[ends_of(c.name)]) if c.element == "string" else spans[c.name]
        for c in columns
    }
    raw = file.slices(asked)
    schema = arrow_schema(version=file.version)
    arrays = []
    for column, field in zip(columns, schema, strict=True):
        rows = borders[ends_of(column.along)] if column.is_list else np.arange(stop - start + 1)
        rows = rows - rows[0]
        where = _Place(path=file.path, column=column, rows=rows, first_row=start)
        inner = (
            _texts(raw[column.name], ends[ends_of(column.name)], where)
            if column.element == "string"
            else pa.array(_numbers(raw[column.name], where))
        )
        arrays.append(_listed(inner, rows, field.type) if column.is_list else inner)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _listed(inner: Any, borders: Ends, kind: Any) -> Any:
    import pyarrow as pa

    return pa.ListArray.from_arrays(pa.array(borders.astype(np.int32)), inner, type=kind)


def _span(borders: Ends) -> tuple[int, int]:
    return int(borders[0]), int(borders[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where values of a column stand, to name the row of one that is wrong."""

    path: Path
    column: Column
    rows: Ends
    first_row: int

    def broken(self, i: int, said: str) -> BrokenRow:
        """Name value number `i` of the batch."""
        row = self.first_row + row_of(self.rows, i)
        name = self.column.name
        return BrokenRow(
            f"{self.path.name}: row {row}: {name} {said}, export the file again",
            row=row,
            column=name,
        )


def _numbers(raw: Any, where: _Place) -> Any:
    if where.column.element != "bool":
        return raw
    stored = raw.view(np.uint8)
    bad = np.flatnonzero(stored > 1)
    if bad.size:
        raise where.broken(int(bad[0]), f"holds {stored[bad[0]]}; expected 0 or 1")
    return raw


def _texts(raw: Any, ends: Ends, where: _Place) -> Any:
    import pyarrow as pa

    offsets = ends - ends[0]
    if offsets[-1] > _MOST_BYTES:
        raise where.broken(0, f"and what follows are {offsets[-1]} bytes; expected fewer than 2^31")
    buffers = [
        None,
        pa.py_buffer(offsets.astype(np.int32)),
        pa.py_buffer(np.ascontiguousarray(raw)),
    ]
    texts = pa.Array.from_buffers(pa.string(), len(ends) - 1, buffers)
    try:
        texts.validate(full=True)
    except pa.ArrowException:
        values = pa.Array.from_buffers(pa.binary(), len(ends) - 1, buffers).to_pylist()
        bad = next(i for i, value in enumerate(values) if not _is_utf8(value))
        raise where.broken(bad, f"is {values[bad]!a:.60}; expected UTF-8") from None
    return texts


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
