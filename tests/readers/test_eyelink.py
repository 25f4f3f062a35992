"""EyeLink text: hand-made files for every trap, plain counting over real ones."""

import gzip
import math
import re
import time
import tracemalloc
import warnings
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import FormatError, GazecodeError, TooLarge
from gazecode.readers import read, sniff_format
from gazecode.readers.eyelink.asc import sniff
from gazecode.readers.source import Source

HEAD = (
    "** CONVERTED FROM demo.edf using edfapi 4.2\n"
    "** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED\n"
    "** EYELINK II CL v5.04 Sep 25 2014\n"
    "**\n\n"
)
COORDS = "MSG\t90 GAZE_COORDS 0.00 0.00 1919.00 1079.00\n"


def block(samples, *, start=100, end=None, eyes="RIGHT", rate=1000, plane="GAZE", tail="", more=""):
    """One START..END block; `eyes` as the file writes them, TAB between two."""
    end = "" if end is None else f"END\t{end} \tSAMPLES\tEVENTS\tRES\t  30.00\t  30.00\n"
    return (
        f"START\t{start} \t{eyes}\tSAMPLES\tEVENTS\nPRESCALER\t1\nVPRESCALER\t1\nPUPIL\tAREA\n"
        f"EVENTS\t{plane}\t{eyes}\tRATE\t{rate:7.2f}\tTRACKING\tCR\tFILTER\t2\n"
        f"SAMPLES\t{plane}\t{eyes}\tRATE\t{rate:7.2f}\tTRACKING\tCR\tFILTER\t2{tail}\n"
        f"{more}{samples}{end}"
    )


def mono(stamps, *, tail="\t..."):
    return "".join(f"{t}\t  {10 + i}.5\t  20.0\t  700.0{tail}\n" for i, t in enumerate(stamps))


@pytest.fixture
def load(tmp_path):
    def load(text, name="P01.asc"):
        path = tmp_path / name
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return read(path)

    return load


def test_one_eye(load):
    got = load(HEAD + COORDS + block(mono([100, 101, 102]), end=103))
    right = got.samples["right"]
    assert list(got.samples) == ["right"]
    assert right.t_ms.tolist() == [0.0, 1.0, 2.0]
    assert right.xy_px.tolist() == [[10.5, 20.0], [11.5, 20.0], [12.5, 20.0]]
    assert right.pupil.tolist() == [700.0] * 3
    assert got.plane == "screen_px"
    assert (got.screen.width_px, got.screen.height_px) == (1920, 1080)
    assert got.provenance["clock"] == "tracker time in ms; ms 0 is the first stamp, 100"
    assert got.provenance["tracker"] == "EYELINK II CL v5.04 Sep 25 2014"


def test_two_eyes_and_one_lost(load):
    lines = (
        "100\t  1.0\t  2.0\t  700.0\t  3.0\t  4.0\t  600.0\t.....\n"
        "101\t   .\t   .\t    0.0\t  3.5\t  4.5\t  601.0\t.C...\n"
    )
    got = load(block(lines, end=102, eyes="LEFT\tRIGHT"))
    assert got.samples["left"].lost.tolist() == [False, True]
    assert np.isnan(got.samples["left"].pupil[1])
    assert got.samples["right"].xy_px.tolist() == [[3.0, 4.0], [3.5, 4.5]]
    assert got.provenance["n_lost"] == {"left": 1, "right": 0}


def test_input_column_is_not_the_pupil(load):
    got = load(block(mono([100, 101], tail="\t  127.0\t..."), end=102, tail="\tINPUT"))
    assert got.samples["right"].pupil.tolist() == [700.0, 700.0]


def test_remote_target_is_decided_by_the_lines(load):
    target = "\t... \t 4717.0\t 2908.0\t  611.2 ............."
    got = load(block(mono([100, 104], tail=target), eyes="LEFT\tHTARGET", rate=250, end=108))
    assert got.samples["left"].xy_px[:, 0].tolist() == [10.5, 11.5]
    # Announced for two eyes, and not there: eight fields as for one eye with a target.
    line = "100\t  1.0\t  2.0\t  700.0\t  3.0\t  4.0\t  600.0\t.....\n"
    got = load(block(line, eyes="LEFT\tRIGHT\tHTARGET", rate=250, end=104))
    assert got.samples["right"].xy_px.tolist() == [[3.0, 4.0]]


def test_without_flags_column(load):
    got = load(block(mono([100, 101], tail=""), end=102))
    assert got.samples["right"].pupil.tolist() == [700.0, 700.0]


@pytest.mark.parametrize("ending", ["\r\n", "\r\r\n"])
def test_line_ends(load, ending):
    text = HEAD + COORDS + "MSG\t95 TRIALID 7\n" + block(mono([100, 101]), end=102)
    got = load(text.replace("\n", ending))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0]
    assert [m.text for m in got.messages][-1] == "TRIALID 7"
    assert got.trials[0].name == "7"
    assert got.screen.width_px == 1920


def test_gzip_and_byte_order_mark(load):
    text = b"\xef\xbb\xbf" + (HEAD + block(mono([100, 101]), end=102)).encode()
    got = load(text, name="P01.asc.gz")
    assert (len(got), got.provenance["file"]) == (2, "P01.asc.gz")


