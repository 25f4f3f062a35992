"""BIDS eye tracking: inheritance, eyes, clocks, events, planes, drafts; the real files."""

import gzip
import json

import numpy as np
import pytest
from makers.bids import COLUMNS, SCREEN, sidecar, write_gz

from gazecode.errors import FormatError, TooLarge
from gazecode.model import Screen
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.bids.names import applicable, dataset_root, inherited, parse_name
from gazecode.testing import check_reader

READER = READERS["bids"]
ROWS = "0.0\t10\t20\t3\n0.1\tn/a\tn/a\tn/a\n0.2\t30\t40\t4\n"


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def recording(folder, rows=ROWS, *, unit="s", stem="sub-01_task-read_recording-eye1", **more):
    folder.mkdir(parents=True, exist_ok=True)
    more = {"RecordedEye": "left", "SamplingFrequency": 10, "StartTime": 0} | more
    put(folder / f"{stem}_physio.json", sidecar(unit, **more))
    return write_gz(folder / f"{stem}_physio.tsv.gz", rows)


def events_of(folder, rows, said, stem="sub-01_task-read_recording-eye1"):
    put(folder / f"{stem}_physioevents.json", said)
    return write_gz(folder / f"{stem}_physioevents.tsv.gz", rows)


def test_columns_units_and_the_eye_come_from_the_sidecar(tmp_path):
    path = recording(tmp_path)
    put(tmp_path / "sub-01_task-read_events.json", SCREEN)
    got = check_reader(READER, path)
    assert sniff_format(path) == "bids"
    left = got.samples["left"]
    assert left.t_ms.tolist() == [0, 100, 200]
    assert np.array_equal(left.xy_px, [[10, 20], [np.nan] * 2, [30, 40]], equal_nan=True)
    assert np.array_equal(left.pupil, [3, np.nan, 4], equal_nan=True)
    assert got.plane == "screen_px"
    assert got.screen == Screen(
        width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650
    )
    assert got.provenance["participant"] == "01"
    assert got.provenance["left_out"] == {}


def test_metadata_are_inherited_and_the_nearest_wins(tmp_path):
    put(tmp_path / "dataset_description.json", {"BIDSVersion": "1.11.1"})
    put(
        tmp_path / "task-read_physio.json", {"SamplingFrequency": 1, "Manufacturer": "A", "Unit": 0}
    )
    put(tmp_path / "task-other_physio.json", {"Manufacturer": "no"})
    put(tmp_path / "sub-01" / "sub-01_physio.json", {"SamplingFrequency": 2})
    put(tmp_path / "sub-01" / "sub-01_ses-02_physio.json", {"Manufacturer": "no"})
    beh = tmp_path / "sub-01" / "ses-01" / "beh"
    put(beh / "sub-01_ses-01_task-read_physio.json", {"SamplingFrequency": 3, "StartTime": 5})
    put(beh / "sub-01_ses-01_task-read_recording-eye1_physio.json", {"StartTime": 6})
    put(beh / "sub-01_ses-01_task-read_recording-eye2_physio.json", {"StartTime": 7})
    path = write_gz(beh / "sub-01_ses-01_task-read_recording-eye1_physio.tsv.gz", ROWS)
    said, names = inherited(path, "physio")
    assert said == {"SamplingFrequency": 3, "Manufacturer": "A", "Unit": 0, "StartTime": 6}
    assert names == [
        "task-read_physio.json",
        "sub-01_physio.json",
        "sub-01_ses-01_task-read_physio.json",
        "sub-01_ses-01_task-read_recording-eye1_physio.json",
    ]
    assert dataset_root(path) == tmp_path
    assert [p.name for p in applicable(path, "events", "tsv")] == []


