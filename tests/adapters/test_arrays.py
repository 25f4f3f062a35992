"""Padding, pairs, Megatron's form, and the losses in numpy: laws, and loops as oracles."""

import math
import subprocess
import sys
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.adapters import arrays
from gazecode.adapters.arrays import IGNORED, NORMALIZATIONS
from gazecode.alignment.targets.answers import answer_target, causal_target, source_keys
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example

PADDED = ("input_ids", "loss_weight", "on_path", "human_attention")


def make(n=4, name="one", **changed):
    """An example: position 0 is special, the first half is source, the rest is the answer."""
    half = (n + 1) // 2
    token = np.arange(n) - 1
    usual = {
        **dict.fromkeys(("source_id", "participant", "trial", "language", "text"), ""),
        "example_id": name,
        "input_ids": np.arange(n) + 5,
        "loss_mask": np.arange(n) >= half,
        "weight": np.where(np.arange(n) >= half, 2.0, 1.0),
        "attention": np.where(token >= 0, 1.0, 0.0) / max(n - 1, 1),
        "on_path": np.arange(n) % 2 == 1,
        "token_index": token,
        "token_start": np.arange(n - 1),
        "token_end": np.arange(n - 1) + 1,
        "token_label": [""] * (n - 1),
        "token_value": np.ones(n - 1),
        "segment_name": ["code", "answer"],
        "segment_start": [0, half],
        "segment_end": [half, n],
    }
    return Example(**usual | changed)


@st.composite
def examples(draw):
    """Any example that a batch takes."""
    n = draw(st.integers(3, 9))

    def per(one, size=n):
        return draw(st.lists(one, min_size=size, max_size=size))

    mass = np.array(per(st.integers(0, 3)), dtype=float)
    mass[0] = 0
    mask = np.array(per(st.booleans()), dtype=bool)
    mask[draw(st.integers(1, n - 1))] = True
    weight = np.array(per(st.sampled_from([0.0, 0.5, 1.0, 3.0])))
    cells = sorted(draw(st.sets(st.tuples(st.integers(1, n - 1), st.integers(1, n - 1)))))
    count = np.array(per(st.integers(1, 4), len(cells)), dtype=float)
    origin = np.array([a for a, _ in cells], dtype=np.int64)
    total = np.bincount(origin, weights=count, minlength=n)[origin]
    return make(
        n,
        input_ids=per(st.integers(0, 6)),
        loss_mask=mask,
        weight=np.where(mask, weight, 1.0),
        attention=mass / mass.sum() if mass.any() else mass,
        on_path=per(st.booleans()),
        transition_from=origin,
        transition_to=[b for _, b in cells],
        transition_count=count,
        transition_share=count / total,
    )


lists = st.lists(examples(), min_size=1, max_size=4)


@given(lists, st.integers(0, 6), st.integers(1, 8))
def test_unpadding_gives_back_the_examples(given_, pad_id, multiple_of):
    batch = arrays.collate(given_, pad_id=pad_id, multiple_of=multiple_of, allow_inert=True)
    longest = max(map(len, given_))
    width = batch["input_ids"].shape[1]
    assert longest <= width < longest + multiple_of
    assert width % multiple_of == 0
    held = batch["attention_mask"].astype(bool)
    for i, example in enumerate(given_):
        # 0 exactly on padding, also where the text itself holds the id of padding.
        assert held[i].tolist() == [j < len(example) for j in range(width)]
        back = {name: batch[name][i][held[i]] for name in (*PADDED, "labels")}
        np.testing.assert_array_equal(back["input_ids"], example.input_ids)
        np.testing.assert_array_equal(back["loss_weight"], example.weight.astype(np.float32))
        np.testing.assert_array_equal(back["on_path"], example.on_path)
        np.testing.assert_array_equal(back["human_attention"], example.attention.astype(np.float32))
        # Not shifted: a label is the id of its own position.
        np.testing.assert_array_equal(
            back["labels"], np.where(example.loss_mask, example.input_ids, IGNORED)
        )
    assert (batch["input_ids"][~held] == pad_id).all()
    assert (batch["labels"][~held] == IGNORED).all()
    assert (batch["loss_weight"][~held] == 1).all()
    assert not batch["on_path"][~held].any()
    assert not batch["human_attention"][~held].any()


