"""Delimited text through pandas' C parser, block by block: only the columns asked for are held.

The decimal comma is a property of the file: it is found in the data cells, never taken from the
machine. Rows with too few or too many cells are left out and counted; a last row that breaks off
in the middle is an error, because then nobody knows what else is missing. Quotes are ordinary
characters unless a format is known to quote: one stray quote must not swallow rows.
"""

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.readers.source import normalise_lines
from gazecode.readers.tools.growing import Gathered

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "delimited_frames",
    "find_decimal",
    "find_separator",
    "join_frames",
    "normalise_lines",
    "read_delimited",
    "split_line",
]

IntArray = npt.NDArray[np.int64]
Decimal = Literal[".", ","]

_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_PROBE_LINES = 200
_MAX_INT = 2**63 - 1
_DTYPES = {float: "float64", int: "Int64", str: "str"}
_MISSING = ["", "NA", "N/A", "n/a", "nan", "NaN", "-", ".", "null"]


def find_separator(line: str) -> str:
    r"""The character that separates the cells of a header line: TAB, ``;`` or ``,``.

    >>> find_separator("Time;Gaze.X;GazeY"), find_separator("Time\tL POR X [px], left")
    (';', '\t')
    """
    # A TAB is never part of a name; a comma may be, so it comes last.
    return next((s for s in "\t;," if s in line), "\t")


def split_line(line: str, separator: str) -> list[str]:
    """Cells of one line; quotes are understood where they balance.

    >>> split_line('a;"b;c"', ";"), split_line('a;"b', ";")
    (['a', 'b;c'], ['a', '"b'])
    """
    if line.count('"') % 2 or '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def find_decimal(cells: Iterable[str]) -> Literal[".", ","]:
    """Decimal mark of a file, from its data cells: more ``1,5`` than ``1.5`` means a comma.

    >>> find_decimal(["12", "1,5", "Vehicle"]), find_decimal(["0.25"])
    (',', '.')
    """
    marks = Counter[str]()
    for cell in cells:
        marks[","] += bool(_COMMA_NUMBER.fullmatch(cell.strip()))
        marks["."] += bool(_POINT_NUMBER.fullmatch(cell.strip()))
    return "," if marks[","] > marks["."] else "."


def read_delimited(
    text: bytes | Iterable[bytes],
    *,
    name: str,
    columns: Mapping[str, type],
    optional: Mapping[str, type] | None = None,
    counts: Counter[str],
    quoted: bool = False,
    short_rows: bool = False,
    cut_row: Literal["refuse", "count"] = "refuse",
    keep: "Callable[[pd.DataFrame], npt.NDArray[np.bool_]] | None" = None,
) -> "pd.DataFrame":
    r"""Read named columns of delimited text whose first line names them.

    Parameters
    ----------
    text
        Header line and rows, LF line ends: bytes (`normalise_lines`), or blocks of whole lines as
        `Source.blocks` gives them, so that the file is never in memory whole.
    name
        Of the file, for messages.
    columns, optional
        Column → ``float``, ``int`` (for stamps of 18 digits, which no float holds; becomes pandas'
        nullable ``Int64``) or ``str`` (becomes a categorical: labels repeat): those that must be
        there, and those that may.
    counts
        Added to: `ragged_rows` (left out), `unreadable_cells` (made NaN); only what occurs.
    quoted
        Whether cells may stand in double quotes that hold separators; a row whose quotes do not
        balance is ragged.
    short_rows
        Whether a row may end before its last cells (they are missing then).
    cut_row
        What becomes of a last row that breaks off: the file is refused, or the row counted.
    keep
        Given the frame of a block: which of its rows are wanted. Others are dropped at once.

    Examples
    --------
    >>> counts = Counter()
    >>> frame = read_delimited(
    ...     b"t;x\n1,5;2,5\n1\n3,5;4,5\n",
    ...     name="a.csv",
    ...     columns={"t": float, "x": float},
    ...     counts=counts,
    ... )
    >>> frame["x"].tolist(), dict(counts)
    ([2.5, 4.5], {'ragged_rows': 1})
    """
    frames = delimited_frames(
        text,
        name=name,
        columns=columns,
        optional=optional,
        counts=counts,
        quoted=quoted,
        short_rows=short_rows,
        cut_row=cut_row,
    )
    return join_frames(frame if keep is None else frame[keep(frame)] for frame in frames)


