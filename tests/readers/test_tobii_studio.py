"""Studio's three generations: preambles, decimal comma, codes for lost gaze, files of one export."""

import csv
from collections import Counter
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from makers import tobii_studio as made
from makers.tobii_prolab import gaze_of

from gazecode.errors import FormatError, ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.tobii import studio as tobii_studio
from gazecode.testing import check_reader

FOLDER = "exports/tobii_studio"
NAMES = ["fh_J07.csv", "fh_Rec_01.tsv", "fh_Rec_04-All-Data-2stimuli.tsv", "d2lab_data.tsv"]
EYES_2 = [
    *("Timestamp", "GazePointXLeft", "GazePointYLeft", "ValidityLeft", "PupilLeft"),
    *("GazePointXRight", "GazePointYRight", "ValidityRight", "PupilRight"),
]


def write(folder: Path, columns, rows, *, name="made.tsv", before="") -> Source:
    text = before + "\n".join("\t".join(map(str, cells)) for cells in [columns, *rows]) + "\n"
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Source(path)


def plain(path: Path, skip=0):
    """Rows of a real file as dictionaries, read without the package."""
    lines = path.read_text("utf-8-sig").splitlines()[skip:]
    return list(csv.DictReader(lines, delimiter="\t"))


def number(text: str) -> float:
    return float(text.replace(",", ".")) if text else np.nan


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "rows", "stamped", "samples"),
    [
        ("fh_J07.csv", 617, (35919, 48197), 617),
        ("fh_Rec_01.tsv", 255, (1, 5060), 252),
        ("fh_Rec_04-All-Data-2stimuli.tsv", 1237, (18, 24618), 1231),
    ],
)
def test_real_files_of_the_first_generations(shared_data, name, rows, stamped, samples):
    path = shared_data / FOLDER / name
    table = plain(path)
    stamps = [int(r["Timestamp"]) for r in table]
    assert (len(table), stamps[0], stamps[-1]) == (rows, *stamped)
    gaze = [r for r in table if r["Number"]]
    recording = read(path)
    assert len(recording) == len(gaze) == samples
    t_us = np.array([int(r["MicroSecondTimestamp"]) for r in gaze])
    t_ms = recording.samples["left"].t_ms
    np.testing.assert_allclose(t_ms, (t_us - t_us[0]) / 1000, atol=1e-9)
    rough = np.array([int(r["Timestamp"]) for r in gaze])
    assert np.abs(t_ms - (rough - rough[0])).max() <= 1.0
    for eye, s in recording.samples.items():
        valid = np.array([r[f"Validity{eye.title()}"] == "0" for r in gaze])
        assert (s.lost == ~valid).all()
        x = np.array([number(r[f"GazePointX{eye.title()}"]) for r in gaze])
        np.testing.assert_allclose(s.xy_px[valid, 0], x[valid])
        pupil = np.array([number(r[f"Pupil{eye.title()}"]) for r in gaze])
        np.testing.assert_allclose(s.pupil[valid], pupil[valid])
    events = [r for r in table if r["Event"]]
    assert len(recording.messages) == len(events) == rows - samples
    assert recording.messages[0].text.split()[0] == events[0]["Event"] if events else True


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES[:3])
def test_real_fixations_are_the_vendors(shared_data, name):
    gaze = [r for r in plain(shared_data / FOLDER / name) if r["Number"]]
    groups = [(k, list(g)) for k, g in groupby(gaze, key=lambda r: r["FixationIndex"]) if k]
    fixations = read(shared_data / FOLDER / name).device_events
    assert len(fixations) == len(groups)
    said = np.array([number(g[0]["FixationDuration"]) for _, g in groups])
    # A fixation may have begun before the file, or go on after it: those are shorter here.
    assert (np.abs(fixations.duration_ms - said)[1:-1] <= 1.0).all()
    on_screen = [
        number(g[0]["MappedFixationPointX"]) + number(g[0]["MediaPosX"]) for _, g in groups
    ]
    np.testing.assert_array_equal(fixations.xy_px[:, 0], on_screen)


