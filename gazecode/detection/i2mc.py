"""Two-means clustering (I2MC), for noisy trackers and low rates.

R. S. Hessels, D. C. Niehorster, C. Kemner and I. T. C. Hooge 2017, doi:10.3758/s13428-016-0822-1.

In a window of 200 ms, moved by 20 ms, gaze is parted into two clusters, whether there are two
places or one. Two places give one transition between the clusters, noise about one place gives
many: every transition gets the weight 1 / (number of transitions in its window). The same is done
with gaze at a half, a fifth and a tenth of the rate, and the weights of a sample are averaged over
all windows it was in. Where the weight is below mean + 2 sd there are fixations; their ends are
cut back to gaze within 3 MAD of their middle, near ones are joined (0.7 deg, 30 ms), short ones
(40 ms) dropped.

What differs from the paper, or is left open there:

* Windows are 200 ms of real stamps; nothing is resampled, and a clock may be irregular. The last
  window of a run ends with it; a run shorter than a window is one window.
* A lower rate is a mean of 2, 5 or 10 samples, not a Chebyshev filter, which needs regular time
  and rings in short windows. A rate that leaves fewer than 5 means in a window is not used
  (a tenth below 250 Hz, a fifth below 125 Hz, a half below 50 Hz).
* Weights are averaged over the rates, not summed, so that windows with fewer rates count alike.
* Two-means starts from the split at the mean along the direction of largest variance, and goes on
  to its fixed point: no chance, and the same result for the same gaze.
* A loss of at most `max_loss_ms` with two samples on either side is bridged by a straight line for
  the clustering alone (the paper: Steffen's cubic); a longer one is not, and nothing is
  extrapolated. A fixation may hold a bridged loss; it neither begins nor ends with one, and its
  place is the mean of what was recorded.
* One eye or the joined gaze of two: the paper averages the weights of both eyes.
* Mean and sd are those of all samples given: pass a recording, not a second of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import TOLERANCE_DEG, TOLERANCE_MS, above_zero, at_least_zero
from gazecode.detection.medians import median
from gazecode.detection.merging import merge_stretches
from gazecode.detection.segments import (
    MIN_GAP_MS,
    Runs,
    Stretches,
    covered,
    find_runs,
    lasting,
    stretches,
)
from gazecode.detection.velocity import directions
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG

__all__ = ["detect_i2mc", "two_means"]

CHUNK = 1 << 16
"""Samples whose windows are clustered at once: a bound on memory, and they stay in the cache."""
FEWEST = 5
"""Points in a window at a lower rate: below that noise often has one transition, too."""
EDGE_SAMPLES = 2
"""Samples that a bridged loss needs on either side."""
MOST_STEPS = 100


def detect_i2mc(  # noqa: PLR0913 - what the paper leaves to be set
    samples: Samples,
    *,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    breaks_ms: Sequence[float] = (),
    window_ms: float = 200.0,
    shift_ms: float = 20.0,
    downsamplings: tuple[int, ...] = (2, 5, 10),
    cutoff_sd: float = 2.0,
    edge_mad: float = 3.0,
    max_loss_ms: float = 100.0,
    merge_gap_ms: float = 30.0,
    merge_angle_deg: float = 0.7,
    min_duration_ms: float = 40.0,
    min_gap_ms: float = MIN_GAP_MS,
) -> Events:
    """Fixations by two-means clustering in moving windows.

    Parameters
    ----------
    samples
        Gaze on any clock; lost samples are NaN or absent.
    screen, px_per_deg
        With millimetres and distance azimuth and elevation are exact; otherwise `px_per_deg` holds
        everywhere.
    breaks_ms
        No event crosses these times, nor those in ``samples.breaks_ms``.
    window_ms, shift_ms
        Length of a window and the way to the next one.
    downsamplings
        How many samples are joined at the lower rates; empty for the rate of the recording alone.
    cutoff_sd
        Standard deviations above the mean weight where fixations end.
    edge_mad
        A fixation begins and ends with gaze that is no further from its median place than the
        median distance plus so many median absolute deviations of it.
    max_loss_ms
        Longest loss, from the last sample before to the first after, that is bridged; 0 for none.
    merge_gap_ms, merge_angle_deg
        Fixations at most this far apart in time (end to begin) and in mean place are one; 0 ms
        switches merging off.
    min_duration_ms
        Shorter fixations (``offset - onset``) are discarded, after merging.
    min_gap_ms
        A step between stamps longer than this and than three median steps is a gap.

    Returns
    -------
    Events
        Fixations, half-open, with `first` and `last`. The method knows no saccades.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.repeat([100.0, 500.0], 100) + rng.normal(0, 5, 200)
    >>> samples = Samples(t_ms=np.arange(200) * 4.0, xy_px=np.stack([x, x], axis=1))
    >>> detect_i2mc(samples).to_frame()[["kind", "onset_ms", "offset_ms", "first", "last"]]
           kind  onset_ms  offset_ms  first  last
    0  fixation       0.0      392.0      0    98
    1  fixation     416.0      802.0    104   200
    """
    above_zero(px_per_deg=px_per_deg, window_ms=window_ms, shift_ms=shift_ms)
    at_least_zero(
        cutoff_sd=cutoff_sd,
        edge_mad=edge_mad,
        max_loss_ms=max_loss_ms,
        merge_gap_ms=merge_gap_ms,
        merge_angle_deg=merge_angle_deg,
        min_duration_ms=min_duration_ms,
        min_gap_ms=min_gap_ms,
    )
    if not all(joined >= 2 for joined in downsamplings):
        raise ParameterError(
            f"downsamplings is {downsamplings}; expected whole numbers of 2 or more"
        )
    part = find_runs(samples, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms).part
    bridged = _bridged(samples, part, max_loss_ms=max_loss_ms)
    runs = find_runs(bridged, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    gaze = directions(bridged, screen, px_per_deg=px_per_deg)
    weight = _weights(
        samples.t_ms, gaze.deg, runs, window_ms=window_ms, shift_ms=shift_ms, joined=downsamplings
    )
    known = weight[~np.isnan(weight)]
    cutoff = known.mean() + cutoff_sd * known.std() if known.size else 0.0
    # Gaze without any noise has no weight but at transitions, and a single place none at all.
    pieces = stretches((weight < cutoff) | (weight == 0), runs)
    pieces = _trimmed(gaze.deg, samples.lost, *_recorded(samples, *pieces), edge_mad=edge_mad)
    if merge_gap_ms > 0:
        seen = replace(gaze, deg=np.where(samples.lost[:, None], np.nan, gaze.deg))
        pieces = merge_stretches(
            samples,
            seen,
            runs,
            pieces,
            max_gap_ms=merge_gap_ms,
            max_angle_deg=merge_angle_deg,
        )
    fixed = lasting(samples, runs, pieces, min_ms=min_duration_ms)
    return assemble(samples, runs, {"fixation": fixed})


def two_means(x: FloatArray, y: FloatArray) -> BoolArray:
    """Part the points of every row into two clusters.

    Parameters
    ----------
    x, y
        ``(w, k)`` coordinates: w sets of k points, on a plane.

    Returns
    -------
    ndarray
        ``(w, k)``, true in one of the two clusters; all false where all points are one. Every
        point is in the cluster whose mean is nearer: the fixed point of S. P. Lloyd 1982,
        doi:10.1109/TIT.1982.1056489, reached from the split along the direction of largest
        variance.

    Examples
    --------
    >>> two_means(np.array([[0.0, 1.0, 9.0, 8.0]]), np.zeros((1, 4)))
    array([[False, False,  True,  True]])
    """
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    # Angle of the principal axis of the 2 x 2 covariance.
    xx, yy, xy = (np.einsum("wk,wk->w", a, b) for a, b in ((x, x), (y, y), (x, y)))
    angle = np.arctan2(2 * xy, xx - yy) / 2
    labels: BoolArray = _side(x, y, np.cos(angle), np.sin(angle), np.zeros(len(x)))
    rows = np.arange(len(x))
    for _ in range(MOST_STEPS):
        now = labels[rows]
        # The mean of the other cluster follows, since the mean of all is 0.
        count = np.count_nonzero(now, axis=1)
        rest = x.shape[1] - count
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = 1 / count + 1 / rest
            dx, dy = (np.einsum("wk,wk->w", a, now) * spread for a in (x, y))
            # Half way between the two means, m1 = d rest / k and m0 = -d count / k.
            middle = (dx**2 + dy**2) * (rest - count) / (2 * x.shape[1])
        new = _side(x, y, dx, dy, middle)
        moved = (new != now).any(axis=1)
        labels[rows] = new
        if not moved.any():
            break
        rows, x, y = rows[moved], x[moved], y[moved]
    return labels


def _side(
    x: FloatArray, y: FloatArray, dx: FloatArray, dy: FloatArray, limit: FloatArray
) -> BoolArray:
    side: BoolArray = x * dx[:, None] + y * dy[:, None] > limit[:, None]
    return side


def _bridged(samples: Samples, part: IntArray, *, max_loss_ms: float) -> Samples:
    """Gaze with a straight line over every short loss between samples of one part."""
    lost = samples.lost
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2)
    before, after = edges[:, 0] - 1, edges[:, 1]
    inner = (edges[:, 0] >= EDGE_SAMPLES) & (after + EDGE_SAMPLES <= len(lost))
    before, after = before[inner], after[inner]
    # All samples of an edge are recorded, and belong to one part.
    a, b = before - EDGE_SAMPLES + 1, after + EDGE_SAMPLES - 1
    held = np.concatenate(([0], np.cumsum(~lost)))
    whole = (held[before + 1] - held[a] == EDGE_SAMPLES) & (
        held[b + 1] - held[after] == EDGE_SAMPLES
    )
    t = samples.t_ms
    short = t[after] - t[before] <= max_loss_ms + TOLERANCE_MS
    fit = whole & short & (part[a] == part[b])
    rows = np.flatnonzero(covered(len(lost), before[fit] + 1, after[fit]))
    if not len(rows):
        return samples
    xy = samples.xy_px.copy()
    known = np.flatnonzero(~lost)
    for axis in (0, 1):
        xy[rows, axis] = np.interp(t[rows], t[known], xy[known, axis])
    return replace(samples, xy_px=xy)


def _weights(
    t_ms: FloatArray,
    deg: FloatArray,
    runs: Runs,
    *,
    window_ms: float,
    shift_ms: float,
    joined: tuple[int, ...],
) -> FloatArray:
    """Mean weight of every sample over its windows, ``(n,)``; NaN where it was in none."""
    n = len(t_ms)
    # Sums of steps up and down: a window or transition adds at its begin and takes off at its end.
    weight, count = np.zeros(n + 1), np.zeros(n + 1)
    first, last = _windows(t_ms, runs, window_ms=window_ms, shift_ms=shift_ms)
    np.add.at(count, first, 1)
    np.add.at(count, last, -1)
    for begin, width in _alike(first, last - first):
        index = begin[:, None] + np.arange(width)
        x, y = deg[index, 0], deg[index, 1]
        rates = [1, *(k for k in joined if width // k >= FEWEST)]
        for k in rates:
            _add_transitions(weight, begin, x, y, joined=k, share=1 / len(rates))
    held = np.cumsum(count[:-1])
    mean = np.full(n, np.nan)
    np.divide(np.cumsum(weight[:-1]), held, out=mean, where=held > 0)
    # What sums of steps leave where there was no transition is not a weight.
    mean[mean < 1e-9] = 0.0
    return mean


def _windows(t_ms: FloatArray, runs: Runs, *, window_ms: float, shift_ms: float) -> Stretches:
    """First and one past the last sample of every window; at least three samples, within runs."""
    index = np.arange(len(t_ms))
    head = np.flatnonzero((runs.start == index) & (runs.stop > index))
    # A sample begins a window if it is the first at or after a multiple of the shift in its run.
    slot = np.ceil((t_ms - t_ms[runs.start]) / shift_ms - TOLERANCE_MS)
    begins = np.diff(slot, prepend=-1.0) != 0
    begins[head] = True
    first = np.flatnonzero(begins & (runs.stop > index))
    last = np.searchsorted(t_ms, t_ms[first] + window_ms - TOLERANCE_MS)
    whole = t_ms[first] + window_ms <= runs.end_ms[runs.stop[first] - 1] + TOLERANCE_MS
    stop = runs.stop[head]
    closing = np.searchsorted(t_ms, runs.end_ms[stop - 1] - window_ms - TOLERANCE_MS)
    first = np.concatenate((first[whole], np.maximum(closing, head)))
    last = np.concatenate((last[whole], stop))
    pairs = np.unique(np.stack([first, last], axis=1), axis=0)
    first, last = pairs[pairs[:, 1] - pairs[:, 0] >= 3].T
    return first, last


def _alike(first: IntArray, width: IntArray) -> Iterator[tuple[IntArray, int]]:
    """Begins of windows of one width, some at a time."""
    for size in np.unique(width).tolist():
        begins = first[width == size]
        at_once = max(CHUNK // size, 1)
        for k in range(0, len(begins), at_once):
            yield begins[k : k + at_once], size


def _add_transitions(
    weight: FloatArray, begin: IntArray, x: FloatArray, y: FloatArray, *, joined: int, share: float
) -> None:
    """Add to `weight` the steps of the transitions of every window at one rate."""
    width = x.shape[1]
    if joined > 1:
        rows, points = len(x), width // joined
        x, y = (a[:, : points * joined].reshape(rows, points, joined).mean(axis=2) for a in (x, y))
    labels = two_means(x, y)
    switch = labels[:, 1:] != labels[:, :-1]
    row, column = np.nonzero(switch)
    value = share / np.count_nonzero(switch, axis=1)[row]
    # Between two means of k samples the transition is somewhere in the k around their border.
    at = begin[row] + (column + 1) * joined - joined // 2
    # Windows of a chunk are neighbours: a short piece of the whole, so that cost stays linear.
    low, high = int(begin[0]), int(begin[-1]) + width + 1
    piece = weight[low:high]
    piece += np.bincount(at - low, value, len(piece))
    piece -= np.bincount(at - low + joined, value, len(piece))


def _recorded(samples: Samples, first: IntArray, last: IntArray) -> Stretches:
    """The same without bridged samples at either end."""
    known = np.flatnonzero(~samples.lost)
    a = np.searchsorted(known, first)
    b = np.searchsorted(known, last)
    some = b > a
    return known[a[some]], known[b[some] - 1] + 1


def _trimmed(
    deg: FloatArray, lost: BoolArray, first: IntArray, last: IntArray, *, edge_mad: float
) -> Stretches:
    """Ends moved inwards to recorded gaze that is near the middle of the fixation."""
    edges = np.empty((len(first), 2), dtype=np.int64)
    x, y = deg.T.copy()
    for row, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        rows = a + np.flatnonzero(~lost[a:b])
        xs, ys = x[rows], y[rows]
        distance = np.hypot(xs - median(xs), ys - median(ys))
        middle = median(distance)
        reach = middle + edge_mad * median(np.abs(distance - middle)) + TOLERANCE_DEG
        near = rows[distance <= reach]
        edges[row] = near[0], near[-1] + 1
    return edges[:, 0], edges[:, 1]
