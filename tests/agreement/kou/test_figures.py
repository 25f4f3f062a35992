"""The figures against the reference's wording, done by hand with loops; what is left out is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.agreement.kou import (
    LabelledPrompt,
    PublishedScores,
    ScoredTokens,
    as_comparison_inputs,
    kou_figures,
    locate_row,
    rows_by_units,
)
from gazecode.errors import DataError, ParameterError

MBPP = "Write a function to sort a list."
INCODER = "Find the first of all."


def labelled(text, spans, source="mbpp"):
    return LabelledPrompt(text=text, source=source, span=spans)


def row(prompts, model="m", method="a"):
    return PublishedScores(
        model=model,
        method=method,
        prompts={
            text: ScoredTokens(text=tuple(t for t, _ in tokens), score=[s for _, s in tokens])
            for text, tokens in prompts.items()
        },
    )


def by_hand(human, scored, k):
    """Precision, recall, F1, alpha, kappa and mean alpha, pair by pair."""
    of_model = of_human = n_model = n_human = 0
    people, model, alphas = [], [], []
    for text, tokens in scored.prompts.items():
        spans = [tuple(one) for one in human[text].span.tolist()]
        cursor, places = 0, []
        for token, score in zip(tokens.text, tokens.score.tolist(), strict=True):
            start = text.find(token, cursor)
            if start >= 0:
                cursor = start + len(token)
                places.append((start, cursor, score))
        top = [one[:2] for one in sorted(places, key=lambda one: -one[2])[:k]]
        n_model, n_human = n_model + len(top), n_human + len(spans)
        for a, b in set(spans):
            for c, d in set(top):
                shared = max(0, min(b, d) - max(a, c))
                of_model += shared / (d - c) if d > c else 0
                of_human += shared / (b - a) if b > a else 0

        def touched(start, end, any_of):
            return int(any(end > a and start < b for a, b in any_of))

        codes = [[touched(a, b, these) for a, b, _ in places] for these in (spans, top)]
        people, model = people + codes[0], model + codes[1]
        alphas.append(alpha_by_hand(*codes))
    precision = of_model / n_model if n_model and n_human else np.nan
    recall = of_human / n_human if n_human and n_model else np.nan
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    if np.isnan(precision) or np.isnan(recall):
        f1 = np.nan
    held = [alpha for alpha in alphas if not np.isnan(alpha)]
    return [
        precision,
        recall,
        f1,
        alpha_by_hand(people, model),
        kappa_by_hand(people, model),
        np.mean(held) if held else np.nan,
    ]


def alpha_by_hand(a, b):
    n = 2 * len(a)
    ones = sum(a) + sum(b)
    if ones in {0, n}:
        return np.nan
    observed = sum(x != y for x, y in zip(a, b, strict=True)) / len(a)
    return 1 - observed / (2 * ones * (n - ones) / (n * (n - 1)))


def kappa_by_hand(a, b):
    if not a:
        return np.nan
    agree = np.mean([x == y for x, y in zip(a, b, strict=True)])
    p, q = np.mean(a), np.mean(b)
    chance = p * q + (1 - p) * (1 - q)
    return (agree - chance) / (1 - chance) if chance < 1 else np.nan


@st.composite
def studies(draw):
    human, scored = {}, {}
    for i in range(draw(st.integers(1, 4))):
        text = f"{i} " + draw(st.text("ab ", min_size=1, max_size=25))
        places = st.integers(0, len(text))
        spans = draw(st.lists(st.tuples(places, places).map(sorted), max_size=5))
        human[text] = labelled(text, spans + spans[: draw(st.integers(0, 1))], "humaneval")
        tokens = st.tuples(st.text("ab", min_size=1, max_size=3), st.sampled_from([0.0, 0.5, 1.0]))
        scored[text] = draw(st.lists(tokens, max_size=12))
    return human, row(scored)


@given(study=studies(), k=st.integers(1, 6))
def test_figures_are_those_of_the_definition_done_by_hand(study, k):
    human, scored = study
    found = kou_figures(human, scored, k=k, compat="kou2024")
    figures = [found.precision, found.recall, found.f1, found.alpha, found.cohen_kappa]
    assert [*figures, found.alpha_mean] == pytest.approx(
        by_hand(human, scored, k), abs=1e-12, nan_ok=True
    )


@given(study=studies(), k=st.integers(1, 6))
def test_what_is_taken_in_and_left_out_adds_up(study, k):
    human, scored = study
    found = kou_figures(human, scored, k=k)
    sizes = [len(tokens) for tokens in locate_row(human, scored).score.values()]
    assert found.n_prompts == len(human)
    assert found.tokens_located == sum(sizes) <= found.tokens_total
    assert found.model_selected == sum(min(k, n) for n in sizes)
    assert found.short == sum(n <= k for n in sizes)
    assert found.n_spans == sum(len(prompt.span) for prompt in human.values())


def test_whole_key_words_raise_what_lost_its_last_character():
    human = {MBPP: labelled(MBPP, [(20, 23), (25, 25)])}
    scored = row({MBPP: [("sort", 0.9), ("a", 0.1), ("list", 0.0)]})
    right, published = (
        kou_figures(human, scored, k=2),
        kou_figures(human, scored, k=2, compat="kou2024"),
    )
    assert (right.precision, right.recall) == (1.0, 1.0)
    assert (published.precision, published.recall) == (0.375, 0.5), "an empty span is still counted"


def test_equal_scores_go_to_the_earlier_token():
    human = {MBPP: labelled(MBPP, [(0, 4)])}
    scored = row({MBPP: [("Write", 0.0), ("sort", 0.0), ("list", -1.0)]})
    assert kou_figures(human, scored, k=1).precision == 1.0


def test_two_rows_of_incoder_are_shifted_where_the_paper_did_and_nowhere_else():
    human = {INCODER: labelled(INCODER, [(9, 14)], "humaneval")}
    tokens = {INCODER: [("Find", 0.1), ("first", 0.9), ("of", 0.2)]}
    cases = [
        ("incoder", "inputxgradient_coding", "kou2024", True),
        ("incoder", "inputxgradient_reading", "kou2024-table3", True),
        ("incoder", "saliency_reading", "kou2024-table3", True),
        ("incoder", "saliency_reading", "kou2024", False),
        ("incoder", "reading_first", "kou2024-table3", False),
        ("incoder", "inputxgradient_coding", None, False),
        ("codegen", "inputxgradient_coding", "kou2024", False),
    ]
    for model, method, compat, shifted in cases:
        found = kou_figures(human, row(tokens, model, method), k=1, compat=compat)
        assert found.precision == (0.6 if shifted else 1.0), (model, method, compat)


def test_prompts_without_labels_or_scores_are_counted_and_none_at_all_is_refused():
    human = {MBPP: labelled(MBPP, [(0, 4)]), "Sort it.": labelled("Sort it.", [(0, 3)])}
    found = kou_figures(human, row({MBPP: [("Write", 1.0)], "Find it.": [("Find", 1.0)]}), k=1)
    assert (found.n_prompts, found.unlabelled, found.unscored) == (1, 1, 1)
    assert (found.n_spans, found.tokens_total) == (1, 1)
    with pytest.raises(DataError, match=r"m a: none of its 1 prompts is among the 2"):
        kou_figures(human, row({"Find it.": [("Find", 1.0)]}), k=1)


def test_what_is_undefined_is_nan_and_counted():
    human = {MBPP: labelled(MBPP, [])}
    found = kou_figures(human, row({MBPP: [("teh", 1.0)]}), k=1)
    assert np.isnan([found.precision, found.f1, found.alpha, found.cohen_kappa]).all()
    assert np.isnan(found.alpha_mean)
    assert (found.alpha_undefined, found.tokens_located, found.tokens_total) == (1, 0, 1)


def test_parameters_are_checked():
    human = {MBPP: labelled(MBPP, [(0, 4)])}
    scored = row({MBPP: [("Write", 1.0)]})
    with pytest.raises(ParameterError, match="k is 0; expected 1 or more"):
        kou_figures(human, scored, k=0)
    with pytest.raises(ParameterError, match="no 'kou' in published figures; choose from: kou2024"):
        kou_figures(human, scored, k=1, compat="kou")


def test_rows_over_other_tokens_are_told_apart():
    human = {MBPP: labelled(MBPP, [(20, 23)])}
    tokens = [("Write", 0.5), ("sort", 0.1)]
    one, two = row({MBPP: tokens}), row({MBPP: [(t, -s) for t, s in tokens]}, method="b")
    other = row({MBPP: tokens[1:]}, method="c")
    marks, model = as_comparison_inputs(human, [one, two])
    assert marks[MBPP].unit.tolist() == [[0, 5], [20, 24]]
    assert marks[MBPP].marked.tolist() == [[20, 24]]
    assert {name: held[MBPP].tolist() for name, held in model.items()} == {
        "m a": [0.5, 0.1],
        "m b": [-0.5, -0.1],
    }
    with pytest.raises(DataError, match="m c has other tokens than m a in 'Write a function"):
        as_comparison_inputs(human, [one, other])
    assert [[r.method for r in held] for held in rows_by_units(human, [one, other, two])] == [
        ["a", "b"],
        ["c"],
    ]
    with pytest.raises(DataError, match="two rows are called 'm a'"):
        as_comparison_inputs(human, [one, one])
    with pytest.raises(DataError, match="no row of scores"):
        as_comparison_inputs(human, [])
