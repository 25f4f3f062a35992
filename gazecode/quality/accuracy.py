"""Accuracy: how far gaze lies from where the eye looked, at targets of known place.

Two sources, never mixed: what the device says of its own validation (`Recording.validations`, from
the file), and what is measured here on targets that a study names. The measure is ETDQualitizer's
(D. C. Niehorster et al., https://github.com/dcnieho/ETDQualitizer, version 1.2): the mean of the
gaze directions as unit vectors, seen from the target; its angle is the offset, and its azimuth and
elevation are Fick angles in a frame in which the target lies straight ahead. ``centre="median"``
takes the point of least summed angle (the spherical median) in place of the mean: one long look
away moves it less.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model import Recording, Samples, Screen, Validation
from gazecode.model.checks import FloatArray
from gazecode.quality.precision import columns
from gazecode.units import deg_to_px, px_to_deg

__all__ = ["CENTRES", "CHECK_GAP_MS", "Target", "accuracy", "measured_on"]

CENTRES = ("mean", "median")
CHECK_GAP_MS = 10_000.0
"""Targets further apart in time belong to two checks of the tracker, not to one."""
_STEPS = 200
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place a person was asked to look at, and when: what a study knows and the file does not.

    Attributes
    ----------
    x_px, y_px
        Px from the top left of the screen.
    onset_ms, offset_ms
        Half-open, on the recording's clock. Leave out the time the eye needs to arrive.

    Examples
    --------
    >>> Target(x_px=960, y_px=540, onset_ms=500, offset_ms=1500).name
    ''
    """

    x_px: float
    y_px: float
    onset_ms: float
    offset_ms: float
    name: str = ""

    def __post_init__(self) -> None:
        places = (self.x_px, self.y_px, self.onset_ms, self.offset_ms)
        if not all(math.isfinite(value) for value in places):
            raise DataError(f"target {self.name!r} holds {places}; expected four numbers")
        if not self.offset_ms > self.onset_ms:
            raise DataError(
                f"target {self.name!r} runs from {self.onset_ms} to {self.offset_ms} ms; "
                "expected an end later than the start"
            )


def accuracy(
    azimuth_deg: npt.ArrayLike,
    elevation_deg: npt.ArrayLike,
    *,
    target_deg: tuple[float, float],
    centre: str = "mean",
) -> tuple[float, float, float]:
    """Offset of gaze from a target: in all, in azimuth, in elevation.

    Parameters
    ----------
    azimuth_deg, elevation_deg
        ``(n,)`` Fick angles of gaze while the target was looked at, deg; lost samples NaN.
    target_deg
        Azimuth and elevation of the target, deg.
    centre
        ``mean`` of the directions, or their spherical ``median``.

    Returns
    -------
    offset_deg, azimuth_deg, elevation_deg
        NaN without a valid sample. Elevation has the sign of the angles given: `px_to_deg` counts
        it downward.

    Examples
    --------
    >>> [round(v, 6) for v in accuracy([1, 2], [1, 2], target_deg=(0, 0))]
    [2.121159, 1.499886, 1.500057]
    """
    if centre not in CENTRES:
        raise ParameterError.unknown("centres of gaze", centre, CENTRES)
    x, y = columns(azimuth_deg, elevation_deg)
    kept = ~np.isnan(x)
    if not kept.any():
        return math.nan, math.nan, math.nan
    middle = _middle(_vectors(np.stack([x[kept], y[kept]], axis=1)), centre)
    return _seen_from(middle, target_deg)


def measured_on(
    recording: Recording, targets: Sequence[Target], *, centre: str = "mean"
) -> list[Validation]:
    """Measure every eye on targets; one `Validation` per eye and check.

    Targets within 10 s of each other are one check. Of two eyes their joined gaze, which later
    stages use, is measured as well, as the eye ``mean``. The offset in px leads from the target to
    the point where the central direction meets the screen; without the screen's millimetres it is
    the mean (or the geometric median) of px, and degrees are NaN.

    Raises
    ------
    ParameterError
        Gaze does not lie in px of the screen, as targets do.

    Examples
    --------
    >>> samples = Samples(t_ms=[0, 4, 8], xy_px=[[101, 52], [103, 52], [500, 500]], eye="left")
    >>> target = Target(x_px=100, y_px=50, onset_ms=0, offset_ms=8)
    >>> check = measured_on(Recording(samples={"left": samples}), [target])[0]
    >>> check.offset_xy_px, check.offset_deg, check.source
    (array([[2., 2.]]), array([nan]), 'study')
    """
    if not targets:
        return []
    if recording.plane != "screen_px":
        raise ParameterError(
            f"targets are px of the screen, gaze lies in the plane {recording.plane}; "
            "give the screen's size: read(path, screen=...)"
        )
    if centre not in CENTRES:
        raise ParameterError.unknown("centres of gaze", centre, CENTRES)
    eyes = dict(recording.samples)
    if {"left", "right"} <= eyes.keys():
        eyes["mean"] = recording.gaze
    screen = recording.screen if recording.screen and recording.screen.has_geometry else None
    return [
        _measured(samples, eye, check, screen, centre)
        for check in _checks(targets)
        for eye, samples in eyes.items()
    ]


def _checks(targets: Sequence[Target]) -> list[list[Target]]:
    checks: list[list[Target]] = []
    for target in sorted(targets, key=lambda t: (t.onset_ms, t.offset_ms, t.name)):
        if checks and target.onset_ms - checks[-1][-1].offset_ms <= CHECK_GAP_MS:
            checks[-1].append(target)
        else:
            checks.append([target])
    return checks


