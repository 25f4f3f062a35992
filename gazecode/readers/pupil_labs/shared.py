"""What the readers of Pupil Labs' files share: columns as a stream, events, files named alike."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.model import Events
from gazecode.model.checks import repeated, sealed
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import (
    find_separator,
    normalise_lines,
    split_line,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EventColumns",
    "Findings",
    "columns_of",
    "device_events",
    "eye_of_mode",
    "file_beside",
    "merge_pieces",
    "pupil_of",
    "said_of_info",
    "said_true",
    "values_at",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventColumns:
    """Events of one kind as a file lists them, in any order; ``(n,)`` ms and ``(n, 2)`` points."""

    kind: str
    onset_ms: FloatArray
    offset_ms: FloatArray
    xy: FloatArray | None = None
    end_xy: FloatArray | None = None


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is to be said of a recording: counts of what was left out, notes, whatever else."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def provenance(self, clock: str) -> dict[str, Any]:
        """What a reader gives as `Recording.provenance`."""
        counts = {key: n for key, n in self.counts.items() if n}
        return {"clock": clock, **self.extra, "left_out": counts, "notes": self.notes}


def columns_of(source: Source) -> frozenset[str]:
    """Names in the first line of a delimited file; the empty set for a folder."""
    line = normalise_lines(source.head).partition(b"\n")[0].decode("utf-8", "replace")
    return frozenset(name.strip() for name in split_line(line, find_separator(line)))


def file_beside(source: Source, word: str, other: str) -> Path | None:
    """The file in the same folder whose name has `other` where this one's has `word`, a .csv.

    ``t10_fixations.csv`` for ``t10_gaze_positions.csv``: a prefix keeps recordings apart.
    """
    before, found, after = source.name.rpartition(word)
    if not found:
        return None
    after = after if after.endswith(".csv") else ".csv"
    paths = (source.path.with_name(before + other + after + end) for end in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def device_events(parts: Iterable[EventColumns], counts: Counter[str]) -> Events:
    """All events in order of onset; those without an end after their onset are counted.

    >>> counts = Counter()
    >>> part = EventColumns(
    ...     kind="blink", onset_ms=np.array([50.0, 10.0, 70.0]), offset_ms=np.array([60.0, 30, 70])
    ... )
    >>> events = device_events([part], counts)
    >>> events.onset_ms, dict(counts)
    (array([10., 50.]), {'events_without_duration': 1})
    """
    listed = list(parts)
    if not sum(len(part.onset_ms) for part in listed):
        return Events.empty()
    onset = _joined([part.onset_ms for part in listed])
    offset = _joined([part.offset_ms for part in listed])
    xy = _joined([_points(part.xy, len(part.onset_ms)) for part in listed])
    end_xy = None
    if any(part.end_xy is not None for part in listed):
        end_xy = _joined([_points(part.end_xy, len(part.onset_ms)) for part in listed])
    kind = _joined([repeated(p.kind, len(p.onset_ms)) for p in listed])
    whole = np.isfinite(onset) & np.isfinite(offset) & (offset > onset)
    counts["events_without_duration"] += int((~whole).sum())
    rows: slice | IntArray = slice(None)
    if not whole.all() or (onset[1:] < onset[:-1]).any():
        rows = np.flatnonzero(whole)
        rows = rows[np.argsort(onset[rows], kind="stable")]
    return Events(
        kind=sealed(kind[rows]),
        onset_ms=sealed(onset[rows]),
        offset_ms=sealed(offset[rows]),
        xy_px=sealed(xy[rows]),
        end_xy_px=None if end_xy is None else sealed(end_xy[rows]),
    )


def _joined(columns: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def merge_pieces(
    part: EventColumns, gap_ms: float, same: BoolArray | None = None
) -> tuple[EventColumns, int]:
    """Join events that begin less than `gap_ms` after the one before ended; how many went.

    Parameters
    ----------
    part
        Sorted by onset. The joined position is the mean weighted by duration.
    gap_ms
        0 joins nothing.
    same
        ``(n - 1,)`` whether an event may be joined to the one before it.

    Examples
    --------
    >>> part = EventColumns(
    ...     kind="fixation",
    ...     onset_ms=np.array([0.0, 203.0, 500.0]),
    ...     offset_ms=np.array([200.0, 303.0, 600.0]),
    ...     xy=np.array([[1.0, 1.0], [4.0, 1.0], [9.0, 9.0]]),
    ... )
    >>> merged, n = merge_pieces(part, 6.0)
    >>> merged.offset_ms, merged.xy[:, 0], n
    (array([303., 600.]), array([2., 9.]), 1)
    """
    joined = part.onset_ms[1:] - np.maximum.accumulate(part.offset_ms)[:-1] < gap_ms
    if same is not None:
        joined &= same
    if gap_ms <= 0 or not joined.any():
        return part, 0
    first = np.concatenate(([0], 1 + np.flatnonzero(~joined)))
    weight = (part.offset_ms - part.onset_ms)[:, None]
    xy = _points(part.xy, len(weight))
    merged = EventColumns(
        kind=part.kind,
        onset_ms=part.onset_ms[first],
        offset_ms=np.maximum.reduceat(part.offset_ms, first),
        xy=np.add.reduceat(xy * weight, first) / np.add.reduceat(weight, first),
    )
    return merged, int(joined.sum())


def said_true(column: "pd.Series") -> BoolArray:
    """``(n,)`` where a categorical column says true, in whatever case or kind.

    >>> import pandas as pd
    >>> said_true(pd.Series(["true", "FALSE", None, "True"], dtype="category"))
    array([ True, False, False,  True])
    """
    # The last one is for rows without a category, whose code is -1.
    says = [str(category).lower() == "true" for category in column.cat.categories]
    mask: BoolArray = np.array([*says, False], dtype=np.bool_)[np.asarray(column.cat.codes)]
    return mask


def values_at(ns: IntArray, stamps: IntArray, values: FloatArray) -> FloatArray:
    """``(n,)`` the value with the same stamp, NaN where there is none.

    >>> values_at(np.array([10, 20, 30]), np.array([30, 10]), np.array([3.0, 1.0]))
    array([ 1., nan,  3.])
    """
    if np.array_equal(ns, stamps):
        return values
    if not len(stamps):
        return np.full(len(ns), np.nan)
    if (stamps[1:] < stamps[:-1]).any():
        order = np.argsort(stamps, kind="stable")
        stamps, values = stamps[order], values[order]
    at = np.searchsorted(stamps, ns)
    np.minimum(at, len(stamps) - 1, out=at)
    found = values[at]
    found[stamps[at] != ns] = np.nan
    return found


def pupil_of(sizes: npt.NDArray[np.floating[Any]], eye: str) -> FloatArray:
    """``(n,)`` pupil out of ``(n, 2)`` left and right: of one eye, or the mean of both.

    >>> pupil_of(np.array([[3.0, 5.0], [3.0, np.nan]]), "both")
    array([ 4., nan])
    """
    used = {"left": sizes[:, :1], "right": sizes[:, 1:]}.get(eye, sizes)
    mean: FloatArray = used.mean(axis=1, dtype=np.float64)
    return mean


def eye_of_mode(mode: object) -> str:
    """Which eye gaze is of, by ``gaze_mode`` of Neon's info.json.

    >>> eye_of_mode("binocular"), eye_of_mode("monocular_left"), eye_of_mode(None)
    ('both', 'left', 'both')
    """
    said = str(mode).lower()
    return next((eye for eye in ("left", "right") if eye in said), "both")


def said_of_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """What Neon's info.json says that belongs in the provenance: no time, no place, no serial."""
    extra: dict[str, Any] = {}
    wearer = info.get("wearer_name") or info.get("wearer_id")
    if isinstance(wearer, str):
        extra["participant"] = wearer
    if _is_number(info.get("gaze_frequency")):
        extra["vendor_rate_hz"] = float(info["gaze_frequency"])
    if isinstance(info.get("data_format_version"), str):
        extra["data_format_version"] = info["data_format_version"]
    offset = info.get("gaze_offset")
    if isinstance(offset, list) and len(offset) == 2 and all(map(_is_number, offset)):
        extra["gaze_offset_px"] = [float(px) for px in offset]
    return extra


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _points(xy: FloatArray | None, n: int) -> FloatArray:
    """Half a point is none; neither is one at infinity."""
    if xy is None:
        return np.full((n, 2), np.nan)
    return np.where(np.isfinite(xy).all(axis=1, keepdims=True), xy, np.nan)
