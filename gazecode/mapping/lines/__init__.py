"""Which line of text each fixation was on: drift correction, one published algorithm a file."""

from gazecode.mapping.lines.assign import LINE_METHODS, assign_lines
from gazecode.mapping.lines.drift import Drift, Target, estimate_drift, measure_drift
from gazecode.mapping.lines.geometry import Lines

__all__ = [
    "LINE_METHODS",
    "Drift",
    "Lines",
    "Target",
    "assign_lines",
    "estimate_drift",
    "measure_drift",
]
