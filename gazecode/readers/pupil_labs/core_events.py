"""Events of Pupil Core exports: fixations (of the scene, on surfaces), blinks, annotations.

A fixation's duration is in ms, a blink's in s, and both end at the stamp of their last sample. The
offline fixation detector cuts a fixation at its maximum duration and where its dispersion is
exhausted; the next piece begins with the very next gaze point, so that no saccade fits between
the two. Such pieces are joined.
"""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message
from gazecode.readers.pupil_labs.shared import (
    EventColumns,
    Findings,
    merge_pieces,
    said_true,
)
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import read_delimited
from gazecode.units import sample_end_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_annotations", "load_events", "sample_ends", "to_ms", "top_left"]

FloatArray = npt.NDArray[np.float64]

_SAME_MS = 1e-3


def top_left(x: "pd.Series", y: "pd.Series") -> FloatArray:
    """``(n, 2)`` from columns whose y grows upward from the bottom left."""
    xy = np.empty((len(x), 2))
    xy[:, 0] = x
    xy[:, 1] = 1.0 - y.to_numpy()
    return xy


def to_ms(t: FloatArray, stamp: str, source: Source) -> float:
    """Make stamps in s, in place, ms from the first; return that one."""
    timed = np.isfinite(t)
    if not timed.any():
        raise FormatError(
            f"{source.name} holds no row with a number in {stamp}; expected seconds of Pupil Time. "
            "Export it again"
        )
    first = float(t.min() if timed.all() else t[timed].min())
    t -= first
    t *= 1000.0
    return first


def sample_ends(offset_ms: FloatArray, t_ms: FloatArray) -> FloatArray:
    """Where the sample an event ends with stops holding; an end that is no sample's stays."""
    at = np.maximum(np.searchsorted(t_ms, offset_ms + _SAME_MS) - 1, 0)
    same = np.abs(t_ms[at] - offset_ms) < _SAME_MS
    return np.where(same, sample_end_ms(t_ms)[at], offset_ms)


def load_events(
    source: Source, kind: str, *, first_s: float | None, merge_gap_ms: float, said: Findings
) -> EventColumns:
    """Events of one file, sorted, in ms from `first_s`, or from the first of them if None."""
    counts = said.counts
    fixations = kind != "blinks"
    columns: dict[str, type] = {"start_timestamp": float, "duration": float}
    if fixations:
        columns |= {"norm_pos_x": float, "norm_pos_y": float}
    if kind == "surface_fixations":
        columns |= {"fixation_id": float, "on_surf": str}
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns=columns,
        optional={"method": str} if fixations else None,
        counts=counts,
        cut_row="refuse" if first_s is None else "count",
    )
    if kind == "surface_fixations":
        frame = _one_row_each(frame, counts)
    start_s = frame["start_timestamp"].to_numpy()
    usable = np.isfinite(start_s) & (frame["duration"].to_numpy() > 0)
    if not usable.all():
        counts["events_without_duration"] += int((~usable).sum())
    frame = frame[usable].sort_values("start_timestamp", kind="stable")
    start_s = frame["start_timestamp"].to_numpy()
    onset = (start_s - (start_s[:1].sum() if first_s is None else first_s)) * 1000.0
    # ms of a fixation, s of a blink.
    length = frame["duration"].to_numpy() * (1.0 if fixations else 1000.0)
    part = EventColumns(
        kind="fixation" if fixations else "blink",
        onset_ms=onset,
        offset_ms=onset + length,
        xy=top_left(frame["norm_pos_x"], frame["norm_pos_y"]) if fixations else None,
    )
    if not fixations:
        return part
    same = None
    if "method" in frame:
        method = frame["method"].cat.codes.to_numpy()
        same = method[1:] == method[:-1]
    part, merged = merge_pieces(part, merge_gap_ms, same)
    if merged:
        counts["fixation_pieces_joined"] += merged
        said.notes.append(
            f"{merged} fixations that began less than {merge_gap_ms:g} ms after the one before "
            "were joined to it (merge_gap_ms=0 keeps them apart)"
        )
    return part


def _one_row_each(frame: "pd.DataFrame", counts: Counter[str]) -> "pd.DataFrame":
    """One row a fixation: it is listed once per frame of the scene video that shows it.

    Its place on the surface is the mean over the frames in which it was on it, if any.
    """
    on = said_true(frame.pop("on_surf"))
    seen = frame["fixation_id"].isin(frame["fixation_id"][on])
    frame.loc[seen & ~on, ["norm_pos_x", "norm_pos_y"]] = np.nan
    merged = frame.groupby("fixation_id", sort=False).agg(
        {
            "start_timestamp": "first",
            "duration": "first",
            "norm_pos_x": "mean",
            "norm_pos_y": "mean",
        }
    )
    counts["repeated_fixation_rows"] += len(frame) - len(merged)
    return merged.reset_index(drop=True)


def load_annotations(source: Source, first_s: float, counts: Counter[str]) -> list[Message]:
    """What was annotated when, in ms from `first_s`."""
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns={"timestamp": float, "label": str},
        counts=counts,
        quoted=True,
        cut_row="count",
    )
    frame = frame[np.isfinite(frame["timestamp"])].sort_values("timestamp", kind="stable")
    t_ms = (frame["timestamp"].to_numpy() - first_s) * 1000.0
    return [
        Message(t_ms=float(t), text=str(text)) for t, text in zip(t_ms, frame["label"], strict=True)
    ]
