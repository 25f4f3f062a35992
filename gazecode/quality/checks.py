"""Checks of the tracker: which one speaks for a stretch of gaze, and what it says.

A check is one validation, of one eye or of both: validations of the same source whose eyes differ
and that lie within 10 s. The last check before a stretch speaks for it; where there is none, the
first one after it. What was measured on a study's targets goes before what the device says of
itself; both are given, apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.model import Screen, Validation
from gazecode.model.checks import FloatArray
from gazecode.quality.accuracy import CHECK_GAP_MS, offsets_deg
from gazecode.units import px_to_deg

__all__ = ["UNKNOWN", "WORDS", "Check", "accuracy_figures", "applying", "checks_of", "listed"]

UNKNOWN = "unknown"
WORDS = {"study": "measured on targets", "device": "stated by the device"}
"""Source of a validation → what a report says of the accuracy."""
_BOTH = ("mean", "both")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One check of the tracker.

    Attributes
    ----------
    t_ms, source
        When the first eye was checked; ``device`` or ``study``.
    validations
        That of both eyes joined where there is one, else one per eye.
    deg
        ``(k, 3)`` offset, azimuth, elevation of every target and eye; NaN where not known.
    offset_px
        ``(k, 2)`` gaze minus target in the plane's unit; NaN where not known.
    mean_deg, max_deg
        Over targets, then over eyes; as the device states them, if it does.
    """

    t_ms: float
    source: str
    validations: Sequence[Validation]
    deg: FloatArray
    offset_px: FloatArray
    mean_deg: float
    max_deg: float

    @property
    def vector_deg(self) -> FloatArray:
        """``(2,)`` mean azimuth and elevation of the offset."""
        return _mean(self.deg[:, 1:])

    @property
    def vector_px(self) -> FloatArray:
        """``(2,)`` mean offset in the plane's unit."""
        return _mean(self.offset_px)


def checks_of(validations: Sequence[Validation], screen: Screen | None) -> list[Check]:
    """Group validations into checks, in order of time; those of a source follow each other."""
    found: list[Check] = []
    for source in dict.fromkeys(v.source for v in validations):
        group: list[Validation] = []
        for one in sorted((v for v in validations if v.source == source), key=lambda v: v.t_ms):
            again = any(one.eye == other.eye for other in group)
            if group and (again or one.t_ms - group[0].t_ms > CHECK_GAP_MS):
                found.append(_check(group, screen))
                group = []
            group.append(one)
        found.append(_check(group, screen))
    return found


def _check(group: Sequence[Validation], screen: Screen | None) -> Check:
    chosen = [v for v in group if v.eye in _BOTH][:1] or list(group)
    deg = [_degrees(v, screen) for v in chosen]
    each = [
        v.mean_deg if v.mean_deg is not None else _nanmean(d[:, 0]) for v, d in _zip(chosen, deg)
    ]
    worst = [v.max_deg if v.max_deg is not None else _nanmax(d[:, 0]) for v, d in _zip(chosen, deg)]
    return Check(
        t_ms=min(v.t_ms for v in group),
        source=group[0].source,
        validations=chosen,
        deg=np.concatenate(deg),
        offset_px=np.concatenate([v.offset_xy_px for v in chosen]),
        mean_deg=_nanmean(np.array(each, dtype=np.float64)),
        max_deg=_nanmax(np.array(worst, dtype=np.float64)),
    )


def _zip(
    validations: Sequence[Validation], deg: Sequence[FloatArray]
) -> "zip[tuple[Validation, FloatArray]]":
    return zip(validations, deg, strict=True)


def _degrees(validation: Validation, screen: Screen | None) -> FloatArray:
    """Offset, azimuth and elevation per target; the offset as the device states it, if it does."""
    gaze = validation.target_xy_px + validation.offset_xy_px
    found = offsets_deg(validation.target_xy_px, gaze, screen)
    if np.isnan(found).all() and screen is not None and screen.has_geometry:
        # Without places of targets: as if they were in the middle of the screen.
        middle = np.array([screen.width_px, screen.height_px]) / 2
        found[:, 1:] = px_to_deg(validation.offset_xy_px + middle, screen)
        found[:, 0] = np.hypot(found[:, 1], found[:, 2])
    stated = ~np.isnan(validation.offset_deg)
    found[stated, 0] = validation.offset_deg[stated]
    return found