def test_a_folder_above_the_dataset_is_not_asked(tmp_path):
    put(tmp_path / "task-read_physio.json", {"SamplingFrequency": 99})
    root = tmp_path / "mine"
    put(root / "dataset_description.json", {"BIDSVersion": "1.11.1"})
    path = recording(root / "sub-01" / "beh")
    assert inherited(path, "physio")[0]["SamplingFrequency"] == 10
    # Without a description a folder that is no part of a dataset is its own root.
    assert dataset_root(recording(tmp_path / "flat")) == tmp_path / "flat"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sub-01_task-x_run-02_physio.tsv.gz", ({"sub": "01", "task": "x", "run": "02"}, "physio")),
        ("task-x_events.json", ({"task": "x"}, "events")),
        ("sub-01_task-x_bold.json", None),
        ("sub-01_eeg.vhdr", None),
        ("notes.txt", None),
    ],
)
def test_names(name, expected):
    found = parse_name(name)
    assert (found and (dict(found.entities), found.suffix)) == expected


def test_two_eyes_are_joined_by_what_their_sidecars_say(tmp_path):
    one = recording(tmp_path, RecordedEye="right")
    recording(tmp_path, ROWS.replace("10", "50"), stem="sub-01_task-read_recording-eye2")
    recording(tmp_path, ROWS, stem="sub-01_task-read_recording-eye3", RecordedEye="cyclopean")
    recording(tmp_path, ROWS, stem="sub-02_task-read_recording-eye1")
    put(tmp_path / "sub-01_task-read_recording-pulse_physio.json", {"Columns": ["cardiac"]})
    write_gz(tmp_path / "sub-01_task-read_recording-pulse_physio.tsv.gz", "1\n2\n")
    got = check_reader(READER, one)
    assert sorted(got.samples) == ["both", "left", "right"]
    assert got.samples["left"].xy_px[0, 0] == 50
    assert len(got.provenance["files"]) == 3
    assert not READER.sniff(Source(tmp_path / "sub-01_task-read_recording-pulse_physio.tsv.gz"))


def test_eyes_with_stamps_of_their_own_keep_them(tmp_path):
    path = recording(tmp_path, "0.0\t1\t1\t1\n0.1\t2\t2\t1\n")
    stem = "sub-01_task-read_recording-eye2"
    recording(tmp_path, "0.1\t5\t5\t1\n0.3\t6\t6\t1\n", stem=stem, RecordedEye="right")
    got = read(path)
    assert got.samples["left"].t_ms.tolist() == [0, 100, 300]
    assert got.samples["left"].lost.tolist() == [False, False, True]
    assert got.samples["right"].lost.tolist() == [True, False, False]
    assert got.provenance["left_out"] == {"stamps_of_one_eye": 2}


def test_two_files_of_one_eye_are_refused_and_an_empty_second_eye_said(tmp_path):
    path = recording(tmp_path)
    other = recording(tmp_path, stem="sub-01_task-read_recording-eye2")
    with pytest.raises(FormatError, match="says it holds the left eye, as the file before it"):
        read(path)
    other.write_bytes(gzip.compress(b""))
    assert "only the other eye is read" in read(path).provenance["notes"][0]


@pytest.mark.parametrize(
    "name", ["physio.tsv.gz", "physio.json", "events.tsv", "physioevents.json"]
)
def test_an_empty_placeholder_is_said_to_be_one(tmp_path, name):
    path = recording(tmp_path)
    path.write_bytes(gzip.compress(b""))
    put(tmp_path / "sub-01_task-read_events.tsv", "onset\tduration\n1\t2\n")
    events_of(tmp_path, "", {"Columns": ["onset", "message"], "OnsetSource": "timestamp"})
    opened = next(p for p in tmp_path.iterdir() if p.name.endswith(name))
    with pytest.raises(FormatError, match="is empty|holds nothing"):
        read(opened)


def test_a_first_empty_member_of_a_gzip_file_hides_nothing(tmp_path):
    path = recording(tmp_path)
    path.write_bytes(gzip.compress(b"") + gzip.compress(ROWS.encode()))
    assert len(read(path)) == 3


