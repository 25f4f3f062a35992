"""The released rows of EyeMulator, decoded by ids recovered from the rows themselves.

``semantic_token_sequence`` and ``ngram_indices`` are two numberings of labels, neither of them that
of the shipped ``indexed_ngrams.json``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import LABELS
from gazecode.model.released import NGRAM_IDS, SEMANTIC_IDS
from gazecode.priors.plain import one_line

__all__ = [
    "NGRAM_IDS",
    "SEMANTIC_IDS",
    "PublishedRow",
    "check_label",
    "decode_labels",
    "decode_row",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublishedRow:
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
        An id that no released row uses.

    Examples
    --------
    >>> decode_labels([13, 0, 20])
    ['loop', '', 'variable declaration']
    """
    numbers = np.asarray(ids, dtype=np.int64)
    unknown = sorted(set(numbers.tolist()) - set(SEMANTIC_IDS))
    if unknown:
        raise FormatError(f"{unknown[0]} is no semantic id of the released rows (0 to 20, not 18)")
    return [SEMANTIC_IDS[number] for number in numbers.tolist()]


def decode_row(row: Mapping[str, Any]) -> PublishedRow:
    """Read a released row by names and recovered ids; the shipped index is not asked.

    Raises
    ------
    FormatError
        A column is missing, columns differ in length, or a label is none.

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
    names = ("code_tokens", "semantic_token_sequence", "mask", "order_sequence", "ngrams")
    missing = [name for name in names if name not in row]
    if missing:
        raise FormatError.missing_columns("row", missing, row)
    lengths = {name: len(row[name]) for name in names}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise FormatError(f"row: columns differ in length: {listed}; expected one entry per token")
    windows: dict[int, list[str]] = {}
    for number, label in zip(row["order_sequence"], row["ngrams"], strict=True):
        if number > 0:
            windows.setdefault(number, []).append(check_label(label, "row"))
    place = {number: i for i, number in enumerate(sorted(windows))}
    return PublishedRow(
        tokens=tuple(row["code_tokens"]),
        label=tuple(decode_labels(row["semantic_token_sequence"])),
        on_path=tuple(bool(value) for value in row["mask"]),
        window=tuple(place.get(number, -1) for number in row["order_sequence"]),
        window_labels=tuple(tuple(windows[number]) for number in place),
    )


def check_label(label: object, name: str) -> str:
    """Give back what is one of the 19 labels; refuse anything else, by its name."""
    if not isinstance(label, str) or label not in LABELS[1:]:
        raise FormatError(
            f"{name}: {one_line(label)} is not a semantic label; expected one of: "
            f"{', '.join(LABELS[1:])}"
        )
    return label