@given(lists)
def test_answer_targets_are_padded_rows(given_):
    batch = arrays.collate(given_, target="answer", allow_inert=True)
    for i, example in enumerate(given_):
        found, n = answer_target(example), len(example)
        for name, own in (("target", found.probability), ("queries", found.query)):
            column = batch[f"attention_{name}"][i]
            np.testing.assert_array_equal(column[:n], own.astype(column.dtype))
            assert not column[n:].any()
        assert batch["attention_keys"][i, :n].tolist() == source_keys(example).tolist()
        assert not batch["attention_keys"][i, n:].any()


@given(lists, st.sampled_from(["forward", "transpose", "symmetric"]))
def test_scan_path_targets_are_causal_rows(given_, direction):
    batch = arrays.collate(given_, target="scan_path", direction=direction, allow_inert=True)
    dense, query = batch["attention_target"], batch["attention_queries"]
    assert not np.triu(dense, 1).any()
    np.testing.assert_allclose(dense.sum(axis=-1), query, atol=1e-6)
    assert not (dense * ~batch["attention_keys"][:, None, :]).any()
    for i, example in enumerate(given_):
        n, keys = len(example), source_keys(example)
        own = causal_target(example.transitions, direction=direction, keys=keys).to_dense()
        np.testing.assert_allclose(dense[i, :n, :n], own, atol=1e-7)
        assert not dense[i, n:].any()


def test_types_of_a_batch():
    batch = arrays.collate([make(5), make(3)], target="scan_path")
    assert {name: (str(column.dtype), column.ndim) for name, column in batch.items()} == {
        "input_ids": ("int64", 2),
        "attention_mask": ("int64", 2),
        "labels": ("int64", 2),
        "loss_weight": ("float32", 2),
        "on_path": ("bool", 2),
        "human_attention": ("float32", 2),
        "attention_target": ("float32", 3),
        "attention_queries": ("bool", 2),
        "attention_keys": ("bool", 2),
    }
    assert all(column.flags.writeable for column in batch.values())


PROMPT_ONLY = {"weight": [1.0, 3.0, 1.0, 1.0], "loss_mask": [False, False, True, True]}


@pytest.mark.parametrize(
    ("given_", "options", "said"),
    [
        pytest.param([], {}, "a batch of no examples; expected at least one", id="empty"),
        pytest.param(
            [make(3), make(9, "long")],
            {"max_length": 8},
            "example 'long' has 9 positions; expected at most 8: make windows of long texts "
            "(gazecode.alignment.align_windows), nothing is cut here",
            id="long",
        ),
        pytest.param(
            [make(4, loss_mask=[True, False, False, False])],
            {},
            "example 'one' has no position with a loss after its first, which nothing predicts; "
            "leave it out or align it with another template",
            id="no loss",
        ),
        pytest.param(
            [make(4, **PROMPT_ONLY)],
            {},
            "example 'one' has weights, and none of them where the loss counts (weight_reach 0): "
            "training would silently be plain; choose a route that reaches the answer, or say "
            "allow_inert=True",
            id="inert",
        ),
        pytest.param(
            [make(4, weight=np.ones(4), inert_weight=2.5)],
            {},
            "example 'one' has weights, and none of them where the loss counts (weight_reach 0): "
            "training would silently be plain; choose a route that reaches the answer, or say "
            "allow_inert=True",
            id="withheld",
        ),
        pytest.param(
            # The weight lies under the loss mask, at a position that nothing predicts.
            [make(4, weight=[3.0, 1.0, 1.0, 1.0], loss_mask=np.ones(4))],
            {},
            "example 'one' has weights, and none of them where the loss counts (weight_reach 0): "
            "training would silently be plain; choose a route that reaches the answer, or say "
            "allow_inert=True",
            id="first position",
        ),
    ],
)
def test_what_a_batch_refuses(given_, options, said):
    with pytest.raises(DataError) as caught:
        arrays.collate(given_, **options)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"multiple_of": 0}, "multiple_of is 0; expected 1 or more"),
        (
            {"multiple_of": 8, "max_length": 100},
            (
                "max_length is 100; expected a multiple of multiple_of (8), so that padding stays "
                "within it"
            ),
        ),
        ({"target": "gaze"}, "no 'gaze' in targets; choose from: answer, scan_path"),
    ],
)
def test_options_outside_their_range(options, said):
    with pytest.raises(ParameterError) as caught:
        arrays.collate([make()], **options)
    assert str(caught.value) == said


