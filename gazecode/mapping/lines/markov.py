"""Forward-backward for hidden Markov models whose states differ from step to step.

L. R. Rabiner 1989, doi:10.1109/5.18626, scaled. Several models that share their transitions go
through one pass; numbers are brought back to 1 every few steps only, as a step costs no more than
two small products then.
"""

import numpy as np

from gazecode.model.checks import FloatArray

__all__ = ["forward_backward"]

_STEPS = 16
"""Steps between two scalings: emissions down to 1e-15 of the largest cannot underflow in them."""


def forward_backward(
    emission: FloatArray, transition: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Posterior of the states, and how probable the observations were.

    Parameters
    ----------
    emission
        ``(n, ..., S, K)`` density of each observation in each of K states, for S models; above 0.
    transition
        ``(n - 1, ..., K, K)`` from the states of a step (rows) to those of the next, the same for
        the S models; None: all the same, so that steps are independent.

    Returns
    -------
    posterior
        ``(n, ..., S, K)``; sums to 1 over states.
    log_likelihood
        ``(..., S)`` with all states equally likely at first.

    Examples
    --------
    >>> stay = np.array([[[0.9, 0.1], [0.1, 0.9]]])
    >>> share, log_likelihood = forward_backward(np.array([[[0.8, 0.2]], [[0.5, 0.5]]]), stay)
    >>> share[1, 0].round(2), log_likelihood.round(3)
    (array([0.74, 0.26]), array([-1.386]))
    """
    n, states = len(emission), emission.shape[-1]
    peak = emission.max(axis=-1, keepdims=True)
    scaled = emission / peak
    log_likelihood = np.log(peak[..., 0]).sum(axis=0)
    if transition is None:
        total = scaled.sum(axis=-1, keepdims=True)
        scaled /= total
        return scaled, log_likelihood + np.log(total[..., 0] / states).sum(axis=0)
    ahead = np.empty_like(scaled)
    ahead[:1] = scaled[:1] / states
    for i in range(1, n):
        np.matmul(ahead[i - 1], transition[i - 1], out=ahead[i])
        ahead[i] *= scaled[i]
        if i % _STEPS == 0:
            total = ahead[i].sum(axis=-1, keepdims=True)
            ahead[i] /= total
            log_likelihood += np.log(total[..., 0])
    if n:
        log_likelihood += np.log(ahead[-1].sum(axis=-1))
    ahead *= _backward(scaled, transition)
    ahead /= ahead.sum(axis=-1, keepdims=True)
    return ahead, log_likelihood


def _backward(scaled: FloatArray, transition: FloatArray) -> FloatArray:
    """What follows each step, up to a factor for each model."""
    behind = np.ones_like(scaled)
    back = np.swapaxes(transition, -1, -2)
    for i in range(len(scaled) - 2, -1, -1):
        np.matmul(scaled[i + 1] * behind[i + 1], back[i], out=behind[i])
        if i % _STEPS == 0:
            behind[i] /= behind[i].sum(axis=-1, keepdims=True)
    return behind