@pytest.mark.parametrize(
    ("stamps", "unit", "expected"),
    [
        (("7186799", "7186800", "7186802"), "ms", [0, 1, 3]),
        (("1000", "3000", "5500"), "us", [0, 2, 4.5]),
        (
            ("1760676790465965534", "1760676790470965535", "1760676790475965534"),
            "ns",
            [0, 5.000001, 10],
        ),
    ],
)
def test_stamps_are_ms_from_the_first(tmp_path, stamps, unit, expected):
    path = recording(tmp_path, "".join(f"{s}\t1\t2\t3\n" for s in stamps), unit=unit)
    got = read(path)
    assert got.samples["left"].t_ms == pytest.approx(expected, abs=1e-9)
    assert "0 at the first stamp" in got.provenance["clock"]


def test_stamps_that_begin_at_the_start_of_the_task_stay(tmp_path):
    path = recording(tmp_path, "1500.5\t1\t2\t3\n1504.5\t1\t2\t3\n", unit="ms", StartTime=1.5005)
    put(tmp_path / "sub-01_task-read_events.tsv", "onset\tduration\ttrial_type\n1.501\t0.003\ta\n")
    got = read(path)
    assert got.samples["left"].t_ms.tolist() == [1500.5, 1504.5]
    assert got.trials[0].onset_ms == 1501.0


@pytest.mark.parametrize(
    ("step", "rate", "unit"), [(4, 250, "ms"), (0.004, 250, "s"), (4000, 250, "us"), (2, None, "ms"), (0.002, None, "s")]
)  # fmt: skip
def test_a_unit_that_is_not_said_is_found_and_said(tmp_path, step, rate, unit):
    rows = "".join(f"{i * step}\t1\t2\t3\n" for i in range(20))
    said = {"timestamp": {}} | ({"SamplingFrequency": rate} if rate else {})
    path = recording(tmp_path, rows, **said)
    if rate is None:
        sidecar_path = tmp_path / "sub-01_task-read_recording-eye1_physio.json"
        kept = json.loads(sidecar_path.read_text())
        del kept["SamplingFrequency"]
        put(sidecar_path, kept)
    got = read(path)
    assert got.provenance["rate_hz"] == pytest.approx(rate or 500)
    assert any(f"{unit} fits" in n or f"taken as {unit}" in n for n in got.provenance["notes"])


def test_rows_without_stamps_are_evenly_spaced(tmp_path):
    path = recording(tmp_path, "1\t2\n3\t4\n", Columns=["x_coordinate", "y_coordinate"])
    assert read(path).samples["left"].t_ms.tolist() == [0, 100]
    path = recording(tmp_path, "1\t2\n", Columns=COLUMNS[1:3], SamplingFrequency="n/a")
    with pytest.raises(FormatError, match="neither a column timestamp nor SamplingFrequency"):
        read(path)


def test_events_of_the_tracker_and_its_messages(tmp_path):
    path = recording(tmp_path, "7186799\t1\t2\t3\n7186800\t1\t2\t3\n", unit="ms")
    said = {
        "Columns": ["onset", "duration", "trial_type", "blink", "message"],
        "OnsetSource": "timestamp",
    }
    rows = (
        '7184392\tn/a\tn/a\tn/a\t"RECCFG CR 1000 2 0 R"\n7186806\t72\tfixation\t0\tn/a\n'
        "7186879\t231\tsaccade\t1\tn/a\n7186890\tn/a\tn/a\tn/a\t007\nragged\n7186900\t5\tstart\t0\tn/a\n"
    )
    events_of(tmp_path, rows, said)
    got = check_reader(READER, path)
    events = got.device_events
    assert events.kind.tolist() == ["fixation", "saccade"]
    assert events.onset_ms.tolist() == [7, 80]
    # The specification's own example writes durations in the unit of its stamps.
    assert events.duration_ms.tolist() == [72, 231]
    assert events.eye.tolist() == ["left", "left"]
    assert [(m.t_ms, m.text) for m in got.messages] == [
        (-2407, "RECCFG CR 1000 2 0 R"),
        (91, "007"),
        (101, "start"),
    ]
    assert got.provenance["left_out"] == {"ragged_rows": 1}
    assert "unit of the tracker's durations is not said" in got.provenance["notes"][0]


