"""Gazepoint CSV: which point is the gaze, growing fixations, media, one eye alone."""

import csv
import math
from functools import partialmethod
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import gazepoint as makers

from gazecode.errors import FormatError
from gazecode.model import Screen
from gazecode.readers import read
from gazecode.readers.gazepoint import export as gazepoint
from gazecode.readers.source import Source

NAMES = "MEDIA_ID,MEDIA_NAME,TIME,FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,USER,"
EYES = "LPV,RPV,BKID,BKDUR,LPMM,LPMMV,RPMM,RPMMV,"
FRESH = (
    {"MEDIA_ID": 0, "MEDIA_NAME": "page", "FPOGX": 0.5, "FPOGY": 0.5, "FPOGS": 0, "FPOGD": 0}
    | {"FPOGID": 1, "FPOGV": 0, "BPOGX": 0.25, "BPOGY": 0.75, "BPOGV": 1, "USER": ""}
    | {"LPV": 1, "RPV": 1, "BKID": 0, "BKDUR": 0, "LPMM": 3, "LPMMV": 1, "RPMM": 4, "RPMMV": 1}
)


def write(folder, rows, header=NAMES + EYES, name="User 3_all_gaze.csv"):
    names = [cell.partition("(")[0] for cell in header.split(",")]
    lines = [header]
    for number, row in enumerate(rows):
        cells = FRESH | {"TIME": number * 0.016} | row
        lines.append(",".join(str(cells[n]) if n else "" for n in names))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return Source(path)


def test_gaze_is_the_best_point_and_invalid_rows_are_lost(tmp_path):
    rec = gazepoint.read(write(tmp_path, [{}, {"BPOGV": 0}, {"BPOGX": -0.1, "BPOGY": 1.3}]))
    gaze = rec.samples["both"]
    np.testing.assert_allclose(gaze.t_ms, [0, 16, 32])
    np.testing.assert_array_equal(gaze.xy_px, [[0.25, 0.75], [math.nan, math.nan], [-0.1, 1.3]])
    assert gaze.pupil.tolist() == [3.5, pytest.approx(math.nan, nan_ok=True), 3.5]
    assert rec.plane == "screen_fraction"
    assert rec.screen is None
    assert rec.provenance["left_out"] == {"invalid_both": 1}
    assert rec.provenance["participant"] == "User 3"
    assert "screen=..." in rec.provenance["notes"][0]


def test_pixels_are_asked_for_by_name(tmp_path):
    source = write(tmp_path, [{}, {}])
    rec = read(source.path, screen=Screen(width_px=1000, height_px=800))
    assert rec.plane == "screen_px"
    assert rec.samples["both"].xy_px[0].tolist() == [250.0, 600.0]


@pytest.mark.parametrize(
    ("usual", "eye", "reason"),
    [((1, 1), "both", "one_eye"), ((1, 0), "left", "other_eyes"), ((0, 1), "right", "other_eyes")],
)
def test_the_best_point_jumps_where_an_eye_goes_so_the_rarer_kind_is_lost(
    tmp_path, usual, eye, reason
):
    other = (1, 0) if usual != (1, 0) else (1, 1)
    rows = [{"LPV": a, "RPV": b} for a, b in [usual, usual, other, usual]]
    rec = gazepoint.read(write(tmp_path, rows))
    assert list(rec.samples) == [eye]
    assert rec.samples[eye].lost.tolist() == [False, False, True, False]
    assert rec.provenance["left_out"] == {reason: 1}
    assert rec.samples[eye].pupil[0] == {"both": 3.5, "left": 3, "right": 4}[eye]


def test_without_the_eyes_columns_a_note_says_so(tmp_path):
    rec = gazepoint.read(write(tmp_path, [{}, {}], header=NAMES))
    assert rec.samples["both"].lost.sum() == 0
    assert any("cannot be told apart" in note for note in rec.provenance["notes"])
    assert rec.provenance["pupil_unit"] is None


