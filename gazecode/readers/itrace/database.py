"""A SQLite file from somebody else: opened read-only, bounded, and asked for plain columns alone.

What a hostile database can do is refused before it happens: no extension is loaded, no trigger,
view, virtual table or generated column is read, no function runs (an authorizer allows nothing but
reading columns), a cell holds at most a MiB, pages are checked, and a table cannot give more rows
than its bytes can hold. Nothing is written beside the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.source import MAX_BYTES
from gazecode.readers.tools.xml_columns import number

__all__ = ["MAGIC", "Database", "as_float", "as_int", "open_database"]

MAGIC = b"SQLite format 3\x00"
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MAX_CELL = 1 << 20
_ROW_BYTES = 8
"""No row takes less: a header, a key and what the columns hold."""
_BATCH = 1 << 13
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}


class Database:
    """Tables of an open file and their columns."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.name = path.name
        self._most_rows = path.stat().st_size // _ROW_BYTES
        self.columns = _plain_columns(connection)
        connection.set_authorizer(_authorize)

    def ids(self, table: str, column: str) -> list[int | str | None]:
        """Distinct values of a column, in order."""
        if column not in self.columns.get(table, ()):
            return []
        rows = self._rows(f'SELECT DISTINCT "{column}" FROM "{table}" ORDER BY 1', ())  # noqa: S608
        return [value for batch in rows for (value,) in batch]

    def columns_of(
        self,
        table: str,
        wanted: Sequence[str],
        *,
        where: str | None = None,
        equals: object = None,
        order: str | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Batches of rows of the wanted columns; one that the table lacks is None throughout."""
        known = self.columns.get(table, ())
        if not known:
            return
        names = ", ".join(f'"{c}"' if c in known else "NULL" for c in wanted)
        # Names are constants of the caller's; what comes from outside is bound, never pasted.
        query = f'SELECT {names} FROM "{table}"'  # noqa: S608
        if where is not None:
            query += f' WHERE "{where}" IS ?'
        if order is not None and order in known:
            query += f' ORDER BY "{order}"'
        yield from self._rows(query, () if where is None else (equals,))

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[list[tuple[Any, ...]]]:
        count = 0
        try:
            cursor = self._connection.execute(query, values)
            while batch := cursor.fetchmany(_BATCH):
                count += len(batch)
                if count > self._most_rows:
                    raise TooLarge(
                        f"{self.name} gives more rows than its bytes can hold; the database is "
                        "damaged. Copy it again"
                    )
                yield batch
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise FormatError(
                f"{self.name}: the database cannot be read after {count} rows ({reason}); it may "
                "be cut or damaged, copy it again"
            ) from error


@contextmanager
def open_database(path: Path) -> Iterator[Database]:
    """Open a database for reading; closed at the end of the ``with`` block."""
    if path.stat().st_size > MAX_BYTES:
        raise TooLarge(f"{path.name} holds over {MAX_BYTES} bytes; at most that is read")
    waiting = path.with_name(path.name + "-wal")
    # Without a journal that waits, nothing need be locked or written beside the file.
    immutable = "" if waiting.is_file() and waiting.stat().st_size else "&immutable=1"
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{immutable}", uri=True)
    except sqlite3.Error as error:
        raise FormatError(f"{path.name}: the database cannot be opened ({error})") from error
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
            connection.execute(f"PRAGMA {pragma}").close()
        database = Database(connection, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        reason = " ".join(str(error).split())
        raise FormatError(
            f"{path.name}: the database cannot be read ({reason}); it may be cut or damaged, copy "
            "it again"
        ) from error
    try:
        yield database
    finally:
        connection.close()


def _plain_columns(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """Columns of real tables; views, virtual tables and computed columns are no data."""
    listed = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    found: dict[str, tuple[str, ...]] = {}
    for name, sql in listed.fetchall():
        if '"' in str(name) or not str(sql).upper().startswith("CREATE TABLE"):
            continue
        rows = connection.execute(f'PRAGMA table_xinfo("{name}")').fetchall()
        found[str(name)] = tuple(str(row[1]) for row in rows if row[6] == 0 and '"' not in row[1])
    return found


def _authorize(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def as_float(values: Sequence[Any], where: str) -> FloatArray:
    """A column whose cells are numbers, NULL, or text that a REAL column kept ("NaN", "1,5")."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        cells = [v if isinstance(v, int | float) else _cell(v, where) for v in values]
        return np.array(cells, dtype=np.float64)


def _cell(value: object, where: str) -> float:
    return float("nan") if value is None else number(str(value), where)


def as_int(values: Sequence[Any], where: str) -> IntArray:
    """A column of whole numbers, all of which must be there."""
    try:
        return np.array([int(v) for v in values], dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{where} is missing or no 64-bit integer ({error}); expected one in every row"
        ) from error
