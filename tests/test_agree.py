"""Do models look where people look, as people meet it: files in, a table, a page and JSON out."""

import hashlib
import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import gazecode as gc
from gazecode import agreeing
from gazecode.__main__ import main
from gazecode.agreement.compare import compare
from gazecode.errors import DataError, ParameterError, SchemaError
from gazecode.export.scores import read_scores, to_scores
from gazecode.model import Example
from gazecode.model.scores import ModelScores

QUICK = ("--permutations", "20", "--bootstrap", "20")
CODE = "int größe = 1;\nint y = größe;"
BAD = '</pre><script>document.title="owned"</script><img src=x>\u202e\x1b[31m'


@pytest.fixture
def run(monkeypatch, capsys):
    """The program in this process: exit status, what it printed, and its errors."""

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["gazecode", *map(str, args)])
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("GAZECODE_DEBUG", raising=False)
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The bundled study, run."""
    from gazecode.demo import demo_study
    from gazecode.study import run_study

    folder = tmp_path_factory.mktemp("demo")
    run_study(demo_study(), folder)
    return folder


@pytest.fixture(scope="session")
def scores(demo, tmp_path_factory):
    """What some programs say of the texts of the demo, as a table of scores."""
    humans = agreeing.read_gaze(demo)
    _, rows = agreeing.program_rows(humans, ["token_length", "earlier", "identifiers_only"])
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    to_scores(
        (
            (name, humans.texts[name].code.decode(), said)
            for texts in rows.rows.values()
            for name, said in texts.items()
        ),
        path,
    )
    return path


def error_line(done):
    status, out, err = done
    assert status == 1, (out, err)
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


def reading(value, code=CODE, **change):
    """One row of weights: a person's values of the tokens of a text."""
    tokens = gc.parse(code, language="java")
    m = len(tokens)
    fields = {
        "example_id": "e",
        "source_id": "a.java",
        "participant": "P1",
        "trial": "",
        "language": "java",
        "text": code,
        "input_ids": [1],
        "loss_mask": [True],
        "weight": [1.0],
        "attention": [1.0],
        "on_path": [True],
        "token_index": [0],
        "token_start": tokens.span[:, 0],
        "token_end": tokens.span[:, 1],
        "token_label": np.full(m, "", dtype=object),
        "token_value": value,
        "participant_group": "P1",
        "source_group": "a",
    }
    return Example(**fields | change)


def weights(path, *rows):
    named = [replace(row, example_id=f"e{i}") for i, row in enumerate(rows)]
    gc.to_parquet(named, path)
    return path


def said(code=CODE, value=None, **change):
    tokens = gc.parse(code, language="java")
    fields = {
        "model": "m",
        "method": "rollout",
        "span": tokens.span,
        "value": np.arange(1.0, len(tokens) + 1) if value is None else value,
    }
    return ModelScores(**fields | change)


def in_two(row):
    """The same text cut into two tokens, by somebody else."""
    return replace(
        row,
        participant="P2",
        token_start=row.token_start[[0, 2]],
        token_end=row.token_end[[1, 9]],
        token_label=row.token_label[:2],
        token_value=[1.0, 2.0],
    )


ONE = [4.0, 0, 0, 0, 0, 0, 0, 0, 0, 4.0]


# What people looked at


def test_a_map_is_shares_and_trials_are_averaged_after_that(tmp_path):
    """A trial ten times as long counts as much."""
    short, long = np.zeros(10), np.zeros(10)
    short[0], long[1:3] = 5.0, 1000.0
    humans = agreeing.read_gaze(
        weights(
            tmp_path / "weights.parquet",
            reading(short, trial="1"),
            reading(long, trial="2"),
            reading(ONE, participant="P2"),
        )
    )
    (text,) = humans.texts.values()
    assert (text.name, text.people, text.language) == ("a.java", ("P1", "P2"), "java")
    assert text.maps[0] == pytest.approx([0.5, 0.25, 0.25, *[0] * 7])
    assert text.maps[1] == pytest.approx([0.5, *[0] * 8, 0.5])
    assert text.looked.tolist() == [2, 1, 1, *[0] * 6, 1]
    assert text.mean == pytest.approx(text.maps.mean(axis=0))
    assert text.units[:3] == ["int", "größe", "="]
    assert "no tokens.parquet says how long" in humans.notes[0]