@pytest.mark.real
def test_real_screens_and_trials_of_the_first_generations(shared_data):
    one, two, seven = (read(shared_data / FOLDER / n) for n in (NAMES[1], NAMES[2], NAMES[0]))
    for recording, note in ((one, "'No media'"), (two, "lost gaze is minus its size")):
        assert (recording.screen.width_px, recording.screen.height_px) == (1280, 1024)
        assert any(note in text for text in recording.provenance["notes"])
    # Nothing in this file says how large the screen is.
    assert seven.screen is None
    assert [t.stimulus for r in (one, two, seven) for t in r.trials] == [
        *("Augenblicke.jpg", "SMI Label.bmp", "Augenblicke7.jpg")
    ]
    assert two.provenance["left_out"] == {"invalid_left": 24, "invalid_right": 45}


@pytest.mark.real
def test_the_real_file_of_the_third_generation(shared_data):
    path = shared_data / FOLDER / "d2lab_data.tsv"
    table = plain(path)
    gaze = [r for r in table if r["EyeTrackerTimestamp"]]
    recording = read(path)
    assert (len(table), len(recording)) == (2920, len(gaze)) == (2920, 2910)
    assert recording.provenance["rate_hz"] == pytest.approx(120, abs=0.1)
    assert (recording.screen.width_px, recording.screen.height_px) == (1920, 1080)
    stamps = np.array([int(r["RecordingTimestamp"]) for r in gaze])
    assert np.abs(recording.samples["left"].t_ms - (stamps - stamps[0])).max() <= 1.0
    for eye, s in recording.samples.items():
        x = np.array([number(r[f"GazePoint{eye.title()}X (ADCSpx)"]) for r in gaze])
        np.testing.assert_array_equal(s.xy_px[:, 0], x)
        lost = [r[f"Validity{eye.title()}"] == "4" for r in gaze]
        assert s.lost.tolist() == lost
        assert (s.pupil[np.isfinite(s.pupil)] > 0).all()
    assert [m.text for m in recording.messages] == [
        *("InstructionStart Instruction Element", "KeyPress Space"),
        *("InstructionEnd Instruction Element", "ScreenRecStarted"),
        *("URLStart http://www.drewmstiles.com/", "KeyPress RMenu", "KeyPress RMenu"),
        *("ScreenRecStopped", "Mouse Left 1865 32", "URLEnd http://www.drewmstiles.com/"),
    ]
    (trial,) = recording.trials
    assert trial.stimulus == "http://www.drewmstiles.com/ (CRC)"


@pytest.mark.real
def test_real_events_of_the_third_generation(shared_data):
    path = shared_data / FOLDER / "d2lab_data.tsv"
    table = plain(path)
    rows = Counter(r["GazeEventType"] for r in table)
    assert rows == {"Fixation": 1591, "Saccade": 920, "Unclassified": 409}
    gaze = [r for r in table if r["EyeTrackerTimestamp"]]
    events = read(path).device_events
    fixations = events.of("fixation")
    assert len(fixations) == 74 == len({r["FixationIndex"] for r in gaze} - {""})
    assert len(events.of("saccade")) == len({r["SaccadeIndex"] for r in gaze} - {""})
    by_index = {r["FixationIndex"]: r for r in reversed(gaze) if r["FixationIndex"]}
    first = [by_index[str(i + 1)] for i in range(74)]
    said = np.array([number(r["GazeEventDuration"]) for r in first])
    assert np.abs(fixations.duration_ms - said).max() <= 1.0
    mapped = np.array([number(r["FixationPointX (MCSpx)"]) for r in first])
    known = np.isfinite(mapped)
    assert known.sum() == 34
    np.testing.assert_array_equal(fixations.xy_px[known, 0], mapped[known] + 30)
    # Off the media Studio gives no place; the mean of the gaze is one.
    assert np.isfinite(fixations.xy_px).all()


