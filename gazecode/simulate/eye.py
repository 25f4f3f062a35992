"""An eye that moves: fixations joined by saccades on the main sequence.

Duration of a saccade: 2.2 ms/deg * amplitude + 21 ms (R. H. S. Carpenter 1988, *Movements of the
Eyes*). Its course is that of minimum jerk (N. Hogan 1984, doi:10.1523/JNEUROSCI.04-11-02745.1984),
whose peak speed is 1.875 times the mean: with that duration it grows with the amplitude and levels
off below 853 deg/s, as the main sequence does (A. T. Bahill et al. 1975,
doi:10.1016/0025-5564(75)90075-9).
"""

from dataclasses import dataclass

import numpy as np

from gazecode.model import Events
from gazecode.model.checks import FloatArray

__all__ = ["Path", "minimum_jerk", "saccade_duration_ms"]

SLOPE_MS_PER_DEG = 2.2
INTERCEPT_MS = 21.0


def saccade_duration_ms(amplitude_deg: FloatArray) -> FloatArray:
    """How long saccades of some amplitude take.

    >>> saccade_duration_ms(np.array([0.5, 10.0]))
    array([22.1, 43. ])
    """
    return SLOPE_MS_PER_DEG * amplitude_deg + INTERCEPT_MS


def minimum_jerk(share: FloatArray) -> FloatArray:
    """Share of the way done after a share of the time, both 0 to 1.

    >>> minimum_jerk(np.array([0.0, 0.5, 1.0]))
    array([0. , 0.5, 1. ])
    """
    way: FloatArray = share**3 * (10 + share * (6 * share - 15))
    return way


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Where the eye is at any time: fixations ``[onset, offset)``, saccades between them."""

    onset_ms: FloatArray
    offset_ms: FloatArray
    xy_px: FloatArray

    def at(self, t_ms: FloatArray) -> FloatArray:
        """``(n, 2)`` px at some times; before the first and after the last fixation it rests."""
        here = np.clip(
            np.searchsorted(self.onset_ms, t_ms, side="right") - 1, 0, len(self.onset_ms) - 1
        )
        there = np.minimum(here + 1, len(self.onset_ms) - 1)
        length = np.maximum(self.onset_ms[there] - self.offset_ms[here], 1e-9)
        share = np.clip((t_ms - self.offset_ms[here]) / length, 0.0, 1.0)
        way = minimum_jerk(share)[:, None]
        return self.xy_px[here] + way * (self.xy_px[there] - self.xy_px[here])

    def events(self) -> Events:
        """Fixations and the saccades between them, by onset."""
        n = len(self.onset_ms)
        unknown = np.full((n, 2), np.nan)
        kind = np.array(["fixation"] * n + ["saccade"] * (n - 1), dtype=object)
        onset = np.concatenate((self.onset_ms, self.offset_ms[:-1]))
        offset = np.concatenate((self.offset_ms, self.onset_ms[1:]))
        xy = np.concatenate((self.xy_px, self.xy_px[:-1]))
        end = np.concatenate((unknown, self.xy_px[1:]))
        kept = np.flatnonzero(offset > onset)
        order = kept[np.argsort(onset[kept], kind="stable")]
        return Events(
            kind=kind[order],
            onset_ms=onset[order],
            offset_ms=offset[order],
            xy_px=xy[order],
            end_xy_px=end[order],
        )
