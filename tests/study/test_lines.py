"""`[lines]` of a study: fixations are put on lines before they are mapped, and say so."""

import json

import numpy as np
import pandas as pd
import pytest

from gazecode.errors import StudyError
from gazecode.mapping import LINE_METHODS, assign_lines, map_to_tokens
from gazecode.model import Events, Layout
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


def test_a_drift_put_into_every_fixation_is_found_and_undone(study, tmp_path, demo_out):
    text = study.read_text(encoding="utf-8")
    added = text.replace("[[recordings]]\n", "[[recordings]]\noffset_px = [0, 15]\n")
    assert added != text
    study.write_text(added, encoding="utf-8")
    add(study, '[drift]\nmodel = "offset"')
    run_study(study, tmp_path / "out")
    plain = pd.read_parquet(demo_out / "fixations.parquet")
    found = pd.read_parquet(tmp_path / "out" / "fixations.parquet")
    assert found["recorded_y_px"].tolist() == plain["y_px"].tolist()
    left = (found["y_px"] - plain["y_px"]).groupby(found["participant"]).median()
    print(left.to_dict())
    assert (left.abs() < 6).mean() > 0.8
    quality = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert '"model": "offset"' in json.dumps(quality)


def test_targets_of_a_drift_must_be_there(study, tmp_path):
    add(study, '[drift]\nmodel = "targets"')
    with pytest.raises(StudyError, match=r"drift\.model \(line \d+\): .*add \[\[targets\]\]"):
        run_study(study, tmp_path / "out")


def test_fixations_far_from_the_text_are_on_no_line():
    layout = Layout(
        boxes=[[0, 0, 300, 20], [0, 30, 200, 50]],
        token=[0, 1],
        line=[0, 1],
        n_tokens=2,
        line_height_px=30,
    )
    y = [10.0, 45.0, 400.0, -200.0, 30.0]
    fixations = Events(
        kind=["fixation"] * 5,
        onset_ms=np.arange(5) * 300.0,
        offset_ms=np.arange(5) * 300.0 + 200,
        xy_px=np.stack([np.full(5, 100.0), y], axis=1),
    )
    for method in LINE_METHODS:
        found = assign_lines(fixations, layout, method)
        assert found.line[[2, 3]].tolist() == [-1, -1], method
        assert found.line_shares[[2, 3]].sum() == 0
        assert found.xy_px[2].tolist() == [100.0, 400.0]
    hits = map_to_tokens(assign_lines(fixations, layout, "jumps"), layout)
    assert hits.status[[2, 3]].tolist() == ["off", "off"]


def test_without_a_log_every_activity_is_unknown(study, tmp_path, demo_out):
    text = study.read_text(encoding="utf-8")
    assert 'scheme = "duration"' in text
    new = 'scheme = "duration"\nactivity = ["reading"]'
    study.write_text(text.replace('scheme = "duration"', new), encoding="utf-8")
    run_study(study, tmp_path / "out")
    tokens = pd.read_parquet(tmp_path / "out" / "tokens.parquet")
    hits = pd.read_parquet(tmp_path / "out" / "hits.parquet")
    assert tokens["n_fixations"].sum() == 0
    assert len(hits) == len(pd.read_parquet(demo_out / "hits.parquet"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("[lines]\nmin_share = 0.5", r"lines\.min_share \(line \d+\): expected method"),
        ('[drift]\nper = "trial"', r"drift\.per \(line \d+\): goes with a model"),
    ],
)
def test_settings_without_effect_are_refused(study, tmp_path, lines, message):
    add(study, lines)
    with pytest.raises(StudyError, match=message):
        run_study(study, tmp_path / "out")


def test_a_layout_that_fails_names_its_stimulus_and_line(study, tmp_path):
    text = study.read_text(encoding="utf-8")
    (study.parent / "broken.png").write_bytes(b"\x89PNG but not really")
    head, _, rest = text.partition("layout = {")
    new = 'layout = { kind = "image", image = "broken.png" }' + rest[rest.index("}") + 1 :]
    study.write_text(head + new, encoding="utf-8")
    with pytest.raises(StudyError, match=r"stimuli\.\w+\.layout \(line \d+\): the picture cannot"):
        run_study(study, tmp_path / "out")
    folded = "layout = {" + rest.replace("kind", "folds = [[5, 2]], kind", 1)
    study.write_text(head + folded, encoding="utf-8")
    with pytest.raises(StudyError, match=r"stimuli\.\w+\.layout \(line \d+\): "):
        run_study(study, tmp_path / "out")
