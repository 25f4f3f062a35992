"""Delimited text through pandas' C parser: separator, decimal comma, ragged rows counted.

The decimal comma is a property of the file: it is found in the data cells, never taken from the
machine. Rows with too few or too many cells are left out and counted; a last row that breaks off
in the middle is an error, because then nobody knows what else is missing. To
`read_delimited` quotes are ordinary characters: the recorders it serves never quote, and one stray
quote must not swallow rows.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["find_decimal", "find_separator", "normalise_lines", "read_delimited", "split_line"]

IntArray = npt.NDArray[np.int64]

_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_PROBE_LINES = 200
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


def normalise_lines(raw: bytes) -> bytes:
    r"""Return the text with LF line ends, from LF, CRLF, CR CR LF or CR.

    >>> normalise_lines(b"a\r\r\nb\r\nc\rd")
    b'a\nb\nc\nd'
    """
    if b"\r" not in raw:
        return raw
    return raw.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def read_delimited(
    raw: bytes,
    *,
    name: str,
    columns: Mapping[str, type],
    optional: Mapping[str, type] | None = None,
    counts: Counter[str],
) -> "pd.DataFrame":
    r"""Read named columns of delimited text whose first line names them.

    Parameters
    ----------
    raw
        Header line and rows, LF line ends (`normalise_lines`).
    name
        Of the file, for messages.
    columns, optional
        Column → ``float`` or ``str``: those that must be there, and those that may.
    counts
        Added to: `ragged_rows` (left out), `unreadable_cells` (made NaN); only what occurs.

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
    head = raw[: raw.find(b"\n") if b"\n" in raw else len(raw)].decode("utf-8", "replace")
    separator = find_separator(head)
    found = head.split(separator)
    missing = [column for column in columns if column not in found]
    if missing:
        raise FormatError.missing_columns(name, missing, found, "Is this the right format?")
    wanted = dict(columns) | {c: kind for c, kind in (optional or {}).items() if c in found}
    body = _whole_rows(raw, name=name, separator=separator, counts=counts)
    cells = [cell for line in _probe(body) for cell in line.split(separator)]
    return _parse(body, wanted, separator, find_decimal(cells) if separator != "," else ".", counts)


def _probe(body: bytes) -> list[str]:
    """Lines from the start and the middle: a file may begin with a stretch of whole numbers."""
    middle = body[len(body) // 2 :][: 1 << 16].split(b"\n")[1:-1]
    lines = body[: 1 << 16].split(b"\n")[1:_PROBE_LINES] + middle[:_PROBE_LINES]
    return [line.decode("utf-8", "replace") for line in lines]


def _parse(
    body: bytes,
    wanted: Mapping[str, type],
    separator: str,
    decimal: Literal[".", ","],
    counts: Counter[str],
) -> "pd.DataFrame":
    import pandas as pd

    def load(dtype: Mapping[str, str]) -> "pd.DataFrame":
        return pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            decimal=decimal,
            usecols=list(wanted),
            dtype=dict(dtype),
            quoting=csv.QUOTE_NONE,
            # A snippet may be called "NA": only numbers can be missing.
            keep_default_na=False,
            na_values={c: _MISSING for c, kind in wanted.items() if kind is float},
            encoding="utf-8",
            encoding_errors="replace",
        )

    kinds = {c: "float64" if kind is float else "str" for c, kind in wanted.items()}
    try:
        return load(kinds)
    except ValueError:
        frame = load(dict.fromkeys(wanted, "str"))
    for column in (c for c, kind in wanted.items() if kind is float):
        text = frame[column].str.replace(decimal, ".", regex=False)
        values = pd.to_numeric(text, errors="coerce")
        counts["unreadable_cells"] += int(
            (values.isna() & text.notna() & ~text.isin(_MISSING)).sum()
        )
        frame[column] = values.astype("float64")
    return frame


def _whole_rows(raw: bytes, *, name: str, separator: str, counts: Counter[str]) -> bytes:
    """Return the text without ragged and blank rows; refuse a last row that breaks off."""
    text = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    if not len(ends) or ends[-1] != len(text) - 1:
        ends = np.append(ends, len(text))
    starts = np.concatenate(([0], ends[:-1] + 1))
    full = np.flatnonzero(ends > starts)
    starts, ends = starts[full], ends[full]
    if not len(starts):
        raise FormatError(f"{name} holds no text; expected a header line and rows")
    is_separator = text == ord(separator)
    cells = 1 + np.add.reduceat(is_separator, starts, dtype=np.int64)
    ragged = cells != cells[0]
    _refuse_cut(raw, name=name, rows=len(cells) - 1, got=int(cells[-1]), of=int(cells[0]))
    if not ragged.any():
        return raw
    counts["ragged_rows"] += int(ragged.sum())
    kept = np.flatnonzero(~ragged)
    return b"\n".join(raw[a:b] for a, b in zip(starts[kept], ends[kept], strict=True)) + b"\n"


def _refuse_cut(raw: bytes, *, name: str, rows: int, got: int, of: int) -> None:
    if raw.endswith(b"\n") or got >= of or not rows:
        return
    raise FormatError(
        f"{name} breaks off in its last row ({got} of {of} cells) after {rows - 1} whole rows; "
        "copy or export the file again, or remove that row to read what is there"
    )