def test_points_of_each_eye_are_preferred(tmp_path):
    header = NAMES + "LPOGX,LPOGY,LPOGV,RPOGX,RPOGY,RPOGV,LPCX,LPCY,"
    eyes = {"LPOGX": 0.1, "LPOGY": 0.2, "LPOGV": 1, "RPOGX": 0.3, "RPOGY": 0.4, "RPOGV": 0}
    rec = gazepoint.read(write(tmp_path, [eyes | {"LPCX": 9, "LPCY": 9}] * 2, header=header))
    assert list(rec.samples) == ["left", "right"]
    assert rec.samples["left"].xy_px[0].tolist() == [0.1, 0.2]
    assert rec.samples["right"].lost.all()


def fixation(number, time, start, valid=1, **more):
    said = {"FPOGID": number, "TIME": time, "FPOGS": start, "FPOGD": round(time - start, 5)}
    return said | {"FPOGV": valid} | more


def test_a_fixation_is_its_last_valid_row(tmp_path):
    rows = [
        fixation(1, 0.0, 0.0, valid=0),
        fixation(2, 0.1, 0.05, FPOGX=0.1),
        fixation(2, 0.2, 0.05, FPOGX=0.2),
        fixation(2, 0.3, 0.05, FPOGX=0.9, valid=0),
        fixation(2, 0.4, 0.05, FPOGX=0.3),
        fixation(3, 0.5, 0.45, FPOGX=0.7, valid=0),
        fixation(3, 0.6, 0.45, FPOGX=0.8),
        fixation(4, 0.7, 0.7),
    ]
    rec = gazepoint.read(write(tmp_path, rows))
    events = rec.device_events
    np.testing.assert_allclose(events.onset_ms, [50, 450])
    np.testing.assert_allclose(events.offset_ms, [400, 600])
    assert events.xy_px[:, 0].tolist() == [0.3, 0.8]
    assert rec.provenance["left_out"] == {"fixations_without_duration": 1}


def test_blinks_end_where_their_duration_is_said(tmp_path):
    rows = [{"BKDUR": 0.2}, {}, {"BKID": 5}, {"BKDUR": 0.025, "TIME": 0.05}, {"TIME": 0.07}]
    rec = gazepoint.read(write(tmp_path, rows))
    blinks = rec.device_events.of("blink")
    np.testing.assert_allclose([blinks.onset_ms[0], blinks.offset_ms[0]], [25, 50])
    # A blink that ended with the first row was over before the recording began.
    assert rec.provenance["left_out"] == {"blinks_before_start": 1}


def test_the_header_carries_the_start(tmp_path):
    header = (NAMES + EYES).replace("TIME", "TIME(2022/09/19 13:34:49.156)")
    rows = [{"TIME": 1.5}, {"TIME": 1.6}]
    rec = gazepoint.read(write(tmp_path, rows, header=header))
    assert rec.samples["both"].t_ms.tolist() == [0.0, pytest.approx(100.0)]
    assert rec.start_ns == 1_663_594_489_156_000_000 + 1_500_000_000
    assert any("time zone" in note for note in rec.provenance["notes"])
    assert "2022" not in str(dict(rec.provenance))


@pytest.mark.parametrize("text", ["2022-09-19", "", "2022/99/19 13:34:49.156"])
def test_a_start_that_is_no_date_is_unknown(tmp_path, text):
    header = (NAMES + EYES).replace("TIME", f"TIME({text})")
    assert gazepoint.read(write(tmp_path, [{}, {}], header=header)).start_ns is None


def test_trials_are_stretches_of_one_medium_and_messages_changes_of_user(tmp_path):
    media = [(0, "a"), (0, "a"), (1, "b"), (1, "b"), (0, "a"), (2, "")]
    users = ["", "go", "go", "5", "5", ""]
    rows = [
        {"MEDIA_ID": i, "MEDIA_NAME": name, "USER": user}
        for (i, name), user in zip(media, users, strict=True)
    ]
    rec = gazepoint.read(write(tmp_path, rows))
    assert [(t.name, t.stimulus, t.onset_ms) for t in rec.trials] == [
        ("a", "a", 0.0),
        ("b", "b", 32.0),
        ("a (2)", "a", 64.0),
        ("2", "2", 80.0),
    ]
    assert [(m.t_ms, m.text) for m in rec.messages] == [(16.0, "go"), (48.0, "5")]


