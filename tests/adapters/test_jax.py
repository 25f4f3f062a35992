"""The losses for JAX: compiled, differentiated, at extremes, and through optax."""

from functools import partial

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="jax is not installed: pip install 'gazecode[jax]'")
optax = pytest.importorskip("optax", reason="optax is not installed: pip install 'gazecode[jax]'")

import jax.numpy as jnp  # noqa: E402

from gazecode.adapters.jax import (  # noqa: E402
    IGNORED,
    NORMALIZATIONS,
    attention_alignment_loss,
    batches,
    loss_denominator,
    path_margin_loss,
    to_jax,
    token_nll,
    weighted_causal_loss,
)
from gazecode.errors import DataError, ParameterError  # noqa: E402
from gazecode.model import Example  # noqa: E402

B, T, V = 3, 7, 11
TOKENS = ("token_start", "token_end", "token_label", "token_value")


@pytest.fixture
def batch() -> dict:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, V, (B, T))
    labels[:, :3] = IGNORED
    return to_jax(
        {
            "logits": rng.normal(size=(B, T, V)).astype(np.float32),
            "labels": labels,
            "loss_weight": rng.uniform(0, 3, (B, T)).astype(np.float32),
            "on_path": rng.random((B, T)) < 0.5,
        }
    )


def _loss(batch: dict, **changed):
    given = batch | changed
    return weighted_causal_loss(
        given.pop("logits"), given.pop("labels"), given.pop("loss_weight"), **given
    )


def _finite(tree) -> bool:
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(tree))


# --- the weighted loss ---------------------------------------------------------------------------


def test_weights_of_one_are_the_usual_mean(batch):
    """Beside optax's own cross-entropy, in value and gradient."""

    def usual(logits):
        target = batch["labels"][:, 1:]
        nll = optax.softmax_cross_entropy_with_integer_labels(
            logits[:, :-1], target * (target >= 0)
        )
        return (nll * (target >= 0)).sum() / (target >= 0).sum()

    ones = jnp.ones((B, T))
    ours = jax.value_and_grad(lambda x: _loss(batch, logits=x, loss_weight=ones))(batch["logits"])
    theirs = jax.value_and_grad(usual)(batch["logits"])
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_weight_scales_the_gradient_of_the_logits_that_predict_its_token(batch):
    """A shift by one in either direction fails here."""
    ones = jnp.ones((B, T))
    at = 4
    plain, heavy = (
        jax.grad(lambda x, w=w: _loss(batch, logits=x, loss_weight=w, normalization="sum"))(
            batch["logits"]
        )
        for w in (ones, ones.at[:, at].set(3.0))
    )
    ratio = np.ones(T)
    ratio[at - 1] = 3.0
    np.testing.assert_allclose(heavy, plain * ratio[:, None], rtol=1e-5)


def test_only_the_answer_has_gradients(batch):
    grad = jax.grad(lambda x: _loss(batch, logits=x))(batch["logits"])
    moved = np.abs(grad).max(axis=(0, 2)) > 0
    assert moved.tolist() == [False, False, True, True, True, True, False]


def test_the_first_token_counts_nowhere(batch):
    """Nothing predicts it: a label there changes neither numerator nor denominator."""
    labels = batch["labels"].at[:, 0].set(5)
    for name in NORMALIZATIONS:
        assert _loss(batch, labels=labels, normalization=name) == _loss(batch, normalization=name)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_compiled_is_the_same(batch, normalization):
    given = [batch[name] for name in ("logits", "labels", "loss_weight")]
    call = partial(weighted_causal_loss, normalization=normalization)
    plain = jax.value_and_grad(call)(*given, on_path=batch["on_path"])
    compiled = jax.jit(jax.value_and_grad(call))(*given, on_path=batch["on_path"])
    for a, b in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("normalization", ["active", "sum_weights", "path"])
