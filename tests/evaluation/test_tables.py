"""The command that measures the package: what it prints, writes and refuses; hits on real data."""

import json

import pytest
from typer.testing import CliRunner

from gazecode.__main__ import app
from gazecode.errors import FormatError, ParameterError
from gazecode.evaluation import EVALUATIONS, Table, evaluate
from gazecode.evaluation.hits import hit_table
from gazecode.evaluation.page import page


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_an_empty_folder_says_which_data_sets_were_expected(tmp_path):
    with pytest.raises(FormatError, match=r"holds none of the data sets: andersson2017-handlabels"):
        list(evaluate(tmp_path))
    found = run(tmp_path)
    assert isinstance(found.exception, FormatError)


def test_an_unknown_evaluation_is_refused_with_the_choices(tmp_path):
    with pytest.raises(
        ParameterError, match=r"no 'reading' in evaluations; choose from: agreement"
    ):
        list(evaluate(tmp_path, ["reading"]))


def test_what_lacks_its_data_is_left_out_and_said(tmp_path, monkeypatch):
    for need in EVALUATIONS["edits"].needs:
        (tmp_path / need).mkdir()
    rows = [{"what": "a|b", "value": 0.12345}, {"what": "none", "value": float("nan")}]
    made = Table(title="made up", said="of two rows.", rows=rows)
    evaluation = EVALUATIONS["edits"]
    monkeypatch.setitem(
        EVALUATIONS,
        "edits",
        type(evaluation)(title="Edits", needs=evaluation.needs, tables=lambda _: iter([made])),
    )
    found = dict(evaluate(tmp_path))
    assert found["edits"] is made
    assert found["detection"].startswith("left out: none of andersson2017-handlabels is in")
    written = page(list(evaluate(tmp_path)))
    assert "| a\\|b | 0.123 |" in written
    assert "| none | – |" in written
    assert written.index("## Detection") < written.index("## Edits")
    said = run(tmp_path, "--only", "edits", "--json")
    made_up = {"edits: made up": [rows[0], {"what": "none", "value": None}]}
    assert json.loads(said.stdout) == made_up | {"left_out": {}}
    both = run(tmp_path, "--json", "--out", tmp_path / "page.md")
    assert json.loads(both.stdout)["left_out"]["hits"].startswith("left out: ")
    assert isinstance(run(tmp_path, "--out", tmp_path / "page.txt").exception, ParameterError)
    out = run(tmp_path, "--only", "edits", "--out", tmp_path / "page.md")
    assert out.exit_code == 0
    assert "of two rows." in (tmp_path / "page.md").read_text(encoding="utf-8")


@pytest.mark.real
def test_hits_agree_with_the_rule_of_each_data_set(shared_data):
    rows = {(row["set"].split("-")[0], row["method"]): row for row in hit_table(shared_data)}
    for row in rows.values():
        print({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()})
    for name in ("eyecode", "emip"):
        own, soft = rows[name, "own rule"], rows[name, "gaussian sd_px 6"]
        assert own["token"] >= 0.96
        assert own["line"] >= own["token"]
        assert soft["share"] >= 0.5
        assert soft["token"] >= 0.96
