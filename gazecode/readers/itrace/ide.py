"""What an editor says lay under the gaze: file, line and column, in one form for all writers.

Lines and columns come 0-based here; what a column counts differs by editor and is said. Bases and
units are those of the writers' own sources (iTrace plug-ins, version 0.1 and later).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.model.checks import repeated

__all__ = ["EDITORS", "Positions", "base_of", "join_positions", "positions", "unix_ms", "unix_unit"]

Positions = dict[str, npt.NDArray[Any]]
"""One row per record: ``t_ms`` (the recording's clock), ``line`` and ``column`` (0-based; -1 off
text), ``unit`` (what a column counts: utf16, visual, logical, byte, unknown), ``target``, ``type``,
``path``, ``editor``, and what a format adds."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_JETBRAINS = (
    *("jetbrains", "intellij", "pycharm", "webstorm", "clion", "rider", "goland", "phpstorm"),
    *("rubymine", "android", "datagrip", "dataspell", "rustrover", "appcode"),
)
EDITORS: dict[str, tuple[int, int, str]] = {
    "eclipse": (1, 1, "utf16"),
    "msvs": (1, 1, "utf16"),
    "atom": (1, 0, "visual"),
    "vscode": (1, 1, "visual"),
    "sublime": (1, 1, "visual"),
    "notepad++": (1, 1, "byte"),
} | dict.fromkeys(_JETBRAINS, (1, 1, "logical"))
"""Plug-in type → number of its first line, of its first column, and what a column counts.

The JetBrains plug-in writes the first word of the product's name as its type."""

_UNITS_MS = (("s", 1e11, 1e3), ("ms", 1e14, 1.0), ("µs", 1e17, 1e-3), ("ns", np.inf, 1e-6))
"""Unit of a Unix time, the largest one in it, and ms in one: the scales are far apart."""


def base_of(editor: str, line: FloatArray, column: FloatArray) -> tuple[int, int, str]:
    """Numbers of the first line and column, and the unit; a 0 in the file itself decides.

    >>> base_of("ATOM", np.array([3.0]), np.array([0.0])), base_of("MSVS", np.zeros(1), np.ones(1))
    ((1, 0, 'visual'), (0, 1, 'utf16'))
    """
    first_line, first_column, unit = EDITORS.get(editor.lower(), (1, 1, "unknown"))
    on_text = (line >= 0) & (column >= 0)
    return (
        0 if (line[on_text] == 0).any() else first_line,
        0 if (column[on_text] == 0).any() else first_column,
        unit,
    )


def positions(
    line: FloatArray, column: FloatArray, editor: str, texts: Mapping[str, npt.NDArray[Any]]
) -> Positions:
    """Lines and columns as a plug-in wrote them (NaN for empty), 0-based, beside its texts."""
    first_line, first_column, unit = base_of(editor, line, column)
    # Empty is NaN here, and a comparison with NaN is false: off text, as -1 is.
    on_text = (line >= first_line) & (column >= first_column) & (np.maximum(line, column) < 2**31)
    n = len(line)
    return {
        "line": np.where(on_text, line - first_line, -1).astype(np.int64),
        "column": np.where(on_text, column - first_column, -1).astype(np.int64),
        "unit": repeated(unit, n),
        **texts,
        "editor": repeated(editor, n),
    }


def join_positions(parts: list[Positions]) -> Positions:
    """Records of several plug-ins one after another; without any, columns without rows."""
    if not parts:
        texts = dict.fromkeys(("unit", "target", "type", "path", "editor"), np.empty(0, object))
        return {"line": np.empty(0, np.int64), "column": np.empty(0, np.int64), **texts}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def unix_unit(stamps: npt.ArrayLike) -> tuple[str, float]:
    """Unit of Unix times by their magnitude, and the ms in it.

    >>> unix_unit([1622128602]), unix_unit([1622128602604])
    (('s', 1000.0), ('ms', 1.0))
    """
    values = np.asarray(stamps, dtype=np.float64)
    typical = float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0
    return next((unit, ms) for unit, most, ms in _UNITS_MS if typical < most)


def unix_ms(stamps: npt.NDArray[Any]) -> FloatArray:
    """Unix times of any unit as ms (a float holds them to less than a µs until the year 2200)."""
    return np.asarray(stamps, dtype=np.float64) * unix_unit(stamps)[1]
