"""Sample columns of an EyeLink ``.asc`` that grow a block of lines at a time.

What the lines mean depends on the header before them, which may change from block to block: eyes,
rate, plane. Every line is parsed when it comes and judged at the end, when its stretch is known
whole: lines that do not have the usual number of fields of their stretch are ragged.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.readers.eyelink.asc_log import Header
from gazecode.readers.eyelink.asc_text import MAX_FIELDS, Lines, parse_samples
from gazecode.readers.tools.growing import Gathered

__all__ = ["PLANES", "SampleColumns"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PLANES = {"GAZE": "screen_px", "HREF": "href"}
"""What the tracker calls the kind of its samples → plane of the recording."""


@dataclass(kw_only=True, eq=False)
class SampleColumns:
    """Samples on the tracker's clock; `t` is NaN in rows that are to be left out.

    Attributes
    ----------
    t
        ``(n,)`` ms.
    xy, pupil
        Eye → ``(n, 2)`` and ``(n,)``, as written.
    plane
        What the tracker calls the kind of most samples.

    All of them are known after `close`.
    """

    t: FloatArray = field(default_factory=lambda: np.empty(0))
    xy: dict[str, FloatArray] = field(default_factory=dict)
    pupil: dict[str, FloatArray] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    plane: str = "GAZE"
    n: int = 0
    _eyes: set[str] = field(default_factory=set)
    _gathered: Gathered = field(default_factory=Gathered)

    def __len__(self) -> int:
        return self.n

    def add(self, lines: Lines, headers: Sequence[Header]) -> None:
        """Take in the samples of some lines; `headers` are those in force, by their row."""
        for eye in {eye for header in headers for eye in header.eyes} - self._eyes:
            self._eyes.add(eye)
            # What came before this eye: one number, as often as needed.
            before = np.broadcast_to(np.nan, (self.n, 2))
            self._gathered.add({f"xy {eye}": before, f"pupil {eye}": before[:, 0]})
        part: dict[str, npt.NDArray[Any]] = {"t": _unknown(len(lines)), "fields": lines.n_fields}
        for eye in self._eyes:
            part[f"xy {eye}"], part[f"pupil {eye}"] = _unknown(len(lines), 2), _unknown(len(lines))
        for (eyes, n_fields), rows in _groups(lines, headers, self.n).items():
            self._fill(part, lines, rows, eyes, n_fields)
        self._gathered.add(part)
        self.n += len(lines)

    def _fill(
        self,
        part: dict[str, npt.NDArray[Any]],
        lines: Lines,
        rows: IntArray,
        eyes: tuple[str, ...],
        n_fields: int,
    ) -> None:
        needed = 1 + 3 * len(eyes)
        if not needed <= n_fields < MAX_FIELDS:
            return
        values, unreadable = parse_samples(lines, rows, n_fields=n_fields, n_columns=needed)
        self.counts["unreadable_cells"] += unreadable
        at: slice | IntArray = slice(None) if len(rows) == len(lines) else rows
        part["t"][at] = values[0]
        for i, eye in enumerate(eyes):
            part[f"xy {eye}"][at, 0], part[f"xy {eye}"][at, 1] = values[1 + 3 * i : 3 + 3 * i]
            pupil = values[3 + 3 * i]
            # A lost pupil is written as 0.0.
            part[f"pupil {eye}"][at] = np.where(pupil == 0, np.nan, pupil)

    def close(self, name: str, headers: Sequence[Header]) -> None:
        """Judge rows by their stretches; rows to be left out lose their stamp, and are counted."""
        self.t, n_fields = self._gathered.array("t"), self._gathered.array("fields")
        for eye in self._eyes:
            self.xy[eye] = self._gathered.array(f"xy {eye}")
            self.pupil[eye] = self._gathered.array(f"pupil {eye}")
        stretches = _stretches(headers, self.n)
        self.plane = _main_plane(name, stretches, headers)
        left_out = np.zeros(self.n, dtype=bool)
        for header, a, b in stretches:
            if header.plane != self.plane:
                self.counts[f"samples_in_{header.plane}"] += b - a
                left_out[a:b] = True
                continue
            left_out[a:b] = _ragged(name, n_fields[a:b], header)
            self.counts["ragged_rows"] += int(left_out[a:b].sum())
        del n_fields
        self.counts["no_time"] += int((~np.isfinite(self.t) & ~left_out).sum())
        self.t[left_out | ~np.isfinite(self.t)] = np.nan
        self._drop_unused_eyes(stretches, headers)
        self._spread_pairs(stretches)

    def _drop_unused_eyes(
        self, stretches: Sequence[tuple[Header, int, int]], headers: Sequence[Header]
    ) -> None:
        """An eye that a header names and no sample follows is none of the recording's."""
        used = {eye for header, _, _ in stretches for eye in header.eyes} or headers[-1].eyes
        eyes = [eye for eye in ("left", "right") if eye in used]
        self.xy = {eye: self.xy.get(eye, np.empty((0, 2))) for eye in eyes}
        self.pupil = {eye: self.pupil.get(eye, np.empty(0)) for eye in eyes}

    def _spread_pairs(self, stretches: Sequence[tuple[Header, int, int]]) -> None:
        """Above 1000 Hz a stamp in whole ms can stand twice; put the second one a sample later."""
        spread = 0
        for header, a, b in stretches:
            if not header.rate_hz > 1000:
                continue
            second = np.zeros(b - a, dtype=bool)
            second[1:] = np.diff(self.t[a:b]) == 0
            second[1:] &= ~second[:-1]
            self.t[a:b] += np.where(second, 1000 / header.rate_hz, 0.0)
            spread += int(second.sum())
        if spread:
            self.notes.append(
                f"{spread} samples repeat the millisecond of the one before; "
                "they were put one sample interval later, none is lost"
            )

    def drop_left_out(self) -> None:
        """Let go of the rows without a stamp."""
        kept = np.isfinite(self.t)
        if kept.all():
            return
        self.t = self.t[kept]
        for eye in self.xy:
            self.xy[eye] = self.xy[eye][kept]
            self.pupil[eye] = self.pupil[eye][kept]
        self.n = len(self.t)


