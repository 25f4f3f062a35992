"""The IDE's log of a CodeGRITS session: the screen, and what was done, as short messages."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import Screen
from gazecode.readers.source import Source
from gazecode.readers.tools.xml import Columns, Kind, number, read_xml

__all__ = ["Log", "ide_log"]

_TEXTS = {
    "archive": ("id", "path", "remark"),
    "action": ("id", "event", "path"),
    "typing": ("character", "line", "column", "path"),
    "file": ("id", "path", "new_path"),
    "mouse": ("id", "x", "y", "path"),
    "caret": ("line", "column", "path"),
    "selection": ("start_position", "end_position", "path"),
    "visible_area": ("x", "y", "width", "height", "path"),
}
_SIZE = re.compile(r"\(\s*([\d.]+)\s*,\s*([\d.]+)\s*\)")
_MOVES = ("mouseMoved", "mouseDragged")
_LONGEST = 200
"""Characters of a message."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What the log says.

    Attributes
    ----------
    screen
        The primary screen in real px: its logical size times its scaling.
    messages
        Unix ms and text, in order of time.
    said
        For the provenance: the IDE, logical size and scaling, how many of each thing.
    """

    screen: Screen | None = None
    messages: Sequence[tuple[int, str]] = ()
    said: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def ide_log(source: Source) -> Log:
    """Read ``ide_tracking.xml``; a log that is damaged says so and costs nothing else."""
    rows: dict[str, dict[str, Kind]] = {
        tag: {"timestamp": "int", **dict.fromkeys(texts, "text")} for tag, texts in _TEXTS.items()
    }
    try:
        document = read_xml(source.chunks(), name=source.name, rows=rows, heads=("environment",))[0]
        screen, said = _screen(document.heads.get("environment", {}))
    except FormatError as error:
        return Log(notes=(f"the IDE's log beside the gaze is left out: {error}",))
    counts: Counter[str] = Counter()
    messages: list[tuple[int, str]] = []
    for tag in _TEXTS:
        messages += _messages(tag, document.tables.pop(tag), counts)
    messages.sort(key=lambda message: message[0])
    notes = () if screen is not None else ("the IDE's log states no size of the screen",)
    return Log(
        screen=screen,
        messages=messages,
        said={**said, "counts": dict(+counts)},
        notes=notes,
    )


def _screen(environment: Mapping[str, str]) -> tuple[Screen | None, dict[str, object]]:
    said: dict[str, object] = {
        "ide": " ".join(filter(None, (environment.get(k) for k in ("ide_name", "ide_version"))))
    }
    size = _SIZE.search(environment.get("screen_size", ""))
    if size is None:
        return None, said
    logical = [number(size[1], "screen_size"), number(size[2], "screen_size")]
    scale = [number(environment.get(f"scale_{axis}"), f"scale_{axis}") for axis in "xy"]
    # Without a scaling the logical size is the real one.
    scale = [s if np.isfinite(s) and s > 0 else 1.0 for s in scale]
    said |= {"logical_size_px": logical, "scale": scale}
    width, height = (round(a * b) for a, b in zip(logical, scale, strict=True))
    known = width > 0 and height > 0
    return (Screen(width_px=width, height_px=height) if known else None), said


def _messages(tag: str, table: Columns, counts: Counter[str]) -> list[tuple[int, str]]:
    stamps = table["timestamp"].tolist()
    columns = [table[name] for name in _TEXTS[tag]]
    counts[tag] += len(stamps)
    say = _SAY.get(tag, _plain)
    found = []
    for stamp, *words in zip(stamps, *columns, strict=True):
        if tag == "mouse" and words[0] in _MOVES:
            # Thousands of them; the gaze's own reader needs none.
            counts["mouse_moves_left_out"] += 1
            continue
        found.append((stamp, f"{tag} {say(words)}"[:_LONGEST]))
    return found


def _plain(words: Sequence[str]) -> str:
    return " ".join(filter(None, words))


def _place(words: Sequence[str]) -> str:
    line, column, path = words
    return f"{line}:{column} {path}"


_SAY: dict[str, Callable[[Sequence[str]], str]] = {
    "typing": lambda words: f"{words[0]!r} {_place(words[1:])}",
    "caret": _place,
    "mouse": lambda words: f"{words[0]} {words[1]},{words[2]} {words[3]}",
    "selection": lambda words: f"{words[0]}-{words[1]} {words[2]}",
    "visible_area": lambda words: f"{words[2]}x{words[3]} at {words[0]},{words[1]} {words[4]}",
}
