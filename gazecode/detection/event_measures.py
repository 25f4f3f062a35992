"""What each event was like: how far, how fast, how spread out; all events in a few array passes.

Angles are those of `gazecode.units`: exact where the screen's geometry is known, else px over
`px_per_deg`. Amplitude, dispersion and peak speed are the common measures of event classifiers (D.
D. Salvucci and J. H. Goldberg 2000, doi:10.1145/355017.355028; K. Holmqvist et al. 2011, *Eye
Tracking*, Oxford University Press); the measures of precision have the definitions of
`gazecode.quality`, taken over the samples of one event.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gazecode.detection.limits import above_zero, at_least_zero
from gazecode.detection.segments import MIN_GAP_MS, Runs, find_runs
from gazecode.detection.smoothing import smooth
from gazecode.detection.velocity import Directions, directions
from gazecode.errors import DataError
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import FloatArray, IntArray, StrArray, column, same_length
from gazecode.units import DEFAULT_PX_PER_DEG, angle_deg, px_to_deg

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EventMeasures", "event_measures"]

BCEA_SHARE = 0.68
SMALL_RAD = 0.005
"""Half a step below this: what the series leave out is below 1e-10 of it."""
_FLOATS = (
    *("onset_ms", "offset_ms", "duration_ms", "share_lost", "amplitude_deg", "direction_deg"),
    *("path_deg", "peak_speed_deg_s", "mean_speed_deg_s", "peak_acceleration_deg_s2"),
    *("dispersion_deg", "std_deg", "rms_s2s_deg", "bcea_deg2"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventMeasures:
    """One row per event, in the order of the events.

    Attributes
    ----------
    kind, onset_ms, offset_ms, duration_ms
        ``(k,)`` of the events; ``duration = offset - onset``.
    n_samples, share_lost
        ``(k,)`` samples in ``[first, last)``, and the share of them that are lost; NaN for an
        event that holds no sample. Every other measure is over the valid ones.
    mean_xy_px
        ``(k, 2)`` their mean place.
    amplitude_deg, direction_deg
        ``(k,)`` from the first valid sample to the end: `Events.end_xy_px` where it is known (a
        saccade's landing place), else the last valid sample. Direction is 0 to the right, 90 up,
        from -180 to 180; NaN where the amplitude is 0.
    path_deg
        ``(k,)`` sum of the distances between successive valid samples, straight over a loss.
    peak_speed_deg_s, mean_speed_deg_s, peak_acceleration_deg_s2
        ``(k,)`` of a quadratic fitted around each sample; a window reaches beyond the event and
        never beyond the run. NaN where no sample has one.
    dispersion_deg
        ``(k,)`` range of azimuth + range of elevation (Salvucci & Goldberg).
    std_deg, rms_s2s_deg, bcea_deg2
        ``(k,)`` as `gazecode.quality.std` (divided by n), `rms_s2s` (successive samples that are
        both valid and not across a gap; NaN without such a pair) and `bcea` (P = 0.68, divided by
        n - 1; NaN for fewer than two valid samples).
    """

    kind: StrArray
    onset_ms: FloatArray
    offset_ms: FloatArray
    duration_ms: FloatArray
    n_samples: IntArray
    share_lost: FloatArray
    mean_xy_px: FloatArray
    amplitude_deg: FloatArray
    direction_deg: FloatArray
    path_deg: FloatArray
    peak_speed_deg_s: FloatArray
    mean_speed_deg_s: FloatArray
    peak_acceleration_deg_s2: FloatArray
    dispersion_deg: FloatArray
    std_deg: FloatArray
    rms_s2s_deg: FloatArray
    bcea_deg2: FloatArray

    def __post_init__(self) -> None:
        column(self, "kind", object)
        column(self, "n_samples", np.int64)
        column(self, "mean_xy_px", np.float64, width=2)
        for name in _FLOATS:
            column(self, name, np.float64)
        same_length(self, *self.__dataclass_fields__)

    def __len__(self) -> int:
        return len(self.onset_ms)

    def to_frame(self) -> "pd.DataFrame":
        """One row per event, one column per measure; the mean place as mean_x_px, mean_y_px."""
        import pandas as pd

        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["kind"] = self.kind.astype(str)
        place = data.pop("mean_xy_px")
        return pd.DataFrame(data | {"mean_x_px": place[:, 0], "mean_y_px": place[:, 1]})


def event_measures(
    events: Events,
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    velocity_window_ms: float = 20.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> EventMeasures:
    """Measure every event over its samples.

    Parameters
    ----------
    events
        Of any kind and from any detector or device; they may overlap. Those with `first` and
        `last` are taken at their word, others hold the samples with ``onset <= t < offset``.
    samples
        The gaze the events were found in, on any clock.
    screen, px_per_deg
        With millimetres and distance angles are exact; otherwise `px_per_deg` holds everywhere.
    breaks_ms, min_gap_ms
        What no velocity window and no successive pair crosses, as for the detectors.
    velocity_window_ms
        Window of the quadratic behind speed and acceleration; at least three samples.

    Returns
    -------
    EventMeasures
        NaN where a measure is undefined: an event without valid samples has none but its times.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    DataError
        `first` and `last` reach beyond the samples: the events are of another recording.

    Examples
    --------
    >>> x = np.concatenate([np.full(20, 100.0), np.linspace(100, 500, 11)[1:], np.full(20, 500.0)])
    >>> samples = Samples(t_ms=np.arange(50) * 2.0, xy_px=np.stack([x, x * 0 + 300], axis=1))
    >>> events = Events(
    ...     kind=["fixation", "saccade"],
    ...     onset_ms=[0, 40],
    ...     offset_ms=[40, 60],
    ...     xy_px=[[100, 300], [140, 300]],
    ... )
    >>> found = event_measures(events, samples)
    >>> found.amplitude_deg, found.direction_deg, found.n_samples
    (array([0., 9.]), array([nan,  0.]), array([20, 10]))
    >>> found.peak_speed_deg_s.round(), found.path_deg
    (array([250., 500.]), array([0., 9.]))
    """
    above_zero(px_per_deg=px_per_deg, velocity_window_ms=velocity_window_ms)
    at_least_zero(min_gap_ms=min_gap_ms)
    gaze = directions(samples, screen, px_per_deg=px_per_deg)
    runs = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    held = _Held.of(events, samples)
    azimuth, elevation = gaze.deg[held.rows, 0], gaze.deg[held.rows, 1]
    fitted = smooth(samples.t_ms, gaze, runs, window_ms=velocity_window_ms)
    speed, strength = fitted.speed_deg_s[held.rows], fitted.strength_deg_s2[held.rows]
    lost = held.n_samples - held.n_valid
    std, bcea = _spread(azimuth, elevation, held)
    path, rms = _steps(azimuth, elevation, held, runs, spherical=gaze.spherical)
    amplitude, direction = _displacement(events, held, gaze, screen, px_per_deg=px_per_deg)
    return EventMeasures(
        kind=events.kind,
        onset_ms=events.onset_ms,
        offset_ms=events.offset_ms,
        duration_ms=events.duration_ms,
        n_samples=held.n_samples,
        share_lost=_ratio(lost, held.n_samples),
        mean_xy_px=np.stack([held.mean(samples.xy_px[held.rows, k]) for k in (0, 1)], axis=1),
        amplitude_deg=amplitude,
        direction_deg=direction,
        path_deg=path,
        peak_speed_deg_s=held.reduce(np.fmax, speed),
        mean_speed_deg_s=_mean_known(held, speed),
        peak_acceleration_deg_s2=held.reduce(np.fmax, strength),
        dispersion_deg=held.range(azimuth) + held.range(elevation),
        std_deg=std,
        rms_s2s_deg=rms,
        bcea_deg2=bcea,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The valid samples of all events, one event after the other.

    `rows` ``(v,)`` are their indices; `used` the events that hold any, `start` where in `rows`
    each of these begins, `event` ``(v,)`` which one of `used` a row belongs to.
    """

    rows: IntArray
    event: IntArray
    used: IntArray
    start: IntArray
    n_samples: IntArray
    n_valid: IntArray

    @classmethod
    def of(cls, events: Events, samples: Samples) -> "_Held":
        first, last = _borders(events, samples)
        count = last - first
        before = np.cumsum(count) - count
        rows = np.arange(count.sum()) + np.repeat(first - before, count)
        valid = ~samples.lost[rows]
        n_valid = count
        if not valid.all():
            rows = rows[valid]
            ends = np.concatenate(([0], np.cumsum(valid)))
            n_valid = ends[before + count] - ends[before]
        used = np.flatnonzero(n_valid)
        held = n_valid[used]
        return cls(
            rows=rows,
            event=np.repeat(np.arange(len(used)), held),
            used=used,
            start=np.cumsum(held) - held,
            n_samples=count,
            n_valid=n_valid,
        )

    def reduce(self, how: np.ufunc, values: FloatArray) -> FloatArray:
        """``(k,)`` values of each event joined by a ufunc; NaN where there are none."""
        joined = np.full(len(self.n_valid), np.nan)
        if len(self.used):
            joined[self.used] = how.reduceat(values, self.start)
        return joined

    def mean(self, values: FloatArray) -> FloatArray:
        return _ratio(self.reduce(np.add, values), self.n_valid)

    def range(self, values: FloatArray) -> FloatArray:
        return self.reduce(np.maximum, values) - self.reduce(np.minimum, values)

    def centred(self, values: FloatArray) -> FloatArray:
        """Values less the mean of their event: second moments then lose no digits."""
        middle: FloatArray = values - self.mean(values)[self.used][self.event]
        return middle


def _borders(events: Events, samples: Samples) -> tuple[IntArray, IntArray]:
    """First sample of each event and one past its last."""
    if events.first is None or events.last is None:
        t = samples.t_ms
        return np.searchsorted(t, events.onset_ms), np.searchsorted(t, events.offset_ms)
    first, last = events.first, events.last
    wrong = np.flatnonzero((first < 0) | (last < first) | (last > len(samples)))
    if wrong.size:
        i = int(wrong[0])
        raise DataError(
            f"event {i} holds the samples {first[i]} to {last[i]} of {len(samples)}; "
            "pass the samples that the events were found in"
        )
    return first, last


def _ratio(part: npt.ArrayLike, whole: IntArray) -> FloatArray:
    """NaN where there is nothing to divide by."""
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _mean_known(held: _Held, values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    count = held.reduce(np.add, known.astype(np.float64))
    total = held.reduce(np.add, np.where(known, values, 0.0))
    out = np.full(len(total), np.nan)
    np.divide(total, count, out=out, where=count > 0)
    return out


def _spread(azimuth: FloatArray, elevation: FloatArray, held: _Held) -> tuple[FloatArray, ...]:
    """Standard deviation of place (ddof 0) and BCEA (ddof 1)."""
    x, y = held.centred(azimuth), held.centred(elevation)
    xx, yy, xy = (held.reduce(np.add, product) for product in (x * x, y * y, x * y))
    n = np.where(held.n_valid > 0, held.n_valid, np.nan)
    degrees = np.where(n > 1, n - 1, np.nan)
    # The root of the determinant, which rounding may push below 0.
    area = np.sqrt(np.maximum(xx * yy - xy * xy, 0.0)) / degrees
    factor = 2 * math.log(1 / (1 - BCEA_SHARE)) * math.pi
    return np.sqrt((xx + yy) / n), factor * area


def _steps(
    azimuth: FloatArray, elevation: FloatArray, held: _Held, runs: Runs, *, spherical: bool
) -> tuple[FloatArray, FloatArray]:
    """Length of the path, and root mean square of the distances between successive samples."""
    rows = held.rows
    moved = np.zeros(len(rows))  # To the next valid sample; 0 where it is another event's.
    squared = np.zeros(len(rows))
    next_to = np.zeros(len(rows))
    if len(rows) > 1:
        across, down = np.diff(azimuth), np.diff(elevation)
        same = np.diff(held.event) == 0
        adjacent = same & (np.diff(rows) == 1) & (np.diff(runs.part[rows]) == 0)
        squared[:-1] = np.where(adjacent, across * across + down * down, 0.0)
        next_to[:-1] = adjacent
        distance = _great_circles if spherical else _hypotenuses
        moved[:-1] = np.where(same, distance(across, down, elevation), 0.0)
    pairs = held.reduce(np.add, next_to)
    mean = np.full(len(pairs), np.nan)
    np.divide(held.reduce(np.add, squared), pairs, out=mean, where=pairs > 0)
    return held.reduce(np.add, moved), np.sqrt(mean)


def _hypotenuses(across: FloatArray, down: FloatArray, elevation: FloatArray) -> FloatArray:
    del elevation
    flat: FloatArray = np.sqrt(across * across + down * down)
    return flat


def _great_circles(across: FloatArray, down: FloatArray, elevation: FloatArray) -> FloatArray:
    """Angle from every direction to the next one: the haversine, without its repeated sines."""
    level = np.cos(np.radians(elevation))
    shrink = level[1:] * level[:-1]
    x, y = np.radians(across) / 2, np.radians(down) / 2
    xx, yy = x * x, y * y
    # sin² and arcsin by their series: exact to the last digits for steps below a degree.
    h = yy * (1 - yy / 3) + shrink * xx * (1 - xx / 3)
    angle = 2 * np.sqrt(h) * (1 + h / 6)
    long = np.flatnonzero(xx + yy > SMALL_RAD**2)
    h = np.sin(y[long]) ** 2 + shrink[long] * np.sin(x[long]) ** 2
    angle[long] = 2 * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return np.asarray(np.degrees(angle))


def _displacement(
    events: Events, held: _Held, gaze: Directions, screen: Screen | None, *, px_per_deg: float
) -> tuple[FloatArray, FloatArray]:
    """Angle from the first valid sample to the end, and its direction."""
    start, end = np.full((len(events), 2), np.nan), np.full((len(events), 2), np.nan)
    if len(held.used):
        stop = np.append(held.start[1:], len(held.rows)) - 1
        start[held.used] = gaze.deg[held.rows[held.start]]
        end[held.used] = gaze.deg[held.rows[stop]]
    if events.end_xy_px is not None:
        known = ~np.isnan(events.end_xy_px).any(axis=1)
        landing = px_to_deg(events.end_xy_px[known], screen, px_per_deg=px_per_deg)
        end[known] = landing
    step = end - start
    amplitude = angle_deg(start, end) if gaze.spherical else np.hypot(step[:, 0], step[:, 1])
    turn = np.degrees(np.arctan2(-step[:, 1], step[:, 0])) + 0.0
    return amplitude, np.where(amplitude > 0, turn, np.nan)
