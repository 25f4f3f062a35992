"""Rows of an older version as rows of the current one: what is new gets its usual value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.export.digest import batch_digests
from gazecode.export.schema import COLUMNS, SCHEMA_VERSION, Column, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["USUAL", "upgrade_batch"]

USUAL: Mapping[str, Any] = {"n_windows": 1, "attention_share": 1.0}
"""What a column holds where nobody says; all others are empty or 0."""


def upgrade_batch(batch: "pa.RecordBatch", version: int) -> "pa.RecordBatch":
    """Return rows of `version` as rows of the current version.

    A row whose digest fits gets the digest of the current recipe. One that was edited keeps its
    own, which fits nothing, so that `validate` still finds it.

    Parameters
    ----------
    batch
        Without nulls, with the columns of `version`.
    version
        Of the file the rows are from.
    """
    import pyarrow as pa

    if version == SCHEMA_VERSION:
        return batch
    schema = arrow_schema()
    arrays = [
        batch.column(column.name)
        if column.since <= version
        else _usual(column, schema.field(column.name).type, batch.num_rows)
        for column in COLUMNS
    ]
    said = batch.column("row_digest").to_pylist()
    fits = batch_digests(batch, version=version)
    current = batch_digests(pa.RecordBatch.from_arrays(arrays, schema=schema))
    digests = [_digest(*digest) for digest in zip(said, fits, current, strict=True)]
    arrays[-1] = pa.array(digests, pa.string())
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _digest(said: str, fits: str, current: str) -> str:
    if said == fits:
        return current
    # By the recipe of its own version it is wrong, whatever it fits by another.
    return "" if said == current else said


def _usual(column: Column, kind: Any, rows: int) -> Any:
    import pyarrow as pa

    if column.is_list:
        offsets = pa.array(np.zeros(rows + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type), type=kind)
    value = USUAL.get(column.name, "" if column.element == "string" else 0)
    return pa.repeat(pa.scalar(value, kind), rows)
