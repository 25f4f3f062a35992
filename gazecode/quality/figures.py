"""The figures of quality for one or more stretches of a recording, with their units in the keys.

Degrees need the screen's millimetres and distance; without them figures end in the unit of the
recording's plane: ``_px`` (of the screen, or of the scene camera: see ``plane``), ``_fraction``,
``_href``. Whatever cannot be known is None.

=====================================  =========================================================
``plane eye filter``                   what coordinates are; whose gaze; the tracker's filter
``rate_hz`` ``effective_hz``           of the clock; valid samples over time
``duration_ms`` ``paused_ms``          of all stretches; time in which nothing was recorded
``n_samples n_valid n_invalid``        rows; with gaze; without
``n_absent``                           rows the clock says are missing
``loss``                               (invalid + absent) / (rows + absent), 0 to 1
``loss_invalid``                       invalid / rows
``loss_from_expected``                 1 - valid / (duration * rate), pauses included
``gap_count`` ``gap_longest_ms``       stretches without gaze, pauses left out
``step_median_ms`` ``step_sd_ms``      clock; the sd (jitter) is of steps below 1.5 intervals
``clock_jumps``                        and what they are: see `gazecode.quality.clock`
``off_screen``                         share of the valid gaze beyond the screen's edges
``rms_s2s_deg std_deg bcea_deg2``      medians over windows of ``window_ms``
``rms_std_ratio``                      of the two; white noise has sqrt(2), filtered gaze less
``fixation_rms_s2s_deg`` and so on     the same inside fixations (``fixations_source``); medians
``n_fixations fixation_ms``            their number and median duration
``one_eye``                            share of rows with gaze of one eye only
``one_eye_count _ms _longest_ms``      stretches of it
``disparity_px disparity_deg``         median distance between the eyes' points of regard
``disparity_x_px disparity_y_px``      medians of right minus left
``disparity_lines``                    median vertical distance in lines of code
``accuracy`` ``accuracy_deg`` ...      see `gazecode.quality.checks`
=====================================  =========================================================

Of the whole recording alone: ``steps`` and ``rates`` (histograms), ``eyes`` (each of two),
``validations``, ``device_validations``, ``drift_...`` and ``disparity_drift_...``.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gazecode.model.checks import Array, FloatArray
from gazecode.quality.binocular import stretches_within
from gazecode.quality.checks import accuracy_figures, listed
from gazecode.quality.clock import backward_steps, clock_figures, rates
from gazecode.quality.drift import disparity_drift, drift
from gazecode.quality.measured import Measured, Span, median
from gazecode.quality.timing import pool, timing

__all__ = ["as_json", "measure", "of_recording"]

_DIGITS = 6
_FINE_DIGITS = 9
"""Squares of small angles, and slopes, need more digits."""

_OF_SAMPLES = (
    *("rate_hz", "effective_hz", "paused_ms", "n_valid", "n_invalid", "n_absent", "loss"),
    *("loss_invalid", "loss_from_expected", "gap_count", "gap_longest_ms", "step_median_ms"),
    *("step_sd_ms", "one_eye", "one_eye_count", "one_eye_ms", "one_eye_longest_ms"),
    *("clock_jumps", "clock_off_grid", "clock_forward", "clock_forward_longest_ms"),
    "clock_backward",
)
"""What a recording of fixations alone cannot say."""


def measure(
    measured: Measured,
    spans: Sequence[Span],
    *,
    line_height_px: float | None = None,
    whole: bool = False,
) -> dict[str, Any]:
    """All figures over some stretches, ready for JSON.

    Parameters
    ----------
    spans
        ``[onset_ms, offset_ms)`` of each stretch; overlapping ones are joined.
    line_height_px
        To give the disparity in lines.
    whole
        Whether the stretches stand for the recording: steps backward count then.
    """
    spans = _joined(spans)
    gaze = measured.gaze
    rows = measured.rows(spans)
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
        "filter": measured.recording.provenance.get("filter"),
        "rate_hz": 1000 / measured.interval_ms if measured.interval_ms > 0 else math.nan,
        **pool(parts, interval_ms=measured.interval_ms),
        **_clock(measured, rows, whole=whole),
        "off_screen": _mean(_taken(measured.off_screen, rows)),
        "window_ms": measured.window_ms,
        **_precision(measured, spans),
        **_in_fixations(measured, spans),
        **_one_eye(measured, spans, rows),
        **_disparity(measured, rows, line_height_px),
        **accuracy_figures(measured.checks, [a for a, _ in spans], unit=measured.plane_unit),
    }
    if measured.events_only:
        figures |= dict.fromkeys(_OF_SAMPLES)
        chosen = measured.fixated(spans)
        outside = measured.outside(measured.fixations.xy_px) if measured.fixations else None
        figures["off_screen"] = math.nan if outside is None else _mean(outside[chosen])
    return {name: as_json(value, name) for name, value in figures.items()}


def of_recording(measured: Measured, spans: Sequence[Span]) -> dict[str, Any]:
    """What only a whole recording has: histograms, each eye, validations, drift."""
    gaze, unit = measured.gaze, measured.plane_unit
    steps = [measured.steps_ms[_inner(part)] for part in measured.rows(_joined(spans))]
    rate_hz = 1000 / measured.interval_ms if measured.interval_ms > 0 else math.nan
    valid = ~measured.lost
    found = {
        "steps": _step_histogram(steps, measured.interval_ms),
        "rates": rates(gaze.t_ms, valid, rate_hz),
        "eyes": measured.per_eye(),
        "validations": listed(measured.validations, measured.recording.screen, unit=unit),
        "device_validations": list(measured.recording.provenance.get("validations", ())),
        **drift(measured.checks, gaze.t_ms[valid], unit=unit),
    }
    if measured.two_eyes is not None:
        found |= disparity_drift(gaze.t_ms, measured.two_eyes.apart, unit=unit)
    return {name: as_json(value, name) for name, value in found.items()}


def _inner(part: slice) -> slice:
    """Steps between the samples of a part."""
    return slice(part.start, max(part.stop - 1, part.start))


def _clock(measured: Measured, rows: Sequence[slice], *, whole: bool) -> dict[str, Any]:
    inner = [_inner(part) for part in rows]
    moved = measured.moved
    return clock_figures(
        [measured.steps_ms[part] for part in inner],
        None if moved is None else [moved[part] for part in inner],
        has_lost_rows=measured.has_lost_rows,
        backward=backward_steps(measured.recording.provenance) if whole else 0,
    )


def _precision(measured: Measured, spans: Sequence[Span]) -> dict[str, float]:
    """Medians over the windows that lie within a stretch."""
    window = measured.window_ms
    tolerance = 1e-6 * window
    inside = measured.rows(
        [(a, b - window + tolerance) for a, b in spans if b - a >= window - tolerance]
    )
    found, unit = measured.precision, measured.unit
    rms, std = (median(_taken(values, inside)) for values in (found.rms, found.std))
    return {
        f"rms_s2s_{unit}": rms,
        f"std_{unit}": std,
        f"bcea_{unit}2": median(_taken(found.bcea, inside)),
        "rms_std_ratio": rms / std if std > 0 else math.nan,
        "bcea_p": measured.options.bcea_p,
    }


def _in_fixations(measured: Measured, spans: Sequence[Span]) -> dict[str, Any]:
    """Medians over the fixations that begin in a stretch."""
    unit, chosen = measured.unit, measured.fixated(spans)
    fixations, inside = measured.fixations, measured.in_fixations
    said: dict[str, Any] = {
        "fixations_source": measured.options.source or None,
        "n_fixations": None if fixations is None else len(chosen),
        "fixation_ms": math.nan if fixations is None else median(fixations.duration_ms[chosen]),
    }
    columns = ("rms", "std", "std_x", "std_y", "bcea")
    rms, std, std_x, std_y, bcea = (
        math.nan if inside is None else median(getattr(inside, name)[chosen]) for name in columns
    )
    return said | {
        f"fixation_rms_s2s_{unit}": rms,
        f"fixation_std_{unit}": std,
        f"fixation_std_x_{unit}": std_x,
        f"fixation_std_y_{unit}": std_y,
        f"fixation_bcea_{unit}2": bcea,
        "fixation_rms_std_ratio": rms / std if std > 0 else math.nan,
    }


def _one_eye(
    measured: Measured, spans: Sequence[Span], rows: Sequence[slice]
) -> dict[str, float | None]:
    eyes = measured.two_eyes
    if eyes is None:
        names = ("one_eye", "one_eye_count", "one_eye_ms", "one_eye_longest_ms")
        return dict.fromkeys(names)
    return {
        "one_eye": _mean(_taken(eyes.alone, rows)),
        **stretches_within(eyes.stretches_ms, spans),
    }


def _disparity(
    measured: Measured, rows: Sequence[slice], line_height_px: float | None
) -> dict[str, float]:
    if measured.two_eyes is None:
        return {}
    apart = _taken(measured.two_eyes.apart, rows)
    unit = measured.plane_unit
    figures = {
        f"disparity_{unit}": median(_taken(measured.two_eyes.distance, rows)),
        f"disparity_x_{unit}": median(apart[:, 0]),
        f"disparity_y_{unit}": median(apart[:, 1]),
    }
    if measured.disparity_deg is not None:
        figures["disparity_deg"] = median(_taken(measured.disparity_deg, rows))
    if line_height_px is not None and unit == "px":
        figures["disparity_lines"] = median(np.abs(apart[:, 1])) / line_height_px
    return figures


def _step_histogram(steps: Sequence[FloatArray], interval_ms: float) -> dict[str, Any]:
    """Steps between stamps; one interval and two are in the middle of a bin."""
    if not interval_ms > 0:
        return {"edges_ms": [], "counts": [], "longer": 0}
    all_steps = np.concatenate([*steps, np.empty(0)])
    edges = interval_ms * np.concatenate(([0.0], np.arange(1, 22, 2) / 10))
    # The bins are equal but for the first one, which is half as wide; the last holds its edge.
    bins = np.floor(all_steps / (0.2 * interval_ms) + 0.5)
    bins[all_steps == edges[-1]] = len(edges) - 2
    counts = np.bincount(np.minimum(bins, len(edges) - 1).astype(np.int64), minlength=len(edges))
    return {
        "edges_ms": [round(float(edge), _DIGITS) for edge in edges],
        "counts": counts[:-1].tolist(),
        "longer": int(counts[-1]),
    }


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, overlapping ones joined, so that no sample counts twice."""
    joined: list[Span] = []
    for onset, offset in sorted(spans):
        if joined and onset < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], offset))
        else:
            joined.append((onset, offset))
    return joined


def _taken(values: Array | None, rows: Sequence[slice]) -> FloatArray:
    if values is None:
        return np.empty(0)
    if len(rows) == 1:
        return values[rows[0]]
    return np.concatenate([values[part] for part in rows] or [values[:0]])


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def as_json(value: Any, name: str = "") -> Any:
    """As JSON has it: rounded, None for what cannot be known."""
    if isinstance(value, Mapping):
        return {key: as_json(inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner, name) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, float):
        return value
    digits = _FINE_DIGITS if name.endswith(("2", "_min")) else _DIGITS
    return round(value, digits) if math.isfinite(value) else None
