"""Attributes of many XML elements as columns: numbers with a point or a comma, exact stamps, text.

Elements of one list nearly always name the same attributes in the same order; then a batch is
turned over as it stands. Any other batch goes through names, with the same result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError

__all__ = ["Column", "Kind", "convert", "empty", "number"]

Kind = str | tuple[str, ...]
FloatArray = npt.NDArray[np.float64]
Values = Sequence[str | None]

_NOT_A_NUMBER = frozenset({"n. def.", "non numérique", "non un numero reale", "neun", "не число"})
"""NaN as .NET Framework spells it in German, French, Italian, Spanish and Russian settings."""


@dataclass(frozen=True)
class Column:
    """A column to be made: its name, and what it holds (see `read_xml`)."""

    name: str
    kind: Kind

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes it is made of."""
        if isinstance(self.kind, tuple):
            return self.kind
        return (self.kind,) if self.kind.startswith("in:") else (self.name,)


def empty(kind: Kind) -> npt.NDArray[Any]:
    """A column without rows, of the type that rows would have."""
    if isinstance(kind, tuple):
        return np.empty((0, len(kind)))
    if kind == "text":
        return np.empty(0, dtype=object)
    if kind == "flag":
        return np.empty(0, dtype=bool)
    return np.empty(0, dtype=np.float64 if kind == "float" else np.int64)


def convert(
    batch: Sequence[Sequence[str]],
    columns: Sequence[Column],
    where: str,
    aliases: Mapping[str, str],
    memo: dict[str, str],
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Columns of a batch of elements, each a flat list of names and values."""
    values = _by_attribute(batch, aliases)
    missing: Values = [None] * len(batch)
    for column in columns:
        found = [values.get(attribute, missing) for attribute in column.attributes]
        yield column.name, _made(found, column, where, memo)


def _by_attribute(batch: Sequence[Sequence[str]], aliases: Mapping[str, str]) -> dict[str, Values]:
    """Attribute → its values, one per element."""
    names, n = batch[0][::2], len(batch)
    if len({len(row) for row in batch}) == 1:
        turned = list(zip(*batch, strict=True))
        if all(turned[2 * i].count(name) == n for i, name in enumerate(names)):
            return {aliases.get(name, name): turned[2 * i + 1] for i, name in enumerate(names)}
    rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in batch]
    every = dict.fromkeys(name for row in rows for name in row)
    found: dict[str, Values] = {}
    for name in every:
        known = found.get(aliases.get(name, name))
        values: Values = [row.get(name) for row in rows]
        if known is not None:
            values = [b if a is None else a for a, b in zip(known, values, strict=True)]
        found[aliases.get(name, name)] = values
    return found


def _made(
    found: list[Values], column: Column, where: str, memo: dict[str, str]
) -> npt.NDArray[Any]:
    if isinstance(column.kind, tuple):
        made = np.empty((len(found[0]), len(found)))
        for i, (values, attribute) in enumerate(zip(found, column.kind, strict=True)):
            made[:, i] = _floats(values, f"{where} {attribute}")
        return made
    said = f"{where} {column.name}"
    if column.kind == "text":
        return _texts(found[0], memo)
    if column.kind == "int" or column.kind.startswith("in:"):
        return _integers(found[0], said)
    if column.kind == "ticks":
        return _ticks(found[0], said)
    numbers = _floats(found[0], said)
    return numbers == 1 if column.kind == "flag" else numbers


def _texts(values: Values, memo: dict[str, str]) -> npt.NDArray[np.object_]:
    made = np.empty(len(values), dtype=object)
    made[:] = ["" if v is None else memo.setdefault(v, v) for v in values]
    return made


def _floats(values: Values, where: str) -> FloatArray:
    try:
        return np.array(list(map(float, values)), dtype=np.float64)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _mended_floats(values, where)


def _mended_floats(values: Values, where: str) -> FloatArray:
    """Where a cell is empty or has a decimal comma: first all at once, then one by one."""
    try:
        points = "\n".join(v or "nan" for v in values).replace(",", ".").split("\n")
        return np.array(list(map(float, points)), dtype=np.float64)
    except ValueError:
        return np.array([number(v, where) for v in values], dtype=np.float64)


def _integers(values: Values, where: str) -> npt.NDArray[np.int64]:
    try:
        return np.array(list(map(int, values)), dtype=np.int64)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{where} is missing or no 64-bit integer ({error}); expected one in every element"
        ) from error


def _ticks(values: Values, where: str) -> npt.NDArray[Any]:
    try:
        return np.array(list(map(int, values)), dtype=np.int64)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _floats(values, where)


def number(text: str | None, where: str) -> float:
    """Float of an attribute written with a decimal point or comma; NaN where there is none.

    >>> number("1,5", "x"), number("", "x")
    (1.5, nan)
    """
    if text is None or not text.strip() or text.strip().lower() in _NOT_A_NUMBER:
        return float("nan")
    try:
        return float(text.replace(",", ".", 1))
    except ValueError as error:
        raise FormatError(f"{where} is {text[:40]!r}; expected a number") from error