def test_href_is_another_plane(load):
    event = "EFIX R   100\t101\t2\t  500.0\t  400.0\t    700\n"
    got = load(COORDS + block(mono([100, 101]) + event, end=102, plane="HREF"))
    assert got.plane == got.provenance["plane"] == "href"
    text = block(mono([100, 101]) + event, end=102).replace("SAMPLES\tGAZE", "SAMPLES\tHREF")
    assert load(text).provenance["notes"] == [
        "positions of the device's events are GAZE, those of samples are HREF"
    ]


def test_raw_pupil_coordinates_are_refused(load):
    with pytest.raises(FormatError, match=r"samples of the kind PUPIL, expected GAZE"):
        load(block(mono([100]), end=101).replace("SAMPLES\tGAZE", "SAMPLES\tPUPIL"))


def test_2000_hz_with_each_stamp_twice_loses_nothing(load):
    got = load(block(mono([100, 100, 101, 101, 102]), rate=2000, end=103))
    assert got.samples["right"].t_ms.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert got.samples["right"].xy_px[:, 0].tolist() == [10.5, 11.5, 12.5, 13.5, 14.5]
    assert got.provenance["left_out"] == {}
    (note,) = got.provenance["notes"]
    assert note == (
        "2 samples repeat the millisecond of the one before; "
        "they were put one sample interval later, none is lost"
    )


def test_2000_hz_with_half_stamps(load):
    got = load(block(mono(["100.5", "101.0", "101.5"]), start="100.5", rate=2000, end="102.0"))
    assert got.samples["right"].t_ms.tolist() == [0.0, 0.5, 1.0]
    assert got.provenance["notes"] == []


def test_repeated_stamps_at_1000_hz_are_counted(load):
    got = load(block(mono([100, 101, 101, 102]), end=103))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 2.0]
    assert got.provenance["left_out"] == {"duplicate_time": 1}


def test_continuation_lines_are_no_samples(load):
    calibration = (
        "MSG\t50 !CAL Cal coeff:(X=a+bx+cy+dxx+eyy,Y=f+gx+goaly+ixx+jyy)\n"
        "   1.7693e-05, -6.235e-06 \n212.24  13.72  154.96\n\t-4999  4999\n"
        ">>>>>>> CALIBRATION (HV9,P-CR) FOR RIGHT: <<<<<<<<<\n"
    )
    got = load(HEAD + calibration + block(mono([100, 101]), end=102))
    assert len(got) == 2
    assert got.provenance["line_counts"]["continuation"] == 4
    assert "212.24  13.72  154.96" in got.messages[0].text
    assert len(got.messages) == 1


def test_blocks_leave_real_gaps_and_may_change_rate_and_eyes(load):
    two = "1000\t  1.0\t  2.0\t  700.0\t  3.0\t  4.0\t  600.0\t.....\n"
    text = block(mono([100, 102]), rate=500, end=104)
    text += block(two, start=1000, eyes="LEFT\tRIGHT", rate=1000, end=1001)
    got = load(text)
    assert got.samples["left"].t_ms.tolist() == [0.0, 2.0, 900.0]
    assert got.samples["left"].lost.tolist() == [True, True, False]
    assert got.samples["right"].xy_px[:, 0].tolist() == [10.5, 11.5, 3.0]
    assert got.provenance["stated_rates_hz"] == [500.0, 1000.0]
    assert got.provenance["notes"] == ["the rate changes between blocks: 500 Hz in 1, 1000 Hz in 1"]
    assert [(t.name, t.onset_ms, t.offset_ms) for t in got.trials] == [
        ("block 1", 0.0, 4.0),
        ("block 2", 900.0, 901.0),
    ]


def test_start_without_end_and_fixation_without_end(load):
    samples = mono([100, 101, 102]) + "SFIX R   102\n"
    got = load(block(samples))
    assert [(t.onset_ms, t.offset_ms) for t in got.trials] == [(0.0, 3.0)]
    assert got.provenance["left_out"] == {"unfinished_fixation": 1}
    assert got.provenance["notes"] == [
        "blocks with START and no END, ended with their last sample: 1"
    ]


def test_device_events_are_half_open(load):
    lines = (
        "SFIX R   100\n" + mono([100, 104, 108]) + "EFIX R   100\t104\t8\t  11.0\t  20.0\t    700\n"
        "SSACC R  108\nSBLINK R 108\nEBLINK R 108\t108\t4\n"
        "ESACC R  108\t108\t4\t  11.0\t  20.0\t   .\t   .\t   0.90\t    200\n"
    )
    ev = load(block(lines, rate=250, end=112)).device_events
    assert ev.kind.tolist() == ["fixation", "blink", "saccade"]
    assert ev.onset_ms.tolist() == [0.0, 8.0, 8.0]
    assert ev.offset_ms.tolist() == [8.0, 12.0, 12.0]
    assert set(ev.eye) == {"right"}
    assert ev.of("fixation").xy_px.tolist() == [[11.0, 20.0]]
    saccade = ev.of("saccade")
    assert saccade.xy_px.tolist() == [[11.0, 20.0]]
    assert np.isnan(saccade.end_xy_px).all()
    assert np.isnan(ev.of("blink").xy_px).all()


