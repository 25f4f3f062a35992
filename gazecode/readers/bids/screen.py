"""The screen of BIDS eye tracking, and gaze in px or fractions from its top left."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Samples, Screen
from gazecode.readers.bids.names import inherited

__all__ = ["in_plane", "number", "presentation", "screen_of"]

FloatArray = npt.NDArray[np.float64]

_FRACTIONS = ("1", "fraction", "normalized", "normalised", "proportion")
_LENGTHS_MM = {"m": 1000.0, "cm": 10.0, "mm": 1.0}
_MAX_METRES = 10.0
"""A screen or a distance of more is in another unit than the specification's."""


def number(value: Any, default: Any) -> Any:
    """A finite number of a sidecar; the default for anything else.

    >>> number(0.6, None), number("n/a", None), number(True, 0.0)
    (0.6, None, 0.0)
    """
    fine = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    return float(value) if fine else default


def presentation(path: Path, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of the screen: in the events' sidecars, or in the samples' own (drafts)."""
    events, _ = inherited(path, "events")
    shown = events.get("StimulusPresentation")
    return shown if isinstance(shown, dict) else said


def _two(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    a, b = (number(one, 0.0) for one in value)
    return (a, b) if a > 0 and b > 0 else None


def screen_of(shown: Mapping[str, Any], notes: list[str]) -> Screen | None:
    """Size and distance as they are said; None without a resolution."""
    px, metres = _two(shown.get("ScreenResolution")), _two(shown.get("ScreenSize"))
    distance = number(shown.get("ScreenDistance"), 0.0)
    if px is None:
        return None
    if max(*(metres or (0.0, 0.0)), distance) > _MAX_METRES:
        notes.append(
            "ScreenSize and ScreenDistance cannot be metres, as BIDS demands: left out; name the "
            "screen with read(path, screen=...)"
        )
        metres, distance = None, 0.0
    return Screen(
        width_px=px[0],
        height_px=px[1],
        width_mm=None if metres is None else _millimetres(metres[0]),
        height_mm=None if metres is None else _millimetres(metres[1]),
        distance_mm=_millimetres(distance) if distance > 0 else None,
    )


def _millimetres(metres: float) -> float:
    """The same digits, the point moved: 0.2863 m are 286.3 mm."""
    return float(Decimal(repr(metres)).scaleb(3))


def in_plane(
    samples: dict[str, Samples],
    said: Mapping[str, Any],
    shown: Mapping[str, Any],
    screen: Screen | None,
    notes: list[str],
) -> tuple[dict[str, Samples], str]:
    """Gaze in px or fractions from the top left, and the plane it is in."""
    system = str(said.get("SampleCoordinateSystem", "gaze-on-screen"))
    unit = _coordinate_unit(said)
    if system == "eye-in-head":
        return samples, "href"
    kind = "scene" if system == "gaze-in-world" else "screen"
    if unit in _FRACTIONS:
        return samples, f"{kind}_fraction"
    factor = np.ones(2)
    if unit in _LENGTHS_MM and kind == "screen":
        factor = _px_per_unit(unit, screen)
    elif unit not in ("pixel", "pixels", "px"):
        if unit:
            raise FormatError(
                f"coordinates are in {unit!r}; expected pixel, a length on the screen, or a "
                "fraction (1). Convert them, and say the unit in the sidecar"
            )
        notes.append("the unit of the coordinates is not said: taken as pixels")
    turn = _turned(shown, said, screen, notes) if kind == "screen" else None
    if turn is None and (factor == 1).all():
        return samples, f"{kind}_px"
    sign, shift = turn or (np.ones(2), np.zeros(2))
    return {eye: _moved(s, factor * sign, shift) for eye, s in samples.items()}, f"{kind}_px"


def _coordinate_unit(said: Mapping[str, Any]) -> str:
    column = said.get("x_coordinate")
    stated = column.get("Units") if isinstance(column, dict) else None
    for key in ("SampleCoordinateUnits", "SampleCoordinateUnit"):
        stated = stated if stated is not None else said.get(key)
    return "" if stated is None else str(stated).strip().lower()


def _px_per_unit(unit: str, screen: Screen | None) -> FloatArray:
    if screen is None or screen.width_mm is None or screen.height_mm is None:
        raise FormatError(
            f"coordinates are in {unit} of a screen whose size is not known; expected "
            "ScreenResolution and ScreenSize. Name the screen with read(path, screen=...)"
        )
    px = np.array([screen.width_px, screen.height_px])
    factor: FloatArray = _LENGTHS_MM[unit] * px / np.array([screen.width_mm, screen.height_mm])
    return factor


def _turned(
    shown: Mapping[str, Any], said: Mapping[str, Any], screen: Screen | None, notes: list[str]
) -> tuple[FloatArray, FloatArray] | None:
    """Sign and shift of both axes that lead to the top left; None where they are there."""
    origin = shown.get("ScreenOrigin", said.get("EnvironmentCoordinates"))
    words = str(" ".join(map(str, origin)) if isinstance(origin, list) else origin or "").lower()
    if not {"bottom", "right", "center", "centre"} & set(words.replace("-", " ").split()):
        return None
    if screen is None:
        raise FormatError(
            f"coordinates count from the {words} of a screen whose size is not known; expected "
            "ScreenResolution. Name the screen with read(path, screen=...)"
        )
    size = np.array([screen.width_px, screen.height_px])
    notes.append(f"coordinates counted from the {words} of the screen: brought to the top left")
    if "cent" in words:
        notes.append("from the centre, y is taken to point up")
        return np.array([1.0, -1.0]), size / 2
    sign = np.array([-1.0 if "right" in words else 1.0, -1.0 if "bottom" in words else 1.0])
    return sign, np.where(sign < 0, size, 0.0)


def _moved(samples: Samples, factor: FloatArray, shift: FloatArray) -> Samples:
    return Samples(
        t_ms=samples.t_ms,
        xy_px=samples.xy_px * factor + shift,
        pupil=samples.pupil,
        eye=samples.eye,
    )
