"""Programs of saccades against people: figures, chance, ceiling, planted truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_scenes import readers

import gazecode as gc
from gazecode.agreement.metrics import iou, js
from gazecode.agreement.programs import (
    TRANSITION_PROGRAMS,
    Known,
    Observed,
    explain_transitions,
    score_transitions,
)
from gazecode.agreement.programs.cells import Saccades, blocks
from gazecode.errors import DataError, ParameterError
from gazecode.model import ModelScores, Transitions

FEW = {"permutations": 60, "bootstrap": 60}
TOKENS = gc.parse("int f(int x) { return x + 1; }", "java")
M = len(TOKENS)


def reading(cells, *, person="P1", source="a", value=None, tokens=TOKENS):
    cells = dict(sorted(cells.items()))
    moves = Transitions(
        size=len(tokens),
        origin=[a for a, _ in cells],
        target=[b for _, b in cells],
        count=list(cells.values()),
    )
    value = np.ones(len(tokens)) if value is None else value
    return Observed(person=person, source=source, tokens=tokens, value=value, transitions=moves)


def dense(observed):
    matrix = np.zeros((M, M))
    seen = observed.transitions
    matrix[seen.origin, seen.target] = seen.count
    return matrix


cell = st.tuples(st.integers(0, M - 1), st.integers(0, M - 1))


@given(
    st.dictionaries(cell, st.sampled_from([1.0, 2.0, 5.0]), min_size=1, max_size=12),
    st.sampled_from(sorted(TRANSITION_PROGRAMS)),
    st.sets(st.integers(0, M - 1), max_size=4),
)
def test_figures_equal_those_of_the_dense_matrices(cells, name, hidden):
    value = np.ones(M)
    value[list(hidden)] = np.nan
    observed = reading(cells, value=value)
    ranked = score_transitions(
        [observed], programs=[name], permutations=0, bootstrap=0, hold_out="files"
    )
    human = dense(observed)
    left = human.sum(axis=1) > 0
    model = TRANSITION_PROGRAMS[name](TOKENS, Known())
    gone = ~(~np.isnan(value) | (human.sum(axis=0) > 0))
    model[:, gone] = 0
    row = ranked[name]
    assert row["iou"] == pytest.approx(iou(human[left], model[left]), abs=1e-12)
    each = np.atleast_1d(js(human[left], model[left]))
    silent = model[left].sum(axis=1) == 0
    expected = np.where(silent, np.log(2), each).mean()
    assert row["js"] == pytest.approx(expected, abs=1e-9)
    assert row["silent"] == pytest.approx(silent.mean())
    assert ranked.counts["rows"] == left.sum()


def test_a_worked_example():
    """One row left three times, twice to the next token; one row left once, to the next token."""
    ranked = score_transitions(
        [reading({(0, 1): 2, (0, 5): 1, (1, 2): 1})], hold_out="files", **FEW
    )
    # min: 2/3 + 1, max: 1 + 1/3 + 1.
    assert ranked["next_token"]["iou"] == pytest.approx((5 / 3) / (7 / 3))
    assert ranked["next_token"]["iou_pooled"] == pytest.approx((5 / 3) / (7 / 3))
    assert ranked["previous_token"]["iou"] == 0
    # Row 0 has no token before it.
    assert ranked["previous_token"]["silent"] == 0.5
    assert ranked["previous_token"]["js"] == pytest.approx(np.log(2))
    assert np.isnan(ranked.ceiling["iou"])
    assert ranked.counts == {
        "people": 1,
        "files": 1,
        "readings": 1,
        "saccades": 4,
        "rows": 2,
        "rows_never_left": M - 2,
        "readings_without_saccades": 0,
        "readings_that_only_taught": 0,
    }


def test_files_count_alike_and_pooled_figures_by_rows():
    onward = {(i, i + 1): 1 for i in range(9)}
    readings = [
        reading(onward, source="a"),
        reading({(3, 2): 1}, source="b"),
        reading({(3, 4): 1}, source="b", person="P2"),
    ]
    row = score_transitions(readings, hold_out="files", **FEW)["next_token"]
    assert row["iou"] == pytest.approx((1 + (0 + 1) / 2) / 2)
    assert row["iou_pooled"] == pytest.approx(10 / (9 + 2 + 1))
    assert (row["n_items"], row["n_people"]) == (2, 2)


def test_the_ceiling_is_one_person_against_the_mean_of_the_others():
    cells = [{(0, 1): 1, (4, 5): 1}, {(0, 1): 1}, {(0, 2): 3}]
    readings = [reading(c, person=f"P{i}") for i, c in enumerate(cells)]
    ranked = score_transitions(readings, hold_out="files", **FEW)
    stochastic = [dense(r) / np.maximum(dense(r).sum(1, keepdims=True), 1) for r in readings]
    expected = []
    for i, one in enumerate(stochastic):
        rest = np.sum([m for j, m in enumerate(stochastic) if j != i], axis=0)
        left = one.sum(axis=1) > 0
        expected.append(iou(one[left], rest[left]))
    assert ranked.ceiling["iou"] == pytest.approx(np.mean(expected))


def test_the_same_people_agree_perfectly():
    cells = {(0, 1): 1, (0, 3): 2, (4, 5): 1}
    readings = [reading(cells, person=f"P{i}") for i in range(3)]
    ranked = score_transitions(readings, hold_out="files", **FEW)
    assert ranked.ceiling["iou"] == pytest.approx(1.0)
    assert ranked.ceiling["js"] == pytest.approx(0.0, abs=1e-12)


@given(st.dictionaries(cell, st.integers(1, 4), min_size=1, max_size=10), st.integers(0, 9))
def test_permuting_keeps_how_often_tokens_are_left_and_gone_to(cells, seed):
    one = Saccades.of(reading(cells))
    seen = dense(one.observed)
    total = seen.sum(axis=1)
    for part in blocks([one], permutations=5, seed=seed):
        for draw in range(6):
            own = part.draw == draw
            drawn = np.zeros((M, M))
            drawn[part.origin[own], part.target[own]] = part.share[own]
            counts = drawn * total[:, None]
            assert counts.sum(axis=1) == pytest.approx(total)
            assert counts.sum(axis=0) == pytest.approx(seen.sum(axis=0))
            if draw == 0:
                assert counts == pytest.approx(seen)


def test_shared_fixations_are_permuted_by_cell():
    one = Saccades.of(reading({(0, 1): 0.5, (0, 2): 0.25, (3, 1): 0.25}))
    (part,) = blocks([one], permutations=4, seed=0)
    for draw in range(5):
        own = part.draw == draw
        rows = np.bincount(part.origin[own], weights=part.share[own], minlength=M)
        assert rows[[0, 3]].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("moves", ["next_identifier", "same_line", "line_start", "nearby_forward"])
def test_people_who_move_by_a_program_are_found_out(moves):
    ranked = score_transitions(readers("uniform", moves=moves), **FEW)
    best = ranked.rows[0]
    assert best["program"] == moves
    assert best["iou"] > best["iou_chance_high"]
    assert best["iou_low"] <= best["iou"] <= best["iou_high"]
    assert ranked["random_token"]["iou"] < best["iou_low"]


def test_people_who_move_at_random_are_explained_by_nothing():
    rng = np.random.default_rng(3)
    readings = []
    for source in "abcdef":
        for person in "PQ":
            matrix = np.zeros((M, M))
            np.add.at(matrix, (rng.integers(0, M, 60), rng.integers(0, M, 60)), 1)
            cells = {(int(a), int(b)): matrix[a, b] for a, b in np.argwhere(matrix)}
            readings.append(reading(cells, person=person, source=source))
    ranked = score_transitions(readings, permutations=200, bootstrap=50, hold_out="files")
    inside = [row["iou_chance_low"] <= row["iou"] <= row["iou_chance_high"] for row in ranked.rows]
    assert sum(inside) >= 0.8 * len(inside)


def test_numbers_depend_on_seed_and_content_alone():
    readings = readers("uniform", people=3, n_files=3)
    one = score_transitions(readings, **FEW).to_dict()
    assert score_transitions(readings[::-1], **FEW).to_dict() == one
    assert score_transitions(readings, seed=1, **FEW).to_dict() != one


def test_blocks_do_not_change_what_is_drawn(monkeypatch):
    readings = readers("uniform", people=3, n_files=2)
    names = ["same_line"]
    one = score_transitions(readings, programs=names, hold_out="files", **FEW)
    monkeypatch.setattr("gazecode.agreement.programs.cells._BLOCK", 1000)
    other = score_transitions(readings, programs=names, hold_out="files", **FEW)
    # Draws are others, so chance moves a little; what was observed stays.
    assert other["same_line"]["iou"] == pytest.approx(one["same_line"]["iou"])
    assert other["same_line"]["iou_chance"] == pytest.approx(
        one["same_line"]["iou_chance"], rel=0.1
    )
    assert other.ceiling == pytest.approx(one.ceiling)


def test_ones_own_function_and_the_baselines():
    mine = {"mine": lambda tokens, _known: np.eye(len(tokens), k=2)}
    done = []
    ranked = score_transitions(
        [reading({(0, 2): 1, (1, 3): 1})],
        programs=mine,
        hold_out="files",
        progress=lambda i, n: done.append((i, n)),
        **FEW,
    )
    assert ranked.rows[0]["program"] == "mine"
    assert {row["program"] for row in ranked.rows} == {
        *("mine", "uniform", "first_token", "random_token")
    }
    assert done == [(1, 1)]


def test_a_vector_is_no_matrix_for_a_causal_model_either():
    """numpy makes a triangle of a vector, silently."""
    tokens = reading({(0, 1): 1}).tokens
    seen = np.tril(np.ones((len(tokens), len(tokens))))
    for said in (np.ones(len(tokens)), 1.0):
        with pytest.raises(DataError, match="program 'mine' gives float64"):
            explain_transitions(
                {"a": seen}, {"a": tokens}, programs={"mine": lambda *_, said=said: said}
            )


def test_a_causal_model_whose_tokens_share_subwords_is_known_by_what_it_says():
    """Tokens of one subword see each other; a few cells above the diagonal are no preference."""
    tokens = reading({(0, 1): 1}).tokens
    m = len(tokens)
    seen = np.tril(np.ones((m, m))) + np.eye(m, k=1) * (np.arange(m) == 2)
    said = {
        causal: ModelScores(
            model="m",
            method="a",
            span=tokens.span,
            value=np.ones(m),
            matrix=seen / seen.sum(axis=1, keepdims=True),
            parameters={} if causal is None else {"causal": causal},
        )
        for causal in (None, True, False)
    }
    ranked = {
        causal: explain_transitions({"a": one}, {"a": tokens}, programs=["uniform"], bootstrap=9)
        for causal, one in said.items()
    }
    assert "earlier tokens alone" in ranked[True].chance
    assert ranked[True]["uniform"]["iou"] > 0.9 > ranked[False]["uniform"]["iou"]
    assert ranked[None]["uniform"]["iou"] == ranked[False]["uniform"]["iou"]
    assert ranked[True].counts == {"files": 1, "rows": m, "rows_never_left": 0}


def test_readings_without_saccades_are_counted_and_refused_where_there_is_nothing_else():
    still = replace(reading({(0, 1): 1}, person="P2"), transitions=None)
    ranked = score_transitions([reading({(0, 1): 1}), still], hold_out="files", **FEW)
    assert ranked.counts["readings_without_saccades"] == 1
    with pytest.raises(DataError, match="no reading has a saccade"):
        score_transitions([still], hold_out="files")
    with pytest.raises(ParameterError, match="permutations is -1"):
        score_transitions([still], permutations=-1)
    with pytest.raises(
        DataError, match=r"program 'flat' gives float64 \(14,\)|program 'flat' gives"
    ):
        score_transitions(
            [reading({(0, 1): 1})], programs={"flat": lambda tokens, _known: np.ones(len(tokens))}
        )


def test_what_is_printed_says_who_and_how():
    ranked = score_transitions(readers("uniform", people=4, n_files=3), **FEW)
    text = str(ranked)
    assert "one half of the people" in text
    assert "2 people, 3 files, 6 readings" in text
    assert "human–human ceiling" in text
    assert ranked.to_frame()["program"].tolist() == [row["program"] for row in ranked.rows]
    with pytest.raises(ParameterError, match="no 'mine' in ranked programs"):
        ranked["mine"]
