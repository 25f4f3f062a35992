"""A batch of examples as one Arrow record batch: its columns are already laid end to end."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.rows import Flat, record_batch
from gazecode.export.schema import Column
from gazecode.model import LABELS, ExampleBatch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["flat_batch"]


def flat_batch(examples: ExampleBatch) -> "pa.RecordBatch":
    """Turn a batch of examples into one record batch: what `to_batch` gives of them one by one.

    Raises
    ------
    DataError
        A value the schema cannot hold: not finite, beyond 32 bits, or a text that is not Unicode.
    """
    return record_batch(examples.example_id, lambda column: _column(examples, column))


def _column(examples: ExampleBatch, column: Column) -> Flat:
    if column.along == "token":
        return _tokens(examples, column), examples.first_token
    values = getattr(examples, column.name)
    if column.along == "position":
        return values, examples.first_position
    rows = np.arange(len(examples) + 1)
    if column.name == "prior_sources":
        return list(values) * len(examples), rows * len(values)
    if column.name == "n_people":
        return np.full(len(examples), values), rows
    return values, rows


def _tokens(examples: ExampleBatch, column: Column) -> Any:
    import pyarrow as pa

    values = getattr(examples, column.name)
    if column.name != "token_label":
        return values
    return pa.array(LABELS, pa.string()).take(pa.array(values))
