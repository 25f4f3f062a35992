"""Texts as line assignment sees them, and gaze that reads them from top to bottom."""

import numpy as np

from gazecode.mapping.lines import Lines


def text(n_lines, *, pitch_px=64.0, words=8, first_px=100.0, word_px=90.0):
    """Lines of words side by side, the last one shorter."""
    count = [words] * (n_lines - 1) + [max(words // 2, 1)]
    line = np.repeat(np.arange(n_lines), count)
    place = np.concatenate([np.arange(n) for n in count])
    y = first_px + np.arange(n_lines) * pitch_px
    x = 300.0 + (place + 0.5) * word_px
    return Lines(
        number=np.arange(n_lines),
        y_px=y,
        left_px=np.full(n_lines, 300.0),
        right_px=300.0 + np.array(count) * word_px,
        pitch_px=pitch_px,
        word_xy_px=np.column_stack([x, y[line]]),
        word_line=line,
    )


def reading(lines, *, noise_px=4.0, regressions=0.0, seed=0):
    """Fixations on every word in turn, with some steps back, and the line of each."""
    rng = np.random.default_rng(seed)
    word = np.arange(len(lines.word_line))
    back = rng.random(len(word)) < regressions
    order = [w for i in word for w in ((i, max(i - 2, 0), i) if back[i] else (i,))]
    # A step back stays on its line.
    order = [
        w if lines.word_line[w] == lines.word_line[i] else i
        for w, i in zip(order, np.maximum.accumulate(order), strict=True)
    ]
    xy = lines.word_xy_px[order] + rng.normal(0, noise_px, (len(order), 2))
    return xy, lines.word_line[order]
