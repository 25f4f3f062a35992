"""What the maker of examples hands to the alignment, and what it says of the examples."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from gazecode.__main__ import app
from gazecode.alignment import align
from gazecode.demo import demo_study
from gazecode.errors import DataError
from gazecode.measures import pool_transitions, transition_account, transitions
from gazecode.study import examples as examples_module
from gazecode.study import load_study
from gazecode.study.examples import ExampleMaker
from gazecode.study.parts import load_part
from gazecode.study.process import process
from gazecode.weighting import pool

TRANSITIONS = ("transition_from", "transition_to", "transition_share", "transition_count")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Results of three recordings of the bundled study."""
    study, folder = load_study(demo_study()), tmp_path_factory.mktemp("parts")
    chosen = (0, 1, 4)
    for i in chosen:
        process(study, i, folder / str(i))
    return [(study.recordings[i], load_part(folder / str(i))) for i in chosen]


def with_settings(weigh_per="trial", **align_settings):
    study = load_study(demo_study())
    return study.model_copy(
        update={
            "align": study.align.model_copy(update=align_settings),
            "weigh": study.weigh.model_copy(update={"per": weigh_per}),
        }
    )


class Made:
    """Everything a maker gives for some parts."""

    def __init__(self, parts, **settings):
        self.failures = []
        self.study = with_settings(**settings)
        self.maker = ExampleMaker(self.study, lambda *said: self.failures.append(said))
        self.examples = list(self.maker.examples(parts))
        self.reports = self.maker.reports


def alone(weights, tokens, saccades):
    """The same example from a call of its own."""
    tokenizer = demo_study().parent / "tokenizer.json"
    return align(weights, tokens, tokenizer, strength=0.5, transitions=saccades)


def assert_same(example, other):
    for name in ("weight", "attention", *TRANSITIONS):
        np.testing.assert_allclose(getattr(example, name), getattr(other, name), err_msg=name)


def trials_of(parts, stimulus):
    return [
        (entry.participant, trial)
        for entry, result in parts
        for trial in result.trials
        if trial.shown.stimulus == stimulus
    ]


def test_an_example_holds_the_saccades_of_its_reading(parts):
    made = Made(parts)
    trials = [trial for _, result in parts for trial in result.trials]
    assert len(made.examples) == len(trials) == 6
    for example, report, trial in zip(made.examples, made.reports, trials, strict=True):
        account = transition_account(trial.hits)
        assert report["transitions"] == account
        held = report["transitions_in_example"] + report["saccades_lost"]
        assert held == pytest.approx(account["transitions"])
        rows = np.bincount(example.transition_from, weights=example.transition_share)
        np.testing.assert_allclose(rows[np.unique(example.transition_from)], 1.0)
        assert_same(example, alone(trial.weights, trial.shown.tokens, transitions(trial.hits)))


@pytest.mark.parametrize("per", ["participant", "source"])
def test_pooled_examples_hold_pooled_saccades(parts, per):
    # The first reader reads everything twice, with other gaze the second time.
    entry, result = parts[0]
    again = replace(result, trials=parts[1][1].trials)
    made = Made([*parts, (entry, again)], weigh_per=per)
    assert len(made.examples) == (6 if per == "participant" else 2)
    for example in made.examples:
        readings = trials_of([*parts, (entry, again)], example.source_id)
        readings = [r for r in readings if per == "source" or r[0] == example.participant]
        people, trials = zip(*readings, strict=True)
        pooled = pool_transitions(
            [transitions(t.hits) for t in trials], people, exposed=[t.hits.exposed for t in trials]
        )
        weights = pool([t.weights for t in trials], people)
        assert_same(example, alone(weights, trials[0].shown.tokens, pooled))
        report = next(r for r in made.reports if r["example_id"] == example.example_id)
        assert report["transitions"] == transition_account([t.hits for t in trials])
        held = report["transitions_in_example"] + report["saccades_lost"]
        assert held == pytest.approx(pooled.count.sum())


def test_transitions_can_be_left_out(parts):
    made = Made(parts, transitions=False)
    assert all(len(example.transition_count) == 0 for example in made.examples)
    assert {report["transitions"] for report in made.reports} == {None}
    with_them = Made(parts)
    for one, other in zip(made.examples, with_them.examples, strict=True):
        np.testing.assert_array_equal(one.weight, other.weight)


