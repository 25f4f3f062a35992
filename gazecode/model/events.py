"""Events: what the eyes did when, as half-open intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    StrArray,
    column,
    same_length,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Events"]

KINDS = ("fixation", "saccade", "blink", "pso", "pursuit", "undefined")
_COLUMNS = ("first", "last", "activity", "eye", "line", "line_share")
"""The optional ones that a frame holds as they are; `line_shares` stays in memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Fixations, saccades, blinks: one row per event, sorted by onset.

    Attributes
    ----------
    kind
        ``(n,)`` one of `KINDS`.
    onset_ms, offset_ms
        ``(n,)`` half-open interval ``[onset, offset)``, ms on the recording's clock.
    xy_px
        ``(n, 2)`` mean position (fixation) or position at onset (saccade); NaN if unknown.
    end_xy_px
        ``(n, 2)`` position at the offset of a saccade; NaN elsewhere. Optional.
    first, last
        ``(n,)`` index of the first sample and one past the last one. Optional.
    activity
        ``(n,)`` reading, typing, scrolling or unknown. Optional.
    eye
        ``(n,)`` left, right, both or mean: for devices that report each eye. Optional.
    line, line_share
        ``(n,)`` visual line of the layout a fixation was assigned to (-1: none, or the method
        abstained), and how probable that line is, 0 to 1. Optional.
    line_shares
        ``(n, L)`` how probable each of the layout's L lines is, in ascending order of their
        numbers; rows sum to at most 1. Optional.
    recorded_xy_px
        ``(n, 2)`` position before a correction, which `xy_px` holds. Optional.

    Examples
    --------
    >>> events = Events(kind=["fixation"], onset_ms=[0.0], offset_ms=[200.0], xy_px=[[10, 20]])
    >>> len(events), events.duration_ms
    (1, array([200.]))
    """

    kind: StrArray
    onset_ms: FloatArray
    offset_ms: FloatArray
    xy_px: FloatArray
    end_xy_px: FloatArray | None = None
    first: IntArray | None = None
    last: IntArray | None = None
    activity: StrArray | None = None
    eye: StrArray | None = None
    line: IntArray | None = None
    line_share: FloatArray | None = None
    line_shares: FloatArray | None = None
    recorded_xy_px: FloatArray | None = None

    def __post_init__(self) -> None:
        column(self, "kind", object)
        onset = column(self, "onset_ms", np.float64)
        offset = column(self, "offset_ms", np.float64)
        column(self, "xy_px", np.float64, width=2)
        for name in ("end_xy_px", "recorded_xy_px"):
            if getattr(self, name) is not None:
                column(self, name, np.float64, width=2)
        for name in ("first", "last", "line"):
            if getattr(self, name) is not None:
                column(self, name, np.int64)
        for name in ("activity", "eye"):
            if getattr(self, name) is not None:
                column(self, name, object)
        self._check_lines()
        same_length(self, *self.__dataclass_fields__)
        empty = np.flatnonzero(~(np.isfinite(onset) & np.isfinite(offset) & (offset > onset)))
        if empty.size:
            i = int(empty[0])
            raise DataError(
                f"event {i} has onset {onset[i]} ms and offset {offset[i]} ms; "
                "expected offset later than onset (intervals are half-open)"
            )
        if (onset[1:] < onset[:-1]).any():
            raise DataError("events are not sorted by onset; sort them before creating Events")
        unknown = set(self.kind) - set(KINDS)
        if unknown:
            raise DataError(f"unknown kind of event {sorted(unknown)}; expected one of {KINDS}")

    def _check_lines(self) -> None:
        totals = []
        if self.line_share is not None:
            totals.append(column(self, "line_share", np.float64))
        if self.line_shares is not None:
            width = np.shape(self.line_shares)[-1]
            shares = column(self, "line_shares", np.float64, width=width)
            totals += [shares.min(axis=1, initial=0.0), shares.sum(axis=1)]
        if not all(((total >= 0) & (total <= 1 + 1e-9)).all() for total in totals):
            raise DataError("a share of a line is no probability; expected 0 to 1, a sum up to 1")

    def __len__(self) -> int:
        return len(self.onset_ms)

    def __getitem__(self, rows: "slice | IntArray | BoolArray") -> "Events":
        """Rows as a slice, indices or a mask, in time order."""
        present = {
            name: getattr(self, name)[rows]
            for name in self.__dataclass_fields__
            if getattr(self, name) is not None
        }
        return replace(self, **present)

    @property
    def duration_ms(self) -> FloatArray:
        """``(n,)`` offset minus onset, ms."""
        return self.offset_ms - self.onset_ms

    def of(self, kind: str) -> "Events":
        """Return only the events of one kind."""
        if kind not in KINDS:
            raise DataError(f"unknown kind of event {kind!r}; expected one of {KINDS}")
        return self[np.asarray(self.kind == kind, dtype=bool)]

    @classmethod
    def empty(cls) -> "Events":
        """No event at all."""
        return cls(
            kind=np.empty(0, object),
            onset_ms=np.empty(0),
            offset_ms=np.empty(0),
            xy_px=np.empty((0, 2)),
            first=np.empty(0, np.int64),
            last=np.empty(0, np.int64),
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row per event: kind, onset_ms, offset_ms, duration_ms, x_px, y_px and more."""
        import pandas as pd

        data: dict[str, Any] = {
            "kind": self.kind.astype(str),
            "onset_ms": self.onset_ms,
            "offset_ms": self.offset_ms,
            "duration_ms": self.duration_ms,
            "x_px": self.xy_px[:, 0],
            "y_px": self.xy_px[:, 1],
        }
        if self.end_xy_px is not None:
            data |= {"end_x_px": self.end_xy_px[:, 0], "end_y_px": self.end_xy_px[:, 1]}
        if (at := self.recorded_xy_px) is not None:
            data |= {"recorded_x_px": at[:, 0], "recorded_y_px": at[:, 1]}
        for name in _COLUMNS:
            if getattr(self, name) is not None:
                data[name] = getattr(self, name)
        return pd.DataFrame(data)

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame") -> "Events":
        """Take what `to_frame` gives; sorts by onset, ignores other columns.

        >>> events = Events(kind=["fixation"], onset_ms=[0], offset_ms=[90], xy_px=[[1, 2]])
        >>> Events.from_frame(events.to_frame()).to_frame().equals(events.to_frame())
        True
        """
        needed = ("kind", "onset_ms", "offset_ms", "x_px", "y_px")
        missing = [name for name in needed if name not in frame]
        if missing:
            raise DataError(
                f"no column {', '.join(missing)} in the frame of events; "
                f"found {', '.join(map(str, frame.columns))}"
            )
        frame = frame.sort_values("onset_ms", kind="stable")
        optional: Mapping[str, Any] = {
            name: frame[name].to_numpy() for name in _COLUMNS if name in frame
        }
        for name in ("end", "recorded"):
            if f"{name}_x_px" in frame:
                places = frame[[f"{name}_x_px", f"{name}_y_px"]].to_numpy(float)
                optional = {**optional, f"{name}_xy_px": places}
        return cls(
            kind=frame["kind"].to_numpy(object),
            onset_ms=frame["onset_ms"].to_numpy(float),
            offset_ms=frame["offset_ms"].to_numpy(float),
            xy_px=frame[["x_px", "y_px"]].to_numpy(float),
            **optional,
        )
