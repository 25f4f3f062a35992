"""Recordings as BIDS: what the specification asks for, the same bytes, all or nothing, and back."""

import gzip
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, GeometryError, ParameterError
from gazecode.export import bids_files, to_bids
from gazecode.model import Events, Message, Recording, Samples, Screen, Trial, Validation
from gazecode.readers import read
from gazecode.testing import events, recordings, samples

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
GAZE = Samples(
    t_ms=[0, 4, 8.5, 12], xy_px=[[1, 2], [0.1, -4], [np.nan] * 2, [5, 6]], pupil=[3, 4, np.nan, 5], eye="left"
)  # fmt: skip
EVENTS = Events(
    kind=["fixation", "saccade"],
    onset_ms=[0, 8.5],
    offset_ms=[8.5, 12],
    xy_px=[[1, 2], [3, 4]],
    end_xy_px=[[np.nan] * 2, [5, 6]],
    eye=["left", "left"],
)
ONE = Recording(
    samples={"left": GAZE},
    screen=SCREEN,
    trials=[Trial(name="read", onset_ms=0, offset_ms=10.3, stimulus="Vehicle")],
    messages=[Message(t_ms=-3, text="sync"), Message(t_ms=4, text='a\tb\n"c"')],
    device_events=EVENTS,
    validations=[
        Validation(
            t_ms=-9, eye="left", target_xy_px=[], offset_xy_px=[], offset_deg=[], mean_deg=0.4, max_deg=0.9
        )
    ],
    start_ns=1_700_000_000_000_000_000,
)  # fmt: skip
LABELS = {"subject": "01", "task": "read"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: text.strip()
)


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_names_places_and_fields_are_those_of_the_specification(tmp_path):
    root = tmp_path / "ds"
    path = to_bids(ONE, root, subject="01", session="2", task="read", run=3)
    stem = "sub-01_ses-2_task-read_run-03"
    beh = "sub-01/ses-2/beh"
    assert path.relative_to(root).as_posix() == f"{beh}/{stem}_recording-eye1_physio.tsv.gz"
    assert sorted(contents(root)) == sorted(
        [
            "dataset_description.json",
            f"{beh}/{stem}_events.json",
            f"{beh}/{stem}_events.tsv",
            *(
                f"{beh}/{stem}_recording-eye1_{kind}.{ending}"
                for kind in ("physio", "physioevents")
                for ending in ("json", "tsv.gz")
            ),
        ]
    )
    said = json.loads(path.with_name(f"{stem}_recording-eye1_physio.json").read_text())
    assert said["Columns"] == ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
    assert said["PhysioType"] == "eyetrack"
    assert said["RecordedEye"] == "left"
    assert said["SampleCoordinateSystem"] == "gaze-on-screen"
    assert said["x_coordinate"]["Units"] == said["y_coordinate"]["Units"] == "pixel"
    assert said["AverageCalibrationError"] == 0.4
    assert {"SamplingFrequency", "StartTime"} <= said.keys()
    # No header line, n/a for what was lost.
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    assert lines == [
        "0.0\t1.0\t2.0\t3.0",
        "4.0\t0.1\t-4.0\t4.0",
        "8.5\tn/a\tn/a\tn/a",
        "12.0\t5.0\t6.0\t5.0",
        "",
    ]
    shown = json.loads((root / beh / f"{stem}_events.json").read_text())["StimulusPresentation"]
    assert shown == {
        "ScreenDistance": 0.65,
        "ScreenOrigin": ["top", "left"],
        "ScreenResolution": [1920, 1080],
        "ScreenSize": [0.509, 0.286],
    }
    table = (root / beh / f"{stem}_events.tsv").read_text().split("\n")
    assert table[0].split("\t")[:3] == ["onset", "duration", "trial_type"]
    events_said = json.loads((root / beh / f"{stem}_recording-eye1_physioevents.json").read_text())
    assert events_said["Columns"][0] == "onset"
    assert events_said["OnsetSource"] == "timestamp"
    described = json.loads((root / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion"} <= described.keys()


def test_no_date_and_no_time_of_day_is_written(tmp_path):
    to_bids(ONE, tmp_path / "ds", **LABELS)
    for name, raw in contents(tmp_path / "ds").items():
        packed = name.endswith(".gz")
        # No file name and no time in the header of an archive.
        assert not packed or raw[3:8] == b"\0\0\0\0\0"
        text = gzip.decompress(raw) if packed else raw
        assert b"1700000000" not in text
        assert not re.search(rb"\d{4}-\d\d-\d\d|\d\d:\d\d", text)


def test_a_rerun_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        to_bids(ONE, tmp_path / name, **LABELS)
    before = contents(tmp_path / "one")
    assert before == contents(tmp_path / "two")
    to_bids(ONE, tmp_path / "one", **LABELS)
    assert contents(tmp_path / "one") == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_recording_is_added_to_others_and_replaces_its_own(tmp_path):
    both = replace(ONE, samples={"left": GAZE, "right": replace(GAZE, eye="right")})
    to_bids(both, tmp_path, **LABELS)
    to_bids(ONE, tmp_path, subject="02", task="read")
    described = (tmp_path / "dataset_description.json").write_text(
        '{"BIDSVersion": "1", "Name": "x"}'
    )
    path = to_bids(replace(ONE, messages=(), device_events=Events.empty()), tmp_path, **LABELS)
    assert described
    assert 'Name": "x' in (tmp_path / "dataset_description.json").read_text()
    kept = sorted(p.name for p in path.parent.iterdir())
    # Neither the second eye nor the events of the version before are left to be read.
    assert [name for name in kept if "eye2" in name or "physioevents" in name] == []
    assert len(list(tmp_path.rglob("*_physio.tsv.gz"))) == 2


@pytest.mark.parametrize("fails_at", range(1, 8))
def test_a_failure_on_the_way_leaves_everything_as_it_was(tmp_path, monkeypatch, fails_at):
    root = tmp_path / "ds"
    to_bids(ONE, root, **LABELS)
    before = contents(root)
    calls = {"n": 0}
    path_type = type(root)
    move = path_type.replace

    def broken(self, target):
        calls["n"] += 1
        if calls["n"] == fails_at:
            raise OSError(28, "No space left on device")
        return move(self, target)

    changed = replace(ONE, samples={"left": replace(GAZE, xy_px=GAZE.xy_px + 1)})
    monkeypatch.setattr(path_type, "replace", broken)
    with pytest.raises(OSError, match="No space left"):
        to_bids(changed, root, **LABELS)
    calls["n"] = 0
    if fails_at < 7:
        with pytest.raises(OSError, match="No space left"):
            to_bids(changed, tmp_path / "new", **LABELS)
    monkeypatch.setattr(path_type, "replace", move)
    assert contents(root) == before
    assert not (tmp_path / "new").exists()


def test_what_the_specification_demands_of_the_screen_is_asked_for(tmp_path):
    flat = replace(ONE, screen=Screen(width_px=800, height_px=600))
    with pytest.raises(GeometryError, match="width_mm, height_mm, distance_mm"):
        to_bids(flat, tmp_path / "a", **LABELS)
    with pytest.raises(GeometryError, match="width_px"):
        to_bids(replace(ONE, screen=None), tmp_path / "a", **LABELS)
    assert not (tmp_path / "a").exists()
    got = read(to_bids(flat, tmp_path / "a", **LABELS, screen=SCREEN))
    assert (got.screen.width_px, got.screen.width_mm) == (800, 509)
    assert (
        read(to_bids(flat, tmp_path / "b", **LABELS, allow_incomplete=True)).screen == flat.screen
    )


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"subject": "../x", "task": "a"}, "letters and digits alone"),
        ({"subject": "01", "task": "a_b"}, "letters and digits alone"),
        ({"subject": "", "task": "a"}, "letters and digits alone"),
        ({"subject": "1", "task": "a", "session": "a-b"}, "letters and digits alone"),
        ({"subject": "1", "task": "a", "run": 0}, "from 1 to 9999"),
    ],
)
def test_labels_are_checked(tmp_path, labels, says):
    with pytest.raises(ParameterError, match=says):
        to_bids(ONE, tmp_path / "ds", **labels)
    assert not (tmp_path / "ds").exists()


