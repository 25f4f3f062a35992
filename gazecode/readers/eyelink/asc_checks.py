"""The tracker's own checks in an EyeLink ``.asc``: calibrations, validations, drift checks.

``!CAL VALIDATION`` sums up a validation of one eye; the ``VALIDATE`` lines after it hold its
targets. ``OFFSET d deg. dx,dy pix.`` is gaze minus target. SR Research's manuals do not state the
sign; it was measured: in 48 ``DRIFTCORRECT`` lines of eight recordings, written the same way, gaze
right after lies at target plus offset (median distance 5 px, target minus offset 28 px). MNE-Python
reads it likewise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.model import Validation

__all__ = ["Checks"]

_LONGEST = 300
"""No such line is longer; a longer message is not searched."""
_CALIBRATION = re.compile(r"!CAL CALIBRATION (\S+)\s+(\S+)\s+(LEFT|RIGHT)\s+(\S+)")
_VALIDATION = re.compile(r"!CAL VALIDATION (\S+)\s+(\S+)\s+(LEFT|RIGHT)\s+(\S+)")
_ABORTED = re.compile(r"!CAL (CALIBRATION|VALIDATION) (?:(\S+) )?(L|R|LR)\s+ABORTED")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_ERROR = re.compile(
    rf"ERROR {_NUMBER} avg\. {_NUMBER} max\s+OFFSET {_NUMBER} deg\.\s+{_NUMBER},{_NUMBER} pix"
)
_POINT = re.compile(
    rf"(VALIDATE|DRIFTCORRECT) \S+ (?:\d*POINT (\d+)\s+)?(LEFT|RIGHT)\s+"
    rf"at {_NUMBER},{_NUMBER}\s+OFFSET {_NUMBER} deg\.\s+{_NUMBER},{_NUMBER} pix"
)
_EYES = {"L": ("left",), "R": ("right",), "LR": ("left", "right")}


@dataclass
class _Open:
    """A validation of one eye whose points are still coming."""

    t: float
    eye: str
    summary: dict[str, Any]
    numbers: set[int] = field(default_factory=set)
    points: list[tuple[float, ...]] = field(default_factory=list)


@dataclass
class Checks:
    """What the messages say of the tracker's accuracy, on the tracker's clock."""

    calibrations: list[dict[str, Any]] = field(default_factory=list)
    drift_checks: list[dict[str, Any]] = field(default_factory=list)
    _validations: list[_Open] = field(default_factory=list)

    def add(self, t: float, text: str) -> None:
        """Take in one message; any other than a check's is passed over."""
        if not text.startswith(("!CAL ", "VALIDATE ", "DRIFTCORRECT ")) or len(text) > _LONGEST:
            return
        if found := _POINT.match(text):
            self._add_point(t, found)
        elif found := _ABORTED.match(text):
            self._add_aborted(t, found)
        elif found := _CALIBRATION.match(text):
            self.calibrations.append({"t": t} | _result(found))
        elif found := _VALIDATION.match(text):
            summary = _result(found) | _errors(text)
            self._validations.append(_Open(t, summary["eye"], summary))

    def _add_point(self, t: float, found: re.Match[str]) -> None:
        eye = found[3].lower()
        values = tuple(float(value) for value in found.groups()[3:])
        if found[1] == "DRIFTCORRECT":
            x, y, deg, dx, dy = values
            row = {"t": t, "eye": eye, "target_px": [x, y], "offset_deg": deg}
            self.drift_checks.append(row | {"offset_px": [dx, dy]})
            return
        number = int(found[2] or 0)
        of_eye = next((v for v in reversed(self._validations) if v.eye == eye), None)
        # A point that comes again is of another validation, whose summary is missing.
        if of_eye is None or number in of_eye.numbers:
            of_eye = _Open(t, eye, {})
            self._validations.append(of_eye)
        of_eye.numbers.add(number)
        of_eye.points.append(values)

    def _add_aborted(self, t: float, found: re.Match[str]) -> None:
        for eye in _EYES[found[3]]:
            row = {"type": found[2] or "", "eye": eye, "result": "ABORTED"}
            if found[1] == "CALIBRATION":
                self.calibrations.append({"t": t} | row)
            else:
                self._validations.append(_Open(t, eye, row))

    def summaries(self) -> list[dict[str, Any]]:
        """One row per validation and eye that has a summary."""
        return [{"t": v.t} | v.summary for v in self._validations if v.summary]

    def validations(self, origin: float, corners: Sequence[float] | None) -> list[Validation]:
        """One `Validation` per validation and eye, ms from `origin`.

        Parameters
        ----------
        corners
            left, top, right, bottom of the coordinates, px; None where gaze is not px: places and
            offsets are NaN then, for they are px all the same.
        """
        return [_validation(v, origin, corners) for v in self._validations]


def _result(found: re.Match[str]) -> dict[str, Any]:
    return {"type": found[1], "eye": found[3].lower(), "result": found[4]}


def _errors(text: str) -> dict[str, Any]:
    error = _ERROR.search(text)
    if not error:
        return {}
    average, largest, offset, dx, dy = (float(value) for value in error.groups())
    return {
        "error_avg_deg": average,
        "error_max_deg": largest,
        "offset_deg": offset,
        "offset_px": [dx, dy],
    }


def _validation(check: _Open, origin: float, corners: Sequence[float] | None) -> Validation:
    points = np.array(check.points, dtype=np.float64).reshape(-1, 5)
    target, offset = points[:, :2], points[:, 3:]
    if corners is None:
        target, offset = np.full_like(target, np.nan), np.full_like(offset, np.nan)
    else:
        left, top, right, bottom = corners
        sign = np.where([right < left, bottom < top], -1.0, 1.0)
        target, offset = (target - [left, top]) * sign, offset * sign
    return Validation(
        t_ms=check.t - origin,
        eye=check.eye,
        target_xy_px=target,
        offset_xy_px=offset,
        offset_deg=points[:, 2],
        mean_deg=check.summary.get("error_avg_deg"),
        max_deg=check.summary.get("error_max_deg"),
        verdict=check.summary.get("result", ""),
    )
