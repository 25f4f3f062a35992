"""The reading model: its marginals are those it claims."""

import numpy as np
import pytest

from gazecode.errors import DataError, ParameterError
from gazecode.model import Layout
from gazecode.simulate import ReadingModel, simulate


@pytest.fixture(scope="module")
def reading(layout, screen):
    return simulate(layout, seed=11, screen=screen, n_fixations=4000)


def test_about_as_many_moves_back_as_forth(layout, reading):
    rank = np.lexsort((layout.boxes[:, 0], layout.line)).argsort()
    moves = np.diff(rank[reading.box])
    forward, backward, same = (moves > 0).mean(), (moves < 0).mean(), (moves == 0).mean()
    print(f"forward {forward:.3f}, backward {backward:.3f}, refixation {same:.3f}")
    assert forward == pytest.approx(0.45, abs=0.03)
    assert backward == pytest.approx(0.46, abs=0.03)
    assert same == pytest.approx(0.10, abs=0.03)


def test_durations(reading):
    duration = reading.fixations.duration_ms
    print(
        f"mean {duration.mean():.0f} ms, sd {duration.std():.0f} ms, least {duration.min():.0f} ms"
    )
    assert duration.mean() == pytest.approx(240, rel=0.03)
    assert duration.std() == pytest.approx(100, rel=0.1)
    assert duration.min() >= 80


def test_short_tokens_are_fixated_less(layout, reading):
    width = np.round((layout.boxes[:, 2] - layout.boxes[:, 0]) / 20)
    per_box = np.bincount(reading.box, minlength=len(layout))
    rate = [per_box[(width >= a) & (width < b)].mean() for a, b in ((1, 2), (3, 5), (8, 40))]
    print(f"fixations per token of 1, 3-4 and 8 or more characters: {np.round(rate, 1)}")
    assert rate[0] < 0.4 * rate[1] < rate[1] < 0.7 * rate[2]
    # Nothing is out of reach: punctuation is fixated too.
    assert (per_box[width == 1] > 0).mean() > 0.5


def test_eyes_land_a_little_left_of_the_middle(layout, reading):
    x0, _, x1, _ = layout.boxes[reading.box].T
    share = (reading.fixations.xy_px[:, 0] - x0) / (x1 - x0)
    print(f"landing at {share.mean():.3f} of the width, sd {share.std():.3f}")
    assert 0.38 < share.mean() < 0.5
    assert 0.1 < share.std() < 0.3


def test_saccades_reach_at_least_the_stated_degree(reading):
    saccades = reading.truth.of("saccade")
    amplitude = np.hypot(*(saccades.end_xy_px - saccades.xy_px).T) / 43
    print(f"amplitude in deg, quartiles: {np.percentile(amplitude, [25, 50, 75]).round(2)}")
    assert amplitude.min() >= 1 - 1e-9


def test_text_is_read_from_the_top_and_covered(layout, reading):
    assert reading.line[:5].max() <= 3
    assert len(set(reading.token)) > 0.9 * layout.n_tokens


def test_a_text_smaller_than_a_saccade_can_be_read(screen):
    tiny = Layout(boxes=[[0, 0, 10, 20]], token=[0], line=[0], n_tokens=1, line_height_px=20)
    seen = simulate(tiny, seed=1, screen=screen, n_fixations=5)
    assert seen.token.tolist() == [0] * 5


def test_rayner_1998():
    chance = ReadingModel().fixation_probability(np.array([2.5, 8.0, 12.0]))
    # Words of 2-3 letters: about a quarter; of 8 and more: almost always.
    assert chance == pytest.approx([0.25, 0.9, 1.0], abs=0.02)


def test_an_empty_layout_is_refused(screen):
    nothing = Layout(boxes=[], token=[], line=[], n_tokens=0, line_height_px=20)
    with pytest.raises(DataError, match="the layout has no boxes; expected something to read"):
        simulate(nothing, seed=1, screen=screen, n_fixations=5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"forward": -1}, "ReadingModel.forward is -1; expected 0 or more"),
        ({"line_jump": 2}, "ReadingModel.line_jump is 2; expected a share from 0 to 1"),
        (
            {"forward": 0, "backward": 0, "refixation": 0},
            "ReadingModel has no move: forward, backward, refixation are 0",
        ),
        (
            {"min_fixation_ms": 300},
            "ReadingModel.min_fixation_ms is 300; expected less than mean_fixation_ms, 240.0",
        ),
    ],
)
def test_impossible_readers_are_refused(settings, message):
    with pytest.raises(ParameterError) as caught:
        ReadingModel(**settings)
    assert str(caught.value) == message
