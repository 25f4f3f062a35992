"""Tobii's wide tables through Arrow's parser, a block at a time, without a frame.

An export has up to a hundred columns, of which a dozen texts repeat on every row. Arrow gives each
text column as codes and a few labels, and numbers as arrays; the rules are those of
`gazecode.readers.tools.delimited`: ragged rows are left out and counted, a cell that is no number
is missing and counted, the decimal mark is found in the cells, a last row that breaks off is
refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.readers.tools.delimited import find_decimal, find_separator, split_line

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Block", "Text", "is_quoted", "read_table"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_PROBE_LINES = 60
_QUOTE_BYTES = 1 << 16
_QUOTED_CELL = re.compile(rb'(?:^|\t)"[^\t\n"]*"(?:\t|$)', re.MULTILINE)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DECIMAL = re.compile(r"[+-]?\d+[.,]\d+")
_MISSING = ("", "NA", "N/A", "n/a", "nan", "NaN", "-", ".", "null")


@dataclass(frozen=True, slots=True)
class Text:
    """A column of texts: a code per row, and the label of each code."""

    codes: npt.NDArray[np.int32]
    labels: list[str]

    def says(self, word: str) -> BoolArray:
        """Rows that say `word`."""
        return self.among([label == word for label in self.labels])

    def among(self, wanted: Sequence[bool]) -> BoolArray:
        """Rows whose label is wanted: one verdict per label."""
        chosen = np.array(wanted, dtype=bool)
        return chosen[self.codes] if len(chosen) else np.zeros(len(self.codes), dtype=bool)

    def at(self, rows: "BoolArray | IntArray") -> list[str]:
        """Labels of some rows."""
        return [self.labels[code] for code in self.codes[rows].tolist()]

    def counted(self) -> dict[str, int]:
        """How many rows say what."""
        n = np.bincount(self.codes, minlength=len(self.labels))
        found: Counter[str] = Counter()
        for label, times in zip(self.labels, n.tolist(), strict=True):
            found[label] += times
        return dict(+found)


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of some rows."""

    n: int
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, Text]

    def where(self, mask: BoolArray) -> "Block":
        """The rows of a mask; all of them without a copy."""
        if mask.all():
            return self
        rows = np.flatnonzero(mask)
        return Block(
            n=len(rows),
            numbers={name: values[rows] for name, values in self.numbers.items()},
            texts={name: Text(x.codes[rows], x.labels) for name, x in self.texts.items()},
        )

    def pair(self, names: tuple[str, str]) -> FloatArray:
        """``(n, 2)`` of two columns, to be written to."""
        return np.stack([self.numbers[name] for name in names], axis=1)


def is_quoted(block: bytes) -> bool:
    r"""Whether the first cells stand in quotes, as a spreadsheet or R writes them; a stray one not.

    >>> is_quoted(b'"Timestamp"\t"Event"\n'), is_quoted(b'Event\tValue\nsay "yes"\t5"\n')
    (True, False)
    """
    return bool(_QUOTED_CELL.search(block[:_QUOTE_BYTES]))


def read_table(
    blocks: Iterable[bytes],
    *,
    name: str,
    columns: Mapping[str, type],
    counts: Counter[str],
) -> Iterator[Block]:
    r"""Rows of the named columns, block by block.

    Parameters
    ----------
    blocks
        Whole lines with LF ends, the header line first.
    columns
        Name → ``float`` or ``str``; of columns that share a name the first is taken.
    counts
        Added to: `ragged_rows`, `unreadable_cells`; only what occurs.

    Examples
    --------
    >>> counts = Counter()
    >>> text = b"t\tSensor\n1,5\tMouse\n2,5\n3,5\tMouse\n"
    >>> found = list(
    ...     read_table([text], name="a", columns={"t": float, "Sensor": str}, counts=counts)
    ... )
    >>> found[0].numbers["t"].tolist(), found[0].texts["Sensor"].counted(), counts["ragged_rows"]
    ([1.5, 3.5], {'Mouse': 2}, 1)
    """
    parser: _Parser | None = None
    held, n_rows = b"", 0
    for block in blocks:
        if parser is None:
            header, _, held = block.partition(b"\n")
            parser = _Parser(header, columns, counts, quoted=is_quoted(block))
            parser.refuse_missing(name)
            continue
        found = parser.rows(held)
        n_rows += found.n
        yield found
        held = block
    if parser is not None:
        parser.refuse_cut(held, n_rows, name)
        yield parser.rows(held)


