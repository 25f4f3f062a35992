from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import TokenWeights
from gazecode.weighting import pool

UNITS = {"count": "fixations", "duration": "ms", "first_pass": "ms", "binary": "1"}


def reading(value, scheme="duration", **more):
    value = np.asarray(value, dtype=float)
    return TokenWeights(value=value, on_path=value > 0, scheme=scheme, unit=UNITS[scheme], **more)


@st.composite
def studies(draw):
    scheme = draw(st.sampled_from(list(UNITS)))
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    value = st.sampled_from([0, 1]) if scheme == "binary" else st.integers(0, 500)
    rows = [draw(st.lists(value, min_size=m, max_size=m)) for _ in range(n)]
    people = draw(st.lists(st.sampled_from("ABC"), min_size=n, max_size=n))
    return [reading(row, scheme) for row in rows], people


def by_hand(weights, people):
    """Loops over people, and over trials of each."""
    m, binary = len(weights[0]), weights[0].scheme == "binary"
    totals = {}
    for w, who in zip(weights, people, strict=True):
        before = totals.get(who, [0.0] * m)
        totals[who] = [max(a, b) if binary else a + b for a, b in zip(before, w.value, strict=True)]
    counted = [row for row in totals.values() if sum(row) > 0]
    if not counted:
        return [0.0] * m, 0
    if binary:
        return [sum(row[t] for row in counted) / len(counted) for t in range(m)], len(counted)
    mean_total = sum(sum(row) for row in counted) / len(counted)
    shares = [sum(row[t] / sum(row) for row in counted) / len(counted) for t in range(m)]
    return [share * mean_total for share in shares], len(counted)


@given(studies())
def test_pool_against_loops(study):
    pooled = pool(*study)
    value, n_people = by_hand(*study)
    np.testing.assert_allclose(pooled.value, value, atol=1e-9)
    assert pooled.n_people == n_people
    np.testing.assert_array_equal(pooled.on_path, np.array(value) > 0)


@given(studies(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(study, random):
    weights, people = study
    pairs = list(zip(weights, people, strict=True))
    random.shuffle(pairs)
    renamed = {"A": "z", "B": "a", "C": "m"}
    shuffled = pool([w for w, _ in pairs], [renamed[p] for _, p in pairs])
    np.testing.assert_allclose(shuffled.value, pool(*study).value, atol=1e-9)


@given(studies(), st.data())
def test_reading_the_same_again_does_not_raise_a_persons_say(study, data):
    weights, people = study
    who = data.draw(st.sampled_from(people))
    mine = [w for w, p in zip(weights, people, strict=True) if p == who]
    once, again = pool(weights, people), pool([*weights, *mine], [*people, *[who] * len(mine)])
    assert again.n_people == once.n_people
    if once.value.sum() == 0:
        return
    shares = once.value / once.value.sum()
    np.testing.assert_allclose(again.value / again.value.sum(), shares, atol=1e-9)


@given(studies())
def test_one_person_alone_keeps_her_values(study):
    weights, _ = study
    pooled = pool(weights[:1], ["A"])
    np.testing.assert_allclose(pooled.value, weights[0].value, atol=1e-9)


def test_a_slow_reader_has_no_louder_voice():
    pooled = pool([reading([9000, 1000]), reading([100, 300])], ["slow", "fast"])
    # Shares .9/.1 and .25/.75 average to .575/.425; the mean total is 5200 ms.
    np.testing.assert_allclose(pooled.value, [2990.0, 2210.0])


def test_people_without_signal_do_not_count():
    pooled = pool([reading([1, 0], "binary"), reading([0, 0], "binary")], ["A", "B"])
    assert pooled.value.tolist() == [1.0, 0.0]
    assert pooled.n_people == 1
    assert pool([reading([0, 0])], ["A"]).n_people == 0


def test_exposure_is_any_and_binary_asks_those_who_saw_the_token():
    shown = reading([1, 1], "binary")
    not_shown = reading([1, 0], "binary", exposed=[True, False])
    pooled = pool([shown, not_shown], ["A", "B"])
    assert pooled.value.tolist() == [1.0, 1.0]
    assert pooled.exposed.tolist() == [True, True]
    assert pool([not_shown, not_shown], ["A", "B"]).exposed.tolist() == [True, False]


def test_prior_sources_are_joined():
    pooled = pool(
        [reading([1], prior_sources=("b", "a")), reading([1], prior_sources=("b", "c"))],
        ["A", "B"],
    )
    assert pooled.prior_sources == ("a", "b", "c")


@pytest.mark.parametrize(
    ("weights", "people", "kind", "message"),
    [
        pytest.param([], [], DataError, "no readings to pool; expected at least one", id="nothing"),
        pytest.param(
            [reading([1])],
            ["A", "B"],
            DataError,
            "1 readings and 2 names of people; expected one name each",
            id="names",
        ),
        pytest.param(
            [reading([1]), reading([1, 2])],
            ["A", "B"],
            DataError,
            "reading 1 has 2 tokens, the first has 1; pool readings of one source only",
            id="length",
        ),
        pytest.param(
            [reading([1]), reading([1], "count")],
            ["A", "B"],
            DataError,
            "reading 1 is count in fixations, the first is duration in ms; "
            "pool readings weighed by one scheme",
            id="scheme",
        ),
        pytest.param(
            [TokenWeights(value=[1.0], on_path=[True], scheme="mine", unit="loss weight")],
            ["A"],
            ParameterError,
            "values of scheme 'mine' cannot be pooled over people: their unit is 'loss weight'; "
            "choose a scheme whose unit is fixations, ms or 1",
            id="not poolable",
        ),
    ],
)
def test_refused(weights, people, kind, message):
    with pytest.raises(kind) as error:
        pool(weights, people)
    assert str(error.value) == message


def test_a_token_never_shown_to_somebody_is_missing_not_a_miss():
    some = TokenWeights(
        value=[100.0, 0.0],
        on_path=[True, False],
        exposed=[True, False],
        scheme="duration",
        unit="ms",
    )
    both = TokenWeights(value=[100.0, 100.0], on_path=[True, True], scheme="duration", unit="ms")
    pooled = pool([some, both], ["a", "b"])
    # Shares 1 and .5 of the first token, .5 of the second by the one who saw it; mean total 150.
    assert pooled.value.tolist() == [112.5, 75.0]


def test_a_control_is_pooled_like_its_scheme():
    weights = [reading([300, 100]), reading([0, 200])]
    renamed = [replace(w, scheme="control_permuted") for w in weights]
    people = ["A", "B"]
    np.testing.assert_array_equal(pool(renamed, people).value, pool(weights, people).value)
