"""Programs against maps: planted truth, planted leaks, seeds, models, one table."""

import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_scenes import files, readers

import gazecode as gc
from gazecode.agreement import programs as pg
from gazecode.agreement.metrics import auc, iou, spearman
from gazecode.agreement.programs import (
    PROGRAMS,
    Known,
    Observed,
    explain,
    explain_transitions,
    explanation_table,
    learn,
    score_programs,
    score_transitions,
)
from gazecode.agreement.programs.hold_out import plan
from gazecode.agreement.programs.observed import merged
from gazecode.errors import DataError, ParameterError
from gazecode.model import ModelScores, SourceTokens
from gazecode.registry import Registry

FEW = {"permutations": 100, "bootstrap": 100}


@pytest.mark.parametrize(
    "truth", ["identifiers_only", "token_length", "line_start", "conditions", "later"]
)
def test_people_who_look_by_a_program_are_found_out(truth):
    ranked = score_programs(readers(truth, noise=0.05), **FEW)
    best = ranked.rows[0]
    assert best["program"] == truth
    assert best["iou"] > best["iou_chance_high"]
    assert best["iou_low"] <= best["iou"] <= best["iou_high"]
    assert best["iou_above_chance"] == pytest.approx(best["iou"] - best["iou_chance"])
    by_rank = score_programs(readers(truth, noise=0.05), metrics=["spearman"], **FEW)
    assert by_rank.rows[0]["program"] == truth


def test_people_who_look_at_random_are_explained_by_nothing():
    readings = readers(lambda tokens, _: np.zeros(len(tokens)), people=2, n_files=8, noise=1.0)
    ranked = score_programs(
        readings, hold_out="files", metrics=["spearman"], permutations=300, bootstrap=50
    )
    known = [row for row in ranked.rows if not np.isnan(row["spearman"])]
    inside = [
        row["spearman_chance_low"] <= row["spearman"] <= row["spearman_chance_high"]
        for row in known
    ]
    assert sum(inside) >= 0.8 * len(inside)
    # What is constant has no rank correlation: said and counted, never 0.
    assert np.isnan(ranked["uniform"]["spearman"])
    assert ranked["uniform"]["spearman_undefined"] == 16


def test_the_figure_is_that_of_the_leave_one_out_means():
    readings = readers("identifiers_only", people=3, n_files=1)
    ranked = score_programs(readings, programs=["keywords"], hold_out="files", **FEW)
    tokens = readings[0].tokens
    said = PROGRAMS["keywords"](tokens, Known())
    maps = np.array([r.value / r.value.sum() for r in readings])
    others = (maps.sum(axis=0) - maps) / 2
    for metric, figure in (("iou", iou), ("spearman", spearman)):
        expected = np.mean([figure(target, said) for target in others])
        assert ranked["keywords"][metric] == pytest.approx(expected)
        ceiling = np.mean([figure(target, own) for target, own in zip(others, maps, strict=True)])
        assert ranked.ceiling[metric] == pytest.approx(ceiling)
    # Everybody looked at everything a little, so there is nothing to tell apart.
    assert np.isnan(ranked["keywords"]["auc"]) == np.isnan(auc(others[0] > 0, said))


def words(source, n=40):
    """A text of words that each occur once: half of them in every file, half in this one alone.

    The label of a word is the word, so that E[theta] of the label is a memory of exact texts.
    """
    texts = [f"w{i}" if i % 2 else f"{source}_{i}" for i in range(n)]
    start = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    return SourceTokens(
        language="none",
        source_id=source,
        code=" ".join(texts).encode(),
        span=np.stack([start, start + [len(text) for text in texts]], axis=1),
        row=np.zeros(n),
        column=start,
        kind=["identifier"] * n,
        path=((),) * n,
        label=texts,
    )


def secret_readers(seed, people=4):
    """Everybody looks at the same few words of a file, which nothing in it tells."""
    rng, found = np.random.default_rng(seed), []
    for source in "abcdefgh":
        tokens = words(source)
        value = 100.0 * (rng.permutation(len(tokens)) < 10)
        found += [
            Observed(person=f"P{i}", source=source, tokens=tokens, value=value)
            for i in range(people)
        ]
    return found


