"""What the readers of Tobii's text exports share: columns gathered block by block, clock, screen.

Each block of a file is brought to a few arrays before the next one is read, so that the peak of
memory is little above what the recording itself takes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Screen
from gazecode.readers.tools.arrow import Block

__all__ = [
    "MessageLog",
    "Millimetres",
    "People",
    "fine_clock",
    "joined_cells",
    "mean_of_known",
    "spread_repeats",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MAX_CLOCK_RESIDUAL_MS = 1.5
"""Stamps of whole ms lie at most this far from the tracker's own, once the two are aligned."""
_MAX_CLOCK_RATIO = 0.01
_SQUARE = 0.05
_MIN_REPEATS = 0.02


class People:
    """Participants and recordings whose names a file's rows hold; a recording is of one.

    Parameters
    ----------
    name
        Of the file, for messages.
    columns
        Of the participant's and the recording's name, those there are.
    wanted
        The recording (or the participant) to take of several; None expects one.
    """

    def __init__(self, name: str, columns: Sequence[str | None], wanted: str | None) -> None:
        self._file = name
        self._columns = [column for column in columns if column]
        self._wanted = wanted
        self._found: dict[tuple[str, ...], None] = {}

    def only(self, block: Block, counts: Counter[str]) -> Block:
        """The block's rows of the one recording; a second one is an error."""
        if not self._columns or not block.n:
            return block
        if self._wanted is not None:
            mine: BoolArray = np.zeros(block.n, dtype=bool)
            for column in self._columns:
                mine |= block.texts[column].says(self._wanted)
            counts["rows_of_other_recordings"] += int((~mine).sum())
            block = block.where(mine)
        texts = [block.texts[column] for column in self._columns]
        codes = np.unique(np.stack([text.codes for text in texts], axis=1), axis=0)
        for row in codes.tolist():
            names = tuple(text.labels[code] for text, code in zip(texts, row, strict=True))
            # A row that lost a cell says nobody's name.
            if any(names):
                self._found[names] = None
        if len(self._found) > 1:
            listed = ", ".join(" / ".join(names) for names in list(self._found)[:4])
            raise FormatError(
                f"{self._file} holds several recordings ({listed}, ...); expected one. Name one "
                "with read(path, recording='...') or export each to a file of its own"
            )
        return block

    def name(self, column: str | None, otherwise: str = "") -> str:
        """What the rows say in one of the columns."""
        said = dict(zip(self._columns, next(iter(self._found), ()), strict=False))
        return said.get(column or "", otherwise)


class MessageLog:
    """Stamps and texts of event rows."""

    def __init__(self) -> None:
        self._stamps: list[FloatArray] = []
        self._texts: list[str] = []

    def add(self, stamps: FloatArray, texts: Iterable[str]) -> None:
        """Rows of a block in order of the file."""
        self._stamps.append(stamps)
        self._texts.extend(texts)

    def messages(self, zero: float, per_ms: float, counts: Counter[str]) -> list[Message]:
        """Messages on the recording's clock; one without a stamp is left out and counted."""
        stamps = np.concatenate(self._stamps) if self._stamps else np.empty(0)
        timed = np.isfinite(stamps)
        counts["messages_without_time"] += int((~timed).sum())
        found = [
            Message(t_ms=float((stamp - zero) / per_ms), text=text)
            for stamp, text, known in zip(stamps, self._texts, timed, strict=True)
            if known
        ]
        return sorted(found, key=lambda message: message.t_ms)


def joined_cells(rows: Iterable[Sequence[str]]) -> list[str]:
    """One text per row: its cells that say something, blank-separated.

    >>> joined_cells([("URLStart", "", " a.html ")])
    ['URLStart a.html']
    """
    return [" ".join(cell.strip() for cell in row if cell.strip()) for row in rows]


def mean_of_known(columns: Sequence[FloatArray], n: int) -> FloatArray:
    """``(n,)`` mean of what is known, row by row; NaN where nothing is.

    >>> mean_of_known([np.array([1.0, np.nan]), np.array([3.0, np.nan])], 2)
    array([ 2., nan])
    """
    known = np.zeros(n)
    total = np.zeros(n)
    for values in columns:
        seen = np.isfinite(values)
        known += seen
        total[seen] += values[seen]
    mean: FloatArray = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    return mean


