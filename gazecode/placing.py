"""Where the fixations of a trial lay: the study's offset, the drift found, the line assigned.

Each correction gives new events beside the recorded places (`Events.recorded_xy_px`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.mapping import assign_lines
from gazecode.mapping.lines import Drift, estimate_drift, measure_drift
from gazecode.mapping.lines import Target as LookedAt
from gazecode.model import Events, Layout
from gazecode.quality import Target

__all__ = ["MEASURED", "Placing", "find_drift", "placed", "shifted", "told_of_drift"]

MEASURED = "targets"
"""The drift that is measured where people were asked to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """How fixations are corrected; the defaults leave them as recorded.

    Attributes
    ----------
    offset_px
        Added to every place: what the study knows.
    drift
        "" for none, ``offset`` or ``affine`` (found on the text), ``targets`` (measured).
    drift_per
        ``recording``: one drift for all trials of a calibration; ``trial``: each has its own.
    lines, lines_params
        A method of `assign_lines` and its parameters; "" for none.
    """

    offset_px: tuple[float, float] = (0.0, 0.0)
    drift: str = ""
    drift_per: str = "recording"
    lines: str = ""
    lines_params: Mapping[str, Any] = field(default_factory=dict)


def find_drift(
    trials: Sequence[tuple[Events, Layout]],
    placing: Placing,
    *,
    events: Events | None = None,
    targets: Sequence[Target] = (),
) -> Drift | None:
    """The drift of a recording, or None where none is asked for, or each trial has its own.

    Parameters
    ----------
    trials
        Fixations of each trial, shifted, with its layout.
    events
        Of the whole recording: fixations on targets lie between trials.
    """
    if placing.drift == MEASURED and events is not None:
        looked_at = [
            LookedAt(onset_ms=t.onset_ms, offset_ms=t.offset_ms, xy_px=(t.x_px, t.y_px))
            for t in targets
        ]
        return measure_drift(shifted(events.of("fixation"), placing.offset_px), looked_at)
    if not placing.drift or placing.drift_per == "trial" or not trials:
        return None
    return estimate_drift(
        [fixations for fixations, _ in trials],
        [layout for _, layout in trials],
        model=placing.drift,
    )


def placed(
    fixations: Events, layout: Layout, placing: Placing, drift: Drift | None
) -> tuple[Events, Drift | None]:
    """Fixations of one trial, already shifted, after drift and lines; and the drift undone."""
    if drift is None and placing.drift and placing.drift != MEASURED and len(fixations):
        drift = estimate_drift(fixations, layout, model=placing.drift)
    if drift is not None:
        fixations = drift.apply(fixations)
    if placing.lines:
        fixations = assign_lines(fixations, layout, placing.lines, **placing.lines_params)
    return fixations, drift


def shifted(events: Events, offset_px: tuple[float, float]) -> Events:
    """Events moved by a known offset (a correction stands beside the raw gaze, never in it)."""
    if not any(offset_px):
        return events
    moved = events.xy_px + np.asarray(offset_px, dtype=np.float64)
    return replace(events, xy_px=moved, recorded_xy_px=events.xy_px)


def told_of_drift(drift: Drift | None) -> dict[str, Any]:
    """A drift for reports: what was recorded minus where gaze was."""
    if drift is None:
        return {}
    return {
        "model": drift.model,
        "offset_px": [round(float(v), 3) for v in np.median(drift.offset_px, axis=0)],
        "scale": round(drift.scale, 6),
        "slope": round(drift.slope, 6),
        "confidence": round(drift.confidence, 6),
        "n_fixations": drift.n_fixations,
    }