def _unknown(*shape: int) -> FloatArray:
    return np.full(shape, np.nan)


def _groups(
    lines: Lines, headers: Sequence[Header], begin: int
) -> dict[tuple[tuple[str, ...], int], IntArray]:
    """Rows of equal eyes and equal number of fields: what is parsed in one go."""
    parts: dict[tuple[tuple[str, ...], int], list[IntArray]] = {}
    edges = [max(header.row, begin) for header in headers[1:]] + [begin + len(lines)]
    a = begin
    for header, b in zip(headers, edges, strict=True):
        fields = lines.n_fields[a - begin : b - begin]
        for n_fields in np.unique(fields).tolist():
            rows = np.flatnonzero(fields == n_fields) + (a - begin)
            parts.setdefault((header.eyes, n_fields), []).append(rows)
        a = b
    return {key: np.concatenate(rows) for key, rows in parts.items()}


def _stretches(headers: Sequence[Header], n: int) -> list[tuple[Header, int, int]]:
    """Header and sample rows ``[a, b)`` of each stretch that holds samples."""
    # Samples before the first header can only be of the recording it opens.
    starts = [0] + [header.row for header in headers[1:]]
    ends = [*starts[1:], n]
    return [(h, a, b) for h, a, b in zip(headers, starts, ends, strict=True) if b > a]


def _main_plane(
    name: str, stretches: Sequence[tuple[Header, int, int]], headers: Sequence[Header]
) -> str:
    rows = Counter[str]()
    for header, a, b in stretches:
        rows[header.plane] += b - a
    plane = rows.most_common(1)[0][0] if rows else headers[-1].plane
    if plane not in PLANES:
        raise FormatError(
            f"{name} holds samples of the kind {plane}, expected GAZE (or HREF); "
            "convert the .edf again with edf2asc -sg"
        )
    return plane


def _ragged(name: str, n_fields: npt.NDArray[np.uint8], header: Header) -> BoolArray:
    """Which lines do not have the usual number of fields.

    The header may announce a remote target that the lines do not have: the lines decide.
    """
    usual = int(np.bincount(n_fields).argmax())
    if usual < 1 + 3 * len(header.eyes):
        raise FormatError(
            f"{name}: sample lines have {usual} fields, expected {1 + 3 * len(header.eyes)} or "
            f"more for {' and '.join(header.eyes)}; convert the .edf again"
        )
    ragged: BoolArray = n_fields != usual
    return ragged
