"""Drift as a smooth surface, and how well it explains where gaze fell: the EM of the code methods.

A fixation on line l is recorded at ``y_l + D(x, y_l, t)`` plus noise. D is a quadratic in x and y
and, in the widest model, a slow change in time; its weights have normal priors around no drift. As
D is a function of where the *line* is, not of where gaze was recorded, squeezing many lines into
one is not rewarded.

The likelihood has many maxima, as text looks alike one line up or down. EM (A. P. Dempster et al.
1977, doi:10.1111/j.2517-6161.1977.tb01600.x) therefore starts at many offsets and with models of
several widths; their evidence (Laplace's approximation; D. J. C. MacKay 1992,
doi:10.1162/neco.1992.4.3.415) weighs the maxima that differ. Fixations are no independent draws and
the model is none of any reader, so that the log likelihood counts a quarter (`TEMPER`).
"""

from dataclasses import dataclass

import numpy as np

from gazecode.mapping.lines.candidates import Candidates
from gazecode.mapping.lines.markov import forward_backward
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["MODELS", "Modes", "fit"]

MODELS = ("none", "offset", "affine", "full")
OFFSET_SD, CURVE_SD, TIME_SD = 0.8, 0.2, 0.5
"""Priors of the offset, of quadratic terms and of changes in time, in line pitches."""
SCALE_SD, SHEAR_SD = 0.1, 0.05
"""Priors of error per distance: down the text and along the line."""
KNOT = 80
"""Fixations between two knots of the change in time."""
MAX_KNOTS = 24
NOISE_WEIGHT = 300.0
"""Fixations that the stated noise is worth against the trial's own."""
BROAD, BROAD_LINES = 0.02, 1.5
"""Share and spread, in pitches, of fixations that belong to no good place."""
TEMPER = 4.0
NO_DRIFT = 3.0
"""Log odds, before any gaze, of no drift at all against each wider model."""
STARTS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
_SURE = 1e-3
"""sd of the prior of what a model does not have."""
_POLYNOMIAL = 6
"""Columns of the quadratic; those of time follow."""
ROUNDS = 12
_TRIAL_ROUNDS, _SURVIVORS = 4, 10
"""After how many rounds, and with how many starts, the search goes on."""
_LONG, _STRETCH, _SEARCHED = 600, 60, 5
"""Recordings with more fixations are searched in so many stretches of so many fixations."""
_REFINED, _REFINE_ROUNDS = 2, 2
"""How many of the drifts found there are then fitted to the whole recording."""
_SAME_LINES = 0.1
_NOISE_LIMITS = (0.08, 0.7)
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Modes:
    """What may have happened, the most probable first.

    Attributes
    ----------
    probability
        ``(M,)`` sums to 1.
    weights
        ``(M, p)`` of the surface: offset, shear, x², changes in time ..., scale, xy, y².
    share
        ``(M, n, K)`` how probable each candidate is if that mode is true.
    shift
        ``(M, n)`` the drift at each fixation, in line pitches.
    noise
        ``(M,)`` spread around the lines, in line pitches.
    log_evidence
        ``(M,)`` tempered.
    """

    probability: FloatArray
    weights: FloatArray
    share: FloatArray
    shift: FloatArray
    noise: FloatArray
    log_evidence: FloatArray

    @property
    def mixed(self) -> FloatArray:
        """``(n, K)`` how probable each candidate is, whatever happened."""
        mixed: FloatArray = np.einsum("m,mnk->nk", self.probability, self.share)
        return mixed


def fit(
    seen: Candidates,
    transition: FloatArray | None = None,
    *,
    model: str = "full",
    noise_lines: float = 0.3,
    line_cost: float = 0.0,
    rounds: int = ROUNDS,
    in_parts: bool = True,
) -> Modes:
    """Find the drifts that explain gaze, from none to `model`.

    Long recordings are searched in a few stretches; what is found there is then fitted to all.

    Parameters
    ----------
    seen
        Fixations in the order of time.
    transition
        ``(n - 1, K, K)`` between candidates of successive fixations; None: any order.
    model
        The widest of `MODELS` that is tried.
    noise_lines
        Expected spread around a line's centre, line pitches.
    line_cost
        Log odds against a drift that moves the whole trial by three quarters of a line or more.
    rounds
        Of EM. Lines hardly change after a few; an offset takes some ten more to settle.
    in_parts
        False searches long recordings whole as well.
    """
    n = len(seen.along)
    if n <= _LONG or not in_parts:
        search = _Search(seen, transition, noise_lines, line_cost, in_time=True)
        search.begin(model)
        search.run(rounds)
        return search.modes()
    rows = _stretches(n)
    steps = None if transition is None else transition[np.minimum(rows, n - 2)]
    part = _Search(seen[rows], steps, noise_lines, line_cost, in_time=False, stretch=_STRETCH)
    part.begin(model)
    part.run(rounds)
    part.expect()
    search = _Search(seen, transition, noise_lines, line_cost, in_time=True, stretch=_STRETCH)
    search.go_on(part, part.distinct()[:_REFINED])
    for _ in range(_REFINE_ROUNDS):
        search.improve()
    return search.modes()