def fine_clock(
    rough_ms: FloatArray, tracker_us: FloatArray
) -> tuple[FloatArray, float, float] | None:
    """The tracker's own stamps laid on the recording's clock.

    Returns ms from the first sample, the recording's clock there, and the largest difference, ms.

    Exports write the recording's clock in whole ms, which makes steps of 8 and 9 ms out of
    8.33 ms; the tracker's µs stamps differ from it by an offset and the drift of two clocks. None
    where they do not fit: a stamp is missing, repeats, or lies off the line by more than rounding.

    >>> rough = np.array([5.0, 13.0, 22.0, 30.0])
    >>> t_ms, zero, off = fine_clock(rough, np.array([0.0, 8333.0, 16667.0, 25000.0]))
    >>> t_ms.round(2), round(zero, 2), off < 1
    (array([ 0.  ,  8.33, 16.67, 25.  ]), 5.0, True)
    >>> fine_clock(rough, np.array([0.0, 8333.0, 99999.0, 25000.0])) is None
    True
    """
    if not len(rough_ms) or len(rough_ms) != len(tracker_us):
        return None
    if not np.isfinite(rough_ms).all() or not np.isfinite(tracker_us[0]):
        return None
    if not (np.diff(tracker_us) > 0).all():
        return None
    fine = (tracker_us - tracker_us[0]) / 1000.0
    shift = rough_ms - fine
    # Rounded stamps lie on either side of the tracker's: halfway between the outermost is closest.
    centre = (shift.min() + shift.max()) / 2
    residual = float(shift.max() - centre)
    if residual > MAX_CLOCK_RESIDUAL_MS:
        # Two clocks drift apart: one line through all stamps.
        ratio = 1.0 + float((fine - fine.mean()) @ shift) / float(fine.var() * len(fine))
        fine *= ratio
        shift = rough_ms - fine
        centre = (shift.min() + shift.max()) / 2
        residual = float(shift.max() - centre)
        if abs(ratio - 1.0) > _MAX_CLOCK_RATIO or residual > MAX_CLOCK_RESIDUAL_MS:
            return None
    return fine, float(centre), residual


def spread_repeats(t_ms: FloatArray) -> tuple[FloatArray, int]:
    """Samples that share a whole ms laid out evenly inside it, and how many they are.

    A tracker of 1200 Hz whose stamps are whole ms writes one in six of them twice; as duplicates
    they would be lost. A few repeats are none of this, and stay.

    >>> spread_repeats(np.array([0.0, 0.0, 1.0, 2.0]))
    (array([0. , 0.5, 1. , 2. ]), 2)
    """
    repeats = np.diff(t_ms) == 0
    if len(t_ms) < 2 or not repeats.mean() > _MIN_REPEATS or not (np.diff(t_ms) >= 0).all():
        return t_ms, 0
    first = np.flatnonzero(np.concatenate(([True], ~repeats)))
    size = np.diff(np.concatenate((first, [len(t_ms)])))
    place = np.arange(len(t_ms)) - np.repeat(first, size)
    return t_ms + place / np.repeat(size, size), int(size[size > 1].sum())


class Millimetres:
    """Size of the screen in mm, from gaze that a file gives in px and in mm; and the distance.

    Both are coordinates of the tracker's active display, so their ratio is the pitch of its
    pixels. Sums alone are kept.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((2, 5))
        self._distance = np.zeros(2)

    def add(self, px: FloatArray, mm: FloatArray, z_mm: FloatArray) -> None:
        """Points ``(n, 2)`` in px and mm, and ``(n,)`` distance of the eye from the screen."""
        for axis in range(2):
            known = np.isfinite(px[:, axis]) & np.isfinite(mm[:, axis])
            x, y = px[known, axis], mm[known, axis]
            self._sums[axis] += len(x), x.sum(), y.sum(), x @ x, x @ y
        seen = z_mm[np.isfinite(z_mm) & (z_mm > 0)]
        self._distance += len(seen), seen.sum()

    def screen(self, width_px: float, height_px: float, notes: list[str]) -> Screen:
        """The screen, with what is known of its millimetres."""
        n, x, y, xx, xy = self._sums.T
        spread = n * xx - x * x
        if not (spread > n * n).all():
            return Screen(width_px=width_px, height_px=height_px)
        width, height = (abs((n * xy - x * y) / spread) * [width_px, height_px]).round(1)
        if not (width > 0 and height > 0):
            return Screen(width_px=width_px, height_px=height_px)
        distance = self._distance[1] / self._distance[0] if self._distance[0] else None
        notes.append(
            f"screen {width:g} x {height:g} mm from the gaze in mm beside the gaze in px"
            + ("" if distance is None else "; distance is the mean of the eyes' from the screen")
        )
        pitch = width / width_px * height_px / height
        if abs(pitch - 1.0) > _SQUARE:
            notes.append(
                f"its pixels would be {pitch:.2f} times as wide as high: check the screen's "
                "measures in the tracker's set-up; screen=... replaces them"
            )
        return Screen(
            width_px=width_px,
            height_px=height_px,
            width_mm=float(width),
            height_mm=float(height),
            distance_mm=None if distance is None else round(float(distance), 1),
        )
