"""EyeLink text: hand-made files for every trap, plain counting over real ones."""

import gzip
import importlib.util
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import FormatError, GazecodeError
from gazecode.readers import read
from gazecode.readers.eyelink import sniff
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
        (block(mono([100]) + "101\tx\t2.0\t3.0\t...\n", end=102), "P01.asc (reader eyelink): the "),
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


def plain_count(path):
    """Count lines with nothing but string methods; the numbers of the data's SOURCE.md."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    samples = [line.split("\t") for line in lines if re.match(r"[0-9]+(\.[0-9]+)?\t", line)]
    first = [line.split(None, 1)[0] for line in lines if line.strip()]
    kinds = ("MSG", "START", "EFIX", "ESACC", "EBLINK")
    return {
        "samples": len(samples),
        "first": float(samples[0][0]),
        "missing": sum(row[1].strip() == "." for row in samples),
        **{kind: first.count(kind) for kind in kinds},
    }, samples


def asc_files(shared_data: Path):
    return sorted((shared_data / "exports" / "eyelink_asc").glob("*.asc*"))


@pytest.mark.real
def test_counts_of_real_files(shared_data):
    for path in asc_files(shared_data):
        counted, rows = plain_count(path)
        got = read(path)
        first = next(iter(got.samples.values()))
        events = got.device_events
        found = {
            "samples": len(got),
            "first": float(got.provenance["clock"].rsplit(" ", 1)[1]),
            "missing": int(first.lost.sum()),
            "MSG": len(got.messages),
            "START": got.provenance["line_counts"]["START"],
            "EFIX": len(events.of("fixation")),
            "ESACC": len(events.of("saccade")),
            "EBLINK": len(events.of("blink")),
        }
        print(path.name, found, got.plane, dict(got.provenance["left_out"]))
        assert found == counted
        x = np.array([math.nan if r[1].strip() == "." else float(r[1]) for r in rows])
        order = np.argsort([float(r[0]) for r in rows], kind="stable")
        np.testing.assert_array_equal(first.xy_px[:, 0], x[order])


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


@pytest.mark.real
def test_values_equal_pymovements_on_its_own_files(shared_data):
    if importlib.util.find_spec("pymovements") is None:
        pytest.skip("pymovements is not installed (pip install 'gazecode[bench]')")
    import pymovements as pm

    folder = shared_data / "exports" / "eyelink_asc"
    for path in sorted(folder.glob("eyelink_*example.asc")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some files miss a mount configuration
            peer = pm.gaze.from_asc(path)
        got = read(path)
        frame = peer.samples
        t = frame["time"].to_numpy().astype(float)
        order = np.argsort(t, kind="stable")
        np.testing.assert_array_equal(t[order] - t.min(), next(iter(got.samples.values())).t_ms)
        pixel = np.array(frame["pixel"].to_list(), dtype=float)[order]
        ours = np.concatenate([s.xy_px for s in got.samples.values()], axis=1)
        np.testing.assert_array_equal(pixel, ours)
        print(f"{path.name}: {len(got)} samples equal to pymovements {pm.__version__}")


@pytest.mark.real
def test_a_file_cut_inside_a_message_of_an_open_block_is_refused(shared_data, tmp_path):
    raw = (shared_data / "exports" / "eyelink_asc" / "almadi_006_crlf.asc").read_bytes()
    start = raw.index(b"\nSTART")
    inside = raw.index(b"\nMSG", raw.index(b"\nSFIX", start))
    path = tmp_path / "cut.asc"
    path.write_bytes(raw[: inside + 12])
    with pytest.raises(FormatError, match="breaks off in its last line"):
        read(path)
