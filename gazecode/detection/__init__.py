"""Events from samples: one published detector a file, all alike, on any clock.

Every detector takes ``(samples, *, screen, px_per_deg, breaks_ms, ...)`` and gives `Events`: half-
open intervals that cross no gap and no break, whose edges follow `gazecode.units.sample_end_ms`.
Fixation detectors assume that what is looked at stands still: while a page scrolls, the eye
follows, and neither speed nor dispersion tells that from reading.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gazecode.detection.activity import with_activity
from gazecode.detection.auto import Choice, choose_detector
from gazecode.detection.blinks import detect_blink_loss, detect_blink_pupil
from gazecode.detection.engbert_kliegl import detect_engbert_kliegl
from gazecode.detection.event_measures import EventMeasures, event_measures
from gazecode.detection.foreign import PREFIX, foreign_detector
from gazecode.detection.hysteresis import detect_ivt_hysteresis
from gazecode.detection.i2mc import detect_i2mc
from gazecode.detection.idt import detect_idt
from gazecode.detection.ihmm import detect_ihmm
from gazecode.detection.ivt import detect_ivt
from gazecode.detection.larsson import detect_larsson
from gazecode.detection.nystrom_holmqvist import detect_nystrom_holmqvist
from gazecode.detection.remodnav import detect_remodnav
from gazecode.detection.rules import RULES, apply_rules
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples, Screen, require_screen_px
from gazecode.registry import Registry, check_parameters
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = [
    "DETECTORS",
    "RULES",
    "Choice",
    "EventMeasures",
    "apply_rules",
    "choose_detector",
    "detect",
    "detect_auto",
    "detect_blink_loss",
    "detect_blink_pupil",
    "detect_engbert_kliegl",
    "detect_i2mc",
    "detect_idt",
    "detect_ihmm",
    "detect_ivt",
    "detect_ivt_hysteresis",
    "detect_larsson",
    "detect_nystrom_holmqvist",
    "detect_remodnav",
    "event_measures",
    "with_activity",
]

BLINKS = {"loss": "blink_loss", "pupil": "blink_pupil"}
"""Detectors of blinks by what they look at."""
Rule = str | tuple[str, Mapping[str, Any]]


def detect_auto(
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
) -> Events:
    """Events by the detector that suits the rate and the noise; `choose_detector` says which, why.

    Examples
    --------
    >>> import numpy as np
    >>> samples = Samples(t_ms=np.arange(60) * 8.0, xy_px=np.full((60, 2), 300.0))
    >>> detect_auto(samples).duration_ms
    array([484.])
    """
    given = {"screen": screen, "px_per_deg": px_per_deg, "breaks_ms": breaks_ms}
    choice = choose_detector(samples, **given)  # type: ignore[arg-type]
    return DETECTORS[choice.method](samples, **given, **choice.params)


DETECTORS: Registry[Callable[..., Events]] = Registry(
    "detectors",
    {
        "auto": detect_auto,
        "blink_loss": detect_blink_loss,
        "blink_pupil": detect_blink_pupil,
        "engbert_kliegl": detect_engbert_kliegl,
        "i2mc": detect_i2mc,
        "idt": detect_idt,
        "ihmm": detect_ihmm,
        "ivt": detect_ivt,
        "ivt_hysteresis": detect_ivt_hysteresis,
        "larsson": detect_larsson,
        "nystrom_holmqvist": detect_nystrom_holmqvist,
        "remodnav": detect_remodnav,
    },
    group="gazecode.detectors",
    families={PREFIX: foreign_detector},
)


def detect(
    samples: Samples,
    method: str = "ivt",
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    blinks: str = "",
    rules: Sequence[Rule] = (),
    **params: Any,
) -> Events:
    """Detect fixations and saccades, and what else the method knows of.

    Parameters
    ----------
    samples
        Gaze of one eye or of both joined, for instance ``recording.gaze``.
    method
        Name in `DETECTORS`, ``auto`` (chosen by rate and noise: `choose_detector`), or
        ``pymovements:NAME`` for a detector of that package, where it is installed.
    screen, px_per_deg
        With millimetres and distance of the screen degrees are exact; otherwise `px_per_deg`
        pixels are one degree everywhere.
    breaks_ms
        Times that no event crosses, such as the borders of trials; those in
        ``samples.breaks_ms`` hold as well.
    blinks
        ``pupil`` or ``loss``: blinks found so are laid over what the method found, and saccades
        that touch them go with them; "" leaves events as they are.
    rules
        Names in `RULES`, or pairs of a name and its parameters, applied in this order at the end.
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
    given: dict[str, Any] = {"screen": screen, "px_per_deg": px_per_deg, "breaks_ms": breaks_ms}
    events = function(samples, **given, **params)
    if blinks:
        if blinks not in BLINKS:
            raise ParameterError.unknown("ways to find blinks", blinks, BLINKS)
        found = DETECTORS[BLINKS[blinks]](samples, **given)
        events = apply_rules(events, samples, [("lay_blinks", {"blinks": found})], **given)
    return apply_rules(events, samples, rules, **given)