def _measured(
    samples: Samples, eye: str, targets: Sequence[Target], screen: Screen | None, centre: str
) -> Validation:
    places = np.array([[t.x_px, t.y_px] for t in targets])
    gaze = [samples.between(t.onset_ms, t.offset_ms).xy_px for t in targets]
    centres = np.array([_centre_px(xy[~np.isnan(xy[:, 0])], screen, centre) for xy in gaze])
    offset = offsets_deg(places, centres, screen)[:, 0]
    known = offset[~np.isnan(offset)]
    return Validation(
        t_ms=targets[0].onset_ms,
        eye=eye,
        target_xy_px=places,
        offset_xy_px=centres - places,
        offset_deg=offset,
        mean_deg=float(known.mean()) if len(known) else None,
        max_deg=float(known.max()) if len(known) else None,
        source="study",
    )


def offsets_deg(
    target_xy_px: FloatArray, gaze_xy_px: FloatArray, screen: Screen | None
) -> FloatArray:
    """Offset, azimuth and elevation of points beside targets, ``(k, 3)``; NaN without geometry."""
    found = np.full((len(target_xy_px), 3), np.nan)
    if screen is None or not screen.has_geometry:
        return found
    target, gaze = px_to_deg(target_xy_px, screen), px_to_deg(gaze_xy_px, screen)
    for i in np.flatnonzero(~np.isnan(target + gaze).any(axis=1)):
        found[i] = _seen_from(_vectors(gaze[i]), (target[i, 0], target[i, 1]))
    return found


def _centre_px(xy: FloatArray, screen: Screen | None, centre: str) -> FloatArray:
    """The central point of gaze; with geometry where the central direction meets the screen."""
    if not len(xy):
        return np.full(2, np.nan)
    if screen is None:
        middle: FloatArray = xy.mean(axis=0) if centre == "mean" else _least_sum(xy)
        return middle
    x, y, z = _middle(_vectors(px_to_deg(xy, screen)), centre)
    fick = np.degrees([math.atan2(x, z), math.atan2(y, math.hypot(x, z))])
    return deg_to_px(fick, screen)


def _vectors(deg: FloatArray) -> FloatArray:
    """Fick angles as unit vectors ``(n, 3)``: x to the right, y as elevation, z ahead."""
    azimuth, elevation = np.radians(deg[..., 0]), np.radians(deg[..., 1])
    cosine = np.cos(elevation)
    return np.stack(
        [cosine * np.sin(azimuth), np.sin(elevation), cosine * np.cos(azimuth)], axis=-1
    )


def _middle(vectors: FloatArray, centre: str) -> FloatArray:
    mean: FloatArray = vectors.mean(axis=0)
    mean /= np.linalg.norm(mean)
    if centre == "mean":
        return mean
    # Around the mean the sphere is flat enough for the log map; it is exact at its own centre.
    for _ in range(_STEPS):
        tangent = _log_map(vectors, mean)
        step = _least_sum(tangent)
        length = float(np.linalg.norm(step))
        if length < _CLOSE:
            break
        mean = np.cos(length) * mean + np.sin(length) * (step / length)
        mean /= np.linalg.norm(mean)
    return mean


def _log_map(vectors: FloatArray, at: FloatArray) -> FloatArray:
    """Directions as points of the plane that touches the sphere at `at`, lengths being angles."""
    along = vectors @ at
    beside = vectors - along[:, None] * at
    sine = np.linalg.norm(beside, axis=1)
    scale = np.divide(np.arctan2(sine, along), sine, out=np.ones_like(sine), where=sine > 0)
    mapped: FloatArray = beside * scale[:, None]
    return mapped


def _least_sum(points: FloatArray) -> FloatArray:
    """The point of least summed distance to `points`.

    E. Weiszfeld 1937; with the step of Y. Vardi and C.-H. Zhang 2000, doi:10.1073/pnas.97.4.1423,
    where it meets one of the points.
    """
    at: FloatArray = np.median(points, axis=0)
    for _ in range(_STEPS):
        away = points - at
        distance = np.linalg.norm(away, axis=1)
        here = distance < _CLOSE
        if here.all():
            return at
        weight = 1 / distance[~here]
        pull = (away[~here] * weight[:, None]).sum(axis=0)
        strength = float(np.linalg.norm(pull))
        # A point that outweighs the pull of all others is the median itself.
        if strength <= here.sum() + _CLOSE:
            return at
        step = pull / weight.sum() * (1 - here.sum() / strength)
        at = at + step
        if float(np.linalg.norm(step)) < _CLOSE:
            return at
    return at


def _seen_from(
    direction: FloatArray, target_deg: tuple[float, float]
) -> tuple[float, float, float]:
    """Offset, azimuth and elevation of a direction in the frame where the target lies ahead."""
    azimuth, elevation = math.radians(target_deg[0]), math.radians(target_deg[1])
    x, y, z = direction.tolist()
    # First turned back by the target's azimuth, then by its elevation.
    x, z = (
        x * math.cos(azimuth) - z * math.sin(azimuth),
        x * math.sin(azimuth) + z * math.cos(azimuth),
    )
    y, z = (
        y * math.cos(elevation) - z * math.sin(elevation),
        y * math.sin(elevation) + z * math.cos(elevation),
    )
    return (
        math.degrees(math.atan2(math.hypot(x, y), z)),
        math.degrees(math.atan2(x, z)),
        math.degrees(math.atan2(y, math.hypot(x, z))),
    )
