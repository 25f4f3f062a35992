"""Delimited text for the `table` reader: separator, decimal mark and ragged rows, then Arrow."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazecode.errors import FormatError
from gazecode.readers.delimited import find_decimal, normalise_lines
from gazecode.readers.source import Source
from gazecode.readers.table_map import ColumnMap

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TextLayout", "column_names", "load_text"]

_SEPARATORS = "\t;,|"
_PROBE_BYTES = 1 << 16
_PROBE_LINES = 200
_NULLS = ("", ".", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "null", "None", "-")


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """What the user says of the text; None is found in the data cells.

    Attributes
    ----------
    sep, decimal
        One character each.
    names
        Column names of a file without a header line.
    skip_lines
        Lines before the header.
    missing
        Texts that stand for a lost number.
    """

    sep: str | None = None
    decimal: str | None = None
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    missing: tuple[str, ...] = ()


def column_names(head: bytes, layout: TextLayout | None = None) -> list[str]:
    r"""Names in the header line of delimited text.

    >>> column_names(b"t;x;y\n1;2,5;3\n")
    ['t', 'x', 'y']
    """
    layout = layout or TextLayout()
    if layout.names:
        return list(layout.names)
    lines = _probe(normalise_lines(_utf8(head)))[layout.skip_lines :]
    return _cells(lines[0], layout.sep or _find_separator(lines)) if lines else []


def load_text(
    source: Source, mapped: ColumnMap, layout: TextLayout, *, counts: Counter[str]
) -> tuple["pa.Table", dict[str, str]]:
    """Read the mapped columns; also say which separator and decimal mark were used.

    Rows with too few or too many cells are left out and counted as `ragged_rows`.
    """
    name = source.path.name
    raw = normalise_lines(_utf8(source.read_bytes()))
    lines = _probe(raw)[layout.skip_lines :]
    if not lines:
        raise FormatError(f"{name} holds no rows; expected a header line and rows")
    sep = layout.sep or _find_separator(lines)
    found = list(layout.names) or _cells(lines[0], sep)
    data = [_cells(line, sep) for line in (lines if layout.names else lines[1:])]
    _check_names(name, mapped, found)
    _refuse_cut(name, raw, sep, len(found))
    arrow = _Arrow(
        sep=sep,
        names=_arrow_names(found, data),
        skip_rows=layout.skip_lines + (not layout.names),
        nulls=[*_NULLS, *layout.missing],
    )
    marks = _decimal_marks(layout, sep, found, mapped, data)
    problem = ""
    for mark in marks:
        try:
            frame = _parse(raw, mapped, arrow, decimal=mark, counts=counts)
        except ValueError as error:
            problem = problem or " ".join(str(error).split())
            continue
        return frame, {"separator": sep, "decimal": mark}
    raise FormatError(
        f"{name}: a cell is no number ({problem}); texts that stand for a lost value are named "
        "with missing=(...), the decimal mark with decimal=','"
    )


@dataclass(frozen=True, kw_only=True)
class _Arrow:
    sep: str
    names: list[str]
    skip_rows: int
    nulls: list[str]


def _utf8(raw: bytes) -> bytes:
    """The text as UTF-8 without a byte-order mark: from UTF-16 by its mark, else Windows-1252."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        # A head may end inside a character.
        if error.start < len(raw) - 4:
            return raw.decode("cp1252", "replace").encode()
    return raw.removeprefix(b"\xef\xbb\xbf")


def _probe(raw: bytes) -> list[str]:
    """Lines from the start and the middle: a file may begin with a stretch of whole numbers."""
    start = raw[:_PROBE_BYTES].split(b"\n")
    if len(raw) > _PROBE_BYTES:
        start = start[:-1]
    middle = raw[max(len(raw) // 2, _PROBE_BYTES) :][:_PROBE_BYTES].split(b"\n")[1:-1]
    lines = start[:_PROBE_LINES] + middle[:_PROBE_LINES]
    return [line.decode("utf-8", "replace") for line in lines if line.strip()]


def _cells(line: str, sep: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=sep), [])]


