"""On which line of a TOML file a key stands: for messages; the values come from `tomllib`."""

import re
from collections.abc import Sequence

__all__ = ["dotted", "line_of"]


def dotted(loc: Sequence[str | int]) -> str:
    """A key as people write it: ``recordings[0].file``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


_HEADER = re.compile(r"^\s*\[(\[)?\s*(?P<name>[^\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*(?P<key>"[^"]*"|'[^']*'|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_"'-]+)*)\s*=""")


def line_of(text: str, loc: Sequence[str | int]) -> int | None:
    """Line (1-based) on which a key, or else the nearest table around it, stands."""
    for depth in range(len(loc), 0, -1):
        for number, keys in _lines(text):
            if keys == tuple(loc[:depth]):
                return number
    return None


def _lines(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """Each line that names a table or key, with its full path; array tables get an index."""
    found: list[tuple[int, tuple[str | int, ...]]] = []
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header["name"]
            table = tuple(_split(name))
            if header[1]:
                counts[name] = counts.get(name, -1) + 1
                table = (*table, counts[name])
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, (*table, *_split(key["key"]))))
            inline = (*table, *_split(key["key"]))
            found += [
                (number, (*inline, inner))
                for inner in re.findall(r"[{,]\s*([A-Za-z0-9_-]+)\s*=", line)
            ]
    return found


def _split(dotted: str) -> list[str]:
    return [a or b or c for a, b, c in re.findall(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)", dotted)]