@pytest.mark.parametrize(
    ("said", "row", "interval"),
    [
        pytest.param({"duration": {"Units": "s"}}, "110\t0.05", (10, 60), id="stated"),
        pytest.param({}, "110\t0.05", (10, 60), id="too short to be ms"),
        pytest.param({"OnsetSource": "n/a"}, "2\t0.05", (8, 58), id="rows"),
    ],
)
def test_onsets_and_durations_in_their_units(tmp_path, said, row, interval):
    path = recording(tmp_path, "".join(f"{100 + 4 * i}\t1\t2\t3\n" for i in range(9)), unit="ms")
    said = {"Columns": ["onset", "duration", "trial_type"], "OnsetSource": "timestamp"} | said
    events_of(tmp_path, f"{row}\tfixation\n", said)
    events = read(path).device_events
    assert (events.onset_ms[0], events.offset_ms[0]) == pytest.approx(interval)


def test_messages_that_both_eyes_files_repeat_are_kept_once(tmp_path):
    path = recording(tmp_path)
    recording(tmp_path, stem="sub-01_task-read_recording-eye2", RecordedEye="right")
    said = {"Columns": ["onset", "message"], "OnsetSource": "timestamp"}
    for eye in (1, 2):
        events_of(tmp_path, "0.1\tgo\n0.1\tgo\n", said, f"sub-01_task-read_recording-eye{eye}")
    assert [m.text for m in read(path).messages] == ["go", "go"]


def test_rows_of_events_with_an_extent_are_trials(tmp_path):
    path = recording(tmp_path, StartTime=-0.5)
    text = (
        "onset\tduration\ttrial_type\tstim_file\n-0.4\t0.1\tread\timages/Vehicle.png\n"
        "-0.3\t0.05\tread\tn/a\n-0.45\t0\tkey\tn/a\n-0.44\tn/a\tcue\tn/a\nn/a\t1\tx\tn/a\n"
        "90\t1\tlate\tn/a\nbroken\n"
    )
    put(tmp_path / "sub-01_task-read_events.tsv", text)
    got = check_reader(READER, path)
    assert [(t.name, t.onset_ms, t.offset_ms, t.stimulus) for t in got.trials] == [
        ("read", 100, 200, "Vehicle"),
        ("read (2)", 200, 250, "read"),
    ]
    assert [(m.t_ms, m.text) for m in got.messages] == [(50, "key"), (60, "cue")]
    assert got.provenance["left_out"] == {"ragged_rows": 1, "no_time": 1, "trials_outside": 1}


def test_events_stamped_by_the_tracker_are_known_by_lying_outside(tmp_path):
    path = recording(tmp_path, "1785300\t1\t2\t3\n1785400\t1\t2\t3\n1787000\t1\t2\t3\n", unit="ms")
    text = "onset\tduration\ttrial_number\n1785.302201\t1.0\t1\n1786.4\t0.5\t2\n"
    put(tmp_path / "sub-01_task-read_events.tsv", text)
    got = read(path)
    assert [(t.name, t.onset_ms) for t in got.trials] == [("trial 1", 2.201), ("trial 2", 1100.0)]
    assert "stamps of the tracker" in got.provenance["notes"][0]


