"""The figures of quality for one or more stretches of a recording, with their units in the keys.

Degrees need the screen's millimetres and distance; without them figures end in the unit of the
recording's plane: ``_px`` (of the screen, or of the scene camera: see ``plane``), ``_fraction``,
``_href``. Whatever cannot be known is None.

=====================================  =========================================================
``plane`` ``eye``                      what coordinates are; which eye's gaze was measured
``rate_hz`` ``effective_hz``           of the clock; valid samples over time
``duration_ms`` ``paused_ms``          of all stretches; time in which nothing was recorded
``n_samples n_valid n_invalid``        rows; with gaze; without
``n_absent``                           rows the clock says are missing
``loss``                               (invalid + absent) / (rows + absent), 0 to 1
``loss_from_expected``                 1 - valid / (duration * rate), pauses included
``one_eye``                            share of rows with gaze of one eye only
``gap_count`` ``gap_longest_ms``       stretches without gaze, pauses left out
``step_median_ms`` ``step_sd_ms``      clock; the sd (jitter) is of steps below 1.5 intervals
``steps``                              their histogram (whole recording): edges, counts, longer
``eyes``                               of each eye, for binocular recordings (whole recording)
``accuracy`` ``device_validations``    unknown here; what the device said of itself, as it is
``off_screen``                         share of the valid gaze beyond the screen's edges
``rms_s2s_deg`` ``std_deg``            medians over windows of ``window_ms``
``rms_std_ratio``                      of the two; white noise has sqrt(2), filtered gaze less
``disparity_px disparity_deg``         median distance between the eyes' points of regard
``disparity_x_px disparity_y_px``      medians of right minus left
``disparity_lines``                    median vertical distance in lines of code
=====================================  =========================================================
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gazecode.model import Recording, Samples
from gazecode.model.checks import FloatArray
from gazecode.quality.precision import moving_precision
from gazecode.quality.timing import pool, sample_interval_ms, timing
from gazecode.units import angle_deg, px_to_deg, sample_end_ms, step_ms

__all__ = ["WINDOW_MS", "Measured", "measure"]

WINDOW_MS = 100.0
_DIGITS = 6
Span = tuple[float, float]


class Measured:
    """A recording with everything that all its stretches share, computed once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.gaze = recording.gaze
        self.interval_ms = sample_interval_ms(self.gaze.t_ms)
        self.has_lost_rows = any(bool(s.lost.any()) for s in recording.samples.values())
        step = step_ms(self.gaze.t_ms)
        self.window_ms = max(WINDOW_MS, 4 * step) if step > 0 else WINDOW_MS
        self.binocular = {"left", "right"} <= recording.samples.keys()

    @cached_property
    def unit(self) -> str:
        """What positions are measured in: deg if possible, else the plane's unit."""
        screen, plane = self.recording.screen, self.recording.plane
        if plane == "screen_px" and screen is not None and screen.has_geometry:
            return "deg"
        return "px" if plane.endswith("px") else plane.removeprefix("screen_")

    def in_unit(self, samples: Samples) -> FloatArray:
        """Positions in `unit`."""
        return (
            px_to_deg(samples.xy_px, self.recording.screen) if self.unit == "deg" else samples.xy_px
        )

    @cached_property
    def precision(self) -> tuple[FloatArray, FloatArray]:
        """RMS-S2S and STD of the window that begins at each sample."""
        xy = self.in_unit(self.gaze)
        return moving_precision(self.gaze.t_ms, xy[:, 0], xy[:, 1], window_ms=WINDOW_MS)

    @cached_property
    def off_screen(self) -> FloatArray | None:
        """1 beyond the screen, 0 on it, NaN where lost; None if the screen is not known."""
        edges = _edges(self.recording)
        if edges is None:
            return None
        xy = self.gaze.xy_px
        outside = ((xy < 0) | (xy > edges)).any(axis=1)
        return np.where(self.gaze.lost, np.nan, outside)

    @cached_property
    def disparity(self) -> FloatArray | None:
        """``(n, 2)`` right minus left in the plane's unit; None for one eye."""
        if not self.binocular:
            return None
        eyes = self.recording.samples
        return eyes["right"].xy_px - eyes["left"].xy_px

    @cached_property
    def disparity_deg(self) -> FloatArray | None:
        """``(n,)`` angle between the eyes' points of regard, where degrees exist."""
        if not self.binocular or self.unit != "deg":
            return None
        eyes = self.recording.samples
        return angle_deg(self.in_unit(eyes["left"]), self.in_unit(eyes["right"]))

    @cached_property
    def one_eye(self) -> FloatArray | None:
        """1 where one eye alone has gaze, else 0; None for one eye."""
        if not self.binocular:
            return None
        eyes = self.recording.samples
        return np.asarray(eyes["left"].lost != eyes["right"].lost, dtype=np.float64)

    def whole(self) -> list[Span]:
        """The recording as one stretch; none without samples."""
        t = self.gaze.t_ms
        return [(float(t[0]), float(sample_end_ms(t)[-1]))] if len(t) else []

    def per_eye(self) -> dict[str, Any]:
        """Loss and precision of each eye over the whole recording, for binocular recordings."""
        if not self.binocular:
            return {"eyes": {}}
        return {"eyes": {eye: self._of_eye(s) for eye, s in self.recording.samples.items()}}

    def _of_eye(self, samples: Samples) -> dict[str, Any]:
        xy = self.in_unit(samples)
        rms, spread = moving_precision(samples.t_ms, xy[:, 0], xy[:, 1], window_ms=WINDOW_MS)
        return {
            "lost_rows": _number(_mean(samples.lost.astype(np.float64))),
            f"rms_s2s_{self.unit}": _number(_median(rms)),
            f"std_{self.unit}": _number(_median(spread)),
        }


