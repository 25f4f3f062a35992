"""Colours of the page: one hue in equal steps of perceived lightness, for light and dark.

Steps are laid out in OKLCH (Ottosson 2020, "A perceptual color space for image processing"), where
equal differences look equal. Statuses use the colour-blind safe set of Okabe & Ito (2008). Text
keeps a contrast of at least 4.5 (WCAG 2.2, 1.4.3) on every step; a test holds it to that.
"""

import math

__all__ = ["LEVELS", "PALETTES", "contrast", "oklch"]

LEVELS = 8
"""Steps of the scale of weights, above none."""


def oklch(lightness: float, chroma: float, hue_deg: float) -> str:
    """SRGB of an OKLCH colour as ``#rrggbb``, clipped to the gamut.

    >>> oklch(1.0, 0.0, 0.0), oklch(0.628, 0.2577, 29.23)
    ('#ffffff', '#ff0000')
    """
    a = chroma * math.cos(math.radians(hue_deg))
    b = chroma * math.sin(math.radians(hue_deg))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(c)):02x}" for c in linear)


def _gamma(linear: float) -> float:
    c = min(max(linear, 0.0), 1.0)
    return 12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"), 6)
    21.0
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _ramp(
    name: str, start: tuple[float, float], end: tuple[float, float], hue: float
) -> dict[str, str]:
    """`LEVELS` colours from one (lightness, chroma) to another, in equal steps."""
    steps = {}
    for i in range(LEVELS):
        f = i / (LEVELS - 1)
        lightness, chroma = (a + f * (b - a) for a, b in zip(start, end, strict=True))
        steps[f"{name}{i + 1}"] = oklch(lightness, chroma, hue)
    return steps


_LIGHT = {
    "paper": "#fcfbf8",
    "panel": "#ffffff",
    "ink": "#1f1e1b",
    "muted": "#615d55",
    "rule": "#dcd8ce",
    "token": "#0067a3",
    "between": "#007a58",
    "off": "#b94d00",
    "lost": "#6f6b64",
    "bad": "#a3260f",
    "good": "#00694b",
}
_DARK = {
    "paper": "#15161a",
    "panel": "#1b1d22",
    "ink": "#e9e6df",
    "muted": "#a9a59b",
    "rule": "#3a3c43",
    "token": "#6cb8ef",
    "between": "#4cc79f",
    "off": "#ff9a5a",
    "lost": "#9a968d",
    "bad": "#ff9b85",
    "good": "#5fd0a8",
}

PALETTES: dict[str, dict[str, str]] = {
    "light": _LIGHT
    | _ramp("w", (0.955, 0.035), (0.76, 0.150), 75.0)
    | _ramp("n", (0.955, 0.012), (0.78, 0.075), 255.0),
    "dark": _DARK
    | _ramp("w", (0.285, 0.030), (0.50, 0.105), 72.0)
    | _ramp("n", (0.285, 0.020), (0.47, 0.085), 255.0),
}
"""Scheme → name → colour. `w` steps: weight, or above neutral; `n` steps: below neutral."""
