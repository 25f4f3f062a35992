"""Sessions of an iTrace Toolkit database: their gaze, each on its tracker's clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.readers.itrace.clock import session_clock, start_ns
from gazecode.readers.itrace.database import Database, as_float, as_int
from gazecode.readers.tools.growing import Growing
from gazecode.readers.tools.xml_columns import Kind, empty

__all__ = ["GAP_MS", "TABLES", "Session", "lay_out"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]

TABLES = ("session", "gaze", "ide_context", "fixation_run", "fixation", "fixation_gaze")
"""Of the twelve tables, those whose names together belong to nobody else."""
_PAIRS = {"mean": ("x", "y"), "left": ("left_x", "left_y"), "right": ("right_x", "right_y")}
_PUPILS = ("left_pupil_diameter", "right_pupil_diameter")
_VALID = ("left_validation", "right_validation")
_GAZE = ("session_id", "event_time", "tracker_time", *sum(_PAIRS.values(), ()), *_PUPILS, *_VALID)
_KINDS: dict[str, Kind] = {
    "event_time": "int",
    "tracker_time": "ticks",
    **_PAIRS,
    **dict.fromkeys(_PUPILS, "float"),
    **dict.fromkeys(_VALID, "flag"),
}
GAP_MS = 1000.0
"""Between sessions, which may lie days apart."""
_SESSION = (
    *("session_id", "participant_id", "task_name", "tracker_type"),
    *("screen_width", "screen_height"),
)


@dataclass
class Session:
    """One session on the common clock.

    Attributes
    ----------
    key
        Its `session_id`.
    said
        Its row of the table ``session``.
    event_time
        ``(n,)`` arrival of each sample, sorted, 100 ns since 1601.
    t_ms
        ``(n,)`` the common clock.
    clock
        How the times within the session were found.
    columns
        The eyes' columns, as `eyes_of_core` takes them.
    """

    key: Any
    said: dict[str, Any]
    event_time: IntArray
    t_ms: FloatArray
    clock: str
    start_ns: int
    columns: Columns = field(default_factory=dict)


def lay_out(database: Database, asked: int | None, name: str) -> list[Session]:
    """Sessions of a database (or the one asked for), in order of time, one after another."""
    missing = set(TABLES) - set(database.columns)
    if missing:
        raise FormatError(
            f"{name}: no table {', '.join(sorted(missing))} in the database; expected those of "
            "iTrace Toolkit"
        )
    parts = _gaze(database, asked, name)
    if not parts and asked is not None:
        known = database.ids("gaze", "session_id")[:10]
        raise ParameterError(f"{name} has no gaze of session {asked}; it has {known}")
    if not parts:
        raise FormatError(f"{name}: no gaze in the database; expected at least one session")
    said = _said(database)
    sessions = [_session(key, said.get(key, {}), parts.pop(key), name) for key in list(parts)]
    sessions.sort(key=lambda session: session.start_ns)
    begin = 0.0
    for session in sessions:
        session.t_ms += begin
        begin = float(session.t_ms.max()) + GAP_MS
    return sessions


def _said(database: Database) -> dict[Any, dict[str, Any]]:
    rows = (row for batch in database.columns_of("session", _SESSION) for row in batch)
    return {row[0]: dict(zip(_SESSION[1:], row[1:], strict=True)) for row in rows}


def _gaze(database: Database, asked: int | None, name: str) -> dict[Any, dict[str, Growing]]:
    """Columns of each session in parts; the table is gone through once."""
    where = None if asked is None else "session_id"
    parts: dict[Any, dict[str, Growing]] = {}
    for batch in database.columns_of("gaze", _GAZE, where=where, equals=asked, order="event_time"):
        for key, rows in groupby(batch, key=lambda row: row[0]):
            columns = parts.setdefault(key, {c: Growing(empty(kind)) for c, kind in _KINDS.items()})
            for column, values in _gaze_columns(list(rows), name).items():
                columns[column].add(values)
    return parts


def _session(key: Any, said: dict[str, Any], growing: dict[str, Growing], name: str) -> Session:
    columns = {column: growing.pop(column).whole() for column in tuple(growing)}
    ids, ticks = columns.pop("event_time"), columns.pop("tracker_time")
    t_ms, clock = session_clock(ids, _whole(ticks), name)
    return Session(key, said, ids, t_ms, clock, start_ns(ids, t_ms), columns)


def _gaze_columns(batch: list[tuple[Any, ...]], name: str) -> dict[str, npt.NDArray[Any]]:
    cells = dict(zip(_GAZE, zip(*batch, strict=True), strict=True))
    columns: dict[str, npt.NDArray[Any]] = {
        "event_time": as_int(cells["event_time"], f"{name}: gaze event_time"),
        "tracker_time": _ticks(cells["tracker_time"], name),
    }
    for key, pair in _PAIRS.items():
        columns[key] = np.stack([as_float(cells[c], f"{name}: gaze {c}") for c in pair], axis=1)
    for key in _PUPILS:
        columns[key] = as_float(cells[key], f"{name}: gaze {key}")
    for key in _VALID:
        columns[key] = as_float(cells[key], f"{name}: gaze {key}") == 1
    return columns


def _ticks(cells: Sequence[Any], name: str) -> npt.NDArray[Any]:
    if all(type(cell) is int for cell in cells):
        return np.array(cells, dtype=np.int64)
    return as_float(cells, f"{name}: gaze tracker_time")


def _whole(ticks: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    return ticks if ticks.dtype == np.int64 or np.isfinite(ticks).all() else None