@pytest.mark.parametrize("ticks", [True, False])
def test_time_that_starts_anew_with_each_medium(tmp_path, ticks):
    header = NAMES + EYES + ("TIMETICK(f=10000000)," if ticks else "")
    times = [(0, 0.0, 0), (0, 0.1, 1_000_000), (1, 0.0, 9_000_000), (1, 0.1, 10_000_000)]
    rows = [
        {"MEDIA_ID": m, "TIME": t, "TIMETICK": k, "FPOGV": 1, "FPOGS": 0, "FPOGD": t, "FPOGID": 7}
        for m, t, k in times
    ]
    rec = gazepoint.read(write(tmp_path, rows, header=header))
    second = 900.0 if ticks else 200.0
    np.testing.assert_allclose(rec.samples["both"].t_ms, [0, 100, second, second + 100])
    # The tracker's fixations are on the medium's clock, and lie where their rows do.
    np.testing.assert_allclose(rec.device_events.onset_ms, [0, second])
    assert "starts anew" in rec.provenance["clock"]


def test_a_report_of_fixations_has_no_samples(tmp_path):
    path = makers.fixations(tmp_path, 12)
    rec = gazepoint.read(Source(path))
    whole = gazepoint.read(Source(makers.all_gaze(tmp_path, 12 * makers.PER_FIXATION)))
    fixations = whole.device_events.of("fixation")
    assert len(rec) == 0
    np.testing.assert_allclose(rec.device_events.onset_ms, fixations.onset_ms)
    np.testing.assert_allclose(rec.device_events.offset_ms, fixations.offset_ms)
    np.testing.assert_allclose(rec.device_events.xy_px, fixations.xy_px)
    assert (
        [t.name for t in rec.trials] == [t.name for t in whole.trials] == ["NewMedia0", "NewMedia1"]
    )
    assert rec.start_ns == whole.start_ns


def test_six_columns_find_the_fixations_by_their_start(tmp_path):
    six = gazepoint.read(Source(makers.six_columns(tmp_path, 200)))
    whole = gazepoint.read(Source(makers.all_gaze(tmp_path, 200)))
    fixations = whole.device_events.of("fixation")
    np.testing.assert_allclose(six.device_events.onset_ms, fixations.onset_ms, atol=0.02)
    np.testing.assert_allclose(six.device_events.offset_ms, fixations.offset_ms, atol=0.02)
    assert six.samples["both"].lost.sum() == 200 // makers.PER_FIXATION * 2
    assert any("too good" in note for note in six.provenance["notes"])
    assert six.start_ns is None


