"""Tobii research CSV of code-summarization studies (EyeTrans; Karas, Bansal et al.): no header.

Thirteen columns as the Tobii Pro SDK for Python gives gaze: participant, function name, function
id, system and device time stamp (us), validity of the left and the right point, the two points as
``"(x, y)"`` in fractions of the active display area, validity and diameter (mm) of both pupils.
The device's clock is taken, the tracker's own stamps of exposure; the system's is that of the
computer when the data came in. One recording is one reading of one function: its trial.

EyeTrans: Zhang et al. 2024, doi:10.1145/3643732.
"""

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Samples, Trial
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.delimited import normalise_lines, read_delimited
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

EYES = ("left", "right")
_COLUMNS: dict[str, type] = {
    "participant_id": str,
    "function_name": str,
    "function_id": str,
    "system_timestamp": float,
    "device_timestamp": float,
    "valid_gaze_left": float,
    "valid_gaze_right": float,
    "left_x": float,
    "left_y": float,
    "right_x": float,
    "right_y": float,
    "valid_pd_left": float,
    "valid_pd_right": float,
    "pd_left": float,
    "pd_right": float,
}
"""Columns once the brackets of the points are gone, which makes two cells of each."""

_NUMBER = rb"[ ]?(?:[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|nan)"
_POINT = rb'"\(' + _NUMBER + rb"," + _NUMBER + rb'\)"'
_ROW = re.compile(
    rb"[^,;\t]*,[^,;\t]*,[^,;\t]*,[0-9]+,[0-9]+,[01],[01],"
    + (_POINT + rb",") * 2
    + rb"[01],[01],"
    + _NUMBER
    + rb","
    + _NUMBER
)
_PROBE_ROWS = 20
_MAX_STRANGERS = 0.01
"""A larger share of rows of another participant is no damage: the file holds two people."""


def sniff(source: Source) -> bool:
    """Whether at least half of the first rows have the thirteen cells, in their kinds."""
    rows = normalise_lines(source.head).split(b"\n")
    # The head may end in the middle of a row.
    rows = [row for row in (rows[:-1] or rows)[:_PROBE_ROWS] if row]
    return bool(rows) and 2 * sum(bool(_ROW.fullmatch(row)) for row in rows) >= len(rows)


def read(source: Source) -> Recording:
    """Read one reading of one function.

    Returns
    -------
    Recording
        ``left`` and ``right``, plane ``screen_fraction`` (the file holds no screen size), pupil
        diameter in mm; ms from the first device stamp. Rows with too few or too many cells are
        left out and cells that are no numbers are lost, both counted.
    """
    counts: Counter[str] = Counter()
    frame = _load(source, counts)
    frame, notes = _one_participant(frame, source.name, counts)
    raw_us = frame["device_timestamp"].to_numpy(dtype=np.float64)
    timed = raw_us[np.isfinite(raw_us)]
    if not len(timed):
        raise FormatError(
            f"{source.name} holds no whole row with a device time stamp ({dict(+counts)}); "
            "expected 13 cells a row, us in the fifth. Export the file again"
        )
    t_ms = (raw_us - timed.min()) / 1000.0
    samples = samples_of_eyes(
        t_ms,
        {eye: _points(frame, eye, counts) for eye in EYES},
        {eye: _pupil(frame, eye) for eye in EYES},
        counts=counts,
    )
    kept = frame.iloc[kept_rows(t_ms, samples["left"].t_ms)]
    trials, functions = _trials(samples["left"].t_ms, kept)
    return Recording(
        samples=samples,
        trials=trials,
        plane="screen_fraction",
        provenance={
            "clock": "column 5, device_timestamp, us; 0 at the first stamp "
            "(column 4, system_timestamp, is when the data reached the computer)",
            "participant": str(frame["participant_id"].iloc[0]),
            "functions": functions,
            "off_screen": {eye: _off_screen(s) for eye, s in samples.items()},
            "left_out": dict(+counts),
            "notes": notes,
        },
    )


def _load(source: Source, counts: Counter[str]) -> "pd.DataFrame":
    """All whole rows. Without quotes and brackets a point is two cells like any others."""
    body = normalise_lines(source.read_bytes()).translate(None, b'"()').replace(b", ", b",")
    header = ",".join(_COLUMNS).encode()
    # A row that breaks off at the end of the file is one more ragged row, counted like the others.
    whole = body if body.endswith(b"\n") else body + b"\n"
    return read_delimited(header + b"\n" + whole, name=source.name, columns=_COLUMNS, counts=counts)


def _one_participant(
    frame: "pd.DataFrame", name: str, counts: Counter[str]
) -> tuple["pd.DataFrame", list[str]]:
    """Rows of the one participant; a damaged name is left out, a second person is refused."""
    found = frame["participant_id"].value_counts()
    if len(found) <= 1:
        return frame, []
    others = int(found.iloc[1:].sum())
    if others > _MAX_STRANGERS * len(frame):
        listed = ", ".join(map(str, found.index[:3]))
        raise FormatError(
            f"{name} holds gaze of {len(found)} participants ({listed}, ...); expected one. "
            "Split the file by its first column"
        )
    counts["other_participant"] += others
    mine = frame[frame["participant_id"] == found.index[0]]
    return mine, [f"{others} rows name another participant and were left out"]


def _points(frame: "pd.DataFrame", eye: str, counts: Counter[str]) -> FloatArray:
    """``(n, 2)`` fractions of the display; NaN where the tracker calls the point invalid."""
    xy = frame[[f"{eye}_x", f"{eye}_y"]].to_numpy(dtype=np.float64)
    valid = frame[f"valid_gaze_{eye}"].to_numpy(dtype=np.float64) == 1
    counts[f"invalid_{eye}"] += int((~valid & np.isfinite(xy).all(axis=1)).sum())
    return np.where(valid[:, None], xy, np.nan)


def _pupil(frame: "pd.DataFrame", eye: str) -> FloatArray:
    valid = frame[f"valid_pd_{eye}"].to_numpy(dtype=np.float64) == 1
    return np.where(valid, frame[f"pd_{eye}"].to_numpy(dtype=np.float64), np.nan)


def _trials(t_ms: FloatArray, rows: "pd.DataFrame") -> tuple[list[Trial], dict[str, str]]:
    """Runs of one function, and the id each function has in the study."""
    runs = label_runs(t_ms, rows["function_name"].to_numpy(dtype=object))
    functions = [str(rows["function_name"].iloc[first]) for first, _, _ in runs]
    ids = [str(rows["function_id"].iloc[first]) for first, _, _ in runs]
    names = unique_names(functions)
    trials = [
        Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=function)
        for name, function, (_, onset, offset) in zip(names, functions, runs, strict=True)
    ]
    return trials, dict(zip(names, ids, strict=True))


def _off_screen(samples: Samples) -> int:
    """Points outside the display: they are kept, and said."""
    known = samples.xy_px[~samples.lost]
    return int(((known < 0) | (known > 1)).any(axis=1).sum())


READER = Reader(
    name="tobii_research",
    title='Tobii research CSV without a header (participant, function, stamps, "(x, y)" points)',
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