def test_what_stands_around_the_code_does_not_matter(tmp_path):
    """A chat template, or blanks: the same code is the same text."""
    wrapped = f"<|user|> Größe:\n{CODE}\n<|end|>"
    at = len("<|user|> Größe:\n".encode())
    bare = reading(ONE)
    other = replace(
        bare,
        text=wrapped,
        participant="P2",
        token_start=bare.token_start + at,
        token_end=bare.token_end + at,
    )
    humans = agreeing.read_gaze(weights(tmp_path / "w.parquet", bare, other))
    assert [text.people for text in humans.texts.values()] == [("P1", "P2")]


def test_two_versions_of_a_file_are_two_texts(tmp_path):
    rows = [reading(ONE), reading(ONE, code=CODE.replace("1", "2"), participant="P2")]
    humans = agreeing.read_gaze(weights(tmp_path / "w.parquet", *rows))
    assert list(humans.texts) == ["a.java", "a.java (2)"]


def test_what_was_never_shown_is_missing(demo, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo / "weights.parquet", folder)
    frame = pq.read_table(demo / "tokens.parquet").to_pandas()
    hidden = (frame.participant == "P1") & (frame.source_id == "Basket") & (frame.dwell_ms == 0)
    frame.loc[hidden, "exposure_ms"] = 150.0
    frame.to_parquet(folder / "tokens.parquet")
    text = agreeing.read_gaze(folder).texts["Basket"]
    missing = np.isnan(text.maps)
    assert missing[0].sum() == hidden.sum() > 0
    assert not missing[1:].any()
    # Nobody looked at them and one person was not shown them: the mean is over the others.
    assert not np.isnan(text.mean).any()