def test_other_folders_and_recordings_without_samples_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="is no BIDS dataset"):
        to_bids(ONE, tmp_path, **LABELS)
    with pytest.raises(ParameterError, match="make it first"):
        to_bids(ONE, tmp_path / "a" / "b", **LABELS)
    none = Samples(t_ms=[], xy_px=np.empty((0, 2)), eye="left")
    with pytest.raises(DataError, match="0 samples"):
        to_bids(replace(ONE, samples={"left": none}), tmp_path / "ds", **LABELS)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_messages_can_stay_at_home(tmp_path):
    path = to_bids(ONE, tmp_path, **LABELS, messages=False)
    assert read(path).messages == ()
    assert len(read(path).device_events) == 2


def table(found):
    columns = ("kind", "onset_ms", "offset_ms", "xy_px", "end_xy_px", "activity", "eye")
    order = np.lexsort(
        (found.eye.astype(str) if found.eye is not None else found.onset_ms, found.onset_ms)
    )
    values = {name: getattr(found, name) for name in columns}
    return {name: value[order].tolist() for name, value in values.items() if value is not None}


def same(one, other):
    assert len(one) == len(other)
    assert not len(one) or repr(table(one)) == repr(table(other))


def test_one_recording_comes_back(tmp_path):
    got = read(to_bids(ONE, tmp_path, **LABELS))
    assert got.to_frame().equals(ONE.to_frame())
    same(got.device_events, ONE.device_events)
    assert (got.trials, got.messages, got.screen) == (ONE.trials, ONE.messages, ONE.screen)
    assert got.validations[0].mean_deg == 0.4
    assert got.start_ns is None