def test_malformed_event_is_counted(load):
    got = load(
        block(mono([100, 101]) + "EFIX R   x\t101\t2\t1\t2\t3\nEFIX R 102\t101\t0\n", end=102)
    )
    assert len(got.device_events) == 0
    assert got.provenance["left_out"] == {"malformed_EFIX": 2}


def test_ragged_sample_line_is_counted(load):
    got = load(block(mono([100, 101]) + "102\t  1.0\t  2.0\n" + mono([103]), end=104))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 3.0]
    assert got.provenance["left_out"] == {"ragged_rows": 1}


def test_a_cell_that_is_no_number_is_lost_and_counted(load):
    lines = mono([100]) + "101\tx\t2.0\t3.0\t...\n102\t1.0\t2.0\t\xb5\t...\n" + mono([103])
    got = load(block(lines, end=104))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert got.samples["right"].lost.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(got.samples["right"].pupil, [700.0, 3.0, np.nan, 700.0])
    assert got.provenance["left_out"] == {"unreadable_cells": 2, "half_lost": 1}


def test_lines_of_more_fields_than_any_sample_has_are_ragged(load):
    got = load(block(mono([100, 101]) + "102" + "\t1.0" * 5000 + "\n" + mono([103]), end=104))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 3.0]
    assert got.provenance["left_out"] == {"ragged_rows": 1}


def test_lines_with_nul_bytes_are_counted(load):
    damaged = mono([100, 101]) + "10\0 2\t1.0\t2.0\t3.0\t...\nMSG\t103 \0\n" + mono([104])
    got = load(HEAD + block(damaged, end=105) + "\0" * 5000)
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 4.0]
    assert got.provenance["left_out"] == {"lines_with_nul": 3}
    assert got.messages == ()


def test_strays_after_an_ordinary_message_are_counted(load):
    got = load("MSG\t90 hello\n  -60  4\n" + block(mono([100, 101]) + "FIX R 1 2\n", end=102))
    assert [m.text for m in got.messages] == ["hello"]
    assert got.provenance["left_out"] == {"unknown_lines": 2}


def test_samples_before_the_first_header_are_of_it(load):
    got = load(mono([98, 99]) + block(mono([100, 101]), end=102))
    assert got.samples["right"].t_ms.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert len(load("98\t1.0\t2.0\t3.0\t...\n" * 9 + HEAD + COORDS + block(mono([99])))) == 2


def test_what_is_read_does_not_depend_on_where_blocks_of_bytes_end(load, monkeypatch):
    two = "".join(
        f"{t}\t  1.5\t  2.0\t  700.0\t  3.0\t   .\t    0.0\t.....\n" for t in range(500, 540)
    )
    event = "EFIX R   100\t104\t5\t  11.0\t  20.0\t    700\n"
    text = HEAD + COORDS + "MSG\t95 TRIALID 7\n" + block(mono(range(100, 160)) + event, end=160)
    # The right eye's y is lost in every row, one line is ragged.
    text += block("499\t1\n" + two, start=500, eyes="LEFT\tRIGHT", end=540)
    whole = load(text)
    assert whole.provenance["left_out"] == {"ragged_rows": 1, "half_lost": 40}
    blocks = Source.blocks
    for size in (1, 64, 700):
        monkeypatch.setattr(Source, "blocks", partialmethod(blocks, size))
        # The file comes in chunks, of which each is cut into blocks of this size.
        monkeypatch.setattr("gazecode.readers.source._CHUNK", size)
        got = load(text)
        assert got.to_frame().equals(whole.to_frame())
        assert (got.trials, got.messages) == (whole.trials, whole.messages)
        assert got.provenance["left_out"] == whole.provenance["left_out"]
        assert got.device_events.to_frame().equals(whole.device_events.to_frame())


def test_a_rate_only_the_configuration_states(load):
    bare = block(mono([100, 100, 101]), rate=2000, end=102).replace("\tRATE\t2000.00", "")
    got = load("MSG\t90 RECCFG CR 2000 2 1 R\n" + bare)
    assert got.provenance["stated_rates_hz"] == [2000.0]
    assert got.samples["right"].t_ms.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.slow
def test_an_endless_line_is_refused_before_memory_is_gone(tmp_path):
    path = tmp_path / "P01.asc"
    with path.open("wb") as file:
        file.write((HEAD + block(mono([100, 101]))).encode() + b"MSG\t102 ")
        file.truncate(1 << 30)
    with pytest.raises(TooLarge, match="P01.asc holds a line of over"):
        read(path)


