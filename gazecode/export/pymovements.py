"""A recording as a `pymovements.Gaze`, and back: for its plots, detectors and reading measures.

pymovements (Krakowczyk et al. 2023, doi:10.1145/3588015.3590134) counts an event's offset in, keeps
one list of coordinates per sample, and screens in cm. What it has no place for (half-open offsets,
positions of events, the trials' own intervals) travels in columns and metadata of our own, so that
the way back (`pymovements_back`) loses nothing. It takes seconds to import: only calls do so.
"""

from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model import Events, Recording, Trial, require_screen_px
from gazecode.model.checks import repeated
from gazecode.units import rate_hz

__all__ = ["EXACT", "EYES", "ORIGIN", "OWN", "library", "moved_point", "to_pymovements"]

FloatArray = npt.NDArray[np.float64]
StrArray = npt.NDArray[np.object_]

OWN = "gazecode"
"""Key of our own in `Gaze.metadata`."""
EYES = ("left", "right", "both")
ORIGIN = "upper left"
EXACT = "offset_exclusive"


def library(name: str) -> Any:
    """Import what only these functions need."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ParameterError(
            f"this needs {name}, which is not installed: pip install pymovements"
        ) from error


def to_pymovements(recording: Recording) -> Any:
    """Give a recording to pymovements.

    Parameters
    ----------
    recording
        In pixels of a screen.

    Returns
    -------
    pymovements.Gaze
        `samples`: `time` (ms), `pixel` ([x, y] of one eye, or left and right, or left, right and
        the device's own mean), `pupil`, and `trial` where trials do not overlap. `events`: the
        device's own, with the offset counted in (the last sample of the event) and the half-open
        one in ``offset_exclusive``. `experiment`: screen in px and cm, origin upper left, measured
        rate. Lost gaze is null.

    Raises
    ------
    GeometryError
        Coordinates are no pixels of a screen: pymovements would take them for such.
    ParameterError
        pymovements is not installed.

    Examples
    --------
    >>> gaze = to_pymovements(recording)  # doctest: +SKIP
    >>> gaze.pix2deg()  # doctest: +SKIP
    """
    require_screen_px(recording.plane, "pymovements")
    pm, pl = library("pymovements"), library("polars")
    t = next(iter(recording.samples.values())).t_ms
    trials = sorted(recording.trials, key=lambda trial: trial.onset_ms)
    data, pixel = _samples_frame(recording, t)
    labelled = _labels(t, trials)
    if labelled is not None:
        data["trial"] = pl.Series("trial", labelled.tolist(), dtype=pl.Utf8)
    return pm.Gaze(
        samples=pl.DataFrame(data),
        experiment=_experiment(pm, recording, t),
        events=_events_frame(pm, pl, recording, t, trials if labelled is not None else None),
        messages=_messages_frame(pl, recording),
        validations=_validations_frame(pl, recording),
        trial_columns=["trial"] if labelled is not None else None,
        time_column="time",
        time_unit="ms",
        pixel_columns=pixel,
        metadata={OWN: _own(recording, trials)},
    )


def _samples_frame(recording: Recording, t: FloatArray) -> tuple[dict[str, Any], list[str]]:
    eyes = [eye for eye in EYES if eye in recording.samples]
    # Six components are left, right and cyclopean: a third eye needs the other two.
    if len(eyes) == 2 and "both" in eyes:
        raise DataError(
            f"the recording has the eyes {' and '.join(eyes)}; pymovements knows one eye, left and "
            "right, or all three. Leave one out of Recording.samples"
        )
    data: dict[str, Any] = {"time": t}
    pixel = []
    for eye in eyes:
        for axis, name in enumerate("xy"):
            column = f"{name}_{eye}"
            data[column] = recording.samples[eye].xy_px[:, axis]
            pixel.append(column)
    pupils = [np.asarray(recording.samples[eye].pupil) for eye in eyes]
    if any(np.isfinite(p).any() for p in pupils):
        data["pupil"] = pupils[0] if len(eyes) == 1 else _lists(np.stack(pupils, axis=1))
    return data, pixel


def _lists(values: FloatArray) -> Any:
    pl = library("polars")
    return pl.DataFrame(values, schema=[str(i) for i in range(values.shape[1])]).select(
        pl.concat_list(pl.all().fill_nan(None)).alias("pupil")
    )["pupil"]


def _labels(t: FloatArray, trials: list[Trial]) -> StrArray | None:
    """Name of each sample's trial, None outside; None at all where trials overlap."""
    if not trials or not len(t):
        return None
    labels = repeated(None, len(t))
    end = -np.inf
    for trial in trials:
        if trial.onset_ms < end:
            return None
        a, b = np.searchsorted(t, [trial.onset_ms, trial.offset_ms])
        labels[a:b] = trial.name
        end = trial.offset_ms
    return labels


def moved_point(value: float | None, places: int) -> float | None:
    """Times a power of ten, without a change in any digit."""
    return None if value is None else float(Decimal(repr(float(value))).scaleb(places))


def _experiment(pm: Any, recording: Recording, t: FloatArray) -> Any:
    rate = rate_hz(t)
    eyes = set(recording.samples)
    tracker = pm.EyeTracker(
        # It takes rates below 1 Hz for none at all.
        sampling_rate=rate if rate >= 1 else None,
        left="left" in eyes if eyes & {"left", "right"} else None,
        right="right" in eyes if eyes & {"left", "right"} else None,
    )
    screen = recording.screen
    if screen is None:
        return pm.Experiment(screen=pm.Screen(origin=ORIGIN), eyetracker=tracker)
    size = [float(side) for side in (screen.width_px, screen.height_px)]
    whole = [int(side) if side.is_integer() else side for side in size]
    shown = pm.Screen(
        width_px=whole[0],
        height_px=whole[1],
        width_cm=moved_point(screen.width_mm, -1),
        height_cm=moved_point(screen.height_mm, -1),
        distance_cm=moved_point(screen.distance_mm, -1),
        origin=ORIGIN,
    )
    return pm.Experiment(screen=shown, eyetracker=tracker)


def _events_frame(
    pm: Any, pl: Any, recording: Recording, t: FloatArray, trials: list[Trial] | None
) -> Any:
    events = recording.device_events
    if not len(events):
        return None
    end = events.xy_px * np.nan if events.end_xy_px is None else events.end_xy_px
    data: dict[str, Any] = {
        "name": [str(kind) for kind in events.kind],
        "onset": events.onset_ms,
        "offset": _inclusive(events, t),
        EXACT: events.offset_ms,
        "x_px": events.xy_px[:, 0],
        "y_px": events.xy_px[:, 1],
        "end_x_px": end[:, 0],
        "end_y_px": end[:, 1],
    }
    for name in ("eye", "activity"):
        texts = getattr(events, name)
        if texts is not None:
            data[name] = [str(text) for text in texts]
    if trials is not None:
        # Without it `Gaze.split` would find no trial to take the events apart by.
        labels = _labels(events.onset_ms, trials)
        data["trial"] = pl.Series("trial", None if labels is None else labels.tolist(), pl.Utf8)
    frame = pl.DataFrame(data).fill_nan(None)
    return pm.Events(data=frame, trial_columns=None if trials is None else ["trial"])


def _inclusive(events: Events, t: FloatArray) -> FloatArray:
    """The last sample of each event; where it has none, its own end."""
    last = np.searchsorted(t, events.offset_ms) - 1
    inside = (last >= 0) & (last >= np.searchsorted(t, events.onset_ms))
    stamps = t[np.maximum(last, 0)] if len(t) else np.zeros(len(events))
    return np.where(inside, stamps, events.offset_ms)


def _messages_frame(pl: Any, recording: Recording) -> Any:
    if not recording.messages:
        return None
    return pl.DataFrame(
        {
            "time": [float(m.t_ms) for m in recording.messages],
            "content": [m.text for m in recording.messages],
        }
    )


def _validations_frame(pl: Any, recording: Recording) -> Any:
    """In the columns that pymovements' own reader of EyeLink files gives."""
    checks = recording.validations
    if not checks:
        return None
    return pl.DataFrame(
        {
            "time": [float(v.t_ms) for v in checks],
            "num_points": [len(v) or None for v in checks],
            "eye": [v.eye if v.eye in ("left", "right") else None for v in checks],
            "accuracy_avg": [v.mean_deg for v in checks],
            "accuracy_max": [v.max_deg for v in checks],
        },
        schema={
            "time": pl.Float64,
            "num_points": pl.Int64,
            "eye": pl.Utf8,
            "accuracy_avg": pl.Float64,
            "accuracy_max": pl.Float64,
        },
    )


def _own(recording: Recording, trials: list[Trial]) -> dict[str, Any]:
    return {
        "eyes": [eye for eye in EYES if eye in recording.samples],
        "trials": [
            {
                "name": trial.name,
                "onset_ms": float(trial.onset_ms),
                "offset_ms": float(trial.offset_ms),
                "stimulus": trial.stimulus,
            }
            for trial in trials
        ],
    }
