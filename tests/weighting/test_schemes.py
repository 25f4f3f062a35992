import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import ScanPath
from gazecode.weighting import SCHEMES, weigh

GAZE = ("count", "duration", "first_pass", "binary")


@st.composite
def readings(draw):
    """Dense shares (fixations × tokens), durations, and which fixations lost their position."""
    f, m = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    level = st.sampled_from([0.0, 0.0, 0.25, 0.5])
    rows = [draw(st.lists(level, min_size=m, max_size=m)) for _ in range(f)]
    shares = np.array(rows)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    lost = [i for i in range(f) if not shares[i].any() and draw(st.booleans())]
    duration = np.array([draw(st.integers(50, 900)) for _ in range(f)], dtype=float)
    return shares, duration, lost


def first_pass_by_hand(shares, duration, lost):
    value = np.zeros(shares.shape[1])
    for t in range(shares.shape[1]):
        entered = False
        for f in range(len(shares)):
            if f in lost:
                continue
            if shares[f, t] > 0:
                entered = True
                value[t] += shares[f, t] * duration[f]
            elif entered:
                break
    return value


@given(readings())
def test_schemes_against_loops(make, reading):
    shares, duration, lost = reading
    hits, tokens = make.hits(shares, duration, lost=lost), make.tokens(shares.shape[1])
    expected = {
        "count": shares.sum(axis=0),
        "duration": (shares * duration[:, None]).sum(axis=0),
        "first_pass": first_pass_by_hand(shares, duration, lost),
        "binary": (shares > 0).any(axis=0).astype(float),
    }
    looked_at = (shares > 0).any(axis=0)
    for scheme, value in expected.items():
        found = weigh(hits, tokens, scheme=scheme)
        np.testing.assert_allclose(found.value, value, atol=1e-9, err_msg=scheme)
        np.testing.assert_array_equal(found.on_path, looked_at, err_msg=scheme)
        assert found.scheme == scheme


@given(readings())
def test_first_pass_is_part_of_the_duration(make, reading):
    shares, duration, lost = reading
    hits, tokens = make.hits(shares, duration, lost=lost), make.tokens(shares.shape[1])
    first, total = (weigh(hits, tokens, scheme=s).value for s in ("first_pass", "duration"))
    assert (first <= total + 1e-9).all()
    assert ((first > 0) == (total > 0)).all()


@given(readings(), st.floats(0.1, 10))
def test_time_scales_the_times_and_nothing_else(make, reading, scale):
    shares, duration, lost = reading
    tokens = make.tokens(shares.shape[1])
    for scheme, factor in (("duration", scale), ("first_pass", scale), ("count", 1), ("binary", 1)):
        once = weigh(make.hits(shares, duration, lost=lost), tokens, scheme=scheme).value
        scaled = weigh(make.hits(shares, duration * scale, lost=lost), tokens, scheme=scheme).value
        np.testing.assert_allclose(scaled, once * factor, rtol=1e-9)


@given(readings())
def test_the_order_of_reading_changes_first_pass_alone(make, reading):
    shares, duration, _ = reading
    tokens = make.tokens(shares.shape[1])
    for scheme in ("count", "duration", "binary"):
        forward = weigh(make.hits(shares, duration), tokens, scheme=scheme).value
        backward = weigh(make.hits(shares[::-1], duration[::-1]), tokens, scheme=scheme).value
        np.testing.assert_allclose(forward, backward, atol=1e-9)


def test_leaving_ends_the_first_pass_and_a_lost_fixation_does_not(make):
    on = [[1.0], [0.0], [1.0]]
    duration = [100.0, 80.0, 200.0]
    left = weigh(make.hits(on, duration), make.tokens(1), scheme="first_pass")
    lost = weigh(make.hits(on, duration, lost=[1]), make.tokens(1), scheme="first_pass")
    assert left.value.tolist() == [100.0]
    assert lost.value.tolist() == [300.0]


def test_a_token_read_after_a_later_one_still_has_a_first_pass(make):
    """Prose would deny it; code has no one reading order."""
    hits = make.hits([[0, 1.0], [1.0, 0]], [100.0, 150.0])
    assert weigh(hits, make.tokens(2), scheme="first_pass").value.tolist() == [150.0, 100.0]


@pytest.mark.parametrize(
    ("scheme", "unit"),
    [("count", "fixations"), ("duration", "ms"), ("first_pass", "ms"), ("binary", "1")],
)
def test_units_and_exposure(make, scheme, unit):
    hits = make.hits([[1.0, 0, 0]], [100.0], exposure_ms=[900.0, 900.0, 0.0])
    found = weigh(hits, make.tokens(3), scheme=scheme)
    assert found.unit == unit
    assert found.exposed.tolist() == [True, True, False]
    assert found.on_path.tolist() == [True, False, False]


def test_duration_is_the_default_and_no_gaze_gives_zeros(make):
    hits = make.hits(np.zeros((2, 3)), [100.0, 100.0])
    found = weigh(hits, make.tokens(3))
    assert found.scheme == "duration"
    for scheme in GAZE:
        assert weigh(hits, make.tokens(3), scheme=scheme).value.tolist() == [0, 0, 0]


def test_hits_without_any_fixation(make):
    hits = make.hits(np.zeros((0, 2)), [])
    for scheme in GAZE:
        assert weigh(hits, make.tokens(2), scheme=scheme).value.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        pytest.param(
            {"scheme": "dwell"},
            ParameterError,
            "no 'dwell' in weighting schemes; choose from: binary, control_other_people, "
            "control_permuted, control_permuted_bins, control_permuted_labels, "
            "control_permuted_position, control_uniform, count, duration, eyemulator, "
            "first_pass, rarity, salience",
            id="scheme",
        ),
        pytest.param(
            {"priors": None},
            ParameterError,
            "duration has no parameter priors; it has: none",
            id="parameter",
        ),
    ],
)
def test_wrong_parameters(make, wrong, kind, message):
    with pytest.raises(kind) as error:
        weigh(make.hits([[1.0]], [100.0]), make.tokens(1), **wrong)
    assert str(error.value) == message


def test_tokens_of_another_source(make):
    with pytest.raises(DataError) as error:
        weigh(make.hits([[1.0]], [100.0]), make.tokens(4))
    assert str(error.value) == (
        "hits count 1 tokens, the source has 4; "
        "pass the tokens of the layout that the hits were mapped with"
    )


@pytest.mark.parametrize("scheme", GAZE)
def test_gaze_schemes_refuse_a_path(make, scheme):
    path = ScanPath(ngram=[-1, 0], unknown_labels={})
    with pytest.raises(ParameterError) as error:
        weigh(path, make.tokens(2), scheme=scheme)
    assert str(error.value) == (
        f"scheme '{scheme}' weighs gaze (Hits), found ScanPath; "
        "for a pseudo scan path use scheme='eyemulator' with priors"
    )


def test_every_scheme_has_keyword_parameters_alone_behind_its_two_inputs():
    """What a study file can set is read off the signatures."""
    for name, scheme in SCHEMES.items():
        kinds = [p.kind.name for p in inspect.signature(scheme).parameters.values()]
        assert kinds[:2] == ["POSITIONAL_OR_KEYWORD"] * 2, name
        assert set(kinds[2:]) <= {"KEYWORD_ONLY"}, name
