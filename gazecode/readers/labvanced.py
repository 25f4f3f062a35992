"""Labvanced webcam gaze: the time series table of one session, other variables left out.

Only rows whose ``variable_name`` is ``XYTC`` are gaze: x and y in units of the experiment's frame,
t the capture time (Unix ms), c the confidence. Rows named ``XYVA`` put other quantities into the
same four columns. ``times`` is when a row arrived at the server's table and is not used. Tasks
stand in the file in another order than they were done.

The frame is the experimenter's canvas, 800 x 450 units unless the study changed it, scaled to
the browser window of whoever takes part: how many pixels a unit was is nowhere in the file. So
positions are fractions of the frame, and px only where `screen` says how large it was shown.

Labvanced's example data: github.com/Labvanced/eye-tracking-fixation-detection.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Recording, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered
from gazecode.readers.tools.label_events import Labels, is_label
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_COLUMNS = {"variable_name": str, "x": float, "y": float, "t": float}
_LABELS = ("Task_Name", "Task_Nr", "Trial_Nr", "Trial_Id", "rec_session_id", "exp_subject_id")
_OPTIONAL = {"c": float, **dict.fromkeys(_LABELS, str)}
_GAZE = "XYTC"
_FRAME = (800.0, 450.0)
_QUARTERS = (0.05, 0.25, 0.5)


def sniff(source: Source) -> bool:
    """Whether the first line names the columns of the time series table."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace")
    names = {name.strip('" \r') for name in line.split(",")}
    return {*_COLUMNS, "rec_session_id", "Trial_Nr"} <= names


def read(
    source: Source,
    *,
    frame_units: Sequence[float] = _FRAME,
    min_confidence: float = 0.0,
    session: str | None = None,
) -> Recording:
    """Read the gaze of one session.

    Parameters
    ----------
    source
        ``timeseries_data.csv``.
    frame_units
        Width and height of the experiment's frame, 800 x 450 unless the study changed it.
    min_confidence
        Rows with a lower confidence (0 to 1) become lost. By default none: no threshold is
        documented; the provenance says how confidence is spread.
    session
        ``rec_session_id`` to read, where the table holds several.

    Returns
    -------
    Recording
        ``samples["both"]`` in fractions of the frame; ms from the first capture. A trial per
        task and trial number, in the order of time; its stimulus is the task with the trial's id,
        because numbers are the order shown and ids are the same for everyone.
    """
    size = _frame_size(frame_units)
    counts: Counter[str] = Counter()

    def take(frame: "pd.DataFrame") -> dict[str, Any]:
        return _gaze_rows(frame, counts, session)

    held = gather(
        _even(source.blocks()),
        take=take,
        name=source.name,
        columns=_COLUMNS,
        optional=_OPTIONAL,
        counts=counts,
        quoted=True,
    )
    t_ms, xy = held.array("t"), held.array("xy")
    confidence = held.array("confidence") if "confidence" in held else None
    participant = _one(held, "exp_subject_id", source.name, "participants")
    said = _one(held, "rec_session_id", source.name, "sessions")
    if not len(t_ms):
        raise FormatError(
            f"{source.name} holds no gaze"
            + (f" of session {session!r}" if session is not None else "")
            + f"; expected rows named {_GAZE} with x, y and t. Was the eye tracker on?"
        )
    spread = _spread(confidence)
    if confidence is not None and min_confidence > 0:
        low = ~(confidence >= min_confidence)
        counts["low_confidence"] = int((low & np.isfinite(xy[:, 0])).sum())
        xy[low] = np.nan
    xy /= size
    first_ms = float(np.nanmin(t_ms)) if np.isfinite(t_ms).any() else 0.0
    t_ms -= first_ms
    del confidence
    samples = samples_of_eyes(t_ms, {"both": xy}, counts=counts)
    clock = samples["both"].t_ms
    same = len(clock) == len(t_ms) and not counts["unsorted"]
    rows = slice(None) if same else kept_rows(t_ms, clock)
    return Recording(
        samples=samples,
        trials=_trials(held, clock, rows),
        plane="screen_fraction",
        start_ns=round(first_ms) * 1_000_000 if abs(first_ms) < 2**52 else None,
        provenance={
            "clock": f"column t of {_GAZE} rows (capture time), ms; 0 at the first one",
            "participant": participant,
            "session": said,
            "frame_units": size.tolist(),
            "confidence": spread,
            "left_out": dict(+counts),
            "notes": [_note(size)],
        },
    )


