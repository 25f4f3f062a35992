"""Controls of a corpus job: theta is gone from the path, number and mean of the weights stay."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.corpus import draw_and_weigh
from gazecode.corpus.checking import checked_settings
from gazecode.corpus.settings import AlignRule
from gazecode.errors import DataError, ParameterError
from gazecode.model import LABELS, LabelPriors, TokenBatch
from gazecode.priors import Priors, path_batch
from gazecode.source import parse, parse_batch
from gazecode.weighting import SCHEMES, control_priors, weigh_batch

from .conftest import everything_in, make_priors, method

CONTROLS = [name for name in SCHEMES if name.startswith("control_")]
REDRAWN = ["control_permuted_labels", "control_other_people"]


def others() -> LabelPriors:
    """Who looks at what the priors of the tests have least of, and knows two labels less."""
    shown = np.where(np.arange(len(LABELS)) > 2, 100.0, 0.0)
    hit = np.where(shown > 0, 90.0 - 4 * np.arange(len(LABELS)), 0.0)
    return LabelPriors(
        hit=hit, shown=shown, theta_null=np.full(len(LABELS), np.nan), ngrams={}, n_people=4
    )


def params_of(control, **more):
    return {**({"other_priors": others()} if control == "control_other_people" else {}), **more}


@pytest.fixture(scope="module")
def batch() -> TokenBatch:
    return TokenBatch.of([parse(method(i), "java") for i in range(12)])


def per_source(batch, values):
    return np.bincount(batch.source, weights=values, minlength=batch.n_sources)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "scheme",
    [{}, {"of_params": {"path_only": True}}, {"of": "rarity", "of_params": {"unseen": "formula"}}],
)
@pytest.mark.parametrize(
    "path_params",
    [
        {},
        {"budget": "rho"},
        {"theta": "draw"},
        {"sampler": "bernoulli"},
        {"windows": "consecutive"},
    ],
)
def test_number_and_mean_are_those_of_the_original(batch, priors, control, scheme, path_params):
    of, of_params = scheme.get("of", "eyemulator"), scheme.get("of_params")
    _, base = draw_and_weigh(batch, priors, of, params=of_params, path_params=path_params, seed=3)
    given = params_of(control, **scheme)
    _, found = draw_and_weigh(batch, priors, control, params=given, path_params=path_params, seed=3)
    for a, b in ((found.on_path, base.on_path), (found.value > 0, base.value > 0)):
        np.testing.assert_array_equal(per_source(batch, a), per_source(batch, b))
    np.testing.assert_allclose(
        per_source(batch, found.value), per_source(batch, base.value), rtol=1e-12
    )
    # A path lies on tokens with a label, and so does what is put in its place.
    assert batch.label[found.on_path].all()
    assert found.scheme == control


@pytest.mark.parametrize("control", [*REDRAWN, "control_uniform", "control_permuted"])
def test_the_weights_go_elsewhere(batch, priors, control):
    _, base = draw_and_weigh(batch, priors, seed=0)
    found = [
        draw_and_weigh(batch, priors, control, params=params_of(control), seed=s)[1].value
        for s in range(5)
    ]
    assert max(np.corrcoef(base.value, f)[0, 1] for f in found) < 0.6
    assert len({tuple(f) for f in found}) == 5


def test_the_path_follows_the_theta_it_is_drawn_from(batch, priors):
    """As many tokens of each label as theta n says, scaled to the length of the path."""
    path = path_batch(batch, priors, seed=0)
    drawn = path_batch(batch, only_variables(), seed=0, like=path)
    variable = LABELS.index("variable")
    n = per_source(batch, batch.label == variable)
    mine = per_source(batch, drawn.on_path & (batch.label == variable))
    np.testing.assert_array_equal(mine, np.minimum(n, per_source(batch, path.on_path)))


def only_variables() -> LabelPriors:
    """All look at variables, hardly anyone at anything else."""
    shown = np.where(np.arange(len(LABELS)) > 0, 1e6, 0.0)
    hit = np.where(np.arange(len(LABELS)) == LABELS.index("variable"), shown, 0.0)
    return LabelPriors(hit=hit, shown=shown, theta_null=np.full(len(LABELS), np.nan), ngrams={})


@pytest.mark.parametrize("sampler", ["quota", "bernoulli"])
@given(rows=st.lists(st.integers(0, 30), min_size=1, max_size=4), seed=st.integers(0, 3))
def test_a_path_like_another_is_as_long_and_none_of_its_neighbours_business(sampler, rows, seed):
    priors = make_priors()
    sources = [parse(method(i), "java") for i in rows]
    whole = TokenBatch.of(sources)
    path = path_batch(whole, priors, seed=seed)
    drawn = path_batch(whole, others_completed(), seed=seed, sampler=sampler, like=path)
    np.testing.assert_array_equal(per_source(whole, drawn.on_path), per_source(whole, path.on_path))
    parts = []
    for one in map(TokenBatch.of, ([s] for s in sources)):
        mine = path_batch(one, priors, seed=seed)
        parts.append(path_batch(one, others_completed(), seed=seed, sampler=sampler, like=mine))
    np.testing.assert_array_equal(drawn.on_path, np.concatenate([p.on_path for p in parts]))
    np.testing.assert_array_equal(drawn.ngram, np.concatenate([p.ngram for p in parts]))


def others_completed() -> LabelPriors:
    return control_priors("control_other_people", make_priors(), other_priors=others())


def test_pareto_sampling_takes_tokens_by_their_theta(priors):
    """Of tokens alike but for theta, the share drawn rises with it, and lies near theta."""
    label = np.tile(np.array([LABELS.index("loop"), LABELS.index("variable")], dtype=np.int8), 2000)
    code = b"x" * len(label)
    at = np.arange(len(label))
    batch = TokenBatch(
        code=code,
        code_start=[0, len(code)],
        token_start=[0, len(label)],
        span=np.column_stack([at, at + 1]),
        row=np.zeros_like(at),
        label=label,
    )
    chance = path_batch(batch, priors, sampler="bernoulli", seed=1)
    drawn = path_batch(batch, priors, sampler="bernoulli", seed=1, like=chance)
    assert len(drawn) == len(chance)
    for code_of in label[:2]:
        share = drawn.on_path[label == code_of].mean()
        # s.d. .011
        assert share == pytest.approx(priors.theta[code_of], abs=0.05)
    assert (drawn.on_path != chance.on_path).any()


def test_a_path_cannot_be_like_every_other(batch, priors):
    path = path_batch(batch, priors)
    with pytest.raises(ParameterError, match="sampler='transition' cannot draw a given number"):
        path_batch(batch, priors, sampler="transition", like=path)
    with pytest.raises(DataError, match="the path to be like was made for"):
        path_batch(TokenBatch.of([parse("int x;", "java")]), priors, like=path)
    few = only_variables()
    few = LabelPriors(
        hit=few.hit,
        shown=np.where(few.hit > 0, few.shown, 0.0),
        theta_null=few.theta_null,
        ngrams={},
    )
    with pytest.raises(DataError, match="use priors that know more labels"):
        path_batch(batch, few, like=path)


def test_a_path_drawn_of_another_length_is_refused(batch, priors):
    path = path_batch(batch, priors)
    with pytest.raises(ParameterError, match=r"tokens in source 0, .*draw it with like=path"):
        weigh_batch(
            path,
            batch,
            "control_permuted_labels",
            priors,
            drawn=path_batch(batch, only_variables(), seed=1),
        )


@pytest.mark.parametrize("control", REDRAWN)
def test_rarity_would_lose_count_and_is_refused(batch, priors, control):
    with pytest.raises(ParameterError, match="pass of_params={'unseen': 'formula'}"):
        draw_and_weigh(batch, priors, control, params=params_of(control, of="rarity"))


@pytest.fixture
def make_settings(priors, tokenizer):
    def make(scheme, **params):
        return checked_settings(
            priors=priors,
            tokenizer=tokenizer,
            scheme=scheme,
            scheme_params=params,
            path_params={},
            align=AlignRule(),
            seed=0,
            max_error_share=0.25,
        )

    return make


@pytest.mark.parametrize(
    ("scheme", "params", "message"),
    [
        ("duration", {}, "duration weighs gaze; a corpus has none: choose eyemulator, salience, "),
        ("control_permuted", {"of": "count"}, "count weighs gaze; a corpus has none: choose"),
        ("control_permuted_labels", {"drawn": 1}, "no parameter drawn"),
        ("control_other_people", {}, "needs other_priors"),
    ],
)
def test_what_a_corpus_cannot_have_is_said_at_once(make_settings, scheme, params, message):
    with pytest.raises(ParameterError, match=message):
        make_settings(scheme, **params)


def test_settings_say_what_the_control_is_made_from(make_settings):
    said = make_settings("control_other_people", other_priors=others()).described()
    assert said["scheme_params"]["of"] == "eyemulator"
    assert set(said["scheme_params"]["other_priors"]) == {"priors_sha256"}
    assert "drawn" not in said["scheme_params"]
    assert "like" not in said["path_params"]


def test_people_are_compared_before_they_are_forgotten(tokenizer, priors):
    def named(given, people):
        return LabelPriors(
            hit=given.hit,
            shown=given.shown,
            theta_null=given.theta_null,
            ngrams={},
            details={"participants": people},
        )

    with pytest.raises(ParameterError, match="shares 1 participants"):
        checked_settings(
            priors=named(priors, ["P1", "P2"]),
            tokenizer=tokenizer,
            scheme="control_other_people",
            scheme_params={"other_priors": named(others(), ["P2"])},
            path_params={},
            align=AlignRule(),
            seed=0,
            max_error_share=0.25,
        )


@pytest.mark.parametrize("control", REDRAWN)
def test_bytes_do_not_depend_on_jobs(weigh, corpus, tmp_path, control):
    for jobs in (1, 2):
        weigh(corpus, tmp_path / str(jobs), scheme=control, params=params_of(control), jobs=jobs)
    one, two = (everything_in(tmp_path / str(jobs)) for jobs in (1, 2))
    shards = [name for name in one if name.endswith(".parquet")]
    assert shards
    assert all(one[name] == two[name] for name in shards)


@pytest.fixture
def cli():
    from typer.testing import CliRunner

    from gazecode.__main__ import app

    def run(*args):
        return CliRunner().invoke(app, [str(a) for a in args])

    return run


def saved(priors, path):
    """The same as one of the published folders."""
    path.mkdir()
    rows = [
        {
            "semantic_label": label,
            "saccades_count": int(hit),
            "word_count": int(shown),
            "alpha": int(hit) + 1,
            "beta": int(shown - hit) + 1,
        }
        for label, hit, shown in zip(LABELS, priors.hit, priors.shown, strict=True)
        if label and shown
    ]
    (path / "beta_distribution.json").write_text(json.dumps(rows), encoding="utf-8")
    for name in ("monogram", "bigram", "trigram"):
        (path / f"{name}_counts.json").write_text("{}", encoding="utf-8")
    return path


def test_the_command_takes_priors_of_other_people(cli, tmp_path, priors, tokenizer):
    rows = tmp_path / "rows.jsonl"
    row = {"id": "m", "language": "java", "code": method(1)}
    rows.write_text(json.dumps(row) + "\n", encoding="utf-8")
    mine, theirs = saved(priors, tmp_path / "a.json"), saved(others(), tmp_path / "b.json")
    done = cli(
        "weigh", rows, "--priors", mine, "--other-priors", theirs, "--tokenizer", tokenizer,
        "--scheme", "control_other_people", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 source → 1 shard in" in done.output


@pytest.mark.real
def test_controls_of_the_published_sample_lose_the_original(shared_data):
    """The figures of docs/corpora.md: 270 published rows, five seeds."""
    files = sorted((shared_data / "eyemulator" / "dataset_sample").glob("*.jsonl"))
    codes = [
        json.loads(line)["code"].encode() for f in files for line in f.read_text().splitlines()
    ]
    batch = parse_batch(codes, "java")
    reading, writing = (
        Priors.load(shared_data / "eyemulator" / "priors" / name) for name in ("reading", "writing")
    )
    _, base = draw_and_weigh(batch, reading)
    for control in (*REDRAWN, "control_uniform", "control_permuted"):
        more = {"other_priors": writing} if control == "control_other_people" else {}
        _, found = draw_and_weigh(batch, reading, control, params=more, seed=0)
        assert np.corrcoef(base.value, found.value)[0, 1] < 0.3
        np.testing.assert_array_equal(
            per_source(batch, found.on_path), per_source(batch, base.on_path)
        )


def test_nothing_is_left_of_nan(cli, tmp_path, priors):
    row = {"semantic_token_sequence": [0], "mask": [0], "line_numbers": [0]}
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(row) + "\n", encoding="utf-8")
    done = cli(
        "repair", rows, "--priors", saved(priors, tmp_path / "p.json"), "--out",
        tmp_path / "fixed.jsonl", "--set", "windows=path", "--json",
    )  # fmt: skip
    said = json.loads(done.stdout, parse_constant=pytest.fail)
    assert said["mean"] is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in said.values())