def measure(
    measured: Measured,
    spans: Sequence[Span],
    *,
    line_height_px: float | None = None,
    histogram: bool = False,
) -> dict[str, Any]:
    """All figures over some stretches, ready for JSON.

    Parameters
    ----------
    spans
        ``[onset_ms, offset_ms)`` of each stretch; overlapping ones are joined.
    line_height_px
        To give the disparity in lines.
    histogram
        Whether to add the histogram of steps.
    """
    spans = _joined(spans)
    gaze = measured.gaze
    rows = [slice(*np.searchsorted(gaze.t_ms, span)) for span in spans]
    parts = [
        timing(
            gaze.between(*span),
            *span,
            interval_ms=measured.interval_ms,
            has_lost_rows=measured.has_lost_rows,
        )
        for span in spans
    ]
    figures: dict[str, Any] = {
        "plane": measured.recording.plane,
        "eye": gaze.eye,
        "rate_hz": 1000 / measured.interval_ms if measured.interval_ms > 0 else math.nan,
        **pool(parts, interval_ms=measured.interval_ms),
        "one_eye": _mean(_taken(measured.one_eye, rows)),
        "off_screen": _mean(_taken(measured.off_screen, rows)),
        "window_ms": measured.window_ms,
        **_precision(measured, spans),
        **_disparity(measured, rows, line_height_px),
    }
    figures = {name: _number(value) for name, value in figures.items()}
    if histogram:
        figures["steps"] = _step_histogram([np.diff(gaze.t_ms[part]) for part in rows], measured)
    return figures


def _precision(measured: Measured, spans: Sequence[Span]) -> dict[str, float]:
    """Medians over the windows that lie within a stretch."""
    t, window = measured.gaze.t_ms, measured.window_ms
    tolerance = 1e-6 * window
    inside = [
        slice(*np.searchsorted(t, (onset, offset - window + tolerance)))
        for onset, offset in spans
        if offset - onset >= window
    ]
    rms, spread = (_median(_taken(values, inside)) for values in measured.precision)
    return {
        f"rms_s2s_{measured.unit}": rms,
        f"std_{measured.unit}": spread,
        "rms_std_ratio": rms / spread if spread > 0 else math.nan,
    }


def _disparity(
    measured: Measured, rows: Sequence[slice], line_height_px: float | None
) -> dict[str, float]:
    if measured.disparity is None:
        return {}
    apart = _taken(measured.disparity, rows)
    unit = "px" if measured.unit == "deg" else measured.unit
    figures = {
        f"disparity_{unit}": _median(np.hypot(apart[:, 0], apart[:, 1])),
        f"disparity_x_{unit}": _median(apart[:, 0]),
        f"disparity_y_{unit}": _median(apart[:, 1]),
    }
    if measured.disparity_deg is not None:
        figures["disparity_deg"] = _median(_taken(measured.disparity_deg, rows))
    if line_height_px is not None and unit == "px":
        figures["disparity_lines"] = _median(np.abs(apart[:, 1])) / line_height_px
    return figures


def _step_histogram(steps: Sequence[FloatArray], measured: Measured) -> dict[str, Any]:
    """Steps between stamps; one interval and two are in the middle of a bin."""
    interval = measured.interval_ms
    if not interval > 0:
        return {"edges_ms": [], "counts": [], "longer": 0}
    all_steps = np.concatenate([*steps, np.empty(0)])
    edges = interval * np.concatenate(([0.0], np.arange(1, 22, 2) / 10))
    counts, _ = np.histogram(all_steps, edges)
    return {
        "edges_ms": [round(float(edge), _DIGITS) for edge in edges],
        "counts": counts.tolist(),
        "longer": int((all_steps > edges[-1]).sum()),
    }


def _edges(recording: Recording) -> FloatArray | None:
    if recording.plane == "screen_fraction":
        return np.ones(2)
    if recording.plane != "screen_px" or recording.screen is None:
        return None
    return np.array([recording.screen.width_px, recording.screen.height_px], dtype=np.float64)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, overlapping ones joined, so that no sample counts twice."""
    joined: list[Span] = []
    for onset, offset in sorted(spans):
        if joined and onset < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], offset))
        else:
            joined.append((onset, offset))
    return joined


def _taken(values: FloatArray | None, rows: Sequence[slice]) -> FloatArray:
    if values is None:
        return np.empty(0)
    return np.concatenate([values[part] for part in rows] or [values[:0]])


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _median(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan


def _number(value: Any) -> Any:
    """As JSON has it: rounded, None for what cannot be known."""
    if not isinstance(value, float):
        return value
    return round(value, _DIGITS) if math.isfinite(value) else None
