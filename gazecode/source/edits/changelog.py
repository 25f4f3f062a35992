"""The changelog of an iTrace session as gazel's editor plug-in writes it.

``{"log": [{type, offset, text, len, timestamp, ...}, ..., {}]}``: the last entry is empty. Row and
column, `newlineoffset` (which counts line ends twice) and unknown keys are not used. Entries are
applied in the order of the file.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.disk import printable, read_limited
from gazecode.errors import FormatError
from gazecode.model.checks import FloatArray

__all__ = ["KINDS", "Edit", "clock_ms", "read_changelog"]

KINDS = ("insert", "delete")
MAX_BYTES = 256 << 20
"""Of a changelog; an hour of typing has less than one million."""
_LAST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change, as logged.

    Attributes
    ----------
    kind
        insert or delete.
    offset
        Where, in units of the log (`gazecode.source.edits.replay.UNITS`), in the text as it was
        just before.
    text
        What came or went; of a deletion it may be unknown ("").
    length
        Of it, in the same units; None says that it is the text's.
    unix_ms
        When, by the wall clock: an integer, kept in memory and never exported.
    file
        Which file, as the log calls it; "" if it does not say.
    """

    kind: str
    offset: int
    text: str
    unix_ms: int
    length: int | None = None
    file: str = ""


def read_changelog(path: str | Path) -> tuple[Edit, ...]:
    r"""Read an edit log, in its own order.

    Empty entries are left out; any other entry that is no edit is an error, because every edit
    after a lost one would fall on the wrong place.

    Raises
    ------
    FormatError
        It is no such log, or an entry lacks what an edit needs.
    TooLarge
        It holds more than `MAX_BYTES`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "changelog.json"
    >>> _ = file.write_text(
    ...     '{"log": [{"type": "insert", "offset": 3, "text": "x", "timestamp": 17}, {}]}'
    ... )
    >>> read_changelog(file)
    (Edit(kind='insert', offset=3, text='x', unix_ms=17, length=None, file=''),)
    """
    path = Path(path)
    name = printable(path.name, 80)
    document = _parsed(read_limited(path, MAX_BYTES), name)
    log = document.get("log") if isinstance(document, dict) else document
    if not isinstance(log, list):
        raise FormatError(f'{name} is no changelog; expected {{"log": [edits]}}')
    return tuple(_edit(entry, number, name) for number, entry in enumerate(log) if entry != {})


def _parsed(raw: bytes, name: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{name} is no JSON ({printable(str(error), 80)}); expected a changelog. Copy it again"
        ) from None


def _edit(entry: Any, number: int, name: str) -> Edit:
    where = f"{name}: entry {number}"
    if not isinstance(entry, dict):
        raise FormatError(f"{where} is no edit; expected type, offset, text and timestamp")
    kind = str(entry.get("type", "")).strip().lower()
    if kind not in KINDS:
        raise FormatError(
            f"{where} is of type {printable(kind, 40)!r}; expected insert or delete: without it "
            "the edits after it would fall on the wrong places"
        )
    text = entry.get("text")
    text = "" if text is None else text
    if not isinstance(text, str):
        raise FormatError(f"{where} has a text that is none; expected a string")
    length = None if entry.get("len") is None else _whole(entry, "len", where)
    if kind == "insert" or text:
        # The text says it itself; `len` counts in the unit of the log.
        length = None
    elif length is None:
        raise FormatError(f"{where} deletes neither a text nor a len; expected one of them")
    file = entry.get("filename", "")
    return Edit(
        kind=kind,
        offset=_whole(entry, "offset", where),
        text=text,
        length=length,
        unix_ms=_whole(entry, "timestamp", where),
        file=file if isinstance(file, str) else "",
    )


def _whole(entry: dict[str, Any], key: str, where: str) -> int:
    value = entry.get(key)
    # A number written as a text is one; a long text is none, and would cost time.
    if isinstance(value, str) and len(value) <= len(str(_LAST)) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LAST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LAST:
        raise FormatError(
            f"{where} has {key} {printable(repr(value)[:60], 40)}; expected a whole number from 0"
        )
    return value


def clock_ms(unix_ms: Sequence[int] | npt.ArrayLike, start_ns: int) -> FloatArray:
    """Wall-clock stamps on a recording's clock, ``(n,)`` ms.

    Parameters
    ----------
    unix_ms
        ``(n,)`` whole ms since 1970, such as ``[edit.unix_ms for edit in edits]``.
    start_ns
        The recording's ``start_ns``.

    Examples
    --------
    >>> clock_ms([1622128602604, 1622128602610], 1622128602603_500_000)
    array([0.5, 6.5])
    """
    whole_ms, part_ns = divmod(int(start_ns), 1_000_000)
    stamps = np.asarray(unix_ms, dtype=np.int64)
    # Subtracted as integers: a float holds Unix ns to a quarter of a µs only.
    passed: FloatArray = np.asarray(stamps - whole_ms, dtype=np.float64)
    return passed - part_ns / 1e6