def _note(size: FloatArray) -> str:
    return (
        f"positions are fractions of the experiment's frame of {size[0]:g} x {size[1]:g} "
        "units; how large it was shown is not in the file: screen=... must name the size of the "
        "frame on the screen, px"
    )


def _even(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The header without its last comma, where rows do not end in one."""
    first = next(blocks, b"")
    header, _, rows = first.partition(b"\n")
    row = rows[: rows.find(b"\n")] if b"\n" in rows else rows
    if header.endswith(b",") and row.count(b",") < header.count(b","):
        header = header[:-1]
    yield header + b"\n" + rows
    yield from blocks


def _frame_size(units: Sequence[float]) -> FloatArray:
    size = np.asarray(units, dtype=np.float64)
    if size.shape != (2,) or not (np.isfinite(size) & (size > 0)).all():
        raise ParameterError(
            f"frame_units is {units!r}; expected width and height of the frame, as (800, 450)"
        )
    return size


def _gaze_rows(frame: "pd.DataFrame", counts: Counter[str], session: str | None) -> dict[str, Any]:
    gaze = is_label(frame["variable_name"], _GAZE)
    counts["rows_of_other_variables"] += int((~gaze).sum())
    if session is not None and "rec_session_id" in frame:
        of_session = is_label(frame["rec_session_id"], str(session))
        counts["rows_of_other_sessions"] += int((gaze & ~of_session).sum())
        gaze = gaze & of_session
    empty = gaze & frame[["x", "y", "t"]].isna().to_numpy().all(axis=1)
    counts["empty_rows"] += int(empty.sum())
    frame = frame[gaze & ~empty]
    taken: dict[str, Any] = {
        "t": frame["t"].to_numpy(dtype=np.float64),
        "xy": frame[["x", "y"]].to_numpy(dtype=np.float64),
    }
    if "c" in frame:
        taken["confidence"] = frame["c"].to_numpy(dtype=np.float64)
    return taken | {name: frame[name] for name in _LABELS if name in frame}


def _one(held: Gathered, column: str, name: str, what: str) -> str:
    if column not in held:
        return ""
    codes, labels = held.labels(column, slice(None))
    found = [labels[code] for code in np.unique(codes) if code >= 0]
    if len(found) > 1:
        advice = (
            f"Choose one: read(path, session={found[0]!r})"
            if what == "sessions"
            else "Name a session, or split the file by exp_subject_id"
        )
        raise FormatError(
            f"{name} holds gaze of {len(found)} {what} ({', '.join(found[:3])}, ...); expected "
            f"one. {advice}"
        )
    return found[0] if found else ""


def _spread(confidence: FloatArray | None) -> dict[str, float]:
    """Low quantiles of the confidence, for whoever wants to set a threshold."""
    known = np.empty(0) if confidence is None else confidence[np.isfinite(confidence)]
    if not len(known):
        return {}
    found = np.quantile(known, _QUARTERS)
    return {f"q{q * 100:02.0f}": round(float(v), 4) for q, v in zip(_QUARTERS, found, strict=True)}


def _trials(held: Gathered, t_ms: FloatArray, rows: IntArray | slice) -> list[Trial]:
    """Runs of one trial of one task."""
    columns = [held.labels(name, rows) for name in _LABELS[:4] if name in held]
    if len(columns) < len(_LABELS[:4]):
        return []
    task, task_nr, trial, trial_id = columns
    runs = label_runs(t_ms, _joined([task, task_nr, trial]))
    firsts = [first for first, _, _ in runs]
    names = unique_names(f"{_label(task, i)} {_label(trial, i)}" for i in firsts)
    return [
        Trial(
            name=name,
            onset_ms=onset,
            offset_ms=offset,
            stimulus=f"{_label(task, i)} {_label(trial_id, i)}",
        )
        for name, (i, onset, offset) in zip(names, runs, strict=True)
    ]


def _joined(columns: list[Labels]) -> npt.NDArray[np.int32]:
    """One number per run in which no column changes."""
    codes = [column[0] for column in columns]
    if not len(codes[0]):
        return np.empty(0, dtype=np.int32)
    changes = np.zeros(len(codes[0]), dtype=bool)
    for code in codes:
        changes[1:] |= code[1:] != code[:-1]
    return np.cumsum(changes, dtype=np.int32)


def _label(column: Labels, row: int) -> str:
    code = int(column[0][row])
    return column[1][code] if code >= 0 else ""


READER = Reader(
    name="labvanced",
    title="Labvanced webcam gaze, time series table (XYTC rows)",
    sniff=sniff,
    read=read,
    suffixes=(".csv",),
    priority=10,
)
