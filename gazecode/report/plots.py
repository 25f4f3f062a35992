"""Charts of the page, prepared as rows of per cent and words for the SVG templates.

Positions are per cent of the drawing's width, so that a chart follows the page while its text keeps
its size; no script and no picture file is needed.

`step_histogram`, `loss_timeline` and `main_sequence` boil a recording down to what the page draws;
they are cheap and can run where the recording is read, so that no raw gaze has to be kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.model import STATUSES, Events, Samples, Screen
from gazecode.model.checks import FloatArray
from gazecode.report.scale import log_ticks, ticks
from gazecode.report.views import Histogram, RecordingView, SaccadeView, TrialView
from gazecode.report.words import number, percent, plural, seconds
from gazecode.units import DEFAULT_PX_PER_DEG, angle_deg, px_to_deg

__all__ = [
    "Axis",
    "Bar",
    "Chart",
    "Order",
    "Row",
    "accounting",
    "loss_chart",
    "loss_timeline",
    "main_sequence",
    "order_chart",
    "saccade_chart",
    "step_chart",
    "step_histogram",
]

STEP_EDGES_MS = np.geomspace(0.4, 400.0, 145)
LOSS_PARTS = 120
LOSS_EDGES = (0.05, 0.2, 0.4, 0.6, 0.8)
MAX_SACCADES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle or dot: per cent from the left and the top, class, tooltip."""

    x: str
    width: str
    kind: str
    title: str = ""
    y: str = "0"
    height: str = "100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a chart: its name, what it says in words, its bars."""

    name: str
    detail: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Ticks as per cent and text, and the axis' name with its unit."""

    label: str
    ticks: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Rows over one axis, or dots over two; `guide` is a curve in per cent."""

    rows: list[Row]
    x: Axis | None = None
    y: Axis | None = None
    notes: tuple[str, ...] = ()
    guide: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Fixations over time: status → path in thousandths of the time and per cent of the height."""

    strokes: dict[str, str]
    x: Axis


def step_histogram(samples: Samples) -> Histogram:
    """Count the steps between time stamps on a logarithmic scale, 0.4 to 400 ms.

    >>> samples = Samples(t_ms=np.arange(101) * 4.0, xy_px=np.zeros((101, 2)))
    >>> int(step_histogram(samples).counts.max())
    100
    """
    steps = np.diff(samples.t_ms)
    counts, _ = np.histogram(steps, bins=STEP_EDGES_MS)
    return Histogram(
        edges=STEP_EDGES_MS,
        counts=counts,
        below=int(np.sum(steps < STEP_EDGES_MS[0])),
        above=int(np.sum(steps > STEP_EDGES_MS[-1])),
    )


def loss_timeline(samples: Samples, *, parts: int = LOSS_PARTS) -> FloatArray:
    """Share of lost samples in equal parts of the recording, ``(parts,)``; NaN without a sample.

    >>> xy = np.array([[1.0, 1.0], [np.nan, np.nan], [1.0, 1.0], [1.0, 1.0]])
    >>> loss_timeline(Samples(t_ms=[0, 1, 2, 3], xy_px=xy), parts=2)
    array([0.5, 0. ])
    """
    if not len(samples):
        return np.full(parts, np.nan)
    t = samples.t_ms - samples.t_ms[0]
    part = np.minimum((t / max(t[-1], 1e-9) * parts).astype(np.int64), parts - 1)
    n = np.bincount(part, minlength=parts)
    lost = np.bincount(part, weights=samples.lost, minlength=parts)
    share: FloatArray = np.where(n > 0, lost / np.maximum(n, 1), np.nan)
    return share


def main_sequence(
    events: Events,
    screen: Screen | None,
    *,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
    peak_speed_deg_s: FloatArray | None = None,
) -> SaccadeView:
    """Amplitude and duration of the saccades among `events` that have both ends.

    Parameters
    ----------
    events
        Saccades are taken by kind; those without a start or an end on the screen are left out.
    screen
        With its geometry angles are exact; else `px_per_deg` is assumed and said.
    peak_speed_deg_s
        ``(k,)`` of each saccade, if it was measured: it is drawn instead of the duration.

    Examples
    --------
    >>> saccade = Events(
    ...     kind=["saccade"], onset_ms=[0], offset_ms=[40], xy_px=[[0, 0]], end_xy_px=[[200, 0]]
    ... )
    >>> main_sequence(saccade, None).amplitude_deg
    array([5.])
    """
    saccades = events.of("saccade")
    known = screen is not None and screen.has_geometry
    assumed = None if known else px_per_deg
    if saccades.end_xy_px is None:
        none = np.empty(0)
        return SaccadeView(amplitude_deg=none, duration_ms=none, assumed_px_per_deg=assumed)
    if known:
        start, end = (
            px_to_deg(xy, screen, px_per_deg=px_per_deg)
            for xy in (saccades.xy_px, saccades.end_xy_px)
        )
        amplitude = angle_deg(start, end)
    else:
        moved = saccades.end_xy_px - saccades.xy_px
        amplitude = np.hypot(moved[:, 0], moved[:, 1]) / px_per_deg
    whole = np.isfinite(amplitude)
    return SaccadeView(
        amplitude_deg=amplitude[whole],
        duration_ms=saccades.duration_ms[whole],
        peak_velocity_deg_s=None if peak_speed_deg_s is None else peak_speed_deg_s[whole],
        assumed_px_per_deg=assumed,
    )


