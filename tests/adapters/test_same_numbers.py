"""The same numbers from numpy, torch and jax: every loss, every normalization, every gradient.

The formulas are shared, so that a fourth stands beside them: the definitions spelled out position
by position.

All three compute in float64 here, so that 1e-6 is about the formulas; one test says how far float32
is from them. numpy has no gradients: torch's and jax's are compared with each other, and a few of
them with differences of the numpy loss.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gazecode.adapters import arrays as reference
from gazecode.adapters.arrays import IGNORED, NORMALIZATIONS

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
jax = pytest.importorskip("jax", reason="jax is not installed: pip install 'gazecode[jax]'")

import jax.numpy as jnp  # noqa: E402

from gazecode.adapters import jax as in_jax  # noqa: E402
from gazecode.adapters import torch as in_torch  # noqa: E402

CLOSE = {"rtol": 1e-6, "atol": 1e-6}
FEW = settings(max_examples=15)
SHAPES = ((1, 2, 2), (3, 6, 5))
"""Rows, positions, vocabulary: few, because jax compiles for each."""


def _x64() -> AbstractContextManager[Any]:
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    with _x64():
        yield


@st.composite
def batches(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Logits up to ±1000, masks with nothing or everything in them, weights of 0 among others."""
    b, t, v = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.0, 1.0, 30.0, 1000.0]))
    kept, walked = draw(st.sampled_from([0.1, 0.6, 1.0])), draw(st.sampled_from([0.0, 0.5, 1.0]))
    return {
        "logits": rng.normal(size=(b, t, v)) * scale,
        "reference_logits": rng.normal(size=(b, t, v)),
        "labels": np.where(rng.random((b, t)) < kept, rng.integers(0, v, (b, t)), IGNORED),
        "loss_weight": rng.exponential(size=(b, t)) * (rng.random((b, t)) < 0.8),
        "on_path": rng.random((b, t)) < walked,
    }


@st.composite
def attentions(draw: st.DrawFn) -> dict[str, Any]:
    """Two layers of causal rows, human rows with and without mass, few or many keys and queries."""
    b, t, _ = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    causal = np.tril(np.ones((t, t)))
    layers = [rng.exponential(size=(b, 2, t, t)) ** 3 * causal for _ in range(2)]
    # Cells of 0 are what a float16 softmax gives.
    layers = [layer * (rng.random(layer.shape) < 0.9) for layer in layers]
    shape = (b, t) if draw(st.booleans()) else (b, t, t)
    kept = draw(st.sampled_from([0.0, 0.4, 1.0]))
    return {
        "attentions": [layer / np.maximum(layer.sum(-1, keepdims=True), 1e-9) for layer in layers],
        "target": rng.exponential(size=shape) * (rng.random(shape) < 0.7),
        "queries": rng.random((b, t)) < kept,
        "keys": rng.random((b, t)) < max(kept, 0.4),
    }


class SpelledOut:
    """The definitions in Python's own numbers; nothing of the package is used."""

    @staticmethod
    def log_p(logits, labels, b, i):
        row = logits[b, i - 1].tolist()
        top = max(row)
        return row[labels[b, i]] - top - math.log(math.fsum(math.exp(v - top) for v in row))

    @staticmethod
    def targets(labels):
        return [(b, i) for b, i in np.ndindex(labels.shape) if i and labels[b, i] != IGNORED]

    @classmethod
    def weighted_causal_loss(cls, logits, labels, loss_weight, *, normalization, on_path):
        targets = cls.targets(labels)
        divisor = {
            "active": len(targets),
            "sum_weights": math.fsum(loss_weight[t] for t in targets),
            "sum": 1,
            "path": sum(bool(on_path[t]) for t in targets),
        }[normalization]
        terms = (loss_weight[t] * cls.log_p(logits, labels, *t) for t in targets)
        return -math.fsum(terms) / divisor

    @classmethod
    def path_margin_loss(cls, logits, labels, on_path, *, reference_logits, beta=0.1):
        losses, off_path = [], []
        for b in range(len(labels)):
            own = [t for t in cls.targets(labels) if t[0] == b]
            sides = [[t for t in own if on_path[t] == on] for on in (True, False)]
            if not all(sides):
                continue
            means = [
                [np.mean([cls.log_p(scores, labels, *t) for t in side]) for side in sides]
                for scores in (logits, reference_logits)
                if scores is not None
            ]
            ahead, *behind = (on - off for on, off in means)
            off_path.append(-means[0][1])
            losses.append(float(np.logaddexp(0, -beta * (ahead - sum(behind)))))
        mean = float(np.mean(losses)) if losses else 0.0
        nll = float(np.mean(off_path)) if losses else math.nan
        return mean, len(losses), len(labels) - len(losses), nll

    @staticmethod
    def attention_alignment_loss(attentions, target, queries, keys, *, layers=None):
        chosen = attentions if layers is None else [attentions[n] for n in layers]
        model = np.mean(chosen, axis=(0, 2))
        rows = np.broadcast_to(target if target.ndim == 3 else target[:, None], model.shape)
        terms, skipped, inside, whole = [], 0, [], []
        for b, i in zip(*np.nonzero(queries), strict=True):
            seen = [j for j in range(i + 1) if keys[b, j]]
            p, q = [rows[b, i, j] for j in seen], [model[b, i, j] for j in seen]
            inside, whole = inside + q, whole + model[b, i, : i + 1].tolist()
            if not (sum(p) > 0 and sum(q) > 0):
                skipped += 1
                continue
            floor = np.finfo(float).tiny
            terms.append(
                math.fsum(
                    a / sum(p) * (math.log(a / sum(p)) - math.log(max(c, floor) / sum(q)))
                    for a, c in zip(p, q, strict=True)
                    if a
                )
            )
        outside = 1 - math.fsum(inside) / math.fsum(whole) if sum(whole) else math.nan
        return float(np.mean(terms)) if terms else 0.0, len(terms), skipped, outside


