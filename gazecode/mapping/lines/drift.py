"""How far a trial's gaze is off, from the text itself or from targets that were looked at.

From the text: a common offset, or an affine error, is found under which fixations lie on lines and
within their extents (`gazecode.mapping.lines.surface`); several trials of one session are stronger
evidence than one. From targets: a cross between trials has a known place, and what was looked at
instead is the error at that time; between two crosses it is interpolated.

A `Drift` is a value beside the gaze. It is applied by name and gives new events that keep what was
recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.lines.candidates import Area, Candidates, area_of, candidates
from gazecode.mapping.lines.geometry import Lines
from gazecode.mapping.lines.surface import fit
from gazecode.mapping.view import place
from gazecode.model import Events, Layout
from gazecode.model.checks import Array, FloatArray, column, same_length
from gazecode.registry import check_parameters

__all__ = ["DRIFT_MODELS", "Drift", "Target", "estimate_drift", "measure_drift"]

DRIFT_MODELS = ("offset", "affine")
_LEAST_LINES = 1e-3
_ROUNDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A point that was to be looked at: from when to when, ms, and where, px."""

    onset_ms: float
    offset_ms: float
    xy_px: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drift:
    """What was recorded minus where gaze was.

    ``y_recorded = y + offset_y(t) + (scale - 1) (y - origin_y) + slope (x - origin_x)``, and
    ``x_recorded = x + offset_x(t)``.

    Attributes
    ----------
    model
        offset, affine (found on text), or targets (measured); "none" if nothing was found.
    t_ms, offset_px
        ``(k,)`` and ``(k, 2)``: offset at some times, linear between them, constant outside.
    scale, slope
        Error that grows down the text (1: none) and along the line (px in y per px in x).
    origin_px
        ``x y`` where both have no effect: the middle of the text.
    confidence
        Found on text: how probable this drift is among all that were tried. Measured: share of
        the targets that were looked at.
    gain
        Log evidence over no drift at all (tempered, see `gazecode.mapping.lines.surface`); NaN
        where the drift was measured.
    n_fixations
        How many it rests on.
    """

    model: str
    t_ms: FloatArray
    offset_px: FloatArray
    scale: float = 1.0
    slope: float = 0.0
    origin_px: tuple[float, float] = (0.0, 0.0)
    confidence: float
    gain: float = np.nan
    n_fixations: int

    def __post_init__(self) -> None:
        column(self, "t_ms", np.float64)
        column(self, "offset_px", np.float64, width=2)
        if not same_length(self, "t_ms", "offset_px"):
            raise DataError("a drift has no offset; expected one at least")
        if not self.scale > 0:
            raise DataError(f"a drift has scale {self.scale}; expected more than 0")

    def offset_at(self, t_ms: FloatArray) -> FloatArray:
        """``(n, 2)`` offset at some times, px."""
        x, y = (np.interp(t_ms, self.t_ms, values) for values in self.offset_px.T)
        return np.stack([x, y], axis=1)

    def apply(self, events: Events) -> Events:
        """New events without this drift; `recorded_xy_px` keeps the places as they were.

        >>> drift = Drift(
        ...     model="offset", t_ms=[0], offset_px=[[0, 8]], confidence=1.0, n_fixations=9
        ... )
        >>> one = Events(kind=["fixation"], onset_ms=[0], offset_ms=[9], xy_px=[[5, 20]])
        >>> drift.apply(one).xy_px, drift.apply(one).recorded_xy_px
        (array([[ 5., 12.]]), array([[ 5., 20.]]))
        """
        end = events.end_xy_px
        return replace(
            events,
            xy_px=self._undone(events.xy_px, events.onset_ms),
            end_xy_px=None if end is None else self._undone(end, events.offset_ms),
            recorded_xy_px=events.xy_px if events.recorded_xy_px is None else events.recorded_xy_px,
        )

    def _undone(self, xy_px: FloatArray, t_ms: FloatArray) -> FloatArray:
        xy = xy_px - self.offset_at(t_ms)
        x0, y0 = self.origin_px
        xy[:, 1] = y0 + (xy[:, 1] - y0 - self.slope * (xy[:, 0] - x0)) / self.scale
        return xy


