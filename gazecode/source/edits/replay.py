"""Edits applied to a text: logged offsets become splices of bytes, checked as they are applied.

An offset counts characters of the text as it was just before, CR and LF both; a byte-order mark is
not one of them. In ASCII that is all there is to say; elsewhere editors differ: Atom and VS Code
count UTF-16 units, Python code points, Scintilla bytes. The log does not say which. Without `unit`
it is the first of `UNITS` with which everything that the log deletes stands where it says.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from gazecode.disk import printable
from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import IntArray
from gazecode.source.edits.changelog import Edit

__all__ = ["UNITS", "Splice", "apply_splice", "find_splices", "replay", "splices_between"]

UNITS = ("utf16", "character", "byte")
"""What an offset counts; the first is Atom's."""
_BOM = b"\xef\xbb\xbf"
_FOUR_BYTES = 0xF0
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_WORD = re.compile(rb"[\w\x80-\xff]+|\s+|.", re.DOTALL)
_MAX_PARTS = 400
"""Lines or words that are compared one by one; that costs the square of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Bytes ``start:stop`` of the text as it was just before, and what takes their place."""

    start: int
    stop: int
    new: bytes


def apply_splice(code: bytes, splice: Splice) -> bytes:
    """The text after a splice."""
    return code[: splice.start] + splice.new + code[splice.stop :]


def replay(code: bytes, edits: Sequence[Edit], *, unit: str | None = None) -> Iterator[bytes]:
    r"""The text before the first edit and after each of them.

    Parameters
    ----------
    code
        The file when the log began, as bytes: line ends and byte-order mark as they are.
    edits
        Of this file alone, in the log's order.
    unit
        What offsets count, one of `UNITS`; None finds out.

    Raises
    ------
    DataError
        An edit lies outside the text, or what it deletes does not stand there.

    Examples
    --------
    >>> edits = [
    ...     Edit(kind="insert", offset=3, text="y", unix_ms=0),
    ...     Edit(kind="delete", offset=0, text="a\r\n", unix_ms=9),
    ... ]
    >>> list(replay(b"a\r\nx", edits))
    [b'a\r\nx', b'a\r\nyx', b'yx']
    """
    yield code
    for splice in find_splices(code, edits, unit=unit):
        code = apply_splice(code, splice)
        yield code


def find_splices(
    code: bytes, edits: Sequence[Edit], *, unit: str | None = None
) -> tuple[Splice, ...]:
    """Edits as splices of bytes, each in the text that those before it left.

    Parameters, errors as for `replay`.

    >>> edits = [Edit(kind="delete", offset=2, text="b", unix_ms=0)]
    >>> find_splices("😀b".encode(), edits)
    (Splice(start=4, stop=5, new=b''),)
    """
    if unit is not None and unit not in UNITS:
        raise ParameterError.unknown("units of offsets", unit, UNITS)
    tried = (unit,) if unit is not None else UNITS
    first: DataError | None = None
    for one in tried:
        try:
            return tuple(_splices(code, edits, one))
        except DataError as error:
            first = first or error
        if code.isascii() and all(edit.text.isascii() for edit in edits):
            # All units are the same.
            break
    raise first if first is not None else DataError("no unit of offsets to try")


def _splices(code: bytes, edits: Sequence[Edit], unit: str) -> Iterator[Splice]:
    for number, edit in enumerate(edits):
        splice = _splice(code, edit, unit, number)
        code = apply_splice(code, splice)
        yield splice


def _splice(code: bytes, edit: Edit, unit: str, number: int) -> Splice:
    try:
        text = edit.text.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"edit {number} holds half a character; expected whole ones: the log cuts a character "
            "in two, join its halves"
        ) from None
    begin = len(_BOM) if code.startswith(_BOM) else 0
    start = begin + _byte_at(code[begin:], edit.offset, unit)
    if start < begin:
        raise _misplaced(edit, number, unit)
    if edit.kind == "insert":
        return Splice(start=start, stop=start, new=text)
    if not text and edit.length is not None:
        stop = begin + _byte_at(code[begin:], edit.offset + edit.length, unit)
    else:
        stop = start + len(text)
    if stop < start or stop > len(code):
        raise _misplaced(edit, number, unit)
    if text and code[start:stop] != text:
        there = printable(code[start:stop].decode("utf-8", "replace"), 40)
        raise DataError(
            f"edit {number} deletes {printable(edit.text, 40)!r} at {edit.offset} ({unit}), where "
            f"{there!r} stands; expected the log of this very file from its first edit on"
        )
    return Splice(start=start, stop=stop, new=b"")


