"""What was done during a fixation: against a loop, and at the borders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection.activity import ACTIVITIES, with_activity
from gazecode.errors import ParameterError
from gazecode.model import Events


def fixations(*intervals):
    return Events(
        kind=["fixation"] * len(intervals),
        onset_ms=[a for a, _ in intervals],
        offset_ms=[b for _, b in intervals],
        xy_px=np.zeros((len(intervals), 2)),
    )


def activity(intervals, **logs):
    return with_activity(fixations(*intervals), **logs).activity.tolist()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(499, "reading"), (500, "typing"), (1100, "typing"), (1700, "typing"), (1701, "reading")],
)
def test_typing_reaches_half_a_second_either_way(edit, expected):
    assert activity([(1000, 1200)], edits_ms=[edit]) == [expected]


@pytest.mark.parametrize(
    ("scroll", "expected"),
    [
        ([899], "reading"),
        ([900], "scrolling"),
        ([1300], "scrolling"),
        ([1301], "reading"),
        ([[0, 900]], "scrolling"),
        ([[0, 5000], [10, 20]], "scrolling"),
    ],
)
def test_scrolling_reaches_a_tenth_of_a_second(scroll, expected):
    assert activity([(1000, 1200)], scrolls_ms=scroll) == [expected]


def test_typing_goes_before_scrolling():
    assert activity([(0, 100)], edits_ms=[50], scrolls_ms=[50]) == ["typing"]


def test_without_a_log_nothing_is_known():
    assert activity([(0, 100), (200, 300)]) == ["unknown"] * 2
    assert activity([(0, 100)], edits_ms=[]) == ["reading"]
    assert activity([(0, 100)], scrolls_ms=[]) == ["reading"]
    three = [(0, 100), (500, 600), (1000, 1100)]
    logs = {"edits_ms": [5000], "logged_ms": (500, 1000)}
    assert activity(three, **logs) == ["unknown", "reading", "unknown"]
    # What is known to have been typed was typed.
    assert activity(three, edits_ms=[1200], logged_ms=(500, 600))[2] == "typing"


def test_the_events_are_new_and_all_else_stays():
    before = fixations((0, 100))
    after = with_activity(before, edits_ms=[])
    assert before.activity is None
    assert after.onset_ms is before.onset_ms or (after.onset_ms == before.onset_ms).all()
    assert len(with_activity(Events.empty(), edits_ms=[3]).activity) == 0


INTERVAL = st.tuples(st.integers(0, 3000), st.integers(0, 400)).map(lambda p: (p[0], p[0] + p[1]))


@given(
    st.lists(INTERVAL.map(lambda p: (p[0], p[1] + 1)), max_size=12).map(sorted),
    st.none() | st.lists(st.integers(0, 3500), max_size=8),
    st.none() | st.lists(INTERVAL, max_size=6),
    st.none() | st.lists(INTERVAL, max_size=4),
    st.tuples(st.integers(0, 600), st.integers(0, 300)),
)
def test_activity_agrees_with_a_loop(events, edits, scrolls, logged, margins):
    edit_margin, scroll_margin = margins
    found = activity(
        events,
        edits_ms=edits,
        scrolls_ms=scrolls,
        logged_ms=logged,
        edit_margin_ms=edit_margin,
        scroll_margin_ms=scroll_margin,
    )
    for (onset, offset), said in zip(events, found, strict=True):
        if any(onset - edit_margin <= t <= offset + edit_margin for t in edits or ()):
            expected = "typing"
        elif any(
            a <= offset + scroll_margin and b >= onset - scroll_margin for a, b in scrolls or ()
        ):
            expected = "scrolling"
        elif logged is None:
            expected = "unknown" if edits is None and scrolls is None else "reading"
        else:
            expected = "reading" if any(a <= onset < b for a, b in logged) else "unknown"
        assert said == expected
        assert said in ACTIVITIES


@pytest.mark.parametrize(
    "bad",
    [
        {"edits_ms": [np.nan]},
        {"scrolls_ms": [[5, 3]]},
        {"scrolls_ms": [[[1, 2]]]},
        {"edits_ms": [1], "edit_margin_ms": -1},
        {"edits_ms": [1], "scroll_margin_ms": np.inf},
        {"edits_ms": [1], "logged_ms": [np.inf, 3]},
    ],
    ids=str,
)
def test_impossible_times_are_refused(bad):
    with pytest.raises(ParameterError) as error:
        activity([(0, 100)], **bad)
    assert "\n" not in str(error.value)
