from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Events, Samples, Screen
from gazecode.report import SaccadeView, loss_timeline, main_sequence, plots, step_histogram


def samples(t, lost=None):
    xy = np.ones((len(t), 2))
    if lost is not None:
        xy[lost] = np.nan
    return Samples(t_ms=t, xy_px=xy)


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=200))
def test_every_step_is_counted(steps):
    t = np.cumsum([0.0, *steps])
    h = step_histogram(samples(t))
    assert h.counts.sum() + h.below + h.above == len(steps)


def test_loss_is_where_it_was():
    lost = np.zeros(1000, bool)
    lost[250:500] = True
    share = loss_timeline(samples(np.arange(1000.0), lost), parts=4)
    assert share.tolist() == pytest.approx([0, 1, 0, 0], abs=0.01)


def test_gap_has_no_share():
    share = loss_timeline(samples([0.0, 1.0, 9.0, 10.0]), parts=5)
    assert np.isnan(share[1:4]).all()
    assert share[[0, 4]].tolist() == [0, 0]


@pytest.mark.parametrize("n", [0, 1])
def test_loss_of_next_to_nothing(n):
    assert len(loss_timeline(samples(np.arange(float(n))), parts=3)) == 3


def saccade_events(xy, end):
    n = len(xy)
    onset = np.arange(n) * 100.0
    return Events(
        kind=["saccade"] * n, onset_ms=onset, offset_ms=onset + 40, xy_px=xy, end_xy_px=end
    )


def test_amplitude_is_an_angle():
    screen = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
    view = main_sequence(saccade_events([[960, 540]], [[1920, 540]]), screen)
    assert view.amplitude_deg == pytest.approx([21.382], abs=0.001)
    assert view.assumed_px_per_deg is None


def test_saccade_without_an_end_is_left_out():
    events = saccade_events([[0, 0], [0, 0]], [[40, 0], [np.nan, np.nan]])
    view = main_sequence(events, None)
    assert view.amplitude_deg.tolist() == [1.0]
    assert view.duration_ms.tolist() == [40.0]
    assert view.assumed_px_per_deg == 40.0


def test_no_saccade_no_chart():
    view = main_sequence(Events.empty(), None)
    assert plots.saccade_chart(view) is None


def test_chart_of_saccades_says_what_it_leaves_out(make):
    view = make.saccades(4000)
    amplitude = view.amplitude_deg.copy()
    amplitude[:3] = [0.0, np.nan, -1.0]
    chart = plots.saccade_chart(replace(view, amplitude_deg=amplitude, assumed_px_per_deg=40.0))
    notes = " ".join(chart.notes)
    assert "3 saccades without a positive size left out." in notes
    assert "40 px per degree assumed" in notes
    assert "One saccade in 3 is drawn." in notes
    dots = chart.rows[0].bars
    assert len(dots) == -(-3997 // 3)
    assert all(0 <= float(d.x) <= 100 and 0 <= float(d.y) <= 100 for d in dots)


def test_velocity_is_drawn_where_known(make):
    view = make.saccades(50)
    chart = plots.saccade_chart(replace(view, peak_velocity_deg_s=30 * view.amplitude_deg))
    assert chart.y.label == "peak velocity (deg/s)"
    assert chart.guide == ""


def test_one_saccade_can_be_drawn():
    chart = plots.saccade_chart(SaccadeView(amplitude_deg=[5.0], duration_ms=[32.0]))
    assert [float(chart.rows[0].bars[0].x), float(chart.rows[0].bars[0].y)] == pytest.approx(
        [50, 50]
    )


def test_bars_of_the_account_add_up(make):
    row = plots.accounting([make.recording("P01", 1)]).rows[0]
    assert [b.kind for b in row.bars] == ["token", "between", "off", "lost", "unmapped"]
    assert sum(float(b.width) for b in row.bars) == pytest.approx(100, abs=0.05)
    assert row.bars[1].title == "52 (12.1 %)"


def test_loss_bars_cover_the_recording(make):
    short = make.recording("P01", 1)
    long = replace(make.recording("P02", 2), duration_ms=2 * short.duration_ms)
    chart = plots.loss_chart([short, long])
    widths = [sum(float(b.width) for b in row.bars) for row in chart.rows]
    assert widths == pytest.approx([50, 100], abs=0.3)
    assert chart.x.label == "time in the recording (s)"


def test_loss_of_hours_is_in_minutes(make):
    chart = plots.loss_chart([make.recording("P01", 1, duration_ms=3_600_000.0)])
    assert chart.x.label == "time in the recording (min)"
    assert chart.x.ticks[-1] == ("100", "60")


def test_steps_share_an_axis(make):
    slow = step_histogram(samples(np.arange(100) * 33.3))
    chart = plots.step_chart([make.recording("P01", 1), make.recording("P02", 1, steps_ms=slow)])
    assert [t for _, t in chart.x.ticks] == ["5", "10", "20", "50"]
    left = [min(float(b.x) for b in row.bars) for row in chart.rows]
    assert left[0] < left[1]
    assert all(0 <= float(b.x) <= 100 for row in chart.rows for b in row.bars)


def test_steps_beyond_the_axis_are_said(make):
    steps = step_histogram(samples([0.0, 0.1, 10.0, 20.0, 900.0]))
    chart = plots.step_chart([make.recording("P01", 1, steps_ms=steps)])
    assert chart.rows[0].detail == "120.4 Hz, 1 under 0.4 ms, 1 over 400 ms"


def test_charts_of_nothing():
    assert plots.loss_chart([]) is None
    assert plots.step_chart([]) is None
    assert plots.accounting([]).rows == []


def test_order_keeps_the_lost(trial):
    height = np.where(trial.hits.status == "lost", np.nan, 0.5)
    chart = plots.order_chart(trial, height)
    assert {s: p.count("M") for s, p in chart.strokes.items()} == {
        "token": 55,
        "between": 2,
        "off": 2,
        "lost": 1,
    }
    assert " 97h" in chart.strokes["lost"]
    assert " 50h" in chart.strokes["token"]
    last = chart.strokes["token"].rsplit("M", 1)[1]
    start, _, rest = last.partition(" ")
    assert float(start) + float(rest.split("h")[1]) == pytest.approx(1000, abs=0.2)