def test_many_messages_take_memory_in_proportion(load, tmp_path):
    lines = "".join(f"MSG\t{i} TRIALID {i} !V IMGLOAD FILL 1 1 1 1\n" for i in range(30_000))
    text = block(mono([100, 101]), end=102) + lines
    tracemalloc.start()
    got = load(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(got.messages) == 30_000
    assert peak < 20 * len(text)


def test_a_message_of_numbers_takes_no_time(load):
    text = (
        HEAD
        + "MSG\t90 !V IMGLOAD FILL "
        + "1 " * 400_000
        + "x\n"
        + block(mono([100, 101]), end=102)
    )
    start = time.perf_counter()
    assert load(text).trials[0].stimulus is None
    assert time.perf_counter() - start < 2


def test_events_without_samples_open(load):
    got = load(block("EFIX R   120\t140\t21\t  11.0\t  20.0\t    700\n", end=200))
    assert len(got) == 0
    assert got.device_events.onset_ms.tolist() == [20.0]
    assert [(t.onset_ms, t.offset_ms) for t in got.trials] == [(0.0, 100.0)]
    assert got.provenance["notes"] == ["the file holds events and no samples"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "P01.asc: no START or SAMPLES line says which eye was recorded; expected a file "),
        (HEAD + block("", end=101), "P01.asc holds no samples and no events; expected lines of "),
        (
            block("100\t1.0\t2.0\t3.0\t...\n", eyes="LEFT\tRIGHT", end=101),
            "P01.asc: sample lines have 5 fields, expected 7 or more for left and right; ",
        ),
        (
            block(mono([100, 101]) + "102\t  10.5\t  2"),
            "P01.asc breaks off in its last line after 2 whole samples; copy or convert ",
        ),
        (block(mono([100, 101]) + "10"), "P01.asc breaks off in its last line after 2 whole "),
        ("SR_RESEARCH_COMB_FILE\0", "P01.asc is a binary EyeLink recording, text is expected; "),
    ],
)
def test_bad_files_say_so_on_one_line(load, text, message):
    with pytest.raises(FormatError, match="^" + re.escape(message)) as caught:
        load(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("coords", "size"),
    [
        ("GAZE_COORDS 0.00 0.00 1023.00 767.00", (1024, 768)),
        ("GAZE_COORDS 0.00 0.00 1024.00 768.00", (1024, 768)),
        ("DISPLAY_COORDS = 0 0 1919 1079", (1920, 1080)),
        ("DISPLAY_COORDS 0, 0, 1365, 767", (1366, 768)),
    ],
)
def test_screen_from_either_style(load, coords, size):
    got = load(f"MSG\t90 {coords}\n" + block(mono([100, 101]), end=102))
    assert (got.screen.width_px, got.screen.height_px) == size
    assert got.provenance["notes"] == []


def test_centred_coordinates_move_to_the_top_left(load):
    event = "ESACC R  100\t101\t2\t  -60.0\t  540.0\t  960.0\t  -540.0\t  1.00\t 100\n"
    text = "MSG\t90 GAZE_COORDS -960 540 960 -540\n" + block(mono([100, 101]) + event, end=102)
    got = load(text)
    assert got.device_events.xy_px.tolist() == [[900.0, 0.0]]
    assert got.device_events.end_xy_px.tolist() == [[1920.0, 1080.0]]
    assert got.samples["right"].xy_px[0].tolist() == [970.5, 520.0]
    assert got.provenance["notes"] == [
        "coordinates were moved to the top left corner, stated as -960 540"
    ]


def test_a_screen_that_changes_is_noted(load):
    text = COORDS + "MSG\t91 GAZE_COORDS 0 0 1023 767\n" + block(mono([100, 101]), end=102)
    got = load(text)
    assert got.screen.width_px == 1024
    assert got.provenance["notes"] == [
        "the file states several sizes of the screen; the last one is used"
    ]


def test_a_stamp_beyond_numbers_is_counted(load):
    got = load(block(mono([100]) + "9" * 400 + "\t1.0\t2.0\t3.0\t...\n" + mono([102]), end=103))
    assert got.samples["right"].t_ms.tolist() == [0.0, 2.0]
    assert got.provenance["left_out"] == {"no_time": 1}


def test_no_coords_no_screen(load):
    assert load(block(mono([100, 101]), end=102)).screen is None


def test_calibration_and_validation_reach_the_provenance(load):
    text = (
        "MSG\t50 !CAL CALIBRATION HV9 R RIGHT   GOOD \n"
        "MSG\t60 !CAL VALIDATION HV9 R RIGHT GOOD ERROR 0.65 avg. 1.43 max  OFFSET 0.51 deg. "
        "-9.5,-14.9 pix.\n"
        "MSG\t70 !CAL VALIDATION HV9 LR LEFT ABORTED\n"
    )
    said = load(text + block(mono([100, 101]), end=102)).provenance
    assert said["calibrations"] == [
        {"t_ms": -50.0, "type": "HV9", "eye": "right", "result": "GOOD"}
    ]
    good, aborted = said["validations"]
    assert good == {
        "t_ms": -40.0,
        "type": "HV9",
        "eye": "right",
        "result": "GOOD",
        "error_avg_deg": 0.65,
        "error_max_deg": 1.43,
        "offset_deg": 0.51,
        "offset_px": [-9.5, -14.9],
    }
    assert aborted == {"t_ms": -30.0, "type": "HV9", "eye": "left", "result": "ABORTED"}


CHECKS = (
    "MSG\t60 !CAL VALIDATION HV2 LR LEFT  FAIR ERROR 0.41 avg. 1.64 max  OFFSET 0.35 deg. "
    "12.5,9.6 pix.\n"
    "MSG\t60 !CAL VALIDATION HV2 LR RIGHT GOOD ERROR 0.31 avg. 0.84 max  OFFSET 0.27 deg. "
    "9.2,8.4 pix.\n"
    "MSG\t60 VALIDATE LR POINT 0  LEFT  at 960,540  OFFSET 0.48 deg.  20.7,7.9 pix.\n"
    "MSG\t60 VALIDATE LR 4POINT 0 RIGHT  at 960,540  OFFSET 0.18 deg.  7.9,1.7 pix.\n"
    "MSG\t61 VALIDATE LR POINT 1  LEFT  at 960,92  OFFSET 0.55 deg.  -7.4,-23.9 pix.\n"
    "MSG\t61 VALIDATE LR 4POINT 1 RIGHT  at 960,92  OFFSET 0.52 deg.  5.9,23.1 pix.\n"
)


