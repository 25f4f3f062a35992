"""Targets of a study: when people looked where, in each recording; what is told of them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from gazecode.demo import demo_study
from gazecode.errors import StudyError
from gazecode.model import Recording, Samples, Trial
from gazecode.quality import Target
from gazecode.study import run_study
from gazecode.study.methods import check_methods
from gazecode.study.sections import RecordingTable, TargetTable
from gazecode.study.settings import load_study
from gazecode.study.targets import targets_in, without_trial
from tests.study.everything import texts_of

CROSS = '\n[[targets]]\nx_px = 300\ny_px = 200\ntrial = "Bask*"\n'
ENTRY = RecordingTable(file="data/a/P1.asc", participant="P1")


def recording(*trials):
    samples = {"left": Samples(t_ms=[0.0], xy_px=[[1, 1]], eye="left")}
    return Recording(
        samples=samples, trials=[Trial(name=n, onset_ms=a, offset_ms=b) for n, a, b in trials]
    )


def add(study, text):
    study.write_text(study.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_name_a_pattern_and_a_window():
    rec = recording(("cross_1", 0, 1000), ("code", 1000, 9000), ("cross_2", 9000, 9300))
    tables = [
        TargetTable(x_px=5, y_px=6, onset_ms=8000, offset_ms=8500, name="late"),
        TargetTable(x_px=1, y_px=2, trial="cross_*", skip_ms=300),
        TargetTable(x_px=3, y_px=4, trial="code"),
    ]
    found, short = targets_in(tables, ENTRY, rec)
    assert found == [
        Target(x_px=1, y_px=2, onset_ms=300, offset_ms=1000, name="cross_1"),
        Target(x_px=3, y_px=4, onset_ms=1500, offset_ms=9000, name="code"),
        Target(x_px=5, y_px=6, onset_ms=8000, offset_ms=8500, name="late"),
    ]
    assert short == 1
    assert without_trial(tables, {"code", "cross_1"}) == []
    assert without_trial(tables, {"other"}) == ["cross_*", "code"]


@pytest.mark.parametrize(
    ("file", "holds"),
    [
        ("P1.asc", True),
        ("a/P1.asc", True),
        ("P*", True),
        ("b/P1.asc", False),
        ("P2.asc", False),
        ("1.asc", False),
    ],
)
def test_a_target_may_hold_for_some_recordings(file, holds):
    table = TargetTable(x_px=1, y_px=2, trial="code", file=file)
    assert bool(targets_in([table], ENTRY, recording(("code", 0, 9000)))[0]) is holds


def test_a_name_may_hold_the_signs_of_a_pattern():
    table = TargetTable(x_px=1, y_px=2, trial="cross [1]")
    assert targets_in([table], ENTRY, recording(("cross [1]", 0, 9000)))[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CROSS.replace("trial", "trail"), r"targets\[0\].trail \(line 7\d\): unknown key; did you mean trial\?"),
        (CROSS.replace("300", '"left"'), r"targets\[0\].x_px \(line 7\d\): .*found 'left'"),
        ("\n[[targets]]\nx_px = 1\ny_px = 1\n", r"targets\[0\] \(line 7\d\): .*expected either trial, or onset_ms and offset_ms"),
        (CROSS + "onset_ms = 5\n", r"expected either trial, or onset_ms"),
        ("\n[[targets]]\nx_px = 1\ny_px = 1\nonset_ms = 3\n", r"expected both onset_ms and offset_ms"),
        ("\n[[targets]]\nx_px = 1\ny_px = 1\nonset_ms = 3\noffset_ms = 3\n", r"expected offset_ms later"),
        ("\n[[targets]]\nx_px = 1\ny_px = 1\nonset_ms = 3\noffset_ms = 9\nskip_ms = 1\n", r"skip_ms goes with trial"),
        (CROSS + 'file = "/home/me/P1.asc"\n', r"targets\[0\].file \(line 7\d\): .*the name of a recording's file"),
    ],
    ids=["key", "value", "no time", "two times", "half", "backward", "skip", "absolute"],
)  # fmt: skip
def test_mistakes_name_key_and_line(study, text, message):
    add(study, text)
    with pytest.raises(StudyError, match=message):
        load_study(study)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("max_accuracy_deg = true", r"quality.max_accuracy_deg \(line 2\d\): .*expected a number, or false"),
        ('max_drift_deg_min = "x"', r"quality.max_drift_deg_min \(line 2\d\): .*expected a number, or false"),
        ("min_line_share = -1", r"Gates.min_line_share is -1.0; expected a number of 0 or more"),
        ("min_line_shares = 1", r"unknown key; keys here: .*min_line_share"),
    ],
)  # fmt: skip
def test_new_gates_are_keys_of_quality(study, gate, message):
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("max_loss = 0.4", gate), encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        check_methods(load_study(study))
    good = (
        "min_line_share = 0.1\nmin_token_share = 0\nmax_accuracy_deg = 9\nmax_clock_jumps = false"
    )
    study.write_text(text.replace("max_loss = 0.4", good), encoding="utf-8")
    check_methods(load_study(study))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run with made-up targets: gaze was not there, so that the offset is large and known."""
    folder = tmp_path_factory.mktemp("targets")
    shutil.copytree(demo_study().parent, folder / "study")
    study = folder / "study" / "study.toml"
    add(study, CROSS + 'name = "cross of P1"\nfile = "P?.asc.gz"\n')
    add(study, '\n[[targets]]\nx_px = 1\ny_px = 1\ntrial = "nowhere"\n')
    (folder / "key").write_bytes(b"0123456789abcdef")
    plain = run_study(study, folder / "plain")
    return plain, run_study(study, folder / "coded", key=folder / "key")


