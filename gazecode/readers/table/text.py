"""Delimited text for the `table` reader: separator, decimal mark and ragged rows, then Arrow.

The text goes through Arrow a block at a time. What a block cannot tell, whether stamps are whole
numbers and which mark is the decimal one, is tried: the file is read again where that was wrong.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazecode.errors import FormatError
from gazecode.readers.source import Source
from gazecode.readers.table.columns import TableColumns
from gazecode.readers.table.map import ColumnMap
from gazecode.readers.tools.delimited import find_decimal, normalise_lines

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TextLayout", "column_names", "load_text"]

_SEPARATORS = "\t;,|"
_PROBE_BYTES = 1 << 16
_PROBE_LINES = 200
_BLOCK_BYTES = 1 << 17
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
    lines = _probe(normalise_lines(_utf8(head, cut=True)))[layout.skip_lines :]
    return _cells(lines[0], layout.sep or _find_separator(lines)) if lines else []


def load_text(
    source: Source, mapped: ColumnMap, layout: TextLayout, *, counts: Counter[str]
) -> tuple[TableColumns, dict[str, str]]:
    """Read the mapped columns; also say which separator and decimal mark were used.

    Rows with too few or too many cells are left out and counted as `ragged_rows`.
    """
    name = source.path.name
    lines = _probe(_utf8(next(source.blocks(_PROBE_BYTES), b"")))[layout.skip_lines :]
    if len(lines) < 2 - bool(layout.names):
        raise FormatError(f"{name} holds no rows; expected a header line and rows")
    sep = layout.sep or _find_separator(lines)
    found = list(layout.names) or _cells(lines[0], sep)
    data = [_cells(line, sep) for line in (lines if layout.names else lines[1:])]
    _check_names(name, mapped, found)
    arrow = _Arrow(
        sep=sep,
        names=_arrow_names(found, data),
        skip_rows=layout.skip_lines + (not layout.names),
        nulls=[*_NULLS, *layout.missing],
        n_columns=len(found),
    )
    problem = ""
    for mark in _decimal_marks(layout, sep, found, mapped, data):
        try:
            table = _parse(source, mapped, arrow, decimal=mark, counts=counts)
        except ValueError as error:
            problem = problem or " ".join(str(error).split())
            continue
        return table, {"separator": sep, "decimal": mark}
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
    n_columns: int


def _utf8(raw: bytes, *, cut: bool = False) -> bytes:
    """The text as UTF-8 without a byte-order mark: from UTF-16 by its mark, else Windows-1252.

    A piece that is `cut` may end inside a character.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if not cut or error.start < len(raw) - 4:
            return raw.decode("cp1252", "replace").encode()
    return raw.removeprefix(b"\xef\xbb\xbf")


def _probe(raw: bytes) -> list[str]:
    """The first lines; a stretch of whole numbers there says nothing of the decimal mark."""
    lines = raw[:_PROBE_BYTES].split(b"\n")
    if len(raw) > _PROBE_BYTES:
        lines = lines[:-1]
    return [line.decode("utf-8", "replace") for line in lines[:_PROBE_LINES] if line.strip()]


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


class _Text(io.RawIOBase):
    """The text of a file as UTF-8 that Arrow reads bit by bit; and what is asked of it afterwards.

    Attributes
    ----------
    tail
        What no line end closes.
    n_lines, n_quotes
        Lines that are not blank, about, and double quotes.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._blocks = source.blocks(_BLOCK_BYTES)
        self._held = memoryview(b"")
        self.tail = b""
        self.n_lines = self.n_quotes = 0

    def readable(self) -> bool:
        """Nothing else is asked of it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill some of the buffer; 0 at the end."""
        if not len(self._held):
            block = next(self._blocks, b"")
            if not block:
                return 0
            self.tail = block[block.rfind(b"\n") + 1 :]
            self.n_lines += block.count(b"\n") - block.count(b"\n\n") + bool(self.tail)
            self.n_quotes += block.count(b'"')
            self._held = memoryview(_utf8(block))
        n = min(len(buffer), len(self._held))
        buffer[:n] = self._held[:n]
        self._held = self._held[n:]
        return n


def _parse(
    source: Source, mapped: ColumnMap, arrow: _Arrow, *, decimal: str, counts: Counter[str]
) -> TableColumns:
    import pyarrow as pa

    try:
        # Stamps of 19 digits do not fit into a float.
        table, ragged = _stream(source, mapped, arrow, decimal, pa.int64())
    except pa.ArrowInvalid:
        table, ragged = _stream(source, mapped, arrow, decimal, pa.float64())
    if ragged:
        counts["ragged_rows"] += ragged
    return table


def _stream(
    source: Source, mapped: ColumnMap, arrow: _Arrow, decimal: str, time: "pa.DataType"
) -> tuple[TableColumns, int]:
    """The columns, and how many rows were ragged."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    ragged = Counter[int]()

    def skip(row: Any) -> str:
        ragged[row.actual_columns] += 1
        return "skip"

    types = dict.fromkeys(mapped.strings, pa.string())
    types |= dict.fromkeys(mapped.numbers, pa.float64())
    text = _Text(source)
    reader = arrow_csv.open_csv(
        pa.PythonFile(io.BufferedReader(text, _BLOCK_BYTES), mode="r"),
        read_options=arrow_csv.ReadOptions(
            column_names=arrow.names,
            skip_rows=arrow.skip_rows,
            use_threads=False,
            block_size=_BLOCK_BYTES,
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=arrow.sep, newlines_in_values=True, invalid_row_handler=skip
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=mapped.wanted,
            column_types=types | {mapped.time: time},
            null_values=arrow.nulls,
            decimal_point=decimal,
        ),
    )
    with reader:
        table = TableColumns(mapped, reader)
    if not table.n_rows:
        raise FormatError(
            f"{source.path.name} holds no whole rows ({ragged.total()} ragged ones); expected "
            f"{arrow.n_columns} cells each. Check sep="
        )
    _refuse_broken(source.path.name, text, arrow, table.n_rows + ragged.total())
    return table, ragged.total()


def _refuse_broken(name: str, text: _Text, arrow: _Arrow, n_rows: int) -> None:
    """Where rows are missing nobody knows what else is."""
    last = text.tail.decode("utf-8", "replace")
    if n_rows > 1 and last.strip() and len(_cells(last, arrow.sep)) < arrow.n_columns:
        raise FormatError(
            f"{name} breaks off in its last row; copy or export the file again, or remove that "
            "row to read what is there"
        )
    within = text.n_lines - arrow.skip_rows - n_rows
    if text.n_quotes % 2 and within > 0:
        raise FormatError(
            f"{name}: a double quote opens and none closes it, {within} lines would be lost in one "
            "cell; remove that quote"
        )