def delimited_frames(
    text: bytes | Iterable[bytes],
    *,
    name: str,
    columns: Mapping[str, type],
    optional: Mapping[str, type] | None = None,
    counts: Counter[str],
    quoted: bool = False,
    short_rows: bool = False,
    cut_row: Literal["refuse", "count"] = "refuse",
) -> "Iterator[pd.DataFrame]":
    """Read the same block by block: one frame each, at least one, so that little is held at once.

    Parameters are those of `read_delimited`.
    """
    blocks = iter([text] if isinstance(text, bytes) else text)
    first = next(blocks, b"")
    # Names alone say nothing of their columns: the first rows belong to them.
    while first.find(b"\n") + 1 >= len(first.rstrip(b"\n")) and (more := next(blocks, b"")):
        first = first.rstrip(b"\n") + b"\n" + more
    header, _, rows = first.partition(b"\n")
    line = header.decode("utf-8", "replace")
    separator = find_separator(line)
    found = split_line(line, separator) if quoted else line.split(separator)
    missing = [column for column in columns if column not in found]
    if missing:
        raise FormatError.missing_columns(name, missing, found, "Is this the right format?")
    if not header:
        raise FormatError(f"{name} holds no text; expected a header line and rows")
    wanted = dict(columns) | {c: kind for c, kind in (optional or {}).items() if c in found}
    dialect = _Dialect(
        header=header,
        separator=separator,
        n_cells=len(found),
        quoted=quoted,
        short_rows=short_rows,
        decimal=_first_decimal(rows, separator),
    )
    n_rows = 0
    for block, is_last in _with_last(rows, blocks):
        whole, n = _whole_rows(
            block, dialect, name=name, before=n_rows, counts=counts, last=is_last, cut_row=cut_row
        )
        n_rows += n
        yield _parse(whole, wanted, dialect, counts)


@dataclass(frozen=True)
class _Dialect:
    """How a file writes its rows."""

    header: bytes
    separator: str
    n_cells: int
    quoted: bool
    short_rows: bool
    decimal: Decimal


def _first_decimal(rows: bytes, separator: str) -> Decimal:
    cells = [cell.strip('"') for line in _probe(rows) for cell in line.split(separator)]
    return find_decimal(cells) if separator != "," else "."