def test_validations_per_eye_and_point(load):
    got = load(CHECKS + "MSG\t70 !CAL VALIDATION R ABORTED\n" + block(mono([100, 101]), end=102))
    left, right, aborted = got.validations
    assert (left.t_ms, left.eye, left.verdict, left.source) == (-40.0, "left", "FAIR", "device")
    assert (left.mean_deg, left.max_deg) == (0.41, 1.64)
    assert left.target_xy_px.tolist() == [[960.0, 540.0], [960.0, 92.0]]
    assert left.offset_xy_px.tolist() == [[20.7, 7.9], [-7.4, -23.9]]
    assert left.offset_deg.tolist() == [0.48, 0.55]
    assert (right.eye, right.verdict, right.offset_deg.tolist()) == ("right", "GOOD", [0.18, 0.52])
    assert (aborted.eye, aborted.verdict, len(aborted)) == ("right", "ABORTED", 0)
    assert [row["result"] for row in got.provenance["validations"]] == ["FAIR", "GOOD", "ABORTED"]


def test_points_without_or_beyond_a_summary_are_another_validation(load):
    points = "".join(line + "\n" for line in CHECKS.split("\n") if " LEFT " in line)
    got = load(points + points.split("\n", 1)[1] + block(mono([100, 101]), end=102))
    assert [(len(v), v.verdict, v.mean_deg) for v in got.validations] == [
        *((2, "FAIR", 0.41), (2, "", None))
    ]
    assert len(got.provenance["validations"]) == 1


def test_validations_move_with_the_coordinates(load):
    centred = "MSG\t50 GAZE_COORDS -960 540 960 -540\n"
    point = "MSG\t60 VALIDATE R 4POINT 0 RIGHT at -60,40 OFFSET 0.5 deg. 3.0,4.0 pix.\n"
    (got,) = load(centred + point + block(mono([100, 101]), end=102)).validations
    assert got.target_xy_px.tolist() == [[900.0, 500.0]]
    assert got.offset_xy_px.tolist() == [[3.0, -4.0]]
    # Gaze in other units than the targets: degrees stay, places are unknown.
    (got,) = load(point + block(mono([100, 101]), end=102, plane="HREF")).validations
    assert np.isnan(got.target_xy_px).all()
    assert got.offset_deg.tolist() == [0.5]


def test_a_message_of_the_same_ms_as_a_sample_applies_to_it(load):
    samples = mono([100, 101]) + "MSG\t102 TRIALID b\n" + mono([102, 103])
    got = load("MSG\t95 TRIALID a\n" + block(samples, end=104))
    a, b = got.trials
    assert (a.name, b.name) == ("a", "b")
    assert got.window(a).samples["right"].t_ms.tolist() == [0.0, 1.0]
    assert got.window(b).samples["right"].t_ms.tolist() == [2.0, 3.0]


def test_blank_after_msg_and_foreign_letters(load):
    text = b"MSG 95 tecnolog\xeda\nMSG\t96\n" + block(mono([100, 101]), end=102).encode()
    got = load(text)
    assert [(m.t_ms, m.text) for m in got.messages] == [(-5.0, "tecnología"), (-4.0, "")]


@pytest.mark.parametrize(
    "head",
    [
        b"Time;Gaze.X;GazeY\n1;2;3\n",
        b"## [iView]\n## Date\tx\nTime\tType\tTrial\n",
        b"1\t2\t3\t4\t5\n",
        b"START of something\nMSG for you\n",
    ],
)
def test_sniff_refuses_other_text(tmp_path, head):
    path = tmp_path / "x.asc"
    path.write_bytes(head)
    assert not sniff(Source(path))


@given(st.data())
@settings(max_examples=150)
def test_damaged_files_open_or_say_why(tmp_path_factory, data):
    events = "EFIX R   100\t101\t2\t  11.0\t  20.0\t    700\n"
    raw = bytearray((COORDS + "MSG\t95 TRIALID 7\n" + block(mono([100, 101]) + events)).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"\t", b"\n", b"9" * 400, b"."]))
        )
        raw = raw or bytearray(b" ")
    path = tmp_path_factory.mktemp("damaged") / "P01.asc"
    path.write_bytes(raw)
    try:
        got = read(path)
    except GazecodeError as error:
        lines = str(error).split("\n")
    else:
        lines = [got.provenance["clock"]]
    assert len(lines) == 1


# --- real recordings: plain counting is the independent route -------------------------------