def accounting(recordings: Sequence[RecordingView]) -> Chart:
    """Where every fixation went: on a token, between, off, lost, or in no mapped trial."""
    rows = []
    for view in recordings:
        counts = {s: int(view.n_status.get(s, 0)) for s in STATUSES}
        counts["unmapped"] = view.n_fixations - view.n_mapped
        detail = plural(view.n_fixations, "fixation")
        rows.append(Row(name=_name(view), detail=detail, bars=_stack(counts)))
    return Chart(rows=rows)


def _stack(counts: dict[str, int]) -> list[Bar]:
    total = sum(counts.values())
    bars, done = [], 0
    for kind, n in counts.items():
        if n:
            bars.append(
                Bar(
                    x=_pc(done / total),
                    width=_pc(n / total),
                    kind=kind,
                    title=f"{n} ({percent(n / total)})",
                )
            )
        done += n
    return bars


def loss_chart(recordings: Sequence[RecordingView]) -> Chart | None:
    """Share lost over time, all recordings on one axis of minutes or seconds."""
    timed = [v for v in recordings if v.loss.size and np.isfinite(v.duration_ms)]
    longest = max((v.duration_ms for v in timed), default=0.0)
    if not longest > 0:
        return None
    rows = [
        Row(
            name=_name(v),
            detail=f"{percent(v.lost_share)} of {seconds(v.duration_ms)}",
            bars=_loss_bars(v.loss, v.duration_ms, longest),
        )
        for v in timed
    ]
    unit, ms = ("min", 60_000.0) if longest > 180_000 else ("s", 1000.0)
    at = [(_pc(value * ms / longest), f"{value:g}") for value in ticks(0.0, longest / ms)]
    return Chart(rows=rows, x=Axis(label=f"time in the recording ({unit})", ticks=at))


def _loss_bars(loss: FloatArray, duration: float, longest: float) -> list[Bar]:
    """Neighbours of one level become one bar."""
    level = np.where(np.isnan(loss), -1, np.searchsorted(LOSS_EDGES, np.nan_to_num(loss)))
    starts = np.concatenate(([0], np.flatnonzero(np.diff(level)) + 1, [len(level)])).astype(int)
    scale = duration / longest / len(loss)
    bars = []
    for a, b in zip(starts.tolist(), starts[1:].tolist(), strict=False):
        if level[a] < 0:
            kind, said = "gap", "no samples"
        else:
            kind, said = f"l{int(level[a])}", f"{percent(float(loss[a:b].mean()))} lost"
        begin, end = (seconds(duration * i / len(loss)) for i in (a, b))
        title = f"{begin} to {end}: {said}"
        bars.append(Bar(x=_pc(a * scale), width=_pc((b - a) * scale), kind=kind, title=title))
    return bars


def step_chart(recordings: Sequence[RecordingView]) -> Chart | None:
    """Histograms of the steps between samples on one logarithmic axis; height is log(1 + count)."""
    views = [(v, v.steps_ms) for v in recordings if v.steps_ms is not None]
    used = [h for _, h in views if h.counts.any()]
    if not used:
        return None
    low = min(float(h.edges[np.flatnonzero(h.counts)[0]]) for h in used) / 1.5
    high = max(float(h.edges[np.flatnonzero(h.counts)[-1] + 1]) for h in used) * 1.5
    rows = [
        Row(name=_name(v), detail=_step_detail(v, h), bars=_step_bars(h, low, high))
        for v, h in views
    ]
    at = [(_pc(_log_at(t, low, high)), f"{t:g}") for t in log_ticks(low, high)]
    return Chart(
        rows=rows,
        x=Axis(label="step between samples (ms, log)", ticks=at),
        notes=("Height is log(1 + count): rare long steps stay visible.",),
    )


def _step_bars(histogram: Histogram, low: float, high: float) -> list[Bar]:
    counts, edges = histogram.counts, histogram.edges
    top = float(np.log1p(counts.max())) if counts.any() else 1.0
    bars = []
    for k in np.flatnonzero(counts).tolist():
        a, b = (_log_at(float(edges[i]), low, high) for i in (k, k + 1))
        height = max(float(np.log1p(counts[k])) / top, 0.06)
        bars.append(
            Bar(
                x=_pc(a),
                width=_pc(b - a),
                y=_pc(1 - height),
                height=_pc(height),
                kind="step",
                title=f"{number(edges[k])} to {number(edges[k + 1])} ms: {counts[k]}",
            )
        )
    return bars