@pytest.mark.parametrize("hold_out", ["both", "files"])
@pytest.mark.parametrize("seed", range(3))
def test_a_program_that_remembers_the_held_out_file_scores_at_chance(hold_out, seed):
    readings = secret_readers(seed)
    # With everything learnt it is perfect on the words of one file: the leak would pay.
    everything = learn(readings)
    leaked = [auc(r.value > 0, PROGRAMS["label_theta"](r.tokens, everything)) for r in readings]
    assert np.mean(leaked) > 0.8
    ranked = score_programs(
        readings, programs=["label_theta"], hold_out=hold_out, metrics=["auc"], **FEW
    )
    row = ranked["label_theta"]
    assert row["auc_chance"] == pytest.approx(0.5, abs=0.02)
    assert abs(row["auc_above_chance"]) < 0.08
    assert row["auc_chance_low"] - 0.01 <= row["auc"] <= row["auc_chance_high"] + 0.01


def test_people_held_out_alone_may_teach_the_file_itself():
    """What is the same for all people of a file is then known, and the words of the table say so."""
    ranked = score_programs(
        secret_readers(0), programs=["label_theta"], hold_out="people", metrics=["auc"], **FEW
    )
    assert ranked["label_theta"]["auc"] > 0.8
    assert "on any file" in ranked.hold_out


@given(st.integers(0, 200), st.sampled_from(["both", "people", "files"]))
def test_what_a_program_knows_of_a_file_does_not_depend_on_what_it_is_scored_on(seed, hold_out):
    rng = np.random.default_rng(seed)
    readings = [
        Observed(person=f"P{who}", source=source, tokens=tokens, value=rng.random(len(tokens)))
        for source, tokens in FILES.items()
        for who in range(4)
        if rng.random() < 0.6
    ]
    if not readings:
        return
    planned = plan(merged(readings), hold_out, seed)
    for file in {reading.source for reading in planned.scored}:
        held = {reading.person for reading in planned.scored if reading.source == file}
        other = [
            replace(r, value=np.zeros(len(r.value)))
            if (r.source == file and hold_out != "people")
            or (r.person in held and hold_out != "files")
            else r
            for r in readings
        ]
        assert plan(merged(other), hold_out, seed).known[file] == planned.known[file]


FILES = files(4)


def test_what_people_do_elsewhere_is_known():
    readings = readers("signatures", people=4)
    ranked = score_programs(readings, metrics=["auc", "spearman"], **FEW)
    row = ranked["label_theta"]
    assert {(k.n_people, k.n_files) for k in ranked.known.values()} == {(2, 5)}
    # Noise makes everybody look everywhere a little, so theta is of no use by labels here.
    quiet = score_programs(readers("signatures", noise=0.0), metrics=["auc"], **FEW)
    assert quiet["label_theta"]["auc"] > 0.99
    assert row["n_people"] == 2


def test_numbers_depend_on_seed_and_content_alone():
    readings = readers("keywords", people=3, n_files=3)
    names = ["keywords", "label_theta", "random_token"]
    one = score_programs(readings, programs=names, **FEW).to_dict()
    assert score_programs(readings[::-1], programs=names, **FEW).to_dict() == one
    other = score_programs(readings, programs=names, seed=1, **FEW).to_dict()
    assert other != one
    json.dumps(one)


def test_a_program_that_does_nothing_of_its_kind_is_undefined_and_counted():
    tokens = gc.parse("int x;", "java")
    readings = [
        Observed(person=p, source="a", tokens=tokens, value=[1, 9, 0]) for p in ("P1", "P2")
    ]
    ranked = score_programs(readings, programs=["loops"], hold_out="files", **FEW)
    assert np.isnan(ranked["loops"]["spearman"])
    assert ranked["loops"]["spearman_undefined"] == 2
    assert (ranked["loops"]["silent"], ranked["uniform"]["silent"]) == (1.0, 0.0)
    assert "loops" in str(ranked)