class _Parser:
    """How one file writes its rows."""

    def __init__(
        self, header: bytes, columns: Mapping[str, type], counts: Counter[str], *, quoted: bool
    ) -> None:
        line = header.decode("utf-8", "replace")
        self.separator = find_separator(line)
        names = split_line(line, self.separator) if quoted else line.split(self.separator)
        self.n_cells = len(names)
        self.quoted = quoted
        self.counts = counts
        self.names = names
        # Headers repeat names, and names of AOIs are anything: places are sure.
        self.places = {name: f"c{names.index(name)}" for name in columns if name in names}
        self.kinds = dict(columns)
        self.decimal: Literal[".", ","] | None = None

    def rows(self, block: bytes) -> Block:
        block = self._whole_rows(block)
        if not block.strip(b"\n"):
            return self._empty()
        decimal = self.decimal or self._probed(block)
        import pyarrow as pa

        try:
            return self._block(self._parsed(block, decimal, self.kinds), self.kinds, decimal)
        except pa.ArrowInvalid:
            # A cell that is no number: all of them are read as text, and each is looked at.
            texts: dict[str, type] = dict.fromkeys(self.kinds, str)
            return self._block(self._parsed(block, decimal, texts), texts, decimal)

    def refuse_missing(self, name: str) -> None:
        """Columns that the header does not name."""
        missing = [column for column in self.kinds if column not in self.places]
        if missing:
            raise FormatError.missing_columns(
                name, missing, self.names, "Export the file again with all columns"
            )

    def refuse_cut(self, block: bytes, before: int, name: str) -> None:
        """A last row that breaks off: nobody knows what else is missing."""
        last = block.rpartition(b"\n")[2]
        line = last.decode("utf-8", "replace")
        n = len(split_line(line, self.separator)) if self.quoted else line.count(self.separator) + 1
        rows = before + block.count(b"\n")
        if last and n < self.n_cells and rows:
            raise FormatError(
                f"{name} breaks off in its last row ({n} of {self.n_cells} cells) after "
                f"{rows} rows; copy or export the file again, or remove that row to read what is "
                "there"
            )

    def _empty(self) -> Block:
        none = np.empty(0, dtype=np.int32)
        return Block(
            n=0,
            numbers={n: np.empty(0) for n, kind in self.kinds.items() if kind is not str},
            texts={n: Text(none, []) for n, kind in self.kinds.items() if kind is str},
        )

    def _probed(self, block: bytes) -> Literal[".", ","]:
        """Decimal mark of the block's first cells; kept once a cell shows one."""
        lines = block[: 1 << 17].split(b"\n")[:_PROBE_LINES]
        lines += block[len(block) // 2 :][: 1 << 17].split(b"\n")[1:_PROBE_LINES]
        text = b"\n".join(lines).decode("utf-8", "replace").replace("\n", self.separator)
        cells = [cell for cell in text.replace('"', "").split(self.separator) if cell]
        mark = find_decimal(cells) if self.separator != "," else "."
        if any(_DECIMAL.fullmatch(cell) for cell in cells):
            self.decimal = mark
        return mark

    def _whole_rows(self, block: bytes) -> bytes:
        """Without rows that have too few or too many cells, or quotes that do not balance."""
        text = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        if not len(ends) or ends[-1] != len(text) - 1:
            ends = np.append(ends, len(text))
        starts = np.concatenate(([0], ends[:-1] + 1))
        starts, ends = starts[ends > starts], ends[ends > starts]
        if not len(starts):
            return b""
        is_separator = text == ord(self.separator)
        good = np.ones(len(starts), dtype=bool)
        if self.quoted and b'"' in block:
            quotes = text == ord('"')
            good = np.add.reduceat(quotes, starts, dtype=np.int64) % 2 == 0
            good[np.searchsorted(starts, _strays(text, quotes, is_separator), "right") - 1] = False
            if good.all():
                is_separator &= np.cumsum(quotes) % 2 == 0
        if good.all():
            good = 1 + np.add.reduceat(is_separator, starts, dtype=np.int64) == self.n_cells
            if good.all():
                return block
        kept = np.flatnonzero(good)
        self.counts["ragged_rows"] += len(good) - len(kept)
        rows = zip(starts[kept].tolist(), ends[kept].tolist(), strict=True)
        rest = b"".join(block[a:b] + b"\n" for a, b in rows)
        # Cells can only be counted once all quotes balance.
        return self._whole_rows(rest) if self.quoted and len(kept) else rest

    def _parsed(self, block: bytes, decimal: str, kinds: Mapping[str, type]) -> "pa.Table":
        import pyarrow as pa
        from pyarrow import csv

        text = pa.dictionary(pa.int32(), pa.binary())
        types = {self.places[n]: text if k is str else pa.float64() for n, k in kinds.items()}
        return csv.read_csv(
            pa.py_buffer(block),
            read_options=csv.ReadOptions(
                use_threads=False,
                column_names=[f"c{i}" for i in range(self.n_cells)],
                block_size=len(block) + 1,
            ),
            parse_options=csv.ParseOptions(
                delimiter=self.separator,
                quote_char='"' if self.quoted else False,
            ),
            convert_options=csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(_MISSING),
                strings_can_be_null=False,
                check_utf8=False,
                decimal_point=decimal,
            ),
            # Its default pool keeps what it once took.
            memory_pool=pa.system_memory_pool(),
        )

    def _block(self, table: "pa.Table", kinds: Mapping[str, type], decimal: str) -> Block:
        numbers: dict[str, FloatArray] = {}
        texts: dict[str, Text] = {}
        for name, kind in kinds.items():
            column: Any = table[self.places[name]]
            if kind is not str:
                numbers[name] = column.to_numpy()
                continue
            found = _text(column)
            if self.kinds[name] is str:
                texts[name] = found
            else:
                numbers[name] = self._numbers(found, decimal)
        return Block(n=table.num_rows, numbers=numbers, texts=texts)

    def _numbers(self, found: Text, decimal: str) -> FloatArray:
        values = np.full(len(found.labels), np.nan)
        strange = np.zeros(len(found.labels), dtype=bool)
        for code, label in enumerate(found.labels):
            word = label.strip().replace(decimal, ".")
            if _NUMBER.fullmatch(word):
                values[code] = float(word)
            elif label.strip() not in _MISSING:
                strange[code] = True
        if not len(values):
            return np.full(len(found.codes), np.nan)
        self.counts["unreadable_cells"] += int(strange[found.codes].sum())
        return values[found.codes]


def _strays(text: npt.NDArray[np.uint8], quotes: BoolArray, is_separator: BoolArray) -> IntArray:
    """Places of quotes that neither border a cell nor stand beside another quote."""
    border = quotes | is_separator | (text == ord("\n"))
    before = np.concatenate(([True], border[:-1]))
    after = np.concatenate((border[1:], [True]))
    return np.flatnonzero(quotes & ~before & ~after)


def _text(column: Any) -> Text:
    parts = column.unify_dictionaries().chunks
    if not parts:
        return Text(np.empty(0, dtype=np.int32), [])
    codes = np.concatenate([part.indices.to_numpy(zero_copy_only=False) for part in parts])
    labels = [label.decode("utf-8", "replace") for label in parts[0].dictionary.to_pylist()]
    return Text(codes.astype(np.int32, copy=False), labels)
