"""Accuracy: ETDQualitizer, closed forms, laws of the median, and what a check says of a trial."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import Recording, Samples, Screen, Trial, Validation
from gazecode.quality import Gates, Target, accuracy, assess, measured_on
from gazecode.quality.checks import applying, checks_of
from gazecode.quality.drift import slope
from gazecode.units import angle_deg, deg_to_px, px_to_deg, seen_angle_deg

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
PLACES = [(200, 150), (960, 150), (1700, 150), (200, 900), (960, 540), (1700, 900)]


def gaze_around(target_deg, offset_deg, *, n=300, noise=0.3, seed=0, lost=0.0):
    rng = np.random.default_rng(seed)
    azimuth, elevation = (np.asarray(target_deg) + offset_deg + rng.normal(0, noise, (n, 2))).T
    gone = rng.random(n) < lost
    azimuth[gone] = elevation[gone] = np.nan
    return azimuth, elevation


@given(
    st.tuples(st.floats(-20, 20), st.floats(-12, 12)),
    st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
    st.integers(0, 50),
)
def test_equal_to_etdqualitizer(target, offset, seed):
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    x, y = gaze_around(target, offset, n=60, seed=seed, lost=0.3)
    assert accuracy(x, y, target_deg=target) == pytest.approx(
        etdq.accuracy(x, y, *target), abs=1e-6
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_median_is_that_of_etdqualitizer_and_its_sum_of_angles_is_no_larger(seed):
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    target = (12.0, -7.0)
    x, y = gaze_around(target, (0.4, -0.2), seed=seed, lost=0.2)
    x[:40] += 3
    ours = accuracy(x, y, target_deg=target, centre="median")
    theirs = etdq.accuracy(x, y, *target, np.nanmedian)
    # Its search ends when the sum of angles falls by less than 1e-12: a few 1e-6 deg of place.
    assert ours == pytest.approx(theirs, abs=5e-6)
    assert ours != pytest.approx(accuracy(x, y, target_deg=target), abs=0.01)


def test_closed_forms():
    # One direction 3 deg to the side of straight ahead, and one right above a target to the side.
    assert accuracy([3.0], [0.0], target_deg=(0, 0)) == pytest.approx((3, 3, 0), abs=1e-12)
    assert accuracy([10.0], [2.5], target_deg=(10, 1)) == pytest.approx((1.5, 0, 1.5), abs=1e-12)
    # Gaze all around a target has no offset.
    assert accuracy([-1, 1, 0, 0], [0, 0, -1, 1], target_deg=(0, 0))[0] == pytest.approx(0)
    # The median of a majority is the majority.
    assert accuracy([1, 1, 1, 9], [0, 0, 0, 0], target_deg=(0, 0), centre="median")[0] == (
        pytest.approx(1)
    )


def test_without_gaze_accuracy_is_not_known():
    assert all(math.isnan(v) for v in accuracy([np.nan], [1.0], target_deg=(0, 0)))


def test_another_centre_is_refused():
    with pytest.raises(
        ParameterError, match="no 'mode' in centres of gaze; choose from: mean, med"
    ):
        accuracy([1], [1], target_deg=(0, 0), centre="mode")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"offset_ms": 0}, "expected an end later than the start"),
        ({"x_px": math.nan}, "expected four numbers"),
    ],
)
def test_a_target_says_what_is_wrong(values, message):
    with pytest.raises(DataError, match=message):
        Target(**{"x_px": 1, "y_px": 1, "onset_ms": 0, "offset_ms": 1, **values})


@given(st.tuples(st.floats(-15, 15), st.floats(-12, 12)))
def test_px_and_degrees_are_each_others_way_back(deg):
    for screen in (SCREEN, Screen(width_px=800, height_px=600), None):
        assert px_to_deg(deg_to_px([deg], screen), screen) == pytest.approx(
            np.array([deg]), abs=1e-9
        )


def session(
    offsets_px, *, noise=4.0, gap_ms=60_000, eyes=("left",), screen=SCREEN, seed=0, **kwargs
):
    """Six targets of a second each, per check; offsets in px, one per check."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, len(offsets_px) * gap_ms + 20_000, 10.0)
    xy = rng.uniform(300, 800, (len(t), 2))
    targets = []
    for k, offset in enumerate(offsets_px):
        for i, place in enumerate(PLACES):
            onset = k * gap_ms + i * 1000
            targets.append(
                Target(x_px=place[0], y_px=place[1], onset_ms=onset, offset_ms=onset + 900)
            )
            rows = (t >= onset) & (t < onset + 900)
            xy[rows] = np.asarray(place) + offset + rng.normal(0, noise, (rows.sum(), 2))
    samples = {
        eye: Samples(t_ms=t, xy_px=xy + np.array([0, 6.0 * (eye == "right")]), eye=eye)
        for eye in eyes
    }
    return Recording(samples=samples, screen=screen, **kwargs), targets


