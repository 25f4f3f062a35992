"""Sessions of an ioHub file on one clock and in px: `time` starts again in each of them."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.model import Events, Message, Recording, Screen, Trial
from gazecode.model.checks import repeated
from gazecode.readers.psychopy.iohub_display import Display, display_of, stated_display
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.units import sample_end_ms

__all__ = ["Ends", "Gaze", "Said", "lay_out"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Place = slice | IntArray

PAUSE_MS = 1000.0
"""Between two sessions laid out one after another."""

_SAME_ROWS = 0.98
_CORNER_PX = 1e-3


def _none() -> FloatArray:
    return np.empty(0)


def _no_numbers() -> IntArray:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True, kw_only=True)
class Gaze:
    """Samples of all sessions in the file's order, in window units; lost is NaN."""

    session: IntArray
    t_ms: FloatArray
    status: npt.NDArray[np.uint8]
    xy: dict[str, FloatArray] = field(default_factory=dict)
    pupil: dict[str, FloatArray] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Messages of all sessions."""

    session: IntArray = field(default_factory=_no_numbers)
    t_ms: FloatArray = field(default_factory=_none)
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Ends of one kind of the device's events."""

    session: IntArray = field(default_factory=_no_numbers)
    end_ms: FloatArray = field(default_factory=_none)
    duration_ms: FloatArray = field(default_factory=_none)
    eye: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    xy: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    end_xy: FloatArray = field(default_factory=lambda: np.empty((0, 2)))