@pytest.mark.real
def test_real_files_with_a_preamble(shared_data):
    folder = shared_data / FOLDER
    gaze = read(folder / "P63-All-Data.tsv")
    assert (len(gaze), gaze.provenance["n_lost"]) == (8, {"left": 8, "right": 8})
    assert gaze.provenance["participant"] == "P106"
    assert [m.text for m in gaze.messages] == ["ScreenRecStarted", "LeftMouseClick 52 76"]
    assert gaze.messages[0].t_ms == pytest.approx(-606995, abs=1)
    assert "skardan" not in str(dict(gaze.provenance))
    table = plain(folder / "P61-Fixation-Data.tsv", skip=18)
    fixations = read(folder / "P61-Fixation-Data.tsv")
    events = fixations.device_events
    assert (len(fixations), len(events)) == (0, len(table)) == (0, 4664)
    np.testing.assert_array_equal(events.onset_ms, [int(r["Timestamp"]) for r in table])
    np.testing.assert_array_equal(events.duration_ms, [int(r["FixationDuration"]) for r in table])
    np.testing.assert_array_equal(
        events.xy_px[:, 0], [int(r["MappedFixationPointX"]) for r in table]
    )
    assert (events.onset_ms[0], events.onset_ms[-1]) == (26, 1840173)
    assert len(fixations.messages) == len(plain(folder / "P61-Event-Data.tsv", skip=26)) == 1285
    assert (fixations.screen.width_px, fixations.screen.height_px) == (1280, 1024)
    opened = read(folder / "P61-Event-Data.tsv")
    assert opened.device_events.to_frame().equals(events.to_frame())
    assert opened.provenance["notes"][0].startswith("read from P61-Fixation-Data.tsv")


@pytest.mark.real
def test_rules_hold_on_the_real_files(shared_data):
    for path in sorted((shared_data / FOLDER).glob("*.*sv")):
        assert sniff_format(path) == "tobii_studio"
        check_reader(READERS["tobii_studio"], path, cuts=(0.5, 0.97))


@pytest.mark.parametrize("make", [made.make_studio_2, made.make_quoted, made.make_all_data])
def test_three_ways_to_write_one_recording_read_the_same(tmp_path, make):
    recording = read(make(tmp_path, 500))
    x, y, lost, kind, _ = (np.array(column) for column in gaze_of(500))
    left = recording.samples["left"]
    assert (left.lost == lost).all()
    np.testing.assert_allclose(left.xy_px[~lost], np.stack([x - 8, y + 2], axis=1)[~lost])
    np.testing.assert_allclose(left.t_ms, np.arange(500) * 19.99)
    np.testing.assert_allclose(left.pupil[~lost], 3.712476)
    assert (recording.screen.width_px, recording.screen.height_px) == (1280, 1024)
    starts = (kind == "Fixation") & np.r_[True, kind[:-1] != "Fixation"]
    np.testing.assert_array_equal(recording.device_events.xy_px[:, 0], np.round(x[starts]))
    assert [m.text for m in recording.messages] == [
        "ImageStart Vehicle.jpg",
        "LeftMouseClick 776 750",
    ]
    assert [t.stimulus for t in recording.trials] == ["Vehicle.jpg"]


def test_the_third_generation_brings_media_px_to_the_screen(tmp_path):
    recording = read(made.make_studio_3(tmp_path, 500))
    x, y, lost, kind, _ = (np.array(column) for column in gaze_of(500))
    assert (recording.samples["left"].lost == lost).all()
    starts = (kind == "Fixation") & np.r_[True, kind[:-1] != "Fixation"]
    fixations = recording.device_events.of("fixation")
    # Before the media is shown they are the mean of the gaze.
    np.testing.assert_allclose(fixations.xy_px[:, 0], np.round(x[starts]), atol=1e-9)
    np.testing.assert_allclose(fixations.xy_px[:, 1], np.round(y[starts]), atol=1.0)
    assert recording.screen.width_mm == pytest.approx(1920 * 0.27, abs=0.3)
    assert np.isnan(recording.samples["right"].pupil).all()
    assert [m.text for m in recording.messages] == ["URLStart made.html", "KeyPress Space"]
    np.testing.assert_allclose(recording.samples["left"].t_ms, np.arange(500) * 8.333)


