"""Sequences of up to three labels as one number each, so that they are counted by numpy.

A sequence is read as a number to base `N_LABELS`; code 0 (no label) is never part of one, so
leading zeros tell sequences of different lengths apart: ``(0, 0, a)`` is a label alone,
``(0, a, b)`` a pair.
"""

from collections.abc import Mapping

import numpy as np

from gazecode.model import LABELS, N_LABELS, NgramTable, label_codes
from gazecode.model.checks import BoolArray, IntArray

__all__ = [
    "N_PACKED",
    "ORDERS",
    "counted",
    "digits",
    "packed",
    "packed_tables",
    "sorted_codes",
    "unpacked_tables",
]

ORDERS = (1, 2, 3)
N_PACKED = N_LABELS**3
"""Packed sequences are smaller than this."""


def packed(digit: IntArray) -> IntArray:
    """``(k, 3)`` label codes, zeros first, as ``(k,)`` numbers.

    >>> packed(np.array([[0, 13, 18]]))
    array([278])
    """
    number: IntArray = (digit[:, 0] * N_LABELS + digit[:, 1]) * N_LABELS + digit[:, 2]
    return number


def digits(code: IntArray) -> IntArray:
    """``(k, 3)`` label codes of packed sequences, zeros first."""
    return np.stack([code // N_LABELS**2, code // N_LABELS % N_LABELS, code % N_LABELS], axis=1)


def sorted_codes(code: IntArray) -> IntArray:
    """The same sequences with their labels in alphabetical order: which came first is lost."""
    # LABELS is in alphabetical order and "no label" is 0, so the leading zeros stay in front.
    return packed(np.sort(digits(code), axis=1))


def counted(label: IntArray, run: IntArray) -> IntArray:
    """All sequences of one, two and three labels within runs, packed, one entry per occurrence.

    Parameters
    ----------
    label
        ``(k,)`` label codes in the order of time, none of them 0.
    run
        ``(k,)`` number of the run each belongs to; not decreasing. No sequence crosses runs.

    Examples
    --------
    >>> digits(counted(np.array([1, 1, 2]), np.array([0, 0, 1]))).tolist()
    [[0, 0, 1], [0, 0, 1], [0, 0, 2], [0, 1, 1]]
    """
    parts = [label]
    for order in ORDERS[1:]:
        within: BoolArray = run[order - 1 :] == run[: len(run) - order + 1]
        number = np.zeros(int(within.sum()), dtype=np.int64)
        for place in range(order):
            last = len(label) - order + 1 + place
            number = number * N_LABELS + label[place : max(last, place)][within]
        parts.append(number)
    return np.concatenate(parts)


def unpacked_tables(code: IntArray, count: IntArray, *, is_sorted: bool) -> dict[int, NgramTable]:
    """Tables of order 1, 2 and 3 from packed sequences, in the order of their labels."""
    total = np.bincount(code, weights=count, minlength=N_PACKED).astype(np.int64)
    seen = np.flatnonzero(total)
    keys: dict[int, dict[tuple[str, ...], int]] = {order: {} for order in ORDERS}
    for labels, n in zip(digits(seen).tolist(), total[seen].tolist(), strict=True):
        key = tuple(LABELS[label] for label in labels if label)
        keys[len(key)][key] = n
    return {
        # A label alone has no direction to lose.
        order: NgramTable(order=order, counts=counts, is_sorted=is_sorted and order > 1)
        for order, counts in keys.items()
    }


def packed_tables(tables: Mapping[int, NgramTable]) -> IntArray:
    """``(k, 2)`` packed sequence and count of tables that are not dense."""
    keys = [key for table in tables.values() for key in table.counts]
    counts = [count for table in tables.values() for count in table.counts.values()]
    digit = np.zeros((len(keys), max(ORDERS)), dtype=np.int64)
    for order in ORDERS:
        rows = [i for i, key in enumerate(keys) if len(key) == order]
        names = [label for i in rows for label in keys[i]]
        digit[rows, max(ORDERS) - order :] = label_codes(names).reshape(len(rows), order)
    return np.stack([packed(digit), np.array(counts, dtype=np.int64)], axis=1)