def test_inert_and_neutral_examples():
    batch = arrays.collate([make(4, **PROMPT_ONLY)], allow_inert=True)
    assert batch["loss_weight"].tolist() == [[1.0, 3.0, 1.0, 1.0]]
    # Neutral everywhere (the route `attention`, plain training) is not inert.
    arrays.collate([make(4, weight=np.ones(4))])


def test_batches_in_order_hold_one_batch_at_a_time():
    taken = []

    def stream():
        for i in range(7):
            taken.append(i)
            yield make(4, input_ids=np.full(4, i))

    made = arrays.batches(stream(), 3)
    first = next(made)
    assert (first["input_ids"][:, 0].tolist(), len(taken)) == ([0, 1, 2], 3)
    assert [len(batch["labels"]) for batch in made] == [3, 1]


def test_batches_shuffled_by_seed_alone():
    given_ = [make(4, input_ids=np.full(4, i)) for i in range(7)]

    def order(seed, **options):
        made = arrays.batches(given_, 2, seed=seed, **options)
        return [batch["input_ids"][:, 0].tolist() for batch in made]

    assert order(3) == order(3) != order(4)
    assert sorted(chain.from_iterable(order(3))) == list(range(7))
    assert order(3, drop_last=True) == order(3)[:3]
    assert order(None, drop_last=True) == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ParameterError, match="batch_size is 0; expected 1 or more"):
        list(arrays.batches(given_, 0))


def side(pair, which, name=None, n=4, **changed):
    named = name or f"{pair}-{which}"
    return make(n, named, pair_id=pair, pair_side=which, **changed)


def test_pairs_keep_the_order_of_their_first_side():
    made = arrays.pairs(
        [side("b", "rejected"), side("a", "chosen"), side("a", "rejected"), side("b", "chosen")]
    )
    assert [(one.example_id, two.example_id) for one, two in made] == [
        ("b-chosen", "b-rejected"),
        ("a-chosen", "a-rejected"),
    ]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        pytest.param(
            [side("a", "chosen")],
            "pair 'a' has no example that is rejected; expected both sides",
            id="one side",
        ),
        pytest.param(
            [side("a", "chosen", "x"), side("a", "chosen", "y")],
            "pair 'a' has two examples that are chosen: 'x' and 'y'; expected one, which is no "
            "window of a longer text",
            id="twice",
        ),
        pytest.param(
            [make(name="x")],
            "example 'x' has pair_id '' and pair_side ''; expected the name of a pair, and chosen "
            "or rejected",
            id="no pair",
        ),
        pytest.param(
            [side("a", "best", "x")],
            "example 'x' has pair_id 'a' and pair_side 'best'; expected the name of a pair, and "
            "chosen or rejected",
            id="other side",
        ),
    ],
)
def test_what_is_no_pair(given_, said):
    with pytest.raises(DataError) as caught:
        arrays.pairs(given_)
    assert str(caught.value) == said


def test_batches_of_pairs():
    made = arrays.pairs(
        [side(name, which, n=n) for name in "abc" for which, n in (("chosen", 4), ("rejected", 6))]
    )
    first, last = arrays.pair_batches(made, 2, pad_id=9)
    assert first.keys() == {
        f"{s}_{name}" for s in arrays.SIDES for name in arrays.collate([make()])
    }
    assert first["chosen_labels"].shape == (2, 4)
    assert last["rejected_labels"].shape == (1, 6)
    with pytest.raises(DataError, match="a batch of no examples"):
        arrays.collate_pairs([])


