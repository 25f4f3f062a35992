import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.alignment.spread import POLICIES, Spread, overlaps
from gazecode.alignment.subwords.offsets import byte_positions, own


@st.composite
def disjoint(draw, length):
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=10)))
    return np.array(list(zip(cuts[::2], cuts[1::2], strict=False)), dtype=np.int64).reshape(-1, 2)


@st.composite
def cases(draw):
    """A text of ASCII, subwords that may overlap or leave holes, and tokens with values."""
    length = draw(st.integers(1, 20))
    pair = st.tuples(st.integers(0, length), st.integers(0, length))
    offsets = np.array([sorted(p) for p in draw(st.lists(pair, min_size=1, max_size=8))])
    span = draw(disjoint(length))
    value = np.array([draw(st.floats(0, 100)) for _ in span])
    at = byte_positions("x" * length)
    owned = own(offsets, at, lambda i: np.zeros((len(i), 2), dtype=np.int64))
    return offsets, span, value, Spread(owned, span)


@given(cases())
def test_overlaps_against_loops(case):
    offsets, span, _, _ = case
    found = overlaps(offsets[:, 0], offsets[:, 1], span)
    expected = [
        (i, t, min(b, d) - max(a, c))
        for i, (a, b) in enumerate(offsets.tolist())
        for t, (c, d) in enumerate(span.tolist())
        if min(b, d) > max(a, c)
    ]
    assert list(zip(found.row, found.token, found.n_bytes, strict=True)) == expected


@given(cases())
def test_policies_against_loops(case):
    offsets, span, value, spread = case
    named = [
        [(min(b, d) - max(a, c), t) for t, (c, d) in enumerate(span.tolist())]
        for a, b in offsets.tolist()
    ]
    named = [[(n, t) for n, t in row if n > 0] for row in named]
    best = [max(row, key=lambda p: (p[0], -p[1]))[1] if row else -1 for row in named]
    assert spread.token_index.tolist() == best
    inherit = [value[t] if t >= 0 else 1.0 for t in best]
    largest = [max(value[t] for _, t in row) if row else 1.0 for row in named]
    mean = [
        sum(n * value[t] for n, t in row) / sum(n for n, _ in row) if row else 1.0 for row in named
    ]
    for policy, expected in (("inherit", inherit), ("max", largest), ("mean", mean)):
        np.testing.assert_allclose(POLICIES[policy](spread, value, background=1.0), expected)


@given(cases())
def test_share_conserves_every_value(case):
    """Law: the sum over all subwords is the sum of the values of tokens with an owned byte."""
    _, _, value, spread = case
    mass = POLICIES["share"](spread, value, background=0.0)
    assert mass.sum() == pytest.approx(value[spread.owned > 0].sum(), abs=1e-9)
    assert (mass >= 0).all()
    for t in range(len(value)):
        alone = np.where(np.arange(len(value)) == t, value, 0.0)
        expected = value[t] if spread.owned[t] > 0 else 0.0
        assert spread.share(alone, background=0.0).sum() == pytest.approx(expected, abs=1e-9)


def test_a_tie_goes_to_the_earlier_token():
    owned = own(np.array([[0, 4]]), byte_positions("aabb"), lambda i: np.zeros((len(i), 2)))
    spread = Spread(owned, np.array([[0, 2], [2, 4]]))
    assert spread.token_index.tolist() == [0]


def test_an_unknown_policy_is_answered_with_the_choices():
    from gazecode.errors import ParameterError

    with pytest.raises(ParameterError) as error:
        POLICIES["median"]
    assert str(error.value) == "no 'median' in policies; choose from: inherit, max, mean, share"