def test_accuracy_goes_into_quality_card_and_page(measured, demo_out):
    run, _ = measured
    document = json.loads((run.out / "quality.json").read_text(encoding="utf-8"))
    rows = {row["file"]: row["quality"] for row in document["recordings"]}
    whole = rows["P1.asc.gz"]["recording"]
    assert whole["accuracy"] == "measured on targets"
    assert whole["accuracy_deg"] > 1
    assert 0 < whole["line_share"] <= 1
    assert rows["P1.asc.gz"]["warnings"] == []
    assert rows["P4.tsv.gz"]["recording"]["accuracy"] == "unknown"
    assert any("accuracy is unknown" in w for w in rows["P4.tsv.gz"]["warnings"])
    card = (run.out / "card.md").read_text(encoding="utf-8")
    assert "| accuracy, deg | 3 |" in card
    assert "expected on the right line, share of fixations" in card
    assert "(3 of 6 people)" in card
    assert f"{whole['accuracy_deg']:.3g}" in (run.out / "report.html").read_text(encoding="utf-8")
    assert any("no trial is called nowhere, which [[targets]] names" in n for n in run.notes)
    # Targets say how good gaze is, they change no weight.
    same = [(run.out / "fixations.parquet"), (demo_out / "fixations.parquet")]
    pd.testing.assert_frame_equal(*map(pd.read_parquet, same))


def test_a_pseudonymous_run_tells_where_a_target_stood_and_no_more(measured):
    _, coded = measured
    document = json.loads((coded.out / "quality.json").read_text(encoding="utf-8"))
    told = document["parameters"]["targets"]
    assert [set(target) for target in told] == [{"x_px", "y_px", "trial", "skip_ms", "name"}] * 2
    assert [target["trial"] for target in told] == ["Bask*", "nowhere"]
    values = [row["quality"]["recording"]["accuracy_deg"] for row in document["recordings"]]
    assert sum(value is not None for value in values) == 3
    for name, content in texts_of(coded.out).items():
        assert b"P?.asc" not in content, name
        assert b"of P1" not in content, name


def test_a_target_shorter_than_its_pause_is_counted(study, tmp_path):
    add(study, CROSS + "skip_ms = 1e6\n")
    out = run_study(study, tmp_path / "out").out
    document = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    row = document["recordings"][0]
    assert row["provenance"]["left_out"]["targets_too_short"] == 1
    assert row["quality"]["about"]["left_out"]["targets_too_short"] == 1
    assert np.isnan(row["quality"]["recording"]["accuracy_deg"] or np.nan)
