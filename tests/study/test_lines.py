"""`[lines]` of a study: fixations are put on lines before they are mapped, and say so."""

import numpy as np
import pandas as pd
import pytest

from gazecode.errors import StudyError
from gazecode.study import run_study


def add(study, lines):
    study.write_text(f"{study.read_text(encoding='utf-8')}\n{lines}\n", encoding="utf-8")


def test_fixations_stand_on_lines_and_keep_what_was_recorded(study, tmp_path, demo_out):
    add(study, '[lines]\nmethod = "attach"\nmin_share = 0.5')
    run_study(study, tmp_path / "out")
    plain = pd.read_parquet(demo_out / "fixations.parquet")
    found = pd.read_parquet(tmp_path / "out" / "fixations.parquet")
    assert plain["line"].isna().all()
    assert plain["line_share"].isna().all()
    assert (plain["recorded_y_px"] == plain["y_px"]).all()
    assert found["recorded_y_px"].tolist() == plain["y_px"].tolist()
    assert found["recorded_x_px"].tolist() == plain["x_px"].tolist()
    on = found["line"] >= 0
    assert on.mean() > 0.9
    assert set(found.loc[on, "line_share"]) == {1.0}
    # One height a line, and fewer heights than fixations.
    heights = found[on].groupby(["stimulus", "line"])["y_px"].nunique()
    assert set(heights) == {1}
    assert np.abs(found.loc[on, "y_px"] - found.loc[on, "recorded_y_px"]).median() > 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('method = "nobody"', r"lines\.method \(line \d+\): no 'nobody' in line methods"),
        ('method = "attach"\nreach = 3', r"lines\.reach \(line \d+\): attach has no parameter"),
        ('method = "attach"\nmin_share = 2', r"lines\.min_share \(line \d+\)"),
        ("x_px = 3", r"lines\.x_px \(line \d+\): expected method"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_read(study, tmp_path, lines, message):
    add(study, f"[lines]\n{lines}")
    with pytest.raises(StudyError, match=message):
        run_study(study, tmp_path / "out")
