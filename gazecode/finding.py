"""Events of a whole recording: by a detector, or the tracker's own; and what is said of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gazecode.detection import DETECTORS, choose_detector, detect
from gazecode.errors import DataError, ParameterError
from gazecode.model import Events, Recording, require_screen_px
from gazecode.quality.facts import said_of

__all__ = ["AUTO", "DEVICE", "RESERVED", "events_to_assess", "find_events", "said_of_detector"]

RESERVED = ("samples", "screen", "breaks_ms")
"""Parameters of detectors that the recording gives."""
AUTO = "auto"
DEVICE = "device"
"""Name of the tracker's own events among the detectors."""


def find_events(
    recording: Recording, method: str = "ivt", params: Mapping[str, Any] | None = None
) -> Events:
    """Detect events over the whole recording; none crosses the border of a trial.

    Parameters
    ----------
    method, params
        As `gazecode.detect` takes them; ``device`` is the tracker's own events.
    """
    params = params or {}
    require_screen_px(recording.plane, "events")
    if method == DEVICE:
        return _device_events(recording)
    if not len(recording) and len(recording.device_events.of("fixation")):
        raise DataError(
            f"the recording holds fixations of the device and no samples, {method} needs "
            f'samples; take the device\'s own: --method {DEVICE}, or [detect] method = "{DEVICE}"'
        )
    taken = [name for name in RESERVED if name in params]
    if taken:
        raise ParameterError(f"{', '.join(taken)} comes from the recording and cannot be set")
    return detect(
        recording.gaze,
        method=method,
        screen=recording.screen,
        breaks_ms=_borders(recording),
        **params,
    )


def _borders(recording: Recording) -> list[float]:
    """Where trials begin and end: no event crosses them."""
    return sorted({ms for t in recording.trials for ms in (t.onset_ms, t.offset_ms)})


def events_to_assess(
    recording: Recording, detect: str = "ivt", detect_params: Mapping[str, Any] | None = None
) -> tuple[Events | None, str]:
    """Events under which `assess` measures precision, and where they come from, in words.

    The device's own where it reports fixations, else a detector's; None where gaze lies on no
    screen.
    """
    if len(recording.device_events.of("fixation")):
        return _device_events(recording), DEVICE
    if recording.plane != "screen_px" or not len(recording):
        return None, ""
    params = detect_params or {}
    return find_events(recording, detect, params), said_of_detector(recording, detect, params)


def said_of_detector(
    recording: Recording, method: str = "ivt", params: Mapping[str, Any] | None = None
) -> str:
    """A detector with its parameters, in words; of ``auto`` what it chose for the recording."""
    if method == DEVICE:
        return DEVICE
    if method == AUTO:
        choice = choose_detector(
            recording.gaze, screen=recording.screen, breaks_ms=_borders(recording)
        )
        return f"{AUTO}: {choice.why}"
    exact = ["px_per_deg"] if recording.screen and recording.screen.has_geometry else []
    return said_of(method, DETECTORS[method], params or {}, without=[*RESERVED, *exact])


def _device_events(recording: Recording) -> Events:
    """The tracker's own events; of two eyes reported apart, those of the better one."""
    events = recording.device_events
    if not len(events.of("fixation")):
        raise DataError(
            "the recording holds no fixations of the device's own; "
            f"choose a detector: {', '.join(DETECTORS)}"
        )
    if events.eye is None or len(set(events.eye)) == 1:
        return events
    eyes = sorted(set(events.eye))
    best = recording.eye("best").eye if len(recording) else ""
    if best not in eyes:
        fixated = np.where(events.kind == "fixation", events.duration_ms, 0.0)
        best = max(eyes, key=lambda eye: float(fixated[events.eye == eye].sum()))
    return events[np.asarray(events.eye == best, dtype=bool)]