def test_parts_with_the_denominator_of_the_whole_add_up(batch, normalization):
    whole = _loss(batch, normalization=normalization)
    parts = [{name: value[i : i + 1] for name, value in batch.items()} for i in range(B)]
    total = sum(
        loss_denominator(p["labels"], p["loss_weight"], normalization, p["on_path"]) for p in parts
    )
    summed = sum(_loss(p, normalization=normalization, denominator=total) for p in parts)
    np.testing.assert_allclose(summed, whole, rtol=1e-6)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_nothing_to_divide_by_is_nan_with_gradients_of_zero(batch, normalization):
    """It cannot raise under jit; parameters stay whole, and the log says so."""
    nothing = batch | {"labels": jnp.full((B, T), IGNORED)}
    call = jax.jit(
        jax.value_and_grad(lambda x: _loss(nothing, logits=x, normalization=normalization))
    )
    loss, grad = call(batch["logits"])
    assert np.isnan(loss)
    assert not np.asarray(grad).any()


def test_weights_of_zero_and_no_path_are_nan_where_they_divide(batch):
    zeros = jnp.zeros((B, T))
    assert np.isnan(_loss(batch, loss_weight=zeros, normalization="sum_weights"))
    assert _loss(batch, loss_weight=zeros) == 0
    off = zeros.astype(bool)
    assert np.isnan(_loss(batch, on_path=off, normalization="path"))


@pytest.mark.parametrize("extreme", [0.0, 1e4, 1e30, -1e30])
def test_gradients_are_finite_at_extreme_logits(batch, extreme):
    logits = batch["logits"].at[:, :, 0].set(extreme).at[0].set(0)
    assert _finite(jax.value_and_grad(lambda x: _loss(batch, logits=x))(logits))


@pytest.mark.parametrize("junk", [np.inf, -np.inf, np.nan])
def test_what_stands_outside_the_loss_reaches_nothing(batch, junk):
    """Padding of another library may hold anything."""
    logits = batch["logits"].at[:, :2].set(junk).at[:, -1].set(junk)
    weight = batch["loss_weight"].at[:, :3].set(junk)
    loss, grad = jax.value_and_grad(lambda x: _loss(batch, logits=x, loss_weight=weight))(logits)
    np.testing.assert_allclose(loss, _loss(batch))
    assert _finite(grad)


def test_a_token_ruled_out_by_minus_infinity_is_no_trouble(batch):
    """A vocabulary mask: the logit of an id that is never a target."""
    logits = jnp.concatenate([batch["logits"], jnp.full((B, T, 1), -jnp.inf)], axis=-1)
    loss, grad = jax.value_and_grad(lambda x: _loss(batch, logits=x))(logits)
    np.testing.assert_allclose(loss, _loss(batch), rtol=1e-6)
    assert _finite(grad)


def test_half_precision_is_summed_in_single(batch):
    half = batch["logits"].astype(jnp.bfloat16)
    loss = _loss(batch, logits=half)
    assert loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, _loss(batch, logits=half.astype(jnp.float32)), rtol=1e-6)


def test_per_row_losses_by_vmap(batch):
    rows = jax.vmap(lambda *row: weighted_causal_loss(*(r[None] for r in row)))
    found = rows(batch["logits"], batch["labels"], batch["loss_weight"])
    single = [_loss({name: v[i : i + 1] for name, v in batch.items()}) for i in range(B)]
    np.testing.assert_allclose(found, single, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"normalization": "mean"}, "choose from: active, path, sum, sum_weights"),
        ({"normalization": "path", "on_path": None}, "without on_path"),
        ({"normalization": "sum", "denominator": 3.0}, "leave the denominator out"),
    ],
)
def test_names_are_refused_while_compiling(batch, wrong, said):
    with pytest.raises(ParameterError, match=said):
        jax.jit(lambda x: _loss(batch, logits=x, **wrong))(batch["logits"])


# --- the preference term -------------------------------------------------------------------------


def test_equal_margins_give_ln_2(batch):
    found = path_margin_loss(
        batch["logits"], batch["labels"], batch["on_path"], reference_logits=batch["logits"]
    )
    np.testing.assert_allclose(found.loss, np.log(2), rtol=1e-6)


def test_margin_by_hand():
    """One row, two output tokens: P = log .5, R = log .25, beta .1."""
    p = jnp.log(jnp.array([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1.0, 1.0, 1.0]]]))
    labels, on_path = jnp.array([[IGNORED, 0, 1]]), jnp.array([[False, True, False]])
    found = path_margin_loss(p, labels, on_path, reference_logits=None)
    expected = -np.log(1 / (1 + np.exp(-0.1 * np.log(2))))
    np.testing.assert_allclose(found.loss, expected, rtol=1e-6)
    np.testing.assert_allclose(found.off_path_nll, np.log(4), rtol=1e-6)
    assert (int(found.n_used), int(found.n_skipped)) == (1, 0)


