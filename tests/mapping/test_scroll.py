"""Scroll from logs and from where lines were seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.mapping import map_to_tokens
from gazecode.mapping.scroll import VisibleLog, scroll_of_lines, scroll_of_samples, scrolled
from gazecode.model import Events, Layout

LAYOUT = Layout(
    boxes=[[0, 100 + 20 * i, 40, 120 + 20 * i] for i in range(30)],
    token=np.arange(30),
    line=np.arange(30),
    n_tokens=30,
    line_height_px=20,
)


def test_px_and_lines_say_the_same():
    px = VisibleLog(t_ms=[0, 500], top=[0, 60], left=[0, 16], height=[200, 200], width=[80, 80])
    lines = VisibleLog(
        t_ms=[0, 500], top=[0, 3], left=[0, 2], height=[10, 10], width=[10, 10], unit="lines"
    )
    one = scrolled(LAYOUT, px, origin_px=(0, 100))
    two = scrolled(LAYOUT, lines, origin_px=(0, 100), char_width_px=8)
    assert one.scroll_px.tolist() == two.scroll_px.tolist() == [[0, 0], [16, 60]]
    assert one.viewport_px == two.viewport_px == (0, 100, 80, 300)
    assert one.unmatched == {}


def test_a_log_in_any_order_without_repeats():
    log = VisibleLog(t_ms=[50, 10, 10, 30], top=[40, 1, 20, 20])
    layout = scrolled(LAYOUT, log)
    assert layout.scroll_t_ms.tolist() == [10, 50]
    assert layout.scroll_px[:, 1].tolist() == [20, 40]
    assert layout.viewport_px is None
    assert len(scrolled(LAYOUT, VisibleLog(t_ms=[], top=[])).scroll_t_ms) == 0


def test_the_size_held_longest_is_the_viewport_and_others_are_counted():
    log = VisibleLog(t_ms=[0, 10, 20], top=[0, 0, 0], height=[300, 200, 200], width=[80] * 3)
    layout = scrolled(replace(LAYOUT, offset_ms=1000), log, origin_px=(0, 100))
    assert layout.viewport_px == (0, 100, 80, 300)
    assert layout.unmatched == {"viewport_sizes": 1}


def test_fixations_find_the_scrolled_token():
    log = VisibleLog(t_ms=[0, 500], top=[0, 3], height=[4, 4], unit="lines")
    layout = scrolled(LAYOUT, log, origin_px=(0, 100))
    fixations = Events(
        kind=["fixation"] * 3,
        onset_ms=[100, 600, 700],
        offset_ms=[200, 650, 750],
        xy_px=[[20, 110], [20, 110], [20, 210]],
    )
    hits = map_to_tokens(fixations, layout, reach_px=0)
    assert hits.token.tolist() == [0, 3]
    assert hits.status.tolist() == ["token", "token", "off"]
    # 100 to 500 ms lines 0 to 3, then to 750 ms lines 3 to 6.
    assert hits.exposure_ms[[0, 2, 3, 6, 7]].tolist() == [400, 400, 650, 250, 0]


def test_tops_of_lines_say_the_scroll():
    log = scroll_of_lines(
        [0, 5, 9, 12], [2, 3, -1, 5], [140, 160, 0, 140], origin_y_px=100, line_height_px=20
    )
    assert (log.t_ms.tolist(), log.top.tolist()) == ([0, 12], [0, 60])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=40),
    st.lists(st.floats(-300, 300), min_size=4, max_size=4),
    st.sampled_from([14.0, 28.5]),
)
def test_samples_say_the_scroll_to_a_line(rows, scrolls, height):
    """Known scroll, whole lines as an editor resolves them: never more than a line off."""
    step = np.maximum.accumulate([s for s, _ in rows])
    true = np.array(scrolls)[step]
    y = np.array([100 + 400 * at for _, at in rows])
    line = np.floor((y + true - 100) / height).astype(int)
    t = np.arange(len(rows)) * 8.0
    log = scroll_of_samples(t, line, y, origin_y_px=100, line_height_px=height, slack_px=0.01)
    seen = np.flatnonzero(line >= 0)
    assert len(log) <= len(set(step[seen].tolist()))
    if len(seen):
        found = log.top[np.searchsorted(log.t_ms, t[seen], side="right") - 1]
        assert (np.abs(found - true[seen]) <= height + 0.03).all()
        # Every sample lies in its line again, to within what one scroll for all allows.
        again = (y[seen] + found - 100) / height
        assert (again >= line[seen] - 0.01).all()
        assert (again <= line[seen] + 1.01).all()


def test_gaze_outside_the_window_moves_nothing():
    """The last visible row is answered for all gaze below it."""
    t, line, y = [0, 8, 16, 24], [0, 4, 4, 1], [101, 190, 900, 130]
    grid = {"origin_y_px": 100, "line_height_px": 20}
    assert len(scroll_of_samples(t, line, y, **grid)) == 3
    log = scroll_of_samples(t, line, y, **grid, shown_px=(100, 200))
    assert log.t_ms.tolist() == [0]
    assert abs(log.top[0]) < 10


@pytest.mark.real
def test_the_demonstration_did_not_scroll(shared_data):
    """Lines of 42 px; row 2 begins 1 px below the top of the screen; rows 2 to 24 are shown."""
    import re

    text = (shared_data / "itrace-gazel-demo" / "js" / "plugin.xml").read_text()
    answer = re.compile(r'event_id="(\d+)".*? y="(-?\d+)".*? source_file_line="(-?\d+)"')
    event, y, line = np.array(sorted(tuple(map(int, row)) for row in answer.findall(text))).T
    log = scroll_of_samples(
        (event - event[0]) / 1e4,
        line - 1,
        y,
        origin_y_px=-83,
        line_height_px=42,
        shown_px=(1, 967),
    )
    assert len(log) == 1
    assert abs(log.top[0]) <= 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(lambda: VisibleLog(t_ms=[0], top=[np.nan]), DataError, id="nan"),
        pytest.param(lambda: VisibleLog(t_ms=[0, 1], top=[0]), DataError, id="lengths"),
        pytest.param(lambda: VisibleLog(t_ms=[0], top=[0], unit="rows"), ParameterError, id="unit"),
        pytest.param(
            lambda: scrolled(LAYOUT, VisibleLog(t_ms=[0], top=[0], left=[3], unit="lines")),
            ParameterError,
            id="columns",
        ),
        pytest.param(
            lambda: scrolled(LAYOUT, VisibleLog(t_ms=[0], top=[0], height=[0]), origin_px=(0, 0)),
            DataError,
            id="no height",
        ),
        pytest.param(
            lambda: scroll_of_samples([1, 0], [0, 0], [1, 1], origin_y_px=0, line_height_px=9),
            DataError,
            id="backward",
        ),
        pytest.param(
            lambda: scroll_of_samples([0], [0], [1], origin_y_px=0, line_height_px=0),
            ParameterError,
            id="height",
        ),
        pytest.param(
            lambda: scroll_of_lines([0], [0, 1], [1], origin_y_px=0, line_height_px=9),
            DataError,
            id="shapes",
        ),
    ],
)
def test_what_is_no_log_is_refused_in_one_line(call, error):
    with pytest.raises(error) as raised:
        call()
    assert "\n" not in str(raised.value)