def logits_for(labels, vocabulary=16, seed=0, scale=3.0):
    shape = (*np.shape(labels), vocabulary)
    return np.random.default_rng(seed).normal(size=shape) * scale


def spelled_out(logits, batch):
    """Every target with its weight, nll and path, one by one."""
    for b, i in np.ndindex(batch["labels"].shape):
        if i and batch["labels"][b, i] != IGNORED:
            row = [float(v) for v in logits[b, i - 1]]
            total = math.log(sum(math.exp(v) for v in row))
            nll = total - row[batch["input_ids"][b, i]]
            yield float(batch["loss_weight"][b, i]), nll, bool(batch["on_path"][b, i])


@given(lists, st.sampled_from(NORMALIZATIONS))
def test_weighted_loss_spelled_out(given_, normalization):
    batch = arrays.collate(given_, allow_inert=True)
    logits = logits_for(batch["labels"])
    terms = list(spelled_out(logits, batch))
    divisor = {
        "active": len(terms),
        "sum_weights": sum(w for w, _, _ in terms),
        "sum": 1,
        "path": sum(on for _, _, on in terms),
    }[normalization]
    wanted = {"normalization": normalization, "on_path": batch["on_path"]}
    call = (logits, batch["labels"], batch["loss_weight"])
    if not divisor:
        with pytest.raises(DataError, match="loss denominator is 0, expected more than 0"):
            arrays.weighted_causal_loss(*call, **wanted)
        return
    found = arrays.weighted_causal_loss(*call, **wanted)
    assert found == pytest.approx(sum(w * nll for w, nll, _ in terms) / divisor, rel=1e-9)


@given(lists)
def test_megatron_is_the_same_loss(given_):
    """Its own formula: logits at i, label i, mask i, divided by the sum of the mask."""
    batch = arrays.collate(given_, allow_inert=True)
    made = arrays.megatron(batch)
    logits = logits_for(batch["labels"])
    short = logits[:, :-1]
    nll = (
        np.log(np.exp(short).sum(-1))
        - np.take_along_axis(short, made["labels"][..., None], -1)[..., 0]
    )
    if not made["loss_mask"].any():
        return
    found = (nll * made["loss_mask"]).sum() / made["loss_mask"].sum()
    wanted = arrays.weighted_causal_loss(
        logits, batch["labels"], batch["loss_weight"], normalization="sum_weights"
    )
    assert found == pytest.approx(wanted, rel=1e-6)


def test_megatron_by_hand():
    example = make(
        5,
        input_ids=[10, 11, 12, 13, 14],
        loss_mask=[True, False, True, False, True],
        weight=[1, 1, 2, 1, 4],
    )
    made = arrays.megatron(arrays.collate([example], pad_id=99, multiple_of=6))
    assert made["tokens"].tolist() == [[10, 11, 12, 13, 14]]
    assert made["labels"].tolist() == [[11, 12, 13, 14, 99]]
    assert made["loss_mask"].tolist() == [[0, 2, 0, 4, 0]]
    assert made["position_ids"].tolist() == [[0, 1, 2, 3, 4]]
    assert made["attention_mask"].shape == (1, 1, 5, 5)
    assert (
        made["attention_mask"][0, 0].tolist() == np.triu(np.ones((5, 5)), 1).astype(bool).tolist()
    )
    assert made["loss_mask"].dtype == np.float32
    short = arrays.megatron(arrays.collate([example]), create_attention_mask=False)
    assert "attention_mask" not in short


def test_the_shift_is_by_one():
    """A model sure of the next token has no loss; off by one in either direction it has."""
    ids = np.array([[3, 1, 4, 1, 5, 2]])
    labels, weight = ids.copy(), np.ones(ids.shape)
    for shift, is_right in ((0, False), (1, True), (2, False)):
        logits = np.zeros((1, 6, 7))
        for i in range(6 - shift):
            logits[0, i, ids[0, i + shift]] = 50.0
        assert (arrays.weighted_causal_loss(logits, labels, weight) < 1e-9) == is_right