# Of each file, counted when the data were collected: samples, first and last stamp, fields, samples
# whose left or only x is a dot; eyes, rate; START, END, EFIX, ESACC, EBLINK, MSG, continuations.
FACTS = {
    "almadi_006_crlf.asc": (55711, 336398, 1358766, 6, 22, "R", 1000, 16, 16, 215, 200, 1, 582, 30),
    "bino1000.asc.gz": (3467, 7427362, 7436443, 8, 0, "LR", 1000, 4, 4, 24, 16, 0, 196, 10),
    "bino500.asc.gz": (1745, 6185399, 6195771, 8, 0, "LR", 500, 4, 4, 19, 11, 0, 197, 10),
    "binoRemote250.asc.gz": (5125, 12605302, 12630450, 8, 0, "LR", 250, 4, 4, 8, 0, 0, 166, 10),
    "eyelink_binocular_example.asc": (368, 1408660, 1409027, 8, 97, "LR", 1000, 1, 1, 4, 2, 2, 109, 20),
    "eyelink_monocular_2khz_example.asc": (16, 2154556.5, 2339291, 6, 0, "L", 2000, 1, 1, 2, 1, 0, 102, 10),
    "eyelink_monocular_example.asc": (16, 2154556, 2339291, 6, 0, "L", 1000, 1, 1, 2, 1, 0, 102, 10),
    "eyelink_monocular_no_dummy_example.asc": (297, 643197, 651287, 5, 69, "L", 500, 1, 0, 2, 2, 2, 57, 5),
    "mono1000.asc.gz": (3619, 7709679, 7719283, 5, 0, "R", 1000, 4, 4, 10, 6, 0, 150, 5),
    "mono2000.asc.gz": (8976, 8258957, 8269282, 5, 0, "R", 2000, 4, 4, 13, 9, 0, 150, 5),
    "mono250.asc.gz": (914, 5885949, 5896117, 5, 0, "L", 250, 4, 4, 9, 5, 0, 149, 5),
    "monoRemote250.asc.gz": (5129, 12976172, 13001176, 8, 0, "L", 250, 4, 4, 4, 0, 0, 119, 5),
    "opensesame_PP04A_first8trials.asc": (37099, 1030724, 1079274, 5, 45, "R", 1000, 8, 8, 31, 24, 1, 1355, 10),
    "raccoons.asc": (433, 147946, 148378, 6, 85, "L", 1000, 1, 0, 1, 1, 1, 56, 10),
    "test_eyelink_HREF.asc": (1001, 7451288, 7452288, 5, 0, "R", 1000, 1, 1, 4, 4, 0, 69, 5),
}  # fmt: skip


def text_of(path):
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
    return [line.rstrip("\r") for line in text.split("\n")]


def origin_of(recording):
    return float(recording.provenance["clock"].rsplit(" ", 1)[1])


def asc_files(shared_data: Path):
    return sorted((shared_data / "exports" / "eyelink_asc").glob("*.asc*"))


def plain_count(path):
    """Count lines with nothing but string methods; the numbers of the data's SOURCE.md."""
    lines = text_of(path)
    samples = [line.split("\t") for line in lines if re.match(r"[0-9]+(\.[0-9]+)?\t", line)]
    first = [line.split(None, 1)[0] for line in lines if line.strip()]
    kinds = ("START", "END", "EFIX", "ESACC", "EBLINK", "MSG")
    header = next(line.split() for line in lines if line.startswith("SAMPLES"))
    known = {*kinds, "SAMPLES", "EVENTS", "PRESCALER", "VPRESCALER", "PUPIL", "INPUT", "BUTTON"}
    known |= {"SFIX", "SSACC", "SBLINK"}
    other = [word for word in first if word not in known and not word.startswith("**")]
    return (
        len(samples),
        min(float(row[0]) for row in samples),
        max(float(row[0]) for row in samples),
        *{len(row) for row in samples},
        sum(row[1].strip() == "." for row in samples),
        "".join(eye[0] for eye in ("LEFT", "RIGHT") if eye in header),
        float(header[header.index("RATE") + 1]),
        *(first.count(kind) for kind in kinds),
        len(other) - len(samples),
    ), samples


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(FACTS))
def test_facts_of_real_files(shared_data, name):
    path = shared_data / "exports" / "eyelink_asc" / name
    counted, rows = plain_count(path)
    got = read(path)
    first = next(iter(got.samples.values()))
    events, said = got.device_events, got.provenance
    last = origin_of(got) + first.t_ms[-1]
    if name == "mono2000.asc.gz":
        # The second sample of the last ms is put half a ms later.
        last -= 0.5
    found = (
        len(got),
        origin_of(got),
        last,
        counted[3],
        int(first.lost.sum()),
        "".join(eye[0].upper() for eye in got.samples),
        *said["stated_rates_hz"],
        said["line_counts"]["START"],
        said["line_counts"].get("END", 0),
        *(len(events.of(kind)) for kind in ("fixation", "saccade", "blink")),
        len(got.messages),
        said["line_counts"]["continuation"],
    )
    print(name, found, got.plane, said["left_out"], said["notes"])
    assert found == counted == FACTS[name]
    order = np.argsort([float(r[0]) for r in rows], kind="stable")
    for i, samples in enumerate(got.samples.values()):
        cells = [[r[k].strip() for k in range(1 + 3 * i, 4 + 3 * i)] for r in rows]
        values = np.array([[math.nan if c == "." else float(c) for c in row] for row in cells])
        np.testing.assert_array_equal(samples.xy_px, values[order, :2])
        pupil = np.where(values[order, 2] == 0, np.nan, values[order, 2])
        np.testing.assert_array_equal(samples.pupil, pupil)


