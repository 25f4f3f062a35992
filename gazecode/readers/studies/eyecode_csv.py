"""eyeCode's CSV tables of fixations (Hansen; the Busjahn 2013 and 2014 sets come in them).

``trial_id,start_ms,duration_ms,fix_x,fix_y,exp_id,end_ms,program`` in any order, quoted or not; ms
from the trial's start, px from the top left. In the 2014 set ``fix_x_corrected, fix_y_corrected``
are the places moved by hand to the line that was read: as recorded by default, corrected on
request. ``line`` (2013, hand-checked) and areas of interest are not read.

Busjahn et al. 2015, doi:10.1109/ICPC.2015.36; eyeCode: https://github.com/synesthesiam/eyecode.
"""

from collections import Counter
from typing import TYPE_CHECKING

from gazecode.errors import ParameterError
from gazecode.model import Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import read_delimited, split_line
from gazecode.readers.tools.fixations import (
    FixationTable,
    IntArray,
    of_one_person,
    point_columns,
    recording_of_fixations,
    trial_codes,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

_COLUMNS: dict[str, type] = {
    "trial_id": str,
    "exp_id": str,
    "start_ms": float,
    "end_ms": float,
    "fix_x": float,
    "fix_y": float,
}
_NAMES: dict[str, type] = {"program": str, "base": str, "version": str}
_MOVED: dict[str, type] = {"fix_x_corrected": float, "fix_y_corrected": float}


def sniff(source: Source) -> bool:
    """Whether the first line names eyeCode's columns of fixations."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return set(_COLUMNS) <= set(split_line(line, ","))


def read(source: Source, *, participant: str | None = None, corrected: bool = False) -> Recording:
    """Read all trials, or those of one person.

    Parameters
    ----------
    source
        One trial (Busjahn 2014) or the table of a whole study (``raw_fixations.csv``).
    participant
        Only this ``exp_id``.
    corrected
        Take the places moved by hand, where the file has them.

    Returns
    -------
    Recording
        No samples; `device_events` are the fixations. ``provenance["n_moved"]`` says how many
        fixations were moved by hand, where the file says it.
    """
    counts: Counter[str] = Counter()
    frame = _load(source, counts, corrected=corrected)
    frame = of_one_person(frame, "exp_id", participant, name=source.name, counts=counts)
    code, first = trial_codes(frame, ["exp_id", "trial_id"])
    names = _names(frame, first)
    moved = _n_moved(frame)
    x, y = ("fix_x_corrected", "fix_y_corrected") if corrected else ("fix_x", "fix_y")
    table = FixationTable(
        trial=code,
        names=names,
        stimuli=names,
        people=[str(frame["exp_id"].iloc[i]) for i in first],
        onset_ms=frame.pop("start_ms").to_numpy(),
        offset_ms=frame.pop("end_ms").to_numpy(),
        xy_px=point_columns(frame, x, y),
    )
    del frame
    return recording_of_fixations(
        table,
        clock="start_ms, ms",
        counts=counts,
        provenance={"corrected": corrected, **moved},
    )


def _load(source: Source, counts: Counter[str], *, corrected: bool) -> "pd.DataFrame":
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    if corrected and not set(_MOVED) <= set(split_line(line, ",")):
        raise ParameterError(
            f"{source.name} has no columns {', '.join(_MOVED)}; leave corrected=True out"
        )
    return read_delimited(
        source.blocks(),
        name=source.name,
        columns=_COLUMNS,
        optional=_NAMES | _MOVED,
        counts=counts,
        quoted=True,
    )


def _names(frame: "pd.DataFrame", first: IntArray) -> list[str]:
    """What each trial showed: the program, or base and version of it."""
    present = ["program"] if "program" in frame else [c for c in ("base", "version") if c in frame]
    present = present or ["trial_id"]
    return ["_".join(str(frame[c].iloc[i]) for c in present) for i in first]


def _n_moved(frame: "pd.DataFrame") -> dict[str, int]:
    if not set(_MOVED) <= set(frame.columns):
        return {}
    moved = (frame["fix_x"] != frame["fix_x_corrected"]) | (
        frame["fix_y"] != frame["fix_y_corrected"]
    )
    return {"n_moved": int(moved.sum())}


READER = Reader(
    name="eyecode_csv",
    title="eyeCode fixation CSV (Hansen 2012, Busjahn 2013 and 2014; hand-corrected places)",
    sniff=sniff,
    read=read,
    suffixes=(".csv", ".csv.gz"),
    priority=10,
)
