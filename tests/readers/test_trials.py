"""Trials from labels: unique names, kept rows, runs."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (3)", ""])))
def test_names_are_unique_and_keep_their_stem(names):
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    assert all(new.startswith(old) for new, old in zip(unique, names, strict=True))


def test_a_name_that_looks_like_a_repetition_is_not_taken_twice():
    assert unique_names(["a", "a (2)", "a", "a"]) == ["a", "a (2)", "a (3)", "a (4)"]


@given(st.lists(st.integers(0, 9), min_size=1))
def test_kept_rows_are_the_first_of_each_stamp(stamps):
    kept = np.unique(np.array(stamps, dtype=float))
    assert kept_rows(stamps, kept).tolist() == [stamps.index(int(t)) for t in kept]


def test_rows_without_a_stamp_are_never_kept():
    assert kept_rows([np.nan, 3.0, np.nan, 1.0], [1.0, 3.0]).tolist() == [3, 1]


@given(st.lists(st.tuples(st.integers(1, 500), st.sampled_from("ab")), max_size=40))
def test_runs_hold_every_sample_once(rows):
    t = np.cumsum([float(step) for step, _ in rows])
    labels = [label for _, label in rows]
    runs = label_runs(t, labels)
    inside = [[labels[first]] * int(((t >= a) & (t < b)).sum()) for first, a, b in runs]
    assert [label for run in inside for label in run] == labels
    assert all(b <= c for (_, _, b), (_, c, _) in pairwise(runs))
