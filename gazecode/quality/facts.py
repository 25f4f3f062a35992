"""What a methods section names beside the figures: tracker, eyes, screen, calibration, detector."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gazecode.quality.measured import Measured

__all__ = ["facts", "said_of"]

_NOMINAL = ("vendor_rate_hz", "header_rate_hz", "nominal_rate_hz", "stated_rates_hz")
_TRACKER = ("tracker", "device", "device_model")
_CALIBRATIONS = ("calibrations", "calibration")


def facts(measured: Measured) -> dict[str, Any]:
    """Facts of the recording that figures do not hold; None where the file does not say them."""
    said = measured.recording.provenance
    screen = measured.recording.screen
    left_out = said.get("left_out", {})
    return {
        "format": said.get("format"),
        "tracker": _first(said, _TRACKER),
        "filter": said.get("filter"),
        "plane": measured.recording.plane,
        "eyes": list(measured.recording.samples),
        "eye_assessed": measured.gaze.eye,
        "rate_nominal_hz": _rate(_first(said, _NOMINAL)),
        "screen": None if screen is None else asdict(screen),
        "calibrations": _number_of(_first(said, _CALIBRATIONS)),
        "fixations_source": measured.options.source or None,
        "centre": measured.options.centre,
        "targets": len(measured.options.targets),
        "left_out": dict(left_out) if isinstance(left_out, Mapping) else {},
    }


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((said[name] for name in names if said.get(name)), None)


def _rate(value: Any) -> float | None:
    """One number; of a list the only one there is."""
    if isinstance(value, list | tuple):
        value = value[0] if len(set(value)) == 1 else None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else None


def _number_of(value: Any) -> int | None:
    if isinstance(value, list | tuple | Mapping):
        return len(value)
    return None if value is None else 1


def said_of(
    name: str,
    function: Callable[..., Any],
    given: Mapping[str, Any],
    *,
    without: Sequence[str] = (),
) -> str:
    """A method with the value of each of its parameters, for reports.

    >>> def detect_ivt(samples, *, screen=None, max_speed_deg_s=30.0, merge_gap_ms=75.0): ...
    >>> said_of("ivt", detect_ivt, {"merge_gap_ms": 50}, without=["screen"])
    'ivt (max_speed_deg_s 30, merge_gap_ms 50)'
    """
    values = {
        p.name: p.default
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name not in without and p.default is not p.empty
    } | dict(given)
    listed = (f"{k} {v:g}" if isinstance(v, int | float) else f"{k} {v}" for k, v in values.items())
    return f"{name} ({', '.join(listed)})"
