"""Rows of iTrace's first generation, from XML or JSON: only the columns that a reading needs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Screen
from gazecode.model.checks import repeated
from gazecode.readers.itrace.archive_json import first_object, json_objects
from gazecode.readers.source import Source
from gazecode.readers.tools.growing import Growing
from gazecode.readers.tools.xml import Columns, Group, Kind, number, read_xml
from gazecode.readers.tools.xml_columns import Column, convert, empty

__all__ = [
    "CLOCKS",
    "LegacyTable",
    "Rows",
    "clock_of",
    "first_row",
    "kind_of",
    "legacy_table",
    "wanted_rows",
    "whole_number",
]

Rows = dict[str, Kind]

_ALIASES = {"file": "name", "object_name": "name", "gaze_id": "gazeId"} | {
    name.replace("_", "-"): name
    for name in (
        *("left_validation", "right_validation", "left_pupil_diameter", "right_pupil_diameter"),
        *("tracker_time", "system_time", "nano_time", "session_time", "event_time"),
    )
}
CLOCKS = {
    "tracker_time": 1.0,
    "session_time": 1e-6,
    "nano_time": 1e-6,
    "event_time": 1e-6,
    "system_time": 1.0,
    "timestamp": 1.0,
}
"""Columns that hold a time, the best one first, and ms in their unit."""
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_BATCH = 1 << 8
_PAGE = ("part", "part_number", "type", "type_number")


@dataclass
class LegacyTable:
    """Rows of a file, and what its head says.

    Attributes
    ----------
    rows
        Column → values, one per row.
    clock
        The column that holds the time, out of `CLOCKS`.
    application
        Which editor wrote it.
    first_row
        Attributes of the first row as text.
    elements
        Part of a page or entities of the source, one text per row, where they were asked for.
    """

    rows: Columns
    clock: str
    screen: Screen | None
    application: str
    first_row: dict[str, str]
    elements: npt.NDArray[np.object_]


def _is_json(source: Source) -> bool:
    return source.head.lstrip()[:1] == b"{"


def first_row(source: Source) -> dict[str, str]:
    """The first row of the file, by the names used here: which columns there are."""
    if _is_json(source):
        row = {
            k: str(v)
            for k, v in first_object(source.head).items()
            if not isinstance(v, list | dict)
        }
    else:
        text = source.head.decode("utf-8", "replace").partition("<response")[2]
        row = dict(_ATTRIBUTE.findall(text.partition(">")[0]))
    if not row:
        raise FormatError(
            f"{source.name}: no <response> in the document; expected gaze. Record again"
        )
    return {_ALIASES.get(name, name): value for name, value in row.items()}


def clock_of(row: dict[str, str], name: str) -> str:
    """The best column of a file that holds a time."""
    for clock in CLOCKS:
        # A tracker's own device clock counts from its start; then another column is better.
        if clock == "tracker_time" and not 1e11 <= whole_number(row.get(clock, "")) < 1e14:
            continue
        if row.get(clock):
            return clock
    raise FormatError.missing_columns(name, ["tracker_time"], row)


def whole_number(text: str) -> int:
    """The number a text is, 0 for anything but plain digits."""
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def kind_of(clock: str) -> Kind:
    """How a column of time is read: whole numbers, but ISO 8601 is text."""
    return "text" if clock == "timestamp" else "int"


def wanted_rows(source: Source) -> Rows:
    """Only the columns that the file has and a recording needs."""
    row = first_row(source)
    clock = clock_of(row, source.name)
    wanted: Rows = {clock: kind_of(clock), "mean": ("x", "y")}
    if "duration" in row and "fix_x" not in row:
        return wanted | {"duration": "float"}
    optional = (
        *("left_validation", "right_validation", "left_pupil_diameter", "right_pupil_diameter"),
        *("duration", "fix_index", "fix_x", "fix_y"),
    )
    return wanted | {name: "float" for name in optional if name in row}


def legacy_table(source: Source, wanted: Rows, *, elements: bool = False) -> LegacyTable:
    """Read the wanted columns of a file; `elements` asks for what each sample fell on."""
    row = first_row(source)
    clock = clock_of(row, source.name)
    if _is_json(source):
        rows, found = _json_rows(source, wanted, elements=elements)
        return LegacyTable(rows, clock, _json_screen(source.head), "eclipse", row, found)
    tables: dict[str, dict[str, Kind]] = {"response": wanted}
    if elements:
        tables["soe"] = {"in": "in:response", **dict.fromkeys(_PAGE, "text")}
        tables["sce"] = {"in": "in:response", "name": "text", "type": "text"}
    document = read_xml(
        source.chunks(),
        name=source.name,
        rows=tables,
        heads=("screen-size", "application"),
        aliases=_ALIASES,
    )[0]
    return LegacyTable(
        rows=document.tables["response"],
        clock=clock,
        screen=_screen(document.heads.get("screen-size", {}), source.name),
        application=document.heads.get("application", {}).get("type", "eclipse"),
        first_row=row,
        elements=_elements(document) if elements else np.empty(0, dtype=object),
    )


def _elements(document: Group) -> npt.NDArray[np.object_]:
    """Part of a page, or entities of the source, that a sample fell on."""
    found = repeated("", len(document.tables["response"]["line"]))
    page = document.tables["soe"]
    words = [page[name] for name in _PAGE]
    for at, *said in zip(page["in"], *words, strict=True):
        found[at] = " ".join(said)
    entities = document.tables["sce"]
    for at, kind, name in zip(entities["in"], entities["type"], entities["name"], strict=True):
        found[at] = "; ".join(filter(None, (found[at], f"{kind} {name}")))
    return found


def _json_rows(
    source: Source, wanted: Rows, *, elements: bool
) -> tuple[Columns, npt.NDArray[np.object_]]:
    columns = [Column(name, kind) for name, kind in wanted.items()]
    growing = {name: Growing(empty(kind)) for name, kind in wanted.items()}
    memo: dict[str, str] = {}
    found: list[str] = []
    for batch in _batches(json_objects(source.chunks(), source.name)):
        flat = [[item for pair in _scalars(row) for item in pair] for row in batch]
        for name, part in convert(flat, columns, f"{source.name}: gaze", _ALIASES, memo):
            growing[name].add(part)
        if elements:
            found += [_json_element(row) for row in batch]
    rows = {name: growing.pop(name).whole() for name in wanted}
    return rows, np.array(found, dtype=object)


def _batches(objects: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in objects:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _scalars(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if value is not None and not isinstance(value, list | dict):
            yield name, str(value)


def _json_element(row: dict[str, Any]) -> str:
    page = row.get("soe")
    if isinstance(page, dict):
        return " ".join(str(value) for value in page.values())
    entities = row.get("sces")
    if not isinstance(entities, list):
        return ""
    return "; ".join(
        f"{e.get('type', '')} {e.get('name', '')}" for e in entities if isinstance(e, dict)
    )


def _json_screen(head: bytes) -> Screen | None:
    text = head[:2000].decode("utf-8", "replace").partition('"screen_size"')[2].partition("}")[0]
    size = dict(re.findall(r'"(width|height)"\s*:\s*(\d+)', text))
    return _screen(size, "screen_size")


def _screen(size: dict[str, str], name: str) -> Screen | None:
    width, height = (number(size.get(side), f"{name}: {side}") for side in ("width", "height"))
    return Screen(width_px=width, height_px=height) if width > 0 and height > 0 else None
