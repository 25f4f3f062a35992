"""One person's reading of one file, as programs are scored on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gazecode.errors import DataError
from gazecode.model import SourceTokens, Transitions
from gazecode.model.checks import FloatArray, column

__all__ = ["Observed", "by_file", "merged"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """Where one person looked in one file.

    Attributes
    ----------
    person, source
        Who read, and the name of the file.
    tokens
        The ``(m,)`` tokens of the file.
    value
        ``(m,)`` looking per token, at least 0 (dwell in ms, fixations, ...); NaN where the token
        was never shown (validity 6: for less than 200 ms), 0 where it was and nobody looked.
    transitions
        Saccades from token to token; None where they are not known.
    group
        What must be held out together with this file: near-duplicates have the same
        (validity 11). The file's own name if empty.

    Raises
    ------
    DataError
        Not one value per token, a negative or infinite value, transitions of another size.
    """

    person: str
    source: str
    tokens: SourceTokens
    value: FloatArray
    transitions: Transitions | None = None
    group: str = ""

    def __post_init__(self) -> None:
        value, m = column(self, "value", np.float64), len(self.tokens)
        name = f"{self.person} on {self.source}"
        if len(value) != m:
            raise DataError(f"{name}: {len(value)} values; expected one for each of {m} tokens")
        bad = np.flatnonzero((value < 0) | np.isinf(value))
        if bad.size:
            raise DataError(
                f"{name}: token {bad[0]} has value {value[bad[0]]}; expected at least 0, or NaN "
                "where the token was not shown; take the size of scores that have a sign"
            )
        if self.transitions is not None and self.transitions.size != m:
            raise DataError(f"{name}: transitions of {self.transitions.size} tokens; expected {m}")
        object.__setattr__(self, "group", self.group or self.source)


def merged(observed: Iterable[Observed]) -> tuple[Observed, ...]:
    """Readings of one file by one person added up; sorted by file, then by person.

    A token shown in one of them was shown. Transitions are those of the readings that have them.

    Raises
    ------
    DataError
        Two readings of one file have other tokens.
    """
    together: dict[tuple[str, str], Observed] = {}
    tokens: dict[str, SourceTokens] = {}
    for reading in observed:
        first = tokens.setdefault(reading.source, reading.tokens)
        if first is not reading.tokens and not _same(first, reading.tokens):
            raise DataError(
                f"{reading.source}: two readings of it have other tokens; "
                "expected one name for one text"
            )
        key = (reading.source, reading.person)
        together[key] = _added(together[key], reading) if key in together else reading
    return tuple(together[key] for key in sorted(together))


def by_file(readings: Iterable[Observed]) -> Mapping[str, list[Observed]]:
    """Readings of each file."""
    found: dict[str, list[Observed]] = {}
    for reading in readings:
        found.setdefault(reading.source, []).append(reading)
    return found


def _same(a: SourceTokens, b: SourceTokens) -> bool:
    return a.code == b.code and np.array_equal(a.span, b.span) and np.array_equal(a.label, b.label)


def _added(a: Observed, b: Observed) -> Observed:
    unseen = np.isnan(a.value) & np.isnan(b.value)
    value = np.where(unseen, np.nan, np.nan_to_num(a.value) + np.nan_to_num(b.value))
    return replace(a, value=value, transitions=_both(a.transitions, b.transitions))


def _both(a: Transitions | None, b: Transitions | None) -> Transitions | None:
    if a is None or b is None:
        return a or b
    cell = np.concatenate([part.origin * part.size + part.target for part in (a, b)])
    cell, at = np.unique(cell, return_inverse=True)
    counts = np.concatenate([a.count, b.count])
    count: FloatArray = np.bincount(at, weights=counts, minlength=len(cell)).astype(np.float64)
    origin, target = np.divmod(cell, max(a.size, 1))
    return Transitions(size=a.size, origin=origin, target=target, count=count)
