import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.measures.order import needleman_wunsch, order_score

LINES = st.lists(st.integers(0, 4), max_size=9)


def table(a, b, match, mismatch, gap):
    """The textbook's table, cell by cell."""
    held = [[gap * (i + j) for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            pair = match if a[i - 1] == b[j - 1] else mismatch
            held[i][j] = max(held[i - 1][j - 1] + pair, held[i - 1][j] + gap, held[i][j - 1] + gap)
    return held[-1][-1]


@given(LINES, LINES, st.tuples(st.integers(1, 4), st.integers(-4, 0), st.integers(-4, 0)))
def test_against_the_table(a, b, scores):
    match, mismatch, gap = scores
    found = needleman_wunsch(a, b, match=match, mismatch=mismatch, gap=gap)
    assert found == pytest.approx(table(a, b, *scores))
    assert found == needleman_wunsch(b, a, match=match, mismatch=mismatch, gap=gap)


def test_the_example_of_the_1970_scores():
    """GCATGCG and GATTACA with 1, -1, -1: the example every textbook has, score 0."""
    numbers = {c: i for i, c in enumerate("ACGT")}
    a, b = ([numbers[c] for c in word] for word in ("GCATGCG", "GATTACA"))
    assert needleman_wunsch(a, b, match=1, mismatch=-1, gap=-1) == 0


@given(
    st.lists(st.integers(-1, 4), max_size=12), st.lists(st.integers(0, 4), min_size=1, max_size=5)
)
def test_dynamic_is_the_best_of_all_passes(path, reference):
    said = order_score(path, reference)
    visits = [line for line, _ in itertools.groupby(p for p in path if p >= 0)]
    scores = [table(visits, reference * k, 3, -3, -2) for k in range(1, len(visits) + 3)]
    assert said.naive == scores[0]
    assert said.dynamic == max(scores) >= said.naive
    assert said.repetitions == scores.index(max(scores)) + 1
    assert said.n_path == len(visits)
    assert said.n_path + said.n_joined + said.n_passed_over == len(path)
    if visits:
        assert said.dynamic_share <= 1


@given(st.permutations([*range(5)]), st.integers(1, 4))
def test_whole_passes_score_one(reference, times):
    said = order_score(reference * times, reference)
    assert said.dynamic_share == 1
    assert said.repetitions == times
    assert (said.naive_share == 1) == (times == 1)
    assert said.n_foreign == 0


def test_joined_visits_and_foreign_lines():
    said = order_score([1, 1, -1, 1, 2, 9], [1, 2])
    assert (said.n_path, said.n_joined, said.n_passed_over, said.n_foreign) == (3, 2, 1, 1)
    assert order_score([1, 1, 2], [1, 2], join=False).n_path == 3
    assert np.isnan(order_score([-1], [1]).naive_share)


def test_refusals():
    with pytest.raises(DataError, match="reference order holds no line"):
        order_score([1], [])
    with pytest.raises(ParameterError, match="gap is 1; expected a penalty"):
        needleman_wunsch([1], [1], gap=1)
    with pytest.raises(ParameterError, match="match is 0"):
        order_score([1], [1], match=0)


def test_five_thousand_fixations_on_three_hundred_lines():
    rng = np.random.default_rng(0)
    path, reference = rng.integers(0, 300, 5000), np.arange(300)
    start = time.process_time()
    score = needleman_wunsch(path, reference)
    print(f"5,000 fixations on 300 lines: {time.process_time() - start:.3f} s")
    # Nothing of the path can be worth more than a match of every line of the reference.
    assert score <= 3.0 * 300 - 2.0 * 4700


@given(
    st.lists(st.integers(0, 4), max_size=9),
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.sampled_from([0.0, -0.5, -2.0, -5.0]),
)
def test_dynamic_is_the_best_over_any_number_of_passes(line, reference, gap):
    found = order_score(line, reference, gap=gap)
    path = [a for i, a in enumerate(line) if i == 0 or a != line[i - 1]]
    best = max(
        needleman_wunsch(path, reference * k, gap=gap) for k in range(1, max(len(path), 1) + 3)
    )
    assert found.dynamic == pytest.approx(best)


def test_more_passes_than_the_path_is_long_turn_mismatches_into_matches():
    assert order_score([2, 1, 2, 1, 2], [1, 0, 2]).dynamic == 7.0
