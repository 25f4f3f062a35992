"""Text and numbers as a page can show them: no control characters, few digits, plain words."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["flatten", "number", "percent", "pixels", "plural", "printable", "seconds"]

# Controls become their pictures (U+2400 ...). Bidirectional controls could make source code look
# like other code (CVE-2021-42574), lone surrogates cannot be written as UTF-8.
_PICTURES = {c: 0x2400 + c for c in range(32) if c not in (9, 10)} | {0x7F: 0x2421}
_REPLACED = [*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFFE, 0xFFFF]
_TABLE = _PICTURES | dict.fromkeys(_REPLACED, 0xFFFD)
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Make any text safe to stand in HTML and XML; line ends become ``\n``.

    >>> printable("a\x00b\r\nc\u202e")
    'a␀b\nc\ufffd'
    """
    return _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").translate(_TABLE))


def number(value: float | None, digits: int = 3) -> str:
    """Give a number with so many significant digits, "—" if unknown.

    >>> number(1234.56), number(0.01234), number(float("nan")), number(1500, 2)
    ('1235', '0.0123', '—', '1500')
    """
    if value is None or not math.isfinite(value):
        return "—"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None) -> str:
    """Give a share as per cent, so that what is not 0 or 100 never reads so.

    >>> percent(0.1234), percent(0.00001), percent(0.99999), percent(0), percent(1)
    ('12.3 %', '<0.1 %', '>99.9 %', '0 %', '100 %')
    """
    if share is None or not math.isfinite(share):
        return "—"
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{round(100 * share, 1):g} %"


def seconds(ms: float | None) -> str:
    """Give a time in s, or min and s from two minutes on.

    >>> seconds(1234.0), seconds(125_000.0), seconds(None)
    ('1.23 s', '2 min 05 s', '—')
    """
    if ms is None or not math.isfinite(ms):
        return "—"
    if ms < 120_000:
        return f"{number(ms / 1000)} s"
    minutes, rest = divmod(round(ms / 1000), 60)
    return f"{minutes} min {rest:02d} s"


def pixels(value: float) -> str:
    """Give a coordinate with one decimal at most.

    >>> pixels(12.04), pixels(-0.01), pixels(3.25)
    ('12', '0', '3.2')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def plural(count: int, noun: str) -> str:
    """Count things in words.

    >>> plural(1, "fixation"), plural(2, "fixation"), plural(0, "saccade")
    ('1 fixation', '2 fixations', '0 saccades')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def flatten(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Nested tables as rows of dotted name and text.

    >>> flatten({"detect": {"method": "ivt", "max_gap_ms": 75.0}, "eyes": ["left", None]})
    [('detect.method', 'ivt'), ('detect.max_gap_ms', '75'), ('eyes', 'left, none')]
    """
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            rows += flatten(value, f"{name}.")
        else:
            rows.append((name, _plain(value)))
    return rows


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {_plain(v)}" for k, v in value.items()) or "none"
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes):
        return ", ".join(_plain(item) for item in value) or "none"
    return str(value)
