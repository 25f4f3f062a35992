"""Reads what `hdf5` writes, in blocks of rows; trusts nothing that the file says about itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import SchemaError
from gazecode.export import metadata
from gazecode.export.hdf5 import CACHE_BYTES, LENGTHS, dimensions
from gazecode.export.lists import row_of
from gazecode.export.padding import DTYPES, MOST_CELLS, blocks, unpad
from gazecode.export.rows import BATCH_ROWS
from gazecode.export.schema import BY_NAME, BrokenRow, Column, arrow_schema, columns_of
from gazecode.export.stored import Stored, file_error

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["open_hdf5"]

_OPEN: Mapping[str, Any] = {"decode_vlen_strings": True, "phony_dims": "sort"}
"""Dimensions without a name get one, so that the wrong variable can be named."""
_BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError)
"""What h5py raises on a damaged file; a text that is not UTF-8 is a ValueError."""

MOST_VALUES = 2**24
"""Longest list of a row that is read: a small file may say any length of what it does not hold."""

Lengths = Mapping[str, "np.ndarray[Any, Any]"]


def open_hdf5(path: Path) -> Stored:
    """Open an HDF5 file of the schema; the rows are read when they are asked for."""
    import h5netcdf
    import h5py

    try:
        with h5py.File(path, "r") as raw:
            _refuse_elsewhere(raw, path)
        with h5netcdf.File(path, "r", **_OPEN) as file:
            attribute = file.attrs.get("gazecode")
            columns = {
                name: _variable_problem(name, variable) for name, variable in file.variables.items()
            }
    except _BROKEN as error:
        raise file_error(path, "HDF5", error) from error
    said = attribute if isinstance(attribute, str) else None
    version = metadata.version_of(said, columns)
    for length in _lengths_of(version).values():
        problem = columns.pop(length.name, "missing")
        if problem:
            raise SchemaError(
                f"{path.name}: variable {length.name} is {problem}; expected int32 along example, "
                "export the file again"
            )
    return Stored(
        path=path,
        container="HDF5",
        metadata=said,
        version=version,
        columns=columns,
        rows=lambda: _rows(path, version),
    )


def _refuse_elsewhere(raw: Any, path: Path) -> None:
    """Refuse what HDF5 would read from another file, any that a stranger's file may name."""
    import h5py

    for name in raw:
        if not isinstance(raw.get(name, getlink=True), h5py.HardLink):
            raise _elsewhere(path, name)
        found = raw[name]
        if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
            raise _elsewhere(path, name)


def _elsewhere(path: Path, name: str) -> SchemaError:
    return SchemaError(
        f"{path.name}: variable {name!a:.60} is a link or lies in another file; expected it in "
        "this file, export the file again"
    )


def _lengths_of(version: int) -> Mapping[str, Column]:
    """Padded dimensions of a version, and the variable that says how much of each is content."""
    return {along: length for along, length in LENGTHS.items() if length.since <= version}


def _variable_problem(name: str, variable: Any) -> str:
    known = {length.name: length for length in LENGTHS.values()} | dict(BY_NAME)
    if name not in known:
        return ""
    column = known[name]
    found = "string" if _is_text(variable) else str(variable.dtype)
    expected = DTYPES.get(column.element, "string")
    if found == expected and variable.dimensions == dimensions(column):
        return ""
    return (
        f"{found} along {' and '.join(variable.dimensions) or 'nothing'}; expected {expected} "
        f"along {' and '.join(dimensions(column))}"
    )