def test_rows_without_both_sides_are_skipped_and_counted(batch):
    on_path = jnp.zeros((B, T), dtype=bool).at[0].set(True).at[1, 4:6].set(True)
    call = jax.jit(partial(path_margin_loss, reference_logits=None))
    found = call(batch["logits"], batch["labels"], on_path)
    assert (int(found.n_used), int(found.n_skipped)) == (1, 2)
    alone = call(batch["logits"][1:2], batch["labels"][1:2], on_path[1:2])
    np.testing.assert_allclose(found.loss, alone.loss, rtol=1e-6)
    np.testing.assert_allclose(found.off_path_nll, alone.off_path_nll, rtol=1e-6)


def test_no_row_to_use_is_zero_with_gradients_of_zero(batch):
    every = jnp.ones((B, T), dtype=bool)

    def loss(logits):
        found = path_margin_loss(logits, batch["labels"], every, reference_logits=None)
        return found.loss, found

    (value, found), grad = jax.value_and_grad(loss, has_aux=True)(batch["logits"])
    assert value == 0
    assert not np.asarray(grad).any()
    assert np.isnan(found.off_path_nll)


@pytest.mark.parametrize("extreme", [0.0, 1e4, 1e30])
def test_margin_gradients_are_finite(batch, extreme):
    logits = batch["logits"].at[:, :, 1].set(extreme)
    grad = jax.grad(
        lambda x: (
            path_margin_loss(
                x, batch["labels"], batch["on_path"], reference_logits=batch["logits"]
            ).loss
        )
    )
    assert _finite(grad(logits))


def test_the_reference_gets_no_gradient(batch):
    grad = jax.grad(
        lambda r: (
            path_margin_loss(
                batch["logits"], batch["labels"], batch["on_path"], reference_logits=r
            ).loss
        )
    )
    assert not np.asarray(grad(batch["logits"] + 1)).any()


# --- attention -----------------------------------------------------------------------------------


def _attention(seed: int = 0, heads: int = 2) -> jax.Array:
    scores = np.random.default_rng(seed).normal(size=(B, heads, T, T))
    causal = np.tril(np.ones((T, T), dtype=bool))
    return jax.nn.softmax(jnp.where(causal, jnp.asarray(scores, jnp.float32), -jnp.inf), axis=-1)


def test_attention_equal_to_the_human_one_costs_nothing():
    model = _attention()
    yes = jnp.ones((B, T), dtype=bool)
    human = model.mean(axis=1)
    found = jax.jit(attention_alignment_loss)(model, human, yes, yes)
    np.testing.assert_allclose(found.loss, 0, atol=1e-6)
    np.testing.assert_allclose(found.sink_share, 0, atol=1e-6)
    assert int(found.n_rows) == B * T
    grad = jax.grad(lambda m: attention_alignment_loss(m, human, yes, yes).loss)(model)
    np.testing.assert_allclose(grad, 0, atol=1e-4)


def test_attention_by_hand():
    """Row 2 may look at keys 0 and 1; human .75/.25, model .2/.2 of all: KL = ln 2 - H(.75)."""
    model = jnp.array([[[[1.0, 0, 0], [0.5, 0.5, 0], [0.2, 0.2, 0.6]]]])
    queries, keys = jnp.array([[False, False, True]]), jnp.array([[True, True, False]])
    found = attention_alignment_loss(model, jnp.array([[3.0, 1.0, 9.0]]), queries, keys)
    expected = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sink_share, 0.6, rtol=1e-6)


def test_rows_without_mass_are_skipped_and_gradients_stay_finite():
    """A model that gives a key nothing, a padding row that is NaN, a row nobody looked from."""
    model = _attention().at[:, :, 3, 0].set(0).at[:, :, -1].set(jnp.nan)
    human = jnp.ones((B, T, T)).at[:, 4].set(0)
    queries = jnp.ones((B, T), dtype=bool).at[:, -1].set(False)
    keys = jnp.ones((B, T), dtype=bool)

    def loss(m):
        found = attention_alignment_loss(m, human, queries, keys)
        return found.loss, found

    (value, found), grad = jax.jit(jax.value_and_grad(loss, has_aux=True))(model)
    assert np.isfinite(value)
    assert _finite(grad)
    assert (int(found.n_rows), int(found.n_skipped)) == (B * (T - 2), B)