def test_parts_of_a_batch_add_up():
    whole = arrays.collate([make(6), make(9), make(4), make(5)])
    logits = logits_for(whole["labels"])
    for normalization in ("active", "sum_weights", "path"):
        options = {"normalization": normalization}

        def rows(a, b):
            return {name: whole[name][a:b] for name in ("labels", "loss_weight", "on_path")}

        total = sum(arrays.loss_denominator(**rows(a, a + 1), **options) for a in range(4))
        parts = sum(
            arrays.weighted_causal_loss(
                logits[a : a + 2], **rows(a, a + 2), **options, denominator=total
            )
            for a in (0, 2)
        )
        assert parts == pytest.approx(
            arrays.weighted_causal_loss(logits, **rows(0, 4), **options), rel=1e-12
        )


@pytest.mark.parametrize(
    ("changed", "options", "said"),
    [
        (
            {"normalization": "mean"},
            {},
            "no 'mean' in normalizations; choose from: active, path, sum, sum_weights",
        ),
        (
            {"normalization": "path"},
            {},
            "normalization 'path' without on_path; give on_path of the batch",
        ),
        (
            {"normalization": "path"},
            {"on_path": np.zeros((1, 3), dtype=bool)},
            (
                "loss denominator is 0, expected more than 0: no target with a loss lies on the "
                "scan path; use normalization 'active' for examples without a path"
            ),
        ),
        (
            {"normalization": "sum", "denominator": 4.0},
            {},
            "normalization 'sum' divides by nothing; leave the denominator out",
        ),
        (
            {"denominator": 0.0},
            {},
            (
                "loss denominator is 0, expected more than 0: no target has a loss; leave such "
                "examples out, as collate does"
            ),
        ),
    ],
)
def test_what_the_weighted_loss_refuses(changed, options, said):
    labels = np.array([[0, 1, 2]])
    with pytest.raises((DataError, ParameterError)) as caught:
        arrays.weighted_causal_loss(
            np.zeros((1, 3, 4)), labels, np.ones((1, 3)), **changed, **options
        )
    assert str(caught.value) == said


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_nothing_with_a_loss_is_never_a_loss_of_0(normalization):
    # The first label is there and predicted by nothing.
    labels, ones = np.array([[0, IGNORED, IGNORED]]), np.ones((1, 3))
    with pytest.raises(DataError, match="loss denominator is 0"):
        arrays.weighted_causal_loss(
            np.zeros((1, 3, 4)), labels, ones, normalization=normalization, on_path=ones
        )


def test_path_margin_by_hand():
    # Row 0: P = mean(log .5, log .25), R = log .125. Row 1: P = log .5, R = log .25.
    p = np.full((2, 4, 4), 1e-9)
    labels = np.array([[0, 1, 2, 3], [0, 1, 2, IGNORED]])
    on_path = np.array([[True, True, True, False], [False, False, True, True]])
    p[0, 0, 1], p[0, 1, 2], p[0, 2, 3], p[1, 0, 1], p[1, 1, 2] = 0.5, 0.25, 0.125, 0.25, 0.5
    p[..., 0] = 1 - p[..., 1:].sum(-1)
    found = arrays.path_margin_loss(np.log(p), labels, on_path, reference_logits=None, beta=2.0)
    margins = [np.log([0.5, 0.25]).mean() - np.log(0.125), np.log(0.5) - np.log(0.25)]
    assert found.loss == pytest.approx(np.mean([math.log1p(math.exp(-2 * m)) for m in margins]))
    assert (found.n_used, found.n_skipped) == (2, 0)
    assert found.off_path_nll == pytest.approx(-np.mean([np.log(0.125), np.log(0.25)]))
    # Per sequence: pooling the tokens of both would be another number.
    pooled = np.log([0.5, 0.25, 0.5]).mean() - np.log([0.125, 0.25]).mean()
    assert found.loss != pytest.approx(math.log1p(math.exp(-2 * pooled)), rel=1e-3)