def lay_out(
    gaze: Gaze,
    said: Said,
    ends: dict[str, Ends],
    people: dict[int, str],
    *,
    counts: Counter[str],
    given: Screen | None,
    units: str | None,
    name: str,
) -> Recording:
    """One recording of all sessions: ms from the first sample, px of each session's display."""
    shift = _shifts(gaze, said)
    rows = {n: at for n in shift if (at := _rows_of(gaze, n)) is not None}
    displays = {
        n: _display(n, at, gaze, said, given=given, units=units, name=name)
        for n, at in rows.items()
    }
    notes = _notes(gaze, rows, displays)
    for n, at in rows.items():
        _to_px(gaze, at, displays[n], counts)
        gaze.t_ms[at] += shift[n]
    zero = float(np.min(gaze.t_ms, initial=math.inf, where=np.isfinite(gaze.t_ms)))
    zero = zero if math.isfinite(zero) else 0.0
    gaze.t_ms -= zero
    shift = {n: by - zero for n, by in shift.items()}
    for eye, lost in gaze.lost.items():
        counts[f"lost_{eye}"] += lost
    trials = _trials(gaze, rows)
    samples = samples_of_eyes(gaze.t_ms, gaze.xy, gaze.pupil, counts=counts)
    sizes = {(d.width_px, d.height_px) for d in displays.values()}
    size = sizes.pop() if len(sizes) == 1 else None
    one = len(rows) == 1
    return Recording(
        samples=samples,
        trials=trials,
        messages=_messages(said, shift, counts),
        device_events=_events(ends, shift, displays, counts),
        screen=None if size is None else Screen(width_px=size[0], height_px=size[1]),
        provenance={
            "clock": "column time, s, of each session; sessions follow one another "
            f"{PAUSE_MS / 1000:g} s apart; 0 at the first sample",
            "participant": people.get(next(iter(rows)), "") if one else "",
            "sessions": [
                _about(n, len(gaze.session[at]), displays[n], people) for n, at in rows.items()
            ],
            "status": _status(gaze.status),
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


def _rows_of(gaze: Gaze, n: int) -> Place | None:
    """Where a session is, without its rows' numbers if they follow one another; None if nowhere."""
    mine = gaze.session == n
    found = int(mine.sum())
    if not found:
        return None
    first = int(mine.argmax())
    if mine[first : first + found].all():
        return slice(first, first + found)
    return np.flatnonzero(mine)


def _shifts(gaze: Gaze, said: Said) -> dict[int, float]:
    """What is added to the stamps of each session, so that they follow one another."""
    numbers = np.unique(np.concatenate([gaze.session, said.session]))
    shift: dict[int, float] = {}
    at = 0.0
    for n in numbers:
        t = np.concatenate([gaze.t_ms[gaze.session == n], said.t_ms[said.session == n]])
        t = t[np.isfinite(t)]
        first, last = (float(t.min()), float(t.max())) if len(t) else (0.0, 0.0)
        shift[int(n)] = at - first
        at += last - first + PAUSE_MS
    return shift


def _display(
    n: int,
    at: Place,
    gaze: Gaze,
    said: Said,
    *,
    given: Screen | None,
    units: str | None,
    name: str,
) -> Display:
    stated = stated_display(said.text[i] for i in np.flatnonzero(said.session == n))
    eye = next(iter(gaze.xy))
    gone = np.all([np.nan_to_num(pupil[at]) <= 0 for pupil in gaze.pupil.values()], axis=0)
    xy = gaze.xy[eye][at]
    return display_of(
        stated, xy, np.asarray(gone), given=given, units=units, where=f"{name}, session {n}"
    )


def _to_px(gaze: Gaze, at: Place, display: Display, counts: Counter[str]) -> None:
    """Bring a session to px; what lies on the very corner is lost gaze that was converted."""
    corner = np.zeros(len(gaze.t_ms[at]), dtype=bool)
    for eye, every in gaze.xy.items():
        xy = display.to_px(every[at])
        lost = (np.abs(xy) < _CORNER_PX).all(axis=1)
        xy[lost] = np.nan
        every[at] = xy
        corner |= lost
        gaze.lost[eye] += int(lost.sum())
        pupil = gaze.pupil[eye][at]
        gaze.pupil[eye][at] = np.where(pupil > 0, pupil, np.nan)
    counts["converted_zero"] += int(corner.sum())


def _trials(gaze: Gaze, rows: dict[int, Place]) -> list[Trial]:
    trials = []
    for n, at in rows.items():
        t = gaze.t_ms[at]
        t = np.unique(t[np.isfinite(t)])
        if len(t):
            offset = float(sample_end_ms(t)[-1])
            trials.append(Trial(name=f"session {n}", onset_ms=float(t[0]), offset_ms=offset))
    return sorted(trials, key=lambda trial: trial.onset_ms)


def _messages(said: Said, shift: dict[int, float], counts: Counter[str]) -> list[Message]:
    by = np.array([shift[int(n)] for n in said.session])
    t_ms = said.t_ms + by
    timed = np.isfinite(t_ms)
    counts["messages_without_time"] += int((~timed).sum())
    order = np.argsort(t_ms, kind="stable")[: int(timed.sum())]
    return [Message(t_ms=float(t_ms[i]), text=said.text[i]) for i in order]


def _events(
    ends: dict[str, Ends],
    shift: dict[int, float],
    displays: dict[int, Display],
    counts: Counter[str],
) -> Events:
    parts = [
        part
        for kind, found in ends.items()
        for n, display in displays.items()
        if len(part := _events_of(kind, found, n, shift[n], display=display, counts=counts))
    ]
    elsewhere = [~np.isin(found.session, list(displays)) for found in ends.values()]
    counts["events_without_gaze"] += sum(int(other.sum()) for other in elsewhere)
    if not parts:
        return Events.empty()
    onset = np.concatenate([part.onset_ms for part in parts])
    order = np.argsort(onset, kind="stable")
    columns: dict[str, Any] = {
        key: np.concatenate([getattr(part, key) for part in parts])[order]
        for key in ("kind", "onset_ms", "offset_ms", "xy_px", "end_xy_px", "eye")
    }
    return Events(**columns)


def _events_of(
    kind: str, ends: Ends, n: int, shift: float, *, display: Display, counts: Counter[str]
) -> Events:
    mine = ends.session == n
    # Some trackers send an end without stamps as soon as a fixation begins.
    lasting = np.isfinite(ends.end_ms) & np.isfinite(ends.duration_ms) & (ends.duration_ms > 0)
    counts["events_without_duration"] += int((mine & ~lasting).sum())
    at = np.flatnonzero(mine & lasting)
    end = ends.end_ms[at] + shift
    begin = end - ends.duration_ms[at]
    order = np.argsort(begin, kind="stable")
    order = order[end[order] > begin[order]]
    at = at[order]
    return Events(
        kind=repeated(kind, len(at)),
        onset_ms=begin[order],
        offset_ms=end[order],
        xy_px=display.to_px(ends.xy[at]),
        end_xy_px=display.to_px(ends.end_xy[at]),
        eye=ends.eye[at],
    )


def _about(n: int, n_samples: int, display: Display, people: dict[int, str]) -> dict[str, Any]:
    return {
        "session": n,
        "participant": people.get(n, ""),
        "n_samples": n_samples,
        "display_px": [display.width_px, display.height_px],
        "display_from": display.origin,
        "units": display.units,
    }


def _status(status: npt.NDArray[np.uint8]) -> dict[str, int]:
    codes, seen = np.unique(status, return_counts=True)
    return {str(code): int(n) for code, n in zip(codes, seen, strict=True)}


def _notes(gaze: Gaze, rows: dict[int, Place], displays: dict[int, Display]) -> list[str]:
    notes = []
    sizes = {(d.width_px, d.height_px) for d in displays.values()}
    if len(sizes) > 1:
        notes.append(
            "sessions were shown on displays of different size, so the recording has no screen; "
            "read one: read(path, session=...)"
        )
    if any(d.origin == "lost gaze" for d in displays.values()):
        notes.append("the display's size is taken from where lost gaze was converted to")
    if {"left", "right"} <= gaze.xy.keys():
        same = [n for n, at in rows.items() if _are_one(gaze, at)]
        if same:
            listed = ", ".join(map(str, same[:10]))
            notes.append(
                f"both eyes hold one and the same point in session {listed}: a mean, in which an "
                "eye that is lost alone cannot be told"
            )
    return notes


def _are_one(gaze: Gaze, at: Place) -> bool:
    left, right = gaze.xy["left"][at], gaze.xy["right"][at]
    known = np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1)
    return bool(known.any() and (left == right).all(axis=1)[known].mean() >= _SAME_ROWS)
