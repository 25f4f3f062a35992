"""A recording from a `pymovements.Gaze`: the way back of `gazecode.export.pymovements`."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, GeometryError
from gazecode.export.pymovements import EXACT, EYES, ORIGIN, OWN, library, moved_point
from gazecode.model import KINDS, Events, Message, Recording, Samples, Screen, Trial, Validation
from gazecode.units import rate_hz, sample_end_ms

__all__ = ["from_pymovements"]

FloatArray = npt.NDArray[np.float64]
StrArray = npt.NDArray[np.object_]

_MOVEMENTS = {"microsaccade": "saccade"}


def from_pymovements(gaze: Any) -> Recording:
    """Take a recording from pymovements.

    Parameters
    ----------
    gaze
        A `pymovements.Gaze` of one recording, with pixel coordinates (`pixel`) and times in ms.

    Returns
    -------
    Recording
        Left and right where `pixel` has four or six components; the eye that the experiment names,
        or ``both``, where it has two. ms as they are if the gaze came from `to_pymovements`, else
        from the first sample. Offsets of events are half-open: the sample after the one that
        pymovements counts in. Names of events are reduced to their kind (``fixation_ivt``).

    Raises
    ------
    DataError
        No samples and no events, no pixel coordinates, no times, or times that restart with each
        trial: split it first.
    ParameterError
        pymovements is not installed.

    Examples
    --------
    >>> recording = from_pymovements(pymovements.gaze.from_asc("P01.asc"))  # doctest: +SKIP
    """
    counts: Counter[str] = Counter()
    notes: list[str] = []
    own = _stored(gaze)
    stamps = _stamps(gaze)
    zero = 0.0 if own or not len(stamps) else float(stamps[0])
    t = stamps - zero
    screen = _screen_of(gaze)
    samples = _samples_of(gaze, t, own, screen, counts=counts, notes=notes)
    rate = rate_hz(t)
    lost = {eye: int(s.lost.sum()) for eye, s in samples.items()}
    return Recording(
        samples=samples,
        trials=_trials_of(gaze, t, own),
        messages=_messages_of(gaze, zero),
        device_events=_events_of(gaze, t, zero, counts),
        screen=screen,
        validations=_validations_of(gaze, zero),
        provenance={
            "format": "pymovements",
            "plane": "screen_px",
            "clock": "column time, ms; " + ("as it stands" if own else "0 at the first sample"),
            "rate_hz": round(rate, 3) if np.isfinite(rate) else None,
            "eyes": list(samples),
            "n_samples": len(t),
            "n_lost": lost,
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


def _stored(gaze: Any) -> Mapping[str, Any]:
    found = (getattr(gaze, "metadata", None) or {}).get(OWN)
    return found if isinstance(found, Mapping) else {}


def _stamps(gaze: Any) -> FloatArray:
    columns = list(gaze.samples.columns)
    if not len(gaze.samples) and len(gaze.events.frame):
        return np.empty(0)
    missing = [name for name in ("time", "pixel") if name not in columns]
    if missing:
        raise DataError(
            f"no column {', '.join(missing)} in the samples of the gaze; found "
            f"{', '.join(columns)}. Pixels are needed: degrees cannot be mapped to text"
        )
    t = np.asarray(gaze.samples["time"].to_numpy(), dtype=np.float64)
    if not len(t):
        raise DataError("the gaze holds no samples; expected one or more")
    if not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise DataError(
            "times of the gaze do not increase throughout; expected one recording on one clock. "
            "Take its trials apart first: gaze.split()"
        )
    return t


def _column(frame: Any, name: str) -> FloatArray:
    return np.asarray(frame[name].cast(library("polars").Float64).to_numpy(), dtype=np.float64)


def _component(gaze: Any, name: str, i: int) -> FloatArray:
    return np.asarray(gaze.samples[name].list.get(i, null_on_oob=True).to_numpy(), dtype=np.float64)


def _samples_of(
    gaze: Any,
    t: FloatArray,
    own: Mapping[str, Any],
    screen: Screen | None,
    *,
    counts: Counter[str],
    notes: list[str],
) -> dict[str, Samples]:
    eyes = _eyes_of(gaze, own)
    if not len(t):
        return {eye: Samples(t_ms=t, xy_px=np.empty((0, 2)), eye=eye) for eye in eyes}
    samples = {}
    for i, eye in enumerate(eyes):
        xy = np.stack([_component(gaze, "pixel", 2 * i + axis) for axis in (0, 1)], axis=1)
        known = np.isfinite(xy)
        counts["half_lost"] += int((known[:, 0] != known[:, 1]).sum())
        xy[~known.all(axis=1)] = np.nan
        samples[eye] = Samples(
            t_ms=t,
            xy_px=_from_origin(xy, gaze, screen, notes if i == 0 else []),
            pupil=_pupil_of(gaze, i, len(eyes)),
            eye=eye,
        )
    return samples


def _eyes_of(gaze: Any, own: Mapping[str, Any]) -> list[str]:
    stored = [eye for eye in own.get("eyes", ()) if eye in EYES]
    if not len(gaze.samples):
        return stored or ["both"]
    n = len(gaze.samples["pixel"].drop_nulls().first() or ()) // 2
    if len(stored) == n:
        return stored
    if n > 1:
        return list(EYES[:n])
    tracker = getattr(getattr(gaze, "experiment", None), "eyetracker", None)
    left, right = getattr(tracker, "left", None), getattr(tracker, "right", None)
    return ["left" if left and not right else "right" if right and not left else "both"]


def _from_origin(xy: FloatArray, gaze: Any, screen: Screen | None, notes: list[str]) -> FloatArray:
    origin = getattr(getattr(getattr(gaze, "experiment", None), "screen", None), "origin", None)
    if origin == ORIGIN:
        return xy
    if origin is None:
        notes.append("the origin of the pixels is not said: taken as the upper left")
        return xy
    if screen is None:
        raise GeometryError(
            f"pixels count from the {origin} of a screen whose size is not known; set width_px and "
            "height_px of gaze.experiment.screen"
        )
    size = np.array([screen.width_px, screen.height_px])
    notes.append(f"pixels counted from the {origin}, y up: brought to the upper left")
    shift = size / 2 if origin == "center" else np.array([0.0, size[1]])
    moved: FloatArray = xy * np.array([1.0, -1.0]) + shift
    return moved


def _pupil_of(gaze: Any, i: int, n: int) -> FloatArray | None:
    if "pupil" not in gaze.samples.columns:
        return None
    pl = library("polars")
    nested = isinstance(gaze.samples.schema["pupil"], pl.List)
    if nested:
        return _component(gaze, "pupil", i)
    return _column(gaze.samples, "pupil") if n == 1 else None


def _screen_of(gaze: Any) -> Screen | None:
    screen = getattr(getattr(gaze, "experiment", None), "screen", None)
    width, height = getattr(screen, "width_px", None), getattr(screen, "height_px", None)
    if screen is None or width is None or height is None:
        return None
    return Screen(
        width_px=float(width),
        height_px=float(height),
        width_mm=moved_point(screen.width_cm, 1),
        height_mm=moved_point(screen.height_cm, 1),
        distance_mm=moved_point(screen.distance_cm, 1),
    )


def _trials_of(gaze: Any, t: FloatArray, own: Mapping[str, Any]) -> list[Trial]:
    """The trials that were stored and are still there; else runs of the trial columns."""
    if own:
        first, last = (float(t[0]), float(t[-1])) if len(t) else (-np.inf, np.inf)
        stored = [Trial(**trial) for trial in own.get("trials", ())]
        return [trial for trial in stored if trial.onset_ms <= last and trial.offset_ms > first]
    columns = [c for c in gaze.trial_columns or () if c in gaze.samples.columns]
    if not columns:
        return []
    rows = list(zip(*(gaze.samples[c].to_list() for c in columns), strict=True))
    border = [i for i in range(len(rows)) if i == 0 or rows[i] != rows[i - 1]]
    end = sample_end_ms(t)
    names: Counter[str] = Counter()
    trials = []
    for first, after in zip(border, [*border[1:], len(rows)], strict=True):
        if all(value is None for value in rows[first]):
            continue
        name = "_".join(str(value) for value in rows[first])
        names[name] += 1
        unique = name if names[name] == 1 else f"{name} ({names[name]})"
        trials.append(
            Trial(
                name=unique,
                onset_ms=float(t[first]),
                offset_ms=float(end[after - 1]),
                stimulus=name,
            )
        )
    return trials


def _messages_of(gaze: Any, zero: float) -> list[Message]:
    if getattr(gaze, "messages", None) is None:
        return []
    rows = zip(gaze.messages["time"].to_list(), gaze.messages["content"].to_list(), strict=True)
    return [Message(t_ms=float(t) - zero, text=str(text)) for t, text in rows if t is not None]


def _events_of(gaze: Any, t: FloatArray, zero: float, counts: Counter[str]) -> Events:
    frame = getattr(getattr(gaze, "events", None), "frame", None)
    if frame is None or not len(frame):
        return Events.empty()
    onset = _column(frame, "onset") - zero
    offset = _exclusive(_column(frame, "offset") - zero, t)
    if EXACT in frame.columns:
        exact = _column(frame, EXACT) - zero
        offset = np.where(np.isfinite(exact), exact, offset)
    whole = np.isfinite(onset) & np.isfinite(offset) & (offset > onset)
    counts["empty_device_events"] += int((~whole).sum())
    rows = np.flatnonzero(whole)
    rows = rows[np.argsort(onset[rows], kind="stable")]
    end = _points(frame, "end_x_px", "end_y_px")[rows]
    return Events(
        kind=np.array([_kind(str(name)) for name in frame["name"].to_list()], dtype=object)[rows],
        onset_ms=onset[rows],
        offset_ms=offset[rows],
        xy_px=_points(frame, "x_px", "y_px")[rows],
        end_xy_px=end if np.isfinite(end).any() else None,
        activity=_texts(frame, "activity", rows),
        eye=_texts(frame, "eye", rows),
    )


def _exclusive(offset: FloatArray, t: FloatArray) -> FloatArray:
    """The time of the sample after the last one of an event, as `sample_end_ms` has it."""
    if not len(t):
        return offset
    at = np.clip(np.searchsorted(t, offset, side="right") - 1, 0, len(t) - 1)
    after: FloatArray = np.where(t[at] == offset, sample_end_ms(t)[at], offset)
    return after


def _kind(name: str) -> str:
    word = re.split(r"[._\s]", name.lower())[0]
    word = _MOVEMENTS.get(word, word)
    return word if word in KINDS else "undefined"


def _points(frame: Any, x: str, y: str) -> FloatArray:
    if x not in frame.columns or y not in frame.columns:
        return np.full((len(frame), 2), np.nan)
    points = np.stack([_column(frame, x), _column(frame, y)], axis=1)
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return points


def _texts(frame: Any, name: str, rows: npt.NDArray[np.int64]) -> StrArray | None:
    if name not in frame.columns:
        return None
    texts = ["" if text is None else str(text) for text in frame[name].to_list()]
    return np.array(texts, dtype=object)[rows]


def _validations_of(gaze: Any, zero: float) -> list[Validation]:
    frame = getattr(gaze, "validations", None)
    if frame is None:
        return []
    return [
        Validation(
            t_ms=float(row["time"]) - zero,
            eye=row.get("eye") or "both",
            target_xy_px=np.empty((0, 2)),
            offset_xy_px=np.empty((0, 2)),
            offset_deg=np.empty(0),
            mean_deg=row.get("accuracy_avg"),
            max_deg=row.get("accuracy_max"),
        )
        for row in frame.to_dicts()
        if row.get("time") is not None
    ]
