"""What every detector keeps to: on any clock, across losses, gaps and breaks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.model import Events, Samples, Screen
from gazecode.model.checks import FloatArray
from gazecode.simulate.eye import Path, saccade_duration_ms
from gazecode.units import sample_end_ms, step_ms

__all__ = ["check_detector"]

Detector = Callable[..., Events]

_SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
_PX_PER_DEG = 40.0
_CLOCKS_HZ = (30, 53.5, 60, 120, 250, 500, 1000, 2000)
_TIMINGS = ("regular", "rounded", "jittered", "bursts", "gapped")
_HOLD_NO_GAZE = ("blink", "undefined")
"""Kinds of events that may begin or end with a lost sample."""
_FIXATIONS = 100
"""In a scene; one in twenty may be missed or found too often."""


def check_detector(
    detector: Detector,
    *,
    options: Mapping[str, Any] | None = None,
    rates_hz: Sequence[float] = (120.0, 250.0, 500.0, 1000.0),
) -> dict[str, int]:
    """Check that a detector keeps the rules every stage after it relies on.

    Nothing comes of no gaze. On clocks of 30 to 2000 Hz, regular or not, with losses, gaps and
    breaks: events are sorted and disjoint and cross no gap and no break; `first` and `last` are
    their samples, `onset_ms` the first stamp and `offset_ms` when the last sample stops holding; a
    fixation's place is the mean of its samples. The same gaze gives the same events, later gaze the
    same later, and gaze elsewhere on a flat screen the same there. In a scene of 100 clear
    fixations, recorded at several rates, with jitter and with a tenth of the samples dropped, 95 to
    105 are found.

    Parameters
    ----------
    detector
        A function of samples and of ``screen``, ``px_per_deg`` and ``breaks_ms``, as those in
        `gazecode.detection.DETECTORS`.
    options
        Further parameters it is given.
    rates_hz
        At which the scene is recorded: those the method is meant for. None for a detector that
        finds no fixations.

    Returns
    -------
    dict
        How many fixations were found in each version of the scene.

    Raises
    ------
    AssertionError
        A rule is broken; the message says which, and on what gaze.

    Examples
    --------
    >>> from gazecode.detection import detect_ivt
    >>> check_detector(detect_ivt, rates_hz=[250])
    {'250 Hz': 100, '250 Hz, jittered': 100, '250 Hz, a tenth dropped': 100}
    """
    settings = dict(options or {})
    _check_nothing(detector, settings)
    for name, samples, breaks in _recordings():
        for screen in (None, _SCREEN):
            given = {**settings, "screen": screen, "breaks_ms": breaks}
            events = detector(samples, **given)
            _check_events(events, samples, breaks, name)
            _expect(_same(events, detector(samples, **given)), f"{name}: twice is not the same")
    _check_shifts(detector, settings)
    return _count_fixations(detector, settings, rates_hz)


def _expect(condition: object, broken: str) -> None:
    if not condition:
        raise AssertionError(broken)


def _same(a: Events, b: Events) -> bool:
    return a.to_frame().equals(b.to_frame())


def _check_nothing(detector: Detector, settings: dict[str, Any]) -> None:
    empty = Samples(t_ms=np.empty(0), xy_px=np.empty((0, 2)))
    lost = Samples(t_ms=np.linspace(0.0, 1200.0, 301)[:-1], xy_px=np.full((300, 2), np.nan))
    for name, samples in (("no sample", empty), ("all samples lost", lost)):
        events = detector(samples, **settings)
        _expect(isinstance(events, Events), f"{name}: gives {type(events).__name__}, not Events")
        _expect(not len(events), f"{name}: {len(events)} events were found")
    one = Samples(t_ms=np.array([7.0]), xy_px=np.array([[500.0, 300.0]]))
    _check_events(detector(one, **settings), one, [], "one sample")


def _recordings() -> Iterator[tuple[str, Samples, list[float]]]:
    """Gaze on all clocks with losses and a pupil, and the breaks to pass."""
    for number, (rate_hz, timing) in enumerate((r, t) for r in _CLOCKS_HZ for t in _TIMINGS):
        rng = np.random.default_rng(number)
        path, _ = _scene(rng, 12)
        t = _stamps(rng, np.arange(0.0, path.offset_ms[-1], 1000.0 / rate_hz), timing)
        noise = rng.choice([0.5, 2.0, 8.0])
        gone = np.zeros(len(t), dtype=bool)
        for begin in rng.uniform(0, t[-1], 4):
            gone |= (t >= begin) & (t < begin + rng.choice([5.0, 40.0, 150.0, 800.0]))
        gone |= rng.random(len(t)) < rng.choice([0.0, 0.03])
        xy = path.at(t) + rng.normal(0, noise, (len(t), 2))
        samples = Samples(
            t_ms=t,
            xy_px=np.where(gone[:, None], np.nan, xy),
            pupil=np.where(gone, np.nan, 4 + rng.normal(0, 0.02, len(t))),
            breaks_ms=np.unique(rng.uniform(0, t[-1], int(rng.integers(0, 3)))),
        )
        breaks = [float(rng.choice(t)), float(rng.uniform(0, t[-1]))][: int(rng.integers(0, 3))]
        yield f"{rate_hz} Hz, {timing}", samples, breaks


def _stamps(rng: np.random.Generator, t: FloatArray, timing: str) -> FloatArray:
    step = t[1] - t[0]
    if timing == "rounded":
        return np.unique(np.round(t))
    if timing == "jittered":
        shifted: FloatArray = t + rng.uniform(0.0, 0.9, len(t)) * step
        return shifted
    if timing == "bursts":
        index = np.arange(len(t))
        return np.asarray((index // 3) * 3 * step + index % 3 * min(step / 4, 0.1))
    if timing == "gapped":
        pauses = np.where(rng.random(len(t)) < 8 / len(t), rng.uniform(0, 500, len(t)), 0.0)
        return np.asarray(t + np.cumsum(pauses))
    return t


def _scene(rng: np.random.Generator, count: int) -> tuple[Path, FloatArray]:
    """Fixations of 150 to 700 ms, 2 to 8 deg apart, and how far each saccade goes, deg."""
    place = np.zeros((count, 2))
    place[0] = 960, 540
    amplitude, turn = rng.uniform(2, 8, count), rng.uniform(0, 2 * np.pi, count)
    for i in range(1, count):
        step = amplitude[i] * _PX_PER_DEG
        place[i] = place[i - 1] + step * np.array([np.cos(turn[i]), np.sin(turn[i])])
        home = np.array([960.0, 540.0]) - place[i - 1]
        if not (0 < place[i, 0] < 1920 and 0 < place[i, 1] < 1080):
            place[i] = place[i - 1] + step * home / np.hypot(*home)
    lasting = np.clip(rng.lognormal(np.log(250), 0.35, count), 150, 700)
    pause = saccade_duration_ms(amplitude[1:])
    onset = np.concatenate(([0.0], np.cumsum(lasting[:-1] + pause)))
    return Path(onset_ms=onset, offset_ms=onset + lasting, xy_px=place), amplitude


def _check_events(events: Events, samples: Samples, breaks_ms: Sequence[float], name: str) -> None:
    first, last = events.first, events.last
    if first is None or last is None:
        raise AssertionError(f"{name}: events do not say their samples (first, last)")
    if not len(events):
        return
    t, n = samples.t_ms, len(samples)
    inside = (first >= 0) & (last > first) & (last <= n)
    _expect(inside.all(), f"{name}: first and last are no samples [first, last) of the {n} given")
    _expect((first[1:] >= last[:-1]).all(), f"{name}: events overlap or are not in order")
    _expect((events.onset_ms == t[first]).all(), f"{name}: an onset is not its first sample's time")
    breaks = np.unique([*samples.breaks_ms, *breaks_ms])
    following = np.append(breaks, np.inf)[np.searchsorted(breaks, t[last - 1], side="right")]
    end = np.minimum(sample_end_ms(t)[last - 1], following)
    _expect(
        np.allclose(events.offset_ms, end, rtol=0, atol=1e-6),
        f"{name}: an offset is not when its last sample stops holding",
    )
    crossed = np.searchsorted(breaks, t[first], side="right") != np.searchsorted(
        breaks, t[last - 1], side="right"
    )
    _expect(not crossed.any(), f"{name}: an event crosses a break")
    _check_gaps(events, samples, name)
    _check_places(events, samples, name)


def _check_gaps(events: Events, samples: Samples, name: str) -> None:
    longest = max(3 * step_ms(samples.t_ms), 75.0) + 1e-6 if len(samples) > 1 else np.inf
    for a, b in zip(events.first.tolist(), events.last.tolist(), strict=True):  # type: ignore[union-attr]
        steps = np.diff(samples.t_ms[a:b])
        _expect(not (steps > longest).any(), f"{name}: an event crosses a gap in the stamps")


def _check_places(events: Events, samples: Samples, name: str) -> None:
    for row, kind in enumerate(events.kind.tolist()):
        if kind in _HOLD_NO_GAZE:
            continue
        held = samples.xy_px[events.first[row] : events.last[row]]  # type: ignore[index]
        ends = held[[0, -1]]
        _expect(not np.isnan(ends).any(), f"{name}: a {kind} begins or ends with a lost sample")
        if kind == "fixation":
            away = np.abs(np.nanmean(held, axis=0) - events.xy_px[row]).max()
            _expect(away < 1e-6, f"{name}: a fixation's place is not the mean of its samples")


def _check_shifts(detector: Detector, settings: dict[str, Any]) -> None:
    """Stamps that stay exact when moved; places that hold no ties, which rounding would break."""
    path, _ = _scene(np.random.default_rng(5), 30)
    t = np.arange(0.0, path.offset_ms[-1], 4.0)
    noise = np.random.default_rng(6).normal(0, 2, (len(t), 2))
    samples = Samples(
        t_ms=t, xy_px=path.at(t) + noise, pupil=np.full(len(t), 4.0), breaks_ms=t[500:501]
    )
    here = detector(samples, **settings)
    later = replace(samples, t_ms=t + 65536.0, breaks_ms=samples.breaks_ms + 65536.0)
    there = replace(samples, xy_px=samples.xy_px + np.array([128.0, -64.0]))
    for name, moved in (
        ("later", detector(later, **settings)),
        ("away", detector(there, **settings)),
    ):
        same = len(here) == len(moved) and all(
            (getattr(here, column) == getattr(moved, column)).all()
            for column in ("kind", "first", "last")
        )
        _expect(same, f"the same gaze {name} gives other events")


def _count_fixations(
    detector: Detector, settings: dict[str, Any], rates_hz: Sequence[float]
) -> dict[str, int]:
    counts = {}
    for rate_hz in rates_hz:
        for version, jitter, dropped in (
            ("", 0.0, 0.0),
            (", jittered", 0.4, 0.0),
            (", a tenth dropped", 0.0, 0.1),
        ):
            name = f"{rate_hz:g} Hz{version}"
            rng = np.random.default_rng(11)
            path, _ = _scene(rng, _FIXATIONS)
            t = np.arange(0.0, path.offset_ms[-1], 1000.0 / rate_hz)
            t = t + rng.uniform(0, 2 * jitter, len(t)) * 1000.0 / rate_hz
            t = t[rng.random(len(t)) >= dropped]
            xy = path.at(t) + rng.normal(0, 0.03 * _PX_PER_DEG, (len(t), 2))
            samples = Samples(t_ms=t, xy_px=xy, pupil=np.full(len(t), 4.0))
            counts[name] = len(detector(samples, **settings).of("fixation"))
            _expect(
                abs(counts[name] - _FIXATIONS) <= _FIXATIONS / 20,
                f"{name}: {counts[name]} fixations were found in a scene of {_FIXATIONS}",
            )
    return counts
