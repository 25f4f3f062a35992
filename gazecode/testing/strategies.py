"""Hypothesis strategies: valid objects of the public types, with the traps of real recordings."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazecode.model import KINDS, Events, Recording, Samples, Screen, Trial

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["events", "recordings", "samples", "screens"]


def screens() -> "SearchStrategy[Screen]":
    """Screens from phones to walls, with and without millimetres and distance."""
    from hypothesis import strategies as st

    def size(low: float, high: float) -> "SearchStrategy[float]":
        return st.floats(low, high, allow_nan=False)

    flat = st.builds(Screen, width_px=size(320, 7680), height_px=size(240, 4320))
    known = st.builds(
        Screen,
        width_px=size(320, 7680),
        height_px=size(240, 4320),
        width_mm=size(60, 3000),
        height_mm=size(40, 2000),
        distance_mm=size(200, 5000),
    )
    return st.one_of(flat, known)


def samples(
    *, min_size: int = 0, max_size: int = 60, eye: str = "left", rate_hz: float = 250.0
) -> "SearchStrategy[Samples]":
    """Gaze of one eye: jittered clock, gaps, lost samples, points on and off the screen.

    Every step is at least a tenth of ``1000 / rate_hz`` ms; some are gaps.
    """
    from hypothesis import strategies as st

    step = 1000.0 / rate_hz
    point = st.tuples(*(st.floats(-500, 3000, allow_nan=False) for _ in "xy"))
    row = st.tuples(
        st.one_of(st.just(step), st.floats(step / 10, step * 3), st.floats(step * 10, step * 500)),
        st.one_of(point, point, st.just((np.nan, np.nan))),
        st.one_of(st.floats(1, 9000), st.just(np.nan)),
    )

    def build(rows: list[tuple[float, tuple[float, float], float]]) -> Samples:
        # The first step is dropped: a recording's clock starts at 0.
        steps = np.array([r[0] for r in rows])
        return Samples(
            t_ms=np.cumsum(steps) - steps[:1].sum(),
            xy_px=np.array([r[1] for r in rows]).reshape(-1, 2),
            pupil=np.array([r[2] for r in rows]),
            eye=eye,
        )

    return st.lists(row, min_size=min_size, max_size=max_size).map(build)


def events(
    *, max_size: int = 20, kinds: Sequence[str] = KINDS, overlap: bool = False
) -> "SearchStrategy[Events]":
    """Events in order of onset; disjoint unless `overlap`."""
    from hypothesis import strategies as st

    row = st.tuples(
        st.sampled_from(list(kinds)),
        st.floats(0, 500),
        st.floats(1, 800),
        st.tuples(st.floats(-500, 3000), st.floats(-500, 3000)),
    )

    def build(rows: list[tuple[str, float, float, tuple[float, float]]]) -> Events:
        onset, at = [], 0.0
        for _, pause, duration, _ in rows:
            onset.append(at + pause)
            at += pause + (0.0 if overlap else duration)
        start = np.array(onset)
        # Rounding must not make an event reach into the next one.
        end = start + np.array([r[2] for r in rows])
        end[:-1] = end[:-1] if overlap else np.minimum(end[:-1], start[1:])
        return Events(
            kind=np.array([r[0] for r in rows], dtype=object),
            onset_ms=start,
            offset_ms=end,
            xy_px=np.array([r[3] for r in rows]).reshape(-1, 2),
        )

    return st.lists(row, max_size=max_size).map(build)


def recordings(*, min_size: int = 2, max_size: int = 60) -> "SearchStrategy[Recording]":
    """Recordings of one or two eyes on one clock, with up to three trials and a screen or none."""
    from hypothesis import strategies as st

    def build(
        gaze: Samples, shift: tuple[float, float], shape: tuple[bool, int], screen: Screen | None
    ) -> Recording:
        binocular, n_trials = shape
        eyes = {"left": gaze}
        if binocular:
            eyes["right"] = Samples(
                t_ms=gaze.t_ms, xy_px=gaze.xy_px + shift, pupil=gaze.pupil, eye="right"
            )
        borders = np.linspace(0.0, float(gaze.t_ms[-1]) + 1.0, n_trials + 1)
        trials = [
            Trial(name=f"trial {i}", onset_ms=float(a), offset_ms=float(b))
            for i, (a, b) in enumerate(pairwise(borders))
        ]
        return Recording(samples=eyes, trials=trials, screen=screen)

    shift = st.tuples(st.floats(-80, 80), st.floats(-80, 80))
    shape = st.tuples(st.booleans(), st.integers(1, 3))
    gaze = samples(min_size=max(min_size, 1), max_size=max_size)
    return st.builds(build, gaze, shift, shape, st.one_of(st.none(), screens()))
