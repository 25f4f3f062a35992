"""The display of an ioHub session: how its window's units become px from the top left."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import GeometryError, ParameterError
from gazecode.model import Screen

__all__ = ["UNITS", "Display", "display_from_lost", "display_of", "stated_display"]

FloatArray = npt.NDArray[np.float64]

UNITS = ("pix", "norm", "height", "deg")
# Sent by ioHub's example experiments, and by what was made from them.
_SIZE = re.compile(
    r"Size \(pixels\): *[\[(] *(\d{2,5})(?:\.0*)?, *(\d{2,5})(?:\.0*)? *[\])]"
    r"(?:.*CoordType: *(\w+))?"
)
_PER_DEGREE = re.compile(r"Pixels Per Degree: *(\d+(?:\.\d+)?) *x, *(\d+(?:\.\d+)?) *y")
_LEAST_PX, _MOST_PX = 320, 16_384
_PLAUSIBLE_PX = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """Size and units of a window that fills its display.

    Examples
    --------
    >>> display = Display(width_px=1920, height_px=1080, units="pix", origin="message")
    >>> display.to_px(np.array([[0.0, 0.0], [-960.0, 540.0]])).tolist()
    [[960.0, 540.0], [0.0, 0.0]]
    """

    width_px: float
    height_px: float
    units: str
    origin: str
    px_per_deg: tuple[float, float] | None = None

    def to_px(self, xy: FloatArray) -> FloatArray:
        """Points ``(n, 2)`` in window units, y upward from the centre → px from the top left."""
        half = np.array([self.width_px, self.height_px]) / 2
        moved: FloatArray = xy * (self._scale() * [1.0, -1.0]) + half
        return moved

    def _scale(self) -> FloatArray:
        if self.units == "norm":
            return np.array([self.width_px, self.height_px]) / 2
        if self.units == "height":
            return np.full(2, self.height_px)
        if self.units == "deg" and self.px_per_deg is not None:
            return np.array(self.px_per_deg)
        return np.ones(2)


def stated_display(texts: Iterable[str]) -> Display | None:
    """The display that a session's messages state; units are empty where they do not.

    >>> text = "Stimulus Screen ID: 0, Size (pixels): [1280, 1024], CoordType: pix"
    >>> stated_display([text]).width_px, stated_display(["TRIAL_START"])
    (1280.0, None)
    """
    found = per_degree = None
    for text in texts:
        found = found or _SIZE.search(text)
        per_degree = per_degree or _PER_DEGREE.search(text)
    if found is None or min(int(found[1]), int(found[2])) < 1:
        return None
    return Display(
        width_px=float(found[1]),
        height_px=float(found[2]),
        units=(found[3] or "").lower(),
        origin="message",
        px_per_deg=None if per_degree is None else (float(per_degree[1]), float(per_degree[2])),
    )


def display_from_lost(xy: FloatArray, pupil_lost: npt.NDArray[np.bool_]) -> Display | None:
    """The display whose top left corner is where gaze lies again and again without a pupil.

    Trackers that write 0, 0 for lost gaze have it converted to minus half the width and half the
    height.
    """
    corner = pupil_lost & (xy[:, 0] < 0) & (xy[:, 1] > 0)
    points, seen = np.unique(xy[corner], axis=0, return_counts=True)
    if not len(points) or seen.max() < 2:
        return None
    width, height = 2.0 * np.abs(points[int(seen.argmax())])
    whole = abs(width - round(width)) < 1e-3 and abs(height - round(height)) < 1e-3
    if not whole or not (_LEAST_PX <= height <= width <= _MOST_PX):
        return None
    return Display(width_px=width, height_px=height, units="pix", origin="lost gaze")


def display_of(
    stated: Display | None,
    xy: FloatArray,
    pupil_lost: npt.NDArray[np.bool_],
    *,
    given: Screen | None,
    units: str | None,
    where: str,
) -> Display:
    """A session's display: stated by a message, else named by the caller, else seen in the data."""
    if units is not None and units not in UNITS:
        raise ParameterError.unknown("units of a window", units, UNITS)
    found = stated
    if found is None and given is not None:
        found = Display(
            width_px=given.width_px, height_px=given.height_px, units="", origin="caller"
        )
    found = found or display_from_lost(xy, pupil_lost)
    if found is None:
        raise GeometryError(
            f"{where}: positions are counted from the centre of a display whose size no message "
            "states; name it: read(path, screen=Screen(width_px=..., height_px=...))"
        )
    unit = units or found.units or _likely_units(xy, where)
    if unit not in UNITS or (unit == "deg" and found.px_per_deg is None):
        raise GeometryError(
            f"{where}: positions are in {unit!a:.20}, which cannot be brought to px; expected one "
            f"of {', '.join(UNITS)} (deg needs the message 'Calculated Pixels Per Degree')"
        )
    return Display(
        width_px=found.width_px,
        height_px=found.height_px,
        units=unit,
        origin=found.origin,
        px_per_deg=found.px_per_deg,
    )


def _likely_units(xy: FloatArray, where: str) -> str:
    known = np.abs(xy[np.isfinite(xy).all(axis=1)])
    # Neither degrees nor fractions of a window reach this far, pixels always do.
    if len(known) and float(np.quantile(known, 0.9)) >= _PLAUSIBLE_PX:
        return "pix"
    raise GeometryError(
        f"{where}: no message states the units of the window, and positions are too small for px; "
        f"name them: read(path, units=...), one of {', '.join(UNITS)}"
    )
