"""Events from samples: one published detector a file, all alike, on any clock.

Every detector takes ``(samples, *, screen, px_per_deg, breaks_ms, ...)`` and gives `Events`: half-
open intervals that cross no gap and no break, whose edges follow `gazecode.units.sample_end_ms`.
Fixation detectors assume that what is looked at stands still: while a page scrolls, the eye
follows, and neither speed nor dispersion tells that from reading.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gazecode.detection.idt import detect_idt
from gazecode.detection.ivt import detect_ivt
from gazecode.model import Events, Samples, Screen, require_screen_px
from gazecode.registry import Registry, check_parameters
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["DETECTORS", "detect", "detect_idt", "detect_ivt"]

DETECTORS: Registry[Callable[..., Events]] = Registry(
    "detectors", {"idt": detect_idt, "ivt": detect_ivt}, group="gazecode.detectors"
)


def detect(
    samples: Samples,
    method: str = "ivt",
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    **params: Any,
) -> Events:
    """Detect fixations and saccades.

    Parameters
    ----------
    samples
        Gaze of one eye or of both joined, for instance ``recording.gaze``.
    method
        Name in `DETECTORS`: ``ivt`` (velocity threshold) or ``idt`` (dispersion threshold).
    screen, px_per_deg
        With millimetres and distance of the screen degrees are exact; otherwise `px_per_deg`
        pixels are one degree everywhere.
    breaks_ms
        Times that no event crosses, such as the borders of trials; those in
        ``samples.breaks_ms`` hold as well.
    **params
        Parameters of the method; `gazecode.detection.DETECTORS` names the function to read.

    Returns
    -------
    Events
        Sorted by onset.

    Raises
    ------
    ParameterError
        The method or a parameter is unknown, or a value is outside its range.
    GeometryError
        Gaze is not in px of a screen: fractions need its size, a head-mounted camera's picture a
        surface.

    Examples
    --------
    >>> import numpy as np
    >>> samples = Samples(t_ms=np.arange(20) * 8.0, xy_px=np.full((20, 2), 300.0))
    >>> detect(samples, "idt", min_duration_ms=80).duration_ms
    array([164.])
    >>> detect(samples, "ivt", min_duration=80)
    ... # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gazecode.errors.ParameterError: ivt has no parameter min_duration; it has: screen, ...
    """
    require_screen_px(samples.plane, "events")
    function = DETECTORS[method]
    check_parameters(function, params, name=method)
    return function(samples, screen=screen, px_per_deg=px_per_deg, breaks_ms=breaks_ms, **params)
