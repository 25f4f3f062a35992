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

    def __post_init__(self) -> None:
        column(self, "kind", object)
        onset = column(self, "onset_ms", np.float64)
        offset = column(self, "offset_ms", np.float64)
        column(self, "xy_px", np.float64, width=2)
        if self.end_xy_px is not None:
            column(self, "end_xy_px", np.float64, width=2)
        for name in ("first", "last"):
            if getattr(self, name) is not None:
                column(self, name, np.int64)
        for name in ("activity", "eye"):
            if getattr(self, name) is not None:
                column(self, name, object)
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
        for name in ("first", "last", "activity", "eye"):
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
            name: frame[name].to_numpy()
            for name in ("first", "last", "activity", "eye")
            if name in frame
        }
        if "end_x_px" in frame:
            optional = {**optional, "end_xy_px": frame[["end_x_px", "end_y_px"]].to_numpy(float)}
        return cls(
            kind=frame["kind"].to_numpy(object),
            onset_ms=frame["onset_ms"].to_numpy(float),
            offset_ms=frame["offset_ms"].to_numpy(float),
            xy_px=frame[["x_px", "y_px"]].to_numpy(float),
            **optional,
        )
