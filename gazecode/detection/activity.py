"""What a person did while a fixation lasted: reading, typing, scrolling.

Gaze follows the caret while people type, and the text while they scroll; neither is reading.
Priors and weights use reading alone by default.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gazecode.detection.limits import at_least_zero
from gazecode.errors import ParameterError
from gazecode.model import Events
from gazecode.model.checks import BoolArray, FloatArray, StrArray, repeated

__all__ = ["ACTIVITIES", "EDIT_MARGIN_MS", "SCROLL_MARGIN_MS", "with_activity"]

ACTIVITIES = ("reading", "typing", "scrolling", "unknown")
EDIT_MARGIN_MS = 500.0
"""A fixation this near to an edit belongs to typing: before it, the place is sought; after it, the
result is watched."""
SCROLL_MARGIN_MS = 100.0
"""A scroll is logged as instants some tens of ms apart, and the text glides a little further."""


def with_activity(
    fixations: Events,
    *,
    edits_ms: npt.ArrayLike | None = None,
    scrolls_ms: npt.ArrayLike | None = None,
    logged_ms: npt.ArrayLike | None = None,
    edit_margin_ms: float = EDIT_MARGIN_MS,
    scroll_margin_ms: float = SCROLL_MARGIN_MS,
) -> Events:
    """Say for every event what was done meanwhile.

    The first that holds: ``typing`` (an edit while it lasted, or at most `edit_margin_ms` before
    its onset or after its offset), ``scrolling`` (the same for scrolls and `scroll_margin_ms`),
    ``reading`` (a log covers its onset), ``unknown``.

    Parameters
    ----------
    fixations
        Events of any kind.
    edits_ms
        ``(e,)`` times of edits on the events' clock, in any order; None: there is no log of
        edits.
    scrolls_ms
        ``(s,)`` times, or ``(s, 2)`` intervals, in which the text moved; None: no such log.
    logged_ms
        ``(k, 2)`` intervals, or one ``(onset, offset)``, in which the logs ran; None: they ran
        all the time, if there is any.

    Returns
    -------
    Events
        A new table with `activity`.

    Raises
    ------
    ParameterError
        A time is not finite, an interval runs backward, or a margin is negative.

    Examples
    --------
    >>> fixations = Events(
    ...     kind=["fixation"] * 3,
    ...     onset_ms=[0, 1000, 3000],
    ...     offset_ms=[200, 1200, 3300],
    ...     xy_px=[[0, 0]] * 3,
    ... )
    >>> with_activity(fixations, edits_ms=[1650], scrolls_ms=[[3200, 3400]]).activity
    array(['reading', 'typing', 'scrolling'], dtype=object)
    >>> with_activity(fixations).activity[0]
    'unknown'
    """
    for name, value in (("edit_margin_ms", edit_margin_ms), ("scroll_margin_ms", scroll_margin_ms)):
        at_least_zero(**{name: value})
    activity: StrArray = repeated("unknown", len(fixations))
    activity[_logged(fixations, edits_ms, scrolls_ms, logged_ms)] = "reading"
    # From the weakest to the strongest: a later one overwrites.
    for name, times, margin in (
        ("scrolling", scrolls_ms, scroll_margin_ms),
        ("typing", edits_ms, edit_margin_ms),
    ):
        if times is not None:
            activity[_near(fixations, _intervals(times, name), margin)] = name
    return replace(fixations, activity=activity)


def _logged(
    events: Events,
    edits_ms: npt.ArrayLike | None,
    scrolls_ms: npt.ArrayLike | None,
    logged_ms: npt.ArrayLike | None,
) -> BoolArray:
    if logged_ms is None:
        return np.full(len(events), edits_ms is not None or scrolls_ms is not None)
    ran = np.asarray(logged_ms, dtype=np.float64)
    ran = _intervals(ran.reshape(1, 2) if ran.shape == (2,) else ran, "logged")
    onset = events.onset_ms
    begun = np.searchsorted(ran[:, 0], onset, side="right")
    # Half-open: what ran until the onset does not cover it.
    reach = np.append(-np.inf, np.maximum.accumulate(ran[:, 1]))
    logged: BoolArray = onset < reach[begun]
    return logged


def _intervals(times: npt.ArrayLike, name: str) -> FloatArray:
    """``(k, 2)`` sorted by onset; instants are intervals without length."""
    given = np.asarray(times, dtype=np.float64)
    if given.size == 0:
        return np.empty((0, 2))
    if given.ndim == 1:
        given = np.stack([given, given], axis=1)
    ordered = given.ndim == 2 and given.shape[1] == 2 and (given[:, 0] <= given[:, 1]).all()
    if not (ordered and np.isfinite(given).all()):
        raise ParameterError(
            f"times of {name} have shape {given.shape} or are out of order; expected (k,) finite "
            "ms, or (k, 2) with every end at or after its beginning"
        )
    table: FloatArray = given[np.argsort(given[:, 0], kind="stable")]
    return table


def _near(events: Events, intervals: FloatArray, margin_ms: float) -> BoolArray:
    """Events that an interval touches, when they are widened by the margin on both sides."""
    begun = np.searchsorted(intervals[:, 0], events.offset_ms + margin_ms, side="right")
    reach = np.append(-np.inf, np.maximum.accumulate(intervals[:, 1]))
    near: BoolArray = reach[begun] >= events.onset_ms - margin_ms
    return near
