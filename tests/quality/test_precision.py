"""Precision: worked numbers, brute force, lost samples, and ETDQualitizer where it is installed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.quality import bcea, moving_precision, rms_s2s, std

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


def test_moving_windows_equal_to_etdqualitizer():
    etdq = pytest.importorskip("ETDQualitizer", reason="ETDQualitizer is not installed")
    rng = np.random.default_rng(4)
    x, y = np.cumsum(rng.normal(0, 0.02, (2, 3000)), axis=1)
    ours = moving_precision(np.arange(3000) * 2.0, x, y, window_ms=100)
    for values, metric in zip(ours, ("RMS-S2S", "STD"), strict=True):
        theirs = etdq.precision_using_moving_window(x, y, 50, metric)
        print(f"{metric}: {np.nanmedian(values):.9f}, ETDQualitizer {theirs:.9f}")
        assert np.nanmedian(values) == pytest.approx(theirs, abs=1e-6)
