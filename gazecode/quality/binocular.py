"""Two eyes: how far their points of regard lie apart, and where one of them is lost.

A vertical disparity beside the line pitch says which lines the eyes disagree about; stretches of
one eye are where gaze stands on that eye alone (`gazecode.model.eyes`).
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from gazecode.model import Recording
from gazecode.model.checks import FloatArray, IntArray
from gazecode.model.eyes import runs
from gazecode.units import sample_end_ms

__all__ = ["TwoEyes", "stretches_within"]


class TwoEyes:
    """Left and right eye of a recording that has both."""

    def __init__(self, recording: Recording) -> None:
        self.left, self.right = recording.samples["left"], recording.samples["right"]
        self.t_ms = self.left.t_ms

    @cached_property
    def apart(self) -> FloatArray:
        """``(n, 2)`` right minus left in the plane's unit; NaN where an eye is lost."""
        return self.right.xy_px - self.left.xy_px

    @cached_property
    def distance(self) -> FloatArray:
        """``(n,)`` between the two points of regard, in the plane's unit."""
        away: FloatArray = np.sqrt(self.apart[:, 0] ** 2 + self.apart[:, 1] ** 2)
        return away

    @cached_property
    def alone(self) -> FloatArray:
        """``(n,)`` 1 where one eye alone has gaze, else 0."""
        return np.asarray(self.left.lost != self.right.lost, dtype=np.float64)

    @cached_property
    def stretches_ms(self) -> FloatArray:
        """``(k, 2)`` onset and offset of the stretches in which one eye alone has gaze."""
        rows: IntArray = runs(self.alone > 0)
        end = sample_end_ms(self.t_ms)
        return np.stack([self.t_ms[rows[:, 0]], end[rows[:, 1] - 1]], axis=1)


def stretches_within(
    stretches_ms: FloatArray, spans: Sequence[tuple[float, float]]
) -> dict[str, float]:
    """Number, summed and longest duration of stretches, cut to some spans.

    >>> stretches_within(np.array([[0.0, 50], [90, 130]]), [(20, 100)])
    {'one_eye_count': 2, 'one_eye_ms': 40.0, 'one_eye_longest_ms': 30.0}
    """
    parts = [np.empty(0)]
    for onset, offset in spans:
        length = np.minimum(stretches_ms[:, 1], offset) - np.maximum(stretches_ms[:, 0], onset)
        parts.append(length[length > 0])
    lengths = np.concatenate(parts)
    return {
        "one_eye_count": len(lengths),
        "one_eye_ms": float(lengths.sum()),
        "one_eye_longest_ms": float(lengths.max(initial=0.0)),
    }
