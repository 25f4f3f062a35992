"""Trials as several formats state them: a label that changes, a name that comes back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.units import sample_end_ms

__all__ = ["kept_rows", "label_runs", "unique_names"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def unique_names(names: Iterable[str]) -> list[str]:
    """Names in order; one that comes again gets " (2)", " (3)", and so on.

    >>> unique_names(["Vehicle", "Rectangle", "Vehicle"])
    ['Vehicle', 'Rectangle', 'Vehicle (2)']
    """
    taken: set[str] = set()
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        candidate = name if seen[name] == 1 else f"{name} ({seen[name]})"
        # A recording may itself hold a trial called "Vehicle (2)".
        while candidate in taken:
            seen[name] += 1
            candidate = f"{name} ({seen[name]})"
        taken.add(candidate)
        unique.append(candidate)
    return unique


def kept_rows(t_ms: npt.ArrayLike, kept_ms: npt.ArrayLike) -> IntArray:
    """Which row of a file each kept sample comes from: the first one with its stamp.

    Parameters
    ----------
    t_ms
        ``(n,)`` stamps of the file's rows, any order, NaN where there is none.
    kept_ms
        ``(k,)`` strictly increasing stamps out of `t_ms`.

    Examples
    --------
    >>> kept_rows([0, 2, 1, 1], [0, 1, 2])
    array([0, 2, 1])
    """
    t, kept = (np.asarray(times, dtype=np.float64) for times in (t_ms, kept_ms))
    # Most files are in order and every row is kept: then there is nothing to sort.
    if len(t) == len(kept) and np.array_equal(t, kept):
        return np.arange(len(t))
    order = np.argsort(t, kind="stable")
    rows: IntArray = order[np.searchsorted(t[order], kept)]
    return rows


def label_runs(
    t_ms: npt.ArrayLike, labels: Sequence[object] | npt.NDArray[Any]
) -> list[tuple[int, float, float]]:
    """Stretches of equal labels: index of the first sample, onset and offset in ms.

    Labels may be of any kind; whole numbers (codes of a categorical) take the least memory.
    A stretch ends where the next begins, at most 1.5 median steps after its last sample, so that
    a pause between two stimuli belongs to neither.

    >>> label_runs([0.0, 10.0, 20.0, 500.0], ["a", "a", "b", "b"])
    [(0, 0.0, 20.0), (2, 20.0, 515.0)]
    >>> label_runs([0.0, 10.0, 500.0, 510.0], ["a", "a", "b", "b"])
    [(0, 0.0, 25.0), (2, 500.0, 525.0)]
    """
    t = np.asarray(t_ms, dtype=np.float64)
    label = labels if isinstance(labels, np.ndarray) else np.asarray(labels, dtype=object)
    if not len(t):
        return []
    first = np.concatenate(([0], 1 + np.flatnonzero(label[1:] != label[:-1])))
    last = np.concatenate((first[1:] - 1, [len(t) - 1]))
    end = sample_end_ms(t)
    return [(int(a), float(t[a]), float(end[b])) for a, b in zip(first, last, strict=True)]