@pytest.mark.parametrize(
    ("said", "plane"),
    [
        ({"x_coordinate": {"Units": "1"}}, "screen_fraction"),
        ({"SampleCoordinateSystem": "gaze-in-world"}, "scene_px"),
        (
            {"SampleCoordinateSystem": "gaze-in-world", "x_coordinate": {"Units": "1"}},
            "scene_fraction",
        ),
        ({"SampleCoordinateSystem": "eye-in-head"}, "href"),
        ({"x_coordinate": {}, "SampleCoordinateUnits": "pixel"}, "screen_px"),
    ],
)
def test_planes(tmp_path, said, plane):
    got = read(recording(tmp_path, **said))
    assert got.plane == plane
    assert got.samples["left"].xy_px[0].tolist() == [10, 20]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(["bottom", "left"], [10, 1060]), (["center", "center"], [970, 520]), (["bottom", "right"], [1910, 1060])],
)  # fmt: skip
def test_other_origins_are_brought_to_the_top_left(tmp_path, origin, expected):
    path = recording(tmp_path)
    with_screen = {
        "StimulusPresentation": SCREEN["StimulusPresentation"] | {"ScreenOrigin": origin}
    }
    put(tmp_path / "sub-01_task-read_events.json", with_screen)
    got = read(path)
    assert got.samples["left"].xy_px[0].tolist() == expected
    assert any("brought to the top left" in note for note in got.provenance["notes"])
    put(
        tmp_path / "sub-01_task-read_events.json",
        {"StimulusPresentation": {"ScreenOrigin": origin}},
    )
    with pytest.raises(FormatError, match="whose size is not known"):
        read(path)
    assert (
        read(path, screen=Screen(width_px=1920, height_px=1080)).samples["left"].xy_px[0].tolist()
        == expected
    )


def test_lengths_on_the_screen_become_pixels_and_degrees_are_refused(tmp_path):
    path = recording(tmp_path, x_coordinate={"Units": "mm"})
    with pytest.raises(FormatError, match="in mm of a screen whose size is not known"):
        read(path)
    put(tmp_path / "sub-01_task-read_events.json", SCREEN)
    got = read(path).samples["left"].xy_px[0]
    assert got == pytest.approx([10 * 1920 / 509, 20 * 1080 / 286])
    with pytest.raises(FormatError, match="coordinates are in 'degree'"):
        read(recording(tmp_path, x_coordinate={"Units": "degree"}))


def test_a_screen_that_cannot_be_in_metres_is_left_out(tmp_path):
    path = recording(tmp_path)
    shown = {"ScreenResolution": [1920, 1080], "ScreenSize": [50.9, 28.6], "ScreenDistance": 65}
    put(tmp_path / "sub-01_task-read_events.json", {"StimulusPresentation": shown})
    got = read(path)
    assert got.screen == Screen(width_px=1920, height_px=1080)
    assert "cannot be metres" in got.provenance["notes"][0]


def test_the_trackers_error_becomes_a_validation(tmp_path):
    path = recording(tmp_path, AverageCalibrationError=[0.5, 0.29], MaximalCalibrationError=0.61)
    (check,) = read(path).validations
    assert (check.eye, check.mean_deg, check.max_deg) == ("left", 0.29, 0.61)


def test_a_draft_with_a_header_opens_under_any_name(tmp_path):
    text = "eye_timestamp\teye1_x_coordinate\teye1_y_coordinate\teye2_x_coordinate\teye2_y_coordinate\n"
    path = write_gz(tmp_path / "any.tsv.gz", text + "100.0\t1\t2\t3\t4\n102.0\t1\t2\tn/a\t4\n")
    got = check_reader(READER, path)
    assert got.samples["right"].xy_px[0].tolist() == [3, 4]
    assert got.provenance["rate_hz"] == 500
    assert got.provenance["left_out"] == {"half_lost": 1}
    assert any("eye1 is taken as the left" in note for note in got.provenance["notes"])
    # A header line in a file of the standard, which forbids it, is used as well.
    path = recording(tmp_path, "timestamp\ty_coordinate\tx_coordinate\n0.5\t1\t2\n")
    assert read(path).samples["left"].xy_px.tolist() == [[2, 1]]


def test_a_sidecar_leads_to_its_recording_or_names_what_to_open(tmp_path):
    put(tmp_path / "dataset_description.json", {"BIDSVersion": "1.11.1"})
    task = put(tmp_path / "task-read_physio.json", {"PhysioType": "eyetrack"})
    recording(tmp_path / "sub-01" / "beh")
    for opened in (task, tmp_path / "dataset_description.json", tmp_path):
        assert sniff_format(opened) == "bids"
        assert len(read(opened)) == 3
    recording(tmp_path / "sub-02" / "beh", stem="sub-02_task-read_recording-eye1")
    for opened in (task, tmp_path / "dataset_description.json", tmp_path):
        with pytest.raises(FormatError, match=r"several recordings. Open one of them: sub-01_task"):
            read(opened)
    lonely = put(tmp_path / "alone" / "task-x_events.json", SCREEN)
    with pytest.raises(FormatError, match="found none. Copy the whole dataset"):
        read(lonely)


