"""The chain of two states against all sequences there are, re-estimation, and scenes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import detect, detect_ihmm, hmm
from gazecode.detection.hmm import Chain, expectations, most_probable
from gazecode.errors import ParameterError
from gazecode.model import Samples


def every_sequence(density, begins, chain):
    """Best sequence, probability of state 1, expected steps and log likelihood by listing all."""
    n = density.shape[1]
    drawn, matrix = (1 - chain.start, chain.start), chain.matrix
    best, total = (0.0, ()), 0.0
    state, steps = np.zeros(n), np.zeros((2, 2))
    for sequence in itertools.product((0, 1), repeat=n):
        p = 1.0
        for i, s in enumerate(sequence):
            p *= (drawn[s] if begins[i] else matrix[sequence[i - 1], s]) * density[s, i]
        total += p
        state += p * np.array(sequence)
        for i in range(1, n):
            if not begins[i]:
                steps[sequence[i - 1], sequence[i]] += p
        best = max(best, (p, sequence))
    return best[1], state / total, steps / total, np.log(total)


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), length=st.integers(1, 6))
def test_a_chain_equals_the_list_of_all_sequences(seed, n, length):
    rng = np.random.default_rng(seed)
    density = np.exp(rng.normal(0, 2, (2, n)))
    begins = rng.random(n) < 0.2
    begins[0] = True
    leave = rng.uniform(0.01, 0.5, 2)
    chain = Chain(start=rng.uniform(0.05, 0.95), leave=(leave[0], leave[1]))
    best, state, steps, likelihood = every_sequence(density, begins, chain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hmm, "_shape", lambda n: (-(-n // length), length))
        found = most_probable(np.log(density[1] / density[0]), begins, chain)
        probability, counted, total = expectations(density, begins, chain)
    assert tuple(found.astype(int)) == best
    assert probability == pytest.approx(state)
    assert counted == pytest.approx(steps)
    assert total == pytest.approx(likelihood)


def slow_viterbi(log_odds, begins, chain):
    """One sample after the other, with the path kept."""
    logs, fresh = np.log(chain.matrix), np.log([1 - chain.start, chain.start])
    score, back = np.zeros(2), []
    for odds, begin in zip(log_odds, begins, strict=True):
        options = score[:, None] + logs
        back.append(np.array([score.argmax()] * 2) if begin else options.argmax(axis=0))
        score = (score.max() + fresh if begin else options.max(axis=0)) + [0.0, odds]
    path = [int(score.argmax())]
    for step in reversed(back[1:]):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1], dtype=bool)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 400),
    leave=st.sampled_from([(0.001, 0.05), (0.3, 0.5), (0.5, 0.5), (1e-6, 1e-6)]),
)
def test_long_chains_equal_a_loop(seed, n, leave):
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 4, n)
    begins = rng.random(n) < 0.02
    begins[0] = True
    chain = Chain(start=0.1, leave=leave)
    assert (most_probable(odds, begins, chain) == slow_viterbi(odds, begins, chain)).all()


def test_no_sample_gives_no_state():
    chain = Chain(start=0.1, leave=(0.1, 0.1))
    nothing = np.zeros(0, dtype=bool)
    assert most_probable(np.zeros(0), nothing, chain).shape == (0,)
    assert expectations(np.zeros((2, 0)), nothing, chain)[0].shape == (0,)


def test_extreme_odds_do_not_overflow():
    density = np.exp(np.array([[0.0, -600.0] * 50, [-600.0, 0.0] * 50]))
    chain = Chain(start=1e-3, leave=(1e-6, 1e-6))
    probability, steps, total = expectations(density, np.arange(100) == 0, chain)
    assert np.isfinite(probability).all()
    assert steps.sum() == pytest.approx(99)
    assert np.isfinite(total)


def test_the_parts_of_a_chain_are_told_apart():
    """Two chains in one are what the two are alone."""
    rng = np.random.default_rng(3)
    density = np.exp(rng.normal(0, 1, (2, 500)))
    begins = np.isin(np.arange(500), (0, 200))
    chain = Chain(start=0.2, leave=(0.05, 0.2))
    whole = expectations(density, begins, chain)
    parts = [expectations(density[:, a:b], begins[a:b], chain) for a, b in ((0, 200), (200, 500))]
    assert whole[0] == pytest.approx(np.concatenate([p[0] for p in parts]))
    assert whole[1] == pytest.approx(parts[0][1] + parts[1][1])
    assert whole[2] == pytest.approx(parts[0][2] + parts[1][2])


def test_re_estimation_finds_the_model_that_made_the_speeds():
    from gazecode.detection.ihmm import _learned

    rng = np.random.default_rng(2)
    n = 40_000
    state = np.zeros(n, dtype=int)
    for i in range(1, n):
        state[i] = state[i - 1] ^ int(rng.random() < (0.01, 0.08)[state[i - 1]])
    speed = np.where(state == 1, rng.normal(120, 40, n), rng.normal(8, 3, n))
    guess = (np.array([15.0, 60.0]), np.array([10.0, 60.0]))
    mean, sd, chain = _learned(
        speed,
        np.arange(n) == 0,
        guess,
        Chain(start=0.1, leave=(0.1, 0.1)),
        max_iterations=50,
    )
    assert mean == pytest.approx([8, 120], rel=0.02)
    assert sd == pytest.approx([3, 40], rel=0.02)
    assert chain.leave == pytest.approx((0.01, 0.08), rel=0.1)


def test_a_recording_of_one_fixation_has_no_saccade():
    rng = np.random.default_rng(4)
    for noise_px in (0.0, 0.4, 4.0):
        xy = 500 + rng.normal(0, noise_px, (2000, 2))
        found = detect(Samples(t_ms=np.arange(2000) * 4.0, xy_px=xy), "ihmm")
        assert found.kind.tolist() == ["fixation"]


def test_a_saccade_lies_between_its_fixations(scene):
    truth = scene(9, 100, small=0.0)
    found = detect_ihmm(truth.record(500), px_per_deg=truth.px_per_deg)
    fixed, moved = found.of("fixation"), found.of("saccade")
    assert (len(fixed), len(moved)) == (100, 99)
    # Their edges are where speed leaves the noise.
    assert np.abs(fixed.onset_ms - truth.onset).max() < 16
    assert np.abs(moved.offset_ms - truth.onset[1:]).max() < 16


@pytest.mark.parametrize(
    ("rate_hz", "jitter", "drop"),
    [
        *((rate, 0.0, 0.0) for rate in (30, 60, 120, 250, 300, 500, 1000, 2000)),
        (60, 0.3, 0.1),
        (250, 0.4, 0.0),
        (500, 0.4, 0.1),
    ],
)
def test_a_scene_gives_the_same_fixations_on_every_clock(scene, rate_hz, jitter, drop):
    truth = scene(7, 300)
    samples = truth.record(rate_hz, jitter=jitter, drop=drop)
    fixed = detect_ihmm(samples, px_per_deg=truth.px_per_deg).of("fixation")
    print(f"I-HMM, {rate_hz} Hz, jitter {jitter}, dropped {drop}: {len(fixed)} of 300")
    assert abs(len(fixed) - 300) < 0.05 * 300


def test_the_first_guess_can_be_kept(scene):
    samples = scene(3, 30).record(250)
    assert len(detect_ihmm(samples, max_iterations=0).of("fixation")) == pytest.approx(30, abs=2)


def test_refuses_values_out_of_range():
    samples = Samples(t_ms=[0.0], xy_px=[[1.0, 2.0]])
    with pytest.raises(ParameterError) as error:
        detect_ihmm(samples, max_iterations=-1)
    assert str(error.value) == "max_iterations is -1; expected 0 or more"
