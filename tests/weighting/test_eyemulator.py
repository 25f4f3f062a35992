"""Weights of pseudo scan paths: the formula by hand, batches, and what the priors cannot answer."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, GazecodeWarning, ParameterError
from gazecode.model import (
    LABELS,
    LabelPriors,
    NgramTable,
    ScanPath,
    SourceTokens,
    TokenBatch,
)
from gazecode.weighting import Lookups, count_lookups, weigh, weigh_batch

SOME = ["", "argument", "loop", "variable", "literal"]
COUNTS = {
    1: {("loop",): 100, ("variable",): 40, ("argument",): 7},
    2: {("loop", "variable"): 9, ("argument", "loop"): 3},
    3: {("argument", "loop", "variable"): 5},
}


def tokens(labels, code=None):
    m = len(labels)
    return SourceTokens(
        language="java",
        source_id="",
        code=b"x" * m if code is None else code,
        span=[(i, i + 1) for i in range(m)],
        row=[0] * m,
        column=list(range(m)),
        kind=["leaf"] * m,
        path=[()] * m,
        label=labels,
    )


def priors(*, is_sorted=False, **changes):
    """theta: loop 3/4, variable 1/4, argument 1/2; literal has none."""
    hit, shown = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for label, h, n in (("loop", 8, 10), ("variable", 2, 10), ("argument", 4, 8)):
        hit[LABELS.index(label)], shown[LABELS.index(label)] = h, n
    tables = {
        n: NgramTable(order=n, counts=counts, is_sorted=is_sorted and n > 1)
        for n, counts in COUNTS.items()
    }
    given = {"n_people": 4, "sources": ("b" * 64, "a" * 64), **changes}
    return LabelPriors(
        hit=hit, shown=shown, theta_null=np.full(len(LABELS), np.nan), ngrams=tables, **given
    )


THETA = {"loop": 9 / 12, "variable": 3 / 12, "argument": 5 / 10}


def path_of(ngram, **more):
    return ScanPath(ngram=ngram, unknown_labels={}, **more)


@st.composite
def paths(draw):
    """Labels, and numbers of windows: short runs on the path."""
    names = draw(st.lists(st.sampled_from(SOME), max_size=20))
    ngram, number, left = [], -1, 0
    for label in names:
        if not label or draw(st.booleans()):
            ngram.append(-1)
            continue
        if not left:
            number, left = number + 1, draw(st.integers(1, 3))
        ngram.append(number)
        left -= 1
    return names, ngram


def by_hand(names, ngram, *, is_sorted, base, unseen, collapse=False):
    value = []
    for j, label in enumerate(names):
        if ngram[j] < 0:
            value.append(1.0)
            continue
        key = tuple(names[i] for i in range(len(names)) if ngram[i] == ngram[j])
        if is_sorted and len(key) > 1:
            key = tuple(sorted(set(key) if collapse else key))
        count = COUNTS[len(key)].get(key, 0)
        rarity = 1 / math.log(count + 2) if count or unseen == "formula" else 0.0
        value.append(base + rarity + THETA.get(label, 0.0))
    return value


@pytest.mark.filterwarnings("ignore::gazecode.errors.GazecodeWarning")
@given(paths(), st.booleans(), st.sampled_from(["zero", "formula"]), st.booleans())
def test_against_the_formula(one, is_sorted, unseen, collapse):
    names, ngram = one
    found = weigh(
        path_of(ngram),
        tokens(names),
        scheme="eyemulator",
        priors=priors(is_sorted=is_sorted),
        unseen=unseen,
        repeats="collapse" if collapse else "keep",
    )
    expected = by_hand(
        names, ngram, is_sorted=is_sorted, base=3.0, unseen=unseen, collapse=collapse
    )
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)
    assert found.on_path.tolist() == [n >= 0 for n in ngram]


@pytest.mark.filterwarnings("ignore::gazecode.errors.GazecodeWarning")
@given(st.lists(paths(), max_size=5), st.booleans())
def test_a_batch_is_its_sources_one_by_one(several, is_sorted):
    known = priors(is_sorted=is_sorted)
    sources = [tokens(names) for names, _ in several]
    whole = path_of([n for _, ngram in several for n in ngram])
    batch = TokenBatch.of(sources)
    for scheme in ("eyemulator", "rarity", "salience"):
        parts = [
            weigh(path_of(ngram), one, scheme=scheme, priors=known).value
            for one, (_, ngram) in zip(sources, several, strict=True)
        ]
        found = weigh_batch(whole, batch, scheme, known)
        np.testing.assert_array_equal(found.value, np.concatenate([np.empty(0), *parts]))
    counted = [
        count_lookups(path_of(g), one, known) for one, (_, g) in zip(sources, several, strict=True)
    ]
    together = count_lookups(whole, batch, known)
    assert together.unseen == sum(c.unseen for c in counted)
    assert together.repeated == sum(c.repeated for c in counted)


EXAMPLE = tokens(["loop", "", "variable", "argument"])
ON = path_of([0, -1, 0, 1])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {},
            [
                3 + 1 / math.log(11) + 0.75,
                1,
                3 + 1 / math.log(11) + 0.25,
                3 + 1 / math.log(9) + 0.5,
            ],
        ),
        (
            {"preset": "paper"},
            [
                1 + 1 / math.log(11) + 0.75,
                1,
                1 + 1 / math.log(11) + 0.25,
                1 + 1 / math.log(9) + 0.5,
            ],
        ),
        (
            {"w_base": 2, "preset": "paper"},
            [
                2 + 1 / math.log(11) + 0.75,
                1,
                2 + 1 / math.log(11) + 0.25,
                2 + 1 / math.log(9) + 0.5,
            ],
        ),
        (
            {"smoothing": False},
            [3 + 1 / math.log(11) + 0.8, 1, 3 + 1 / math.log(11) + 0.2, 3 + 1 / math.log(9) + 0.5],
        ),
        (
            {"path_only": True},
            [
                3 + 1 / math.log(11) + 0.75,
                0,
                3 + 1 / math.log(11) + 0.25,
                3 + 1 / math.log(9) + 0.5,
            ],
        ),
    ],
    ids=str,
)
def test_options(options, expected):
    found = weigh(ON, EXAMPLE, scheme="eyemulator", priors=priors(), **options)
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)
    assert found.scheme == "eyemulator"
    assert found.unit == "loss weight"


def test_the_terms_alone():
    rarity = weigh(ON, EXAMPLE, scheme="rarity", priors=priors())
    salience = weigh(ON, EXAMPLE, scheme="salience", priors=priors())
    r = [1 / math.log(11), 0, 1 / math.log(11), 1 / math.log(9)]
    np.testing.assert_allclose(rarity.value, r, rtol=1e-12)
    np.testing.assert_allclose(salience.value, [0.75, 0, 0.25, 0.5], rtol=1e-12)
    assert salience.on_path.tolist() == [True, False, True, True]
    assert rarity.unit == salience.unit == "1"
    full = weigh(ON, EXAMPLE, scheme="eyemulator", priors=priors())
    on = ON.on_path
    np.testing.assert_allclose(full.value[on], 3 + rarity.value[on] + salience.value[on])


def test_where_the_priors_come_from_is_kept():
    path = path_of([0, -1, 0, 1], prior_sources=("c" * 64, "a" * 64), n_people=9)
    for scheme in ("eyemulator", "rarity", "salience"):
        found = weigh(path, EXAMPLE, scheme=scheme, priors=priors())
        assert found.prior_sources == ("a" * 64, "b" * 64, "c" * 64)
        assert found.n_people == 9


def test_a_sorted_table_is_asked_sorted_and_repeats_are_said_once():
    one, path = tokens(["variable", "loop", "loop", "loop"]), path_of([0, 0, 1, 1])
    known = priors(is_sorted=True)
    with pytest.warns(GazecodeWarning, match="2 of 4 tokens on the path") as seen:
        found = weigh(path, one, scheme="rarity", priors=known)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    np.testing.assert_allclose(found.value, [1 / math.log(11)] * 2 + [0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weigh_batch(path, TokenBatch.of([one]), "eyemulator", known)
        collapsed = weigh(path, one, scheme="rarity", priors=known, repeats="collapse")
        directed = weigh(path, one, scheme="rarity", priors=priors())
    np.testing.assert_allclose(collapsed.value[2:], 1 / math.log(102))
    assert directed.value.tolist() == [0, 0, 0, 0]


def test_what_the_priors_cannot_answer_is_counted():
    one, path = tokens(["loop", "loop", "literal", "variable"]), path_of([0, 0, 1, 2])
    assert count_lookups(path, one, priors(is_sorted=True)) == Lookups(
        tokens=4, unseen=3, repeated=2, without_prior={"literal": 1}
    )
    with pytest.warns(GazecodeWarning):
        found = weigh(path, one, scheme="eyemulator", priors=priors(is_sorted=True))
    assert found.value[2] == 3.0


def test_the_released_form_brings_its_windows_along():
    """A window over the next tokens, on the path or not; weights fall on the path."""
    loop, variable = LABELS.index("loop"), LABELS.index("variable")
    path = path_of(
        [0, 0, 1],
        on_path=[True, False, True],
        window=[[loop, variable, 0], [loop, variable, 0], [variable, 0, 0]],
    )
    found = weigh(path, tokens(["loop", "argument", "variable"]), scheme="rarity", priors=priors())
    np.testing.assert_allclose(found.value, [1 / math.log(11), 0, 1 / math.log(42)])


@pytest.mark.parametrize(
    ("path", "options", "kind", "message"),
    [
        (
            ON,
            {"priors": None},
            ParameterError,
            "scheme 'eyemulator' needs priors, found NoneType; pass priors=gazecode.Priors.load(...)",
        ),
        (
            None,
            {},
            ParameterError,
            "scheme 'eyemulator' weighs a pseudo scan path, found NoneType; make one with gazecode.pseudo_scan_path(tokens, priors)",
        ),
        (
            path_of([0]),
            {},
            DataError,
            "the path was made for 1 tokens, found 4; pass the tokens it was made for",
        ),
        (path_of([0, 0, 0, 0]), {}, DataError, "window 0 has 4 tokens; a window has one to three"),
        (
            ON,
            {"preset": "code"},
            ParameterError,
            "eyemulator: preset is 'code'; choose from: docs, paper",
        ),
        (
            ON,
            {"unseen": "x"},
            ParameterError,
            "eyemulator: unseen is 'x'; choose from: zero, formula",
        ),
        (
            ON,
            {"repeats": "x"},
            ParameterError,
            "eyemulator: repeats is 'x'; choose from: keep, collapse",
        ),
        (
            ON,
            {"w_base": -1.0},
            ParameterError,
            "w_base is -1.0; expected a finite number of 0 or more",
        ),
        (
            ON,
            {"base": 1},
            ParameterError,
            "eyemulator has no parameter base; it has: priors, preset, w_base, unseen, smoothing, repeats, path_only",
        ),
    ],
)
def test_errors(path, options, kind, message):
    with pytest.raises(kind) as error:
        weigh(path, EXAMPLE, scheme="eyemulator", **{"priors": priors(), **options})
    assert str(error.value) == message


def test_a_path_checks_itself():
    with pytest.raises(DataError, match="token 1 is on the path and in no window; expected one"):
        path_of([0, -1], on_path=[True, True])
    with pytest.raises(DataError, match="a token lies in window -2"):
        path_of([-2])
    assert len(replace(ON, on_path=[True, False, False, False])) == 1
