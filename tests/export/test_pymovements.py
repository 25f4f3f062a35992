"""Recordings to pymovements and back: its conventions, ours, and nothing lost on the way."""

import subprocess
import sys
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, GeometryError, ParameterError
from gazecode.export import from_pymovements, to_pymovements
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial, Validation
from gazecode.testing import events, recordings

pm = pytest.importorskip("pymovements", reason="pymovements is not installed (extra: oracles)")
pl = pytest.importorskip("polars", reason="polars comes with pymovements")

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286.3, distance_mm=650)
T = np.arange(6) * 4.0
LEFT = Samples(
    t_ms=T, xy_px=np.stack([T, T + 1], axis=1), pupil=[1, 2, np.nan, 4, 5, 6], eye="left"
)
RIGHT = replace(LEFT, xy_px=np.where(T[:, None] == 8, np.nan, LEFT.xy_px + 30), eye="right")
FOUND = Events(
    kind=["fixation", "saccade"],
    onset_ms=[0, 8],
    offset_ms=[8, 20],
    xy_px=[[1, 2], [np.nan] * 2],
    end_xy_px=[[np.nan] * 2, [7, 8]],
    eye=["left", "left"],
)
BOTH = Recording(
    samples={"left": LEFT, "right": RIGHT},
    screen=SCREEN,
    trials=[
        Trial(name="a", onset_ms=0, offset_ms=9.5, stimulus="Vehicle"),
        Trial(name="b", onset_ms=12, offset_ms=30),
    ],
    messages=[Message(t_ms=-2, text="sync"), Message(t_ms=4, text="go")],
    device_events=FOUND,
    validations=[
        Validation(
            t_ms=-9, eye="left", target_xy_px=[], offset_xy_px=[], offset_deg=[], mean_deg=0.4, max_deg=0.9
        )
    ],
)  # fmt: skip


def test_what_pymovements_sees_is_in_its_own_conventions():
    gaze = to_pymovements(BOTH)
    assert isinstance(gaze, pm.Gaze)
    assert gaze.n_components == 4
    assert gaze.samples["time"].to_list() == T.tolist()
    assert gaze.samples["pixel"][1].to_list() == [4, 5, 34, 35]
    # Lost is null, never NaN.
    assert gaze.samples["pixel"][2].to_list() == [8, 9, None, None]
    assert gaze.samples["pupil"][2].to_list() == [None, None]
    assert gaze.samples["trial"].to_list() == ["a", "a", "a", "b", "b", "b"]
    assert gaze.trial_columns == ["trial"]
    screen = gaze.experiment.screen
    assert (screen.width_px, screen.height_px, screen.origin) == (1920, 1080, "upper left")
    assert (screen.width_cm, screen.height_cm, screen.distance_cm) == (50.9, 28.63, 65)
    assert gaze.experiment.sampling_rate == 250
    assert gaze.experiment.eyetracker.left
    assert gaze.experiment.eyetracker.right
    frame = gaze.events.frame
    assert frame["name"].to_list() == ["fixation", "saccade"]
    assert frame["onset"].to_list() == [0, 8]
    # Its offsets are the last sample of the event.
    assert frame["offset"].to_list() == [4, 16]
    assert gaze.messages["content"].to_list() == ["sync", "go"]
    assert gaze.validations["accuracy_avg"].to_list() == [0.4]


def test_degrees_by_pymovements_are_our_degrees_at_the_middle_of_the_screen():
    x = np.array([959.5, 959.5 + 38.0])
    one = Samples(t_ms=[0, 4], xy_px=np.stack([x, [539.5, 539.5]], axis=1), eye="left")
    gaze = to_pymovements(Recording(samples={"left": one}, screen=SCREEN))
    gaze.pix2deg()
    position = np.array(gaze.samples["position"].to_list())
    assert position[0] == pytest.approx([0, 0], abs=1e-9)
    mm = 38.0 * SCREEN.width_mm / SCREEN.width_px
    assert position[1, 0] == pytest.approx(np.degrees(np.arctan2(mm, SCREEN.distance_mm)))