def test_path_margin_is_ln_2_where_nothing_has_moved():
    labels = np.array([[0, 1, 2, 3]])
    on_path = np.array([[False, True, True, False]])
    logits = logits_for(labels)
    same = arrays.path_margin_loss(logits, labels, on_path, reference_logits=logits)
    even = arrays.path_margin_loss(np.zeros((1, 4, 5)), labels, on_path, reference_logits=None)
    assert same.loss == pytest.approx(math.log(2), rel=1e-12)
    assert even.loss == pytest.approx(math.log(2), rel=1e-12)


def test_sequences_with_one_side_are_skipped():
    labels = np.array([[0, 1, 2], [0, 1, 2], [0, IGNORED, IGNORED]])
    on_path = np.array([[False, True, False], [True, True, True], [True, True, False]])
    found = arrays.path_margin_loss(logits_for(labels), labels, on_path, reference_logits=None)
    alone = arrays.path_margin_loss(
        logits_for(labels)[:1], labels[:1], on_path[:1], reference_logits=None
    )
    assert (found.n_used, found.n_skipped) == (1, 2)
    assert found.loss == pytest.approx(alone.loss)
    none = arrays.path_margin_loss(
        logits_for(labels)[1:], labels[1:], on_path[1:], reference_logits=None
    )
    assert (none.loss, none.n_used, none.n_skipped) == (0.0, 0, 2)
    assert math.isnan(none.off_path_nll)


def attention_of(rng, b, h, t):
    scores = rng.normal(size=(b, h, t, t)) * 2
    weights = np.exp(scores) * np.tril(np.ones((t, t)))
    return weights / weights.sum(-1, keepdims=True)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_attention_alignment_spelled_out(seed, same_row):
    rng = np.random.default_rng(seed)
    b, h, t = 2, 3, 6
    layers = [attention_of(rng, b, h, t) for _ in range(3)]
    target = rng.random((b, t) if same_row else (b, t, t)) * (rng.random(t) < 0.6)
    queries, keys = rng.random((b, t)) < 0.6, rng.random((b, t)) < 0.6
    terms, skipped, kept, whole = [], 0, 0.0, 0.0
    for r, i in zip(*np.nonzero(queries), strict=True):
        model = (layers[0][r].mean(0) + layers[2][r].mean(0))[i, : i + 1] / 2
        human = (target[r] if same_row else target[r, i])[: i + 1] * keys[r, : i + 1]
        kept, whole = kept + model[keys[r, : i + 1]].sum(), whole + model.sum()
        q, p = model * keys[r, : i + 1], human
        if not p.sum() or not q.sum():
            skipped += 1
            continue
        p, q = p / p.sum(), q / q.sum()
        terms.append(sum(a * math.log(a / c) for a, c in zip(p, q, strict=True) if a))
    found = arrays.attention_alignment_loss(layers, target, queries, keys, layers=(0, -1))
    assert (found.n_rows, found.n_skipped) == (len(terms), skipped)
    assert found.loss == pytest.approx(np.mean(terms) if terms else 0.0, abs=1e-9)
    if whole:
        assert found.sink_share == pytest.approx(1 - kept / whole)
    else:
        assert math.isnan(found.sink_share)


def test_attention_alignment_is_0_at_equality():
    rng = np.random.default_rng(1)
    model = attention_of(rng, 2, 4, 7)
    yes = np.ones((2, 7), dtype=bool)
    keys = np.arange(7) % 2 == 0
    # Equal where people and model are compared; what the model gives elsewhere is no difference.
    human = model.mean(axis=1) * keys * 0.3
    found = arrays.attention_alignment_loss(model, human, yes, np.tile(keys, (2, 1)))
    assert found.loss == pytest.approx(0.0, abs=1e-12)
    assert found.n_rows == 14
    assert found.sink_share > 0.2


def test_nothing_heavy_is_loaded():
    heavy = ["torch", "jax", "transformers", "datasets", "pandas", "scipy", "pyarrow", "tokenizers"]
    code = f"import sys, gazecode.adapters.arrays; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_examples_stay_as_they_are():
    example = replace(make(4), inert_weight=1.0)
    batch = arrays.collate([example])
    batch["input_ids"][:] = 0
    assert example.input_ids.tolist() == [5, 6, 7, 8]
