"""Events: checks on creation, selection, and the round trip through a frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.model import KINDS, Events


def make(**changes):
    values = {
        "kind": ["fixation", "saccade"],
        "onset_ms": [0.0, 200.0],
        "offset_ms": [200.0, 230.0],
        "xy_px": [[1.0, 2.0], [3.0, 4.0]],
    }
    return Events(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"offset_ms": [0.0, 230.0]}, "event 0 has onset 0.0 ms and offset 0.0 ms"),
        ({"offset_ms": [np.nan, 230.0]}, "event 0 has onset 0.0 ms and offset nan ms"),
        ({"onset_ms": [300.0, 200.0], "offset_ms": [310.0, 230.0]}, "not sorted by onset"),
        ({"kind": ["fixation", "glance"]}, r"unknown kind of event \['glance'\]"),
        ({"xy_px": [[1.0, 2.0]]}, "columns differ in length"),
        ({"xy_px": [1.0, 2.0]}, r"Events.xy_px has shape \(2,\); expected \(n, 2\)"),
    ],
    ids=["empty", "nan", "unsorted", "kind", "length", "shape"],
)
def test_bad_events_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_of_selects_one_kind_and_keeps_optional_columns():
    events = make(first=[0, 20], last=[20, 23], eye=["left", "left"])
    saccades = events.of("saccade")
    assert saccades.onset_ms.tolist() == [200.0]
    assert saccades.first.tolist() == [20]
    assert saccades.eye.tolist() == ["left"]
    with pytest.raises(DataError, match="unknown kind"):
        events.of("sacade")


def test_columns_are_read_only_and_the_callers_array_stays_writable():
    onset = np.array([0.0, 200.0])
    events = make(onset_ms=onset)
    with pytest.raises(ValueError, match="read-only"):
        events.onset_ms[0] = 5.0
    onset[0] = 0.0  # the caller's own array is still the caller's


@st.composite
def events(draw):
    n = draw(st.integers(0, 12))
    onset = np.sort(draw(st.lists(st.floats(0, 1e6), min_size=n, max_size=n)))
    length = draw(st.lists(st.floats(0.5, 1e4), min_size=n, max_size=n))
    point = st.floats(-1e4, 1e4) | st.just(np.nan)
    xy = draw(st.lists(st.tuples(point, point), min_size=n, max_size=n))
    kind = draw(st.lists(st.sampled_from(KINDS), min_size=n, max_size=n))
    return Events(
        kind=np.array(kind, object),
        onset_ms=onset,
        offset_ms=np.array(onset) + np.array(length),
        xy_px=np.array(xy, float).reshape(n, 2),
        end_xy_px=np.array(xy, float).reshape(n, 2) if draw(st.booleans()) else None,
        first=np.arange(n) if draw(st.booleans()) else None,
        last=np.arange(n) + 1 if draw(st.booleans()) else None,
        activity=np.array(["reading"] * n, object) if draw(st.booleans()) else None,
    )


@given(events())
def test_frame_and_back(given_events):
    frame = given_events.to_frame()
    again = Events.from_frame(frame.sample(frac=1.0, random_state=1) if len(frame) else frame)
    assert len(again) == len(given_events)
    assert np.array_equal(again.onset_ms, given_events.onset_ms)
    assert set(again.to_frame().columns) == set(frame.columns)
    if len(np.unique(given_events.onset_ms)) == len(given_events):
        assert again.to_frame()[frame.columns].equals(frame)


def test_from_frame_names_what_is_missing():
    frame = make().to_frame().drop(columns=["x_px"])
    with pytest.raises(DataError, match="no column x_px in the frame of events; found kind"):
        Events.from_frame(frame)


def assigned(**more):
    given = {
        "kind": ["fixation"] * 2,
        "onset_ms": [0, 300],
        "offset_ms": [250, 500],
        "xy_px": [[10, 20], [30, 40]],
        "line": [3, -1],
        "line_share": [0.9, 0.0],
        "line_shares": [[0.9, 0.1], [0.0, 0.0]],
        "recorded_xy_px": [[10, 25], [30, 40]],
    }
    return Events(**(given | more))


def test_lines_go_with_their_fixations():
    events = assigned()
    second = events[1:]
    assert second.line.tolist() == [-1]
    assert second.line_shares.tolist() == [[0.0, 0.0]]
    frame = events.to_frame()
    assert frame["line"].tolist() == [3, -1]
    assert frame[["recorded_x_px", "recorded_y_px"]].to_numpy().tolist() == [[10, 25], [30, 40]]
    back = Events.from_frame(frame)
    assert back.to_frame().equals(frame)
    assert back.line_shares is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"line_share": [1.5, 0.0]},
        {"line_share": [-0.1, 0.0]},
        {"line_shares": [[0.9, 0.2], [0.0, 0.0]]},
        {"line_shares": [[1.1, -0.2], [0.0, 0.0]]},
    ],
)
def test_shares_of_lines_are_probabilities(wrong):
    with pytest.raises(DataError, match="no probability"):
        assigned(**wrong)


def test_shares_have_a_row_for_each_fixation():
    with pytest.raises(DataError):
        assigned(line_shares=[[0.5, 0.5]])
    with pytest.raises(DataError):
        assigned(line_shares=[0.5, 0.5])
