"""Events of a Data Viewer report: when they were, in which trial, in which interest area."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Trial
from gazecode.model.checks import repeated, sealed
from gazecode.readers.eyelink.dataviewer_rows import Request, Rows, load
from gazecode.readers.tools.growing import Gathered

__all__ = ["AREA", "GAP_MS", "Report", "read_events"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GAP_MS = 1000.0
"""Between trials that have no time of their own."""
AREA = "CURRENT_FIX_INTEREST_AREA_ID"
_BASE = "TRIAL_START_TIME"
_FOLLOW = f"trials follow one another with {GAP_MS:g} ms between"


@dataclass(frozen=True)
class _Kind:
    """A report of events: what its columns are called."""

    word: str
    xy: tuple[str, str]
    start: str
    end: str
    duration: str
    index: str
    end_xy: tuple[str, str] | None = None

    def optional(self, columns: Sequence[str]) -> dict[str, type]:
        """Columns that may be there; the end of an event is in its duration already."""
        ends = () if self.duration in columns else (self.end,)
        names = (self.start, self.duration, *ends, *(self.end_xy or ()))
        return {**dict.fromkeys(names, float), self.index: int, _BASE: float, AREA: int}

    def held_by(self, columns: Sequence[str]) -> bool:
        """Whether a report with these columns says where and how long such events were."""
        timed = self.duration in columns or {self.start, self.end} <= set(columns)
        return timed and set(self.xy) <= set(columns)


_REPORTS = (
    _Kind(
        "fixation",
        ("CURRENT_FIX_X", "CURRENT_FIX_Y"),
        *("CURRENT_FIX_START", "CURRENT_FIX_END", "CURRENT_FIX_DURATION", "CURRENT_FIX_INDEX"),
    ),
    _Kind(
        "saccade",
        ("CURRENT_SAC_START_X", "CURRENT_SAC_START_Y"),
        *("CURRENT_SAC_START_TIME", "CURRENT_SAC_END_TIME", "CURRENT_SAC_DURATION"),
        "CURRENT_SAC_INDEX",
        ("CURRENT_SAC_END_X", "CURRENT_SAC_END_Y"),
    ),
)


@dataclass(frozen=True, eq=False)
class Report:
    """Events of a report in order of time; `area` is -1 outside every interest area."""

    events: Events
    area: npt.NDArray[np.int32]
    trials: list[Trial]
    said: dict[str, Any]


def read_events(asked: Request, counts: Counter[str]) -> Report:
    """Fixations or saccades of one participant, in order of time."""
    kind = next((k for k in _REPORTS if k.held_by(asked.columns)), None)
    if kind is None:
        raise FormatError(
            f"{asked.source.path.name} is a Data Viewer report without places and times of "
            "fixations, saccades or samples; expected for example CURRENT_FIX_X, CURRENT_FIX_Y and "
            "CURRENT_FIX_DURATION. Export a fixation report"
        )
    needed = dict.fromkeys(kind.xy, float)
    rows = load(asked, needed, kind.optional(asked.columns), counts)
    trial = rows.gathered.array("trial")
    side = rows.gathered.array("side") if "side" in rows.gathered else None
    onset, offset, clock = _times(rows.gathered, kind, trial, side)
    order = _order(onset, offset, counts, in_file=clock.in_file)
    ends = np.full(len(clock.start_ms), -np.inf)
    np.maximum.at(ends, trial[order], offset[order])
    onset, offset = onset[order], offset[order]
    # An event may begin before the trial it is reported in.
    origin = float(min(clock.start_ms.min(initial=np.inf), onset.min(initial=np.inf)))
    origin = origin if np.isfinite(origin) else 0.0
    onset -= origin
    offset -= origin
    area = _areas(rows.gathered, order, len(onset))
    events = Events(
        kind=sealed(repeated(kind.word, len(onset))),
        onset_ms=sealed(onset),
        offset_ms=sealed(offset),
        xy_px=_points(rows.gathered, kind.xy, order, counts),
        end_xy_px=_ends(rows.gathered, kind, order),
        eye=_eyes(side, order),
    )
    return Report(
        events=events,
        area=area,
        trials=_trials(rows, clock.start_ms - origin, ends - origin),
        said={
            **rows.said,
            "report": kind.word,
            "clock": clock.words,
            "in_areas": int((area >= 0).sum()),
            "notes": ["the report holds events and no samples", *clock.notes],
        },
    )


def _order(
    onset: FloatArray, offset: FloatArray, counts: Counter[str], *, in_file: bool
) -> slice | IntArray:
    """Rows in order of time that have an extent; all of them as they stand, where they may."""
    whole = (offset > onset) & np.isfinite(onset) & np.isfinite(offset)
    backward = np.diff(onset) < 0
    if whole.all() and not backward.any():
        return slice(None)
    counts["no_interval"] += int((~whole).sum())
    rows = np.flatnonzero(whole)
    if in_file:
        counts["unsorted"] += int((np.diff(onset[rows]) < 0).sum())
    order: IntArray = rows[np.argsort(onset[rows], kind="stable")]
    return order


def _areas(gathered: Gathered, order: slice | IntArray, n: int) -> npt.NDArray[np.int32]:
    if AREA not in gathered:
        return np.full(n, -1, dtype=np.int32)
    area: npt.NDArray[np.int32] = gathered.array(AREA)[order]
    return area


def _eyes(
    side: npt.NDArray[np.int8] | None, order: slice | IntArray
) -> npt.NDArray[np.object_] | None:
    if side is None or not side.any():
        return None
    eyes: npt.NDArray[np.object_] = np.array(["both", "left", "right"], dtype=object)[side[order]]
    return eyes


@dataclass(frozen=True, eq=False, kw_only=True)
class _Clock:
    """``(k,)`` start of each trial; how the times came about, in words."""

    start_ms: FloatArray
    words: str
    notes: list[str]
    in_file: bool = True


def _times(
    gathered: Gathered, kind: _Kind, trial: IntArray, side: npt.NDArray[np.int8] | None
) -> tuple[FloatArray, FloatArray, _Clock]:
    """Onset and offset of each row, and the clock they are on."""
    start = gathered.array(kind.start) if kind.start in gathered else None
    if start is not None and np.isfinite(start).any():
        onset, offset, clock = _stated(gathered, kind, trial, start)
    else:
        onset, offset, clock = _summed(gathered, kind, trial, side)
    begins = clock.start_ms[trial]
    onset += begins
    offset += begins
    return onset, offset, clock


def _stated(
    gathered: Gathered, kind: _Kind, trial: IntArray, onset: FloatArray
) -> tuple[FloatArray, FloatArray, _Clock]:
    """Times that the report states, ms from each trial's start."""
    notes = []
    if kind.duration in gathered:
        offset = gathered.array(kind.duration)
        offset += onset
    else:
        offset = gathered.array(kind.end)
        notes = [f"no {kind.duration}: events end at {kind.end}, the time of their last sample"]
    k = int(trial.max(initial=-1)) + 1
    base = gathered.array(_BASE) if _BASE in gathered else np.full(1, np.nan)
    if np.isfinite(base).all():
        start = np.full(k, np.inf)
        np.minimum.at(start, trial, base)
        words = f"{_BASE} + {kind.start}, ms; 0 at the start of the first trial"
    else:
        start = _one_after_another(trial, offset, k)
        words = f"{kind.start}, ms from each trial's start; {_FOLLOW}"
    return onset, offset, _Clock(start_ms=start, words=words, notes=notes)