def test_everything_comes_back():
    got = from_pymovements(to_pymovements(BOTH))
    assert got.to_frame().equals(BOTH.to_frame())
    assert got.device_events.to_frame().equals(BOTH.device_events.to_frame())
    assert (got.trials, got.messages, got.screen) == (BOTH.trials, BOTH.messages, SCREEN)
    assert (got.validations[0].t_ms, got.validations[0].max_deg) == (-9, 0.9)
    assert got.provenance["n_lost"] == {"left": 0, "right": 1}


def close(one, other):
    if one is None or other is None:
        return one is other
    known = [b is not None for b in astuple(other)]
    assert [a is not None for a in astuple(one)] == known
    return [a for a in astuple(one) if a] == pytest.approx(
        [b for b in astuple(other) if b], rel=1e-14
    )


@settings(max_examples=40)
@given(recording=recordings(min_size=2, max_size=20), found=events(max_size=8), data=st.data())
def test_samples_trials_and_events_come_back_as_they_were(recording, found, data):
    eye = data.draw(st.sampled_from(["left", "right", "both"]))
    if len(recording.samples) == 1:
        one = replace(recording.samples["left"], eye=eye)
        recording = replace(recording, samples={eye: one})
    found = replace(found, first=None, last=None)
    # A trial that begins after the last sample is none of the recording's.
    last = next(iter(recording.samples.values())).t_ms[-1]
    trials = [t for t in recording.trials if t.onset_ms <= last]
    whole = replace(recording, device_events=found, trials=trials)
    got = from_pymovements(to_pymovements(whole))
    assert got.to_frame().equals(whole.to_frame())
    assert got.trials == whole.trials
    # Centimetres have the digits of millimetres, the nearest float of them need not.
    assert close(got.screen, whole.screen)
    assert len(got.device_events) == len(found)
    assert not len(found) or got.device_events.to_frame().equals(found.to_frame())


def test_a_window_keeps_its_clock_and_three_eyes_their_order():
    part = BOTH.window((8.0, 21.0))
    got = from_pymovements(to_pymovements(part))
    assert got.to_frame().equals(part.to_frame())
    assert got.trials == part.trials
    three = Recording(samples={**BOTH.samples, "both": replace(LEFT, eye="both")})
    assert from_pymovements(to_pymovements(three)).to_frame().equals(three.to_frame())


def test_a_trial_taken_apart_by_pymovements_is_that_trial():
    first, second = to_pymovements(BOTH).split("trial", as_dict=False)
    assert [t.name for t in from_pymovements(first).trials] == ["a"]
    assert [t.name for t in from_pymovements(second).trials] == ["b"]
    assert from_pymovements(first).device_events.kind.tolist() == ["fixation", "saccade"]
    assert len(from_pymovements(second).device_events) == 0


def test_events_found_by_pymovements_end_with_the_next_sample():
    gaze = to_pymovements(replace(BOTH, device_events=Events.empty()))
    gaze.events = pm.Events(name=["fixation_ivt", "x"], onsets=[4, 8], offsets=[12, 20])
    found = from_pymovements(gaze).device_events
    assert found.kind.tolist() == ["fixation", "undefined"]
    assert found.onset_ms.tolist() == [4, 8]
    # 12 is followed by 16; the last sample holds for a step and a half.
    assert found.offset_ms.tolist() == [16, 26]
    assert np.isnan(found.xy_px).all()


def gaze_of(time, pixel, **more):
    frame = pl.DataFrame({"time": time, "x": [p[0] for p in pixel], "y": [p[1] for p in pixel]})
    return pm.Gaze(samples=frame, pixel_columns=["x", "y"], time_column="time", **more)


def test_a_gaze_of_its_own_begins_at_zero():
    gaze = gaze_of([1000, 1004, 1008], [(1.0, 2.0), (None, 3.0), (5.0, 6.0)])
    gaze.events = pm.Events(name="saccade", onsets=[1004], offsets=[1004])
    gaze.messages = pl.DataFrame({"time": [1002.0], "content": ["go"]})
    got = from_pymovements(gaze)
    assert got.samples["both"].t_ms.tolist() == [0, 4, 8]
    assert got.samples["both"].lost.tolist() == [False, True, False]
    assert got.provenance["left_out"] == {"half_lost": 1}
    assert got.device_events.onset_ms.tolist() == [4]
    assert got.messages[0].t_ms == 2
    assert any("origin" in note for note in got.provenance["notes"])


