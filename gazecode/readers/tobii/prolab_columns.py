"""Which column of a Tobii Pro Lab export means what.

Pro Lab has written its units in three ways: not at all (``Gaze point X``, `Recording timestamp`),
in round brackets (``(DACSmm)``) and, since 2022, in square ones (``[DACS px]``, ``[μs]``). DACS is
the display, MCS the media: the picture shown, or the video of a head-mounted scene camera. HUCS
is the head unit, so its columns mean glasses. A lab exports the columns it ticks, in any mix.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["ProLabColumns", "find_columns", "snapshots"]

_UNIT = re.compile(r"^(?P<base>.*?)\s*[\[(](?P<unit>[^\[\]()]*)[\])]$")
_SNAPSHOT = re.compile(
    r"^(?P<base>Mapped (?:gaze (?:point |data )?|fixation (?:point )?)[XY]"
    r"|Mapped eye movement type(?: index)?) \[(?P<snapshot>.*)\]$"
)
_AOI = re.compile(r"^AOI hit \[(?P<area>.*)\]$")
_STIMULUS = ("Presented Stimulus name", "Presented Media name")
_HEAD_MOUNTED = ("Gaze point 3D", "Gyro", "Accelerometer", "Magnetometer", "Mapped ")
_US = ("us", "μs", "µs", "�s")
"""Micro is U+03BC in the files, U+00B5 on keyboards, and unreadable in a wrong code page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProLabColumns:
    """Names of a file's columns by what they mean; None where it has none."""

    time: str | None
    time_unit: str
    tracker_us: str | None
    sensor: str | None
    participant: str | None
    recording: str | None
    event: str | None
    event_value: str | None
    stimulus: str | None
    kind: str | None
    index: str | None
    fixation: tuple[str, str] | None
    gaze: dict[str, tuple[str, str]]
    pupil: dict[str, str]
    validity: dict[str, str]
    gaze_mm: tuple[str, str] | None
    distance_mm: str | None
    resolution: tuple[str, str] | None
    scene_resolution: tuple[str, str] | None
    checks: dict[str, str]
    areas: dict[str, str]
    head_mounted: bool


def snapshots(names: Iterable[str]) -> list[str]:
    """Snapshots that gaze of a scene camera was mapped onto.

    >>> snapshots(["Mapped fixation X [page]", "Mapped fixation Y [page]", "Event"])
    ['page']
    """
    found = (_SNAPSHOT.match(name) for name in names)
    return list(dict.fromkeys(match["snapshot"] for match in found if match))


def find_columns(names: Sequence[str], snapshot: str | None = None) -> ProLabColumns:
    """Sort a header's names by meaning; gaze and events of one snapshot, if it is named.

    >>> names = ["Recording timestamp [μs]", "Gaze point left X [DACS px]"]
    >>> columns = find_columns([*names, "Gaze point left Y [DACS px]"])
    >>> columns.time_unit, list(columns.gaze), columns.head_mounted
    ('us', ['left'], False)
    """
    table = _Table(names)
    head_mounted = table.head_mounted
    place = ("mcspx", "") if head_mounted else ("dacspx", "")
    time, time_unit = table.time()
    gaze = {eye: table.pair(f"Gaze point {eye}", place) for eye in ("left", "right")}
    gaze = {"left": gaze["left"], "right": gaze["right"]} if any(gaze.values()) else {}
    if not gaze:
        gaze = {"both": table.pair("Gaze point", place)}
    kind, index = table.one("Eye movement type"), table.one("Eye movement type index")
    fixation = table.pair("Fixation point", place)
    if snapshot is not None:
        gaze = {"both": table.mapped_pair("gaze", snapshot)}
        fixation = table.mapped_pair("fixation", snapshot)
        kind = table.exact(f"Mapped eye movement type [{snapshot}]")
        index = table.exact(f"Mapped eye movement type index [{snapshot}]")
    eyes = ("left", "right")
    return ProLabColumns(
        time=time,
        time_unit=time_unit,
        tracker_us=table.one("Eyetracker timestamp", (*_US, "")),
        sensor=table.one("Sensor"),
        participant=table.one("Participant name"),
        recording=table.one("Recording name"),
        event=table.one("Event"),
        event_value=table.one("Event value"),
        stimulus=next((s for s in _STIMULUS if table.exact(s)), None),
        kind=kind,
        index=index,
        fixation=fixation,
        gaze={eye: pair for eye, pair in gaze.items() if pair is not None},
        pupil=_known({eye: table.one(f"Pupil diameter {eye}", ("mm", "")) for eye in eyes}),
        validity=_known({eye: table.one(f"Validity {eye}") for eye in eyes}),
        gaze_mm=table.pair("Gaze point left", ("dacsmm",)),
        distance_mm=table.one("Eye position left Z", ("dacsmm",)),
        resolution=table.size("Recording resolution"),
        scene_resolution=table.size("Recording media"),
        checks=table.checks(),
        areas={m["area"]: name for name in names if (m := _AOI.match(name))},
        head_mounted=head_mounted,
    )


def _known(found: dict[str, str | None]) -> dict[str, str]:
    return {eye: name for eye, name in found.items() if name is not None}


class _Table:
    """A header's names by base and unit."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = set(names)
        self._by_base: dict[tuple[str, str], str] = {}
        for name in names:
            match = _UNIT.match(name)
            base, unit = (match["base"], match["unit"]) if match else (name, "")
            key = base.strip(), unit.replace(" ", "").lower()
            self._by_base.setdefault(key, name)

    @property
    def head_mounted(self) -> bool:
        """Whether a column is one that only glasses have.

        Of the MCS columns a screen has ``[MCS norm]``; ``[MCS px]`` is the scene video's.
        """
        return any(
            unit == "mcspx" or unit.startswith("hucs") or base.startswith(_HEAD_MOUNTED)
            for base, unit in self._by_base
        )

    def exact(self, name: str) -> str | None:
        return name if name in self._names else None

    def one(self, base: str, units: Iterable[str] = ("",)) -> str | None:
        found = (self._by_base.get((base, unit)) for unit in units)
        return next((name for name in found if name is not None), None)

    def pair(self, base: str, units: Iterable[str]) -> tuple[str, str] | None:
        for unit in units:
            x, y = (self._by_base.get((f"{base} {axis}", unit)) for axis in "XY")
            if x is not None and y is not None:
                return x, y
        return None

    def mapped_pair(self, what: str, snapshot: str) -> tuple[str, str] | None:
        for middle in ("", "point ", "data "):
            x, y = (self.exact(f"Mapped {what} {middle}{axis} [{snapshot}]") for axis in "XY")
            if x is not None and y is not None:
                return x, y
        return None

    def size(self, base: str) -> tuple[str, str] | None:
        width, height = (self.one(f"{base} {side}", ("", "px")) for side in ("width", "height"))
        return (width, height) if width is not None and height is not None else None

    def time(self) -> tuple[str | None, str]:
        """The column of stamps, the finest first, and its unit."""
        for units, unit in ((_US, "us"), (("ms",), "ms"), (("",), "")):
            if (name := self.one("Recording timestamp", units)) is not None:
                return name, unit
        return None, ""

    def checks(self) -> dict[str, str]:
        """Columns that say how good calibration and validation were, in degrees."""
        found = {
            f"{check}_{key}_deg": self.one(f"Average {check} {what}", ("degrees", "deg", "°"))
            for check in ("calibration", "validation")
            for key, what in (
                ("accuracy", "accuracy"),
                ("precision_sd", "precision SD"),
                ("precision_rms", "precision RMS"),
            )
        }
        return _known(found)