def test_a_broken_table_of_tokens_is_told(demo, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo / "weights.parquet", folder)
    (folder / "tokens.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(SchemaError, match=r"tokens.parquet: cannot say which tokens were shown"):
        agreeing.read_gaze(folder)


def test_every_container_says_the_same(demo, tmp_path):
    first = agreeing.read_gaze(demo)
    gc.to_jsonl(gc.read_examples(demo / "weights.parquet"), tmp_path / "w.jsonl")
    for other in (demo / "weights.h5", tmp_path / "w.jsonl"):
        again = agreeing.read_gaze(other)
        assert list(again.texts) == list(first.texts)
        for name, text in first.texts.items():
            assert np.array_equal(text.maps, again.texts[name].maps, equal_nan=True)


def test_priors_are_not_people(tmp_path):
    rows = [reading(ONE), reading(ONE, participant="", prior_sources=("x",))]
    humans = agreeing.read_gaze(weights(tmp_path / "w.parquet", *rows))
    assert humans.people == ("P1",)
    assert humans.notes[0].startswith("1 of 2 rows of the people are weighted by priors")
    with pytest.raises(DataError, match="1 rows weighted by priors; expected rows with the gaze"):
        agreeing.read_gaze(weights(tmp_path / "p.parquet", rows[1]))


def test_rows_without_a_look_and_empty_files_are_told(tmp_path):
    with pytest.raises(DataError, match="1 rows without a look at any token"):
        agreeing.read_gaze(weights(tmp_path / "w.parquet", reading(np.zeros(10))))
    with pytest.raises(DataError, match="no row; expected rows with the gaze of people"):
        agreeing.read_gaze(weights(tmp_path / "empty.parquet"))


def test_readings_of_other_tokens_are_refused(tmp_path):
    with pytest.raises(DataError, match="10 and 2 tokens, the first that differs is 0: bytes 0-3"):
        agreeing.read_gaze(weights(tmp_path / "w.parquet", reading(ONE), in_two(reading(ONE))))


# What models say


def humans_of(tmp_path, *rows):
    return agreeing.read_gaze(weights(tmp_path / "w.parquet", *(rows or [reading(ONE)])))


def test_scores_meet_texts_by_their_code(tmp_path):
    humans = humans_of(tmp_path)
    padded = f"\n\n{CODE}\n"
    moved = said(padded)
    rows = agreeing.rows_of([agreeing.ScoredText("renamed", padded, moved)], humans, name="s")
    assert rows.rows["rollout"]["a.java"].value.tolist() == moved.value.tolist()


def test_rows_are_named_by_method_and_by_model_where_there_are_two(tmp_path):
    humans = humans_of(tmp_path)
    scored = [agreeing.ScoredText("a", CODE, said(method=m)) for m in ("x", "y")]
    assert list(agreeing.rows_of(scored, humans, name="s").rows) == ["x", "y"]
    scored.append(agreeing.ScoredText("a", CODE, said(model="n", method="x")))
    rows = agreeing.rows_of(scored, humans, name="s")
    assert list(rows.rows) == ["m x", "m y", "n x"]
    assert list(agreeing.chosen_rows(rows, ["n x"]).rows) == ["n x"]
    with pytest.raises(ParameterError, match="m x, m y, n x"):
        agreeing.chosen_rows(rows, ["z"])


@pytest.mark.parametrize("end", [33, 30])
def test_scores_of_other_tokens_are_refused(tmp_path, end):
    """Told by the code between first and last token, or by the digest of the whole source."""
    digest = hashlib.sha256(CODE.encode()).hexdigest()
    humans = humans_of(tmp_path, reading(ONE, source_sha256=digest))
    cut = said(span=[[0, 3], [4, end]], value=[1.0, 2.0])
    with pytest.raises(DataError, match="people and rollout cut the same text into 10 and 2"):
        agreeing.rows_of([agreeing.ScoredText("a", CODE, cut)], humans, name="s")


def test_nothing_in_common_says_what_is_in_each(tmp_path):
    humans = humans_of(tmp_path)
    other = CODE.replace("1", "2")
    scored = [agreeing.ScoredText(n, other, said(other)) for n in ("b", "c", "d", "e", "f")]
    with pytest.raises(
        DataError, match=r"people read a.java, s scores b, c, d, e and 1 more; give"
    ):
        agreeing.rows_of(scored, humans, name="s")
    scored = [agreeing.ScoredText("a.java", other, said(other))]
    with pytest.raises(DataError, match=r"a.java is in both with another text"):
        agreeing.rows_of(scored, humans, name="s")
    scored.append(agreeing.ScoredText("a.java", CODE, said()))
    assert (
        "Scores of 1 texts that nobody read" in agreeing.rows_of(scored, humans, name="s").notes[0]
    )


def test_a_text_scored_twice_is_refused(tmp_path):
    scored = [agreeing.ScoredText("a", CODE, said())] * 2
    with pytest.raises(DataError, match=r"rollout scores a.java twice"):
        agreeing.rows_of(scored, humans_of(tmp_path), name="s")


def test_texts_without_a_score_are_left_out_and_named(tmp_path):
    other = CODE.replace("1", "2")
    humans = humans_of(tmp_path, reading(ONE), reading(ONE, code=other, source_id="b.java"))
    rows = agreeing.rows_of([agreeing.ScoredText("a", CODE, said())], humans, name="s")
    assert rows.notes == ("1 texts have no scores and are left out: b.java.",)
    agreed = agreeing.agree_on_gaze(humans, rows, agreeing.Draws(permutations=5, bootstrap=5))
    assert agreed.comparisons[0].items == ("a.java",)


def test_the_figures_are_those_of_compare(demo, scores):
    humans = agreeing.read_gaze(demo)
    rows = agreeing.read_rows(scores, humans)
    draws = agreeing.Draws(metrics=("spearman", "iou"), permutations=20, bootstrap=20)
    found = agreeing.agree_on_gaze(humans, rows, draws).comparisons[0]
    people = {n: dict(zip(t.people, t.maps, strict=True)) for n, t in humans.texts.items()}
    model = {row: {n: s.value for n, s in texts.items()} for row, texts in rows.rows.items()}
    texts = {n: t.units for n, t in humans.texts.items()}
    alone = compare(
        people, model, texts=texts, metrics=("spearman", "iou"), permutations=20, bootstrap=20
    )
    assert found.to_frame().equals(alone.to_frame())


def test_uniform_attention_is_divided_out_and_drawn_first(tmp_path):
    n = len(gc.parse(CODE, language="java"))
    expected = np.linspace(2.0, 0.1, n)
    scored = [agreeing.ScoredText("a", CODE, said(value=expected * 3, expected=expected))]
    humans = humans_of(tmp_path)
    rows = agreeing.rows_of(scored, humans, name="s")
    agreed = agreeing.agree_on_gaze(humans, rows, agreeing.Draws(permutations=5, bootstrap=5))
    names, maps = zip(*agreed.maps[0].rows, strict=True)
    assert names == ("rollout / uniform", "rollout")
    assert maps[0] == pytest.approx(np.full(n, 3.0))
    assert "rollout / uniform" in agreed.comparisons[0].rows


# Programs


def test_programs_learn_from_others(demo):
    humans = agreeing.read_gaze(demo)
    left, rows = agreeing.program_rows(humans, ["label_theta", "uniform"])
    assert list(rows.rows) == ["label_theta", "uniform"]
    # Everybody read both texts: one half teaches.
    assert [len(text.people) for text in left.texts.values()] == [3, 3]
    assert "one half of the people taught" in rows.notes[0]
    assert rows.facts["readings_that_only_taught"] == 6
    again, same = agreeing.program_rows(humans, ["label_theta"])
    assert again.people == left.people
    for name, one in rows.rows["label_theta"].items():
        assert np.array_equal(one.value, same.rows["label_theta"][name].value)


@pytest.mark.parametrize(("metric", "sign"), [("spearman", -1), ("js", 1)])
def test_programs_stand_best_first(demo, metric, sign):
    humans, rows = agreeing.program_rows(
        agreeing.read_gaze(demo), ["first_token", "uniform", "token_length", "short_tokens"]
    )
    draws = agreeing.Draws(metrics=(metric,), permutations=5, bootstrap=5)
    agreed = agreeing.agree_on_gaze(humans, rows, draws, ranked=True)
    found = np.array([figure.mean for figure in agreed.figures[metric]])
    known = found[~np.isnan(found)]
    assert np.isnan(found[len(known) :]).all()
    assert (np.diff(sign * known) >= 0).all()


def test_a_text_that_cannot_be_parsed_again_is_told(tmp_path):
    with pytest.raises(DataError, match="its rows name no language"):
        agreeing.program_rows(humans_of(tmp_path, reading(ONE, language="")))
    with pytest.raises(DataError, match="its rows and the grammar of java cut the text into 2 and"):
        agreeing.program_rows(humans_of(tmp_path, in_two(reading(ONE))))


# The command


def test_help_teaches(run):
    status, out, _ = run("agree", "--help")
    assert status == 0
    for word in ("HUMAN", "MODEL", "programs", "--metric", "--permutations", "--bootstrap"):
        assert word in out
    assert out.count("gazecode agree results") == 3


def test_programs_from_a_folder(run, demo, tmp_path):
    out = tmp_path / "made" / "agreement"
    args = ("agree", demo, "programs", "--row", "token_length", "--row", "earlier", *QUICK)
    status, text, err = run(*args, "--out", out)
    assert (status, err) == (0, "")
    assert "human ceiling" in text
    assert "token_length" in text
    assert re.search(r"2/210/3", text)
    assert "note: Held out: both" in text
    assert sorted(p.name for p in out.iterdir()) == ["agreement.html", "agreement.json"]
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    assert run(*args, "--out", out)[0] == 0
    assert first == {p.name: p.read_bytes() for p in out.iterdir()}
    told = json.loads(first["agreement.json"])
    assert told["inputs"]["model"] == "programs"
    assert str(tmp_path) not in first["agreement.json"].decode()
    assert str(demo) not in first["agreement.html"].decode()


def test_scores_from_a_file_and_from_a_folder(run, demo, scores):
    wanted = ("--metric", "spearman", "--metric", "iou@10", "--json", *QUICK)
    status, out, err = run("agree", demo / "weights.parquet", scores, *wanted)
    assert (status, err) == (0, "")
    told = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    (comparison,) = told["comparisons"]
    assert comparison["metrics"] == ["spearman", "iou@10"]
    assert comparison["rows"][:3] == ["token_length", "earlier", "identifiers_only"]
    assert {"uniform", "length", "random"} <= set(comparison["rows"])
    assert all(f["ceiling"] is not None for f in comparison["figures"])
    assert (
        run("agree", demo, scores.parent, *wanted)[1]
        .replace(scores.parent.name, scores.name)
        .replace(demo.name, "weights.parquet")
        == out
    )


def test_a_page_alone(run, demo, scores, tmp_path):
    page = tmp_path / "page.html"
    status, _, err = run("agree", demo, scores, "--row", "earlier", "--json", "--out", page, *QUICK)
    assert status == 0
    assert err.strip() == f"page: {page}"
    html = page.read_text()
    assert html.count("<article") == 2
    assert "of 6 people looked" in html
    assert "earlier" in html


def test_hostile_text_is_shown_and_never_run(run, browser, tmp_path):
    code = f'int x = 1; // {BAD}\nString s = "{{{{ 7*7 }}}}";'
    value = np.arange(1.0, len(gc.parse(code, language="java")) + 1)
    rows = [reading(value, code, participant=p, source_id=BAD) for p in ("P1", BAD)]
    gaze = weights(tmp_path / "w.parquet", *rows)
    scored = tmp_path / "s.parquet"
    to_scores([(BAD, code, said(code, method=BAD, model=BAD))], scored)
    page = tmp_path / "page.html"
    status, out, _ = run("agree", gaze, scored, "--out", page, *QUICK)
    assert status == 0
    assert not any(c in out for c in "\x1b\u202e")
    html = page.read_text()
    assert "<script" not in html
    assert "{{ 7*7 }}" in html
    for width in (1280, 390):
        browser.open(page, width=width)
        assert browser.value("document.title") != "owned"
        assert browser.value("document.scripts.length + document.images.length") == 0
        assert browser.value("document.documentElement.scrollWidth") == width
        assert browser.problems() == []


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("nowhere", "programs"), "nowhere: no such file or folder"),
        (("DEMO", "nowhere"), "nowhere: no scores and no model; expected scores.parquet"),
        (("DEMO", "DEMO"), "no scores and no model"),
        (("DEMO", "DEMO/hits.parquet"), "hits.parquet holds no scores"),
        (("DEMO/hits.parquet", "programs"), "another table of gazecode"),
        (("SCORES", "programs"), "another table of gazecode"),
        (("DEMO", "SCORES", "--metric", "spearmen"), "no 'spearmen' in metrics; choose from"),
        (("DEMO", "SCORES", "--method", "shap"), "no 'shap' in the methods of scores.parquet"),
        (("DEMO", "SCORES", "--row", "x"), "no 'x' in the rows; choose from: earlier"),
        (("DEMO", "programs", "--row", "x"), "no 'x' in programs; choose from"),
        (("DEMO", "programs", "--method", "shap"), "choose programs with --row"),
        (("DEMO", "programs", "--compat", "kou2024"), "of the data of Kou et al. 2024 alone"),
        (("DEMO", "SCORES", "--compat", "kou2024"), "of the data of Kou et al. 2024 alone"),
        (("DEMO", "SCORES", "--out", "nowhere/p.html"), "no folder nowhere"),
        (("DEMO", "SCORES", "--out", "DEMO/card.md"), "expected a folder, or a page"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run, demo, scores, args, line):
    named = [str(a).replace("DEMO", str(demo)).replace("SCORES", str(scores)) for a in args]
    assert line in error_line(run("agree", *named, *QUICK))


