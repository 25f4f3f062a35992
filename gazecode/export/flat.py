"""A batch of examples as one Arrow record batch: its columns are already laid end to end."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.rows import Flat, record_batch
from gazecode.export.schema import Column
from gazecode.model import LABELS, ExampleBatch
from gazecode.model.labels import CodeArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["flat_batch"]

_OF_ALL = ("n_people", "route")
"""What the examples of a batch have in common, said once."""


def flat_batch(examples: ExampleBatch) -> "pa.RecordBatch":
    """Turn a batch of examples into one record batch: what `to_batch` gives of them one by one.

    Raises
    ------
    DataError
        A value the schema cannot hold: not finite, beyond 32 bits, or a text that is not Unicode.
    """
    return record_batch(examples.example_id, lambda column: _column(examples, column))


def _column(examples: ExampleBatch, column: Column) -> Flat:
    rows = np.arange(len(examples) + 1)
    values = getattr(examples, column.name)
    if column.name == "prior_sources":
        return list(values) * len(examples), rows * len(values)
    if column.name == "token_label":
        return _labels(values), examples.first_token
    if column.is_list:
        return values, getattr(examples, f"first_{column.along}")
    if column.name in _OF_ALL:
        return [values] * len(examples), rows
    return values, rows


def _labels(codes: CodeArray) -> Any:
    import pyarrow as pa

    return pa.array(LABELS, pa.string()).take(pa.array(codes))