def test_tokens_never_shown_are_left_out():
    tokens = files(1)["file0"]
    value = np.ones(len(tokens))
    value[: len(tokens) // 2] = 5.0
    hidden = value.copy()
    hidden[len(tokens) // 2 :] = np.nan
    hidden[0] = 1.0
    reading = Observed(person="P1", source="a", tokens=tokens, value=hidden)
    ranked = score_programs([reading], programs=["first_token"], hold_out="files", **FEW)
    assert ranked["first_token"]["iou"] == pytest.approx(iou(hidden, np.eye(1, len(tokens))[0]))


def test_ones_own_function_and_what_is_refused():
    readings = readers("keywords", people=2, n_files=2, noise=0.02)
    ranked = score_programs(readings, programs={"mine": PROGRAMS["keywords"]}, **FEW)
    assert ranked.rows[0]["program"] == "mine"
    assert {row["program"] for row in ranked.rows} == {
        *("mine", "uniform", "first_token", "token_length", "earlier", "random_values")
    }
    with pytest.raises(ParameterError, match="no 'keyword' in programs; choose from"):
        score_programs(readings, programs=["keyword"])
    with pytest.raises(ParameterError, match="program 'mine' is float; expected a function"):
        score_programs(readings, programs={"mine": 1.0})
    with pytest.raises(ParameterError, match="no programs; expected at least one"):
        score_programs(readings, programs=[])
    with pytest.raises(ParameterError, match="metrics is 'iou'; expected a list"):
        score_programs(readings, metrics="iou")
    with pytest.raises(DataError, match="program 'mine' gives"):
        score_programs(readings, programs={"mine": lambda tokens, _: -np.ones(len(tokens))})
    with pytest.raises(DataError, match="'mine' fails for .*KeyError: 'loops'; it is called with"):
        score_programs(readings, programs={"mine": lambda _, known: known.frequency["loops"]})
    with pytest.raises(DataError, match="'mine' fails for .*TypeError"):
        score_programs(readings, programs={"mine": lambda tokens: np.ones(len(tokens))})


def test_a_plug_in_adds_a_program(monkeypatch):
    entry = EntryPoint("mine", "gazecode.agreement.programs.kinds:keywords", PROGRAMS.group)
    found = {"gazecode.programs": [entry]}
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found.get(group, []))
    table = Registry("programs", {}, group="gazecode.programs")
    assert table["mine"] is PROGRAMS["keywords"]
    assert PROGRAMS.group == "gazecode.programs"


def scores_of(program, *, expected=False, noise=0.2):
    rng, found = np.random.default_rng(1), {}
    for source, tokens in files(5).items():
        value = PROGRAMS[program](tokens, Known()) + noise * rng.random(len(tokens))
        bias = np.arange(len(tokens), 0, -1.0)
        found[source] = ModelScores(
            model="m",
            method="attention_last",
            span=tokens.span,
            value=value * bias if expected else value,
            expected=bias if expected else None,
        )
    return found


@pytest.mark.parametrize("expected", [False, True])
def test_a_model_that_attends_by_a_program_is_found_out(expected):
    ranked = explain(scores_of("operators", expected=expected), files(5), **FEW)
    assert ranked.rows[0]["program"] == "operators"
    assert np.isnan(ranked.ceiling["iou"])
    assert ranked.hold_out == "files: learnt from the texts of other files; nothing of people"
    assert {(k.n_people, k.n_files) for k in ranked.known.values()} == {(0, 4)}


def test_one_table_says_what_explains_whom():
    people = readers("identifiers_only", people=4, n_files=5, noise=0.1)
    scores = {
        "people": score_programs(people, **FEW),
        "model X / attention_last": explain(
            scores_of("operators"), files(5), observed=people, **FEW
        ),
    }
    table = explanation_table(scores)
    assert (table.metric, table.readers) == ("iou", tuple(scores))
    assert table.rows[0]["program"] == "identifiers_only"
    best = max(table.rows[:-1], key=lambda row: row["model X / attention_last"])
    assert best["program"] == "operators"
    assert table.rows[-1]["program"] == "ceiling"
    assert table.rows[-1]["people"] == scores["people"].ceiling["iou"]
    row = next(row for row in table.rows if row["program"] == "calls")
    assert row["people (above chance)"] == scores["people"]["calls"]["iou_above_chance"]
    assert len(table.to_frame()) == len(table.rows)
    assert "model X / attention_last" in str(table)
    json.dumps(table.to_dict())
    by_rank = explanation_table(scores, metric="spearman")
    assert by_rank.rows[0]["people"] == scores["people"].rows[0]["spearman"]
    moves = score_transitions(people, **FEW)
    with pytest.raises(
        ParameterError, match="ranks programs of transitions, the first one of maps"
    ):
        explanation_table({**scores, "moves": moves})
    with pytest.raises(ParameterError, match="no 'nss' in metrics of people"):
        explanation_table(scores, metric="nss")
    with pytest.raises(ParameterError, match="no rankings"):
        explanation_table({})


def test_what_people_look_at_explains_a_model_or_not():
    people = readers("signatures", noise=0.0)
    ranked = explain(scores_of("signatures", noise=0.01), files(5), observed=people, **FEW)
    assert {(k.n_people, k.n_files) for k in ranked.known.values()} == {(4, 5)}
    row = ranked["label_theta"]
    assert row["iou"] > max(row["iou_chance_high"], ranked["uniform"]["iou"])
    alone = explain(scores_of("signatures", noise=0.01), files(5), **FEW)
    assert alone["label_theta"]["iou"] == alone["uniform"]["iou"]


def test_a_head_that_looks_at_the_token_before_is_found_out():
    rng = np.random.default_rng(0)
    maps = {}
    for source, tokens in files(4).items():
        m = len(tokens)
        matrix = np.tril(np.eye(m, k=-1) + 0.02 * rng.random((m, m)))
        maps[source] = ModelScores(
            model="m", method="head 3", span=tokens.span, value=np.ones(m), matrix=matrix
        )
    ranked = explain_transitions(maps, files(4), bootstrap=100)
    assert ranked.rows[0]["program"] == "previous_token"
    assert "programs see earlier tokens alone" in ranked.chance
    # Rows of uniform are 1 / (i + 1): only in the first row the head is the same.
    assert ranked["next_token"]["iou"] == 0
    assert np.isnan(ranked.rows[0]["iou_chance"])
    free = explain_transitions(maps, files(4), causal=False, bootstrap=100)
    assert free["nearby"]["iou"] < ranked["nearby"]["iou"]
    people = readers("uniform", n_files=4)
    both = explanation_table({"people": score_transitions(people, **FEW), "head 3": ranked})
    assert both.rows[0]["program"] == "next_identifier"


def test_scores_of_other_tokens_are_refused():
    tokens = files(2)
    with pytest.raises(DataError, match="no scores of a model"):
        explain({}, tokens)
    with pytest.raises(DataError, match="file9: scores without tokens"):
        explain({"file9": np.ones(3)}, tokens)
    with pytest.raises(DataError, match=r"file0: scores of \(3,\); expected one per token"):
        explain({"file0": np.ones(3)}, tokens)
    other = ModelScores(model="m", method="a", span=[[0, 1]], value=[1.0])
    with pytest.raises(DataError, match="file0: scores of 1 tokens, which are not the"):
        explain({"file0": other}, tokens)
    with pytest.raises(DataError, match="file0: scores without a matrix"):
        explain_transitions({"file0": other}, tokens)
    with pytest.raises(DataError, match=r"file0: a matrix of \(2, 2\)"):
        explain_transitions({"file0": np.ones((2, 2))}, tokens)


def test_the_names_of_the_package_are_its_own():
    assert set(pg.__all__) <= set(dir(pg))
