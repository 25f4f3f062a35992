"""A validation: a person looked at targets of known place; the tracker's answer beside them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gazecode.model.checks import FloatArray, column, same_length

__all__ = ["Validation"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """One check of the tracker against targets, one row per target.

    Attributes
    ----------
    t_ms
        When, ms from the recording's start; before its first sample it is negative.
    eye
        left, right, both or mean.
    target_xy_px
        ``(k, 2)`` place of the targets in the unit of the recording's plane; NaN if not said.
    offset_xy_px
        ``(k, 2)`` gaze minus target, in the same unit; NaN if not said.
    offset_deg
        ``(k,)`` angle between gaze and target as the device states it; NaN if not said.
    mean_deg, max_deg
        Over the targets, as the device states them; None if it does not.
    source
        ``device`` (said by the file) or ``study`` (measured on targets that the study names).
    verdict
        The device's own word (GOOD, FAIR, POOR), if it has one.

    Examples
    --------
    >>> check = Validation(
    ...     t_ms=-900.0,
    ...     eye="left",
    ...     target_xy_px=[[512, 384]],
    ...     offset_xy_px=[[-13.1, -4.4]],
    ...     offset_deg=[0.46],
    ...     mean_deg=0.46,
    ... )
    >>> len(check), check.mean_deg
    (1, 0.46)
    """

    t_ms: float
    eye: str
    target_xy_px: FloatArray
    offset_xy_px: FloatArray
    offset_deg: FloatArray
    mean_deg: float | None = None
    max_deg: float | None = None
    source: str = "device"
    verdict: str = ""

    def __post_init__(self) -> None:
        column(self, "target_xy_px", np.float64, width=2)
        column(self, "offset_xy_px", np.float64, width=2)
        column(self, "offset_deg", np.float64)
        same_length(self, "target_xy_px", "offset_xy_px", "offset_deg")

    def __len__(self) -> int:
        return len(self.offset_deg)

    def scaled(self, factor: Any) -> "Validation":
        """Places and offsets in another unit: fractions of a screen brought to its pixels."""
        return replace(
            self,
            target_xy_px=self.target_xy_px * factor,
            offset_xy_px=self.offset_xy_px * factor,
        )