def test_wrong_usage_is_exit_2(run, demo):
    assert run("agree", demo)[0] == 2
    assert run("agree", demo, "programs", "--permutations", "-1")[0] == 2
    assert run("agree", demo, "programs", "--answer-tokens", "0")[0] == 2


def test_broken_scores_are_told(run, demo, scores, tmp_path):
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(scores.read_bytes()[:-20])
    assert "cut short or broken" in error_line(run("agree", demo, cut))
    cut.write_bytes(b"")
    assert "begins with b''" in error_line(run("agree", demo, cut))


def test_scores_of_other_sources_are_told(run, demo, tmp_path):
    path = tmp_path / "scores.parquet"
    to_scores([("other.java", CODE, said())], path)
    line = error_line(run("agree", demo, path))
    assert "people read Basket, median, scores.parquet scores other.java" in line


# The data of Kou et al. (2024), where they are


@pytest.mark.real
def test_published_figures_come_out_of_the_command(run, shared_data):
    folder = shared_data / "kou2024"
    wanted = [arg for k in (5, 10, 20) for m in ("f1", "alpha") for arg in ("--metric", f"{m}@{k}")]
    draws = ("--permutations", "2", "--bootstrap", "2", "--json")
    status, out, _ = run("agree", folder, folder, "--compat", "kou2024", *wanted, *draws)
    assert status == 0
    figures = {
        (f["row"], f["metric"]): f["pooled"]
        for c in json.loads(out)["comparisons"]
        for f in c["figures"]
    }
    # Printed in reference/agreement.md; the rest is in tests/agreement/kou.
    assert figures["polycoder shap_perturbation", "f1@10"] == pytest.approx(
        0.41998023181328165, abs=1e-9
    )
    assert figures["polycoder saliency_coding", "alpha@20"] == pytest.approx(
        0.21560358121972678, abs=1e-9
    )