def test_an_eye_that_may_be_the_other_one_is_lost(tmp_path):
    rows = [[i * 20, 10, 20, code, 3, 30, 20, 0, 3] for i, code in enumerate(range(5))]
    source = write(tmp_path, EYES_2, rows)
    recording = tobii_studio.read(source)
    assert recording.samples["left"].lost.tolist() == [False, False, True, True, True]
    assert np.isnan(recording.samples["left"].pupil).tolist() == [False, False, True, True, True]
    assert recording.provenance["left_out"] == {"invalid_left": 3}
    assert tobii_studio.read(source, max_validity=3).samples["left"].lost.sum() == 1
    with pytest.raises(ParameterError, match="expected a code from 0 to 4"):
        tobii_studio.read(source, max_validity=5)


def test_codes_of_lost_gaze_are_no_places_even_without_validity(tmp_path):
    columns = [name for name in EYES_2 if not name.startswith("Validity")]
    rows = [
        [0, 10, 20, 3, 30, 20, 3],
        [20, -1, -1, -1, -1, 20, 3],
        [40, -1280, -1024, -1, -3, 20, 3],
    ]
    before = "Data properties:\nRecording resolution:\t 1280 x 1024\n\n"
    recording = tobii_studio.read(write(tmp_path, columns, rows, before=before))
    assert recording.samples["left"].lost.tolist() == [False, True, True]
    assert recording.samples["right"].xy_px[:, 0].tolist() == [30, -1, -3]
    assert recording.provenance["left_out"] == {"lost_code_left": 2}
    assert any("no validity columns" in note for note in recording.provenance["notes"])


def test_the_trackers_clock_is_taken_where_it_follows_the_recordings(tmp_path):
    columns = [
        "RecordingTimestamp",
        "EyeTrackerTimestamp",
        "GazePointX (ADCSpx)",
        "GazePointY (ADCSpx)",
    ]
    true_ms = np.arange(3000) * 8.3333
    # Two clocks that drift apart by 30 ms in 25 s.
    tracker = np.round((true_ms * 1.0012 + 7e5) * 1000)
    rows = [[round(t) + 5, int(us), 1, 2] for t, us in zip(true_ms, tracker, strict=True)]
    drifting = tobii_studio.read(write(tmp_path, columns, rows))
    np.testing.assert_allclose(drifting.samples["both"].t_ms, true_ms, atol=0.2)
    for r in rows[1500:]:
        r[1] += 40_000
    jumping = tobii_studio.read(write(tmp_path, columns, rows))
    assert jumping.provenance["clock"].startswith("column RecordingTimestamp, ms")
    assert any("does not follow" in note for note in jumping.provenance["notes"])
    np.testing.assert_array_equal(np.diff(jumping.samples["both"].t_ms) % 1, 0)


def test_a_scrolled_page_moves_fixations_by_the_scroll(tmp_path):
    columns = [
        *("RecordingTimestamp", "GazeEventType", "FixationIndex", "GazePointX (ADCSpx)"),
        *("GazePointY (ADCSpx)", "GazePointX (MCSpx)", "GazePointY (MCSpx)"),
        *("FixationPointX (MCSpx)", "FixationPointY (MCSpx)", "MediaPosX (ADCSpx)"),
        *("MediaPosY (ADCSpx)", "MediaName", "ParticipantName"),
    ]
    rows = [
        [i * 8, "Fixation", 1, 100, 200, 90, 1100, 91, 1102, 10, 50, "page", "P1"] for i in range(4)
    ]
    events = tobii_studio.read(write(tmp_path, columns, rows)).device_events
    assert events.xy_px.tolist() == [[101.0, 202.0]]