def test_measured_on_targets_is_what_etdqualitizer_gives_per_target():
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    rec, targets = session([(20.0, -12.0)])
    check = measured_on(rec, targets)[0]
    rows = assess(rec, targets=targets).recording["validations"][0]["targets"]
    for i, target in enumerate(targets):
        deg = px_to_deg(
            rec.samples["left"].between(target.onset_ms, target.offset_ms).xy_px, SCREEN
        )
        place = px_to_deg([[target.x_px, target.y_px]], SCREEN)[0]
        theirs = etdq.accuracy(deg[:, 0], deg[:, 1], *place)
        assert check.offset_deg[i] == pytest.approx(theirs[0], abs=1e-6)
        found = [rows[i][name] for name in ("offset_deg", "azimuth_deg", "elevation_deg")]
        assert found == pytest.approx(theirs, abs=1.1e-6)
    assert check.offset_xy_px == pytest.approx(np.tile((20.0, -12.0), (6, 1)), abs=1)


def test_without_geometry_accuracy_is_in_px_alone():
    rec, targets = session([(20.0, -12.0)], screen=Screen(width_px=1920, height_px=1080))
    figures = assess(rec, targets=targets).recording
    assert figures["accuracy"] == "measured on targets"
    assert figures["accuracy_deg"] is None
    assert figures["accuracy_px"] == pytest.approx(math.hypot(20, 12), abs=0.5)


def test_targets_need_px_of_the_screen():
    rec, targets = session([(0.0, 0.0)], plane="screen_fraction")
    with pytest.raises(ParameterError, match=r"targets are px of the screen.*screen_fraction"):
        assess(rec, targets=targets)


def test_two_eyes_are_measured_and_their_joined_gaze_speaks():
    rec, targets = session([(0.0, 9.0)], eyes=("left", "right"))
    report = assess(rec, targets=targets)
    by_eye = {row["eye"]: row["mean_px"] for row in report.recording["validations"]}
    assert by_eye == pytest.approx({"left": 9, "right": 15, "mean": 12}, abs=0.5)
    assert report.recording["accuracy_px"] == by_eye["mean"]


def test_a_target_without_gaze_is_not_known_and_does_not_count():
    rec, targets = session([(20.0, 0.0)])
    late = Target(x_px=10, y_px=10, onset_ms=5_951, offset_ms=5_959)
    report = assess(rec, targets=[*targets, late])
    rows = report.recording["validations"][0]["targets"]
    assert (len(rows), rows[-1]["offset_deg"]) == (7, None)
    assert report.recording["accuracy_px"] == pytest.approx(20, abs=0.5)


def device(t_ms, mean_deg, eye="left", offset=(10.0, 0.0)):
    return Validation(
        t_ms=t_ms,
        eye=eye,
        target_xy_px=[[960, 540]],
        offset_xy_px=[offset],
        offset_deg=[mean_deg],
        mean_deg=mean_deg,
        max_deg=2 * mean_deg,
        verdict="GOOD",
    )


def test_the_last_check_before_a_trial_speaks_for_it():
    rec, _ = session([(0.0, 0.0)] * 3)
    trials = [
        Trial(name=str(i), onset_ms=i * 60_000, offset_ms=i * 60_000 + 10_000) for i in range(3)
    ]
    said = [device(-500, 0.3), device(59_000, 0.5), device(61_000, 0.9)]
    rec = Recording(samples=rec.samples, screen=SCREEN, trials=trials, validations=said)
    report = assess(rec)
    assert [t.figures["accuracy_deg"] for t in report.trials] == [0.3, 0.5, 0.9]
    assert report.recording["accuracy_deg"] == pytest.approx((0.3 + 0.5 + 0.9) / 3, abs=1e-6)
    assert report.recording["accuracy_max_deg"] == 1.8
    assert report.recording["accuracy"] == "stated by the device"
    assert not report.warnings


def test_a_check_after_the_gaze_is_taken_and_said():
    rec, _ = session([(0.0, 0.0)])
    rec = Recording(samples=rec.samples, screen=SCREEN, validations=[device(90_000, 0.4)])
    report = assess(rec)
    assert report.recording["accuracy_deg"] == 0.4
    assert "after the gaze it speaks for" in report.warnings[0]


def test_what_the_device_says_and_what_was_measured_stay_apart():
    rec, targets = session(
        [(20.0, 0.0)], validations=[device(-5, 0.31), device(-5, 0.33, eye="right")]
    )
    figures = assess(rec, targets=targets).recording
    assert figures["accuracy_device_deg"] == pytest.approx(0.32)
    assert figures["accuracy_measured_deg"] == pytest.approx(20 / 42.8, abs=0.05)
    assert figures["accuracy_deg"] == figures["accuracy_measured_deg"]
    assert [row["source"] for row in figures["validations"]] == ["device", "device", "study"]