def applying(checks: Sequence[Check], onset_ms: float, *, source: str) -> Check | None:
    """The check of a source that speaks for a stretch: the last before it, else the first after."""
    own = [check for check in checks if check.source == source and _says(check)]
    before = [check for check in own if check.t_ms <= onset_ms]
    return (before[-1] if before else own[0]) if own else None


def _says(check: Check) -> bool:
    return not math.isnan(check.mean_deg) or not np.isnan(check.offset_px).all()


def accuracy_figures(
    checks: Sequence[Check], onsets_ms: Sequence[float], *, unit: str
) -> dict[str, Any]:
    """What the checks say of some stretches, by their onsets; several checks are averaged.

    Parameters
    ----------
    unit
        Of the plane: px, fraction or href.
    """
    spoken = {
        source: _distinct(applying(checks, onset, source=source) for onset in onsets_ms)
        for source in ("study", "device")
    }
    source = next((name for name, found in spoken.items() if found), None)
    chosen = spoken[source] if source else []
    figures: dict[str, Any] = {
        "accuracy": WORDS[source] if source else UNKNOWN,
        "accuracy_checks": len(chosen),
        "accuracy_targets": sum(len(v) for check in chosen for v in check.validations),
        "accuracy_after": bool(chosen) and all(c.t_ms > max(onsets_ms) for c in chosen),
        "accuracy_deg": _of([c.mean_deg for c in chosen]),
        "accuracy_measured_deg": _of([c.mean_deg for c in spoken["study"]]),
        "accuracy_device_deg": _of([c.mean_deg for c in spoken["device"]]),
        "accuracy_max_deg": _nanmax(np.array([c.max_deg for c in chosen])),
    }
    deg = np.concatenate([np.empty((0, 3)), *(c.deg for c in chosen)])
    px = np.concatenate([np.empty((0, 2)), *(c.offset_px for c in chosen)])
    return figures | {
        "accuracy_median_deg": _nanmedian(deg[:, 0]),
        "accuracy_azimuth_deg": _nanmean(deg[:, 1]),
        "accuracy_elevation_deg": _nanmean(deg[:, 2]),
        f"accuracy_{unit}": _nanmean(np.hypot(px[:, 0], px[:, 1])),
        f"accuracy_max_{unit}": _nanmax(np.hypot(px[:, 0], px[:, 1])),
        f"accuracy_x_rms_{unit}": math.sqrt(_nanmean(px[:, 0] ** 2)),
        f"accuracy_y_rms_{unit}": math.sqrt(_nanmean(px[:, 1] ** 2)),
    }


def listed(
    validations: Sequence[Validation], screen: Screen | None, *, unit: str
) -> list[Mapping[str, Any]]:
    """Every validation with its targets, for JSON; NaN where not known."""
    return [_listed(one, screen, unit) for one in validations]


def _listed(one: Validation, screen: Screen | None, unit: str) -> dict[str, Any]:
    deg, px = _degrees(one, screen), one.offset_xy_px
    length = np.hypot(px[:, 0], px[:, 1])
    return {
        "t_ms": one.t_ms,
        "eye": one.eye,
        "source": one.source,
        "verdict": one.verdict,
        "mean_deg": one.mean_deg if one.mean_deg is not None else _nanmean(deg[:, 0]),
        "median_deg": _nanmedian(deg[:, 0]),
        "max_deg": one.max_deg if one.max_deg is not None else _nanmax(deg[:, 0]),
        f"mean_{unit}": _nanmean(length),
        f"max_{unit}": _nanmax(length),
        "targets": [
            {
                f"x_{unit}": float(one.target_xy_px[i, 0]),
                f"y_{unit}": float(one.target_xy_px[i, 1]),
                "offset_deg": float(deg[i, 0]),
                "azimuth_deg": float(deg[i, 1]),
                "elevation_deg": float(deg[i, 2]),
                f"offset_x_{unit}": float(px[i, 0]),
                f"offset_y_{unit}": float(px[i, 1]),
                f"offset_{unit}": float(length[i]),
            }
            for i in range(len(one))
        ],
    }


def _distinct(found: Any) -> list[Check]:
    return list({id(check): check for check in found if check is not None}.values())


def _of(values: Sequence[float]) -> float:
    return _nanmean(np.array(values, dtype=np.float64))


def _mean(rows: FloatArray) -> FloatArray:
    known = rows[~np.isnan(rows).any(axis=1)]
    mean: FloatArray = known.mean(axis=0) if len(known) else np.full(rows.shape[1], np.nan)
    return mean


def _nanmean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _nanmax(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else math.nan


def _nanmedian(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan
