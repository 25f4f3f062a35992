"""Trials with known lines, drift put into them, and the table of methods."""

import numpy as np
import pytest

from gazecode.errors import FormatError, ParameterError
from gazecode.evaluation.code_lines import (
    EMIP_SCREEN,
    busjahn2013,
    busjahn2014,
    emip_corrected,
    emip_others,
    hansen2012,
)
from gazecode.evaluation.drifted import DRIFTS, drifted
from gazecode.evaluation.line_table import calibration, line_table
from gazecode.evaluation.line_trials import LineTrial
from gazecode.model import Events, Layout


def made(n=400, name="made", seed=0):
    """Fixations all over ten lines of the same length, exactly on their centres."""
    rng = np.random.default_rng(seed)
    top = 100.0 + 40 * np.arange(10)
    line = np.tile(np.arange(10), n // 10)
    onset = 300.0 * np.arange(n)
    return LineTrial(
        name=name,
        set="made",
        fixations=Events(
            kind=["fixation"] * n,
            onset_ms=onset,
            offset_ms=onset + 200,
            xy_px=np.stack([rng.uniform(200, 900, n), top[line] + 10], axis=1),
        ),
        layout=Layout(
            boxes=np.stack([np.full(10, 200.0), top, np.full(10, 900.0), top + 20], axis=1),
            token=np.arange(10),
            line=np.arange(10),
            n_tokens=10,
            line_height_px=40,
        ),
        gold_line=line,
        kept=np.arange(n) % 20 != 0,
    )


@pytest.mark.parametrize("kind", DRIFTS[1:])
def test_drift_has_the_size_it_says(kind):
    trial = made()
    squares = []
    for seed in range(60):
        off = drifted(trial, kind, size_deg=0.5, noise_deg=0.0, seed=seed, screen=EMIP_SCREEN)
        squares.append(np.mean((off.fixations.xy_px - trial.fixations.xy_px)[:, 1] ** 2))
    size = np.sqrt(np.mean(squares)) / EMIP_SCREEN.px_per_deg
    assert size == pytest.approx(0.5, rel=0.15)


def test_noise_has_the_size_it_says_and_seeds_decide():
    trial = made()
    one, same, other = (
        drifted(trial, "none", size_deg=9, noise_deg=0.3, seed=seed, screen=EMIP_SCREEN)
        for seed in (1, 1, 2)
    )
    apart = (one.fixations.xy_px - trial.fixations.xy_px) / EMIP_SCREEN.px_per_deg
    assert apart.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.1)
    assert np.array_equal(one.fixations.xy_px, same.fixations.xy_px)
    assert not np.array_equal(one.fixations.xy_px, other.fixations.xy_px)
    assert np.array_equal(one.gold_line, trial.gold_line)


def test_drift_without_degrees_or_name_is_refused():
    with pytest.raises(ParameterError, match="drift"):
        drifted(made(), "tilt", size_deg=1, noise_deg=0, seed=0, screen=EMIP_SCREEN)


def test_a_row_says_how_much_it_rests_on():
    trials = [made(name="a"), made(name="b", seed=1)]
    row, soft = line_table(trials, ["attach", "register"])
    assert row["trials"] == row["readers"] == 2
    assert row["fixations"] + row["left_out"] == 800
    assert row["left_out"] == 40
    assert row["accuracy"] == row["low"] == row["high"] == 1.0
    assert np.isnan(row["calibration"])
    assert soft["accuracy"] == 1.0
    assert soft["calibration"] < 0.1


def test_the_least_sure_tenth_is_left_out():
    off = drifted(made(), "none", size_deg=0, noise_deg=0.25, seed=1, screen=EMIP_SCREEN)
    (row,) = line_table([off], {"register: narrow": {"noise_lines": 0.4}})
    assert row["method"] == "register: narrow"
    assert row["accuracy_sure"] > row["accuracy"]
    tenths = calibration([off], "register", noise_lines=0.4)
    assert sum(row["fixations"] for row in tenths) == row["fixations"]


def test_a_method_that_cannot_is_counted():
    empty = made()
    nothing = Layout(boxes=np.empty((0, 4)), token=[], line=[], n_tokens=1, line_height_px=40)
    broken = LineTrial(
        name="broken",
        set="made",
        fixations=empty.fixations,
        layout=nothing,
        gold_line=empty.gold_line,
        kept=empty.kept,
    )
    (row,) = line_table([empty, broken], ["attach"])
    assert row["failed"] == 1
    assert row["accuracy"] == 0.5


def test_a_folder_without_data_is_named(tmp_path):
    with pytest.raises(FormatError, match="busjahn2013-eyecode"):
        next(busjahn2013(tmp_path))


@pytest.mark.real
@pytest.mark.parametrize(
    ("load", "trials", "scored", "nearest"),
    [
        (busjahn2013, 3, 631, 0.884),
        (busjahn2014, 4, 683, 0.972),
        (emip_corrected, 28, 5678, 0.977),
        (emip_others, 46, 11222, 0.993),
        (hansen2012, 29, 2408, 0.410),
    ],
)
def test_sets_are_read_whole(shared_data, load, trials, scored, nearest):
    held = list(load(shared_data))
    assert len(held) == trials
    rows = line_table(held, ["attach"])
    assert sum(row["fixations"] for row in rows) == scored
    right = sum(row["accuracy"] * row["fixations"] for row in rows)
    assert right / scored == pytest.approx(nearest, abs=0.001)


@pytest.mark.real
def test_code_is_assigned_better_than_by_the_nearest_line(shared_data):
    java = line_table(busjahn2013(shared_data), ["attach", "jumps", "register"])
    accuracy = {row["method"]: row for row in java}
    for ours in ("jumps", "register"):
        assert accuracy[ours]["accuracy"] > accuracy["attach"]["accuracy"] + 0.02
        assert accuracy[ours]["accuracy_sure"] > 0.94


@pytest.mark.real
@pytest.mark.parametrize("kind", DRIFTS[1:])
def test_drift_put_into_code_is_undone(shared_data, kind):
    held = list(emip_corrected(shared_data))[::5]
    off = [
        drifted(one, kind, size_deg=0.5, noise_deg=0.15, seed=21, screen=EMIP_SCREEN)
        for one in held
    ]
    nearest, jumps = line_table(off, ["attach", "jumps"])
    assert jumps["accuracy"] > nearest["accuracy"] + 0.15
    assert jumps["accuracy_sure"] > jumps["accuracy"]