def test_both_eyes_of_one_check_are_one_check():
    checks = checks_of([device(0, 0.2), device(3, 0.4, eye="right"), device(9, 0.8)], SCREEN)
    assert [len(check.validations) for check in checks] == [2, 1]
    assert applying(checks, 5, source="device").mean_deg == pytest.approx(0.3)
    assert applying(checks, 9, source="device").mean_deg == pytest.approx(0.8)
    assert applying(checks, 9, source="study") is None


def test_a_validation_that_says_nothing_leaves_accuracy_unknown():
    nothing = Validation(
        t_ms=0, eye="left", target_xy_px=[[1, 1]], offset_xy_px=[[np.nan] * 2], offset_deg=[np.nan]
    )
    rec, _ = session([(0.0, 0.0)], validations=[nothing])
    report = assess(rec)
    assert report.recording["accuracy"] == "unknown"
    assert "accuracy is unknown" in report.warnings[0]
    json.dumps(report.to_dict(), allow_nan=False)


def test_drift_over_three_checks_has_a_slope_and_its_error():
    # 0.5 px per s to the right: 30 px/min.
    offsets = [(10 + 30.0 * k, 5.0) for k in range(4)]
    rec, targets = session(offsets)
    figures = assess(rec, targets=targets).recording
    print({k: v for k, v in figures.items() if k.startswith("drift")})
    assert figures["drift_checks"] == 4
    assert figures["drift_source"] == "study"
    assert figures["drift_px_min"] == pytest.approx(30, abs=4 * figures["drift_se_px_min"] + 0.3)
    assert figures["drift_x_px_min"] == pytest.approx(30, abs=0.5)
    assert figures["drift_y_px_min"] == pytest.approx(0, abs=0.5)
    assert 0 < figures["drift_se_px_min"] < 0.5
    assert figures["drift_deg_min"] == pytest.approx(30 / 42.8, rel=0.12)
    assert figures["drift_change_px"] == pytest.approx(90, abs=1)


def test_two_checks_give_a_change_and_no_slope():
    rec, targets = session([(0.0, 0.0), (0.0, 12.0)])
    figures = assess(rec, targets=targets).recording
    assert figures["drift_checks"] == 2
    assert figures["drift_change_px"] == pytest.approx(12, abs=1)
    assert figures["drift_px_min"] is None
    assert figures["drift_minutes"] == pytest.approx(1)


def test_one_check_gives_no_drift():
    rec, targets = session([(3.0, 0.0)])
    figures = assess(rec, targets=targets).recording
    assert (figures["drift_checks"], figures["drift_change_px"]) == (0, None)


def test_attempts_of_a_calibration_are_no_drift():
    said = [device(-9000 * k, 5.0 / k, offset=(200.0 / k, 0.0)) for k in (3, 2, 1)]
    rec, _ = session([(0.0, 0.0)] * 2, validations=[*said, device(70_000, 0.5, offset=(14.0, 0.0))])
    figures = assess(rec).recording
    # The last attempt before gaze began is 200 px off.
    assert figures["drift_checks"] == 2
    assert figures["drift_change_px"] == pytest.approx(186)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=20), st.floats(-3, 3))
def test_slope_is_that_of_least_squares(noise, rise):
    t = np.arange(len(noise)) * 0.7
    y = rise * t + np.array(noise)
    found, error = slope(t, y)
    (wanted, _), covariance = (
        np.polyfit(t, y, 1, cov=True) if len(t) > 3 else (np.polyfit(t, y, 1), None)
    )
    assert found == pytest.approx(wanted, abs=1e-6)
    if covariance is not None:
        assert error == pytest.approx(math.sqrt(covariance[0, 0]), abs=1e-6)


def test_an_accuracy_gate_is_judged_and_warns_where_it_cannot_be():
    rec, targets = session([(40.0, 0.0)])
    strict = Gates(max_accuracy_deg=0.5)
    bad = assess(rec, targets=targets, gates=strict)
    assert any("offset at the targets is" in reason for reason in bad.reasons)
    unknown = assess(rec, gates=strict)
    assert not any("offset at" in reason for reason in unknown.reasons)
    assert "max_accuracy_deg is set and could not be judged: its figure is unknown" in (
        unknown.warnings
    )


point = st.tuples(st.floats(-200, 2200), st.floats(-200, 1300))


@given(st.lists(st.tuples(point, point), min_size=1, max_size=10))
def test_the_angle_on_a_screen_is_the_great_circle(pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    wanted = angle_deg(px_to_deg(a, SCREEN), px_to_deg(b, SCREEN))
    assert seen_angle_deg(a, b, SCREEN) == pytest.approx(wanted, abs=1e-6)
