"""Line assignment of 5,000 fixations on 300 lines, its growth, and Eyekit in the same run.

Run: ``pytest benchmarks/bench_lines.py --benchmark-enable -s``.
"""

import time
from functools import partial

import numpy as np
import pytest

from gazecode.mapping.lines import LINE_METHODS, Lines
from gazecode.mapping.lines.vote import VOTERS

SIZES = ((200, 12), (1_000, 60), (5_000, 300))
GROWING = ("compare", "merge", "warp")
"""What grows faster than fixations + lines: documented instead of bounded."""
BOUND_S = 0.2
PITCH_PX, CHAR_PX, WORDS = 28.8, 13.5, 10


def page(n_lines, *, seed=0):
    """A page of code: indented lines of up to ten words."""
    rng = np.random.default_rng(seed)
    count = rng.integers(1, WORDS + 1, n_lines)
    line = np.repeat(np.arange(n_lines), count)
    indent = 4 * CHAR_PX * rng.integers(0, 4, n_lines)
    place = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    x = 100 + indent[line] + 6 * CHAR_PX * (place + 0.5)
    y = 50 + PITCH_PX * np.arange(n_lines)
    return Lines(
        number=np.arange(n_lines),
        y_px=y,
        left_px=100 + indent,
        right_px=100 + indent + 6 * CHAR_PX * count,
        pitch_px=PITCH_PX,
        word_xy_px=np.column_stack([x, y[line]]),
        word_line=line,
    )


def gaze(lines, n, *, seed=0):
    """Forward over words, with a jump of up to four lines every tenth time."""
    rng = np.random.default_rng(seed)
    step = rng.integers(1, 3, n)
    jump = rng.random(n) < 0.1
    step[jump] = rng.integers(-4 * WORDS, 4 * WORDS, int(jump.sum()))
    word = np.cumsum(step) % len(lines.word_line)
    return lines.word_xy_px[word] + rng.normal(0, 8, (n, 2))


@pytest.mark.parametrize("method", ["attach", *VOTERS])
def test_lines(benchmark, method):
    lines = page(300)
    found = benchmark(LINE_METHODS[method], gaze(lines, 5_000), lines)
    assert len(found) == 5_000


def best_of(n, job):
    """Shortest of n runs, s of processor time."""
    times = []
    for _ in range(n):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def test_growth():
    print("\nmethod      " + "".join(f"{n:>7} x {lines:<4}" for n, lines in SIZES))
    for method in ("attach", *VOTERS):
        seconds = []
        for n, n_lines in SIZES:
            lines = page(n_lines)
            xy = gaze(lines, n)
            seconds.append(best_of(3, partial(LINE_METHODS[method], xy, lines)))
        print(f"{method:12}" + "".join(f"{s:>10.4f} s " for s in seconds))
        assert method in GROWING or seconds[-1] <= BOUND_S


@pytest.mark.filterwarnings("ignore")
def test_beside_eyekit():
    try:
        import eyekit
    except (ImportError, OSError):
        pytest.skip("eyekit is not installed (GPL: a test-only peer)")
    rng = np.random.default_rng(0)
    block = eyekit.TextBlock(
        ["parola " * 10] * 12,
        position=(360, 161),
        font_face="Courier New",
        font_size=26.667,
        line_height=64,
    )
    words = np.array([word.center for word in block.words()], float)
    y = np.array(block.midlines, float)
    lines = Lines(
        number=np.arange(len(y)),
        y_px=y,
        left_px=np.full(len(y), 360.0),
        right_px=np.full(len(y), 1500.0),
        pitch_px=64.0,
        word_xy_px=words,
        word_line=np.abs(words[:, 1:] - y).argmin(axis=1),
    )
    xy = np.round(np.repeat(words, 2, axis=0) + rng.normal(0, 12, (2 * len(words), 2)))

    def snap(method):
        points = [(int(a), int(b), 300 * i, 300 * i + 200) for i, (a, b) in enumerate(xy)]
        eyekit.FixationSequence(points).snap_to_lines(block, method)

    print(f"\n{len(xy)} fixations on {len(y)} lines, seconds: ours, Eyekit's")
    for method in VOTERS:
        if method != "compare":
            ours = best_of(3, partial(LINE_METHODS[method], xy, lines))
            theirs = best_of(1, partial(snap, method))
            print(f"{method:12}{ours:>10.4f}{theirs:>10.4f}")
