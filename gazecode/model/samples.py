"""Gaze samples of one eye, or of both joined."""

from dataclasses import dataclass, field, replace

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, FloatArray, column, same_length

__all__ = ["Samples"]

EYES = ("left", "right", "both", "mean")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Gaze of one eye, or of both joined.

    Attributes
    ----------
    t_ms
        ``(n,)`` strictly increasing, ms from the recording's start.
    xy_px
        ``(n, 2)`` from the top left, in the unit of the recording's plane; lost is NaN in both.
    pupil
        ``(n,)`` in the device's unit; NaN where unknown.
    eye
        left, right, both (joined by the device) or mean (joined here).
    plane
        What the coordinates are, as `Recording.plane` says it.
    breaks_ms
        ``(b,)`` times that no event may cross, beside gaps: where one eye came or went.

    Examples
    --------
    >>> Samples(t_ms=[0, 4], xy_px=[[1, 2], [np.nan, np.nan]], pupil=[3, np.nan], eye="left").lost
    array([False,  True])
    """

    t_ms: FloatArray
    xy_px: FloatArray
    pupil: FloatArray | None = None
    eye: str = "both"
    breaks_ms: FloatArray = field(default_factory=lambda: np.empty(0))
    plane: str = "screen_px"

    def __post_init__(self) -> None:
        t = column(self, "t_ms", np.float64)
        xy = column(self, "xy_px", np.float64, width=2)
        if self.pupil is None:
            object.__setattr__(self, "pupil", np.full(len(t), np.nan))
        column(self, "pupil", np.float64)
        column(self, "breaks_ms", np.float64)
        same_length(self, "t_ms", "xy_px", "pupil")
        if not np.isfinite(t).all():
            raise DataError(
                "Samples.t_ms holds NaN or infinity; leave such rows out and count them"
            )
        late = np.flatnonzero(t[1:] <= t[:-1])
        if late.size:
            i = int(late[0])
            raise DataError(
                f"Samples.t_ms does not increase at row {i + 1}: {t[i]} then {t[i + 1]} ms; "
                "sort the rows and drop repeated stamps"
            )
        if np.isinf(xy).any():
            raise DataError("Samples.xy_px holds infinity; lost gaze is NaN in both coordinates")
        if self.eye not in EYES:
            raise DataError(f"Samples.eye is {self.eye!r}; expected one of {', '.join(EYES)}")
        half = np.flatnonzero(np.isnan(xy[:, 0]) != np.isnan(xy[:, 1]))
        if half.size:
            raise DataError(
                f"Samples.xy_px row {int(half[0])} has one lost coordinate; "
                "lost gaze is NaN in both"
            )

    def __len__(self) -> int:
        return len(self.t_ms)

    @property
    def lost(self) -> BoolArray:
        """``(n,)`` true where gaze was lost."""
        return np.isnan(self.xy_px[:, 0])

    def between(self, onset_ms: float, offset_ms: float) -> "Samples":
        """Samples with ``onset_ms <= t < offset_ms``, on the same clock."""
        a, b = np.searchsorted(self.t_ms, [onset_ms, offset_ms])
        kept = (self.breaks_ms >= onset_ms) & (self.breaks_ms < offset_ms)
        return replace(
            self,
            t_ms=self.t_ms[a:b],
            xy_px=self.xy_px[a:b],
            pupil=None if self.pupil is None else self.pupil[a:b],
            breaks_ms=self.breaks_ms[kept],
        )
