"""Controls keep what they must, destroy what they must, and do so alike in batches."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import LABELS, LabelPriors, NgramTable, ScanPath, SourceTokens, TokenBatch
from gazecode.weighting import SCHEMES, weigh, weigh_batch

CONTROLS = [name for name in SCHEMES if name.startswith("control_")]
PERMUTATIONS = ["control_permuted", "control_permuted_bins", "control_permuted_position"]
SOME = ["", "argument", "loop", "variable", "literal"]
TEXTS = ["i", "xs", "xé", "value", "{", "total_of_all_values"]


def tokens(words):
    """Words with labels, one blank between them."""
    texts = [text.encode() for text, _ in words]
    end = np.cumsum([len(t) + 1 for t in texts], dtype=int) - 1
    return SourceTokens(
        language="java",
        source_id="",
        code=b" ".join(texts),
        span=np.column_stack([end - [len(t) for t in texts], end]) if texts else [],
        row=[0] * len(texts),
        column=list(range(len(texts))),
        kind=["leaf"] * len(texts),
        path=[()] * len(texts),
        label=[label for _, label in words],
    )


def priors(counts, **more):
    hit, shown = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for label, (h, n) in counts.items():
        hit[LABELS.index(label)], shown[LABELS.index(label)] = h, n
    return LabelPriors(
        hit=hit,
        shown=shown,
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={1: NgramTable(order=1, counts={("loop",): 100, ("variable",): 4})},
        **more,
    )


PRIORS = priors(
    {"loop": (8, 10), "variable": (2, 10), "argument": (4, 8)}, sources=("a" * 64,), n_people=3
)
OTHERS = priors({"loop": (1, 10), "variable": (9, 10)}, sources=("b" * 64,), n_people=5)

words = st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(SOME)), max_size=25)


@st.composite
def walks(draw):
    """Tokens, and a path of windows of one token."""
    said = draw(words)
    on = [bool(label) and draw(st.booleans()) for _, label in said]
    return said, np.where(on, np.cumsum(on) - 1, -1)


@st.composite
def readings(draw):
    """Tokens, milliseconds on each, and whether each was shown."""
    said = draw(words.filter(bool))
    shown = [draw(st.booleans()) for _ in said]
    spent = [draw(st.sampled_from([0.0, 0.0, 90.0, 250.0])) if s else 0.0 for s in shown]
    return said, spent, shown


def path_of(ngram):
    return ScanPath(ngram=ngram, unknown_labels={})


def on_priors(control, path, one, **options):
    more = {"other_priors": OTHERS} if control == "control_other_people" else {}
    return weigh(
        path, one, scheme=control, **{"of": "eyemulator", "priors": PRIORS, **more, **options}
    )


def of_gaze(control, hits, one, **options):
    more = {"other_priors": OTHERS} if control == "control_other_people" else {}
    return weigh(hits, one, scheme=control, **more, **options)


def keeps(found, base):
    assert found.on_path.sum() == base.on_path.sum()
    assert found.value.sum() == pytest.approx(base.value.sum(), rel=1e-12)
    assert found.value[found.on_path].sum() == pytest.approx(base.value[base.on_path].sum())
    assert found.unit == base.unit


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("of", ["eyemulator", "salience"])
@given(walk=walks(), seed=st.integers(0, 2))
def test_mean_and_number_stay_on_priors(control, of, walk, seed):
    one, path = tokens(walk[0]), path_of(walk[1])
    base = weigh(path, one, scheme=of, priors=PRIORS)
    found = on_priors(control, path, one, of=of, seed=seed)
    keeps(found, base)
    assert found.scheme == control
    if of == "salience":
        assert (found.on_path == (found.value > 0)).all()


@pytest.mark.parametrize("control", [c for c in CONTROLS if c != "control_permuted_labels"])
@given(reading=readings(), seed=st.integers(0, 2))
def test_mean_and_number_stay_on_gaze(make, control, reading, seed):
    said, spent, shown = reading
    one = tokens(said)
    hits = make.hits(np.diag(np.ones(len(said))), spent, exposure_ms=np.array(shown) * 900.0)
    base = weigh(hits, one, scheme="duration")
    found = of_gaze(control, hits, one, of="duration", seed=seed)
    keeps(found, base)
    # A token that was never shown is missing, not a place for someone else's weight.
    hidden = ~np.array(shown)
    assert not found.value[hidden].any()
    assert (found.exposed == base.exposed).all()


def bins_of(control, said):
    text = [t for t, _ in said]
    if control == "control_permuted_position":
        return [i * 10 // len(text) for i in range(len(text))]
    if control == "control_permuted_bins":
        count = Counter(text)
        return [(len(t).bit_length(), count[t].bit_length()) for t in text]
    return [0] * len(text)


@pytest.mark.parametrize("control", PERMUTATIONS)
@given(walk=walks(), seed=st.integers(0, 2))
def test_permutations_stay_within_their_bins(control, walk, seed):
    said, ngram = walk
    one, path = tokens(said), path_of(ngram)
    base = weigh(path, one, scheme="eyemulator", priors=PRIORS)
    found = on_priors(control, path, one, seed=seed)
    bins = bins_of(control, said)
    before = Counter(zip(bins, base.value.tolist(), base.on_path.tolist(), strict=True))
    assert before == Counter(zip(bins, found.value.tolist(), found.on_path.tolist(), strict=True))


@pytest.mark.parametrize("control", CONTROLS)
@given(several=st.lists(walks(), min_size=1, max_size=4), seed=st.integers(0, 2))
def test_a_batch_is_its_sources_one_by_one(control, several, seed):
    sources = [tokens(said) for said, _ in several]
    parts = [
        on_priors(control, path_of(ngram), one, seed=seed)
        for one, (_, ngram) in zip(sources, several, strict=True)
    ]
    whole = path_of(np.concatenate([ngram for _, ngram in several]))
    more = {"other_priors": OTHERS} if control == "control_other_people" else {}
    found = weigh_batch(whole, TokenBatch.of(sources), control, PRIORS, seed=seed, **more)
    np.testing.assert_allclose(found.value, np.concatenate([p.value for p in parts]), rtol=1e-12)
    np.testing.assert_array_equal(found.on_path, np.concatenate([p.on_path for p in parts]))


LONG = [(TEXTS[i % 3], SOME[1 + i % 3]) for i in range(60)]
LONG_PATH = path_of(np.where(np.arange(60) % 3 != 1, np.arange(60), -1))


@pytest.mark.parametrize("control", [*PERMUTATIONS, "control_permuted_labels"])
def test_seeds_differ_and_repeat(control):
    one = tokens(LONG)
    runs = [on_priors(control, LONG_PATH, one, seed=s).value for s in range(12)]
    again = [on_priors(control, LONG_PATH, one, seed=s).value for s in range(12)]
    np.testing.assert_array_equal(runs, again)
    assert len({tuple(r.round(9)) for r in runs}) > (2 if control.endswith("labels") else 6)


def test_permuted_weights_go_anywhere():
    one = tokens(LONG)
    where = np.mean(
        [on_priors("control_permuted", LONG_PATH, one, seed=s).on_path for s in range(400)], axis=0
    )
    # 2/3 of the tokens are on the path; s.d. .024.
    assert np.abs(where - 2 / 3).max() < 0.1


def test_labels_are_permuted_alike_in_every_source():
    """Relative values of labels are the same wherever they occur."""
    ranks = set()
    for said in (LONG, LONG[::-1], LONG[:30]):
        one = tokens(said)
        path = path_of(np.full(len(said), -1))
        value = on_priors("control_permuted_labels", path, one, of="salience", seed=5).value
        of_label = {label: v for (_, label), v in zip(said, value, strict=True)}
        ranks.add(tuple(sorted(of_label, key=of_label.get)))
    assert len(ranks) == 1


def test_other_people_give_gaze_their_theta(make):
    one = tokens([("i", "loop"), ("xs", "variable"), ("{", ""), ("value", "loop")])
    hits = make.hits(np.diag(np.ones(4)), [100.0, 100.0, 100.0, 0.0])
    found = weigh(hits, one, scheme="control_other_people", of="duration", other_priors=OTHERS)
    # theta 2/12 and 10/12; no label gets the pooled 11/22. Scaled to 300 ms.
    theta = np.array([2 / 12, 10 / 12, 0.5, 0.0])
    np.testing.assert_allclose(found.value, theta * 300 / theta.sum())
    assert found.prior_sources == ("b" * 64,)


def test_other_people_give_a_path_their_theta():
    one = tokens([("i", "loop"), ("xs", "variable"), ("{", "")])
    found = on_priors("control_other_people", path_of([-1] * 3), one, of="salience")
    np.testing.assert_allclose(found.value, [1 / 6, 5 / 6, 0])
    assert found.prior_sources == ("a" * 64, "b" * 64)


def test_uniform_gives_the_mean(make):
    hits = make.hits(np.diag(np.ones(3)), [100.0, 300.0, 0.0])
    found = weigh(hits, tokens(LONG[:3]), scheme="control_uniform")
    assert found.value.tolist() == [200.0, 200.0, 0.0]


def test_frequencies_of_a_corpus_make_other_bins():
    one = tokens(LONG)
    alike = dict.fromkeys(TEXTS, 1)
    found = on_priors("control_permuted_bins", LONG_PATH, one, text_counts=alike)
    # "xs" and "xé" have two characters each and now the same frequency.
    two = np.array([text in {"xs", "xé"} for text, _ in LONG])
    base = weigh(LONG_PATH, one, scheme="eyemulator", priors=PRIORS)
    assert sorted(found.value[two]) == sorted(base.value[two])
    assert (found.value[~two] != 1).sum() == (base.value[~two] != 1).sum()


@pytest.mark.parametrize(
    ("control", "options", "message"),
    [
        (
            "control_permuted",
            {"of": "control_uniform"},
            "of is 'control_uniform', itself a control; expected the scheme to be tested",
        ),
        (
            "control_permuted_labels",
            {"of": "rarity"},
            "scheme 'rarity' holds no theta to permute over labels; choose of= from: eyemulator, salience",
        ),
        (
            "control_other_people",
            {"other_priors": None},
            "control_other_people needs other_priors with at least one known label; pass other_priors=gazecode.Priors.load(...), or --other-priors FILE",
        ),
        (
            "control_other_people",
            {"other_priors": PRIORS},
            "other_priors holds the same counts as priors; expected those of other participants",
        ),
        ("control_permuted_position", {"n_bins": 0}, "n_bins is 0; expected 1 or more"),
        (
            "control_permuted",
            {"of_params": {"base": 2}},
            "eyemulator has no parameter base; it has: priors, preset, w_base, unseen, smoothing, repeats, path_only",
        ),
        (
            "control_permuted",
            {"seed": "x"},
            "control_permuted: seed is 'x'; expected a whole number",
        ),
    ],
)
def test_errors(control, options, message):
    with pytest.raises(ParameterError) as error:
        on_priors(control, LONG_PATH, tokens(LONG), **options)
    assert str(error.value) == message


def test_the_same_people_are_refused_where_they_are_named():
    mine = priors({"loop": (8, 10)}, details={"participants": ["P1", "P2"]})
    theirs = priors({"loop": (1, 10)}, details={"participants": ["P2", "P3"]})
    options = {"of": "eyemulator", "priors": mine, "other_priors": theirs}
    with pytest.raises(ParameterError, match="shares 1 participants with priors \\('P2' is one\\)"):
        weigh(LONG_PATH, tokens(LONG), scheme="control_other_people", **options)


def test_parameters_of_the_scheme_are_passed_on():
    one = tokens(LONG)
    found = on_priors("control_uniform", LONG_PATH, one, of_params={"preset": "paper"})
    base = weigh(LONG_PATH, one, scheme="eyemulator", priors=PRIORS, preset="paper")
    assert found.value.mean() == pytest.approx(base.value.mean())


@pytest.mark.parametrize("control", [c for c in CONTROLS if c != "control_other_people"])
def test_the_scheme_follows_the_signal(make, control):
    one = tokens(LONG)
    found = weigh(LONG_PATH, one, scheme=control, priors=PRIORS)
    said = weigh(LONG_PATH, one, scheme=control, priors=PRIORS, of="eyemulator")
    np.testing.assert_array_equal(found.value, said.value)
    if control != "control_permuted_labels":
        hits = make.hits(np.diag(np.ones(3)), [100.0, 300.0, 0.0])
        assert weigh(hits, tokens(LONG[:3]), scheme=control).unit == "ms"


PUNCTUATED = [("i", "loop"), ("{", ""), ("xs", "variable"), ("{", "")] * 15
PUNCTUATED_PATH = path_of(np.where(np.arange(60) % 4 == 0, np.arange(60), -1))


@pytest.mark.parametrize("control", CONTROLS)
def test_nothing_of_a_path_goes_to_punctuation(control):
    one = tokens(PUNCTUATED)
    base = weigh(PUNCTUATED_PATH, one, scheme="eyemulator", priors=PRIORS)
    for seed in range(5):
        found = on_priors(control, PUNCTUATED_PATH, one, seed=seed)
        keeps(found, base)
        assert (one.label[found.on_path] != "").all()
        assert (found.value[one.label == ""] == 1.0).all()


def test_a_path_on_punctuation_keeps_its_number():
    """Released rows may have any token on the path: none is lost."""
    path = path_of(np.where(np.arange(60) < 10, np.arange(60), -1))
    one = tokens(PUNCTUATED)
    base = weigh(path, one, scheme="eyemulator", priors=PRIORS)
    for control in CONTROLS:
        keeps(on_priors(control, path, one), base)


def test_uniform_weights_of_a_path_lie_anywhere_with_a_label():
    one = tokens(PUNCTUATED)
    runs = [on_priors("control_uniform", PUNCTUATED_PATH, one, seed=s) for s in range(400)]
    where = np.mean([run.on_path for run in runs], axis=0)
    # 15 of 30 tokens with a label; s.d. .025.
    assert np.abs(where[::2] - 0.5).max() < 0.11
    assert {len(set(run.value[run.on_path])) for run in runs} == {1}


@pytest.mark.parametrize("control", ["control_permuted", "control_uniform"])
def test_windows_without_rarity_stay_without(control):
    """Only loop and variable were counted: an argument's window is worth 0."""
    one = tokens([("i", "argument"), ("xs", "loop"), ("value", "variable"), ("i", "literal")] * 5)
    path = path_of(np.where(np.arange(20) % 4 < 3, np.arange(20), -1))
    base = weigh(path, one, scheme="rarity", priors=PRIORS)
    found = on_priors(control, path, one, of="rarity")
    keeps(found, base)
    assert (found.value > 0).sum() == (base.value > 0).sum() == 10


def test_a_control_that_would_lose_a_token_is_refused():
    """One label nobody looked at, with raw shares: permuted, the zero falls on other tokens."""
    raw = priors({"loop": (0, 10), "variable": (5, 10), "argument": (5, 10)})
    said = [("i", "loop"), ("xs", "variable"), ("xs", "variable"), ("x", "argument")]
    options = {"of": "salience", "priors": raw, "of_params": {"smoothing": False}}
    one, path = tokens(said), path_of([-1] * 4)

    def weigh_all():
        for seed in range(20):
            on_priors("control_permuted_labels", path, one, seed=seed, **options)

    with pytest.raises(DataError, match=r"weighs \d tokens of source 0, salience 3; choose"):
        weigh_all()


def test_gaze_holds_no_theta(make):
    hits = make.hits(np.diag(np.ones(3)), [100.0, 300.0, 0.0])
    with pytest.raises(ParameterError, match="scheme 'duration' holds no theta to permute"):
        weigh(hits, tokens(LONG[:3]), scheme="control_permuted_labels")
