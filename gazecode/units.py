"""Pixels and degrees, time stamps and intervals. Angles are degrees, times are milliseconds.

Angles follow Fick: azimuth = atan2(x, D), elevation = atan2(y, hypot(D, x)), with x and y in mm
from the centre of the screen and D the distance of the eye. Elevation grows downward, as pixels
do.
"""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "DEFAULT_PX_PER_DEG",
    "Geometry",
    "angle_deg",
    "deg_to_px",
    "px_to_deg",
    "rate_hz",
    "sample_end_ms",
    "seen_angle_deg",
    "step_ms",
]

FloatArray = npt.NDArray[np.float64]

DEFAULT_PX_PER_DEG = 40.0
"""Assumed where the geometry is unknown, and said in the provenance where it is used."""


class Geometry(Protocol):
    """What angles need of a `gazecode.Screen`."""

    @property
    def width_px(self) -> float:
        """Width, px."""

    @property
    def height_px(self) -> float:
        """Height, px."""

    @property
    def width_mm(self) -> float | None:
        """Width, mm, if known."""

    @property
    def height_mm(self) -> float | None:
        """Height, mm, if known."""

    @property
    def distance_mm(self) -> float | None:
        """From the eye to the screen, mm, if known."""


def px_to_deg(
    xy_px: npt.ArrayLike, screen: Geometry | None, *, px_per_deg: float = DEFAULT_PX_PER_DEG
) -> FloatArray:
    """Azimuth and elevation in degrees of points on the screen.

    Parameters
    ----------
    xy_px
        Points ``(n, 2)``, px from the top left; NaN stays NaN.
    screen
        With millimetres and distance the exact angles are given; otherwise (or None) the flat
        approximation with `px_per_deg`.

    Examples
    --------
    >>> from gazecode.model import Screen
    >>> screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    >>> px_to_deg([[960, 540], [1920, 540]], screen).round(3)
    array([[ 0.   ,  0.   ],
           [21.382,  0.   ]])
    >>> px_to_deg([[80, 40]], None)
    array([[2., 1.]])
    """
    xy = np.asarray(xy_px, dtype=np.float64)
    flat: FloatArray
    if screen is None:
        flat = xy / px_per_deg
        return flat
    centred: FloatArray = xy - np.array([screen.width_px / 2, screen.height_px / 2])
    if screen.width_mm is None or screen.height_mm is None or screen.distance_mm is None:
        flat = centred / px_per_deg
        return flat
    x_mm = centred[..., 0] * (screen.width_mm / screen.width_px)
    y_mm = centred[..., 1] * (screen.height_mm / screen.height_px)
    azimuth = np.arctan2(x_mm, screen.distance_mm)
    elevation = np.arctan2(y_mm, np.hypot(screen.distance_mm, x_mm))
    angles: FloatArray = np.degrees(np.stack([azimuth, elevation], axis=-1))
    return angles


def deg_to_px(
    deg: npt.ArrayLike, screen: Geometry | None, *, px_per_deg: float = DEFAULT_PX_PER_DEG
) -> FloatArray:
    """Where directions meet the screen: the way back from `px_to_deg`.

    Parameters
    ----------
    deg
        Azimuth and elevation ``(n, 2)``, within 90 deg of straight ahead; NaN stays NaN.
    screen, px_per_deg
        As in `px_to_deg`.

    Examples
    --------
    >>> from gazecode.model import Screen
    >>> screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    >>> deg_to_px(px_to_deg([[1700, 40]], screen), screen).round(6)
    array([[1700.,   40.]])
    """
    angles = np.asarray(deg, dtype=np.float64)
    flat: FloatArray = angles * px_per_deg
    if screen is None:
        return flat
    middle = np.array([screen.width_px / 2, screen.height_px / 2])
    if screen.width_mm is None or screen.height_mm is None or screen.distance_mm is None:
        flat += middle
        return flat
    azimuth, elevation = np.radians(angles[..., 0]), np.radians(angles[..., 1])
    x_mm = screen.distance_mm * np.tan(azimuth)
    y_mm = np.hypot(screen.distance_mm, x_mm) * np.tan(elevation)
    scale = np.array([screen.width_px / screen.width_mm, screen.height_px / screen.height_mm])
    xy: FloatArray = np.stack([x_mm, y_mm], axis=-1) * scale + middle
    return xy


