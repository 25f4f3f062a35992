"""The column map of the `table` reader: which column is what, in which unit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gazecode.errors import ParameterError

__all__ = ["EXAMPLE", "PLANES", "TIMES_PER_MS", "ColumnMap", "column_map", "own_columns"]

TIMES_PER_MS = {"ns": 1e6, "us": 1e3, "ms": 1.0, "s": 1e-3}
PLANES = {
    "px": "screen_px",
    "mm": "screen_px",
    "deg": "screen_px",
    "fraction": "screen_fraction",
    "scene_px": "scene_px",
    "href": "href",
}
"""Unit of a position → the plane it lies in once it is read."""

_EYES = {"left": "left_", "right": "right_", "both": ""}
_TEXTS = ("trial", "stimulus", "message")
_KEYS = (
    "t",
    *(p + part for p in _EYES.values() for part in ("x", "y", "pupil", "valid")),
    *_TEXTS,
)
EXAMPLE = (
    "columns={'t': ('Time', 'us'), 'left_x': ('LX', 'px'), 'left_y': ('LY', 'px'), "
    "'trial': 'Stimulus'}"
)


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """A checked map.

    Attributes
    ----------
    time, time_unit
        Column of the stamps, and ns, us, ms or s.
    position
        Eye → columns of x and y.
    unit
        Of all positions: a key of `PLANES`.
    pupil, valid
        Eye → column.
    texts
        Out of trial, stimulus, message → column.
    """

    time: str
    time_unit: str
    position: dict[str, tuple[str, str]]
    unit: str
    pupil: dict[str, str]
    valid: dict[str, str]
    texts: dict[str, str]

    @property
    def numbers(self) -> list[str]:
        """Columns that hold numbers besides the time."""
        return [c for pair in self.position.values() for c in pair] + list(self.pupil.values())

    @property
    def strings(self) -> list[str]:
        """Columns read as text."""
        return [*self.valid.values(), *self.texts.values()]

    @property
    def wanted(self) -> list[str]:
        """Every column named, once."""
        return list(dict.fromkeys([self.time, *self.numbers, *self.strings]))


def column_map(columns: Mapping[str, Any]) -> ColumnMap:
    """Check what the user wrote.

    >>> found = column_map({"t": ("Time", "us"), "x": ("X", "px"), "y": ("Y", "px")})
    >>> found.time_unit, found.position
    ('us', {'both': ('X', 'Y')})
    >>> column_map({"t": "Time"})
    Traceback (most recent call last):
    gazecode.errors.ParameterError: columns['t'] = 'Time' states no unit; \
write ('Time', unit) with unit one of ns, us, ms, s
    """
    for key in columns:
        if key not in _KEYS:
            raise ParameterError.unknown("columns=", key, _KEYS)
    if "t" not in columns:
        raise ParameterError(f"columns= names no 't'; expected for example {EXAMPLE}")
    time, time_unit = _with_unit("t", columns["t"], TIMES_PER_MS)
    position: dict[str, tuple[str, str]] = {}
    units: dict[str, str] = {}
    for eye, prefix in _EYES.items():
        keys = [k for k in (prefix + "x", prefix + "y") if k in columns]
        if len(keys) == 1:
            raise ParameterError(f"columns= names {keys[0]!r} alone; x and y come in pairs")
        if keys:
            named = [_with_unit(key, columns[key], PLANES) for key in keys]
            position[eye] = (named[0][0], named[1][0])
            units |= dict(zip(keys, (unit for _, unit in named), strict=True))
    if not position:
        raise ParameterError(f"columns= names no position; expected for example {EXAMPLE}")
    if len(set(units.values())) > 1:
        listed = ", ".join(f"{key} {unit}" for key, unit in units.items())
        raise ParameterError(f"columns= mixes units of position ({listed}); expected one for all")
    return ColumnMap(
        time=time,
        time_unit=time_unit,
        position=position,
        unit=next(iter(units.values())),
        pupil=_of_eyes(columns, "pupil", position),
        valid=_of_eyes(columns, "valid", position),
        texts={key: _column(columns[key]) for key in _TEXTS if key in columns},
    )


def _of_eyes(
    columns: Mapping[str, Any], part: str, position: Mapping[str, object]
) -> dict[str, str]:
    found = {eye: _column(columns[p + part]) for eye, p in _EYES.items() if p + part in columns}
    alone = [_EYES[eye] + part for eye in found if eye not in position]
    if alone:
        raise ParameterError(
            f"columns= names {', '.join(alone)} without x and y of that eye; it has positions of "
            f"{', '.join(position)}"
        )
    return found


def _column(entry: Any) -> str:
    """A column's name; a unit beside it is allowed and, for text, of no use."""
    return str(entry[0]) if isinstance(entry, list | tuple) and entry else str(entry)


def _with_unit(key: str, entry: Any, units: Iterable[str]) -> tuple[str, str]:
    listed = ", ".join(units)
    if not isinstance(entry, list | tuple) or len(entry) != 2:
        name = _column(entry)
        raise ParameterError(
            f"columns[{key!r}] = {entry!r} states no unit; write ({name!r}, unit) with unit one "
            f"of {listed}"
        )
    if entry[1] not in tuple(units):
        raise ParameterError(
            f"columns[{key!r}] has the unit {entry[1]!r}; expected one of {listed}"
        )
    return str(entry[0]), str(entry[1])


def own_columns(found: Sequence[str]) -> dict[str, Any] | None:
    """The map of a table that `Recording.to_frame` wrote; None for any other.

    >>> own_columns(["t_ms", "left_x_px", "left_y_px", "left_pupil"])["left_y"]
    ('left_y_px', 'px')
    >>> own_columns(["Time", "X", "Y"]) is None
    True
    """
    if "t_ms" not in found:
        return None
    columns: dict[str, Any] = {}
    for eye, prefix in _EYES.items():
        for unit in ("px", "fraction", "href", "scene_px"):
            pair = [f"{eye}_{axis}_{unit}" for axis in "xy"]
            if all(name in found for name in pair):
                columns |= {
                    prefix + axis: (name, unit) for axis, name in zip("xy", pair, strict=True)
                }
        if prefix + "x" in columns and f"{eye}_pupil" in found:
            columns[prefix + "pupil"] = f"{eye}_pupil"
    return {"t": ("t_ms", "ms"), **columns} if columns else None
