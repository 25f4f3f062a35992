"""Values with their units, as people read them."""

from collections.abc import Mapping
from typing import Any

from gazecode.report.words import number, percent, seconds

__all__ = ["UNKNOWN", "plane_unit", "short_words", "unit_of", "value_words"]

UNKNOWN = "unknown"
_PLANE_WORDS = {
    "fraction": "of the screen",
    "scene_fraction": "of the picture",
    "href": "href",
}
_MINUTES_FROM_MS = 10_000.0


def unit_of(figures: Mapping[str, Any]) -> str:
    """Unit of the precision among some figures: deg, or that of the plane.

    >>> unit_of({"loss": 0.1, "rms_s2s_deg": 0.2})
    'deg'
    """
    start = "rms_s2s_"
    return next((name.removeprefix(start) for name in figures if name.startswith(start)), "px")


def plane_unit(figures: Mapping[str, Any]) -> str:
    """Unit of positions.

    >>> plane_unit({"plane": "scene_px"}), plane_unit({"plane": "screen_fraction"})
    ('px', 'fraction')
    """
    plane = str(figures.get("plane", "screen_px"))
    return "px" if plane.endswith("px") else plane.removeprefix("screen_")


def short_words(value: Any, unit: str) -> str:
    """The same for a narrow table: two digits, the plane's name for its unit.

    >>> short_words(0.3771, "px"), short_words(250.1, "Hz"), short_words(17.8, "href")
    ('0.38 px', '250 Hz', '18 href')
    """
    if value is None:
        return "–"
    digits = 3 if unit == "Hz" else 2
    return f"{number(float(value), digits)} {unit.replace('scene_fraction', 'of 1')}".strip()


def value_words(value: Any, unit: str) -> str:
    """A figure with its unit.

    >>> value_words(0.1234, "%"), value_words(0.3, "deg"), value_words(81000.0, "ms")
    ('12.3 %', '0.3 deg', '81 s')
    >>> value_words(None, "deg"), value_words(0.02, "fraction"), value_words(3, "px2")
    ('unknown', '0.02 of the screen', '3 px²')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value or UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "%":
        return percent(float(value))
    if unit == "ms" and abs(value) >= _MINUTES_FROM_MS:
        return seconds(float(value))
    if unit == "min":
        return seconds(60_000 * float(value))
    squared, unit = ("²", unit.removesuffix("2")) if unit.endswith("2") else ("", unit)
    said = str(value) if isinstance(value, int) else number(float(value))
    named = _PLANE_WORDS.get(unit, unit)
    return f"{said} {named}{squared}".strip()
