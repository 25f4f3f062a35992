"""Precision: worked numbers, brute force, lost samples, and ETDQualitizer where it is installed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import Recording, Samples
from gazecode.quality import assess, bcea, moving_precision, precision_within, rms_s2s, std
from gazecode.quality.windows import Windows

point = st.tuples(st.floats(-30, 30), st.floats(-30, 30))
gaze = st.lists(st.one_of(point, point, st.just((math.nan, math.nan))), max_size=40).map(
    lambda rows: np.array(rows).reshape(-1, 2).T
)


def brute_rms(x, y):
    squared = [
        (x[i + 1] - x[i]) ** 2 + (y[i + 1] - y[i]) ** 2
        for i in range(len(x) - 1)
        if not (math.isnan(x[i]) or math.isnan(x[i + 1]))
    ]
    return math.sqrt(sum(squared) / len(squared)) if squared else math.nan


def brute_std(x, y):
    def variance(values):
        kept = [v for v in values if not math.isnan(v)]
        middle = sum(kept) / len(kept)
        return sum((v - middle) ** 2 for v in kept) / len(kept)

    if all(math.isnan(v) for v in x):
        return math.nan
    return math.sqrt(variance(x) + variance(y))


def same(a, b, tolerance=1e-9):
    return (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, abs=tolerance, rel=tolerance)


@given(gaze)
def test_brute_force(columns):
    x, y = columns
    assert same(rms_s2s(x, y), brute_rms(x, y))
    # Two values apart by a rounding error only have a spread of its size.
    assert same(std(x, y), brute_std(x, y), 1e-7)


def test_a_pair_with_a_lost_sample_drops_out():
    # Joined across the loss the step would be 10 and the RMS 5.83.
    assert rms_s2s([0, 1, np.nan, 11, 12], [0, 0, np.nan, 0, 0]) == 1.0


def test_std_divides_by_n_and_bcea_by_n_minus_1():
    x, y = np.array([0.0, 2, 0, 2]), np.array([0.0, 0, 2, 2])
    assert std(x, y) == pytest.approx(math.sqrt(2))
    sd = math.sqrt(4 / 3)
    assert bcea(x, y, p=0.5) == pytest.approx(2 * math.log(2) * math.pi * sd * sd)


def test_bcea_holds_the_stated_share_of_normal_gaze():
    rng = np.random.default_rng(1)
    spread = np.array([[1.0, 0.6], [0.6, 2.0]])
    cloud = rng.multivariate_normal([3, 4], spread, 40000)
    centred = cloud - cloud.mean(axis=0)
    area = bcea(*cloud.T)
    k = math.log(1 / (1 - 0.68))
    assert area == pytest.approx(2 * k * math.pi * math.sqrt(np.linalg.det(spread)), rel=0.02)
    inside = (centred @ np.linalg.inv(np.cov(cloud.T)) * centred).sum(axis=1) < 2 * k
    print(f"share inside the 68 % ellipse: {inside.mean():.4f}")
    assert inside.mean() == pytest.approx(0.68, abs=0.01)


def test_lost_samples_do_not_bias():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 50000)) * [[0.3], [0.5]]
    lost = rng.random(50000) < 0.3
    for measure in (rms_s2s, std, bcea):
        whole, part = measure(x, y), measure(np.where(lost, np.nan, x), np.where(lost, np.nan, y))
        print(f"{measure.__name__}: all {whole:.5f}, 30 % lost {part:.5f}")
        # The sampling error of a spread of 35,000 values is 0.4 %, that of an area twice that.
        assert part == pytest.approx(whole, rel=0.02)


@pytest.mark.parametrize("measure", [rms_s2s, std, bcea])
@pytest.mark.parametrize("columns", [([], []), ([np.nan], [np.nan])])
def test_undefined_is_nan(measure, columns):
    assert math.isnan(measure(*columns))


def test_one_sample_has_no_step_and_no_area():
    assert math.isnan(rms_s2s([1], [1]))
    assert std([1], [1]) == 0
    assert math.isnan(bcea([1], [1]))


def test_gaze_on_a_line_has_no_area():
    assert bcea(np.arange(50.0), np.arange(50.0) * 3) == pytest.approx(0, abs=1e-5)


def test_one_lost_coordinate_is_a_lost_sample():
    assert rms_s2s([0, np.nan, 2, 3], [0, 0, 0, 0]) == 1.0


def test_unequal_columns_are_refused():
    with pytest.raises(DataError, match=r"x has shape \(2,\) and y has \(3,\); expected two equal"):
        rms_s2s([1, 2], [1, 2, 3])


@pytest.mark.parametrize("p", [0, 1, 68, math.nan])
def test_share_outside_its_range_is_refused(p):
    with pytest.raises(ParameterError, match=f"p = {p}; expected a share between 0 and 1"):
        bcea([1, 2], [1, 2], p=p)


@given(gaze, st.integers(3, 12), st.sampled_from([2.0, 1000 / 60, 1000 / 300]))
def test_moving_windows_by_brute_force(columns, n, step):
    x, y = columns
    t = np.arange(len(x)) * step
    n = max(n, 4)
    rms, spread = moving_precision(t, x, y, window_ms=n * step)
    for i in range(len(x)):
        wx, wy = x[i : i + n], y[i : i + n]
        valid = np.isfinite(wx).sum()
        if len(wx) < n or valid < 3 or valid < n / 2:
            assert math.isnan(spread[i])
            continue
        assert same(rms[i], brute_rms(wx, wy), 1e-6)
        assert same(spread[i], brute_std(wx, wy), 1e-6)


def test_moving_windows_go_by_time():
    t = np.array([0.0, 30, 60, 90, 500, 530, 560, 590])
    x = np.array([0.0, 1, 0, 1, 9, 9, 9, 9])
    rms, _ = moving_precision(t, x, np.zeros(8), window_ms=100)
    # By counting four samples the windows that begin before the pause would reach across it.
    assert rms[0] == 1
    assert rms[4] == 0
    assert np.nanmax(rms) == 1


def test_window_of_no_length_is_refused():
    with pytest.raises(ParameterError, match="window_ms is 0; expected more than 0"):
        moving_precision([0, 1], [0, 0], [0, 0], window_ms=0)


def test_equal_to_etdqualitizer():
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    rng = np.random.default_rng(3)
    for n, lost in ((50, 0.0), (1000, 0.3), (4000, 0.1)):
        x, y = np.cumsum(rng.normal(0, 0.02, (2, n)), axis=1)
        gone = rng.random(n) < lost
        x[gone] = y[gone] = np.nan
        assert rms_s2s(x, y) == pytest.approx(etdq.rms_s2s(x, y)[0], abs=1e-6)
        assert std(x, y) == pytest.approx(etdq.std(x, y)[0], abs=1e-6)
        assert bcea(x, y) == pytest.approx(etdq.bcea(x, y)[0], abs=1e-6)
        assert bcea(x, y, p=0.95) == pytest.approx(etdq.bcea(x, y, 0.95)[0], abs=1e-6)


@pytest.mark.filterwarnings(
    "ignore:invalid value", "ignore:Mean of empty", "ignore:Degrees of freedom"
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:All-NaN slice")
@pytest.mark.parametrize("lost", [0.0, 0.3])
@pytest.mark.parametrize(("hz", "n"), [(500, 50), (60, 6), (1000 / 3, 33)])
def test_moving_windows_equal_to_etdqualitizer(lost, hz, n):
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    rng = np.random.default_rng(4)
    x, y = np.cumsum(rng.normal(0, 0.02, (2, 1500)), axis=1)
    for start in rng.integers(0, 1500, int(lost * 1500 / 20)):
        x[start : start + 20] = y[start : start + 20] = np.nan
    windows = Windows(np.arange(1500) * 1000 / hz, window_ms=n * 1000 / hz)
    # Every window in which a figure exists, as it counts them.
    ours = windows.precision(x, y, min_share=0)
    for values, metric in ((ours.rms, "RMS-S2S"), (ours.std, "STD")):
        theirs = etdq.precision_using_moving_window(x, y, n, metric)
        print(f"{metric}: {np.nanmedian(values):.9f}, ETDQualitizer {theirs:.9f}")
        assert np.nanmedian(values) == pytest.approx(theirs, abs=1e-6)
    # Its BCEA fails in a window with fewer than two valid samples: one in three is lost here.
    x, y = np.cumsum(rng.normal(0, 0.02, (2, 1500)), axis=1)
    x[:: 3 if lost else 2000] = np.nan
    y[np.isnan(x)] = np.nan
    area = windows.precision(x, y, min_share=0, p=0.9).bcea
    theirs = etdq.precision_using_moving_window(x, y, n, "BCEA", P=0.9)
    assert np.nanmedian(area) == pytest.approx(theirs, abs=1e-6)


@given(gaze, st.integers(4, 9), st.sampled_from([0.3, 0.68, 0.95]))
def test_windows_of_area_by_brute_force(columns, n, p):
    x, y = columns
    found = Windows(np.arange(len(x)) * 4.0, window_ms=n * 4.0).precision(x, y, p=p)
    for i in range(len(x)):
        wx, wy = x[i : i + n], y[i : i + n]
        valid = np.isfinite(wx).sum()
        if len(wx) < n or valid < 3 or valid < n / 2:
            assert math.isnan(found.bcea[i])
            continue
        assert same(found.bcea[i], bcea(wx, wy, p=p), 2e-4)
        assert same(found.std[i], math.hypot(found.std_x[i], found.std_y[i]))


def test_thirty_percent_loss_does_not_bias_windows_or_fixations():
    rng = np.random.default_rng(5)
    n, size = 60_000, 100
    x, y = rng.normal(size=(2, n)) * [[0.3], [0.5]]
    lost = rng.random(n) < 0.3
    x_lost, y_lost = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    first = np.arange(0, n, size)
    whole, part = (
        precision_within(a, b, first, first + size) for a, b in ((x, y), (x_lost, y_lost))
    )
    closed = 2 * math.log(1 / 0.32) * math.pi * 0.3 * 0.5
    for name in ("bcea", "rms", "std"):
        full, thin = getattr(whole, name).mean(), getattr(part, name).mean()
        error = getattr(part, name).std() / math.sqrt(len(first))
        print(f"{name}: all {full:.5f}, 30 % lost {thin:.5f} +- {error:.5f}")
        assert abs(thin - full) < 3 * error
    assert part.bcea.mean() == pytest.approx(closed, rel=0.02)
    moving = Windows(np.arange(n) * 1.0).precision(x_lost, y_lost)
    assert np.nanmean(moving.bcea) == pytest.approx(closed, rel=0.02)


@given(gaze, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=6))
def test_fixations_by_brute_force(columns, stretches):
    x, y = columns
    first = np.array([min(a, len(x)) for a, _ in stretches], dtype=int)
    last = np.array([min(a + k, len(x)) for a, k in stretches], dtype=int)
    found = precision_within(x, y, first, last)
    assert len(found) == len(stretches)
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        wx, wy = x[a:b], y[a:b]
        if np.isfinite(wx).sum() < 3:
            assert math.isnan(found.std[i])
            continue
        assert same(found.rms[i], rms_s2s(wx, wy))
        assert same(found.std[i], std(wx, wy), 1e-7)
        assert same(found.bcea[i], bcea(wx, wy), 1e-5)


def test_ratio_of_white_noise_is_root_two():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 50_000))
    first = np.arange(0, 50_000, 500)
    found = precision_within(x, y, first, first + 500)
    assert np.median(found.rms / found.std) == pytest.approx(math.sqrt(2), rel=0.01)


def test_loss_and_rate_equal_to_etdqualitizer():
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    rng = np.random.default_rng(7)
    n = 4001
    t = np.arange(n) * 4.0
    xy = rng.normal(500, 3, (n, 2))
    xy[rng.random(n) < 0.3] = np.nan
    theirs = etdq.DataQuality(xy[:, 0], xy[:, 1], t / 1000, "degrees")
    rec = Recording(samples={"left": Samples(t_ms=t, xy_px=xy, eye="left")})
    ours = assess(rec).recording
    assert 100 * ours["loss_invalid"] == pytest.approx(theirs.data_loss_from_invalid(), abs=1e-4)
    assert 100 * ours["loss_from_expected"] == pytest.approx(
        theirs.data_loss_from_expected(250), abs=1e-4
    )
    assert ours["effective_hz"] == pytest.approx(theirs.effective_frequency(), abs=1e-6)
    assert ours["n_absent"] == 0