@pytest.mark.real
def test_every_real_file_is_in_the_facts(shared_data):
    assert {path.name for path in asc_files(shared_data)} == set(FACTS)


@pytest.mark.real
def test_binary_recordings_are_answered(shared_data):
    files = sorted((shared_data / "exports" / "eyelink_edf").glob("*.edf"))
    assert len(files) == 2
    for path in files:
        assert sniff_format(path) == "eyelink"
        with pytest.raises(FormatError, match="is a binary EyeLink recording, text is expected"):
            read(path)


@pytest.mark.real
def test_traps_of_real_files(shared_data):
    folder = shared_data / "exports" / "eyelink_asc"
    # Each ms twice: 4,488 samples, none of them lost.
    double = read(folder / "mono2000.asc.gz")
    assert double.provenance["notes"][0].startswith("4488 samples repeat the millisecond")
    assert np.unique(np.mod(double.samples["right"].t_ms, 1)).tolist() == [0.0, 0.5]
    assert np.median(np.diff(double.samples["right"].t_ms)) == 0.5
    # HREF is not pixels.
    href = read(folder / "test_eyelink_HREF.asc")
    assert href.plane == "href"
    assert np.abs(href.samples["right"].xy_px).max() > 1920
    # Two eyes announced with a remote target that is not there; one eye, and there it is.
    assert list(read(folder / "binoRemote250.asc.gz").samples) == ["left", "right"]
    one = read(folder / "monoRemote250.asc.gz")
    assert list(one.samples) == ["left"]
    assert one.provenance["left_out"] == {}
    # Cut files: a saccade, a fixation, a block without an end.
    assert read(folder / "eyelink_binocular_example.asc").provenance["left_out"] == {
        "unfinished_saccade": 1
    }
    assert href.provenance["left_out"] == {"unfinished_fixation": 1}
    for name in ("raccoons.asc", "eyelink_monocular_no_dummy_example.asc"):
        assert read(folder / name).provenance["notes"] == [
            "blocks with START and no END, ended with their last sample: 1"
        ]


@pytest.mark.real
def test_blinks_lie_inside_saccades_and_hold_no_gaze(shared_data):
    blinks = 0
    for path in asc_files(shared_data):
        got = read(path)
        events = got.device_events
        saccades = events.of("saccade")
        for onset, offset, eye in zip(
            *((b := events.of("blink")).onset_ms, b.offset_ms, b.eye), strict=True
        ):
            if "no_dummy" in path.name and onset > 7000:
                continue  # its saccade was cut away by those who made the file
            held = (saccades.onset_ms <= onset) & (saccades.offset_ms >= offset)
            assert (held & (saccades.eye == eye)).any()
            inside = got.samples[eye].between(onset, offset)
            assert inside.lost.all() or len(inside) == 0
            blinks += 1
    print(f"{blinks} blinks inside saccades, without gaze")
    assert blinks == 6


@pytest.mark.real
def test_validations_of_real_files(shared_data):
    """Each point line once, by plain splitting; the worst point is the stated maximum."""
    points = 0
    for path in asc_files(shared_data):
        got = read(path)
        lines = [line.split() for line in text_of(path) if re.match(r"MSG\t\S+ VALIDATE ", line)]
        numbers = {}
        for words in lines:
            at, off, px = (words[words.index(k) + 1] for k in ("at", "OFFSET", "deg."))
            eye = "left" if "LEFT" in words else "right"
            row = [*map(float, at.split(",")), float(off), *map(float, px.split(","))]
            numbers.setdefault(eye, []).append(row)
        for eye, rows in numbers.items():
            ours = [v for v in got.validations if v.eye == eye]
            found = [np.column_stack([v.target_xy_px, v.offset_deg, v.offset_xy_px]) for v in ours]
            expected = np.array(rows)
            if got.plane == "href":
                expected[:, [0, 1, 3, 4]] = np.nan
            np.testing.assert_array_equal(np.concatenate(found), expected)
            assert all(v.max_deg == v.offset_deg.max() for v in ours)
            points += len(rows)
        summaries = [line for line in text_of(path) if "!CAL VALIDATION" in line]
        assert len(got.provenance["validations"]) == len(summaries)
    print(f"{points} validation points")
    assert points == 238


@pytest.mark.real
def test_the_offset_of_a_check_is_gaze_minus_target(shared_data):
    """Gaze right after a drift check lies where its target plus its offset is."""
    plus, minus = [], []
    for path in asc_files(shared_data):
        got = read(path)
        if got.plane != "screen_px":
            continue
        onsets = np.array([t.onset_ms for t in got.trials])
        for check in got.provenance["drift_checks"]:
            later = onsets[(onsets >= check["t_ms"]) & (onsets < check["t_ms"] + 400)]
            if not len(later):
                continue
            gaze = got.samples[check["eye"]].between(later[0], later[0] + 30).xy_px
            seen = np.nanmedian(gaze, axis=0) - check["target_px"] if len(gaze) else [np.inf]
            # Some readers had looked away by then.
            if np.hypot(*seen) < 60:
                plus.append(np.hypot(*(seen - np.array(check["offset_px"]))))
                minus.append(np.hypot(*(seen + np.array(check["offset_px"]))))
    print(f"{len(plus)} checks: target + offset {np.median(plus):.1f} px from gaze, "
          f"target - offset {np.median(minus):.1f} px")  # fmt: skip
    assert len(plus) > 40
    assert np.median(plus) < 8
    assert np.median(minus) > 20