@pytest.mark.parametrize(
    "plane", ["screen_px", "screen_fraction", "scene_px", "scene_fraction", "href"]
)
def test_planes_come_back(tmp_path, plane):
    got = read(to_bids(replace(ONE, plane=plane), tmp_path, **LABELS))
    assert got.plane == plane
    assert got.to_frame().equals(replace(ONE, plane=plane).to_frame())


def test_a_window_keeps_its_clock(tmp_path):
    part = ONE.window((4.0, 12.5))
    got = read(to_bids(part, tmp_path, **LABELS))
    assert got.to_frame().equals(part.to_frame())
    assert [(t.onset_ms, t.offset_ms) for t in got.trials] == [(4, 10.3)]


@pytest.fixture(scope="module", autouse=True)
def not_through_to_the_disk():
    """A law over many files need not wait for a disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _handle: None)
        yield


@settings(max_examples=50)
@given(recording=recordings(min_size=2, max_size=20), found=events(max_size=8), data=st.data())
def test_samples_trials_and_events_come_back_as_they_were(tmp_path_factory, recording, found, data):
    eyes = [*recording.samples, "both", "mean"]
    named = data.draw(
        st.none() | st.just([data.draw(st.sampled_from(eyes)) for _ in range(len(found))])
    )
    found = replace(found, eye=named, first=None, last=None)
    texts = data.draw(st.lists(TEXT, max_size=4, unique=True))
    trials = [
        replace(t, name=f"{t.name} {name}", stimulus=data.draw(st.none() | TEXT))
        for t, name in zip(recording.trials, [*texts, "", "", ""], strict=False)
    ]
    # A trial that begins after the last sample is none of the recording's.
    last = recording.samples["left"].t_ms[-1]
    trials = [t for t in trials if t.onset_ms <= last]
    heard = [Message(t_ms=float(i) / 3, text=text) for i, text in enumerate(texts)]
    whole = replace(recording, trials=trials, device_events=found, messages=heard, screen=SCREEN)
    folder = tmp_path_factory.mktemp("bids")
    got = read(to_bids(whole, folder / "ds", **LABELS))
    assert got.to_frame().equals(whole.to_frame())
    assert got.trials == whole.trials
    assert got.messages == whole.messages
    same(got.device_events, whole.device_events)
    assert got.screen == SCREEN


@settings(max_examples=20)
@given(gaze=samples(min_size=2, max_size=15, rate_hz=60))
def test_an_eye_that_the_device_joined_is_cyclopean(tmp_path_factory, gaze):
    whole = Recording(samples={"both": replace(gaze, eye="both")}, screen=SCREEN)
    path = to_bids(whole, tmp_path_factory.mktemp("bids") / "ds", **LABELS)
    assert "eye3" in path.name
    assert read(path).to_frame().equals(whole.to_frame())


def test_bids_says_its_version_once():
    assert re.fullmatch(r"1\.\d+\.\d+", bids_files.BIDS_VERSION)


@pytest.mark.real
def test_a_real_recording_comes_back(shared_data, tmp_path):
    path = shared_data / "exports" / "eyelink_asc" / "bino500.asc.gz"
    if not path.is_file():
        pytest.skip("no EyeLink file in the shared data")
    whole = read(path)
    got = read(to_bids(whole, tmp_path, **LABELS, screen=SCREEN))
    assert got.to_frame().equals(whole.to_frame())
    assert got.trials == whole.trials
    assert sorted(m.text for m in got.messages) == sorted(m.text for m in whole.messages)
    same(got.device_events, whole.device_events)