def _same(*found: Any) -> None:
    first, *others = (np.asarray(value) for value in found)
    for other in others:
        np.testing.assert_allclose(other, first, **CLOSE)


def _as(make: Callable[[Any], Any], batch: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [make(v) for v in value] if isinstance(value, list) else make(value)
        for name, value in batch.items()
    }


def _weighted(module: Any, batch: dict[str, Any], logits: Any, normalization: str) -> Any:
    return module.weighted_causal_loss(
        logits,
        batch["labels"],
        batch["loss_weight"],
        normalization=normalization,
        on_path=batch["on_path"],
    )


def _margin(module: Any, batch: dict[str, Any], logits: Any, other: str) -> Any:
    return module.path_margin_loss(
        logits, batch["labels"], batch["on_path"], reference_logits=batch.get(other)
    )


def _aligned(module: Any, batch: dict[str, Any], last: Any, layers: tuple[int] | None) -> Any:
    given = batch | {"attentions": [batch["attentions"][0], last]}
    return module.attention_alignment_loss(**given, layers=layers)


@cache
def _jax(call: Callable[..., Any], option: Any) -> Callable[..., Any]:
    """Compiled once for each shape: everything the loss says, and the gradient."""

    def loss(at: Any, batch: dict[str, Any]) -> Any:
        found = call(in_jax, batch, at, option)
        return getattr(found, "loss", found), found

    compiled = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def run(batch: dict[str, Any], at: np.ndarray) -> tuple[Any, np.ndarray]:
        (_, found), gradient = compiled(jnp.asarray(at), _as(jnp.asarray, batch))
        return found, np.asarray(gradient)

    return run


def _torch(
    call: Callable[..., Any], option: Any, batch: dict[str, Any], at: np.ndarray
) -> tuple[Any, np.ndarray]:
    leaf = torch.tensor(at, requires_grad=True)
    found = call(in_torch, _as(torch.as_tensor, batch), leaf, option)
    getattr(found, "loss", found).backward()
    detached = [value.detach() if torch.is_tensor(value) else value for value in _parts(found)]
    return detached, leaf.grad.numpy()


def _parts(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple) else [found]


def _check(call: Callable[..., Any], option: Any, batch: dict[str, Any], at: np.ndarray) -> None:
    """Every number of a loss from all, and its gradient from the two that have one."""
    by_torch, torch_gradient = _torch(call, option, batch, at)
    by_jax, jax_gradient = _jax(call, option)(batch, at)
    by_numpy, by_hand = (call(how, batch, at, option) for how in (reference, SpelledOut))
    for found in zip(_parts(by_hand), _parts(by_numpy), by_torch, _parts(by_jax), strict=True):
        _same(*found)
    _same(torch_gradient, jax_gradient)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@FEW
@given(batch=batches())
def test_weighted_causal_loss(normalization, batch):
    by_torch, by_jax = _as(torch.as_tensor, batch), _as(jnp.asarray, batch)
    denominators = [
        module.loss_denominator(b["labels"], b["loss_weight"], normalization, b["on_path"])
        for module, b in ((reference, batch), (in_torch, by_torch), (in_jax, by_jax))
    ]
    _same(*denominators)
    assume(denominators[0] > 0)
    assume((batch["labels"][:, 1:] != IGNORED).any())
    _check(_weighted, normalization, batch, batch["logits"])


@pytest.mark.parametrize("other", ["reference_logits", "none"])
@FEW
@given(batch=batches())
def test_path_margin_loss(other, batch):
    _check(_margin, other, batch, batch["logits"])


@pytest.mark.parametrize("layers", [None, (-1,)], ids=["all", "last"])
@FEW
@given(batch=attentions())
def test_attention_alignment_loss(layers, batch):
    _check(_aligned, layers, batch, batch["attentions"][-1])


@FEW
@given(batch=batches(), seed=st.integers(0, 99))
def test_gradients_are_those_of_the_numpy_loss(batch, seed):
    """Along a random direction, beside a central difference."""
    assume((batch["labels"][:, 1:] != IGNORED).any())
    logits = np.clip(batch["logits"], -5, 5)
    direction = np.random.default_rng(seed).normal(size=logits.shape)
    direction /= np.linalg.norm(direction)
    ahead, behind = (
        _weighted(reference, batch, logits + step * direction, "active") for step in (1e-4, -1e-4)
    )
    _, gradient = _jax(_weighted, "active")(batch, logits)
    _same((ahead - behind) / 2e-4, (gradient * direction).sum())


@FEW
@given(batch=batches())
def test_float32_is_as_near_as_it_can_be(batch):
    """The precision that training has: relative to the size of the logits."""
    assume((batch["labels"][:, 1:] != IGNORED).any())
    expected = _weighted(reference, batch, batch["logits"], "active")
    single = batch | {name: batch[name].astype(np.float32) for name in ("logits", "loss_weight")}
    at = single["logits"]
    (by_torch,), _ = _torch(_weighted, "active", single, at)
    by_jax, _ = _jax(_weighted, "active")(single, at)
    for found in (by_torch, by_jax):
        assert found.dtype in (torch.float32, jnp.float32)
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5, atol=1e-5)