@pytest.mark.real
def test_event_durations_of_real_files_are_the_vendors(shared_data):
    checked = 0
    for path in asc_files(shared_data):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
        stated = sorted(
            (float(w[2]), float(w[4]))
            for w in (line.split() for line in text.split("\n"))
            if w and w[0] in ("EFIX", "ESACC", "EBLINK")
        )
        got = read(path)
        origin = float(got.provenance["clock"].rsplit(" ", 1)[1])
        ev = got.device_events
        found = sorted(zip((ev.onset_ms + origin).tolist(), ev.duration_ms.tolist(), strict=True))
        # Stamps cut to whole ms at 2000 Hz hide half a sample from the vendor's own duration.
        slack = 0.5 if path.name.startswith("mono2000") else 0.0
        np.testing.assert_allclose(np.array(found), np.array(stated), atol=slack, rtol=0)
        checked += len(stated)
    print(f"{checked} events: duration equals the vendor's")


@pytest.mark.real
def test_trials_of_real_files(shared_data):
    folder = shared_data / "exports" / "eyelink_asc"
    sesame = read(folder / "opensesame_PP04A_first8trials.asc")
    assert [t.name for t in sesame.trials] == [str(i) for i in range(8)]
    inside = sum(len(sesame.window(t)) for t in sesame.trials)
    print(f"opensesame: {inside} of {len(sesame)} samples lie in its 8 trials")
    assert inside == len(sesame)
    for path in asc_files(shared_data):
        got = read(path)
        inside = sum(len(got.window(t)) for t in got.trials)
        print(path.name, len(got.trials), "trials,", inside, "of", len(got), "samples in trials")
        assert len({t.name for t in got.trials}) == len(got.trials)
        if not path.name.startswith("eyelink_monocular_"):  # re-stamped by their makers
            assert inside == len(got)


def for_peer(path, folder):
    """A copy the peer can open: unpacked, and without the remote target it does not know."""
    lines = text_of(path)
    if "Remote" in path.name:
        lines = [line.replace("\tHTARGET", "") for line in lines]
        mono = path.name.startswith("mono")
        lines = [
            "\t".join(line.split("\t")[:5]) if mono and re.match(r"\d+\t", line) else line
            for line in lines
        ]
    copy = folder / path.name.removesuffix(".gz")
    copy.write_text("\n".join(lines), encoding="utf-8")
    return copy


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(FACTS))
def test_values_equal_pymovements(shared_data, tmp_path, name):
    """Sample by sample; where the peer is known to be wrong, both values are asserted."""
    reason = "pymovements is not installed (pip install 'gazecode[bench]')"
    pm = pytest.importorskip("pymovements", reason=reason)
    path = shared_data / "exports" / "eyelink_asc" / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some files miss a mount configuration
        peer = pm.gaze.from_asc(for_peer(path, tmp_path))
    got = read(path)
    frame = peer.samples
    t = frame["time"].to_numpy().astype(float)
    order = np.argsort(t, kind="stable")
    ours = next(iter(got.samples.values())).t_ms
    if name == "mono2000.asc.gz":
        # Two samples in one ms for the peer, which no clock at 2000 Hz has.
        assert (np.diff(t[order]) == 0).sum() == 4488
        ours = np.floor(ours)
    np.testing.assert_array_equal(t[order] - t.min(), ours)
    # What the peer calls pixels is HREF in one file; here the plane says so.
    assert got.plane == ("href" if "HREF" in name else "screen_px")
    pixel = np.array(frame["pixel"].to_list(), dtype=float)[order]
    np.testing.assert_array_equal(
        pixel, np.concatenate([s.xy_px for s in got.samples.values()], axis=1)
    )
    pupil = np.array(frame["pupil"].to_list(), dtype=float).reshape(len(t), -1)[order]
    # The peer leaves 0.0 for a lost pupil.
    np.testing.assert_array_equal(
        np.where(pupil == 0, np.nan, pupil),
        np.stack([s.pupil for s in got.samples.values()], axis=1),
    )
    stated = peer.validations.to_dicts()
    assert [(v.eye, v.mean_deg, v.max_deg) for v in got.validations] == [
        (row["eye"], row["accuracy_avg"], row["accuracy_max"]) for row in stated
    ]
    print(f"{name}: {len(got)} samples and {len(stated)} validations equal to {pm.__version__}")


@pytest.mark.real
def test_a_file_cut_inside_a_message_of_an_open_block_is_refused(shared_data, tmp_path):
    raw = (shared_data / "exports" / "eyelink_asc" / "almadi_006_crlf.asc").read_bytes()
    start = raw.index(b"\nSTART")
    inside = raw.index(b"\nMSG", raw.index(b"\nSFIX", start))
    path = tmp_path / "cut.asc"
    path.write_bytes(raw[: inside + 12])
    with pytest.raises(FormatError, match="breaks off in its last line"):
        read(path)
