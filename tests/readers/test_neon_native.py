"""Neon native: rows and stamps in files of their own, parts, layouts by size, glasses taken off."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from makers import neon_native as maker

from gazecode.errors import FormatError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.pupil_labs import neon_native
from gazecode.testing import check_reader

T0, STEP_MS = maker.ORIGIN_NS, maker.STEP_NS / 1e6


def made(folder: Path, rows: int = 60) -> Path:
    maker.make(folder, rows)
    return folder


def test_a_folder_opens_and_so_does_every_file_in_it(tmp_path):
    folder = made(tmp_path)
    whole = check_reader(READERS["neon_native"], folder)
    assert whole.provenance["file"] == folder.name
    assert whole.provenance["streams"] == ["gaze ps1.raw", "gaze ps2.raw"]
    for path in folder.iterdir():
        assert sniff_format(path) == "neon_native"
        part = check_reader(READERS["neon_native"], path)
        assert part.to_frame().equals(whole.to_frame())


def test_parts_follow_each_other_and_gaze_off_the_head_is_lost(tmp_path):
    recording = read(made(tmp_path))
    gaze = recording.samples["both"]
    np.testing.assert_allclose(gaze.t_ms, np.arange(60) * STEP_MS)
    assert recording.start_ns == T0
    assert recording.plane == "scene_px"
    assert np.flatnonzero(gaze.lost).tolist() == [49]
    np.testing.assert_array_equal(gaze.xy_px[[0, 59]], [[800.125, 600.125], [859.125, 659.125]])
    assert recording.provenance["left_out"] == {"not_worn": 1}


def test_ten_parts_come_in_order_of_their_number(tmp_path):
    for part in range(1, 12):
        rows = np.full((1, 2), part, dtype="<f4")
        maker.write(tmp_path, f"gaze ps{part}", rows, maker.stamps(12)[part : part + 1])
    gaze = read(tmp_path).samples["both"]
    assert gaze.xy_px[:, 0].tolist() == list(range(1, 12))


def test_fixations_and_saccades_share_a_stream(tmp_path):
    events = read(made(tmp_path)).device_events
    fixations, saccades = events.of("fixation"), events.of("saccade")
    assert fixations.onset_ms.tolist() == [0, 100, 200]
    assert saccades.onset_ms.tolist() == [50, 150, 250]
    assert (fixations.duration_ms == 50).all()
    # Where it began, where it ended, the mean.
    assert fixations.xy_px[1].tolist() == [402, 502]
    assert saccades.xy_px[0].tolist() == [1, 101]
    assert saccades.end_xy_px[0].tolist() == [201, 301]
    assert events.of("blink").onset_ms.tolist() == [5]


def test_layouts_without_the_kind_are_known_by_their_size(tmp_path):
    folder = made(tmp_path)
    fixation = struct.pack("<qq10f", T0, T0 + 10**8, *range(10))
    maker.write(folder, "fixations ps1", np.frombuffer(fixation, "u1"), np.array([T0]))
    blink = struct.pack("<qq", T0 + 10**8, T0 + 2 * 10**8)
    maker.write(folder, "blinks ps1", np.frombuffer(blink, "u1"), np.array([T0]))
    events = read(folder).device_events
    assert events.kind.tolist() == ["fixation", "blink"]
    assert events.xy_px[0].tolist() == [4, 5]
    assert events.onset_ms.tolist() == [0, 100]


def test_unknown_layouts_and_kinds_are_counted(tmp_path):
    folder = made(tmp_path)
    maker.write(folder, "fixations ps1", np.zeros(61, "u1"), np.array([T0]))
    blink = struct.pack("<iqq", 3, T0, T0 + 10**8)
    maker.write(folder, "blinks ps1", np.frombuffer(blink, "u1"), np.array([T0]))
    recording = read(folder)
    assert len(recording.device_events) == 0
    left_out = recording.provenance["left_out"]
    assert left_out == {
        "not_worn": 1,
        "fixations_of_unknown_layout": 1,
        "events_of_unknown_kind": 1,
    }


def test_rows_and_stamps_that_break_off_are_counted(tmp_path):
    folder = made(tmp_path)
    time = folder / "gaze ps2.time"
    time.write_bytes(time.read_bytes()[:-12])
    recording = read(folder)
    assert len(recording) == 58
    left_out = recording.provenance["left_out"]
    assert (left_out["rows_without_stamp"], left_out["cut_rows"]) == (2, 1)
    time.write_bytes(bytes(8) + time.read_bytes()[8:])
    assert read(folder).provenance["left_out"]["no_time"] == 1


def test_the_offline_estimate_is_taken_where_there_is_one(tmp_path):
    folder = made(tmp_path)
    maker.write(folder, "gaze_200hz", np.full((30, 2), 7, "<f4"), maker.stamps(30))
    recording = read(folder)
    assert recording.provenance["streams"] == ["gaze_200hz.raw"]
    assert (recording.samples["both"].xy_px == 7).all()
    (folder / "worn_200hz.raw").write_bytes(bytes([0, 255] * 15))
    assert read(folder).provenance["n_lost"] == {"both": 15}


def test_pupils_come_at_the_stamps_of_gaze(tmp_path):
    folder = made(tmp_path)
    states = np.zeros((60, 20), dtype="<f4")
    states[:, 0], states[:, 7] = 3, 4
    maker.write(folder, "eye_state ps1", states[:50], maker.stamps(50))
    pupil = read(folder).samples["both"].pupil
    assert (pupil[:50] == 3.5).all()
    assert np.isnan(pupil[50:]).all()
    info = json.loads((folder / "info.json").read_text()) | {"gaze_mode": "monocular_left"}
    (folder / "info.json").write_text(json.dumps(info))
    assert read(folder).samples["left"].pupil[0] == 3


def test_messages_are_names_at_their_stamps(tmp_path):
    folder = made(tmp_path)
    recording = read(folder)
    assert [(m.t_ms, m.text) for m in recording.messages] == [
        (-2000, "recording.begin"),
        (STEP_MS, "page 1"),
    ]
    (folder / "event.txt").write_text("a\nb\nc\n")
    assert read(folder).provenance["left_out"]["messages_without_stamp"] == 1


def test_info_says_who_and_how_and_never_when(tmp_path):
    folder = made(tmp_path)
    said = read(folder).provenance
    assert (said["participant"], said["vendor_rate_hz"]) == ("made1", 200)
    assert (said["data_format_version"], said["gaze_offset_px"]) == ("2.5", [27.25, 6.5])
    assert str(T0)[:6] not in json.dumps(dict(said))
    (folder / "info.json").write_text("{broken")
    assert "info.json cannot be read" in read(folder).provenance["notes"][0]


def test_what_is_no_recording_is_not_recognised(tmp_path):
    assert not neon_native.sniff(Source(tmp_path))
    lonely = tmp_path / "gaze ps1.raw"
    lonely.write_bytes(bytes(80))
    assert neon_native.sniff(Source(lonely))
    with pytest.raises(FormatError, match="Copy the whole folder"):
        read(lonely)
    (tmp_path / "gaze ps1.time").write_bytes(bytes(80))
    (tmp_path / "notes.md").write_text("# notes")
    assert not neon_native.sniff(Source(tmp_path / "notes.md"))
    with pytest.raises(FormatError, match="no row of gaze has a time stamp"):
        read(tmp_path)


@pytest.mark.real
def test_real_recording(shared_data):
    folder = shared_data / "exports/neon_native"
    recording = check_reader(READERS["neon_native"], folder)
    gaze = recording.samples["both"]
    ns = [t for (t,) in struct.iter_unpack("<Q", (folder / "gaze_200hz.time").read_bytes())]
    xy = list(struct.iter_unpack("<ff", (folder / "gaze_200hz.raw").read_bytes()))
    assert (len(ns), ns[0], ns[-1]) == (1788, 1760676790465965534, 1760676799429223534)
    assert recording.start_ns == ns[0]
    np.testing.assert_array_equal(gaze.t_ms, [(t - ns[0]) / 1e6 for t in ns])
    np.testing.assert_array_equal(gaze.xy_px, xy)
    assert recording.provenance["rate_hz"] == pytest.approx(200, abs=1)
    assert recording.provenance["left_out"] == {}
    rows = list(struct.iter_unpack("<iqq10f", (folder / "fixations ps1.raw").read_bytes()))
    events = recording.device_events
    assert len(rows) == 45 == len(events.of("fixation")) + len(events.of("saccade"))
    onset = [(row[1] - ns[0]) / 1e6 for row in rows if row[0] == 1]
    np.testing.assert_array_equal(events.of("fixation").onset_ms, onset)
    # Mean of the gaze in it: the layout of a row is right where the two agree.
    for i, fixation in enumerate(row for row in rows if row[0] == 1):
        inside = (np.array(ns) >= fixation[1]) & (np.array(ns) < fixation[2])
        mean = gaze.xy_px[inside].mean(axis=0)
        assert np.abs(mean - events.of("fixation").xy_px[i]).max() < 60
    assert len(events.of("blink")) == 2
    assert [m.text for m in recording.messages] == ["recording.begin", "recording.end"]
    for path in folder.iterdir():
        if path.name != "SOURCE.md":
            assert len(read(path)) == 1788
