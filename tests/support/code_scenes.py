"""A page of code, somebody who reads it with jumps, and a tracker that is off."""

import numpy as np

from gazecode.mapping.lines import Lines
from gazecode.model import Events, Layout

PITCH = 40.0


def page(n_lines=18, seed=0, pitch_px=PITCH):
    """Lines of different length and indentation, a blank one now and then."""
    rng = np.random.default_rng(seed)
    number = np.cumsum(rng.choice([1, 1, 1, 2], n_lines)) - 1
    left = 300 + 60.0 * rng.integers(0, 4, n_lines)
    right = left + rng.choice([30.0, 150.0, 300.0, 600.0], n_lines, p=[0.2, 0.2, 0.3, 0.3])
    return Lines(
        number=number,
        y_px=200 + pitch_px * number,
        left_px=left,
        right_px=right,
        pitch_px=pitch_px,
        word_xy_px=np.empty((0, 2)),
        word_line=np.empty(0, dtype=np.int64),
    )


def read(lines, n=250, noise_px=6.0, seed=0):
    """Fixations and their lines: stays, neighbours and far jumps."""
    rng = np.random.default_rng(seed)
    line = np.empty(n, dtype=np.int64)
    at = 0
    for i in range(n):
        line[i] = at
        step = rng.choice([0, 1, -1, rng.integers(-9, 10)], p=[0.55, 0.2, 0.13, 0.12])
        at = int(np.clip(at + step, 0, len(lines) - 1))
    x = rng.uniform(lines.left_px[line], lines.right_px[line])
    xy = np.stack([x, lines.y_px[line]], axis=1)
    return xy + rng.normal(0, noise_px, xy.shape), line


def off(xy, x_px, y_px):
    """The same places, recorded with an offset."""
    return xy + np.array([x_px, y_px])


def fixations_of(xy):
    onset = 300.0 * np.arange(len(xy))
    return Events(kind=["fixation"] * len(xy), onset_ms=onset, offset_ms=onset + 250, xy_px=xy)


def layout_of(lines):
    half = 0.3 * lines.pitch_px
    return Layout(
        boxes=np.stack(
            [lines.left_px, lines.y_px - half, lines.right_px, lines.y_px + half], axis=1
        ),
        token=np.arange(len(lines)),
        line=lines.number,
        n_tokens=len(lines),
        line_height_px=lines.pitch_px,
    )
