"""Events of BIDS: what the tracker found (`physioevents`) and what was shown (`events`).

Onsets of `physioevents` are stamps of the column that `OnsetSource` names, or rows where it says
n/a. Those of `events` are seconds from the first sample of the task; a file that wrote the
tracker's stamps there is known by its onsets lying outside the recording otherwise.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.model import KINDS, Events, Message, Trial
from gazecode.model.checks import repeated
from gazecode.readers.source import Source
from gazecode.readers.tools.trials import unique_names

__all__ = [
    "UNITS_MS",
    "Clock",
    "device_events",
    "join_events",
    "trials_and_messages",
    "with_header",
]

FloatArray = npt.NDArray[np.float64]
StrArray = npt.NDArray[np.object_]
Table = Mapping[str, StrArray]

UNITS_MS = (
    dict.fromkeys(("s", "sec", "second", "seconds"), 1e3)
    | dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1.0)
    | dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-3)
    | dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-6)
)
_POINTS = ("x_coordinate", "y_coordinate", "end_x_coordinate", "end_y_coordinate")
_MISSING = ("n/a", "", "nan")
_MIN_EVENT_MS = 1.0


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How stamps become ms of the recording.

    Attributes
    ----------
    unit_ms
        Length of the stamps' unit.
    origin
        The stamp at ms 0.
    start_ms
        Where ms 0 lies on the task's clock, on which `events` are given.
    step_ms
        Between two rows, for onsets that are rows.
    last_ms
        The last sample.
    """

    unit_ms: float
    origin: float
    start_ms: float
    step_ms: float
    last_ms: float

    def of_stamps(self, stamps: FloatArray) -> FloatArray:
        """Stamps of the tracker, as ms of the recording."""
        return np.asarray((stamps - self.origin) * self.unit_ms, dtype=np.float64)


def with_header(source: Source, columns: list[str]) -> Iterator[bytes]:
    """Blocks of a file without a header, with one in front."""
    blocks = source.blocks()
    yield "\t".join(columns).encode() + b"\n" + next(blocks, b"")
    yield from blocks


def _read_texts(blocks: Iterable[bytes], counts: Counter[str]) -> Table:
    """Column → cells as they are written; rows of another length are left out and counted."""
    columns: list[str] = []
    rows: list[list[str]] = []
    for block in blocks:
        lines = block.decode("utf-8", "replace").split("\n")
        if not columns:
            columns = lines.pop(0).split("\t")
        cells = [line.split("\t") for line in lines if line]
        whole = [row for row in cells if len(row) == len(columns)]
        counts["ragged_rows"] += len(cells) - len(whole)
        rows += whole
    return {
        column: np.array([row[i] for row in rows], dtype=object) for i, column in enumerate(columns)
    }


def _floats(table: Table, column: str) -> FloatArray:
    return np.array([_float(cell) for cell in table[column]], dtype=np.float64)


def _float(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def device_events(
    path: Path,
    said: Mapping[str, Any],
    eye: str,
    *,
    clock: Clock,
    counts: Counter[str],
    notes: list[str],
) -> tuple[Events, list[Message]]:
    """Events and messages of one `physioevents` file.

    A row of a known kind with an extent is an event; any other is a message: its text, or its type.
    """
    columns = said.get("Columns")
    if not isinstance(columns, list) or "onset" not in columns or not Source(path).head:
        notes.append(f"{path.name} is empty or names no column onset: left out")
        return Events.empty(), []
    names = [re.sub(r"[\t\r\n]", " ", str(column)) for column in columns]
    table = _read_texts(with_header(Source(path), names), counts)
    onset, offset = _intervals(table, said, clock, notes)
    kind = _texts(table, "trial_type")
    extended = np.isin(kind.astype(str), KINDS) & np.isfinite(onset) & (offset > onset)
    messages = _messages(table, np.flatnonzero(~extended), onset, counts)
    rows = np.flatnonzero(extended)
    rows = rows[np.argsort(onset[rows], kind="stable")]
    activity = _texts(table, "activity")[rows]
    return Events(
        kind=kind[rows],
        onset_ms=onset[rows],
        offset_ms=offset[rows],
        xy_px=_points(table, _POINTS[:2])[rows],
        end_xy_px=_points(table, _POINTS[2:])[rows] if _POINTS[2] in table else None,
        activity=activity if (activity != "").any() else None,
        eye=_texts(table, "eye")[rows] if "eye" in table else repeated(eye, len(rows)),
    ), messages


def _intervals(
    table: Table, said: Mapping[str, Any], clock: Clock, notes: list[str]
) -> tuple[FloatArray, FloatArray]:
    stamps = _floats(table, "onset")
    by_row = str(said.get("OnsetSource", "timestamp")) == "n/a"
    onset = stamps * clock.step_ms if by_row else clock.of_stamps(stamps)
    if "offset" in table and not by_row:
        return onset, clock.of_stamps(_floats(table, "offset"))
    if "duration" not in table:
        return onset, np.full(len(onset), np.nan)
    duration = _floats(table, "duration")
    unit_ms = clock.step_ms if by_row else clock.unit_ms
    factor = _duration_unit(duration, said, unit_ms, rows=by_row, notes=notes)
    return onset, onset + duration * factor


def _duration_unit(
    duration: FloatArray, said: Mapping[str, Any], unit_ms: float, *, rows: bool, notes: list[str]
) -> float:
    """Seconds, as BIDS says; or the unit of the stamps, as its own example has it."""
    column = said.get("duration")
    stated = UNITS_MS.get(str(column.get("Units", ""))) if isinstance(column, dict) else None
    if stated is not None:
        return stated
    if rows or unit_ms == UNITS_MS["s"]:
        return UNITS_MS["s"]
    positive = duration[duration > 0]
    if not len(positive) or np.median(positive) * unit_ms < _MIN_EVENT_MS:
        return UNITS_MS["s"]
    notes.append(
        "the unit of the tracker's durations is not said: taken as that of the time stamps"
    )
    return unit_ms


def _texts(table: Table, column: str) -> StrArray:
    if column not in table:
        return repeated("", len(table["onset"]))
    return np.array([unescape(text) for text in table[column]], dtype=object)


def _points(table: Table, columns: tuple[str, ...]) -> FloatArray:
    if not set(columns) <= set(table):
        return np.full((len(table["onset"]), 2), np.nan)
    points = np.stack([_floats(table, column) for column in columns], axis=1)
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return points


def _messages(
    table: Table, rows: npt.NDArray[Any], onset: FloatArray, counts: Counter[str]
) -> list[Message]:
    text, kind = _texts(table, "message")[rows], _texts(table, "trial_type")[rows]
    said = np.where(text != "", text, kind)
    timed = np.isfinite(onset[rows])
    counts["no_time"] += int((~timed).sum())
    return [
        Message(t_ms=float(t), text=str(words))
        for t, words in zip(onset[rows][timed], said[timed], strict=True)
        if words
    ]


def unescape(text: str) -> str:
    r"""A cell as it was meant: missing is empty, quotes around it are gone.

    >>> unescape("n/a"), unescape('"a\\tb"'), unescape('"RECCFG CR"'), unescape("x")
    ('', 'a\tb', 'RECCFG CR', 'x')
    """
    if text in _MISSING:
        return ""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1].replace('""', '"')
    return text


