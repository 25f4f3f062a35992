"""Forward-backward equals the sum over all sequences of states."""

import itertools

import numpy as np
import pytest

from gazecode.mapping.lines.markov import forward_backward


def brute_force(emission, transition):
    """Posterior and log likelihood by adding up every sequence."""
    n, states = emission.shape
    total, share = 0.0, np.zeros_like(emission)
    for path in itertools.product(range(states), repeat=n):
        weight = emission[0, path[0]] / states
        for i in range(1, n):
            weight *= transition[i - 1, path[i - 1], path[i]] * emission[i, path[i]]
        total += weight
        share[np.arange(n), path] += weight
    return share / total, np.log(total)


@pytest.mark.parametrize(("n", "states", "seed"), [(1, 3, 0), (2, 1, 1), (6, 3, 2), (9, 2, 3)])
def test_every_sequence_counts(n, states, seed):
    rng = np.random.default_rng(seed)
    emission = rng.random((n, 4, states)) ** 3 + 1e-6
    transition = rng.random((n - 1, states, states))
    share, log_likelihood = forward_backward(emission, transition)
    for model in range(4):
        expected, likelihood = brute_force(emission[:, model], transition)
        assert share[:, model] == pytest.approx(expected, abs=1e-12)
        assert log_likelihood[model] == pytest.approx(likelihood, abs=1e-10)


def test_without_transitions_steps_are_independent():
    emission = np.random.default_rng(1).random((7, 2, 3)) + 0.01
    share, log_likelihood = forward_backward(emission)
    same, likelihood = forward_backward(emission, np.full((6, 3, 3), 1 / 3))
    assert share == pytest.approx(same)
    assert log_likelihood == pytest.approx(likelihood)


def test_batches_are_models_of_their_own():
    rng = np.random.default_rng(2)
    emission, transition = rng.random((5, 3, 2, 4)) + 0.01, rng.random((4, 3, 4, 4))
    share, log_likelihood = forward_backward(emission, transition)
    for one in range(3):
        alone, likelihood = forward_backward(emission[:, one], transition[:, one])
        assert share[:, one] == pytest.approx(alone)
        assert log_likelihood[one] == pytest.approx(likelihood)


def test_long_and_improbable_sequences_do_not_underflow():
    rng = np.random.default_rng(3)
    emission = 10.0 ** -rng.uniform(0, 300, (400, 1, 1)) * (rng.random((400, 1, 3)) + 1e-13)
    share, log_likelihood = forward_backward(emission, rng.random((399, 3, 3)) * 1e-3)
    assert np.isfinite(share).all()
    assert share.sum(axis=2) == pytest.approx(1.0)
    assert np.isfinite(log_likelihood).all()
