"""Published and corrected figures of Kou et al. 2024, on the files themselves."""

import json

import numpy as np
import pytest

from gazecode.agreement.kou import kou_figures, load_kou2024

pytestmark = pytest.mark.real
ROWS = [(method, k) for method in ("shap_perturbation", "saliency_coding") for k in (5, 10, 20)]
FIGURES = ("precision", "recall", "f1", "alpha")


@pytest.fixture(scope="module")
def folder(shared_data):
    folder = shared_data / "kou2024"
    if not folder.is_dir():
        pytest.skip("kou2024 is not beside this checkout (../shared/data/kou2024)")
    return folder


@pytest.fixture(scope="module")
def study(folder):
    return load_kou2024(folder)


@pytest.fixture(scope="module")
def expected(folder):
    rows = json.loads((folder / "expected.json").read_text())["rows"]
    return {(row["method"], row["k"]): row for row in rows}


def figures(study, method, k, compat):
    (scores,) = [row for row in study.scores if row.method == method]
    return kou_figures(study.human, scores, k=k, compat=compat)


def test_every_row_that_is_expected_is_tested(expected):
    assert set(expected) == set(ROWS)


@pytest.mark.parametrize(("method", "k"), ROWS)
def test_the_published_figures_and_counts(study, expected, method, k):
    found, row = figures(study, method, k, "kou2024"), expected[method, k]
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(row["recomputed"][name], abs=1e-9), name
    assert found.cohen_kappa == pytest.approx(row["cohen_kappa"], abs=1e-9)
    assert found.tokens_located == row["n_tokens_located"]
    assert found.tokens_total == row["n_tokens_total"]
    assert found.human_selected == row["human_selected"]
    assert found.model_selected == row["model_selected"]
    assert found.n_prompts == row["n_prompts"] == 1134
    assert (found.n_spans, found.unlabelled, found.unscored) == (7990, 0, 0)
    printed = [*(f"{getattr(found, name):.1%}" for name in FIGURES[:3]), f"{found.alpha:.2f}"]
    paper = row["paper"]
    assert printed == [
        *(f"{paper[f'{name}_pct']:.1f}%" for name in FIGURES[:3]),
        f"{paper['alpha']:.2f}",
    ]


@pytest.mark.parametrize(("method", "k"), ROWS)
def test_the_figures_with_whole_key_words(study, expected, method, k):
    found = figures(study, method, k, None)
    right = expected[method, k]["ours_if_mbpp_end_inclusive_fixed"]
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(right[name], abs=1e-9), name


def test_ends_are_inclusive_in_all_of_mbpp_but_one_prompt(study):
    by_source = {"mbpp": [], "humaneval": []}
    for prompt in study.human.values():
        by_source[prompt.source].append(prompt)
    assert {source: len(held) for source, held in by_source.items()} == {
        "mbpp": 970,
        "humaneval": 164,
    }
    exclusive = [prompt.text for prompt in by_source["mbpp"] if not prompt.ends_inclusive]
    assert exclusive == ["Write a python function to find sum of even index binomial coefficients."]
    assert not any(prompt.ends_inclusive for prompt in by_source["humaneval"])
    spans = np.concatenate([prompt.span for prompt in by_source["mbpp"]])
    assert (spans[:, 0] == spans[:, 1]).sum() == 99
    words = [
        prompt.text[start:end]
        for prompt in by_source["mbpp"]
        for start, end in prompt.word_span.tolist()
    ]
    assert all(words)
    assert not any(word != word.strip() for word in words)


def test_spans_that_occur_twice_are_kept(study):
    twice = sum(
        len(prompt.span) - len(np.unique(prompt.span, axis=0)) for prompt in study.human.values()
    )
    assert twice == 24