def join_events(parts: list[Events]) -> Events:
    """Events of several eyes in order of time; the eye is named only where it is known."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Events.empty()
    names = ("kind", "onset_ms", "offset_ms", "xy_px", "end_xy_px", "activity", "eye")
    columns: dict[str, Any] = {}
    order = np.argsort(np.concatenate([part.onset_ms for part in parts]), kind="stable")
    for name in names:
        values = [getattr(part, name) for part in parts]
        if any(value is not None for value in values):
            filled = [
                _or_empty(value, part, name) for value, part in zip(values, parts, strict=True)
            ]
            columns[name] = np.concatenate(filled)[order]
    if not any(columns["eye"]):
        del columns["eye"]
    return Events(**columns)


def _or_empty(value: Any, part: Events, name: str) -> Any:
    if value is not None:
        return value
    return np.full((len(part), 2), np.nan) if name == "end_xy_px" else repeated("", len(part))


def trials_and_messages(
    path: Path, clock: Clock, counts: Counter[str], notes: list[str]
) -> tuple[list[Trial], list[Message]]:
    """Rows of an `events` file: those with an extent are trials, the others messages."""
    rows = _rows(path, counts)
    shift = _shift(rows, clock, notes)
    trials: list[tuple[float, float, str, str | None]] = []
    messages: list[Message] = []
    for number, row in enumerate(rows):
        onset, end = row["onset"], row["end"]
        begin, last = float(onset.scaleb(3) + shift), float(end.scaleb(3) + shift)
        name = row["trial_type"] or row["trial"] or row["shown"] or f"trial {number + 1}"
        if not last > begin:
            messages.append(Message(t_ms=begin, text=name))
        elif begin <= clock.last_ms and last > 0:
            trials.append((begin, last, name, row["shown"] or (None if row["own"] else name)))
        else:
            counts["trials_outside"] += 1
    trials.sort(key=lambda trial: trial[0])
    names = unique_names(name for _, _, name, _ in trials)
    return [
        Trial(name=name, onset_ms=a, offset_ms=b, stimulus=shown)
        for name, (a, b, _, shown) in zip(names, trials, strict=True)
    ], messages


def _rows(path: Path, counts: Counter[str]) -> list[dict[str, Any]]:
    table = _read_texts(Source(path).blocks(1 << 20), counts)
    cells = zip(*table.values(), strict=True)
    rows = [_row(dict(zip(table, row, strict=True))) for row in cells]
    timed = [row for row in rows if row["onset"] is not None]
    counts["no_time"] += len(rows) - len(timed)
    return timed


def _row(cells: Mapping[str, str]) -> dict[str, Any]:
    onset, duration = (_decimal(cells.get(name, "")) for name in ("onset", "duration"))
    own = "stimulus" in cells
    shown = unescape(cells.get("stimulus", "")) or _stem(unescape(cells.get("stim_file", "")))
    number = unescape(cells.get("trial_number", ""))
    return {
        "onset": onset,
        "end": None if onset is None else onset + (duration or 0),
        "trial_type": unescape(cells.get("trial_type", "")),
        "trial": number and f"trial {number}",
        "shown": shown,
        "own": own,
    }


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _decimal(text: str) -> Decimal | None:
    """A number as it is written: times in s become ms without a change in any digit."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < 300 else None


def _shift(rows: list[dict[str, Any]], clock: Clock, notes: list[str]) -> Decimal:
    """What to add to onsets in ms: by the rule, or as stamps of the tracker."""
    onset = np.array([float(row["onset"]) * 1e3 for row in rows])
    ruled = -clock.start_ms
    stamped = -clock.origin * clock.unit_ms
    if len(onset) and np.isfinite(clock.last_ms):
        inside = {shift: _n_inside(onset + shift, clock) for shift in (ruled, stamped)}
        if 2 * inside[ruled] < len(onset) and inside[stamped] > inside[ruled]:
            notes.append("onsets of events are stamps of the tracker in s, not s of the task")
            return Decimal(stamped)
    return Decimal(ruled)


def _n_inside(t_ms: FloatArray, clock: Clock) -> int:
    return int(((t_ms >= -1000.0) & (t_ms <= clock.last_ms + 1000.0)).sum())