def _is_text(variable: Any) -> bool:
    return bool(variable.dtype == object) or variable.dtype is str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The open variables of a file and the version of the schema by which they are read."""

    path: Path
    version: int
    data: Mapping[str, Any]


def _rows(path: Path, version: int) -> "Iterator[pa.RecordBatch]":
    # The names of the dimensions were checked with h5netcdf; for every further question it walks
    # through all variables, h5py alone reads many times faster.
    import h5py

    row = 0
    try:
        with h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES) as raw:
            columns = (*columns_of(version), *_lengths_of(version).values())
            data = {column.name: raw[column.name] for column in columns}
            file = _File(path=path, version=version, data=data)
            total = _shared_size(file)
            for start in range(0, total, BATCH_ROWS):
                for batch in _batches(file, start, min(start + BATCH_ROWS, total)):
                    yield batch
                    row += batch.num_rows
    except _BROKEN as error:
        raise BrokenRow(str(file_error(path, "HDF5", error)), row=row) from error


def _read(dataset: Any, *cells: slice) -> Any:
    return dataset.asstr()[cells] if dataset.dtype == object else dataset[cells]


def _shared_size(file: _File) -> int:
    """Return the number of rows, which all variables must have."""
    sizes = {name: int(dataset.shape[0]) for name, dataset in file.data.items()}
    total = sizes[LENGTHS["position"].name]
    for name, size in sizes.items():
        if size != total:
            raise SchemaError(
                f"{file.path.name}: variable {name} has {size} examples; expected {total} as in "
                "length, export the file again"
            )
    return total


def _batches(file: _File, start: int, stop: int) -> "Iterator[pa.RecordBatch]":
    lengths = {along: _lengths(file, along, start, stop) for along in _lengths_of(file.version)}
    longest = np.maximum.reduce(list(lengths.values()))
    small = int(longest.max()) * (stop - start) <= MOST_CELLS
    for a, b in [(0, stop - start)] if small else blocks(longest):
        part = {along: length[a:b] for along, length in lengths.items()}
        yield _batch(file, start + a, start + b, part)


def _lengths(file: _File, along: str, start: int, stop: int) -> "np.ndarray[Any, Any]":
    name = LENGTHS[along].name
    lengths = np.asarray(file.data[name][start:stop])
    columns = (column for column in columns_of(file.version) if column.along == along)
    size = min(MOST_VALUES, *(file.data[column.name].shape[1] for column in columns))
    bad = np.flatnonzero((lengths < 0) | (lengths > size))
    if bad.size:
        row = start + int(bad[0])
        raise BrokenRow(
            f"{file.path.name}: row {row} has {name} {lengths[bad[0]]}; expected 0 to {size}, "
            "export the file again",
            row=row,
            column=name,
        )
    return lengths


def _batch(file: _File, start: int, stop: int, lengths: Lengths) -> "pa.RecordBatch":
    import pyarrow as pa

    arrays = []
    schema = arrow_schema(version=file.version)
    for column, field in zip(columns_of(file.version), schema, strict=True):
        variable = file.data[column.name]
        if column.along not in LENGTHS:
            values = _read(variable, slice(start, stop))
            rows = (
                [_sources(v, start + i, file.path) for i, v in enumerate(values)]
                if column.is_list
                else values
            )
            arrays.append(pa.array(rows, field.type))
            continue
        length = lengths[column.along]
        width = int(length.max(initial=0))
        flat = unpad(_read(variable, slice(start, stop), slice(width)), length)
        ends = np.concatenate([[0], np.cumsum(length, dtype=np.int64)])
        inner = pa.array(_checked(flat, column, ends, start, file.path), field.type.value_type)
        offsets = pa.array(ends.astype(np.int32), pa.int32())
        arrays.append(pa.ListArray.from_arrays(offsets, inner, type=field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _checked(
    flat: Any, column: Column, ends: "np.ndarray[Any, Any]", first_row: int, path: Path
) -> Any:
    if column.element != "bool":
        return flat
    bad = np.flatnonzero((flat != 0) & (flat != 1))
    if bad.size:
        row = first_row + row_of(ends, int(bad[0]))
        raise BrokenRow(
            f"{path.name}: row {row}: {column.name} holds {flat[bad[0]]}; expected 0 or 1, "
            "export the file again",
            row=row,
            column=column.name,
        )
    return flat.astype(bool)


def _sources(text: str, row: int, path: Path) -> list[str]:
    try:
        sources = json.loads(text)
    except (ValueError, RecursionError):
        sources = None
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        raise BrokenRow(
            f"{path.name}: row {row}: prior_sources is {text!a:.60}; expected a JSON list of "
            "texts, export the file again",
            row=row,
            column="prior_sources",
        )
    return sources