@pytest.mark.real
def test_published_data_have_a_page(run, shared_data, browser, tmp_path):
    folder = shared_data / "kou2024"
    args = ("--method", "saliency_coding", *QUICK, "--out", tmp_path / "k")
    status, out, _ = run("agree", folder / "human.parquet", folder / "attention.parquet", *args)
    assert status == 0
    assert "pooled alpha@10 is" in out
    html = (tmp_path / "k" / "agreement.html").read_text()
    assert html.count("<article") == 12
    assert "1122 further texts" in html
    browser.open(tmp_path / "k" / "agreement.html", width=390)
    assert browser.value("document.documentElement.scrollWidth") == 390
    assert browser.problems() == []


@pytest.mark.real
def test_published_data_meet_their_own_kind_only(run, shared_data, demo):
    folder = shared_data / "kou2024"
    assert "expected their scores as MODEL" in error_line(run("agree", folder, "programs"))
    assert "give what people marked in them as HUMAN" in error_line(run("agree", demo, folder))
    line = error_line(run("agree", folder, folder, "--row", "gpt4 x"))
    assert "polycoder saliency_coding" in line
    assert "no row of" in error_line(run("agree", folder, folder, "--method", "x"))


def test_scores_read_back(scores):
    assert {row.scores.method for row in read_scores(scores)} == {
        "token_length",
        "earlier",
        "identifiers_only",
    }


def test_programs_explain_people_and_rows_in_one_table(run, demo, scores, tmp_path):
    usual = ("--permutations", "50", "--bootstrap", "50", "--metric", "spearman", "--explain")
    status, out, _ = run("agree", demo, scores, *usual, "--json")
    assert status == 0
    explained = json.loads(out)["explained"]
    assert explained["readers"] == ["people", "token_length", "earlier", "identifiers_only"]
    by_program = {row["program"]: row for row in explained["rows"]}
    # A row that a program made is explained by that program, people by none of them.
    for name in ("earlier", "identifiers_only", "token_length"):
        assert by_program[name][name] == pytest.approx(1.0)
        assert by_program[name]["people"] < 0.9
    status, out, _ = run("agree", demo, scores, *usual, "--out", tmp_path)
    assert status == 0
    assert "what explains whom: spearman of every program" in out
    page = (tmp_path / "agreement.html").read_text(encoding="utf-8")
    assert page.count("What explains whom") == 3  # contents, heading, table
    line = error_line(run("agree", demo, "programs", *usual))
    assert "--explain needs gaze and the scores of a model" in line
