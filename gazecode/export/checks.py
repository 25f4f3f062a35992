"""What must hold within a batch of rows; each check names the rows it finds.

The checks are the same for all containers, because every container is read into Arrow batches.
Those of the columns that version 2 brought are in `gazecode.export.checks_v2`.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gazecode.export.checked import Finding, Rows, first_values, take_apart
from gazecode.export.checks_v2 import AMONG_LISTS_V2, CHECKS_V2
from gazecode.export.digest import batch_digests
from gazecode.export.schema import COUNTED_BY, SCHEMA_VERSION, columns_of
from gazecode.model.checks import BoolArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ATTENTION_TOLERANCE", "check_batch"]

ATTENTION_TOLERANCE = 1e-5
"""How far the attention of a row may be from 1: float32 rounds each mass by up to 6e-8 of it."""

Check = Callable[[Rows], Iterator[Finding]]


def check_batch(batch: "pa.RecordBatch", version: int = SCHEMA_VERSION) -> Iterator[Finding]:
    """Give all that is wrong in a batch without nulls.

    Parameters
    ----------
    batch
        Arrow record batch with the columns of the schema.
    version
        Of the schema: rows of an older file are checked by its rules.

    Yields
    ------
    tuple of int, str, str
        Row within the batch, column, and what was found and expected.
    """
    rows = take_apart(batch, version)
    uneven = list(_uneven(rows, version))
    yield from uneven
    for check in (*_CHECKS, *(CHECKS_V2 if version > 1 else ())):
        yield from check(rows)
    named = {row for row, _, _ in uneven}
    for check in (*_AMONG_LISTS, *(AMONG_LISTS_V2 if version > 1 else ())):
        # Where columns differ in length the same row was named already.
        yield from (finding for finding in check(rows) if finding[0] not in named)
    yield from _digests(batch, version)


def _uneven(rows: Rows, version: int) -> Iterator[Finding]:
    for column in columns_of(version):
        if not column.is_list:
            continue
        first = COUNTED_BY[column.along]
        found, expected = rows.lengths(column.name), rows.lengths(first)
        for row in np.flatnonzero(found != expected).tolist():
            said = f"{found[row]} values; expected {expected[row]} as in {first}"
            yield row, column.name, said


def _ids(rows: Rows) -> Iterator[Finding]:
    yield from first_values(rows, "input_ids", rows.flat["input_ids"] < 0, "an id >= 0")


def _finite(rows: Rows) -> Iterator[Finding]:
    for column in ("weight", "attention", "token_value"):
        bad = ~np.isfinite(rows.flat[column])
        yield from first_values(rows, column, bad, "a finite number")


def _attention(rows: Rows) -> Iterator[Finding]:
    mass = rows.flat["attention"].astype(np.float64)
    known = np.isfinite(mass)
    yield from first_values(rows, "attention", known & (mass < 0), "a mass >= 0")
    total = np.bincount(
        rows.owner["attention"], weights=mass, minlength=len(rows.lengths("attention"))
    )
    # A mass that is not finite was named already; NaN compares false here.
    bad = (np.abs(total - 1) > ATTENTION_TOLERANCE) & (total != 0)
    for row in np.flatnonzero(bad & np.isfinite(total)).tolist():
        yield row, "attention", f"sums to {total[row]:.7g}; expected 1, or all 0"


def _people(rows: Rows) -> Iterator[Finding]:
    for row, people in enumerate(rows.scalars["n_people"]):
        if people < 0:
            yield row, "n_people", f"{people}; expected a number >= 0"


def _names(rows: Rows) -> Iterator[Finding]:
    for row, name in enumerate(rows.scalars["example_id"]):
        if not name:
            yield row, "example_id", "empty; expected a name"
    for row, digest in enumerate(rows.scalars["source_sha256"]):
        if digest and not _is_sha256(digest):
            said = f"{digest[:70]!a}; expected 64 hexadecimal digits, or nothing"
            yield row, "source_sha256", said


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def _spans(rows: Rows) -> Iterator[Finding]:
    start, end = (rows.flat[name] for name in ("token_start", "token_end"))
    if len(start) != len(end):
        return
    owner = rows.owner["token_start"]
    size = np.array([len(text.encode()) for text in rows.scalars["text"]], dtype=np.int64)
    outside = (start < 0) | (end > size[owner])
    yield from first_values(rows, "token_end", outside, "spans inside text")
    yield from first_values(rows, "token_end", end < start, "an end at or after its start")
    previous = np.concatenate([[0], end[:-1]])
    inner: BoolArray = np.diff(owner, prepend=-1) == 0
    yield from first_values(
        rows, "token_start", inner & (start < previous), "spans sorted and disjoint"
    )


def _token_index(rows: Rows) -> Iterator[Finding]:
    index = rows.flat["token_index"]
    tokens = rows.lengths("token_start")[rows.owner["token_index"]]
    bad = (index < -1) | (index >= tokens)
    yield from first_values(rows, "token_index", bad, "-1 or the number of an AST token of the row")


def _digests(batch: "pa.RecordBatch", version: int) -> Iterator[Finding]:
    found = batch.column("row_digest").to_pylist()
    computed = batch_digests(batch, version=version)
    for row, (said, recomputed) in enumerate(zip(found, computed, strict=True)):
        if said != recomputed:
            problem = (
                f"{said[:12]!a}... is not that of the row ({recomputed[:12]}...); "
                "a column was edited, shuffled or damaged"
            )
            yield row, "row_digest", problem


_CHECKS: tuple[Check, ...] = (_ids, _finite, _attention, _people, _names)
_AMONG_LISTS: tuple[Check, ...] = (_spans, _token_index)
"""They put values of several lists side by side, and so need them equally long."""
