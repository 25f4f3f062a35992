"""The tables of the evaluation: chance on the study's own prompts, and the manner of the tables."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazecode.agreement.compare import compare
from gazecode.agreement.kou import (
    as_comparison_inputs,
    kou_figures,
    load_kou2024,
    locate_row,
    rows_by_units,
)
from gazecode.agreement.metrics import binary_alpha
from gazecode.evaluation.kou import CHOSEN, PUBLISHED, chance_table, figure_table, kou_tables

PERMUTATIONS = 200
TEXTS = [
    "Write a function to sort a list.",
    "Write a function to find the first of two numbers in the list of all.",
    'def add(a, b):\n    """Add two numbers."""\n',
]


def made_up(folder):
    """Three prompts, and two rows over the same tokens beside one over others."""
    rng = np.random.default_rng(7)
    rows = []
    for number, text in enumerate(TEXTS):
        words = text.split()
        for method, these in (("shap", words), ("bert", words), ("attention", words[1:])):
            rows += [
                (number, "m", method, i, word, score)
                for i, (word, score) in enumerate(zip(these, rng.random(len(these)), strict=True))
            ]
    names = ("prompt_id", "model", "method", "tok_idx", "token", "score")
    folder.mkdir()
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "attention.parquet")
    human = {
        "prompt_id": [0, 1, 2],
        "source": ["mbpp", "mbpp", "humaneval"],
        "prompt": TEXTS,
        "spans": [[[20, 23], [27, 31]], [[0, 4], [29, 33]], [[22, 25]]],
    }
    pq.write_table(pa.table(human), folder / "human.parquet")
    return folder


def test_the_tables_name_every_row_and_repeat_with_their_seed(tmp_path):
    made_up(tmp_path / "kou2024")
    figures, chance = kou_tables(tmp_path, permutations=20, seed=3)
    assert [(row["row"], row["k"]) for row in figures.rows] == [
        (f"m {method}", k) for method in ("shap", "bert", "attention") for k in CHOSEN
    ]
    assert (
        {row["published"] for row in figures.rows}
        == {row["same"] for row in figures.rows}
        == {None}
    )
    assert [row["tokens"] for row in figures.rows[::3]] == ["28/28", "28/28", "25/25"]
    assert len(chance.rows) == 2 * len(figures.rows)
    assert "Pooled alpha is not 0 at chance: permuted 20 times" in chance.said
    assert json.dumps(figures.rows + chance.rows)
    again = list(kou_tables(tmp_path, permutations=20, seed=3))[1]
    assert again == chance
    assert list(kou_tables(tmp_path, permutations=20, seed=4))[1].rows != chance.rows


def test_a_row_has_the_same_chance_alone_and_among_others(tmp_path):
    study = load_kou2024(made_up(tmp_path / "kou2024"))
    one = load_kou2024(tmp_path / "kou2024", methods=("bert",))
    all_rows, _ = chance_table(study, permutations=20)
    alone, _ = chance_table(one, permutations=20)
    assert [row for row in all_rows if row["row"] == "m bert"] == alone


@pytest.fixture(scope="module")
def study(shared_data):
    folder = shared_data / "kou2024"
    if not folder.is_dir():
        pytest.skip("kou2024 is not beside this checkout (../shared/data/kou2024)")
    return load_kou2024(folder)


@pytest.fixture(scope="module")
def compared(study):
    """As published, by row: everything, with the figures of permutations."""
    metrics = [f"{name}@{k}" for name in ("f1", "alpha") for k in CHOSEN]
    found = {}
    for row in study.scores:
        marks, model = as_comparison_inputs(study.human, [row], compat="kou2024")
        found[row.name] = compare(
            marks, model, metrics=metrics, permutations=PERMUTATIONS, bootstrap=2, baselines=False
        )
    return found


@pytest.mark.real
def test_pooled_alpha_is_not_zero_at_chance_and_that_of_prompts_nearly_is(compared):
    """The values that the reference measured with three random sets of scores."""
    reference = {5: (0.09, 0.12, 0.0), 10: (0.17, 0.21, -0.05), 20: (0.10, 0.21, -0.28)}
    for row, comparison in compared.items():
        for k, (low, high, alone) in reference.items():
            found = comparison.figure(row, f"alpha@{k}")
            assert low - 0.005 < found.pooled_chance < high + 0.005, (row, k)
            assert found.pooled_chance_low > 0.09, "no permutation comes near 0"
            assert found.chance == pytest.approx(alone, abs=0.03), (row, k)
        assert abs(comparison.figure(row, "alpha@5").chance) < 0.01


@pytest.mark.real
@pytest.mark.parametrize("k", CHOSEN)
def test_chance_is_the_exact_expectation(study, compared, k):
    """Alpha is linear in the tokens both choose, and those are hypergeometric in a prompt."""
    for row in study.scores:
        located = locate_row(study.human, row, compat="kou2024")
        n = np.array([len(mark.unit) for mark in located.marks.values()])
        marked = np.array([mark.value.sum() for mark in located.marks.values()])
        chosen = np.minimum(n, k)
        both = chosen * marked / n
        counts = np.stack([both, marked - both, chosen - both, n - marked - chosen + both])
        found = compared[row.name].figure(row.name, f"alpha@{k}")
        # Ten standard errors of a mean over permutations, from their 95 % range.
        error = 10 * (found.pooled_chance_high - found.pooled_chance_low) / 4 / PERMUTATIONS**0.5
        assert found.pooled_chance == pytest.approx(binary_alpha(*counts.sum(axis=1)), abs=error)
        error = 10 * (found.chance_high - found.chance_low) / 4 / PERMUTATIONS**0.5
        assert found.chance == pytest.approx(np.mean(binary_alpha(*counts)), abs=error)


@pytest.mark.real
def test_short_prompts_have_larger_shares_of_key_words_and_of_chosen_tokens(study):
    """What makes the agreement of pooled chance: without it the shares would not go together."""
    for row in study.scores:
        marks = locate_row(study.human, row, compat="kou2024").marks.values()
        n = np.array([len(mark.unit) for mark in marks])
        shares = np.array([mark.value.mean() for mark in marks])
        short = n <= np.median(n)
        assert shares[short].mean() > 1.2 * shares[~short].mean()
        assert np.corrcoef(shares, np.minimum(n, 10) / n)[0, 1] > 0.2


@pytest.mark.real
def test_scores_of_shap_are_within_chance(compared):
    (row,) = [name for name in compared if "shap" in name]
    for k in CHOSEN:
        f1 = compared[row].figure(row, f"f1@{k}")
        assert abs(f1.pooled - f1.pooled_chance) < 0.01


@pytest.mark.real
@pytest.mark.parametrize("compat", ["kou2024", None])
def test_compare_and_the_study_s_own_definition_agree(study, compat):
    """Two ways to the same numbers: sums over units with permutations in mind, and spans."""
    names = {"precision": "precision", "recall": "recall", "f1": "f1", "alpha": "alpha"}
    names["kappa"] = "cohen_kappa"
    for group in rows_by_units(study.human, study.scores, compat=compat):
        marks, model = as_comparison_inputs(study.human, group, compat=compat)
        metrics = [f"{name}@{k}" for name in names for k in CHOSEN]
        found = compare(marks, model, metrics=metrics, permutations=1, bootstrap=1, baselines=False)
        for row in group:
            for k in CHOSEN:
                by_spans = kou_figures(study.human, row, k=k, compat=compat)
                for name, field in names.items():
                    pooled = found.figure(row.name, f"{name}@{k}").pooled
                    assert pooled == pytest.approx(getattr(by_spans, field), abs=1e-12)
                mean = found.figure(row.name, f"alpha@{k}").mean
                assert mean == pytest.approx(by_spans.alpha_mean, abs=1e-12)


@pytest.mark.real
def test_every_row_rounds_to_the_printed_digits(study):
    rows = figure_table(study)
    assert [row["same"] for row in rows] == ["yes"] * 6
    assert {("polycoder", row.method, k) for row in study.scores for k in CHOSEN} <= set(PUBLISHED)