def test_no_query_is_zero_and_says_so():
    no, yes = jnp.zeros((B, T), dtype=bool), jnp.ones((B, T), dtype=bool)
    found = attention_alignment_loss(_attention(), jnp.ones((B, T)), no, yes)
    assert (float(found.loss), int(found.n_rows), int(found.n_skipped)) == (0, 0, 0)
    assert np.isnan(found.sink_share)


def test_layers_are_chosen_by_number():
    layers = [_attention(seed) for seed in range(3)]
    yes, human = jnp.ones((B, T), dtype=bool), jnp.ones((B, T))
    last = attention_alignment_loss(layers, human, yes, yes, layers=[-1])
    assert last.loss == attention_alignment_loss(layers[-1], human, yes, yes).loss
    mean = attention_alignment_loss(sum(layers) / 3, human, yes, yes)
    every = attention_alignment_loss(tuple(layers), human, yes, yes)
    np.testing.assert_allclose(every.loss, mean.loss, rtol=1e-5)
    with pytest.raises(ParameterError, match="no layer 3; expected one of 3"):
        attention_alignment_loss(layers, human, yes, yes, layers=[3])
    with pytest.raises(DataError, match="gave no attention"):
        attention_alignment_loss([None], human, yes, yes)


# --- batches, and a model that learns ------------------------------------------------------------


def _examples(n: int) -> list[Example]:
    """Each repeats one pair of ids; the weight is higher where the pair begins."""
    made = []
    for i in range(n):
        size = 6 + i % 3
        ids = np.array([1 + (i + j) % 2 for j in range(size)])
        made.append(
            Example(
                example_id=f"e{i}",
                **dict.fromkeys(("source_id", "participant", "trial", "language", "text"), ""),
                input_ids=ids,
                loss_mask=np.arange(size) > 0,
                weight=np.where(np.arange(size) > 0, 1.0 + ids % 2, 1.0),
                attention=np.zeros(size),
                on_path=ids % 2 == 0,
                token_index=np.full(size, -1),
                **{name: [] for name in TOKENS},
            )
        )
    return made


def test_batches_are_those_of_numpy_on_the_device():
    from gazecode.adapters import arrays

    examples = _examples(5)
    ours = list(batches(examples, 2, multiple_of=4))
    theirs = list(arrays.batches(examples, 2, multiple_of=4))
    assert len(ours) == len(theirs) == 3
    for a, b in zip(ours, theirs, strict=True):
        assert a.keys() == b.keys()
        for name, value in a.items():
            assert isinstance(value, jax.Array)
            np.testing.assert_array_equal(value, b[name])
        assert a["loss_weight"].dtype == jnp.float32
        assert a["labels"].dtype == jnp.int32


def test_only_numbers_go_to_the_device():
    names = np.array(["a"], dtype=object)
    assert to_jax({"names": names, "n": 3}) == {"names": names, "n": 3}


def test_optax_lowers_the_loss_of_a_tiny_model():
    """An embedding and a linear layer learn which id follows which."""
    made = list(batches(_examples(8), 8, multiple_of=8))
    keys = jax.random.split(jax.random.key(0))
    params = {
        "embed": jax.random.normal(keys[0], (4, 8)) * 0.1,
        "out": jax.random.normal(keys[1], (8, 4)) * 0.1,
    }
    optimizer = optax.adamw(0.05)

    def loss_of(params, batch):
        logits = params["embed"][batch["input_ids"]] @ params["out"]
        return weighted_causal_loss(logits, batch["labels"], batch["loss_weight"])

    @jax.jit
    def step(params, state, batch):
        loss, grad = jax.value_and_grad(loss_of)(params, batch)
        updates, state = optimizer.update(grad, state, params)
        return optax.apply_updates(params, updates), state, loss

    state, losses = optimizer.init(params), []
    for _ in range(60):
        for batch in made:
            params, state, loss = step(params, state, batch)
            losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]


def test_nll_of_an_id_beyond_the_vocabulary_is_nan():
    """A wrong tokenizer must not look like a low loss."""
    assert np.isnan(token_nll(jnp.zeros((1, 2, 4)), jnp.array([[0, 9]]))).all()
