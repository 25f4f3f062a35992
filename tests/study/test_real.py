"""The worked studies of ``docs/studies`` run as they stand, on real recordings."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from gazecode.export import read_examples, validate
from gazecode.study import run_study

STUDIES = Path(__file__).resolve().parents[2] / "docs" / "studies"
FILES = {
    "fixations.parquet",
    "hits.parquet",
    "weights.parquet",
    "weights.h5",
    "quality.json",
    "report.html",
    "failures.csv",
}
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def outs(shared_data, tmp_path_factory):
    assert shared_data.is_dir()
    made = {}
    for name in ("linearity-peitek2020", "emip-bednarik2020", "eyecode-hansen2012"):
        out = tmp_path_factory.mktemp(name)
        made[name] = (run_study(STUDIES / f"{name}.toml", out), out)
    return made


def failures(out):
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "name", ["linearity-peitek2020", "emip-bednarik2020", "eyecode-hansen2012"]
)
def test_a_study_leaves_every_file_and_they_agree(outs, name):
    summary, out = outs[name]
    assert {p.name for p in out.iterdir()} == FILES
    assert validate(out / "weights.parquet").ok
    assert validate(out / "weights.h5").ok
    fixations = pd.read_parquet(out / "fixations.parquet")
    assert len(fixations) == summary.n_fixations > 100
    assert set(fixations["status"]) <= {"token", "between", "off", "lost"}
    quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    accounted = [
        sum(trial[s] for s in ("token", "between", "off", "lost")) - trial["fixations"]
        for recording in quality["recordings"]
        for trial in recording["trials"]
    ]
    assert accounted == [0] * summary.n_trials
    assert len(list(read_examples(out / "weights.parquet"))) == summary.n_examples
    share = (fixations["status"] == "token").mean()
    print(f"{name}: {summary.n_trials} trials, {len(fixations)} fixations, {share:.3f} on a token")


def test_degenerate_recordings_are_named_and_the_others_complete(outs):
    summary, out = outs["linearity-peitek2020"]
    failed = {r["participant"]: r for r in failures(out) if not r["trial"]}
    assert set(failed) == {"7f9dd148", "e4ad195b"}
    assert all(r["stage"] == "quality" and "loss" in r["reason"] for r in failed.values())
    assert summary.n_failed_recordings == 2
    people = {e.participant for e in read_examples(out / "weights.parquet")}
    assert people == {"24aed847", "1f8beed4", "0fed8025"}


def test_pooled_examples_say_how_many_people_they_rest_on(outs):
    _, out = outs["eyecode-hansen2012"]
    examples = list(read_examples(out / "weights.parquet"))
    assert {e.participant for e in examples} == {""}
    assert max(e.n_people for e in examples) > 1
    assert len({e.source_id for e in examples}) == len(examples)


def test_a_rerun_in_two_processes_is_byte_identical(outs, tmp_path):
    _, out = outs["emip-bednarik2020"]
    run_study(STUDIES / "emip-bednarik2020.toml", tmp_path / "again", jobs=2)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name
