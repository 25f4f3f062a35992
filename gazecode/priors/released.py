"""The released rows of EyeMulator, decoded by ids recovered from the rows themselves.

``semantic_token_sequence`` and ``ngram_indices`` are two numberings of labels, neither of them that
of the shipped ``indexed_ngrams.json``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gazecode.errors import FormatError
from gazecode.model import LABELS
from gazecode.model.released import NGRAM_IDS, SEMANTIC_IDS
from gazecode.priors.plain import one_line

__all__ = [
    "NGRAM_IDS",
    "SEMANTIC_IDS",
    "ReleasedRow",
    "check_label",
    "decode_labels",
    "decode_row",
    "row_columns",
    "whole_numbers",
]

PER_TOKEN = ("code_tokens", "semantic_token_sequence", "mask", "order_sequence", "ngrams")
_NUMBERED = ("semantic_token_sequence", "mask", "order_sequence")
_BITS = 63


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReleasedRow:
    """A released row, decoded.

    Attributes
    ----------
    tokens
        As released: words of method bodies without offsets.
    label
        One per token; "" for none.
    on_path
        ``mask``.
    window
        Number of the window that the row's annotation covers each position with, from 0; -1 none.
        The release writes windows at consecutive positions: 29.6 % of them are off the path.
    window_labels
        Labels of each window.
    """

    tokens: tuple[str, ...]
    label: tuple[str, ...]
    on_path: tuple[bool, ...]
    window: tuple[int, ...]
    window_labels: tuple[tuple[str, ...], ...]


def decode_labels(ids: Any) -> list[str]:
    """Labels of semantic ids, by the recovered table.

    Raises
    ------
    FormatError
        Not whole numbers, or an id that no released row uses.

    Examples
    --------
    >>> decode_labels([13, 0, 20])
    ['loop', '', 'variable declaration']
    """
    numbers = whole_numbers(ids, "semantic ids")
    unknown = sorted(set(numbers) - set(SEMANTIC_IDS))
    if unknown:
        raise FormatError(f"{unknown[0]} is no semantic id of the released rows (0 to 20, not 18)")
    return [SEMANTIC_IDS[number] for number in numbers]


def decode_row(row: Mapping[str, Any]) -> ReleasedRow:
    """Read a released row by names and recovered ids; the shipped index is not asked.

    Columns are lists, or arrays as `datasets` and `pandas` give them.

    Raises
    ------
    FormatError
        No row, a column is missing, columns differ in length or hold what they cannot, or a label
        is none.

    Examples
    --------
    >>> row = decode_row(
    ...     {
    ...         "code_tokens": ["int", "x", "=", "1"],
    ...         "semantic_token_sequence": [20, 20, 20, 20],
    ...         "mask": [1, 0, 1, 0],
    ...         "order_sequence": [1, 1, 0, 0],
    ...         "ngrams": ["variable declaration", "variable declaration", None, None],
    ...     }
    ... )
    >>> row.window, row.window_labels
    ((0, 0, -1, -1), (('variable declaration', 'variable declaration'),))
    """
    columns = row_columns(row, needed=PER_TOKEN)
    for name in _NUMBERED:
        whole_numbers(columns[name], f"row: {name}")
    odd = next((value for value in columns["mask"] if value > 1), None)
    if odd is not None:
        raise FormatError(f"row: mask holds {odd}; expected 0 or 1")
    windows: dict[int, list[str]] = {}
    for number, label in zip(columns["order_sequence"], columns["ngrams"], strict=True):
        if number > 0:
            windows.setdefault(number, []).append(check_label(label, "row"))
    place = {number: i for i, number in enumerate(sorted(windows))}
    return ReleasedRow(
        tokens=tuple(columns["code_tokens"]),
        label=tuple(decode_labels(columns["semantic_token_sequence"])),
        on_path=tuple(bool(value) for value in columns["mask"]),
        window=tuple(place.get(number, -1) for number in columns["order_sequence"]),
        window_labels=tuple(tuple(windows[number]) for number in place),
    )


def row_columns(
    row: Any, *, needed: Iterable[str], others: Iterable[str] = ()
) -> dict[str, list[Any]]:
    """Columns of a row as lists of equal length; of the `others` those that are there.

    Raises
    ------
    FormatError
        No row, a needed column is missing, one is no list, or they differ in length.

    Examples
    --------
    >>> import numpy as np
    >>> row_columns({"mask": np.array([0, 1]), "content": "x y"}, needed=("mask",))
    {'mask': [0, 1]}
    """
    if hasattr(row, "to_dict"):  # a row of a data frame
        row = row.to_dict()
    if not isinstance(row, Mapping):
        raise FormatError(
            f"found {type(row).__name__}; expected a published row: a mapping of columns"
        )
    needed = tuple(needed)
    missing = [name for name in needed if name not in row]
    if missing:
        raise FormatError.missing_columns("row", missing, map(str, row))
    there = (*needed, *(name for name in others if name in row))
    columns = {name: _as_list(row[name], name) for name in there}
    if len({len(values) for values in columns.values()}) > 1:
        listed = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise FormatError(f"row: columns differ in length: {listed}; expected one entry per token")
    return columns


def _as_list(values: Any, name: str) -> list[Any]:
    found = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(found, list | tuple):
        raise FormatError(f"row: {name} is {type(values).__name__}; expected a list")
    return list(found)


def whole_numbers(values: Any, name: str) -> list[int]:
    """Give back whole numbers from 0 up as a list; refuse anything else, by its name.

    >>> whole_numbers([1, None], "row: mask")
    Traceback (most recent call last):
    gazecode.errors.FormatError: row: mask holds None; expected whole numbers from 0 up
    """
    found = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(found, list | tuple):
        raise FormatError(f"{name} is {type(values).__name__}; expected a list")
    for value in found:
        if type(value) is not int or value < 0:
            raise FormatError(f"{name} holds {one_line(value)}; expected whole numbers from 0 up")
        if value.bit_length() > _BITS:
            raise FormatError(f"{name} holds a number beyond 64 bits")
    return list(found)


def check_label(label: object, name: str) -> str:
    """Give back what is one of the 19 labels; refuse anything else, by its name."""
    if not isinstance(label, str) or label not in LABELS[1:]:
        raise FormatError(
            f"{name}: {one_line(label)} is not a semantic label; expected one of: "
            f"{', '.join(LABELS[1:])}"
        )
    return label