@settings(max_examples=25)
@given(size=st.integers(600, 9000), rows=st.integers(1, 130))
def test_where_a_block_ends_does_not_matter(tmp_path_factory, size, rows):
    path = makers.all_gaze(tmp_path_factory.mktemp("blocks"), rows)
    whole = gazepoint.read(Source(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "blocks", partialmethod(Source.blocks, size))
        pieces = gazepoint.read(Source(path))
    assert whole.to_frame().equals(pieces.to_frame())
    assert whole.device_events.to_frame().equals(pieces.device_events.to_frame())
    assert (whole.trials, whole.messages) == (pieces.trials, pieces.messages)
    assert dict(whole.provenance) == dict(pieces.provenance)


def test_a_trailing_comma_in_the_rows_alone(tmp_path):
    source = write(tmp_path, [{}, {}])
    text = source.path.read_text()
    source.path.write_text(text.replace(",\n", "\n", 1))
    assert len(gazepoint.read(source)) == 2


def test_ragged_and_unsorted_rows_are_counted(tmp_path):
    source = write(tmp_path, [{"TIME": t} for t in (0, 0.3, 0.1, 0.3, 0.4)])
    lines = source.path.read_text().splitlines()
    source.path.write_text("\n".join([*lines[:2], "0,page,1", *lines[2:]]) + "\n")
    rec = gazepoint.read(source)
    assert rec.provenance["left_out"] == {"ragged_rows": 1, "unsorted": 1, "duplicate_time": 1}


def test_files_without_rows_or_cut_are_refused(tmp_path):
    with pytest.raises(FormatError, match="holds no whole row"):
        gazepoint.read(write(tmp_path, []))
    with pytest.raises(
        FormatError, match=r"all_gaze.csv \(reader gazepoint\): no row holds a time"
    ):
        read(write(tmp_path, [{"TIME": ""}]).path, "gazepoint")
    source = write(tmp_path, [{}, {}, {}])
    source.path.write_bytes(source.path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="breaks off in its last row"):
        gazepoint.read(source)


def plain(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name.partition("(")[0]: cell for name, cell in row.items() if name} for row in rows]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n", "last_s", "invalid"),
    [("User 1_all_gaze.csv", 1165, 19.12369, 285), ("User 2_all_gaze.csv", 340, 5.56914, 148)],
)
def test_real_recordings(shared_data, name, n, last_s, invalid):
    path = shared_data / "exports" / "gazepoint" / name
    rows = plain(path)
    rec = gazepoint.read(Source(path))
    gaze = rec.samples["both"]
    assert len(rec) == len(rows) == n
    assert gaze.t_ms[-1] == pytest.approx(last_s * 1000)
    assert sum(row["FPOGV"] == "0" for row in rows) == invalid
    seen = [row["BPOGV"] == row["LPV"] == row["RPV"] == "1" for row in rows]
    assert (~gaze.lost).tolist() == seen
    x = [float(row["BPOGX"]) for row, ok in zip(rows, seen, strict=True) if ok]
    assert gaze.xy_px[~gaze.lost, 0].tolist() == x
    last = {row["FPOGID"]: row for row in rows if row["FPOGV"] == "1" and float(row["FPOGD"]) > 0}
    fixations = rec.device_events.of("fixation")
    np.testing.assert_allclose(
        fixations.onset_ms, [float(row["FPOGS"]) * 1000 for row in last.values()], atol=1e-6
    )
    np.testing.assert_allclose(
        fixations.duration_ms, [float(row["FPOGD"]) * 1000 for row in last.values()], atol=1e-6
    )
    blinks = [row for row in rows if float(row["BKDUR"]) > 0 and float(row["TIME"]) > 0]
    assert len(rec.device_events.of("blink")) == len(blinks)
    assert rec.provenance["participant"] == name[:6]


@pytest.mark.real
def test_real_report_equals_the_last_rows_of_the_recording(shared_data):
    folder = shared_data / "exports" / "gazepoint"
    report = gazepoint.read(Source(folder / "User 1_fixations.csv"))
    whole = gazepoint.read(Source(folder / "User 1_all_gaze.csv"))
    assert len(report) == 0
    assert len(report.device_events) == len(plain(folder / "User 1_fixations.csv")) == 48
    fixations = whole.device_events.of("fixation")
    np.testing.assert_allclose(report.device_events.onset_ms, fixations.onset_ms)
    np.testing.assert_array_equal(report.device_events.xy_px, fixations.xy_px)
    assert report.start_ns == whole.start_ns


@pytest.mark.real
def test_real_six_columns(shared_data):
    path = shared_data / "exports" / "gazepoint" / "sotis_all_gaze_6col.csv"
    rows = plain(path)
    rec = gazepoint.read(Source(path))
    assert len(rec) == len(rows) == 6953
    assert rec.samples["both"].t_ms[-1] == pytest.approx(117_747.56)
    assert rec.samples["both"].lost.sum() == sum(row["FPOGV"] == "0" for row in rows) == 2323
    duration = [float(row["FPOGD"]) for row in rows]
    resets = sum(b < a for a, b in pairwise(duration))
    assert len(rec.device_events) == resets + 1 == 176