def angle_deg(a_deg: npt.ArrayLike, b_deg: npt.ArrayLike) -> FloatArray:
    """Great-circle angle between two directions given as azimuth and elevation, both ``(n, 2)``.

    The haversine form, exact for the tiny angles between neighbouring samples.

    >>> angle_deg([[0.0, 0.0]], [[0.0, 3.0]]).round(6)
    array([3.])
    """
    a = np.radians(np.asarray(a_deg, dtype=np.float64))
    b = np.radians(np.asarray(b_deg, dtype=np.float64))
    h = (
        np.sin((b[..., 1] - a[..., 1]) / 2) ** 2
        + np.cos(a[..., 1]) * np.cos(b[..., 1]) * np.sin((b[..., 0] - a[..., 0]) / 2) ** 2
    )
    angle: FloatArray = np.degrees(2 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))
    return angle


def seen_angle_deg(a_px: npt.ArrayLike, b_px: npt.ArrayLike, screen: Geometry) -> FloatArray:
    """Angle between two points of a screen as the eye sees them, both ``(n, 2)`` px.

    The same as `angle_deg` of both in degrees, without a sine: from the cross and dot product of
    the lines of sight. NaN where the screen's millimetres or distance are not known.

    >>> from gazecode.model import Screen
    >>> screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    >>> a, b = [[100.0, 900.0]], [[150.0, 860.0]]
    >>> seen_angle_deg(a, b, screen) - angle_deg(px_to_deg(a, screen), px_to_deg(b, screen)) < 1e-12
    array([ True])
    """
    a, b = np.asarray(a_px, dtype=np.float64), np.asarray(b_px, dtype=np.float64)
    if screen.width_mm is None or screen.height_mm is None or screen.distance_mm is None:
        return np.full(a.shape[:-1], math.nan)
    # In units of the distance, so that the line of sight is (x, y, 1).
    x_scale = screen.width_mm / screen.width_px / screen.distance_mm
    y_scale = screen.height_mm / screen.height_px / screen.distance_mm
    ax, bx = ((p[..., 0] - screen.width_px / 2) * x_scale for p in (a, b))
    ay, by = ((p[..., 1] - screen.height_px / 2) * y_scale for p in (a, b))
    cross = np.sqrt((ax - bx) ** 2 + (ay - by) ** 2 + (ax * by - ay * bx) ** 2)
    angle: FloatArray = np.degrees(np.arctan2(cross, ax * bx + ay * by + 1))
    return angle


def step_ms(t_ms: npt.ArrayLike) -> float:
    """Median step between time stamps, ms; NaN for fewer than two.

    >>> step_ms([0.0, 8.0, 17.0, 25.0])
    8.0
    """
    t = np.asarray(t_ms, dtype=np.float64)
    return float(np.median(np.diff(t))) if t.size > 1 else math.nan


def rate_hz(t_ms: npt.ArrayLike) -> float:
    """Samples per second while samples came: the mean step, longer than 1.5 medians left out.

    The median alone misleads where stamps are whole ms (300 Hz as 3, 3, 4).

    >>> round(rate_hz([0, 3, 6, 10, 13, 16, 20, 900]), 1)
    300.0
    """
    steps = np.diff(np.asarray(t_ms, dtype=np.float64))
    steps = steps[steps <= 1.5 * np.median(steps)] if steps.size else steps
    return float(1000.0 / steps.mean()) if steps.size else math.nan


def sample_end_ms(t_ms: npt.ArrayLike) -> FloatArray:
    """When each sample stops holding: at the next sample, at most 1.5 median steps later.

    The cap is what an event's `offset_ms` becomes before a gap or at the end of a recording.

    >>> sample_end_ms([0.0, 10.0, 20.0, 500.0])
    array([ 10.,  20.,  35., 515.])
    """
    t = np.asarray(t_ms, dtype=np.float64)
    if t.size < 2:
        # One stamp says nothing about the rate: the least that keeps an interval half-open.
        return t + 1.0
    cap = t + 1.5 * step_ms(t)
    cap[:-1] = np.minimum(cap[:-1], t[1:])
    return cap