def _summed(
    gathered: Gathered, kind: _Kind, trial: IntArray, side: npt.NDArray[np.int8] | None
) -> tuple[FloatArray, FloatArray, _Clock]:
    """Events of a report without start times, end to end in each trial (and eye)."""
    n = len(trial)
    length = gathered.array(kind.duration) if kind.duration in gathered else np.zeros(n)
    length[~(length > 0)] = 0.0
    group = 3 * trial + (0 if side is None else side)
    order = _by_index(gathered, kind, group)
    begin = np.cumsum(length[order])
    begin -= length[order]
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    begin -= np.repeat(begin[first], np.diff(np.append(first, n)))
    onset = begin
    if not isinstance(order, slice):
        onset = np.empty(n)
        onset[order] = begin
    length += onset
    start = _one_after_another(trial, length, int(trial.max(initial=-1)) + 1)
    clock = _Clock(
        start_ms=start,
        words=f"{kind.duration}, ms: the report has no start times, {kind.word}s are laid end to "
        f"end in each trial; {_FOLLOW}",
        notes=["onsets are sums of durations: what lay between the events is not in the report"],
        in_file=False,
    )
    return onset, length, clock


def _by_index(gathered: Gathered, kind: _Kind, group: IntArray) -> slice | IntArray:
    """Rows by group and, within it, by the report's own index; as they stand, where they may."""
    index = gathered.array(kind.index) if kind.index in gathered else np.zeros(0, np.int32)
    same = np.diff(group) == 0
    in_order = bool((np.diff(group) >= 0).all())
    if in_order and not (len(index) and (np.diff(index)[same] < 0).any()):
        return slice(None)
    order: IntArray = np.lexsort((index, group) if len(index) else (group,))
    return order


def _one_after_another(trial: IntArray, offset: FloatArray, k: int) -> FloatArray:
    """``(k,)`` starts of trials that have no clock in common."""
    lengths = np.zeros(k)
    np.fmax.at(lengths, trial, offset)
    starts: FloatArray = np.cumsum(lengths + GAP_MS) - (lengths + GAP_MS)
    return starts


def _points(
    gathered: Gathered, names: tuple[str, str], order: slice | IntArray, counts: Counter[str]
) -> FloatArray:
    columns = [gathered.array(name)[order] for name in names]
    xy = np.empty((len(columns[0]), 2))
    for axis in (1, 0):
        xy[:, axis] = columns.pop()
    known = np.isfinite(xy)
    counts["half_lost"] += int((known[:, 0] != known[:, 1]).sum())
    xy[~known.all(axis=1)] = np.nan
    return sealed(xy)


def _ends(gathered: Gathered, kind: _Kind, order: slice | IntArray) -> FloatArray | None:
    if kind.end_xy is None or not all(name in gathered for name in kind.end_xy):
        return None
    return _points(gathered, kind.end_xy, order, Counter())


def _trials(rows: Rows, starts: FloatArray, ends: FloatArray) -> list[Trial]:
    """Each trial from its start to the end of its last event; one without events is none."""
    held = np.flatnonzero(ends > starts)
    held = held[np.argsort(starts[held], kind="stable")]
    names, stimuli = rows.names(held)
    return [
        Trial(
            name=name,
            onset_ms=float(starts[i]),
            offset_ms=float(ends[i]),
            stimulus=stimulus,
        )
        for i, name, stimulus in zip(held, names, stimuli, strict=True)
    ]
