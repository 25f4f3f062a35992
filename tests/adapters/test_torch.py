"""PyTorch: the same numbers as numpy, gradients, data sets over files, loaders with workers."""

import math
from copy import deepcopy
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.adapters import arrays
from gazecode.adapters.arrays import IGNORED, NORMALIZATIONS
from gazecode.errors import DataError, ParameterError, SchemaError
from gazecode.export import to_hdf5, to_jsonl, to_parquet
from gazecode.model import Example

pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")

import torch
from torch.autograd import gradcheck
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from gazecode.adapters import torch as adapter
from gazecode.adapters.common import torch_losses

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=30)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tensors as small as these are slower with several, on a busy machine a hundred times."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make(n=5, name="one", **changed):
    usual = {
        **dict.fromkeys(("source_id", "participant", "trial", "language", "text"), ""),
        "example_id": name,
        "input_ids": np.arange(n) + 5,
        "loss_mask": np.arange(n) >= 2,
        "weight": np.where(np.arange(n) >= 2, 2.0, 1.0),
        "attention": np.zeros(n),
        "on_path": np.arange(n) % 2 == 0,
        "token_index": np.full(n, -1),
        **dict.fromkeys(("token_start", "token_end", "token_label", "token_value"), ()),
    }
    return Example(**usual | changed)