@pytest.mark.parametrize(
    ("origin", "expected"), [("upper left", [1, 2]), ("lower left", [1, 598]), ("center", [401, 298])]
)  # fmt: skip
def test_origins(origin, expected):
    experiment = pm.Experiment(screen=pm.Screen(width_px=800, height_px=600, origin=origin))
    got = from_pymovements(gaze_of([0, 4], [(1.0, 2.0), (1.0, 2.0)], experiment=experiment))
    assert got.samples["both"].xy_px[0].tolist() == expected


@pytest.mark.parametrize(("left", "right", "eye"), [(True, False, "left"), (False, True, "right"), (None, None, "both"), (True, True, "both")])  # fmt: skip
def test_one_eye_is_the_one_the_experiment_names(left, right, eye):
    experiment = pm.Experiment(
        screen=pm.Screen(origin="upper left"), eyetracker=pm.EyeTracker(left=left, right=right)
    )
    assert list(
        from_pymovements(gaze_of([0, 4], [(1.0, 2.0)] * 2, experiment=experiment)).samples
    ) == [eye]


def test_trial_columns_of_its_own_become_trials():
    frame = pl.DataFrame({"time": [0, 4, 8, 12], "x": [1.0] * 4, "y": [2.0] * 4, "text": [1, 1, None, 2], "page": [1, 1, None, 1]})  # fmt: skip
    gaze = pm.Gaze(
        samples=frame, pixel_columns=["x", "y"], time_column="time", trial_columns=["text", "page"]
    )
    got = from_pymovements(gaze)
    assert [(t.name, t.onset_ms, t.offset_ms) for t in got.trials] == [
        ("1_1", 0, 8),
        ("2_1", 12, 18),
    ]


@pytest.mark.parametrize(
    ("gaze", "says"),
    [
        pytest.param(lambda: pm.Gaze(samples=pl.DataFrame({"time": [0], "x": [1.0], "y": [1.0]}), position_columns=["x", "y"]), "degrees cannot be mapped", id="degrees"),
        pytest.param(lambda: gaze_of([0, 4, 0], [(1.0, 2.0)] * 3), "gaze.split", id="restarts"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused(gaze, says):
    with pytest.raises(DataError, match=says):
        from_pymovements(gaze())


def test_other_planes_and_pairs_of_eyes_are_refused():
    with pytest.raises(GeometryError, match="screen_fraction, pymovements need"):
        to_pymovements(replace(BOTH, plane="screen_fraction"))
    pair = Recording(samples={"left": LEFT, "both": replace(LEFT, eye="both")})
    with pytest.raises(DataError, match="left and both"):
        to_pymovements(pair)


def test_a_file_of_fixations_alone_comes_back():
    none = Samples(t_ms=[], xy_px=np.empty((0, 2)), eye="both")
    whole = Recording(samples={"both": none}, device_events=FOUND, trials=BOTH.trials)
    got = from_pymovements(to_pymovements(whole))
    assert got.device_events.to_frame().equals(FOUND.to_frame())
    assert got.trials == whole.trials
    assert len(got) == 0


def test_overlapping_trials_are_no_column_and_come_back_all_the_same():
    nested = replace(BOTH, trials=[*BOTH.trials, Trial(name="c", onset_ms=13, offset_ms=14)])
    gaze = to_pymovements(nested)
    assert gaze.trial_columns is None
    assert from_pymovements(gaze).trials == nested.trials


def test_without_pymovements_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymovements", None)
    with pytest.raises(ParameterError, match="pip install pymovements"):
        to_pymovements(BOTH)


def test_importing_the_stage_does_not_import_it():
    code = "import sys, gazecode.export; print({'pymovements', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
