"""Examples in memory as labelled tensors, laid out as in the HDF5 file."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export import metadata
from gazecode.export.hdf5 import (
    LENGTHS,
    dimensions,
    file_attributes,
    one_per_row,
    variable_attributes,
)
from gazecode.export.padding import pad
from gazecode.export.rows import to_batch
from gazecode.export.schema import COLUMNS, COUNTED_BY, Column
from gazecode.model import Example

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["to_xarray"]


def to_xarray(examples: Iterable[Example]) -> "xr.Dataset":
    """Return examples as one `xarray.Dataset`, everything in memory.

    Parameters
    ----------
    examples
        Any iterable.

    Returns
    -------
    xarray.Dataset
        Dimensions ``example``, ``position``, ``token``, ``segment`` and ``transition``; the
        variables of the schema with ``units``, lists padded (NaN, -1, False, ""), ``length``,
        ``token_length``, ``segment_length`` and ``transition_length`` per example, ``example_id``
        as coordinate. Equal to what `xarray.open_dataset` gives for the file that
        `to_hdf5` writes.

    Raises
    ------
    DataError
        A value the schema cannot hold.

    Examples
    --------
    >>> to_xarray([])["weight"].dims
    ('example', 'position')
    """
    import xarray as xr

    batch = to_batch(list(examples))
    lengths = {
        along: batch.column(COUNTED_BY[along]).value_lengths().to_numpy().astype(np.int32)
        for along in LENGTHS
    }
    said = metadata.for_examples()
    columns = {column.name: _rectangle(batch, column, lengths) for column in COLUMNS}
    columns |= {length.name: lengths[along] for along, length in LENGTHS.items()}
    variables = {
        column.name: (dimensions(column), columns[column.name], _attributes(column))
        for column in (*COLUMNS, *LENGTHS.values())
    }
    return xr.Dataset(variables, attrs=file_attributes(said)).set_coords("example_id")


def _attributes(column: Column) -> dict[str, Any]:
    attributes = variable_attributes(column, {})
    # In memory these two are said by the dataset itself.
    return {k: v for k, v in attributes.items() if k not in {"coordinates", "dtype"}}


def _rectangle(batch: Any, column: Column, lengths: dict[str, Any]) -> Any:
    values = batch.column(column.name)
    if column.along not in LENGTHS:
        return one_per_row(values, column)
    flat = values.flatten().to_numpy(zero_copy_only=False)
    rectangle = pad(flat, lengths[column.along], column)
    return rectangle.astype(bool) if column.element == "bool" else rectangle
