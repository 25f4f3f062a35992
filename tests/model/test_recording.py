"""Samples, screens, recordings: invariants, windows, eyes asked for by name."""

import numpy as np
import pytest

from gazecode.errors import DataError
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial

NAN = np.nan


def samples(t, x, eye="left"):
    x = np.asarray(x, float)
    return Samples(t_ms=t, xy_px=np.stack([x, x], axis=1), eye=eye)


@pytest.mark.parametrize(
    ("t", "xy", "message"),
    [
        ([0, 0], [[1, 1], [1, 1]], "does not increase at row 1: 0.0 then 0.0 ms"),
        ([1, 0], [[1, 1], [1, 1]], "does not increase at row 1"),
        ([0, NAN], [[1, 1], [1, 1]], "holds NaN or infinity"),
        ([0, 1], [[1, NAN], [1, 1]], "row 0 has one lost coordinate"),
        ([0, 1], [[np.inf, np.inf], [1, 1]], "holds infinity"),
        (["a", 1], [[1, 1], [1, 1]], "Samples.t_ms cannot be a column of float64"),
        ([0, 1], [[1, 1]], "columns differ in length: t_ms 2, xy_px 1"),
    ],
    ids=["repeated", "backward", "nan", "half", "infinite", "text", "length"],
)
def test_bad_samples_are_refused(t, xy, message):
    with pytest.raises(DataError, match=message):
        Samples(t_ms=t, xy_px=xy)


def test_screen_refuses_what_is_not_a_size():
    with pytest.raises(DataError, match="Screen.width_px is 0; expected a positive number"):
        Screen(width_px=0, height_px=1)
    assert not Screen(width_px=10, height_px=10, width_mm=5).has_geometry


def recording():
    t = np.arange(10) * 10.0
    events = Events(
        kind=["fixation", "fixation"],
        onset_ms=[0.0, 30.0],
        offset_ms=[30.0, 90.0],
        xy_px=[[1, 1], [2, 2]],
        first=[0, 3],
        last=[3, 9],
    )
    return Recording(
        samples={"left": samples(t, np.arange(10.0)), "right": samples(t, np.arange(10.0) + 4)},
        trials=[
            Trial(name="a", onset_ms=0, offset_ms=20),
            Trial(name="b", onset_ms=20, offset_ms=70),
        ],
        messages=[Message(t_ms=25, text="hello")],
        device_events=events,
    )


def test_window_keeps_the_clock_and_cuts_events_at_the_border():
    part = recording().window(recording().trials[1])
    assert part.samples["left"].t_ms.tolist() == [20, 30, 40, 50, 60]
    assert [trial.name for trial in part.trials] == ["b"]
    assert [m.text for m in part.messages] == ["hello"]
    assert part.device_events.onset_ms.tolist() == [30.0]
    assert part.device_events.offset_ms.tolist() == [70.0]
    assert part.device_events.first.tolist() == [1]
    assert part.device_events.last.tolist() == [5]


def test_window_takes_an_interval_and_refuses_an_empty_one():
    assert recording().window((0, 25)).samples["right"].t_ms.tolist() == [0, 10, 20]
    cut = recording().window((10, 30)).trials
    assert [(t.name, t.onset_ms, t.offset_ms) for t in cut] == [("a", 10, 20), ("b", 20, 30)]
    with pytest.raises(DataError, match="a window from 5 to 5 ms is empty"):
        recording().window((5, 5))


def test_windows_of_neighbouring_intervals_share_nothing_and_lose_nothing():
    rec = recording()
    parts = [rec.window((0, 35)), rec.window((35, 1e9))]
    joined = np.concatenate([p.samples["left"].t_ms for p in parts])
    assert np.array_equal(joined, rec.samples["left"].t_ms)


def test_eyes_by_name():
    rec = recording()
    assert rec.eye("left") is rec.samples["left"]
    assert rec.eye("mean").xy_px[0, 0] == 2.0
    with pytest.raises(DataError, match="no eye 'third' in this recording; it has left, right"):
        rec.eye("third")


def test_best_eye_is_the_one_with_the_least_lost():
    t = np.arange(4) * 10.0
    rec = Recording(
        samples={"left": samples(t, [1, NAN, 3, 4]), "right": samples(t, [1, 2, 3, 4], "right")}
    )
    assert rec.eye("best").eye == "right"


def test_eyes_on_different_clocks_are_refused():
    with pytest.raises(DataError, match="different clocks"):
        Recording(samples={"left": samples([0, 1], [0, 0]), "right": samples([0, 2], [0, 0])})


def test_frame_names_unit_and_eye():
    columns = list(recording().to_frame().columns)
    assert columns[:4] == ["t_ms", "left_x_px", "left_y_px", "left_pupil"]


def test_trial_must_end_after_it_begins():
    with pytest.raises(DataError, match="trial 'x' runs from 5 to 5 ms"):
        Trial(name="x", onset_ms=5, offset_ms=5)


def test_types_own_their_arrays():
    xy = np.ones((2, 2))
    made = Samples(t_ms=np.array([0.0, 1.0]), xy_px=xy)
    xy[0] = 999.0
    assert made.xy_px[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("eye", ["bogus", ""])
def test_an_unknown_eye_is_refused(eye):
    with pytest.raises(DataError, match="expected one of left, right, both, mean"):
        Samples(t_ms=[0], xy_px=[[1, 1]], eye=eye)


def test_a_window_keeps_the_gaze_of_the_whole():
    t = np.arange(500) * 4.0
    left = np.full((500, 2), 500.0)
    right = left + np.array([40.0, 60.0])
    right[250:] = NAN
    rec = Recording(
        samples={
            "left": Samples(t_ms=t, xy_px=left, eye="left"),
            "right": Samples(t_ms=t, xy_px=right, eye="right"),
        }
    )
    part = rec.window((1200.0, 2000.0))
    assert np.array_equal(part.gaze.xy_px, rec.gaze.between(1200.0, 2000.0).xy_px)
    assert part.window((1300.0, 1400.0)).gaze.xy_px[0].tolist() == [520.0, 530.0]


def test_a_screen_of_text_is_refused():
    with pytest.raises(DataError, match="Screen.width_px is '1920'; expected a positive number"):
        Screen(width_px="1920", height_px=1080)
