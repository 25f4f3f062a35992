"""The losses for JAX arrays: under `jax.jit`, `jax.grad` and `jax.vmap`, with any optax optimizer.

The names, arguments and numbers are those of `gazecode.adapters.arrays` (numpy) and
`gazecode.adapters.torch`, the formulas those of `gazecode.adapters.common.losses`. One thing
differs: nothing can be raised from inside a compiled function, so that where those refuse a
denominator of 0 the loss here is **NaN, with gradients of 0**: a step on such a batch leaves the
parameters whole, and the log says so.

Positions without a loss are masked before the first exponential and again after the last, so that
whatever stands there (infinite, NaN) reaches neither the loss nor a gradient.
Everything is computed in float32, or in float64 where `jax_enable_x64` is on and logits have it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Unpack

import numpy as np

from gazecode.adapters import arrays
from gazecode.adapters.common import losses
from gazecode.adapters.common.losses import IGNORED, NORMALIZATIONS, AttentionAlignment, PathMargin
from gazecode.model import Example

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError("gazecode.adapters.jax needs jax: pip install 'gazecode[jax]'") from error

__all__ = [
    "IGNORED",
    "NORMALIZATIONS",
    "AttentionAlignment",
    "PathMargin",
    "attention_alignment_loss",
    "batches",
    "loss_denominator",
    "path_margin_loss",
    "to_jax",
    "token_nll",
    "weighted_causal_loss",
]

Batch = dict[str, Any]
"""Name of a column to an array; names of examples stay what they are."""


def to_jax(batch: Mapping[str, Any]) -> Batch:
    """Bring the arrays of a batch to the device; texts and other objects stay as they are.

    Examples
    --------
    >>> to_jax({"labels": np.array([[7, 8]]), "example_id": ("one",)})["labels"].shape
    (1, 2)
    """
    return {name: _on_device(value) for name, value in batch.items()}


def batches(
    examples: Iterable[Example],
    batch_size: int,
    *,
    seed: int | None = None,
    drop_last: bool = False,
    **options: Unpack[arrays.CollateOptions],
) -> Iterator[Batch]:
    """Cut examples into padded batches of JAX arrays.

    A compiled step is compiled again for every new length: give ``multiple_of=64`` or the like, and
    `drop_last` where the last batch may be smaller.

    Parameters
    ----------
    examples, batch_size, seed, drop_last, **options
        As for `gazecode.adapters.arrays.batches`.

    Examples
    --------
    >>> list(batches([], 8, multiple_of=64))
    []
    """
    made = arrays.batches(examples, batch_size, seed=seed, drop_last=drop_last, **options)
    return map(to_jax, made)


def _on_device(value: Any) -> Any:
    is_number = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if not is_number:
        return value
    # JAX has no 64 bits unless told to; asking for what it gives anyway is silent.
    return jnp.asarray(value.astype(jax.dtypes.canonicalize_dtype(value.dtype), copy=False))


def token_nll(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Negative log likelihood of each target: the tokens 1 to T - 1.

    Parameters
    ----------
    logits
        ``(B, T, V)``; those at position ``i`` predict token ``i + 1``.
    labels
        ``(B, T)`` ids, not shifted; `IGNORED` where there is no loss.

    Returns
    -------
    jax.Array
        ``(B, T - 1)`` nats; 0 where there is no loss.

    Examples
    --------
    >>> token_nll(jnp.zeros((1, 3, 4)), jnp.array([[0, 2, IGNORED]])).round(4)
    Array([[1.3863, 0.    ]], dtype=float32)
    """
    target = jnp.asarray(labels)[:, 1:]
    active = target != IGNORED
    # Masked on both sides: 0 times the infinite gradient of a position without a loss is NaN.
    scores = jnp.where(active[..., None], _floats(logits)[:, :-1], 0)
    chosen = jnp.take_along_axis(scores, jnp.where(active, target, 0)[..., None], axis=-1)[..., 0]
    return jnp.where(active, jax.nn.logsumexp(scores, axis=-1) - chosen, 0)


def _floats(values: Any) -> jax.Array:
    """At least float32: a bfloat16 sum of thousands of terms has no digits left."""
    array = jnp.asarray(values)
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))


def _itself(values: jax.Array) -> jax.Array:
    """Inside a compiled function every number is an array."""
    return values


_JAX = losses.Library(
    xp=jnp,
    floats=_floats,
    token_nll=token_nll,
    constant=jax.lax.stop_gradient,
    scalar=_itself,
    count=_itself,
    can_refuse=False,
)


def loss_denominator(
    labels: jax.Array,
    loss_weight: jax.Array,
    normalization: str = "active",
    on_path: jax.Array | None = None,
) -> jax.Array:
    """Return what the loss of these rows is divided by; add it up over the parts of a batch.

    Parameters
    ----------
    labels, loss_weight, on_path
        ``(B, T)``; `on_path` is asked for by ``path`` alone.
    normalization
        One of `NORMALIZATIONS`, known when the function is compiled; ``sum`` gives 1, which is not
        to be added up.

    Raises
    ------
    ParameterError
        An unknown normalization, or ``path`` without `on_path`.

    Examples
    --------
    >>> labels, weight = jnp.array([[7, 8, IGNORED, 9]]), jnp.array([[9.0, 2.0, 1.0, 0.5]])
    >>> [float(loss_denominator(labels, weight, name)) for name in ("active", "sum_weights", "sum")]
    [2.0, 2.5, 1.0]
    """
    return losses.loss_denominator(_JAX, labels, loss_weight, normalization, on_path)


