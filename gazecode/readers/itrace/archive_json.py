"""The JSON of iTrace's first generation, object by object: a long list is never held whole."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from gazecode.errors import FormatError, TooLarge

__all__ = ["first_object", "json_objects"]

_LIST = re.compile(r'"(gazes|fixations)"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
MAX_OBJECT = 16 << 20
"""Characters of one object; a sample with its source entities has a few thousand."""


def json_objects(chunks: Iterable[bytes], name: str) -> Iterator[dict[str, Any]]:
    """Objects of the list ``gazes`` or ``fixations``.

    >>> list(json_objects([b'{"a": {}, "gazes": [{"x": 1},', b' {"x": 2}]}'], "a.json"))
    [{'x': 1}, {'x': 2}]
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    scan = json.JSONDecoder().raw_decode
    text, opened, count = "", False, 0
    for chunk in chunks:
        text += decode(chunk)
        if not opened:
            found = _LIST.search(text)
            if found is None:
                _bound(text, name)
                continue
            text, opened = text[found.end() :], True
        at = 0
        while True:
            at = _skip(text, at)
            if text[at : at + 1] == "]":
                return
            try:
                value, end = scan(text, at)
            except json.JSONDecodeError:
                # Cut by the chunk's end, or no JSON: the next chunk tells.
                break
            # A number at the very end may go on.
            if end == len(text):
                break
            if not isinstance(value, dict):
                raise _broken(name, count)
            yield value
            count, at = count + 1, end
        text = text[at:]
        _bound(text, name)
    raise _broken(name, count)


def first_object(head: bytes) -> dict[str, Any]:
    """The first object of the list, from a file's first bytes; empty if it is not in them.

    >>> first_object(b'{"gazes": [{"x": 1, "line": 2}, {"x"')
    {'x': 1, 'line': 2}
    """
    text = head.decode("utf-8", "replace")
    found = _LIST.search(text)
    if found is None:
        return {}
    try:
        value, _ = json.JSONDecoder().raw_decode(text, _skip(text, found.end()))
    except (json.JSONDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _skip(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _bound(text: str, name: str) -> None:
    if len(text) > MAX_OBJECT:
        raise TooLarge(
            f"{name} holds an object of over {MAX_OBJECT} characters; expected samples. "
            "Is this the right file?"
        )


def _broken(name: str, count: int) -> FormatError:
    return FormatError(
        f"{name}: the JSON breaks off or is malformed after {count} objects; expected a complete "
        "list of gazes or fixations. Copy or export the file again"
    )