def estimate_drift(
    fixations: Events | Sequence[Events],
    layout: Layout | Sequence[Layout],
    *,
    model: str = "offset",
    noise_lines: float = 0.3,
    edge_lines: float = 0.25,
    line_cost: float = 0.0,
) -> Drift:
    """Find the vertical drift under which gaze lies on the lines of the text.

    Parameters
    ----------
    fixations, layout
        Of one trial, or of several that share a calibration: they then have one drift, and there
        is more to find it by.
    model
        offset, or affine (with `scale` and `slope`).
    noise_lines, edge_lines, line_cost
        As for `gazecode.mapping.lines.jumps.jumps`; here a shift by a line is not made harder, as
        who asks for a drift expects one.

    Returns
    -------
    Drift
        ``model="none"`` with offset 0 if no drift explains gaze better than the recorded places.

    Raises
    ------
    ParameterError
        An unknown model.
    DataError
        No fixation on the text's screen, no text, or unequal numbers of trials and layouts.

    Examples
    --------
    >>> layout = Layout(
    ...     boxes=[[0, 0, 300, 20], [60, 90, 200, 110], [0, 180, 120, 200]],
    ...     token=[0, 1, 2],
    ...     line=[0, 3, 6],
    ...     n_tokens=3,
    ...     line_height_px=30,
    ... )
    >>> x, y = np.tile([100.0, 150.0, 100.0], 40), np.tile([10.0, 100.0, 190.0], 40)
    >>> onset = np.arange(120) * 300.0
    >>> recorded = Events(
    ...     kind=["fixation"] * 120,
    ...     onset_ms=onset,
    ...     offset_ms=onset + 250,
    ...     xy_px=np.stack([x, y + 16], axis=1),
    ... )
    >>> estimate_drift(recorded, layout).offset_px.round()
    array([[ 0., 16.]])
    """
    if model not in DRIFT_MODELS:
        raise ParameterError.unknown("drift", model, DRIFT_MODELS)
    given = {"noise_lines": noise_lines, "edge_lines": edge_lines, "line_cost": line_cost}
    check_parameters(estimate_drift, given, name="estimate_drift")
    for name, value in given.items():
        if not np.isfinite(value) or (value <= 0 and name != "line_cost"):
            wanted = "a number" if name == "line_cost" else "a number above 0"
            raise ParameterError(f"{name} is {value!r}; expected {wanted}")
    trials, layouts = _several(fixations, Events), _several(layout, Layout)
    if len(trials) != len(layouts):
        raise DataError(f"{len(trials)} trials and {len(layouts)} layouts; expected as many")
    texts = [Lines.of(one) for one in layouts]
    if not texts or not all(len(lines) for lines in texts):
        raise DataError("a layout shows no text; expected at least one box of a token in each")
    areas = np.array([area_of(lines) for lines in texts])
    area = (*areas[:, :2].min(axis=0).tolist(), *areas[:, 2:].max(axis=0).tolist())
    seen = _joined(trials, layouts, texts, area, edge_lines)
    modes = fit(
        seen,
        model=model,
        noise_lines=noise_lines,
        line_cost=line_cost,
        rounds=_ROUNDS,
        in_parts=False,
    )
    none = fit(seen, model="none", noise_lines=noise_lines, in_parts=False).log_evidence[0]
    gain = float(modes.log_evidence[0] - none)
    # Starts at no drift end at no drift: what is left of them is rounding.
    moved = gain > 0 and bool(np.abs(modes.weights[0]).max() > _LEAST_LINES)
    offset, shear, scale = (modes.weights[0, :3] * texts[0].pitch_px * moved).tolist()
    width, height = (half * texts[0].pitch_px for half in seen.half_size)
    affine = model == "affine"
    return Drift(
        model=model if moved else "none",
        t_ms=np.zeros(1),
        offset_px=np.array([[0.0, offset]]),
        slope=shear / width if affine else 0.0,
        scale=1 + scale / height if affine else 1.0,
        origin_px=((area[0] + area[2]) / 2, (area[1] + area[3]) / 2),
        confidence=float(modes.probability[0]),
        gain=gain if moved else 0.0,
        n_fixations=len(seen.along),
    )