def _misplaced(edit: Edit, number: int, unit: str) -> DataError:
    return DataError(
        f"edit {number} {edit.kind}s at {edit.offset} ({unit}), outside the text or within a "
        "character; expected the log of this very file from its first edit on"
    )


def _byte_at(code: bytes, offset: int, unit: str) -> int:
    """Byte of an offset; -1 where there is none, or it lies within a character."""
    if offset > len(code):
        return -1
    if code.isascii():
        return offset
    if unit == "byte":
        inside = offset < len(code) and code[offset] & 0xC0 == 0x80
        return -1 if inside else offset
    before = _units_before(code, unit)
    at = int(np.searchsorted(before, offset, side="right")) - 1
    return at if before[at] == offset else -1


def _units_before(code: bytes, unit: str) -> IntArray:
    """``(n + 1,)`` characters or UTF-16 units before each byte; one counts from its first byte."""
    raw = np.frombuffer(code, dtype=np.uint8)
    units = ((raw & 0xC0) != 0x80).astype(np.int64)
    if unit == "utf16":
        units += raw >= _FOUR_BYTES
    before: IntArray = np.concatenate(([0], np.cumsum(units)))
    return before


def splices_between(old: bytes, new: bytes) -> tuple[Splice, ...]:
    r"""Splices that turn one text into another: for tools that keep whole files, as CodeGRITS does.

    What differs is compared line by line, and what is left of that word by word, so that what
    stands between two changes stays; a part of over some hundred lines or words is one splice.

    Examples
    --------
    >>> splices_between(b"a = b;\n", b"a = bc;\n")
    (Splice(start=5, stop=5, new=b'c'),)
    >>> [s.new for s in splices_between(b"a1\nkept\nb1\n", b"a2\nkept\nb2\n")]
    [b'2', b'2']
    """
    # From the last to the first: those still to come stay where they are.
    return tuple(reversed(list(_compared(old, new, 0, (_LINE, _WORD)))))


def _compared(
    old: bytes, new: bytes, place: int, parts: Sequence[re.Pattern[bytes]]
) -> Iterator[Splice]:
    """Splices from the first to the last, all in bytes of the old text; `old` begins at `place`."""
    start, stop, changed = _differing(old, new)
    if start == stop and not changed:
        return
    before, after = (parts[0].findall(t) if parts else [] for t in (old[start:stop], changed))
    if not parts or max(len(before), len(after)) > _MAX_PARTS:
        yield Splice(start=place + start, stop=place + stop, new=changed)
        return
    if min(len(before), len(after)) <= 1:
        yield from _compared(old[start:stop], changed, place + start, parts[1:])
        return
    left = place + start + np.concatenate(([0], np.cumsum([len(part) for part in before])))
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            some, others = b"".join(before[a:b]), b"".join(after[c:d])
            yield from _compared(some, others, int(left[a]), parts[1:])


def _differing(old: bytes, new: bytes) -> tuple[int, int, bytes]:
    """Where two texts differ, in bytes of `old` cut at whole characters, and what `new` has."""
    n = min(len(old), len(new))
    a, b = (np.frombuffer(text, dtype=np.uint8) for text in (old, new))
    unlike = np.flatnonzero(a[:n] != b[:n])
    head = int(unlike[0]) if len(unlike) else n
    while head > 0 and _within(old, head) | _within(new, head):
        head -= 1
    rest = n - head
    unlike = np.flatnonzero(a[len(old) - rest :][::-1] != b[len(new) - rest :][::-1])
    tail = int(unlike[0]) if len(unlike) else rest
    while tail > 0 and _within(old, len(old) - tail) | _within(new, len(new) - tail):
        tail -= 1
    return head, len(old) - tail, new[head : len(new) - tail]


def _within(code: bytes, at: int) -> bool:
    """Whether a byte goes on with a character begun before it."""
    return at < len(code) and code[at] & 0xC0 == 0x80
