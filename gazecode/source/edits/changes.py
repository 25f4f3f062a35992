"""Which ids came and went when."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model.checks import FloatArray, IntArray, StrArray, column, same_length

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHANGES", "ChangeLog", "Changes"]

CHANGES = ("born", "deleted", "absorbed", "returned")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """Ids that came and went, one row each, in time order.

    Attributes
    ----------
    t_ms, version
        ``(c,)`` when, and the version from which on.
    id
        ``(c,)`` of the token.
    what
        ``(c,)`` one of `CHANGES`: born; deleted (none of its characters is left in a token);
        absorbed (they are part of another token now); returned (an absorbed one, or by undoing).
    other
        ``(c,)`` the id that a born one was split off from, or that absorbed it; -1 for none.
    """

    t_ms: FloatArray
    version: IntArray
    id: IntArray
    what: StrArray
    other: IntArray

    def __post_init__(self) -> None:
        column(self, "t_ms", np.float64)
        for name in ("version", "id", "other"):
            column(self, name, np.int64)
        column(self, "what", object)
        same_length(self, *self.__dataclass_fields__)

    def __len__(self) -> int:
        return len(self.id)

    def of(self, what: str) -> IntArray:
        """Rows of one kind."""
        rows: IntArray = np.flatnonzero(self.what == what)
        return rows

    def to_frame(self) -> "pd.DataFrame":
        """One row per change: t_ms, version, id, what, other."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in self.__dataclass_fields__})


class ChangeLog:
    """Collects what came and went, version by version; the first has `known` ids."""

    def __init__(self, known: int) -> None:
        self._rows: list[tuple[float, int, int, str, int]] = []
        self._version = 0
        self._known = known

    def note(
        self, t_ms: float, old: IntArray, new: IntArray, *, now: IntArray, parent: list[int]
    ) -> None:
        """Compare two versions; `now` is the token just before of every byte after."""
        known, self._known = self._known, len(parent)
        self._version += 1
        gone = np.setdiff1d(old[:, 2], new[:, 2], assume_unique=True)
        came = np.setdiff1d(new[:, 2], old[:, 2], assume_unique=True)
        into = _absorbers(gone, new, now)
        for number in gone.tolist():
            what = "absorbed" if number in into else "deleted"
            self._rows.append((t_ms, self._version, number, what, into.get(number, -1)))
        for number in came.tolist():
            what = "born" if number >= known else "returned"
            other = parent[number] if what == "born" else -1
            self._rows.append((t_ms, self._version, number, what, other))

    def changes(self) -> Changes:
        """All of it."""
        columns = [np.array(c) for c in zip(*self._rows, strict=True)] or [np.empty(0)] * 5
        t_ms, version, number, what, other = columns
        return Changes(t_ms=t_ms, version=version, id=number, what=what, other=other)


def _absorbers(gone: IntArray, new: IntArray, now: IntArray) -> dict[int, int]:
    """For ids that are gone, the one whose token has most of their bytes."""
    if not len(gone):
        return {}
    place = np.flatnonzero(np.isin(now, gone))
    token = np.searchsorted(new[:, 0], place, side="right") - 1
    inside = token >= 0
    inside[inside] = place[inside] < new[token[inside], 1]
    pairs = Counter(zip(now[place[inside]].tolist(), new[token[inside], 2].tolist(), strict=True))
    into: dict[int, int] = {}
    for (number, absorber), _ in pairs.most_common():
        into.setdefault(number, absorber)
    return into