def _stretches(n: int) -> IntArray:
    """Rows of a few stretches spread over a long recording."""
    first = np.linspace(0, n - _STRETCH, _SEARCHED).astype(np.int64)
    rows: IntArray = (first[:, None] + np.arange(_STRETCH)).ravel()
    return rows


class _Search:
    """EM for several drifts at once. Arrays over candidates are ``(n, S, K)``."""

    def __init__(
        self,
        seen: Candidates,
        transition: FloatArray | None,
        noise_lines: float,
        line_cost: float,
        *,
        in_time: bool,
        stretch: int = 0,
    ) -> None:
        self.seen, self.transition, self.stretch = seen, transition, stretch
        self.steps = None if transition is None or not stretch else _cut(transition, stretch)
        self.noise_lines, self.line_cost = noise_lines, line_cost
        self.columns, self.power, self.sd = _basis(seen, in_time=in_time)
        self.groups = [np.flatnonzero(self.power == power) for power in range(3)]
        self.powers = np.stack([np.ones_like(seen.down), *_powers(seen.down)], axis=2)

    def run(self, rounds: int) -> None:
        """From many starts to the best drifts."""
        for step in range(rounds):
            if step == _TRIAL_ROUNDS:
                self.keep(_SURVIVORS)
            self.improve()

    def begin(self, model: str) -> None:
        """Every offset to start from, for every model up to the widest one."""
        names = MODELS[: MODELS.index(model) + 1]
        starts = [(name, at) for name in names for at in (STARTS if name != "none" else (0.0,))]
        # What a model does not have is held at 0 by a prior that is as good as certain.
        free = {"none": 0, "offset": 1, "affine": 3, "full": len(self.sd)}
        sd = [np.where(np.arange(len(self.sd)) < free[name], self.sd, _SURE) for name, _ in starts]
        self.precision = 1 / np.array(sd) ** 2
        self.odds = np.array([NO_DRIFT if name == "none" else 0.0 for name, _ in starts])
        self.weights: FloatArray = np.zeros((len(starts), len(self.sd)))
        self.weights[:, 0] = [at for _, at in starts]
        self.noise: FloatArray = np.full(len(starts), 1.5 * self.noise_lines)

    def go_on(self, other: "_Search", distinct: IntArray) -> None:
        """Begin where a search over a part ended; changes in time are added."""
        self.weights = np.zeros((len(distinct), len(self.sd)))
        self.weights[:, :_POLYNOMIAL] = other.weights[distinct]
        self.precision = np.tile(1 / self.sd**2, (len(distinct), 1))
        self.precision[:, :_POLYNOMIAL] = other.precision[distinct]
        narrow = other.precision[distinct, _POLYNOMIAL - 1] > 0.5 / _SURE**2
        self.precision[narrow, _POLYNOMIAL:] = 1 / _SURE**2
        self.odds, self.noise = other.odds[distinct], other.noise[distinct]

    def keep(self, most: int) -> None:
        """Go on with the best ones only."""
        best = np.sort(np.argsort(-self.log_evidence, kind="stable")[:most])
        self.weights, self.precision = self.weights[best], self.precision[best]
        self.odds, self.noise = self.odds[best], self.noise[best]

    def improve(self) -> None:
        """One round: who is where, then the drift and the noise that fit best."""
        self.expect()
        core = self.share * self.core
        scale = core / (TEMPER * self.noise[:, None] ** 2)
        solved = np.linalg.solve(self.curvature, self._pull(scale)[..., None])
        self.weights = np.asarray(solved[..., 0], dtype=np.float64)
        error = (core * (self.seen.above[:, None] - self._drift()) ** 2).sum(axis=(0, 2))
        expected = NOISE_WEIGHT * self.noise_lines**2
        noise = np.sqrt((error + expected) / (core.sum(axis=(0, 2)) + NOISE_WEIGHT))
        self.noise = np.clip(noise, *_NOISE_LIMITS)

    def expect(self, *, exact: bool = False) -> None:
        """How probable each candidate is under each drift, and the evidence of each drift.

        Unless `exact`, a long recording counts as stretches that know nothing of one another,
        which take their steps together.
        """
        self.drift = self._drift()
        error, noise = self.seen.above[:, None] - self.drift, self.noise[:, None]
        near = (1 - BROAD) / noise * np.exp(-0.5 * (error / noise) ** 2)
        density = near + BROAD / BROAD_LINES * np.exp(-0.5 * (error / BROAD_LINES) ** 2)
        self.core = near / np.maximum(density, _LEAST)
        density = density * self.seen.fit_x[:, None] + _LEAST
        if self.steps is None or exact:
            self.share, log_likelihood = forward_backward(density, self.transition)
        else:
            self.share, log_likelihood = _together(density, self.steps)
        self.curvature = self._curvature(self.share * self.core / (TEMPER * noise**2))
        self.shift = (self.share * self.drift).sum(axis=2).T
        self.log_evidence = self._evidence(log_likelihood)

    def distinct(self) -> IntArray:
        """Drifts that differ, the most probable first: starts often end in the same one."""
        order = np.argsort(-self.log_evidence, kind="stable")
        kept: list[int] = []
        for one in order.tolist():
            apart = np.abs(self.shift[kept] - self.shift[one]).mean(axis=1)
            if (apart > _SAME_LINES).all():
                kept.append(one)
        return np.array(kept)

    def modes(self) -> Modes:
        """Result of the last round, each drift once."""
        self.expect(exact=True)
        kept = self.distinct()
        evidence = self.log_evidence[kept]
        probability = np.exp(evidence - evidence.max())
        return Modes(
            probability=probability / probability.sum(),
            weights=self.weights[kept],
            share=np.swapaxes(self.share[:, kept], 0, 1),
            shift=self.shift[kept],
            noise=self.noise[kept],
            log_evidence=evidence,
        )

    def _drift(self) -> FloatArray:
        """``(n, S, K)`` the surface at every candidate."""
        parts = [self.columns[:, g] @ self.weights[:, g].T for g in self.groups]
        down = self.seen.down[:, None]
        drift: FloatArray = parts[0][..., None] + down * (
            parts[1][..., None] + down * parts[2][..., None]
        )
        return drift

    def _curvature(self, scale: FloatArray) -> FloatArray:
        """``(S, p, p)`` of the log posterior; sums over candidates come first, they are few."""
        moments = np.ascontiguousarray((scale @ self.powers).transpose(2, 1, 0))
        size = len(self.sd)
        curvature = np.zeros((len(self.weights), size, size))
        for a, rows in enumerate(self.groups):
            for b, columns in enumerate(self.groups):
                weighted = self.columns[:, rows].T * moments[a + b][:, None]
                curvature[:, rows[:, None], columns] = weighted @ self.columns[:, columns]
        curvature[:, np.arange(size), np.arange(size)] += self.precision
        return curvature

    def _pull(self, scale: FloatArray) -> FloatArray:
        """``(S, p)`` right-hand side of the weighted regression."""
        pull = np.empty_like(self.weights)
        moments = scale @ (self.seen.above[..., None] * self.powers[..., :3])
        for power, rows in enumerate(self.groups):
            pull[:, rows] = moments[..., power].T @ self.columns[:, rows]
        return pull

    def _evidence(self, log_likelihood: FloatArray) -> FloatArray:
        """Tempered; less what the priors, the width of the maximum and a shift by a line cost."""
        fit = log_likelihood / TEMPER - 0.5 * (self.weights**2 * self.precision).sum(axis=1)
        width = np.linalg.slogdet(self.curvature)[1] - np.log(self.precision).sum(axis=1)
        moved = np.clip((np.abs(self.shift.mean(axis=1)) - 0.5) / 0.25, 0.0, 1.0)
        evidence: FloatArray = fit - 0.5 * width + self.odds - self.line_cost * moved
        return evidence


