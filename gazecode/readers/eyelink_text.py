"""The lines of an EyeLink ``.asc``, told apart and read without a Python loop over samples.

A recording of ten minutes holds more than half a million sample lines and a few thousand others.
The samples are found with numpy, joined into one stretch of bytes, and parsed by Arrow; only the
others become Python strings.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Lines", "parse_samples", "split_lines"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_NEWLINE, _TAB, _DOT, _ZERO, _NINE = (ord(c) for c in "\n\t.09")
_WIDEST = 24
"""A missing value is a dot padded with blanks; no field is wider than this."""


@dataclass(frozen=True, eq=False)
class Lines:
    """One ``.asc`` by lines.

    Attributes
    ----------
    raw
        The file.
    first, last
        ``(n,)`` bytes of each sample line, half-open, the line end not included.
    n_fields
        ``(n,)`` TAB-separated fields of each sample line.
    number
        ``(n,)`` line number of each sample line.
    others
        Line number and text of every line that is neither a sample nor blank.
    complete
        Whether the last line ends with a line end.
    """

    raw: bytes
    first: IntArray
    last: IntArray
    n_fields: IntArray
    number: IntArray
    others: list[tuple[int, str]]
    complete: bool


def split_lines(raw: bytes) -> Lines:
    r"""Tell sample lines from the others.

    >>> lines = split_lines(b"START\t5 \tLEFT\n5\t 1.0\t 2.0\t 9.0\t...\n  -60  4\n1.5 2\n")
    >>> lines.number, lines.n_fields, [text for _, text in lines.others]
    (array([1]), array([5]), ['START\t5 \tLEFT', '  -60  4', '1.5 2'])
    """
    text = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    complete = bool(len(text) == 0 or text[-1] == _NEWLINE)
    if not complete:
        ends = np.append(ends, len(text))
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    tabs = np.flatnonzero(text == _TAB)
    tabs_before = np.searchsorted(tabs, starts)
    n_tabs = np.diff(np.append(tabs_before, len(tabs)))
    sample = _starts_with_number(text, starts, tabs, tabs_before, n_tabs)
    number = np.flatnonzero(sample)
    rest = np.flatnonzero(~sample & (ends > starts))
    others = [
        (n, _decode(raw[a:b]))
        for n, a, b in zip(rest.tolist(), starts[rest].tolist(), ends[rest].tolist(), strict=True)
    ]
    return Lines(
        raw=raw,
        first=starts[number],
        last=ends[number],
        n_fields=n_tabs[number] + 1,
        number=number,
        others=[(n, line) for n, line in others if line],
        complete=complete,
    )


def _starts_with_number(
    text: npt.NDArray[np.uint8],
    starts: IntArray,
    tabs: IntArray,
    tabs_before: IntArray,
    n_tabs: IntArray,
) -> BoolArray:
    """Whether a line begins with a digit and has a digit or a dot right before its first TAB."""
    if not len(tabs):
        return np.zeros(len(starts), dtype=bool)
    head = text[np.minimum(starts, len(text) - 1)]
    mark = text[tabs[np.minimum(tabs_before, len(tabs) - 1)] - 1]
    number = (head >= _ZERO) & (head <= _NINE) & (n_tabs > 0)
    sample: BoolArray = number & (((mark >= _ZERO) & (mark <= _NINE)) | (mark == _DOT))
    return sample


def _decode(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("cp1252", "replace")
    return text.rstrip("\r\n ")


def parse_samples(lines: Lines, rows: IntArray, *, n_fields: int, n_columns: int) -> FloatArray:
    """Numbers of sample lines that all have `n_fields` fields.

    Parameters
    ----------
    rows
        ``(k,)`` increasing indices of sample lines.
    n_columns
        How many of the first fields are wanted.

    Returns
    -------
    FloatArray
        ``(n_columns, k)``; NaN where the file has a dot.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = [f"f{i}" for i in range(n_fields)]
    wanted = names[:n_columns]
    parsed = csv.read_csv(
        pa.BufferReader(_joined(lines, rows)),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.float64()),
            null_values=[" " * n + "." + tail for n in range(_WIDEST) for tail in ("", " ")],
        ),
    )
    return np.stack([parsed[name].to_numpy() for name in wanted])


def _joined(lines: Lines, rows: IntArray) -> bytes | memoryview:
    """The bytes of some sample lines in one piece; neighbouring lines are copied together."""
    first, last = lines.first[rows], lines.last[rows]
    view = memoryview(lines.raw)
    breaks = np.flatnonzero(first[1:] != last[:-1] + 1)
    begin = first[np.concatenate(([0], breaks + 1))]
    end = last[np.concatenate((breaks, [len(rows) - 1]))] + 1
    if len(begin) == 1:
        return view[begin[0] : end[0]]
    pieces = [view[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]
    return b"".join(pieces)