def test_fixation_zero_is_one_where_it_lasts(tmp_path):
    columns = [*EYES_2, "FixationIndex", "FixationDuration", "MappedFixationPointX"]
    columns += ["MappedFixationPointY", "MediaPosX", "MediaPosY"]
    eyes = [10, 20, 0, 3, 30, 20, 0, 3]
    for duration, n in ((60, 2), ("", 1)):
        rows = [[i * 20, *eyes, 0, duration, 7, 8, 40, 0] for i in range(3)]
        rows += [[60 + i * 20, *eyes, 1, 40, 9, 8, 40, 0] for i in range(2)]
        events = tobii_studio.read(write(tmp_path, columns, rows)).device_events
        assert len(events) == n
        assert events.xy_px[-1].tolist() == [49.0, 8.0]


def test_an_event_file_opens_what_it_belongs_to_or_says_so(tmp_path):
    path = made.make_fixations(tmp_path, 30)
    events = tmp_path / "P8-Event-Data.tsv"
    assert len(read(events).device_events) == 30
    assert [t.name for t in read(path).trials] == ["Vehicle.jpg"]
    assert read(path).provenance["companions"] == [events.name]
    other = path.read_text().replace("Rec 8", "Rec 7")
    path.write_text(other)
    # Of another recording: neither takes the other for its own.
    assert read(path).messages == ()
    with pytest.raises(FormatError, match="open the All-Data or the Fixation-Data file"):
        read(events)
    all_data = made.make_all_data(tmp_path, 40)
    (tmp_path / "P9-Event-Data.tsv").write_text(events.read_text().replace("Rec 8", "Rec 9"))
    assert len(read(tmp_path / "P9-Event-Data.tsv")) == len(read(all_data)) == 40


def test_several_recordings_are_refused_until_one_is_named(tmp_path):
    columns = ["RecordingTimestamp", "ParticipantName", "RecordingName", "GazeEventType"]
    columns += ["GazePointX (ADCSpx)", "GazePointY (ADCSpx)"]
    rows = [[t, who, "Rec 01", "Fixation", 1, 2] for who in ("P1", "P2") for t in (0, 8, 17)]
    source = write(tmp_path, columns, rows)
    with pytest.raises(FormatError, match=r"several recordings \(P1 / Rec 01, P2 / Rec 01, ...\)"):
        tobii_studio.read(source)
    recording = tobii_studio.read(source, recording="P2")
    assert (len(recording), recording.provenance["participant"]) == (3, "P2")


@pytest.mark.parametrize(
    ("columns", "rows", "before", "message"),
    [
        (EYES_2, [], "", "holds no row of gaze"),
        (
            ["RecordingTimestamp", "GazeEventType"],
            [[1, "Fixation"]],
            "",
            "no column GazePointLeftX",
        ),
        (EYES_2, [["x", *[1] * 8]], "", "holds no time stamp in Timestamp"),
        (EYES_2, [[1] * 9], "Data properties:\nCoordinate unit: Millimeters\n\n", "'Millimeters'"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, columns, rows, before, message):
    source = write(tmp_path, columns, rows, before=before)
    assert tobii_studio.sniff(source)
    with pytest.raises(FormatError, match=message):
        tobii_studio.read(source)


def test_sniff_wants_studios_own_names(tmp_path):
    assert not tobii_studio.sniff(write(tmp_path, ["Timestamp", "x", "y"], []))
    assert not tobii_studio.sniff(write(tmp_path, EYES_2, [], before="some: preamble\n"))
    assert tobii_studio.sniff(write(tmp_path, EYES_2, [], before="System Properties:\nA:\t b\n"))
    assert not tobii_studio.sniff(Source(tmp_path))