def case(seed, *, b=3, t=7, v=11, scale=3.0):
    """Random float64 logits, and a batch in which every row has targets on and off the path."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, v, (b, t))
    labels = np.where(rng.random((b, t)) < 0.7, ids, IGNORED)
    labels[:, 1:3] = ids[:, 1:3]
    on_path = rng.random((b, t)) < 0.5
    on_path[:, 1:3] = [True, False]
    weight = rng.choice([0.0, 0.5, 1.0, 4.0], (b, t))
    weight[0, 1] = 2.0
    logits = rng.normal(size=(b, t, v)) * scale
    return logits, labels, weight, on_path


def tensors(*columns):
    return tuple(torch.from_numpy(column) for column in columns)


@few
@given(SEEDS, st.sampled_from(NORMALIZATIONS))
def test_weighted_loss_is_that_of_numpy(seed, normalization):
    logits, labels, weight, on_path = case(seed)
    options = {"normalization": normalization}
    wanted = arrays.weighted_causal_loss(logits, labels, weight, on_path=on_path, **options)
    there, *rest, path = tensors(logits, labels, weight, on_path)
    found = adapter.weighted_causal_loss(there, *rest, on_path=path, **options)
    assert found.item() == pytest.approx(wanted, rel=1e-6)
    divisor = arrays.loss_denominator(labels, weight, normalization, on_path)
    assert adapter.loss_denominator(*rest, normalization, path).item() == pytest.approx(divisor)


@few
@given(SEEDS, st.booleans())
def test_path_margin_is_that_of_numpy(seed, with_reference):
    logits, labels, _, on_path = case(seed)
    labels[0, 1:] = IGNORED
    reference = case(seed + 1)[0] if with_reference else None
    wanted = arrays.path_margin_loss(logits, labels, on_path, reference_logits=reference, beta=0.7)
    there, *rest = tensors(logits, labels, on_path)
    found = adapter.path_margin_loss(
        there, *rest, reference_logits=tensors(reference)[0] if with_reference else None, beta=0.7
    )
    assert found[1:3] == wanted[1:3] == (2, 1)
    assert found.loss.item() == pytest.approx(wanted.loss, rel=1e-6)
    assert found.off_path_nll.item() == pytest.approx(wanted.off_path_nll, rel=1e-6)


def attention_of(rng, b, h, t):
    weights = np.exp(rng.normal(size=(b, h, t, t)) * 2) * np.tril(np.ones((t, t)))
    return weights / weights.sum(-1, keepdims=True)


@few
@given(SEEDS, st.booleans())
def test_attention_alignment_is_that_of_numpy(seed, same_row):
    rng = np.random.default_rng(seed)
    layers = [attention_of(rng, 2, 3, 6) for _ in range(3)]
    layers[1][:, :, 4, 2] = 0.0
    target = rng.random((2, 6) if same_row else (2, 6, 6)) * (rng.random(6) < 0.6)
    queries, keys = rng.random((2, 6)) < 0.6, rng.random((2, 6)) < 0.6
    wanted = arrays.attention_alignment_loss(layers, target, queries, keys, layers=(1, -1))
    found = adapter.attention_alignment_loss(
        tensors(*layers), *tensors(target, queries, keys), layers=(1, -1)
    )
    assert found[1:3] == wanted[1:3]
    assert found.loss.item() == pytest.approx(wanted.loss, rel=1e-6, abs=1e-12)
    assert found.sink_share.item() == pytest.approx(wanted.sink_share, rel=1e-6, nan_ok=True)


@few
@given(SEEDS)
def test_all_weights_1_is_the_plain_loss(seed):
    logits, labels, weight, _ = case(seed)
    one, two = (torch.from_numpy(logits).requires_grad_() for _ in "ab")
    target = torch.from_numpy(labels)
    found = adapter.weighted_causal_loss(one, target, torch.ones(weight.shape))
    plain = cross_entropy(two[:, :-1].flatten(0, 1), target[:, 1:].flatten(), ignore_index=IGNORED)
    found.backward()
    plain.backward()
    assert abs((found - plain).item()) < 1e-6
    torch.testing.assert_close(one.grad, two.grad, rtol=0, atol=1e-6)


@few
@given(SEEDS, st.integers(1, 6))
def test_a_weight_scales_the_gradient_of_its_own_target(seed, position):
    """The row of logits before the token, and no other: off by one in either direction fails."""
    logits, labels, _, _ = case(seed)
    labels = np.abs(labels) % logits.shape[-1]

    def gradient(weight):
        there = torch.from_numpy(logits).requires_grad_()
        adapter.weighted_causal_loss(there, torch.from_numpy(labels), weight).backward()
        return there.grad

    weight = torch.ones(labels.shape, dtype=torch.float64)
    plain = gradient(weight)
    weight[1, position] = 5.0
    ratio = torch.ones(labels.shape, dtype=torch.float64)
    ratio[1, position - 1] = 5.0
    torch.testing.assert_close(gradient(weight), plain * ratio[..., None], rtol=1e-9, atol=0)


def test_the_shift_is_by_one():
    ids = torch.tensor([[3, 1, 4, 1, 5, 2]])
    for shift, is_right in ((0, False), (1, True), (2, False)):
        logits = torch.zeros(1, 6, 7)
        for i in range(6 - shift):
            logits[0, i, ids[0, i + shift]] = 50.0
        assert (adapter.weighted_causal_loss(logits, ids, torch.ones(1, 6)) < 1e-6) == is_right


@pytest.mark.parametrize("normalization", ["active", "sum_weights", "path"])
def test_accumulated_parts_are_the_whole_batch(normalization):
    """Parts of different sizes: a mean of means would be another number."""
    logits, labels, weight, on_path = tensors(*case(5, b=4))
    labels[0, 3:] = IGNORED
    options = {"normalization": normalization}
    one, two = (logits.clone().requires_grad_() for _ in "ab")
    whole = adapter.weighted_causal_loss(one, labels, weight, on_path=on_path, **options)
    whole.backward()
    parts = [slice(0, 1), slice(1, 4)]
    total = sum(
        adapter.loss_denominator(labels[p], weight[p], normalization, on_path[p]) for p in parts
    )
    losses = []
    for p in parts:
        losses.append(
            adapter.weighted_causal_loss(
                two[p], labels[p], weight[p], on_path=on_path[p], denominator=total, **options
            )
        )
        losses[-1].backward()
    assert sum(losses).item() == pytest.approx(whole.item(), rel=1e-12)
    torch.testing.assert_close(two.grad, one.grad)


def test_gradients_against_differences():
    logits, labels, weight, on_path = tensors(*case(3, b=2, t=4, v=3, scale=1.0))
    reference = tensors(case(4, b=2, t=4, v=3)[0])[0]
    logits.requires_grad_()
    for name in NORMALIZATIONS:
        assert gradcheck(
            lambda x, name=name: adapter.weighted_causal_loss(
                x, labels, weight, normalization=name, on_path=on_path
            ),
            logits,
        )
    assert gradcheck(
        lambda x: adapter.path_margin_loss(x, labels, on_path, reference_logits=reference).loss,
        logits,
    )
    rng = np.random.default_rng(6)
    scores = torch.from_numpy(rng.normal(size=(2, 2, 5, 5))).requires_grad_()
    hidden = torch.full((5, 5), -torch.inf, dtype=torch.float64).triu(1)
    target = torch.from_numpy(rng.random((2, 5)))
    queries, keys = tensors(rng.random((2, 5)) < 0.8, rng.random((2, 5)) < 0.8)
    assert gradcheck(
        lambda x: (
            adapter.attention_alignment_loss((x + hidden).softmax(-1), target, queries, keys).loss
        ),
        scores,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [0.0, 1e3, 6e4])
def test_extreme_logits_have_finite_gradients(dtype, scale):
    logits, labels, weight, on_path = tensors(*case(1, scale=1.0))
    there = (logits.sign() * scale).to(dtype).requires_grad_()
    loss = adapter.weighted_causal_loss(there, labels, weight.float())
    margin = adapter.path_margin_loss(there, labels, on_path, reference_logits=there)
    (loss + margin.loss).backward()
    assert loss.dtype == torch.float32
    assert bool(loss.isfinite())
    assert bool(margin.loss.isfinite())
    assert bool(there.grad.isfinite().all())


def test_half_precision_is_brought_up():
    """Summed in bfloat16, a thousand targets would keep two digits."""
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(2, 600, 5))).to(torch.bfloat16)
    labels = torch.from_numpy(rng.integers(0, 5, (2, 600)))
    ones = torch.ones(2, 600, dtype=torch.bfloat16)
    found = adapter.weighted_causal_loss(logits, labels, ones)
    wanted = arrays.weighted_causal_loss(logits.double().numpy(), labels.numpy(), np.ones((2, 600)))
    assert found.item() == pytest.approx(wanted, rel=1e-6)


def test_what_has_no_loss_cannot_disturb_it():
    logits, labels, weight, _ = tensors(*case(2))
    plain = adapter.weighted_causal_loss(logits, labels, weight)
    weight[labels == IGNORED] = torch.inf
    assert adapter.weighted_causal_loss(logits, labels, weight).item() == plain.item()
    assert bool(adapter.loss_denominator(labels, weight, "sum_weights").isfinite())


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_nothing_with_a_loss_is_never_a_loss_of_0(normalization):
    labels = torch.tensor([[0, IGNORED, IGNORED]])
    with pytest.raises(DataError, match="loss denominator is 0, expected more than 0"):
        adapter.weighted_causal_loss(
            torch.zeros(1, 3, 4),
            labels,
            torch.ones(1, 3),
            normalization=normalization,
            on_path=torch.ones(1, 3),
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"normalization": "mean"}, "no 'mean' in normalizations"),
        ({"normalization": "path"}, "normalization 'path' without on_path"),
        ({"normalization": "sum", "denominator": 3.0}, "normalization 'sum' divides by nothing"),
        ({"denominator": torch.tensor(0.0)}, "loss denominator is 0"),
        ({"denominator": math.nan}, "loss denominator is nan"),
    ],
)
def test_what_the_weighted_loss_refuses(options, said):
    with pytest.raises((DataError, ParameterError), match=said):
        adapter.weighted_causal_loss(
            torch.zeros(1, 3, 4), torch.tensor([[0, 1, 2]]), torch.ones(1, 3), **options
        )


def test_path_margin_at_equality_and_its_pull():
    logits, labels, _, on_path = tensors(*case(8))
    logits.requires_grad_()
    same = adapter.path_margin_loss(logits, labels, on_path, reference_logits=logits)
    assert same.loss.item() == pytest.approx(math.log(2), rel=1e-9)
    same.loss.backward()
    # It has no minimum: at equality it pulls, tokens on the path up and those off it down.
    picked = logits.grad[:, :-1].gather(-1, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    active = labels[:, 1:] != IGNORED
    assert bool((picked[active & on_path[:, 1:]] < 0).all())
    assert bool((picked[active & ~on_path[:, 1:]] > 0).all())
    assert not bool(logits.grad[:, -1].any())


def test_path_margin_where_all_is_skipped():
    logits = torch.randn(2, 4, 5, generator=torch.manual_seed(0)).requires_grad_()
    labels = torch.tensor([[0, 1, 2, 3], [0, IGNORED, IGNORED, IGNORED]])
    found = adapter.path_margin_loss(logits, labels, torch.ones(2, 4), reference_logits=None)
    found.loss.backward()
    assert (found.loss.item(), found.n_used, found.n_skipped) == (0.0, 0, 2)
    assert bool(found.off_path_nll.isnan())
    assert not bool(logits.grad.any())


def test_the_reference_must_be_named():
    with pytest.raises(TypeError, match="reference_logits"):
        adapter.path_margin_loss(*tensors(*(case(0)[i] for i in (0, 1, 3))))


def test_attention_alignment_is_0_at_equality_and_a_minimum_there():
    rng = np.random.default_rng(1)
    scores = torch.from_numpy(rng.normal(size=(2, 1, 6, 6))).requires_grad_()
    hidden = torch.full((6, 6), -torch.inf, dtype=torch.float64).triu(1)
    model = (scores + hidden).softmax(-1)
    keys = torch.arange(6).expand(2, 6) != 0
    human = model.detach()[:, 0] * keys[:, None, :] * 4.0
    yes = torch.ones(2, 6, dtype=torch.bool)
    found = adapter.attention_alignment_loss(model, human, yes, keys)
    found.loss.backward()
    assert abs(found.loss.item()) < 1e-12
    assert (found.n_rows, found.n_skipped) == (10, 2)
    torch.testing.assert_close(scores.grad, torch.zeros_like(scores), rtol=0, atol=1e-12)
    assert 0 < found.sink_share.item() < 1


def test_attention_by_hand():
    # Row 1 sees keys 0 and 1: people 3 to 1, the model (with half of it on a sink) 1 to 1.
    model = torch.tensor([[[[1.0, 0, 0], [0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]]]).requires_grad_()
    keys = torch.tensor([[False, True, True]])
    queries = torch.tensor([[True, False, True]])
    target = torch.tensor([[9.0, 3.0, 1.0]])
    found = adapter.attention_alignment_loss(model, target, queries, keys)
    assert found.loss.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=1e-6)
    assert (found.n_rows, found.n_skipped) == (1, 1)
    assert found.sink_share.item() == pytest.approx(0.75)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_attention_with_zeros_has_finite_gradients(dtype):
    model = torch.zeros(1, 2, 4, 4, dtype=dtype)
    model[..., 0] = 1.0
    model[0, :, 2, 1] = 1e-30
    # Rows that a mask has emptied are not numbers in some models.
    model[0, :, 1] = torch.nan
    model.requires_grad_()
    yes = torch.tensor([[True, False, True, True]])
    keys = torch.tensor([[False, True, True, True]])
    found = adapter.attention_alignment_loss(model, torch.tensor([[0.0, 0.5, 0.5, 0.0]]), yes, keys)
    found.loss.backward()
    assert bool(found.loss.isfinite())
    assert bool(model.grad.isfinite().all())
    assert (found.n_rows, found.n_skipped) == (1, 2)


def test_attention_without_rows():
    model = torch.rand(1, 2, 3, 3, generator=torch.manual_seed(0)).requires_grad_()
    none = torch.zeros(1, 3, dtype=torch.bool)
    found = adapter.attention_alignment_loss(model, torch.ones(1, 3), none, ~none)
    found.loss.backward()
    assert (found.loss.item(), found.n_rows, found.n_skipped) == (0.0, 0, 0)
    assert bool(found.sink_share.isnan())
    assert not bool(model.grad.any())


def test_layers():
    rng = np.random.default_rng(3)
    layers = tensors(*(attention_of(rng, 2, 3, 5) for _ in range(3)))
    yes = torch.ones(2, 5, dtype=torch.bool)
    target = torch.from_numpy(rng.random((2, 5)))

    def loss(attentions, **options):
        return adapter.attention_alignment_loss(attentions, target, yes, yes, **options).loss.item()

    assert loss(layers, layers=[2]) == loss(layers, layers=[-1]) == loss(layers[2])
    assert loss(layers) == loss(layers, layers=range(3)) != loss(layers[2])
    with pytest.raises(ParameterError, match="no layer 3; expected one of 3, from 0"):
        loss(layers, layers=[3])
    for nothing in (None, (), (None, None)):
        with pytest.raises(DataError, match='attn_implementation="eager"'):
            loss(nothing)


EXAMPLES = [make(4 + i % 3, f"e{i}") for i in range(23)]
NAMES = [example.example_id for example in EXAMPLES]


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    for i in range(3):
        to_parquet(EXAMPLES[i * 8 : (i + 1) * 8], folder / f"weights-{i:05d}.parquet")
    return folder


@pytest.mark.parametrize("write", [to_parquet, to_hdf5, to_jsonl])
def test_examples_of_a_file(tmp_path, write):
    write(EXAMPLES, tmp_path / "w")
    data = adapter.GazeDataset(tmp_path / "w")
    assert len(data) == 23
    assert [data[i].example_id for i in range(23)] == NAMES
    assert data[-1].input_ids.tolist() == EXAMPLES[-1].input_ids.tolist()
    assert [e.example_id for e in adapter.GazeStream(str(tmp_path / "w"))] == NAMES


def test_examples_of_a_folder(shards):
    assert [e.example_id for e in adapter.GazeDataset(str(shards))] == NAMES
    assert [e.example_id for e in adapter.GazeStream(shards)] == NAMES
    with pytest.raises(SchemaError, match="no such file or folder"):
        adapter.GazeDataset(shards / "none")


def test_a_stream_reads_no_further_than_asked(shards):
    (shards / "weights-00001.parquet").write_bytes(b"PAR1 cut short")
    stream = iter(adapter.GazeStream(shards))
    assert [next(stream).example_id for _ in range(8)] == NAMES[:8]
    with pytest.raises(SchemaError, match=r"weights-00001.parquet"):
        next(stream)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("world_size", [1, 2])
def test_readers_share_the_rows(shards, monkeypatch, workers, world_size):
    found = []
    for rank in range(world_size):
        stream = adapter.GazeStream(shards, rank=rank, world_size=world_size)
        for number in range(workers):
            worker = SimpleNamespace(id=number, num_workers=workers)
            monkeypatch.setattr(adapter, "get_worker_info", lambda worker=worker: worker)
            found.append([e.example_id for e in stream])
    assert sorted(chain.from_iterable(found)) == sorted(NAMES)
    if workers * world_size > 3:
        assert max(map(len, found)) - min(map(len, found)) <= 1


@pytest.mark.parametrize(("rank", "world_size"), [(2, 2), (-1, 1), (0, 0)])
def test_a_rank_outside_the_world(shards, rank, world_size):
    with pytest.raises(ParameterError, match=f"rank is {rank} of {world_size}"):
        adapter.GazeStream(shards, rank=rank, world_size=world_size)


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [True, False])
def test_a_loader_with_two_workers(shards, streamed):
    """Real processes, started fresh: what is handed to them must pickle."""
    data = adapter.GazeStream(shards) if streamed else adapter.GazeDataset(shards)
    loader = DataLoader(
        data,
        batch_size=4,
        num_workers=2,
        collate_fn=adapter.Collator(1, multiple_of=8),
        multiprocessing_context="spawn",
    )
    batches = list(loader)
    assert sum(len(batch["labels"]) for batch in batches) == 23
    lengths = torch.cat([batch["attention_mask"].sum(1) for batch in batches])
    assert sorted(lengths.tolist()) == sorted(map(len, EXAMPLES))


def test_the_collator_hands_over_what_numpy_has():
    collator = adapter.Collator(3, multiple_of=4, max_length=8)
    for it in (collator, deepcopy(collator)):
        found = it(EXAMPLES[:5])
        wanted = arrays.collate(EXAMPLES[:5], pad_id=3, multiple_of=4, max_length=8)
        assert found.keys() == wanted.keys()
        for name, column in wanted.items():
            assert found[name].dtype == torch.from_numpy(column).dtype
            assert found[name].tolist() == column.tolist()


def test_the_collator_of_pairs():
    sides = [
        make(n, f"{pair}{side}", pair_id=pair, pair_side=side)
        for pair in "ab"
        for side, n in (("chosen", 4), ("rejected", 6))
    ]
    data = adapter.GazeDataset(arrays.pairs(sides))
    batch = next(iter(DataLoader(data, batch_size=2, collate_fn=adapter.PairCollator(7))))
    assert batch["chosen_labels"].shape == (2, 4)
    assert batch["rejected_input_ids"].shape == (2, 6)
    assert deepcopy(adapter.PairCollator(7)) == adapter.PairCollator(7)


@settings(max_examples=5)
@given(SEEDS)
def test_from_examples_to_a_gradient(seed):
    """Dataset, loader, loss: what a training step needs, in five lines."""
    loader = DataLoader(
        adapter.GazeDataset(EXAMPLES),
        batch_size=8,
        shuffle=True,
        collate_fn=adapter.Collator(),
        generator=torch.Generator().manual_seed(seed),
    )
    table = torch.nn.Embedding(16, 16)
    for batch in loader:
        logits = table(batch["input_ids"])
        loss = torch_losses.weighted_causal_loss(logits, batch["labels"], batch["loss_weight"])
        loss.backward()
        assert bool(loss > 0)
    assert bool(table.weight.grad.isfinite().all())