def _step_detail(view: RecordingView, histogram: Histogram) -> str:
    said = [f"{number(view.rate_hz, 4)} Hz"]
    if histogram.below:
        said.append(f"{histogram.below} under {number(histogram.edges[0])} ms")
    if histogram.above:
        said.append(f"{histogram.above} over {number(histogram.edges[-1])} ms")
    return ", ".join(said)


def saccade_chart(view: SaccadeView) -> Chart | None:
    """Main sequence on two logarithmic axes; saccades without a positive value are counted."""
    by_velocity = view.peak_velocity_deg_s is not None
    y = view.peak_velocity_deg_s if by_velocity else view.duration_ms
    if y is None:
        return None
    with np.errstate(invalid="ignore"):
        good = np.isfinite(view.amplitude_deg) & np.isfinite(y) & (view.amplitude_deg > 0) & (y > 0)
    if not good.any():
        return None
    x, y = view.amplitude_deg[good], y[good]
    every = -(-len(x) // MAX_SACCADES)
    x_low, x_high = float(x.min()) / 1.2, float(x.max()) * 1.2
    y_low, y_high = float(y.min()) / 1.2, float(y.max()) * 1.2
    dots = [
        Bar(
            x=_pc(_log_at(a, x_low, x_high)),
            y=_pc(1 - _log_at(b, y_low, y_high)),
            kind="dot",
            width="0",
        )
        for a, b in zip(x[::every].tolist(), y[::every].tolist(), strict=True)
    ]
    bounds = (x_low, x_high, y_low, y_high)
    label = "peak velocity (deg/s)" if by_velocity else "duration (ms)"
    return Chart(
        rows=[Row(name="saccades", detail=plural(len(x), "saccade"), bars=dots)],
        x=_log_axis("amplitude (deg)", x_low, x_high),
        y=_log_axis(label, y_low, y_high, up=True),
        notes=_saccade_notes(view, int(np.sum(~good)), every, by_velocity=by_velocity),
        guide="" if by_velocity else _guide(*bounds),
    )


def _saccade_notes(
    view: SaccadeView, n_left_out: int, every: int, *, by_velocity: bool
) -> tuple[str, ...]:
    notes = []
    if not by_velocity:
        notes.append("Dashed: 21 ms + 2.2 ms/deg, the published main sequence (Carpenter 1988).")
    if view.assumed_px_per_deg is not None:
        notes.append(
            f"The screen's geometry is unknown: {view.assumed_px_per_deg:g} px per degree assumed."
        )
    if n_left_out:
        notes.append(f"{plural(n_left_out, 'saccade')} without a positive size left out.")
    if every > 1:
        notes.append(f"One saccade in {every} is drawn.")
    return tuple(notes)


def _guide(x_low: float, x_high: float, y_low: float, y_high: float) -> str:
    """Duration = 21 ms + 2.2 ms/deg · amplitude (Carpenter 1988) as a path in per cent."""
    x = np.geomspace(x_low, x_high, 40)
    points = [
        (
            100 * _log_at(float(a), x_low, x_high),
            100 * (1 - _log_at(21 + 2.2 * float(a), y_low, y_high)),
        )
        for a in x
    ]
    return "M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in points)


def order_chart(view: TrialView, height: FloatArray) -> Order | None:
    """Order of reading: each fixation over time at its `height` in the drawing, 0 is the top."""
    if not len(view.fixations):
        return None
    onset, offset = view.fixations.onset_ms, view.fixations.offset_ms
    start, end = float(onset[0]), float(offset.max())
    x = 1000 * (onset - start) / (end - start)
    width = np.maximum(1000 * (offset - onset) / (end - start), 0.5)
    # A lost fixation has no height: it stands on the lower edge, in its own colour.
    y = np.where(np.isfinite(height), np.clip(100 * height, 3, 97), 97.0)
    strokes = {}
    for status in STATUSES:
        rows = np.flatnonzero(view.hits.status == status).tolist()
        if rows:
            strokes[status] = "".join(f"M{x[i]:.1f} {y[i]:.0f}h{width[i]:.1f}" for i in rows)
    span = (end - start) / 1000
    at = [(_pc(t / span), f"{t:g}") for t in ticks(0.0, span, at_most=8)]
    return Order(strokes=strokes, x=Axis(label="time since the first fixation (s)", ticks=at))


def _name(view: RecordingView) -> str:
    return view.participant or view.file


def _log_axis(label: str, low: float, high: float, *, up: bool = False) -> Axis:
    at = [(_log_at(t, low, high), f"{t:g}") for t in log_ticks(low, high)]
    return Axis(label=label, ticks=[(_pc(1 - p if up else p), text) for p, text in at])


def _log_at(value: float, low: float, high: float) -> float:
    return float(np.log(value / low) / np.log(high / low))


def _pc(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")