def test_tracker_events_without_samples_say_so(tmp_path):
    path = events_of(tmp_path, "1\tgo\n", {"Columns": ["onset", "message"]})
    with pytest.raises(
        FormatError, match=r"expected a file sub-01_task-read_recording-eye1_physio.tsv.gz"
    ):
        read(path)


@pytest.mark.parametrize(
    ("columns", "says"),
    [(None, "names its columns"), (["timestamp", "cardiac"], "no column x_coordinate"), (COLUMNS[:3], "no whole row")],
)  # fmt: skip
def test_metadata_that_do_not_fit_are_refused(tmp_path, columns, says):
    path = recording(tmp_path, Columns=columns)
    with pytest.raises(FormatError, match=says):
        read(path, format="bids" if READER.sniff(Source(path)) else None)


def test_huge_and_broken_sidecars_are_refused(tmp_path):
    path = recording(tmp_path)
    said = tmp_path / "sub-01_task-read_recording-eye1_physio.json"
    said.write_text("[" * 100_000)
    with pytest.raises(FormatError, match="no whole JSON document"):
        READER.read(Source(path))
    said.write_text('{"a": "' + "x" * (9 << 20) + '"}')
    with pytest.raises(TooLarge):
        READER.read(Source(path))


REAL = "exports/bids_eyetrack"


@pytest.fixture(scope="module")
def real(shared_data):
    folder = shared_data / REAL
    if not folder.is_dir():
        pytest.skip("no BIDS example in the shared data")
    return folder


@pytest.mark.real
def test_the_example_has_its_published_facts(real):
    (path,) = real.glob("sub-EP10*_physio.tsv.gz")
    lines = gzip.decompress(path.read_bytes()).decode("utf-8-sig").split("\n")
    rows = np.array([[float(c) for c in line.split("\t")] for line in lines if line])
    got = check_reader(READER, path)
    assert rows.shape == (51, 4)
    assert got.samples["left"].t_ms == pytest.approx(rows[:, 0] * 1000)
    assert np.array_equal(got.samples["left"].xy_px, rows[:, 1:3])
    assert np.array_equal(got.samples["left"].pupil, rows[:, 3])
    assert got.provenance["rate_hz"] == 10
    assert got.device_events.kind.tolist() == [
        *("blink", "fixation", "saccade", "fixation", "saccade", "fixation")
    ]
    assert got.device_events.duration_ms == pytest.approx([30, 1788, 56, 1502, 70, 1410])
    # `sample` of the file's own counts the rows before an event.
    assert got.device_events.first.tolist() == [2, 3, 21, 21, 36, 37]
    assert got.screen == Screen(
        width_px=800, height_px=600, width_mm=290, height_mm=180, distance_mm=680
    )


@pytest.mark.real
def test_every_file_of_the_example_opens_or_says_what_to_do(real):
    files = sorted(p for p in real.rglob("*") if p.is_file() and p.suffix != ".md")
    empty = [p for p in files if "binocular" in str(p)]
    for path in files:
        assert path in empty or read(path).provenance["format"] == "bids"
    for path in empty:
        with pytest.raises(FormatError, match="is empty|holds nothing"):
            read(path)
    print(f"{len(files)} files, {len(empty)} lead to an empty placeholder")
    assert (len(files), len(empty)) == (14, 7)


@pytest.mark.real
def test_the_draft_has_its_rows(real):
    got = check_reader(READER, real / "draft_with_header_eyetrack_first20000.tsv.gz", cuts=(0.5,))
    assert len(got) == 20_000
    assert got.provenance["rate_hz"] == 1000
    assert got.samples["both"].xy_px[0].tolist() == [952.7, 568.3]