def _several(one: object, kind: type) -> list:  # type: ignore[type-arg]
    return [one] if isinstance(one, kind) else list(one)  # type: ignore[call-overload]


def _joined(
    trials: list[Events], layouts: list[Layout], texts: list[Lines], area: Area, edge_lines: float
) -> Candidates:
    """Fixations of all trials with their own lines, in the first text's pitch."""
    pitch = texts[0].pitch_px
    parts = []
    for events, layout, lines in zip(trials, layouts, texts, strict=True):
        where = place(events, layout)
        same = replace(lines, pitch_px=pitch)
        parts.append(candidates(where.xy_px[where.shown], same, edge_lines=edge_lines, area=area))
    size = max(part.line.shape[1] for part in parts)
    seen = Candidates(
        line=np.concatenate([_wider(part.line, size, 0) for part in parts]),
        above=np.concatenate([_wider(part.above, size, 1e3) for part in parts]),
        down=np.concatenate([_wider(part.down, size, 0) for part in parts]),
        fit_x=np.concatenate([_wider(part.fit_x, size, 0) for part in parts]),
        along=np.concatenate([part.along for part in parts]),
        half_size=parts[0].half_size,
    )
    if not len(seen.along):
        raise DataError("no fixation lies on the text's screen; expected one at least")
    return seen


def _wider(values: Array, size: int, fill: float) -> Array:
    """Columns up to a size: candidates that nothing belongs to."""
    missing = size - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=fill)


def measure_drift(
    fixations: Events, targets: Sequence[Target], *, max_offset_px: float = 150.0
) -> Drift:
    """Measure the offset on targets that were looked at between trials.

    Of the fixations that overlap a target's interval, the one that does so longest answers it, if
    it is near enough; the first moments after a target appears are spent on the way to it.

    Parameters
    ----------
    max_offset_px
        A fixation farther from the target did not mean it; such targets count as missed.

    Returns
    -------
    Drift
        Offset at the middle of each target's interval; `confidence` is the share answered.

    Raises
    ------
    DataError
        No target, or none that was looked at.

    Examples
    --------
    >>> crosses = [
    ...     Target(onset_ms=0, offset_ms=500, xy_px=(500, 400)),
    ...     Target(onset_ms=10_000, offset_ms=10_500, xy_px=(500, 400)),
    ... ]
    >>> fixations = Events(
    ...     kind=["fixation"] * 3,
    ...     onset_ms=[50, 5000, 10_100],
    ...     offset_ms=[450, 5300, 10_500],
    ...     xy_px=[[502, 410], [100, 100], [504, 430]],
    ... )
    >>> drift = measure_drift(fixations, crosses)
    >>> drift.offset_px[:, 1], drift.offset_at(np.array([5250.0]))
    (array([10., 30.]), array([[ 3., 20.]]))
    """
    if not targets:
        raise DataError("no target to measure drift on; expected one at least")
    found = []
    for target in sorted(targets, key=lambda one: one.onset_ms):
        overlap = np.minimum(fixations.offset_ms, target.offset_ms) - np.maximum(
            fixations.onset_ms, target.onset_ms
        )
        apart = fixations.xy_px - np.array(target.xy_px)
        overlap = np.where(np.hypot(*apart.T) <= max_offset_px, overlap, 0.0)
        if len(overlap) and overlap.max() > 0:
            middle = (target.onset_ms + target.offset_ms) / 2
            found.append((middle, *apart[overlap.argmax()].tolist()))
    if not found:
        raise DataError(
            f"none of {len(targets)} targets has a fixation within {max_offset_px:g} px; "
            "expected one at least: are times on the recording's clock?"
        )
    rows = np.array(found)
    return Drift(
        model="targets",
        t_ms=rows[:, 0],
        offset_px=rows[:, 1:],
        confidence=len(found) / len(targets),
        n_fixations=len(found),
    )
