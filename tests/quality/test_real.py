"""Real recordings: which are usable, and what was lost, against plain counting."""

import gzip
import json
import re

import numpy as np
import pytest

from gazecode.model import Recording, Screen
from gazecode.quality import assess
from gazecode.readers import read

pytestmark = pytest.mark.real


def report_of(path):
    report = assess(read(path))
    json.dumps(report.to_dict(), allow_nan=False)
    whole = report.recording
    shown = {key: whole[key] for key in ("rate_hz", "effective_hz", "loss", "off_screen")}
    passed = sum(trial.passed for trial in report.trials if trial.stimulus)
    print(f"{path.name[:18]}: usable {report.usable}, {passed} trials pass, {shown}")
    for reason in report.reasons:
        print(f"   {reason}")
    return report


def linearity(shared_data, start):
    folder = shared_data / "linearity-peitek2020" / "raw_data"
    return next(folder.glob(f"*/*/GazeData_{start}*.csv"))


@pytest.mark.parametrize("start", ["24aed847", "1f8beed4", "0fed8025"])
def test_good_recordings_are_usable(shared_data, start):
    report = report_of(linearity(shared_data, start))
    assert report.usable
    assert report.reasons == []


def test_trials_with_hardly_any_data_fail_in_a_usable_recording(shared_data):
    report = report_of(linearity(shared_data, "0fed8025"))
    # 51 samples in 32 s: SOURCE.md calls it almost no data.
    assert "loss is 9" in report.trial_reasons("SumArray_scrambled")[0]
    assert report.trial_reasons("Student") == []


@pytest.mark.parametrize("start", ["7f9dd148", "e4ad195b"])
def test_degenerate_recordings_are_not_and_say_why(shared_data, start):
    report = report_of(linearity(shared_data, start))
    assert not report.usable
    assert "0 of" in report.reasons[0]
    assert any("loss is" in reason for reason in report.reasons)
    assert all("\n" not in reason for reason in report.reasons)


def test_absent_samples_count_as_lost(shared_data):
    path = linearity(shared_data, "24aed847")
    recording = read(path)
    report = report_of(path)
    # By hand: how many samples a trial's time holds at the rate of its own short steps.
    trial = next(t for t in recording.trials if t.name == "InsertSort_scrambled")
    t = recording.window(trial).gaze.t_ms
    steps = np.diff(t)
    usual = steps[steps < 1.5 * np.median(steps)].mean()
    expected = 1 - len(t) * usual / (t[-1] - t[0])
    found = next(x for x in report.trials if x.name == trial.name).figures["loss"]
    print(f"InsertSort_scrambled: loss {found:.4f}, by hand {expected:.4f}")
    assert found == pytest.approx(expected, abs=0.02)


def rows_with_gaze_of_both_eyes(path):
    """By splitting lines: both validities 1 and a point of regard that is not 0.00."""
    lines = [line.split("\t") for line in path.read_text().splitlines() if line[:2] != "##"]
    x, y, left, right = (
        lines[0].index(name)
        for name in ("L POR X [px]", "L POR Y [px]", "L Validity", "R Validity")
    )
    samples = [row for row in lines[1:] if row[1] == "SMP"]
    seen = [r for r in samples if r[left] == r[right] == "1" and (r[x], r[y]) != ("0.00", "0.00")]
    return len(samples), len(seen)


@pytest.mark.parametrize("participant", ["46", "134"])
def test_emip_is_usable_and_pauses_are_no_loss(shared_data, participant):
    path = shared_data / "emip-bednarik2020" / "rawdata" / f"{participant}_rawdata.tsv"
    report = report_of(path)
    assert report.usable
    for name in ("rectangle_java2", "vehicle_java2"):
        assert report.trial_reasons(name) == []
    n, n_seen = rows_with_gaze_of_both_eyes(path)
    recording = read(path)
    whole = assess(Recording(samples=recording.samples)).recording
    print(f"{participant}: {n_seen} of {n} rows hold gaze, paused {whole['paused_ms']:.0f} ms")
    assert (whole["n_samples"], whole["n_valid"]) == (n, n_seen)
    assert whole["loss"] == pytest.approx(1 - n_seen / (n + whole["n_absent"]), abs=1e-5)
    assert whole["n_absent"] < 0.01 * n
    assert whole["paused_ms"] > 20000


@pytest.mark.parametrize("participant", ["07", "11", "20"])
def test_eyecode_is_usable(shared_data, participant):
    report = report_of(shared_data / "eyecode-hansen2012" / "xml" / f"{participant}.xml.gz")
    assert report.usable
    # Stamps are whole ms; the tracker ran at 300 Hz.
    assert report.recording["rate_hz"] == pytest.approx(300, rel=0.001)


@pytest.mark.parametrize(
    ("name", "rate_hz", "loss"),
    [
        ("almadi_006_crlf.asc", 1000, 22 / 55711),
        ("bino500.asc.gz", 500, 0.0),
        ("mono2000.asc.gz", 2000, 0.0),
        ("opensesame_PP04A_first8trials.asc", 1000, 45 / 37099),
    ],
)
def test_eyelink_counts(shared_data, name, rate_hz, loss):
    report = report_of(shared_data / "exports" / "eyelink_asc" / name)
    assert report.usable
    assert report.recording["rate_hz"] == pytest.approx(rate_hz)
    assert report.recording["loss"] == pytest.approx(loss, abs=1e-5)


def stated_by_eyelink(path):
    """By splitting lines: average and maximum of the last validation of each eye before gaze."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    begun = text.index(b"\nSTART")
    found = re.findall(
        rb"!CAL VALIDATION \S+ +\S+ +(LEFT|RIGHT) +\S+ +ERROR ([\d.]+) avg. ([\d.]+) max",
        text[:begun],
    )
    last = {eye: (float(mean), float(most)) for eye, mean, most in found}
    return np.array(list(last.values()))


@pytest.mark.parametrize(
    "name", ["bino1000.asc.gz", "bino500.asc.gz", "mono1000.asc.gz", "mono250.asc.gz"]
)
def test_accuracy_is_what_eyelink_states_of_itself(shared_data, name):
    path = shared_data / "exports" / "eyelink_asc" / name
    stated = stated_by_eyelink(path)
    figures = report_of(path).recording
    assert figures["accuracy"] == "stated by the device"
    assert figures["accuracy_deg"] == pytest.approx(stated[:, 0].mean(), abs=1e-6)
    assert figures["accuracy_max_deg"] == stated[:, 1].max()
    assert figures["accuracy_measured_deg"] is None


@pytest.mark.parametrize("name", ["4Ctest_fixation.csv"])
def test_a_file_of_fixations_alone_is_no_file_without_gaze(shared_data, name):
    report = report_of(shared_data / "exports" / "tobii_sdk" / name)
    assert report.usable
    assert (report.recording["n_samples"], report.recording["loss"]) == (0, None)
    assert report.recording["n_fixations"] == 14


def test_disparity_beside_the_line_pitch(shared_data):
    """`validity.md` 7: the eyes lie tens of pixels apart, at lines of 27 px."""
    (path,) = list(shared_data.glob("vanderbilt*/gaze/*"))[:1]
    recording = read(path, screen=Screen(width_px=1920, height_px=1080))
    figures = assess(recording, line_height_px=27.0).recording
    left, right = (recording.samples[eye].xy_px for eye in ("left", "right"))
    apart = np.nanmedian(np.abs((right - left)[:, 1]))
    print(f"{path.name}: {apart:.1f} px, {figures['disparity_lines']:.2f} lines")
    assert figures["disparity_lines"] == pytest.approx(apart / 27, abs=1e-6)