def test_every_setting_reaches_the_alignment(parts, monkeypatch):
    told = []

    def spy(*_, **how):
        told.append(how)
        raise DataError("enough")

    monkeypatch.setattr(examples_module, "align", spy)
    monkeypatch.setattr(examples_module, "align_windows", spy)
    chosen = {
        "policy": "share",
        "strength": 0.25,
        "per": "token",
        "max_ratio": 3.0,
        "template": "<s>{code}",
        "allow_inert": True,
    }
    made = Made(parts, **chosen)
    assert len(told) == len(made.failures) == 6
    assert told[0].keys() == {*chosen, "transitions", "route", "participant", "trial"}
    assert {name: told[0][name] for name in chosen} == chosen
    Made(parts, **chosen, max_length=40, overlap=8)
    assert told[6].keys() == {*told[0], "max_length", "overlap"}
    assert (told[6]["max_length"], told[6]["overlap"]) == (40, 8)


def test_a_long_text_becomes_windows(parts):
    made, whole = Made(parts, max_length=64, overlap=16), Made(parts)
    assert made.failures == []
    assert len({e.example_id for e in made.examples}) == len(made.examples) > len(whole.examples)
    assert max(len(e) for e in made.examples) <= 64
    for example, report in zip(made.examples, made.reports, strict=True):
        assert example.n_windows > 1
        assert (report["window"], report["n_windows"]) == (example.window, example.n_windows)
        assert report["attention_share"] == example.attention_share
        assert (example.route, example.participant_group) == ("source_lm", example.participant)
    for text in whole.examples:
        mine = [
            r
            for r in made.reports
            if (r["participant"], r["trial"]) == (text.participant, text.trial)
        ]
        assert [r["window"] for r in mine] == list(range(mine[0]["n_windows"]))
        assert sum(r["attention_share"] for r in mine) == pytest.approx(1.0, abs=1e-6)
        # A saccade into another window is dropped, and counted.
        held = sum(r["transitions_in_example"] + r["transitions_dropped"] for r in mine)
        held += mine[0]["saccades_lost"]
        assert held == pytest.approx(mine[0]["transitions"]["transitions"])
        assert len({json.dumps(r["transitions"]) for r in mine}) == 1


def test_a_template_keeps_the_route_and_the_reach(parts):
    made = Made(parts, template="// Task: explain.\n{code}\n// Done.")
    assert {e.route for e in made.examples} == {"source_lm"}
    assert [e.weight_reach for e in made.examples] == pytest.approx([1.0] * 6)
    for example in made.examples:
        assert example.text.startswith("// Task: explain.\n")
        outside = ~example.in_segment("code")
        assert (example.weight[outside] == 1.0).all()
        assert not np.isin(example.transition_from, np.flatnonzero(outside)).any()


@pytest.mark.parametrize("settings", [{}, {"max_length": 64, "overlap": 16}])
def test_a_recording_twice_is_one_failure_per_text(parts, settings):
    made = Made([parts[0], parts[0]], **settings)
    assert len(made.failures) == 2
    assert all(said[2] == "align" and "there twice?" in said[3] for said in made.failures)
    assert len(made.reports) == len({r["example_id"] for r in made.reports})


def test_reach_is_summed_up(parts):
    made = Made(parts)
    assert made.maker.reach() == {
        "n": 6,
        "n_neutral": 0,
        "n_inert": 0,
        **dict.fromkeys(("min", "q25", "median", "q75", "max"), 1.0),
    }
    made.maker.reports = [{"weight_reach": r} for r in (0.5, None, 0.0, 1.0, 0.25, 0.75)]
    assert made.maker.reach() == {
        "n": 6,
        "n_neutral": 1,
        "n_inert": 1,
        "min": 0.0,
        "q25": 0.25,
        "median": 0.5,
        "q75": 0.75,
        "max": 1.0,
    }


def test_plain_training_is_neutral_not_inert(parts):
    made = Made(parts, strength=0.0)
    assert made.maker.reach() == {"n": 6, "n_neutral": 6, "n_inert": 0}
    assert {report["weight_reach"] for report in made.reports} == {None}


def test_reports_are_json(parts):
    for settings in ({}, {"strength": 0.0}, {"max_length": 64}):
        json.dumps(Made(parts[:1], **settings).reports, allow_nan=False)


def test_a_run_prints_the_reach_and_writes_it_down(tmp_path):
    said = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "out")])
    assert said.exit_code == 0
    assert "weight_reach: 12 examples, min 1, median 1, max 1, 0 neutral" in said.stdout
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert quality["weight_reach"]["n"] == 12
    assert all(example["transitions"]["transitions"] > 10 for example in quality["examples"])
