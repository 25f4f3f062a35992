"""What must hold within a batch of rows; each check names the rows it finds.

The checks are the same for all containers, because every container is read into Arrow batches.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.export.digest import batch_digests
from gazecode.export.lists import flat_values
from gazecode.export.schema import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ATTENTION_TOLERANCE", "Finding", "check_batch"]

ATTENTION_TOLERANCE = 1e-5
"""How far the attention of a row may be from 1: float32 rounds each mass by up to 6e-8 of it."""

Finding = tuple[int, str, str]
"""Row within the batch, column, what is wrong."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """A batch taken apart: flat values, borders, and the row of every flat value."""

    scalars: Mapping[str, Any]
    flat: Mapping[str, Any]
    borders: Mapping[str, Ints]
    owner: Mapping[str, Ints]

    def lengths(self, column: str) -> Ints:
        """Return how many values each row has."""
        return np.diff(self.borders[column])


def check_batch(batch: "pa.RecordBatch") -> Iterator[Finding]:
    """Give all that is wrong in a batch without nulls.

    Parameters
    ----------
    batch
        Arrow record batch with the columns of the schema.

    Yields
    ------
    tuple of int, str, str
        Row within the batch, column, and what was found and expected.
    """
    rows = _take_apart(batch)
    for check in _CHECKS:
        yield from check(rows)
    uneven = {row for row, _, _ in _uneven(rows)}
    for row, column, said in (*_spans(rows), *_token_index(rows)):
        # Where columns differ in length the same row was named already.
        if row not in uneven:
            yield row, column, said
    yield from _digests(batch)


def _take_apart(batch: "pa.RecordBatch") -> _Rows:
    scalars: dict[str, Any] = {}
    flat: dict[str, Any] = {}
    borders: dict[str, Ints] = {}
    for column in COLUMNS:
        values = batch.column(column.name)
        if not column.is_list:
            scalars[column.name] = values.to_pylist()
            continue
        inner, borders[column.name] = flat_values(values)
        flat[column.name] = (
            inner if column.element == "string" else inner.to_numpy(zero_copy_only=False)
        )
    owner = {name: np.repeat(np.arange(len(b) - 1), np.diff(b)) for name, b in borders.items()}
    return _Rows(scalars=scalars, flat=flat, borders=borders, owner=owner)


def _uneven(rows: _Rows) -> Iterator[Finding]:
    for along, first in (("position", "input_ids"), ("token", "token_start")):
        expected = rows.lengths(first)
        for column in COLUMNS:
            if column.along != along:
                continue
            found = rows.lengths(column.name)
            for row in np.flatnonzero(found != expected).tolist():
                said = f"{found[row]} values; expected {expected[row]} as in {first}"
                yield row, column.name, said


def _first_of_each_row(rows: _Rows, column: str, bad: npt.NDArray[np.bool_]) -> Iterator[int]:
    """Indices of the first bad value of each row: one line a row is enough."""
    where = np.flatnonzero(bad)
    _, first = np.unique(rows.owner[column][where], return_index=True)
    yield from where[first].tolist()


def _values(
    rows: _Rows, column: str, bad: npt.NDArray[np.bool_], expected: str
) -> Iterator[Finding]:
    for i in _first_of_each_row(rows, column, bad):
        row = int(rows.owner[column][i])
        at = i - int(rows.borders[column][row])
        yield row, column, f"{rows.flat[column][i]} at {at}; expected {expected}"


def _ids(rows: _Rows) -> Iterator[Finding]:
    yield from _values(rows, "input_ids", rows.flat["input_ids"] < 0, "an id >= 0")


def _finite(rows: _Rows) -> Iterator[Finding]:
    for column in ("weight", "attention", "token_value"):
        bad = ~np.isfinite(rows.flat[column])
        yield from _values(rows, column, bad, "a finite number")


def _attention(rows: _Rows) -> Iterator[Finding]:
    mass = rows.flat["attention"].astype(np.float64)
    known = np.isfinite(mass)
    yield from _values(rows, "attention", known & (mass < 0), "a mass >= 0")
    total = np.bincount(
        rows.owner["attention"], weights=mass, minlength=len(rows.lengths("attention"))
    )
    # A mass that is not finite was named already; NaN compares false here.
    bad = (np.abs(total - 1) > ATTENTION_TOLERANCE) & (total != 0)
    for row in np.flatnonzero(bad & np.isfinite(total)).tolist():
        yield row, "attention", f"sums to {total[row]:.7g}; expected 1, or all 0"


def _people(rows: _Rows) -> Iterator[Finding]:
    for row, people in enumerate(rows.scalars["n_people"]):
        if people < 0:
            yield row, "n_people", f"{people}; expected a number >= 0"


def _names(rows: _Rows) -> Iterator[Finding]:
    for row, name in enumerate(rows.scalars["example_id"]):
        if not name:
            yield row, "example_id", "empty; expected a name"
    for row, digest in enumerate(rows.scalars["source_sha256"]):
        if digest and not _is_sha256(digest):
            said = f"{digest[:70]!a}; expected 64 hexadecimal digits, or nothing"
            yield row, "source_sha256", said


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def _spans(rows: _Rows) -> Iterator[Finding]:
    start, end = (rows.flat[name] for name in ("token_start", "token_end"))
    if len(start) != len(end):
        return
    owner = rows.owner["token_start"]
    size = np.array([len(text.encode()) for text in rows.scalars["text"]], dtype=np.int64)
    outside = (start < 0) | (end > size[owner])
    yield from _values(rows, "token_end", outside, "spans inside text")
    yield from _values(rows, "token_end", end < start, "an end at or after its start")
    previous = np.concatenate([[0], end[:-1]])
    inner: npt.NDArray[np.bool_] = np.diff(owner, prepend=-1) == 0
    yield from _values(rows, "token_start", inner & (start < previous), "spans sorted and disjoint")


def _token_index(rows: _Rows) -> Iterator[Finding]:
    index = rows.flat["token_index"]
    tokens = rows.lengths("token_start")[rows.owner["token_index"]]
    bad = (index < -1) | (index >= tokens)
    yield from _values(rows, "token_index", bad, "-1 or the number of an AST token of the row")


def _digests(batch: "pa.RecordBatch") -> Iterator[Finding]:
    found = batch.column("row_digest").to_pylist()
    for row, (said, recomputed) in enumerate(zip(found, batch_digests(batch), strict=True)):
        if said != recomputed:
            problem = (
                f"{said[:12]!a}... is not that of the row ({recomputed[:12]}...); "
                "a column was edited, shuffled or damaged"
            )
            yield row, "row_digest", problem


_CHECKS: tuple[Callable[[_Rows], Iterator[Finding]], ...] = (
    _uneven,
    _ids,
    _finite,
    _attention,
    _people,
    _names,
)
