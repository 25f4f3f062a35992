"""Samples of BIDS eye tracking: the columns of one eye's file, and two eyes on one clock."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Samples
from gazecode.readers.bids.events import UNITS_MS, with_header
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import read_delimited

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EyeFile", "Stamps", "eyes_on_one_clock", "find_columns", "load_eye"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_EYES = {"left": "left", "right": "right", "l": "left", "r": "right"}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|n/a|nan", re.IGNORECASE)
_AXIS = re.compile(r"(?:(?P<eye>eye\d+|left|right)_)?(?P<axis>[xy])[_-]coordinate")
_LONG = 16
"""Stamps of so many digits stay whole numbers until the first one is subtracted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stamps:
    """Time stamps of one file as they stand: the first one, and each one's distance from it."""

    first: float | int
    since: FloatArray
    unit_ms: float
    named: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class EyeFile:
    """What one file says: its stamps, and eye → place and pupil."""

    path: Path
    stamps: Stamps
    xy: Mapping[str, FloatArray]
    pupil: Mapping[str, FloatArray]


@dataclass(frozen=True, kw_only=True)
class _Columns:
    time: str | None
    eyes: Mapping[str, tuple[str, str, str | None]]


def find_columns(columns: list[str]) -> _Columns | None:
    """Which column says what; None if there is no place of gaze.

    >>> find_columns(["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]).eyes
    {'': ('x_coordinate', 'y_coordinate', 'pupil_size')}
    """
    axes: dict[str, dict[str, str]] = {}
    for column in columns:
        if found := _AXIS.fullmatch(column):
            axes.setdefault(found["eye"] or "", {})[found["axis"]] = column
    whole = {eye: (xy["x"], xy["y"]) for eye, xy in axes.items() if len(xy) == 2}
    if not whole:
        return None
    pupils = {e: next((c for c in columns if _is_pupil(c, e)), None) for e in whole}
    time = next((c for c in columns if c == "timestamp" or c.endswith("_timestamp")), None)
    time = time or next((c for c in columns if c == "time"), None)
    return _Columns(time=time, eyes={e: (*xy, pupils[e]) for e, xy in whole.items()})


def _is_pupil(column: str, eye: str) -> bool:
    return "pupil" in column and (column.startswith(f"{eye}_") if eye else column == "pupil_size")


def load_eye(
    path: Path, said: Mapping[str, Any], counts: Counter[str], notes: list[str]
) -> EyeFile:
    """Read one file of samples.

    Raises
    ------
    FormatError
        No names for its columns, no place of gaze among them, nothing to make a clock of, or no
        whole row.
    """
    source = Source(path)
    if not source.head and not any(source.chunks()):
        raise FormatError(
            f"{path.name} holds nothing (an empty gzip file, as examples of BIDS have in place of "
            "data); fetch the data of this dataset"
        )
    columns, blocks = _named_blocks(source, said, notes)
    roles = find_columns(columns)
    if roles is None:
        raise FormatError.missing_columns(path.name, ["x_coordinate", "y_coordinate"], columns)
    frame = read_delimited(
        blocks,
        name=path.name,
        columns=_wanted(roles, source),
        counts=counts,
        cut_row="count",
    )
    if not len(frame):
        raise FormatError(
            f"{path.name} holds no whole row ({dict(+counts)}); expected {len(columns)} cells a "
            f"row: {', '.join(columns)}"
        )
    stamps = _stamps(frame, roles.time, said, path.name, notes)
    named = _named_eyes(roles, said, notes)
    xy = {named[e]: _pair(frame, x, y) for e, (x, y, _) in roles.eyes.items()}
    pupil = {
        named[e]: frame.pop(p).to_numpy(dtype=np.float64)
        for e, (_, _, p) in roles.eyes.items()
        if p is not None
    }
    return EyeFile(path=path, stamps=stamps, xy=xy, pupil=pupil)


