"""JSON whose bulk is long lists of small rows: the rows block by block, the rest as it stands.

`json` makes dictionaries and lists of every number, which takes ten times the room of the columns
they become. Here the text between the brackets of a named list is parsed a piece at a time; what
remains is a small document in which the number of each list stands in its place.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from gazecode.errors import FormatError, TooLarge

__all__ = ["json_rows", "load_json"]

_PIECE = 1 << 16
_MAX_REST = 16 << 20
"""The most that may stand outside the lists: names, not data."""
_BETWEEN = re.compile(rb"[,\s]*")


def json_rows(
    chunks: Iterable[bytes],
    *,
    key: str,
    opens: bytes,
    rows: Callable[[int, list[Any]], None],
    name: str,
) -> Any:
    r"""Read a document; hand the rows of every list called `key` over as they come.

    Parameters
    ----------
    chunks
        The text, as `Source.chunks` gives it.
    key
        Name of the lists. One whose first element is no row is left in the document.
    opens
        How a row begins: ``b"["`` or ``b"{"``. Rows hold numbers and words, no brackets.
    rows
        Called with the number of the list and some of its rows, in order.
    name
        Of the file, for messages.

    Returns
    -------
    object
        The document, with the number of the list in place of each.

    Raises
    ------
    FormatError
        It breaks off, or is no JSON.
    TooLarge
        More than 16 MiB stand outside the lists.

    Examples
    --------
    >>> got = []
    >>> text = [b'{"a": {"xs": [[1, 2], [3, 4]]}, "b": {"xs": [[5, 6]]}}']
    >>> def take(number, part):
    ...     got.extend((number, *row) for row in part)
    >>> json_rows(text, key="xs", opens=b"[", rows=take, name="a.json")
    {'a': {'xs': 0}, 'b': {'xs': 1}}
    >>> got
    [(0, 1, 2), (0, 3, 4), (1, 5, 6)]
    """
    begins = re.compile(
        rb'"' + re.escape(key.encode()) + rb'"\s*:\s*(?=\[\s*(?:\]|' + re.escape(opens) + rb"))"
    )
    text = _Text(iter(chunks), name)
    rest: list[bytes] = []
    size = number = 0
    while (before := text.up_to(begins)) is not None:
        rest += [before, str(number).encode()]
        size += len(before)
        if size > _MAX_REST:
            raise _too_large(name)
        text.skip(b"[")
        _each_row(text, b"]" if opens == b"[" else b"}", partial(rows, number))
        number += 1
    return load_json(b"".join([*rest, text.buffer]), name=name)


def load_json(raw: bytes, *, name: str) -> Any:
    """Parse a small document; whatever is wrong with it is a FormatError.

    >>> load_json(b'{"a": 1}', name="a.json")
    {'a': 1}
    """
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _broken(name, str(error)) from error


class _Text:
    """What has come of a text and is not used up."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self.chunks, self.name, self.buffer = chunks, name, b""

    def more(self) -> bool:
        """Add a chunk; False at the end."""
        part = next(self.chunks, None)
        if part is None:
            return False
        self.buffer += part
        return True

    def up_to(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Everything up to and with the next match, used up; None if there is none."""
        while (found := pattern.search(self.buffer)) is None:
            if len(self.buffer) > _MAX_REST:
                raise _too_large(self.name)
            if not self.more():
                return None
        before, self.buffer = self.buffer[: found.end()], self.buffer[found.end() :]
        return before

    def skip(self, token: bytes) -> None:
        self.buffer = self.buffer.lstrip().removeprefix(token)

    def first(self) -> bytes:
        """The next character that is no blank; the text must go on."""
        while not (stripped := self.buffer.lstrip()):
            if not self.more():
                raise _broken(self.name, "it breaks off inside a list")
        self.buffer = stripped
        return stripped[:1]


def _each_row(text: _Text, closes: bytes, rows: Callable[[list[Any]], None]) -> None:
    last = re.compile(re.escape(closes) + rb"\s*\]")
    while text.first() != b"]":
        found = last.search(text.buffer)
        end = found.start() + 1 if found else text.buffer.rfind(closes) + 1
        if not found and end < _PIECE:
            if len(text.buffer) > _MAX_REST or not text.more():
                raise _broken(text.name, "a list does not end")
            continue
        piece, text.buffer = text.buffer[:end], text.buffer[end:]
        for part in _pieces(piece, closes):
            rows(load_json(b"[" + part + b"]", name=text.name))
        if text.first() == b",":
            text.skip(b",")
    text.skip(b"]")


def _pieces(raw: bytes, closes: bytes) -> Iterator[bytes]:
    """Whole rows, some at a time, without the commas between the pieces."""
    start = 0
    while start < len(raw):
        end = raw.find(closes, start + _PIECE) + 1 or len(raw)
        yield raw[start:end]
        between = _BETWEEN.match(raw, end)
        start = between.end() if between else end


def _broken(name: str, why: str) -> FormatError:
    reason = " ".join(why.split())
    return FormatError(f"{name} is no whole JSON document ({reason}); copy or export it again")


def _too_large(name: str) -> TooLarge:
    return TooLarge(
        f"{name} holds over {_MAX_REST} bytes of JSON that are no rows of gaze; "
        "is this the right file?"
    )