def weighted_causal_loss(
    logits: jax.Array,
    labels: jax.Array,
    loss_weight: jax.Array,
    *,
    normalization: str = "active",
    on_path: jax.Array | None = None,
    denominator: jax.Array | float | None = None,
) -> jax.Array:
    """Next-token cross-entropy with a weight per target.

    Parameters
    ----------
    logits
        ``(B, T, V)``; those at position ``i`` predict token ``i + 1``.
    labels, loss_weight, on_path
        ``(B, T)``, not shifted: ``loss_weight[i]`` belongs to ``labels[i]`` as a target.
    normalization
        One of `NORMALIZATIONS`, known when the function is compiled.
    denominator
        Replaces the one of these rows: the sum over the whole accumulated or global batch (over
        devices: `jax.lax.psum` of `loss_denominator`).

    Returns
    -------
    jax.Array
        ``()`` nats. NaN, with gradients of 0, where the denominator is not above 0.

    Raises
    ------
    ParameterError
        An unknown normalization, ``path`` without `on_path`, a denominator for ``sum``.

    Examples
    --------
    >>> labels = jnp.array([[0, 2, IGNORED]])
    >>> weighted_causal_loss(jnp.zeros((1, 3, 4)), labels, jnp.full((1, 3), 2.0)) / jnp.log(4.0)
    Array(2., dtype=float32)
    """
    return losses.weighted_causal_loss(
        _JAX,
        logits,
        labels,
        loss_weight,
        normalization=normalization,
        on_path=on_path,
        denominator=denominator,
    )


def path_margin_loss(
    logits: jax.Array,
    labels: jax.Array,
    on_path: jax.Array,
    *,
    reference_logits: jax.Array | None,
    beta: float = 0.1,
) -> PathMargin:
    """Preference for output tokens on the path: the paper's term, unverified.

    Per sequence, over its output tokens only: P is the mean log probability of those on the path,
    R of those off it; the loss is ``-log sigmoid(beta ((P - R) - (P_ref - R_ref)))``. No released
    code implements the paper's form (https://arxiv.org/abs/2508.16771). It has no minimum, and
    correct tokens off the path may pay for it: watch `off_path_nll`.

    Parameters
    ----------
    logits, reference_logits
        ``(B, T, V)`` of the model, and of a frozen reference model or None.
    labels, on_path
        ``(B, T)``, not shifted.
    beta
        Scale of the margin.

    Returns
    -------
    PathMargin
        Of arrays ``()``. `loss` is the mean over sequences with tokens on both sides, 0 if there is
        none; `off_path_nll` is then NaN.

    Examples
    --------
    >>> labels, on_path = jnp.array([[0, 1, 2]]), jnp.array([[False, True, False]])
    >>> path_margin_loss(jnp.zeros((1, 3, 4)), labels, on_path, reference_logits=None).loss
    Array(0.6931472, dtype=float32)
    """
    return losses.path_margin_loss(
        _JAX, logits, labels, on_path, reference_logits=reference_logits, beta=beta
    )


def attention_alignment_loss(
    attentions: jax.Array | Sequence[jax.Array],
    target: jax.Array,
    queries: jax.Array,
    keys: jax.Array,
    *,
    layers: Sequence[int] | None = None,
) -> AttentionAlignment:
    """KL(human ‖ model) over attention rows, averaged over the query rows that have mass.

    Both are restricted to the keys at or before the query and renormalised over them; what the
    model spends elsewhere (sinks, special tokens, the answer) is not judged but reported.

    Parameters
    ----------
    attentions
        ``(B, H, T, T)`` of one layer, or a list or tuple of such over layers; averaged over heads
        and layers.
    target
        Human attention, ``(B, T)``, the same row for all queries, or ``(B, T, T)``.
    queries, keys
        ``(B, T)`` bool.
    layers
        Which layers to average, known when the function is compiled; all by default.

    Returns
    -------
    AttentionAlignment
        Of arrays ``()``. `loss` is 0 if no row could be used; `sink_share` is NaN without a query.

    Raises
    ------
    DataError
        No attention was given, or a layer gives none.
    ParameterError
        A layer that is not there.

    Examples
    --------
    >>> even = jnp.tril(jnp.ones((2, 2))) / jnp.array([[1.0], [2.0]])
    >>> yes = jnp.ones((1, 2), dtype=bool)
    >>> got = attention_alignment_loss(even[None, None], jnp.array([[1.0, 1.0]]), yes, yes)
    >>> abs(round(float(got.loss), 6)), int(got.n_rows)
    (0.0, 2)
    """
    return losses.attention_alignment_loss(_JAX, attentions, target, queries, keys, layers=layers)
