"""Pooling over a person's recordings, and the methods paragraph."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Recording, Samples, Screen, Trial, Validation
from gazecode.pipeline import assess
from gazecode.quality import Gates, assess_participants, methods_paragraph

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)


def recording(n=1000, lost=0, *, noise=2.0, participant="", validated=None, trials=(), **said):
    rng = np.random.default_rng(n + lost)
    xy = 500 + np.repeat(np.arange(n // 100) * 60.0, 100)[:, None] + rng.normal(0, noise, (n, 2))
    xy[n - lost :] = np.nan
    checks = []
    if validated is not None:
        checks = [
            Validation(
                t_ms=-1,
                eye="left",
                target_xy_px=[[1, 1]] * 5,
                offset_xy_px=[[10, 10]] * 5,
                offset_deg=[validated] * 5,
            )
        ]
    return Recording(
        samples={"left": Samples(t_ms=np.arange(n) * 4.0, xy_px=xy, eye="left")},
        screen=SCREEN,
        validations=checks,
        trials=trials,
        provenance={"participant": participant, "format": "made up", **said},
    )


@given(st.lists(st.tuples(st.integers(5, 20), st.floats(0, 0.9)), min_size=1, max_size=4))
def test_loss_of_a_person_is_that_of_all_samples(parts):
    sizes = [(100 * n, int(100 * n * lost)) for n, lost in parts]
    reports = [assess(recording(n, lost, participant="P1")) for n, lost in sizes]
    (found,) = assess_participants(reports)
    n, lost = (sum(column) for column in zip(*sizes, strict=True))
    assert found.figures["loss"] == pytest.approx(lost / n, abs=1e-6)
    assert (found.figures["n_samples"], found.n_recordings) == (n, len(parts))
    assert found.usable == (not found.reasons)
    json.dumps(found.to_dict(), allow_nan=False)


def test_medians_weigh_by_samples_and_accuracy_by_targets():
    few, many = recording(500, noise=1.0, validated=0.2), recording(3500, noise=5.0, validated=0.6)
    reports = [assess(few), assess(many)]
    (found,) = assess_participants(reports, ["P1", "P1"])
    a, b = (report.recording["std_deg"] for report in reports)
    assert found.figures["std_deg"] == pytest.approx((500 * a + 3500 * b) / 4000, abs=1e-6)
    assert found.figures["accuracy_deg"] == pytest.approx(0.4)
    assert found.figures["accuracy_targets"] == 10


def test_people_stand_by_name_and_recordings_without_one_apart():
    reports = [assess(recording(participant=p)) for p in ("P2", "", "P1", "P2")]
    found = assess_participants(reports)
    assert [(p.participant, p.n_recordings) for p in found] == [
        ("P1", 1),
        ("P2", 2),
        ("recording 2", 1),
    ]


def test_a_person_fails_by_the_pooled_figures():
    reports = [assess(recording(1000, 900)), assess(recording(1000, 0))]
    (found,) = assess_participants(reports, ["P1", "P1"])
    assert found.reasons == ["loss is 45 % (allowed: at most 40 %)"]
    assert (found.n_usable, found.usable) == (1, False)
    (none,) = assess_participants(reports[:1], ["P1"])
    assert none.reasons[0] == "none of 1 recordings is usable"


ITEMS = (
    "Gaze was recorded with",
    "export format:",
    "nominal",
    "measured",
    "filter of the tracker:",
    "Eyes recorded:",
    "resolution",
    "viewing distance:",
    "head restraint:",
    "illumination:",
    "Calibrations per recording:",
    "accuracy",
    "RMS-S2S",
    "STD",
    "BCEA",
    "before exclusion",
    "excluded",
    "Events:",
    "Software: gazecode",
)


def test_every_item_is_in_the_paragraph_known_or_not():
    bare = Recording(samples={"left": Samples(t_ms=[0.0, 4, 8], xy_px=[[1, 1]] * 3, eye="left")})
    text = methods_paragraph([assess(bare)])
    print(text)
    assert all(item in text for item in ITEMS)
    assert text.count("not recorded") >= 9
    assert "\n" not in text
    assert "accuracy is therefore unknown" in text


def test_what_is_known_is_said():
    trials = [
        Trial(name="a", onset_ms=0, offset_ms=2000, stimulus="A"),
        Trial(name="b", onset_ms=2000, offset_ms=4000, stimulus="B"),
    ]
    good = recording(
        1000,
        450,
        participant="P1",
        validated=0.4,
        trials=trials,
        tracker="Tracker 3000",
        vendor_rate_hz=250.0,
        calibrations=[{}],
        filter="none",
    )
    bad = recording(1000, 990, participant="P2", validated=0.6)
    reports = [assess(good), assess(bad)]
    text = methods_paragraph(reports)
    print(text)
    assert text == methods_paragraph(reports)
    for said in (
        "recorded with Tracker 3000 (export format: made up)",
        "nominal 250 Hz (some not recorded), measured 250 Hz",
        "1920 × 1080 px; size 509 × 286 mm; viewing distance: 650 mm",
        "Calibrations per recording: 1 (some not recorded)",
        "stated by the device; 2 of 2 recordings, targets per recording: 5",
        "M = 0.5 deg (SD = 0.14, range 0.4 to 0.6); worst target 0.6 deg",
        "72 % before exclusion, 0 % after",
        "2 recordings of 2 participants with 2 trials; excluded: 1 recording and 1 trial",
        "max_loss 0.4: 2",
        "Events: ivt (velocity_window_ms 20, max_speed_deg_s 30",
    ):
        assert said in text, said


def test_nothing_assessed_and_another_detector():
    assert methods_paragraph([]) == "No recording was assessed."
    text = methods_paragraph([assess(recording())], detector="idt (max_dispersion_deg 1)")
    assert "Events: idt (max_dispersion_deg 1)." in text


def test_the_alias_of_the_rms_gate():
    report = assess(recording(noise=20.0), gates=Gates(max_rms_deg=0.1, max_std_deg=None))
    assert report.reasons[0].startswith("RMS of steps within 100 ms is")
    area = assess(recording(noise=20.0), gates=Gates(max_bcea_deg2=0.1, max_std_deg=None))
    assert area.reasons[0].startswith("BCEA within 100 ms is")
