"""5,000 fixations on 2,000 boxes, hard and soft, beside pymovements in the same run.

Run: ``pytest benchmarks/bench_mapping.py --benchmark-enable -s``.
"""

import time

import numpy as np
import pytest

from gazecode.mapping import map_to_tokens
from gazecode.model import Events, Layout

N_FIXATIONS, N_BOXES, N_LINES = 5_000, 2_000, 60
METHODS = {"nearest": {}, "disc": {"radius_px": 20.0}, "gaussian": {"sd_px": 25.0}}
LINE_HEIGHT_PX = 29.0


def scene():
    """A page of code: tokens of 1 to 11 cells side by side, gaze all over it."""
    rng = np.random.default_rng(0)
    per_line = N_BOXES // N_LINES + 1
    width = rng.integers(1, 12, (N_LINES, per_line)) * 10.0
    blank = rng.integers(0, 2, (N_LINES, per_line)) * 10.0
    x1 = 200 + np.cumsum(width + blank, axis=1) - blank
    y0 = np.repeat(50 + np.arange(N_LINES) * LINE_HEIGHT_PX, per_line)
    boxes = np.stack([(x1 - width).ravel(), y0, x1.ravel(), y0 + LINE_HEIGHT_PX], axis=1)[:N_BOXES]
    layout = Layout(
        boxes=boxes,
        token=np.arange(N_BOXES),
        line=np.repeat(np.arange(N_LINES), per_line)[:N_BOXES],
        n_tokens=N_BOXES,
        line_height_px=LINE_HEIGHT_PX,
    )
    high = boxes[:, 2:].max(axis=0) + 50
    onset = np.arange(N_FIXATIONS) * 250.0
    fixations = Events(
        kind=["fixation"] * N_FIXATIONS,
        onset_ms=onset,
        offset_ms=onset + 200,
        xy_px=rng.uniform((150, 0), high, (N_FIXATIONS, 2)),
    )
    return fixations, layout


@pytest.mark.parametrize("method", METHODS)
def test_mapping(benchmark, method):
    fixations, layout = scene()
    hits = benchmark(map_to_tokens, fixations, layout, method, **METHODS[method])
    assert hits.n_fixations == N_FIXATIONS


def best_of(n, job):
    """Shortest of n runs, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.filterwarnings("ignore")
def test_beside_pymovements():
    pm = pytest.importorskip("pymovements", reason="pymovements is not installed (extra: bench)")
    pl = pytest.importorskip("polars", reason="polars is not installed (extra: bench)")
    fixations, layout = scene()
    stimulus = pm.stimulus.TextStimulus(
        pl.DataFrame(
            {
                "token": [str(t) for t in layout.token.tolist()],
                "x0": layout.boxes[:, 0],
                "y0": layout.boxes[:, 1],
                "x1": layout.boxes[:, 2],
                "y1": layout.boxes[:, 3],
            }
        ),
        aoi_column="token",
        start_x_column="x0",
        start_y_column="y0",
        end_x_column="x1",
        end_y_column="y1",
    )
    frame = pl.DataFrame(
        {
            "name": ["fixation"] * N_FIXATIONS,
            "onset": fixations.onset_ms.astype(int),
            "offset": fixations.offset_ms.astype(int),
            "location_x": fixations.xy_px[:, 0],
            "location_y": fixations.xy_px[:, 1],
        }
    )
    events = pm.Events(frame)
    theirs = best_of(1, lambda: events.map_to_aois(stimulus, verbose=False))
    same_question(events, fixations, layout)
    for method, params in METHODS.items():
        ours = best_of(5, lambda m=method, p=params: map_to_tokens(fixations, layout, m, **p))
        print(
            f"{method}: {ours * 1e3:.1f} ms; pymovements map_to_aois {theirs * 1e3:.0f} ms: "
            f"{theirs / ours:.0f} times (reach 50)"
        )
        assert theirs / ours >= 50


def same_question(events, fixations, layout):
    """Both must give the same boxes where a fixation lies inside one."""
    inside = map_to_tokens(fixations, layout, "nearest", reach_px=0.0)
    ours = np.full(N_FIXATIONS, -1)
    ours[inside.fixation] = inside.token
    theirs = events.frame["token"].cast(int).fill_null(-1).to_numpy()
    assert (ours == theirs).mean() > 0.999
