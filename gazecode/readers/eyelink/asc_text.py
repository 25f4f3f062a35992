"""The lines of an EyeLink ``.asc``, told apart and read without a Python loop over samples.

A recording of ten minutes holds more than half a million sample lines and a few thousand others.
A block of lines at a time, the samples are found with numpy, joined into one stretch of bytes and
parsed by Arrow; only the others become Python strings.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MAX_FIELDS", "Lines", "parse_samples", "split_lines", "without_nul"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MAX_FIELDS = 255
"""No sample has so many; lines with as many or more count as having just these."""
_NEWLINE, _TAB, _DOT, _ZERO, _NINE = (ord(c) for c in "\n\t.09")
_WIDEST = 24
"""A missing value is a dot padded with blanks; no field is wider than this."""
_MISSING = [" " * n + "." + tail for n in range(_WIDEST) for tail in ("", " ")]
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True, eq=False)
class Lines:
    """Some whole lines of an ``.asc``.

    Attributes
    ----------
    raw
        Their bytes.
    first, last
        ``(n,)`` bytes of each sample line, half-open, the line end not included.
    n_fields
        ``(n,)`` TAB-separated fields of each sample line, at most `MAX_FIELDS`.
    others
        How many of these samples stand before it, and the text, of every line that is neither a
        sample nor blank.
    """

    raw: bytes
    first: IntArray
    last: IntArray
    n_fields: npt.NDArray[np.uint8]
    others: list[tuple[int, str]]

    def __len__(self) -> int:
        return len(self.first)


def split_lines(raw: bytes) -> Lines:
    r"""Tell sample lines from the others.

    >>> lines = split_lines(b"START\t5 \tLEFT\n5\t 1.0\t 2.0\t 9.0\t...\n  -60  4\n1.5 2\n")
    >>> len(lines), lines.n_fields, lines.others
    (1, array([5], dtype=uint8), [(0, 'START\t5 \tLEFT'), (1, '  -60  4'), (1, '1.5 2')])
    """
    text = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    if len(text) and text[-1] != _NEWLINE:
        ends = np.append(ends, len(text))
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    tabs = np.flatnonzero(text == _TAB)
    tabs_before = np.searchsorted(tabs, starts)
    n_tabs = np.diff(np.append(tabs_before, len(tabs)))
    sample = _starts_with_number(text, starts, tabs, tabs_before, n_tabs)
    before = np.cumsum(sample)
    rest = np.flatnonzero(~sample & (ends > starts))
    others = [
        (n, _decode(raw[a:b]))
        for n, a, b in zip(
            before[rest].tolist(), starts[rest].tolist(), ends[rest].tolist(), strict=True
        )
    ]
    return Lines(
        raw=raw,
        first=starts[sample],
        last=ends[sample],
        n_fields=np.minimum(n_tabs[sample] + 1, MAX_FIELDS).astype(np.uint8),
        others=[(n, line) for n, line in others if line],
    )


def without_nul(raw: bytes) -> tuple[bytes, int]:
    r"""Leave out the lines that hold NUL bytes, as a crash leaves them; also say how many.

    >>> without_nul(b"1\t2\n\x00\x00\n3\t4\n")
    (b'1\t2\n3\t4\n', 1)
    """
    if b"\0" not in raw:
        return raw, 0
    lines = raw.split(b"\n")
    kept = [line for line in lines if b"\0" not in line]
    # Without its last line, which a crash broke off, the text still ends with a line end.
    ending = b"\n" if b"\0" in lines[-1] and kept else b""
    return b"\n".join(kept) + ending, len(lines) - len(kept)


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


def parse_samples(
    lines: Lines, rows: IntArray, *, n_fields: int, n_columns: int
) -> tuple[list[FloatArray], int]:
    """Numbers of sample lines that all have `n_fields` fields.

    Parameters
    ----------
    rows
        ``(k,)`` increasing indices of sample lines.
    n_columns
        How many of the first fields are wanted.

    Returns
    -------
    list of FloatArray
        `n_columns` times ``(k,)``; NaN where the file has a dot, or what is no number.
    int
        How many cells are no number.
    """
    import pyarrow as pa

    raw = _joined(lines, rows)
    try:
        table = _parse(raw, n_fields, n_columns, pa.float64())
    except pa.ArrowInvalid:
        return _parse_damaged(raw, n_fields, n_columns)
    return [column.to_numpy() for column in table.columns], 0


def _parse(
    raw: bytes | memoryview, n_fields: int, n_columns: int, kind: "pa.DataType"
) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    names = [f"f{i}" for i in range(n_fields)]
    wanted = names[:n_columns]
    return csv.read_csv(
        pa.BufferReader(raw),
        read_options=csv.ReadOptions(
            column_names=names, use_threads=False, block_size=max(len(raw), 1024)
        ),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, kind),
            null_values=_MISSING,
            strings_can_be_null=True,
        ),
    )


def _parse_damaged(
    raw: bytes | memoryview, n_fields: int, n_columns: int
) -> tuple[list[FloatArray], int]:
    """The same where cells hold what is no number: they are lost, and counted."""
    import pyarrow as pa
    from pyarrow import compute

    columns, unreadable = [], 0
    for cells in _parse(raw, n_fields, n_columns, pa.binary()).columns:
        trimmed = [cell if cell is None else cell.strip() for cell in cells.to_pylist()]
        text = pa.array(trimmed, pa.binary())
        good = compute.fill_null(compute.match_substring_regex(text, _NUMBER), fill_value=False)
        number = compute.if_else(good, text, pa.scalar(None, pa.binary()))
        unreadable += number.null_count - text.null_count
        columns.append(number.cast(pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False))
    return columns, unreadable


def _joined(lines: Lines, rows: IntArray) -> bytes | memoryview:
    """The bytes of some sample lines in one piece; neighbouring lines are copied together."""
    first, last = lines.first[rows], lines.last[rows]
    view = memoryview(lines.raw)
    breaks = np.flatnonzero(first[1:] != last[:-1] + 1)
    begin = first[np.concatenate(([0], breaks + 1))]
    end = last[np.concatenate((breaks, [len(rows) - 1]))] + 1
    if len(begin) == 1:
        return view[begin[0] : end[0]]
    return b"\n".join(view[a : b - 1] for a, b in zip(begin.tolist(), end.tolist(), strict=True))
