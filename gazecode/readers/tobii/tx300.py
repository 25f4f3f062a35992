"""TX300 text: the samples of a Tobii TX300 as a lab's own recorder writes them, one trial a file.

TAB, 28 columns from `Time` to `RelTimestamp`: points are fractions of the display
(``LGazePos2dx``), pupils mm, and each eye has Tobii's validity code: 0 the tracker is certain that
the eye was found, 1 probably, 2 it cannot tell which eye it is, 3 and 4 this eye was not found.
Lost values are -1. The file says nothing of the screen.

Example data of I2MC: Hessels, Niehorster, Kemner & Hooge 2017, doi:10.3758/s13428-016-0822-1.
"""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import find_separator, read_delimited

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_EYES = {"left": "L", "right": "R"}
_NAMES = (*("Time", "RelTimestamp"), *(f"{e}GazePos2d{axis}" for e in "LR" for axis in "xy"))
_WORST_CODE = 1.0
"""From code 2 on the tracker does not know whose eye it saw."""
_CLOCKS_AGREE_MS = 0.5


def sniff(source: Source) -> bool:
    """Whether the first line names the points, the validity codes and both clocks."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip("\r")
    return {*_NAMES, "LValidity", "RValidity"} <= set(line.split(find_separator(line)))


def read(source: Source) -> Recording:
    """Read one file: one trial of one person.

    Returns
    -------
    Recording
        ``left`` and ``right``, plane ``screen_fraction``, pupil diameter in mm; ms from the first
        `Time`.
    """
    counts: Counter[str] = Counter()
    columns = [f"{e}{part}" for e in "LR" for part in ("GazePos2dx", "GazePos2dy", "Validity")]
    apart_ms: list[FloatArray] = []

    def keep(block: "pd.DataFrame") -> npt.NDArray[np.bool_]:
        apart_ms.append(_apart(block))
        for letter in _EYES.values():
            _apply_codes(block, letter, counts)
        return np.ones(len(block), dtype=bool)

    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns=dict.fromkeys(["Time", "RelTimestamp", *columns], float),
        optional={"LPupilDm": float, "RPupilDm": float},
        counts=counts,
        keep=keep,
    )
    raw_us = frame.pop("Time").to_numpy(dtype=np.float64)
    timed = raw_us[np.isfinite(raw_us)]
    if not len(timed):
        raise FormatError(
            f"{source.name} holds no row with a time stamp ({dict(+counts)}); expected µs in "
            "column Time. Export the file again"
        )
    t_ms = (raw_us - timed.min()) / 1000.0
    xy, pupil = {}, {}
    for eye, letter in _EYES.items():
        xy[eye] = np.stack(
            [frame.pop(f"{letter}GazePos2d{a}").to_numpy(dtype=np.float64) for a in "xy"], axis=1
        )
        if f"{letter}PupilDm" in frame:
            pupil[eye] = frame.pop(f"{letter}PupilDm").to_numpy(dtype=np.float64)
    return Recording(
        samples=samples_of_eyes(t_ms, xy, pupil, counts=counts),
        plane="screen_fraction",
        provenance={
            "clock": "column Time, µs; 0 at the first stamp",
            "pupil_unit": "mm",
            "left_out": dict(+counts),
            "notes": _notes(np.concatenate(apart_ms)),
        },
    )


def _apply_codes(frame: "pd.DataFrame", letter: str, counts: Counter[str]) -> None:
    """Make lost what one eye's code or -1 calls lost, and let go of the code."""
    valid = frame.pop(f"{letter}Validity").to_numpy(dtype=np.float64) <= _WORST_CODE
    names = [f"{letter}GazePos2d{axis}" for axis in "xy"]
    xy = frame[names].to_numpy(dtype=np.float64)
    # -1 in both is a lost point whatever the code says.
    sentinel = (xy == -1).all(axis=1)
    eye = next(eye for eye, own in _EYES.items() if own == letter)
    counts[f"invalid_{eye}"] += int((~valid & ~sentinel & np.isfinite(xy).all(axis=1)).sum())
    for k, name in enumerate(names):
        frame[name] = np.where(valid & ~sentinel, xy[:, k], np.nan)
    if f"{letter}PupilDm" in frame:
        diameter = frame[f"{letter}PupilDm"].to_numpy(dtype=np.float64)
        frame[f"{letter}PupilDm"] = np.where(valid & (diameter > 0), diameter, np.nan)


def _apart(frame: "pd.DataFrame") -> FloatArray:
    """Time less RelTimestamp, ms: its least and its largest value in a block."""
    relative = frame.pop("RelTimestamp").to_numpy(dtype=np.float64)
    apart = frame["Time"].to_numpy(dtype=np.float64) / 1000.0 - relative
    apart = apart[np.isfinite(apart)]
    return np.array([apart.min(), apart.max()]) if len(apart) else np.empty(0)


def _notes(apart_ms: FloatArray) -> list[str]:
    notes = [
        "the file does not say the size of the screen; read(path, screen=...) gives px",
        "validity codes 2 to 4 are lost",
    ]
    if len(apart_ms) and np.ptp(apart_ms) > _CLOCKS_AGREE_MS:
        notes.append(
            f"Time and RelTimestamp drift apart by up to {np.ptp(apart_ms):.1f} ms; Time is taken"
        )
    return notes


READER = Reader(
    name="tobii_tx300",
    title="Tobii TX300 text of one trial (Time, LGazePos2dx, ..., RelTimestamp; I2MC's example)",
    sniff=sniff,
    read=read,
    suffixes=(".tsv",),
    priority=10,
)
