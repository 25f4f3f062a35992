"""The eyes of an iTrace session: each eye's px where the file has them, else the mean it wrote."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from gazecode.readers.tools.xml import Columns

__all__ = ["both_or_neither", "eyes_of_core"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Eyes = dict[str, FloatArray]

_NEAR_PX = 5.0


def eyes_of_core(core: Columns, counts: Counter[str]) -> tuple[Eyes, Eyes, list[str]]:
    """Coordinates and pupil per eye; both eyes' mean where the file has no more.

    Parameters
    ----------
    core
        ``mean``, ``left``, ``right`` ``(n, 2)``, ``<eye>_pupil_diameter`` and
        ``<eye>_validation``; taken out of it, so that nothing is held twice.
    counts
        Added to: `neither_eye_valid`, `invalid_left`, `invalid_right`, `one_eye`.
    """
    mean = core.pop("mean")
    if "left" not in core:
        return {"both": mean}, {}, []
    xy = {eye: core.pop(eye) for eye in ("left", "right")}
    valid = {eye: core.pop(f"{eye}_validation") for eye in xy}
    pupil = {eye: core.pop(f"{eye}_pupil_diameter") for eye in xy}
    if not _in_pixels(mean, xy, valid):
        xy.clear()
        note = "the eyes' own positions are no px of x, y; their mean is"
        mean[~both_or_neither(valid["left"], valid["right"], counts)] = np.nan
        return {"both": mean}, {"both": (pupil["left"] + pupil["right"]) / 2}, [note]
    counts["neither_eye_valid"] = int((~valid["left"] & ~valid["right"]).sum())
    for eye, points in xy.items():
        counts[f"invalid_{eye}"] = int((~valid[eye]).sum())
        points[~valid[eye]] = np.nan
        pupil[eye][~(valid[eye] & (pupil[eye] > 0))] = np.nan
    return xy, pupil, []


def both_or_neither(left: BoolArray, right: BoolArray, counts: Counter[str]) -> BoolArray:
    """Which means of the eyes are means of two.

    Where one eye is lost, the "mean" holds the other eye alone and jumps: it is lost, too. A
    recording of one eye keeps that eye.
    """
    both = left & right
    counts["neither_eye_valid"] += int((~left & ~right).sum())
    if not both.any():
        return left | right
    counts["one_eye"] += int((left ^ right).sum())
    return both


def _in_pixels(mean: FloatArray, xy: Eyes, valid: dict[str, BoolArray]) -> bool:
    """Whether the middle of the eyes is the px that core itself gives."""
    both = valid["left"] & valid["right"]
    if not both.any():
        return bool(np.isfinite(xy["left"]).any() or np.isfinite(xy["right"]).any())
    off = np.abs((xy["left"][both] + xy["right"][both]) / 2 - mean[both])
    off = off[np.isfinite(off).all(axis=1)]
    return bool(np.median(off) <= _NEAR_PX) if len(off) else False