def _find_separator(lines: Sequence[str]) -> str:
    """The separator that gives most rows as many cells as the first line, and more than one.

    >>> _find_separator(["t;x", "1;2,5", "2;3,5"]), _find_separator(["t,x;y", "1,2", "3,4"])
    (';', ',')
    """
    best, best_score = "\t", (0, 0)
    for sep in _SEPARATORS:
        n = len(_cells(lines[0], sep))
        agreeing = sum(len(_cells(line, sep)) in (n, n + 1) for line in lines[1:])
        score = (agreeing, n) if n > 1 else (0, 0)
        if score > best_score:
            best, best_score = sep, score
    if best_score == (0, 0):
        return next((sep for sep in _SEPARATORS if sep in lines[0]), "\t")
    return best


def _check_names(name: str, mapped: ColumnMap, found: Sequence[str]) -> None:
    absent = [column for column in mapped.wanted if column not in found]
    if absent:
        raise FormatError.missing_columns(name, absent, found, "Check columns= and sep=")
    twice = [column for column in mapped.wanted if found.count(column) > 1]
    if twice:
        raise FormatError(
            f"{name}: column {', '.join(twice)} occurs more than once; name the columns yourself "
            "with names=(...) and skip_lines=1"
        )


def _refuse_cut(name: str, raw: bytes, sep: str, n_columns: int) -> None:
    """A last row that breaks off means that nobody knows what else is missing."""
    last = raw[raw.rfind(b"\n") + 1 :].decode("utf-8", "replace")
    if last and len(_cells(last, sep)) < n_columns and raw.count(b"\n") > 1:
        raise FormatError(
            f"{name} breaks off in its last row; copy or export the file again, or remove that "
            "row to read what is there"
        )


def _decimal_marks(
    layout: TextLayout,
    sep: str,
    found: Sequence[str],
    mapped: ColumnMap,
    data: Sequence[Sequence[str]],
) -> list[str]:
    """Decimal marks to try, the likely one first: a column may turn fractional late."""
    if layout.decimal:
        return [layout.decimal]
    if sep == ",":
        return ["."]
    at = [found.index(column) for column in [mapped.time, *mapped.numbers]]
    mark = find_decimal(row[i] for row in data for i in at if i < len(row))
    return [mark, "." if mark == "," else ","]


def _arrow_names(found: Sequence[str], data: Sequence[Sequence[str]]) -> list[str]:
    """Names that are all different, with one more where every row ends with a separator."""
    seen: Counter[str] = Counter()
    names = []
    for name in found:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}\0{seen[name]}")
    n = len(names)
    if data and all(len(row) == n + 1 and not row[-1] for row in data):
        names.append("\0end")
    return names


def _parse(
    raw: bytes, mapped: ColumnMap, arrow: _Arrow, *, decimal: str, counts: Counter[str]
) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    ragged: list[int] = []

    def skip(row: Any) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    def load(time: "pa.DataType") -> "pa.Table":
        ragged.clear()
        types = dict.fromkeys(mapped.strings, pa.string())
        types |= dict.fromkeys(mapped.numbers, pa.float64())
        return arrow_csv.read_csv(
            io.BytesIO(raw),
            read_options=arrow_csv.ReadOptions(column_names=arrow.names, skip_rows=arrow.skip_rows),
            parse_options=arrow_csv.ParseOptions(
                delimiter=arrow.sep, newlines_in_values=b'"' in raw, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=mapped.wanted,
                column_types=types | {mapped.time: time},
                null_values=arrow.nulls,
                decimal_point=decimal,
            ),
        )

    try:
        # Stamps of 19 digits do not fit into a float.
        frame = load(pa.int64())
    except pa.ArrowInvalid:
        frame = load(pa.float64())
    if ragged:
        counts["ragged_rows"] += len(ragged)
    return frame
