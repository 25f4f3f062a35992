"""Rows of a table as examples: what a data library hands out one by one, in whatever format.

Needs none of these libraries: a row is a mapping of the schema's columns to lists, arrays or CPU
tensors. `gazecode.adapters.datasets` gives such rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from gazecode.errors import DataError
from gazecode.export import COLUMNS
from gazecode.model import Example

__all__ = ["CONTENT", "example_of", "of_rows"]

Given = TypeVar("Given")

CONTENT = tuple(column for column in COLUMNS if column.name != "row_digest")
"""Columns that are fields of an example."""


def example_of(row: Mapping[str, Any]) -> Example:
    """Turn one row, as a dataset gives it in whatever format, into an example.

    Parameters
    ----------
    row
        Column name to value: lists, arrays or CPU tensors. Columns beyond the schema's are passed
        over, those an example has a default for may be missing.

    Raises
    ------
    DataError
        A column is missing, or its values cannot be those of the schema.

    Examples
    --------
    >>> names = ("example_id", "source_id", "participant", "trial", "language", "text")
    >>> lists = ("loss_mask", "weight", "attention", "on_path", "token_index")
    >>> tokens = ("token_start", "token_end", "token_label", "token_value")
    >>> row = dict.fromkeys(names, "x") | dict.fromkeys(lists, [1, 0]) | dict.fromkeys(tokens, [])
    >>> example_of(row | {"input_ids": [40, 7]}).loss_mask
    array([ True, False])
    """
    fields = {c.name: _value(row[c.name], c.element, c.is_list) for c in CONTENT if c.name in row}
    try:
        return Example(**fields)
    except TypeError as error:
        raise DataError(
            f"a row with the columns {', '.join(row)} is no example ({error}); "
            "keep the columns that load gives"
        ) from error


def of_rows(collate: Callable[[list[Example]], Given]) -> "Callable[[Sequence[Any]], Given]":
    """Make a function that collates examples into one that collates a dataset's rows.

    ``DataLoader(load(path), collate_fn=of_rows(collate))``; examples themselves pass, too.

    Parameters
    ----------
    collate
        List of examples to batch. Must be one that pickles where workers are spawned.

    Examples
    --------
    >>> of_rows(len)([])
    0
    """
    return partial(_collate_rows, collate)


def _collate_rows(collate: Callable[[list[Example]], Given], rows: Iterable[Any]) -> Given:
    return collate([row if isinstance(row, Example) else example_of(row) for row in rows])


def _value(value: Any, element: str, is_list: bool) -> Any:  # noqa: FBT001 - of one column
    if element == "string":
        # Never through an array of texts, which cuts U+0000 at the end; numpy's become Python's.
        plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        return tuple(plain) if is_list else plain
    return np.asarray(value) if is_list else np.asarray(value).item()
