"""Human attention as rows: laws, and dense matrices as an oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.alignment.targets.answers import (
    DIRECTIONS,
    AttentionTarget,
    CausalTarget,
    answer_rows,
    answer_target,
    causal_target,
    full_target,
    preference_masks,
    source_keys,
)
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example, Transitions


@st.composite
def saccades(draw):
    """Counts between up to 8 positions, diagonal included; and keys."""
    n = draw(st.integers(0, 8))
    count = st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 0.25, 7.5])
    dense = np.array([[draw(count) for _ in range(n)] for _ in range(n)]).reshape(n, n)
    key = np.array([draw(st.booleans()) for _ in range(n)], dtype=bool)
    return dense, draw(st.sampled_from([None, key]))


def sparse(dense):
    origin, target = np.nonzero(dense)
    return Transitions(size=len(dense), origin=origin, target=target, count=dense[origin, target])


def turned(dense, direction):
    return {"forward": dense, "transpose": dense.T, "symmetric": dense + dense.T}[direction]


def rows_to_one(dense):
    total = dense.sum(axis=1, keepdims=True)
    return np.divide(dense, total, out=np.zeros_like(dense), where=total > 0)


@given(saccades(), st.sampled_from(DIRECTIONS))
def test_causal_rows_against_a_dense_matrix(case, direction):
    dense, keys = case
    found = causal_target(sparse(dense), direction=direction, keys=keys)
    whole = turned(dense, direction)
    key = np.ones(len(dense), dtype=bool) if keys is None else keys
    expected = np.tril(whole) * key
    np.testing.assert_allclose(found.to_dense(), rows_to_one(expected), atol=1e-12)
    assert found.query.tolist() == (expected.sum(axis=1) > 0).tolist()
    had, has = whole.sum(axis=1) > 0, expected.sum(axis=1) > 0
    assert found.skipped_rows == (had & ~has).sum()
    assert found.key.tolist() == key.tolist()


@given(saccades(), st.sampled_from(DIRECTIONS))
def test_every_saccade_is_kept_discarded_or_removed(case, direction):
    dense, keys = case
    found = causal_target(sparse(dense), direction=direction, keys=keys)
    key = np.ones(len(dense), dtype=bool) if keys is None else keys
    kept = discarded = removed = 0.0
    for a, b in np.argwhere(dense):
        row, col = {"forward": (a, b), "transpose": (b, a)}.get(direction, (max(a, b), min(a, b)))
        if col > row:
            discarded += dense[a, b]
        elif not key[col]:
            removed += dense[a, b]
        else:
            kept += dense[a, b]
    total = dense.sum() or 1.0
    assert found.discarded_share == pytest.approx(discarded / total)
    assert found.removed_share == pytest.approx(removed / total)
    again = np.trace(dense * key) if direction == "symmetric" else 0.0
    assert found.rows.count.sum() == pytest.approx(kept + again)


@given(saccades(), st.sampled_from(DIRECTIONS))
def test_full_rows_sum_to_one(case, direction):
    dense, _ = case
    found = full_target(sparse(dense), direction=direction)
    np.testing.assert_allclose(
        found.to_scipy().toarray(), rows_to_one(turned(dense, direction)), atol=1e-12
    )


@given(saccades())
def test_forward_and_transpose_are_each_others_mirror(case):
    """Law: what no forward row can hold is what a transposed row holds off the diagonal."""
    dense, _ = case
    forward, transpose = (causal_target(sparse(dense), direction=d) for d in DIRECTIONS[:2])
    diagonal = np.trace(dense) / (dense.sum() or 1.0)
    share = 0.0 if not dense.any() else 1.0
    assert forward.discarded_share + transpose.discarded_share + diagonal == pytest.approx(share)


def test_forward_keeps_the_shares_of_a_shard_without_counts():
    """Rows of subwords are copied to every shard; one that owns no byte has no count."""
    twice = Transitions(size=3, origin=[1, 2], target=[0, 0], count=[3.0, 0.0], share=[1.0, 1.0])
    assert causal_target(twice).rows.share.tolist() == [1.0, 1.0]
    assert causal_target(twice, direction="symmetric").rows.share.tolist() == [1.0]


def test_directions_and_keys_are_checked():
    nothing = Transitions(size=2, origin=[], target=[], count=[])
    assert causal_target(nothing).skipped_rows == 0
    for make in (causal_target, full_target):
        with pytest.raises(ParameterError, match="no 'backward' in directions; choose from"):
            make(nothing, direction="backward")
    with pytest.raises(ParameterError, match=r"keys has shape \(3,\); expected one flag for each"):
        causal_target(nothing, keys=np.ones(3, dtype=bool))
    with pytest.raises(DataError, match="later position"):
        CausalTarget(
            rows=Transitions(size=2, origin=[0], target=[1], count=[1.0]),
            key=[True, True],
            skipped_rows=0,
            discarded_share=0.0,
        )
    with pytest.raises(DataError, match="1 keys for 2"):
        CausalTarget(rows=nothing, key=[True], skipped_rows=0, discarded_share=0.0)


def example(**more):
    n = len(more.get("attention", [0.0] * 8))
    usual = {
        **dict.fromkeys(("source_id", "participant", "trial", "language", "text"), ""),
        "example_id": "e1",
        "input_ids": range(n),
        "loss_mask": [False] * n,
        "weight": [1.0] * n,
        "attention": [0.0] * n,
        "on_path": [False] * n,
        "token_index": [0] * n,
        "token_start": [0],
        "token_end": [1],
        "token_label": [""],
        "token_value": [1.0],
    }
    return Example(**usual | more)


PARTS = {
    "segment_name": ["instruction", "code", "answer"],
    "segment_start": [1, 3, 6],
    "segment_end": [3, 6, 8],
}


def test_the_default_target_by_hand():
    asked = example(
        **PARTS,
        attention=[0.1, 0.1, 0.0, 0.3, 0.2, 0.1, 0.2, 0.0],
        token_index=[-1, 0, 0, 1, 1, -1, 2, 2],
        loss_mask=[False] * 6 + [True] * 2,
    )
    target = answer_target(asked)
    assert np.flatnonzero(target.key).tolist() == [3, 4]
    assert np.flatnonzero(target.query).tolist() == [6, 7]
    np.testing.assert_allclose(target.probability, [0, 0, 0, 0.6, 0.4, 0, 0, 0])
    assert target.removed_share == pytest.approx(0.5)
    rows = answer_rows(target)
    np.testing.assert_allclose(rows.to_dense()[6:], [target.probability] * 2)
    assert (rows.skipped_rows, rows.discarded_share) == (0, 0.0)
    both = answer_target(asked, keys=("code", "instruction"), queries=("code",))
    assert np.flatnonzero(both.key).tolist() == [1, 2, 3, 4]
    assert np.flatnonzero(both.query).tolist() == [3, 4, 5]
    assert answer_target(asked, keys="code").probability.tolist() == target.probability.tolist()


def test_without_segments_all_subwords_with_a_token_are_keys():
    plain = example(token_index=[-1, 0, 0, 0, -1, 0, 0, -1], loss_mask=[True] * 8)
    assert np.flatnonzero(source_keys(plain)).tolist() == [1, 2, 3, 5, 6]
    target = answer_target(plain)
    assert not target.probability.any()
    assert target.removed_share == 0
    rows = answer_rows(target)
    assert (rows.skipped_rows, len(rows.rows), rows.discarded_share) == (8, 0, 0.0)


def test_a_segment_that_is_not_there_is_refused_but_for_a_window():
    asked = example(**PARTS)
    expected = "example e1 has no segment source; it has: instruction, code, answer"
    with pytest.raises(ParameterError, match=expected):
        answer_target(asked, keys=("source",))
    with pytest.raises(ParameterError, match="no segment reply"):
        answer_target(asked, queries=("reply",))
    assert not source_keys(replace(asked, n_windows=2), segments=("source",)).any()
    infill = example(**PARTS | {"segment_name": ["prefix", "suffix", "middle"]})
    assert np.flatnonzero(source_keys(infill)).tolist() == list(range(1, 8))


@given(st.data())
def test_answer_rows_against_loops(data):
    n = data.draw(st.integers(0, 8))
    draw = lambda part: np.array([data.draw(part) for _ in range(n)])  # noqa: E731
    query, key = draw(st.booleans()).astype(bool), draw(st.booleans()).astype(bool)
    mass = draw(st.sampled_from([0.0, 1.0, 2.5])).astype(float) * key
    probability = mass / (mass.sum() or 1)
    target = AttentionTarget(query=query, key=key, probability=probability)
    found = answer_rows(target)
    expected, lost = np.zeros((n, n)), []
    for i in np.flatnonzero(query):
        expected[i, : i + 1] = probability[: i + 1]
        lost.append(1 - expected[i].sum())
    np.testing.assert_allclose(found.to_dense(), rows_to_one(expected), atol=1e-12)
    assert found.skipped_rows == (query & (expected.sum(axis=1) == 0)).sum()
    assert found.discarded_share == pytest.approx(
        np.mean(lost) if mass.any() and lost else 0.0, abs=1e-12
    )


@given(st.data())
def test_preference_masks_are_disjoint_and_under_the_loss(data):
    draw = lambda part: [data.draw(part) for _ in range(8)]  # noqa: E731
    made = example(
        loss_mask=draw(st.booleans()),
        on_path=draw(st.booleans()),
        token_index=draw(st.sampled_from([-1, 0])),
    )
    preferred, other = preference_masks(made)
    assert not (preferred & other).any()
    assert not ((preferred | other) & ~made.loss_mask).any()
    assert ((preferred | other) == made.loss_mask & (made.on_path | (made.token_index >= 0))).all()


def test_an_attention_target_checks_itself():
    with pytest.raises(DataError, match="sum to 0.5; expected 1"):
        AttentionTarget(query=[True], key=[True], probability=[0.5])
    for key, mass in ((False, 1.0), (True, -1.0), (True, np.nan)):
        with pytest.raises(DataError, match="negative, not finite or on no key"):
            AttentionTarget(query=[True], key=[key], probability=[mass])
    with pytest.raises(DataError, match="differ in length"):
        AttentionTarget(query=[True], key=[True], probability=[0.5, 0.5])
    assert len(AttentionTarget(query=[True], key=[True], probability=[1.0])) == 1