def _powers(base: FloatArray) -> list[FloatArray]:
    """The first to the fourth."""
    square = base * base
    return [base, square, square * base, square * square]


def _cut(transition: FloatArray, stretch: int) -> FloatArray:
    """``(stretch - 1, C, K, K)`` steps within each of C stretches; the last one is filled up."""
    size = transition.shape[1]
    count = -(-(len(transition) + 1) // stretch)
    filled = np.full((count * stretch, size, size), 1.0 / size)
    filled[: len(transition)] = transition
    steps = filled.reshape(count, stretch, size, size)[:, :-1]
    return np.ascontiguousarray(np.swapaxes(steps, 0, 1))


def _together(density: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Forward-backward of all stretches at once."""
    stretch, count = len(steps) + 1, steps.shape[1]
    n, models, size = density.shape
    filled = np.ones((count * stretch, models, size))
    filled[:n] = density
    cut = np.ascontiguousarray(np.swapaxes(filled.reshape(count, stretch, models, size), 0, 1))
    share, log_likelihood = forward_backward(cut, steps)
    whole = np.swapaxes(share, 0, 1).reshape(count * stretch, models, size)[:n]
    return whole, log_likelihood.sum(axis=0)


def _basis(seen: Candidates, *, in_time: bool) -> tuple[FloatArray, IntArray, FloatArray]:
    """Columns ``(n, p)`` in x and time, the power of y each is multiplied with, and priors' sd.

    Narrow models are the first columns: offset; shear and scale; the rest of a quadratic, time.
    """
    n, x = len(seen.along), seen.along
    one = np.ones(n)
    width, height = seen.half_size
    columns = [one, x, one, x, x * x - 1 / 3, one]
    power = [0, 0, 1, 1, 0, 2]
    sd = [OFFSET_SD, SHEAR_SD * width, SCALE_SD * height, CURVE_SD, CURVE_SD, CURVE_SD]
    knots = min(round(n / KNOT), MAX_KNOTS) if in_time else 0
    if knots >= 2:
        at = np.linspace(0, knots - 1, n)
        columns += list(np.maximum(1 - np.abs(at - np.arange(knots)[:, None]), 0.0))
        power += [0] * knots
        sd += [TIME_SD] * knots
    return np.stack(columns, axis=1), np.array(power), np.array(sd)
