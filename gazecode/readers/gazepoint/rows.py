"""Rows of a Gazepoint file, gathered block by block: only what a recording needs is kept.

Columns are named as in Gazepoint's Open Gaze API 2.0: BPOG best point of gaze, FPOG the fixation
filter's point, LPOG and RPOG the points of each eye, a V at the end whether it is valid; FPOGS and
FPOGD start and duration of the fixation so far, s; BKDUR duration of the blink that just ended, s;
LPMM pupil mm, LPD pupil px of the camera. LPCX is where the pupil lies in the camera's picture: no
gaze.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.readers.tools.growing import Gathered

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OPTIONAL", "REQUIRED", "Rows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

REQUIRED = ("TIME", "FPOGX", "FPOGY", "FPOGV")
OPTIONAL: dict[str, type] = {
    **dict.fromkeys(("MEDIA_ID", "MEDIA_NAME", "USER"), str),
    **dict.fromkeys(("TIMETICK", "FPOGS", "FPOGD", "FPOGID", "BKDUR"), float),
    **dict.fromkeys((f"{p}POG{a}" for p in "BLR" for a in "XYV"), float),
    **dict.fromkeys((f"{p}P{c}" for p in "LR" for c in ("V", "D", "MM", "MMV")), float),
}
_SAME_START_S = 0.005
"""Without FPOGID: two rows belong to one fixation if they say the same start, within rounding."""


_FIXATION = ("row", "media", "age_s", "duration_s", "xy")
"""What is kept of a fixation: its last valid row, and what that says of it."""
_DTYPES = {
    "media": np.int32,
    "state": np.int8,
    "fixation_row": np.int64,
    "fixation_media": np.int32,
}
"""Of columns that are not float64."""


@dataclass(slots=True)
class Rows:
    """What is kept of the blocks so far.

    Attributes
    ----------
    points
        Prefix of the points that are the samples' gaze: eye → letter.
    columns
        By name: `time_s`, `media`, `state` (1 left, 2 right, 3 both eyes
        valid), per eye the point (lost where invalid) and the pupil; of the fixations, each begun
        with ``fixation_``: row in the file, medium, age at that row and duration in s, place.
    last_fixation, last_medium
        Of the block before: number and medium of the fixation that may go on.
    blinks, messages, media
        Of all blocks; blinks as row and duration in s; media as id and name by number.
    restarts
        Rows where another medium begins: row, TIME in s, TIMETICK.
    every_row_ends_a_fixation
        True for a report of fixations.
    """

    points: dict[str, str]
    counts: Counter[str]
    columns: Gathered = field(default_factory=Gathered)
    last_fixation: tuple[float, int] | None = None
    last_medium: int = -1
    blinks: list[tuple[int, float]] = field(default_factory=list)
    messages: list[tuple[int, str]] = field(default_factory=list)
    media: dict[tuple[str, str], int] = field(default_factory=dict)
    restarts: list[tuple[int, float, float]] = field(default_factory=list)
    every_row_ends_a_fixation: bool = True
    n: int = 0
    user: str = ""

    def add(self, frame: "pd.DataFrame") -> None:
        """Take what is needed of one block's rows."""
        if not len(frame):
            return
        media = self._media(frame)
        time_s = _column(frame, "TIME")
        self._keep("time_s", time_s)
        self._keep("media", media)
        self._points(frame)
        self._restarts(frame, media, time_s)
        self._fixations(frame, media, time_s)
        self._blinks(frame)
        self._messages(frame)
        self.n += len(frame)

    def take(self, name: str) -> npt.NDArray[Any]:
        """One column whole."""
        values = self.columns.array(name)
        return values.reshape(-1, 2) if name in (*self.points, "fixation_xy") else values

    def drop_samples(self) -> None:
        """Let go of what only samples are made of."""
        for eye in self.points:
            self.columns.array(eye)
            self.columns.array(f"pupil_{eye}")
        self.columns.array("state")

    def _keep(self, name: str, piece: npt.NDArray[Any]) -> None:
        self.columns.add({name: piece.astype(_DTYPES.get(name, np.float64), copy=False)})

    def _media(self, frame: "pd.DataFrame") -> npt.NDArray[np.int32]:
        """Number of the medium shown in each row."""
        labels = [frame[name] for name in ("MEDIA_ID", "MEDIA_NAME") if name in frame]
        if not labels:
            return np.zeros(len(frame), dtype=np.int32)
        codes = [label.cat.codes.to_numpy(dtype=np.int64) for label in labels]
        _, first, inverse = np.unique(
            codes[0] * (len(frame) + 1) + codes[-1], return_index=True, return_inverse=True
        )
        pairs = [(str(labels[0].iloc[i]), str(labels[-1].iloc[i])) for i in first]
        number = [self.media.setdefault(pair, len(self.media)) for pair in pairs]
        return np.asarray(number, dtype=np.int32)[inverse]

    def _points(self, frame: "pd.DataFrame") -> None:
        """Points and pupils; NaN where the tracker calls them invalid."""
        valid_eye = {e: _valid(frame, f"{e}PV") for e in "LR"}
        pupil = {e: _pupil(frame, e) for e in "LR"}
        for eye, letter in self.points.items():
            valid = _valid(frame, f"{letter}POGV")
            xy = np.stack([_column(frame, f"{letter}POG{axis}") for axis in "XY"], axis=1)
            self.counts[f"invalid_{eye}"] += int((~valid & np.isfinite(xy).all(axis=1)).sum())
            xy[~valid] = np.nan
            self._keep(eye, xy)
            if letter in pupil:
                self._keep(f"pupil_{eye}", pupil[letter])
                continue
            state = valid_eye["L"] + 2 * valid_eye["R"].astype(np.int8)
            self._keep("state", np.where(valid, state, 0).astype(np.int8))
            # Of the eyes that the point is made of; one missing pupil makes the mean unknown.
            mean = (pupil["L"] + pupil["R"]) / 2
            one = np.where(state == 1, pupil["L"], pupil["R"])
            self._keep(f"pupil_{eye}", np.where(state == 3, mean, np.where(state > 0, one, np.nan)))

    def _restarts(
        self, frame: "pd.DataFrame", media: npt.NDArray[np.int32], time_s: FloatArray
    ) -> None:
        tick = _column(frame, "TIMETICK")
        first = np.flatnonzero(np.diff(media, prepend=self.last_medium) != 0)
        self.last_medium = int(media[-1])
        self.restarts += [(self.n + int(i), float(time_s[i]), float(tick[i])) for i in first]

    def _fixations(
        self, frame: "pd.DataFrame", media: npt.NDArray[np.int32], time_s: FloatArray
    ) -> None:
        valid = np.flatnonzero(_valid(frame, "FPOGV"))
        numbered = "FPOGID" in frame
        duration = _column(frame, "FPOGD")[valid]
        start = _column(frame, "FPOGS")[valid] if "FPOGS" in frame else time_s[valid] - duration
        number = _column(frame, "FPOGID")[valid] if numbered else start
        changes = _changes(number, numbered=numbered) | (np.diff(media[valid]) != 0)
        whole = len(valid) == len(frame) and numbered
        self.every_row_ends_a_fixation &= whole and bool(changes.all())
        last = np.append(np.flatnonzero(changes), len(valid) - 1) if len(valid) else valid
        row = valid[last]
        if len(row):
            numbers = float(number[0]), float(number[-1])
            self._join(numbers[0], int(media[row[0]]))
            self.last_fixation = numbers[1], int(media[row[-1]])
        xy = np.stack([_column(frame, name)[row] for name in ("FPOGX", "FPOGY")], axis=1)
        said = (self.n + row, media[row], time_s[row] - start[last], duration[last], xy)
        for name, piece in zip(_FIXATION, said, strict=True):
            self._keep(f"fixation_{name}", piece)

    def _join(self, number: float, media: int) -> None:
        """Take back the block before's last fixation if this block goes on with it."""
        if self.last_fixation is None or self.last_fixation[1] != media:
            return
        if abs(self.last_fixation[0] - number) <= _SAME_START_S:
            self.every_row_ends_a_fixation = False
            for name in _FIXATION:
                self.columns.drop_last(f"fixation_{name}")

    def _blinks(self, frame: "pd.DataFrame") -> None:
        duration = _column(frame, "BKDUR")
        for i in np.flatnonzero(duration > 0):
            self.blinks.append((self.n + int(i), float(duration[i])))

    def _messages(self, frame: "pd.DataFrame") -> None:
        """USER holds a text from the row where the experiment set it: where it changes."""
        if "USER" not in frame:
            return
        codes = frame["USER"].cat.codes.to_numpy()
        for i in np.append(0, 1 + np.flatnonzero(np.diff(codes) != 0)):
            text = str(frame["USER"].iloc[i]).strip()
            if text and text != self.user:
                self.messages.append((self.n + int(i), text))
            self.user = text


def _column(frame: "pd.DataFrame", name: str) -> FloatArray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[name].to_numpy(dtype=np.float64))


def _valid(frame: "pd.DataFrame", name: str) -> BoolArray:
    return np.asarray(_column(frame, name) == 1)


def _pupil(frame: "pd.DataFrame", eye: str) -> FloatArray:
    """Diameter in mm where the file has it, else in px of the camera."""
    value, valid = ("MM", "MMV") if f"{eye}PMM" in frame else ("D", "V")
    diameter = _column(frame, f"{eye}P{value}")
    known = _valid(frame, f"{eye}P{valid}") & (diameter > 0)
    return np.where(known, diameter, np.nan)


def _changes(number: FloatArray, *, numbered: bool) -> BoolArray:
    steps = np.diff(number)
    return np.asarray(steps != 0 if numbered else np.abs(steps) > _SAME_START_S)