def _named_blocks(
    source: Source, said: Mapping[str, Any], notes: list[str]
) -> tuple[list[str], Any]:
    """Names of the columns, and the text with them in its first line."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    first = line.split("\t")
    if not any(_NUMBER.fullmatch(cell.strip()) for cell in first) and find_columns(first):
        notes.append("the file has a header line, as drafts of the format had; it was used")
        return first, source.blocks()
    columns = said.get("Columns")
    if not isinstance(columns, list) or not columns:
        raise FormatError(
            f"{source.name} has no header line and no JSON file beside it names its columns; "
            "expected Columns in a sidecar of the same name. Copy the whole dataset"
        )
    names = [re.sub(r"[\t\r\n]", " ", str(column)) for column in columns]
    return names, with_header(source, names)


def _wanted(roles: _Columns, source: Source) -> dict[str, type]:
    wanted: dict[str, type] = {}
    if roles.time is not None:
        lines = source.head.split(b"\n", 2)[:2]
        long = max(len(re.match(rb"\d*", line)[0]) for line in lines) >= _LONG  # type: ignore[index]
        wanted[roles.time] = int if long else float
    for columns in roles.eyes.values():
        wanted |= {column: float for column in columns if column is not None}
    return wanted


def _stamps(
    frame: "pd.DataFrame", column: str | None, said: Mapping[str, Any], name: str, notes: list[str]
) -> Stamps:
    rate = said.get("SamplingFrequency")
    rate = float(rate) if isinstance(rate, int | float) and rate > 0 else None
    if column is None:
        if rate is None:
            raise FormatError(
                f"{name} has neither a column timestamp nor SamplingFrequency in its metadata; "
                "expected one of them"
            )
        notes.append("no column of time stamps: rows are taken as evenly spaced")
        since = np.arange(len(frame), dtype=np.float64) * (1000.0 / rate)
        return Stamps(first=0.0, since=since, unit_ms=1.0, named=False)
    raw = frame.pop(column)
    known = raw.dropna()
    if not len(known):
        raise FormatError(f"{name}: no time stamp in the column {column}; expected numbers")
    first = known.min()
    since = (raw - first).to_numpy(dtype=np.float64, na_value=np.nan)
    first = int(first) if raw.dtype == "Int64" else float(first)
    unit_ms = _unit(said.get(column), since, rate, notes)
    return Stamps(first=first, since=since, unit_ms=unit_ms, named=True)


def _unit(stated: Any, since: FloatArray, rate: float | None, notes: list[str]) -> float:
    """Unit of the stamps: as it is said, else the one that fits the rate, else by size."""
    text = str(stated.get("Units", "")) if isinstance(stated, dict) else ""
    if text in UNITS_MS:
        return UNITS_MS[text]
    steps = np.diff(since)
    steps = steps[steps > 0]
    step = float(np.median(steps)) if len(steps) else np.nan
    choices = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
    if rate is not None and np.isfinite(step):
        unit = min(choices, key=lambda u: abs(np.log(step * choices[u] * rate / 1000.0)))
        notes.append(f"the unit of the time stamps is not said: {unit} fits SamplingFrequency")
        return choices[unit]
    # 20 Hz to 2 kHz are steps of 0.0005 to 0.05 s, 0.5 to 50 ms, 500 to 50,000 us.
    bounds = (("s", 0.25), ("ms", 100.0), ("us", 1e5))
    unit = next((u for u, most in bounds if step < most), "ns" if np.isfinite(step) else "s")
    notes.append(f"the unit of the time stamps is not said: taken as {unit} by their steps")
    return choices[unit]


def _named_eyes(roles: _Columns, said: Mapping[str, Any], notes: list[str]) -> dict[str, str]:
    stated = _EYES.get(str(said.get("RecordedEye", "")).lower(), "both")
    if len(roles.eyes) == 1:
        prefix = next(iter(roles.eyes))
        if stated == "both" and "RecordedEye" not in said:
            notes.append("which eye it was is not said")
        return {prefix: _EYES.get(prefix, stated)}
    named = {"eye1": "left", "eye2": "right", "left": "left", "right": "right", "": "both"}
    if "eye1" in roles.eyes:
        notes.append("eye1 is taken as the left eye and eye2 as the right; the file does not say")
    return {prefix: named.get(prefix, "both") for prefix in roles.eyes}


def _pair(frame: "pd.DataFrame", x: str, y: str) -> FloatArray:
    return np.stack(
        [frame.pop(x).to_numpy(dtype=np.float64), frame.pop(y).to_numpy(dtype=np.float64)], axis=1
    )


def eyes_on_one_clock(
    files: list[EyeFile], start_ms: float, counts: Counter[str], notes: list[str]
) -> tuple[dict[str, Samples], float | int, float]:
    """Samples of all eyes; the stamp at ms 0; and where ms 0 lies on the task's clock, ms.

    Where the first stamp is the start of the task as it is stated, stamps are on the task's clock
    already and stay; otherwise ms 0 is the first stamp.
    """
    origin = min(file.stamps.first for file in files)
    unit_ms = files[0].stamps.unit_ms
    on_task = bool(start_ms >= 0 and abs(float(origin) * unit_ms - start_ms) < 5e-7)
    zero: float | int = 0 if on_task else origin
    times = [_ms(file.stamps, zero, unit_ms) for file in files]
    if any(len(t) != len(times[0]) or not np.array_equal(t, times[0]) for t in times[1:]):
        return _joined(files, times, counts, notes), zero, 0.0 if on_task else start_ms
    xy = {eye: points for file in files for eye, points in file.xy.items()}
    pupil = {eye: size for file in files for eye, size in file.pupil.items()}
    samples = samples_of_eyes(times[0], xy, pupil, counts=counts)
    return samples, zero, 0.0 if on_task else start_ms


def _ms(stamps: Stamps, zero: float, unit_ms: float) -> FloatArray:
    shift = float(stamps.first - zero)
    t: FloatArray = stamps.since if shift == 0 else stamps.since + shift
    if stamps.unit_ms == 1.0 and unit_ms == 1.0:
        return t
    # Stamps in s carry the error of their last digit: a ns is far below what any tracker says.
    return np.round(t * stamps.unit_ms, 6)


def _joined(
    files: list[EyeFile], times: list[FloatArray], counts: Counter[str], notes: list[str]
) -> dict[str, Samples]:
    """Eyes with stamps of their own: all stamps, each eye lost where it has none."""
    each = [
        samples_of_eyes(t, file.xy, file.pupil, counts=counts)
        for file, t in zip(files, times, strict=True)
    ]
    clock = np.unique(np.concatenate([next(iter(eyes.values())).t_ms for eyes in each]))
    samples = {eye: _spread(one, clock) for eyes in each for eye, one in eyes.items()}
    alone = len(files) * len(clock) - sum(len(next(iter(eyes.values()))) for eyes in each)
    counts["stamps_of_one_eye"] += alone
    notes.append("the eyes have stamps of their own: each is lost where only the other has one")
    return samples


def _spread(one: Samples, clock: FloatArray) -> Samples:
    at = np.searchsorted(clock, one.t_ms)
    xy, pupil = np.full((len(clock), 2), np.nan), np.full(len(clock), np.nan)
    xy[at], pupil[at] = one.xy_px, one.pupil
    return replace(one, t_ms=clock, xy_px=xy, pupil=pupil)
