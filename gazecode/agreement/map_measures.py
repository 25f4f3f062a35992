"""Overlap and divergence of maps as distributions, as sums over units."""

from collections.abc import Callable

import numpy as np

from gazecode.agreement.measures import Measure, Prepared, Sums, inverse, ratio
from gazecode.agreement.segments import lowest, shares, spread, sums
from gazecode.agreement.stacks import Stack
from gazecode.agreement.terms import Crossed
from gazecode.model.checks import Array, FloatArray, IntArray

__all__ = ["FLOOR", "IOU", "JS", "KL", "SIM"]

FLOOR = 1e-12
"""Least share of a model that KL divides by."""

Meeting = Callable[[FloatArray, FloatArray], FloatArray]


def _iou(stack: Stack, start: IntArray) -> Prepared:
    human, model, _, sound = _maps(stack, start)
    term = Crossed(np.minimum, human, model, sound)
    joined = sound * (sums(human, start)[:, None] + sums(model, start).T)
    return Prepared(terms=(term,), fixed=(joined,), figure=_shared_over_joined)


def _shared_over_joined(changing: Sums, fixed: Sums) -> FloatArray:
    # Least and greatest of two numbers are together what the two are.
    return ratio(changing[0], fixed[0] - changing[0])


def _mean_of(meet: Meeting) -> Callable[[Stack, IntArray], Prepared]:
    def prepare(stack: Stack, start: IntArray) -> Prepared:
        human, model, massive, _ = _maps(stack, start)
        term = Crossed(meet, human, model, massive)
        return Prepared(terms=(term,), fixed=(massive,), figure=_mean)

    return prepare


def _mean(changing: Sums, fixed: Sums) -> FloatArray:
    return ratio(changing[0], fixed[0])


def _maps(stack: Stack, start: IntArray) -> tuple[Array, Array, Array, Array]:
    """Both maps summing to 1, where both have mass, and where neither has values below 0."""
    human_sound = (lowest(stack.human, start) >= 0).astype(np.float64)
    model_sound = (lowest(stack.model, start) >= 0).astype(np.float64)
    human = stack.once(
        lambda: shares(stack.human * spread(human_sound, start), start), "human share"
    )
    model = stack.once(
        lambda: shares(stack.model * spread(model_sound, start), start), "model share"
    )
    sound = (human_sound * model_sound).T
    massive = ((sums(human, start) > 0) & (sums(model, start) > 0)).T.astype(np.float64)
    return human, model, massive, sound


def _js(stack: Stack, start: IntArray) -> Prepared:
    """``½ Σ p ln p + ½ Σ q ln q - Σ m ln m``: only m is made of both, and one logarithm of it."""
    human, model, massive, _ = _maps(stack, start)
    alone = sums(_x_log(human, human), start)[:, None] + sums(_x_log(model, model), start).T
    term = Crossed(_joint, human, model, massive)
    return Prepared(terms=(term,), fixed=(massive, massive * alone / 2), figure=_divergence)


def _joint(p: FloatArray, q: FloatArray) -> FloatArray:
    both = (p + q) / 2
    return -_x_log(both, both)


def _divergence(changing: Sums, fixed: Sums) -> FloatArray:
    readings, alone = fixed
    value = (changing[0] + alone) * inverse(readings)
    return np.maximum(value, 0.0, out=value)


def _kl(p: FloatArray, q: FloatArray) -> FloatArray:
    return _x_log(p, p) - _x_log(p, np.maximum(q, FLOOR))


def _x_log(x: FloatArray, of: FloatArray) -> FloatArray:
    return x * np.log(of, out=np.zeros_like(of), where=of > 0)


IOU = Measure(
    name="iou",
    prepare=_iou,
    together=False,
    pooled="shared mass of all items over joined mass",
    rule="Σ min / Σ max of maps that sum to 1 in the item; one map without mass: 0",
)
SIM = Measure(
    name="sim",
    prepare=_mean_of(np.minimum),
    together=False,
    pooled="mean over readings",
    rule="Σ min of maps that sum to 1 in the item",
)
JS = Measure(
    name="js",
    prepare=_js,
    together=False,
    pooled="mean over readings",
    rule="divergence in nats, less is closer",
)
KL = Measure(
    name="kl",
    prepare=_mean_of(_kl),
    together=False,
    pooled="mean over readings",
    rule=f"people from model, nats, floor {FLOOR:g}, less is closer",
)