def _probe(body: bytes) -> list[str]:
    """Lines from the start and the middle: a file may begin with a stretch of whole numbers."""
    middle = body[len(body) // 2 :][: 1 << 16].split(b"\n")[1:-1]
    lines = body[: 1 << 16].split(b"\n")[:_PROBE_LINES] + middle[:_PROBE_LINES]
    return [line.decode("utf-8", "replace") for line in lines]


def _with_last(first: bytes, rest: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks, each with whether it is the last one."""
    for following in rest:
        yield first, False
        first = following
    yield first, True


def join_frames(parts: "Iterable[pd.DataFrame]") -> "pd.DataFrame":
    """One frame of all blocks; what a block without rows calls its labels is not asked."""
    import pandas as pd

    gathered, missing, first = Gathered(), Gathered(), None
    for part in parts:
        first = part.iloc[:0] if first is None else first
        if len(part):
            whole = part.select_dtypes("Int64")
            missing.add(whole.isna())
            gathered.add(part.drop(columns=whole.columns))
            gathered.add({str(name): whole[name].to_numpy(np.int64, na_value=0) for name in whole})
    names = [] if first is None else [str(name) for name in first if name in gathered]
    if first is not None and not names:
        return first
    return pd.DataFrame({name: _series(name, gathered, missing) for name in names}, copy=False)


def _series(name: str, gathered: Gathered, missing: Gathered) -> Any:
    import pandas as pd

    values = gathered.array(name)
    if name in missing:
        return pd.arrays.IntegerArray(values, missing.array(name))
    if names := gathered.names(name):
        return pd.Categorical.from_codes(values, categories=pd.Index(names))
    return values


def _parse(
    body: bytes, wanted: Mapping[str, type], dialect: _Dialect, counts: Counter[str]
) -> "pd.DataFrame":
    import pandas as pd

    def load(dtype: Mapping[str, str]) -> "pd.DataFrame":
        return pd.read_csv(
            io.BytesIO(dialect.header + b"\n" + body),
            sep=dialect.separator,
            decimal=dialect.decimal,
            usecols=list(wanted),
            dtype=dict(dtype),
            quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
            # A snippet may be called "NA": only numbers can be missing.
            keep_default_na=False,
            na_values={c: _MISSING for c, kind in wanted.items() if kind is not str},
            encoding="utf-8",
            encoding_errors="replace",
            index_col=False,
        )

    kinds = {c: _DTYPES[kind] for c, kind in wanted.items()}
    try:
        with warnings.catch_warnings():
            # A cast that loses a value is no success.
            warnings.simplefilter("error", RuntimeWarning)
            frame = load(kinds)
            for column in (c for c, kind in wanted.items() if kind is str):
                frame[column] = _labels(frame[column])
            return frame
    except (ValueError, TypeError, OverflowError, RuntimeWarning):
        frame = load(dict.fromkeys(wanted, "str"))
    for column, kind in wanted.items():
        text = frame[column]
        frame[column] = (
            _labels(text)
            if kind is str
            else _numbers(text, dialect.decimal, whole=kind is int, counts=counts)
        )
    return frame


def _labels(text: "pd.Series") -> "pd.Series":
    """Text as a categorical; what a short row does not have is empty text.

    Read as a categorical at once, labels like 007 would be taken for numbers.
    """
    return text.fillna("").astype("category")


def _numbers(
    text: "pd.Series", decimal: Decimal, *, whole: bool, counts: Counter[str]
) -> "pd.Series":
    """Cells that are numbers; others are missing, and counted unless they say so themselves."""
    import pandas as pd

    said = text.notna() & ~text.isin(_MISSING)
    if whole:
        readable = text.str.fullmatch(r"[+-]?\d{1,19}").fillna(value=False).astype(bool) & said
        whole_numbers = [int(cell) for cell in text[readable]]
        fits = [abs(number) <= _MAX_INT for number in whole_numbers]
        values = pd.Series(pd.NA, index=text.index, dtype="Int64")
        rows = text.index[readable][fits]
        values[rows] = [n for n, good in zip(whole_numbers, fits, strict=True) if good]
    else:
        plain = text.str.replace(decimal, ".", regex=False)
        values = pd.to_numeric(plain, errors="coerce").astype("float64")
    counts["unreadable_cells"] += int((values.isna() & said).sum())
    return values


def _whole_rows(
    raw: bytes,
    dialect: _Dialect,
    *,
    name: str,
    before: int,
    counts: Counter[str],
    last: bool,
    cut_row: str,
) -> tuple[bytes, int]:
    """The block without ragged and blank rows, and how many it held."""
    if not raw:
        return raw, 0
    text = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    if not len(ends) or ends[-1] != len(text) - 1:
        ends = np.append(ends, len(text))
    starts = np.concatenate(([0], ends[:-1] + 1))
    full = np.flatnonzero(ends > starts)
    starts, ends = starts[full], ends[full]
    if not len(starts):
        return b"", 0
    cells, balanced = _count_cells(text, starts, dialect)
    good = (cells <= dialect.n_cells) if dialect.short_rows else (cells == dialect.n_cells)
    good &= balanced
    breaks_off = last and not raw.endswith(b"\n") and cells[-1] < dialect.n_cells
    if breaks_off and before + len(cells) > 1 and cut_row == "refuse" and not dialect.short_rows:
        raise FormatError(
            f"{name} breaks off in its last row ({int(cells[-1])} of {dialect.n_cells} cells) "
            f"after {before + len(cells) - 1} whole rows; copy or export the file again, or "
            "remove that row to read what is there"
        )
    if good.all():
        return raw, len(cells)
    counts["ragged_rows"] += int((~good).sum())
    kept = np.flatnonzero(good)
    rows = (raw[a:b] for a, b in zip(starts[kept], ends[kept], strict=True))
    return b"".join(row + b"\n" for row in rows), len(cells)


def _count_cells(
    text: npt.NDArray[np.uint8], starts: IntArray, dialect: _Dialect
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Cells of each row, and whether its quotes balance; a separator between quotes is text."""
    at = np.flatnonzero(text == ord(dialect.separator))
    quotes = np.flatnonzero(text == ord('"')) if dialect.quoted else at[:0]
    edges = np.append(starts, len(text))
    if not len(quotes):
        return 1 + np.diff(np.searchsorted(at, edges)), np.ones(len(starts), dtype=bool)
    before = np.searchsorted(quotes, edges)
    # Inside quotes is what an odd number of them precedes in its own row.
    row = np.searchsorted(starts, at, side="right") - 1
    inside = (np.searchsorted(quotes, at) - before[row]) % 2 == 1
    cells = 1 + np.diff(np.searchsorted(at[~inside], edges))
    return cells, np.diff(before) % 2 == 0
