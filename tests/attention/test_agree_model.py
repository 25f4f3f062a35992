"""`gazecode agree` asks a real model: a tiny one with random weights, and keeps what it said."""

import json
import shutil
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

from tiny_models import TOKENIZER, model_of

from gazecode import agreeing
from gazecode.__main__ import main
from gazecode.attention import attend
from gazecode.export.scores import read_scores

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
QUICK = ("--metric", "spearman", "--permutations", "20", "--bootstrap", "20")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model_of().save_pretrained(folder)
    shutil.copy(TOKENIZER, folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    from gazecode.demo import demo_study
    from gazecode.study import run_study

    folder = tmp_path_factory.mktemp("demo")
    run_study(demo_study(), folder)
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*args):
        monkeypatch.setattr(sys, "argv", ["gazecode", *map(str, args)])
        monkeypatch.delenv("GAZECODE_DEBUG", raising=False)
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_nobody_asks_twice(run, demo, model, tmp_path):
    out = tmp_path / "agreement"
    methods = ("--method", "attention_last_reading", "--method", "rollout")
    status, first, _ = run("agree", demo, model, *methods, *QUICK, "--json", "--out", out)
    assert status == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "agreement.html",
        "agreement.json",
        "scores.parquet",
    ]
    status, again, _ = run("agree", demo, out / "scores.parquet", *QUICK, "--json")
    assert status == 0
    asked, kept = (json.loads(text)["comparisons"] for text in (first, again))
    assert asked == kept
    rows = asked[0]["rows"]
    assert rows[:4] == [
        "attention_last_reading",
        "attention_last_reading / uniform",
        "rollout",
        "rollout / uniform",
    ]


def test_what_is_kept_is_what_attend_says(run, demo, model, tmp_path):
    out = tmp_path / "agreement"
    method = "saliency_generation"
    asked = ("--method", method, "--answer-tokens", "2")
    assert run("agree", demo, model, *asked, *QUICK, "--out", out)[0] == 0
    kept = {row.source_id: row for row in read_scores(out / "scores.parquet")}
    (source, *_) = agreeing.sources_of(agreeing.read_gaze(demo))
    alone = attend(str(model), TOKENIZER, source, method=method, max_new_tokens=2)
    scores = kept[source.source_id].scores
    assert (scores.model, scores.method) == ("tiny", method)
    assert np.array_equal(scores.value, alone.value, equal_nan=True)
    assert kept[source.source_id].text.encode() == source.code


def test_raw_attention_of_random_weights_beats_people(run, demo, model):
    """Why nothing is read without its chance and its correction (validity 14)."""
    status, out, _ = run("agree", demo, model, *QUICK, "--method", "rollout", "--json")
    assert status == 0
    figures = {f["row"]: f for f in json.loads(out)["comparisons"][0]["figures"]}
    raw, corrected = figures["rollout"], figures["rollout / uniform"]
    assert raw["mean"] > raw["ceiling"] > corrected["mean"]


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--method", "nope"), "no 'nope' in attention methods; choose from"),
        (("--method", "masked_lm"), "--method masked_lm needs --filler FOLDER"),
        (("--filler", "nowhere"), "--filler is of methods that fill gaps: add --method masked_lm"),
        (("--method", "masked_lm", "--filler", "nowhere"), "nowhere: no such folder"),
        (("--device", "nowhere"), "--device nowhere: "),
    ],
)
def test_what_is_wrong_is_told(run, demo, model, args, line):
    status, _, err = run("agree", demo, model, *args)
    assert status == 1
    (told,) = [text for text in err.splitlines() if text.startswith("error: ")]
    assert line in told


def test_a_model_without_its_tokenizer_is_told(run, demo, model, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(model, bare)
    (bare / "tokenizer.json").unlink()
    status, _, err = run("agree", demo, bare, "--method", "rollout", *QUICK)
    assert status == 1
    assert "tokenizer.json" in err.splitlines()[-1]


def test_an_adapter_alone_is_told(run, demo, tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    status, _, err = run("agree", demo, tmp_path, *QUICK)
    assert status == 1
    assert "an adapter without its model; merge them" in err.splitlines()[-1]


def test_what_a_short_context_leaves_out_is_said(run, demo, tmp_path):
    folder = tmp_path / "short"
    model_of("gpt2", n_positions=64).save_pretrained(folder)
    shutil.copy(TOKENIZER, folder / "tokenizer.json")
    out = tmp_path / "agreed"
    asked = ("--method", "rollout", "--method", "attention_last_generation", "--answer-tokens", "8")
    status, said, _ = run("agree", demo, folder, *asked, *QUICK, "--out", out)
    assert status == 0
    assert "'rollout': 2 texts were read in windows; no row reaches further back" in said
    assert "'attention_last_generation': 2 texts are longer than what the model sees" in said
    status, again, _ = run("agree", demo, out, *QUICK)
    assert [line for line in said.splitlines() if "texts" in line] == [
        line for line in again.splitlines() if "texts" in line
    ]
    status, _, err = run("agree", demo, folder, "--method", "shap", "--answer-tokens", "2", *QUICK)
    assert status == 1
    assert "error: Basket: shap changes whole AST tokens" in err
