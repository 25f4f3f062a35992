"""Line by line against Eyekit (Carr), where it can be imported: run, never read.

Eyekit's `split` starts its clusters at random and ends in other ones from run to run, some of them
far from the best: the exact optimum has to be among its results. Where proto-lines or sequences are
fewer than lines, which these trials never have, Eyekit fills the lines from the top.
"""

import numpy as np
import pytest

from gazecode.mapping.lines import LINE_METHODS, Lines

try:
    import eyekit
except (ImportError, OSError):
    # OSError: it is there, and the drawing library it loads is not.
    pytest.skip("eyekit is not installed (GPL: a test-only peer)", allow_module_level=True)
pytestmark = [pytest.mark.real, pytest.mark.slow]

METHODS = ("chain", "cluster", "merge", "regress", "segment", "slice", "split", "stretch", "warp")
RUNS = {"split": 12}


@pytest.fixture(scope="module")
def trials(shared_data):
    folder = shared_data / "carr2022-drift"
    if not folder.is_dir():
        pytest.skip("carr2022-drift is not among the recordings")
    passages = eyekit.io.load(str(folder / "passages.json"))
    sample = eyekit.io.load(str(folder / "fixations" / "sample.json"))
    return [(trial["fixations"], passages[trial["passage_id"]]) for trial in sample.values()]


def lines_of(block):
    y = np.array(block.midlines, float)
    words = np.array([word.center for word in block.words()], float)
    return Lines(
        number=np.arange(len(y)),
        y_px=y,
        left_px=np.full(len(y), words[:, 0].min()),
        right_px=np.full(len(y), words[:, 0].max()),
        pitch_px=float(block.line_height),
        word_xy_px=words,
        word_line=np.abs(words[:, 1:] - y).argmin(axis=1),
    )


def snapped(sequence, block, method):
    copy = eyekit.FixationSequence([(f.x, f.y, f.start, f.end) for f in sequence])
    copy.snap_to_lines(block, method)
    heights = np.array([[f.y] for f in copy])
    return np.abs(heights - np.array(block.midlines)).argmin(axis=1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", METHODS)
def test_agreement_with_eyekit(trials, method):
    alike = total = 0
    for sequence, block in trials:
        xy = np.array([(f.x, f.y) for f in sequence], float)
        found = LINE_METHODS[method](xy, lines_of(block))
        runs = [snapped(sequence, block, method) for _ in range(RUNS.get(method, 1))]
        alike += max((found == run).sum() for run in runs)
        total += len(xy)
    print(f"\n{method}: {alike / total:.4f} of {total} fixations")
    assert alike / total >= 0.99
