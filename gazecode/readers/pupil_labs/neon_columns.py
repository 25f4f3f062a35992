"""Columns of Pupil Cloud files as arrays: gaze, and fixations, saccades, blinks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.readers.pupil_labs.neon_parts import Choice
from gazecode.readers.pupil_labs.shared import (
    EventColumns,
    Findings,
    said_true,
)
from gazecode.readers.source import Source
from gazecode.readers.tools.gather import gather

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EVENTS",
    "ON_SURFACE",
    "PLACES",
    "SPAN",
    "STAMP",
    "Rows",
    "event_columns",
    "gaze_rows",
    "load_events",
    "stamps",
]

IntArray = npt.NDArray[np.int64]

STAMP = "timestamp [ns]"
SPAN = ("start timestamp [ns]", "end timestamp [ns]")
ON_SURFACE = "gaze position on surface {} [normalized]"
PLACES = {
    "surface gaze": (ON_SURFACE.format("x"), ON_SURFACE.format("y")),
    "gaze": ("gaze x [px]", "gaze y [px]"),
    "surface fixations": ("fixation x [normalized]", "fixation y [normalized]"),
    "fixations": ("fixation x [px]", "fixation y [px]"),
}
EVENTS = {
    "surface fixations": "fixation",
    "fixations": "fixation",
    "saccades": "saccade",
    "blinks": "blink",
}
_DETECTED = "gaze detected on surface"
_FIXATION_DETECTED = "fixation detected on surface"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Columns of gaze: ``ns xy`` and, where the file has them, whose row it is and flags.

    A row's recording and section are numbers of their names.
    """

    values: dict[str, npt.NDArray[Any]]
    recordings: list[str]
    sections: list[str]


def gaze_rows(source: Source, kind: str, said: Findings) -> Rows:
    """Gaze of a file of one of the kinds in `PLACES`; lost while the glasses were not worn."""
    x_name, y_name = PLACES[kind]

    def take(frame: "pd.DataFrame") -> dict[str, Any]:
        xy = frame[[x_name, y_name]].to_numpy(dtype=np.float64)
        taken: dict[str, Any] = {"ns": stamps(frame[STAMP]), "xy": xy}
        if "recording id" in frame:
            taken["recording"] = frame["recording id"]
        if "section id" in frame:
            taken["section"] = frame["section id"]
        if _DETECTED in frame:
            taken["off_surface"] = ~said_true(frame[_DETECTED])
        if "worn" in frame:
            taken["not_worn"] = (frame["worn"].to_numpy() == 0) & np.isfinite(xy).all(axis=1)
            xy[taken["not_worn"]] = np.nan
        return taken

    gathered = gather(
        source.blocks(),
        take=take,
        name=source.name,
        columns={STAMP: int, x_name: float, y_name: float},
        optional={**dict.fromkeys(("recording id", "section id", _DETECTED), str), "worn": float},
        counts=said.counts,
    )
    return Rows(
        values=gathered.arrays(),
        recordings=gathered.names("recording"),
        sections=gathered.names("section"),
    )


def stamps(column: "pd.Series") -> IntArray:
    """``(n,)`` ns, 0 where there is none."""
    return column.to_numpy(dtype=np.int64, na_value=0)


def load_events(
    source: Source, kind: str, said: Findings, *, companion: bool = True
) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Columns of an event file; the recordings that its ``recording`` counts."""
    place = list(PLACES.get(kind, ()))
    number = f"{EVENTS[kind]} id"

    def take(frame: "pd.DataFrame") -> dict[str, Any]:
        onset, offset = (stamps(frame[name]) for name in SPAN)
        taken: dict[str, Any] = {"onset": onset, "offset": offset}
        if place:
            taken["xy"] = frame[place].to_numpy(dtype=np.float64)
        if number in frame:
            taken["id"] = frame[number].to_numpy()
        if "recording id" in frame:
            taken["recording"] = frame["recording id"]
        if _FIXATION_DETECTED in frame:
            taken["off_surface"] = ~said_true(frame[_FIXATION_DETECTED])
        return taken

    gathered = gather(
        source.blocks(),
        take=take,
        name=source.name,
        columns={**dict.fromkeys(SPAN, int), **dict.fromkeys(place, float)},
        optional={"recording id": str, _FIXATION_DETECTED: str, number: float},
        counts=said.counts,
        cut_row="count" if companion else "refuse",
    )
    return gathered.arrays(), gathered.names("recording")


def event_columns(
    values: dict[str, npt.NDArray[Any]],
    names: list[str],
    kind: str,
    chosen: Choice,
    said: Findings,
) -> EventColumns:
    """Events of the recordings chosen; one that two sections share is one."""
    kept = chosen.holds(values.get("recording"), names)
    if kept is not None:
        said.counts["events_of_other_recordings"] += int((~kept).sum())
        values = {name: column[kept] for name, column in values.items()}
    fresh = _first_of_each(values)
    if repeated := len(values["onset"]) - len(fresh):
        said.counts["repeated_events"] += repeated
        values = {name: column[fresh] for name, column in values.items()}
    del fresh
    if "off_surface" in values:
        said.extra["fixations_off_surface"] = int(values["off_surface"].sum())
    return EventColumns(
        kind=EVENTS[kind],
        onset_ms=chosen.ms(values["onset"]),
        offset_ms=chosen.ms(values["offset"]),
        xy=values.get("xy"),
    )


def _first_of_each(values: dict[str, npt.NDArray[Any]]) -> IntArray:
    """Rows that are the first with their recording and id; ids start again in each recording."""
    number = values.get("id", values["onset"])
    owner = values.get("recording", np.zeros(len(number), dtype=np.int32))
    order = np.lexsort((np.arange(len(number)), number, owner))
    same = (owner[order][1:] == owner[order][:-1]) & (number[order][1:] == number[order][:-1])
    return np.sort(order[np.concatenate(([True], ~same))[: len(order)]])
