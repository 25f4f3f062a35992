"""How sure a prior is: a crossed bootstrap over people and sources, and shrinkage of rare labels.

Tokens of one reading are not independent, so the plain Beta is far too narrow. People and sources
are drawn again independently, and a cell counts as often as its person times its source was drawn:
the pigeonhole bootstrap (Owen 2007, doi:10.1214/07-AOAS122), which errs on the wide side.
Percentiles of the posterior mean are the interval. A label that everybody looked at every time does
not vary in any replicate; so no interval is narrower than that of a Beta with the effective number
of trials (below), which bounds it where it is wider.

Shrinkage is empirical Bayes with a beta-binomial. The success rate of a label varies from reading
to reading with an intraclass correlation estimated by the analysis of variance (Ridout et al. 1999,
doi:10.1111/j.0006-341X.1999.00137.x) pooled over labels; a cell of n trials counts for
``n / (1 + (n - 1) rho)``. The labels' rates come from a Beta around the pooled mean whose precision
is the maximum of the likelihood; the posterior under it is the shrunk rate.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import ParameterError
from gazecode.model import N_LABELS
from gazecode.model.checks import BoolArray, FloatArray, column
from gazecode.priors.cells import SUMS, Cells

__all__ = ["MIN_TRIALS", "ROUNDED", "Intervals", "enrichment", "intervals_of"]

MIN_TRIALS = 30
"""A label with fewer trials is flagged."""
MIN_REPLICATES = 1000
ROUNDED = 9
"""Decimals of what was resampled or fitted: beyond, processors may differ."""
_CHUNK = 2**21
"""Weights (replicates × cells) held at a time."""
_RESAMPLED = ("shown", "hit", "null_shown", "null_hit", "chance")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Per label code, ``(N_LABELS,)``; NaN where nothing can be said.

    Attributes
    ----------
    low, high
        Of theta.
    enrichment_low, enrichment_high
        Of the enrichment, from the same replicates.
    theta_shrunk, sd_shrunk
        Posterior mean and standard deviation after shrinkage to the pooled mean.
    n_effective
        Independent trials that the label's trials are worth.
    level, replicates, seed
        Of the intervals.
    over
        What was resampled: "participant", "source", both or nothing.
    note
        Why something was not resampled, and what the shrinkage rests on.
    """

    low: FloatArray
    high: FloatArray
    enrichment_low: FloatArray
    enrichment_high: FloatArray
    theta_shrunk: FloatArray
    sd_shrunk: FloatArray
    n_effective: FloatArray
    level: float
    replicates: int
    seed: int
    over: tuple[str, ...]
    note: str

    def __post_init__(self) -> None:
        for name in COLUMNS:
            column(self, name, np.float64)


COLUMNS = (
    *("low", "high", "enrichment_low", "enrichment_high"),
    *("theta_shrunk", "sd_shrunk", "n_effective"),
)


def intervals_of(
    cells: Cells, *, level: float = 0.95, replicates: int = 2000, seed: int = 0
) -> Intervals:
    """Resample people and sources, and shrink rare labels.

    Raises
    ------
    ParameterError
        A level outside (0, 1), or fewer than 1000 replicates.
    """
    if not 0 < level < 1:
        raise ParameterError(f"level is {level}; expected a share between 0 and 1, as 0.95")
    if replicates < MIN_REPLICATES:
        raise ParameterError(f"replicates is {replicates}; expected at least {MIN_REPLICATES}")
    over, notes = _factors(cells)
    shrunk, sd, effective, said = _shrunk(cells)
    bounds = _bounds(cells, over, level, replicates, seed)
    _widen(bounds, cells, effective, level)
    return Intervals(
        **{name: np.round(values, ROUNDED) for name, values in bounds.items()},
        theta_shrunk=np.round(shrunk, ROUNDED),
        sd_shrunk=np.round(sd, ROUNDED),
        n_effective=np.round(effective, ROUNDED),
        level=level,
        replicates=replicates,
        seed=seed,
        over=over,
        note="; ".join([*notes, said]),
    )


def _factors(cells: Cells) -> tuple[tuple[str, ...], list[str]]:
    """What can be resampled, and why the rest cannot."""
    over, notes = [], []
    for key, plural in (("participant", "people"), ("source", "sources")):
        names = set(getattr(cells, key).tolist())
        if not names or "" in names:
            notes.append(f"not over {plural}: they are not known")
        elif len(names) == 1:
            notes.append(f"not over {plural}: there is one {key}")
        else:
            over.append(key)
    return tuple(over), notes if over else ["no interval", *notes]


def _bounds(
    cells: Cells, over: tuple[str, ...], level: float, replicates: int, seed: int
) -> dict[str, FloatArray]:
    unknown = np.full(N_LABELS, np.nan)
    names = ("low", "high", "enrichment_low", "enrichment_high")
    if not over:
        return dict.fromkeys(names, unknown)
    sums = _replicated(cells, over, replicates, seed)
    theta = _mean(sums["hit"], sums["shown"])
    more = enrichment(sums["null_hit"], sums["null_shown"], sums["chance"])
    pairs = (
        *_percentiles(theta, level, _varied(cells, over, "shown")),
        *_percentiles(more, level, _varied(cells, over, "null_shown")),
    )
    return dict(zip(names, pairs, strict=True))


def _varied(cells: Cells, over: tuple[str, ...], name: str) -> BoolArray:
    """Labels that more than one person, or more than one source, has trials of.

    The others do not vary when people and sources are drawn again, which is no sign that they are
    known well.
    """
    cell, label = np.nonzero(cells.table[:, SUMS.index(name)])
    varied = np.zeros(N_LABELS, dtype=bool)
    for key in over:
        found = set(zip(getattr(cells, key)[cell].tolist(), label.tolist(), strict=True))
        levels = np.bincount([code for _, code in found], minlength=N_LABELS)
        varied |= levels > 1
    return varied


def _replicated(
    cells: Cells, over: tuple[str, ...], replicates: int, seed: int
) -> dict[str, FloatArray]:
    """``(replicates, N_LABELS)`` per sum: all replicates at once, as weights of cells."""
    rng = np.random.default_rng(seed)
    drawn = []
    for key in over:
        names, level_of = np.unique(getattr(cells, key).astype(str), return_inverse=True)
        even = np.full(len(names), 1 / len(names))
        # Counts of one draw are small: 16 bits keep ten thousand people in memory.
        times = rng.multinomial(len(names), even, size=replicates).astype(np.int16)
        drawn.append((times, level_of.reshape(-1)))
    rows = [SUMS.index(name) for name in _RESAMPLED]
    values = cells.table[:, rows].reshape(len(cells), -1)
    step = max(1, _CHUNK // max(1, len(cells)))
    parts = []
    for first in range(0, replicates, step):
        weight = np.ones((min(step, replicates - first), len(cells)))
        for times, level_of in drawn:
            weight *= times[first : first + step, level_of]
        parts.append(weight @ values)
    total = np.concatenate(parts).reshape(replicates, len(rows), N_LABELS)
    return {name: total[:, i] for i, name in enumerate(_RESAMPLED)}


def _mean(hit: FloatArray, shown: FloatArray) -> FloatArray:
    """Posterior means; NaN where a replicate drew no trial of the label."""
    return np.where(shown > 0, (hit + 1) / (shown + 2), np.nan)


def enrichment(hit: FloatArray, shown: FloatArray, chance: FloatArray) -> FloatArray:
    """Logit of the posterior mean minus logit of the mean chance, of the same trials.

    NaN without trials, and where chance hits never or always.

    >>> enrichment(np.array([4.0]), np.array([8.0]), np.array([4.0]))
    array([0.])
    """
    inside = (chance > 0) & (chance < shown)
    null = np.where(inside, chance, 0.5) / np.where(inside, shown, 1.0)
    logits = _logit(np.where(inside, (hit + 1) / (shown + 2), 0.5)) - _logit(null)
    return np.where(inside, logits, np.nan)


def _logit(p: FloatArray) -> FloatArray:
    return np.asarray(np.log(p) - np.log1p(-p))


def _widen(
    bounds: dict[str, FloatArray], cells: Cells, effective: FloatArray, level: float
) -> None:
    """Let no interval be narrower than that of a Beta with the effective number of trials."""
    from scipy.special import betaincinv

    total = cells.total
    rate = total["hit"] / np.maximum(total["shown"], 1)
    known = total["null_shown"] / np.maximum(total["shown"], 1)
    null_rate = total["null_hit"] / np.maximum(total["null_shown"], 1)
    chance = total["chance"] / np.maximum(total["null_shown"], 1)
    for side, share in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
        further = np.minimum if side == "low" else np.maximum
        bound = betaincinv(1 + rate * effective, 1 + (1 - rate) * effective, share)
        bounds[side] = further(bounds[side], bound)
        n = known * effective
        inside = (chance > 0) & (chance < 1)
        bound = betaincinv(1 + null_rate * n, 1 + (1 - null_rate) * n, share)
        more = _logit(bound) - _logit(np.where(inside, chance, 0.5))
        name = f"enrichment_{side}"
        bounds[name] = further(bounds[name], np.where(inside, more, np.nan))


def _percentiles(
    values: FloatArray, level: float, varied: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Bounds of each column; NaN where it is not varied, or less than half of it is known."""
    bounds = np.full((2, values.shape[1]), np.nan)
    outside = (1 - level) / 2
    for label in np.flatnonzero(varied).tolist():
        known = values[np.isfinite(values[:, label]), label]
        if 2 * len(known) >= len(values):
            bounds[:, label] = np.quantile(known, (outside, 1 - outside))
    return bounds[0], bounds[1]


def _shrunk(cells: Cells) -> tuple[FloatArray, FloatArray, FloatArray, str]:
    """Shrunk means, their sd, effective numbers of trials, and what was found."""
    shown, hit = cells.table[:, SUMS.index("shown")], cells.table[:, SUMS.index("hit")]
    rho = intraclass_correlation(shown, hit)
    effective = (shown / (1 + np.maximum(shown - 1, 0) * (rho or 0.0))).sum(axis=0)
    total = shown.sum(axis=0)
    known = total > 0
    if not known.any():
        nothing = np.full(N_LABELS, np.nan)
        return nothing, nothing, effective, "nothing was counted"
    rate = np.where(known, hit.sum(axis=0) / np.where(known, total, 1), 0.0)
    pooled = float(hit.sum() / total.sum())
    precision = _precision(rate * effective, effective, known, pooled)
    a = pooled * precision + rate * effective
    b = (1 - pooled) * precision + (1 - rate) * effective
    mean = np.where(known, a / (a + b), np.nan)
    sd = np.where(known, np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), np.nan)
    found = "unknown, taken as 0" if rho is None else f"{rho:.3g}"
    said = (
        f"shrunk to {pooled:.4g} with the weight of {precision:.4g} trials, correlation within a "
        f"reading {found}"
    )
    return mean, sd, effective, said


def intraclass_correlation(shown: FloatArray, hit: FloatArray) -> float | None:
    """Correlation of the trials of a label within a cell, pooled over labels; None if unknowable.

    Parameters
    ----------
    shown, hit
        ``(cells, labels)`` trials and successes.

    Examples
    --------
    >>> shown = np.full((4, 1), 10.0)
    >>> intraclass_correlation(shown, np.array([[0.0], [10], [0], [10]]))
    1.0
    >>> intraclass_correlation(shown[:1], shown[:1]) is None
    True
    """
    n = shown.sum(axis=0)
    k = (shown > 0).sum(axis=0)
    usable = (k > 1) & (n > k)
    if not usable.any():
        return None
    shown, hit, n, k = shown[:, usable], hit[:, usable], n[usable], k[usable]
    rate = hit / np.where(shown > 0, shown, 1)
    between = (shown * (rate - hit.sum(axis=0) / n) ** 2).sum(axis=0) / (k - 1)
    within = (shown * rate * (1 - rate)).sum(axis=0) / (n - k)
    size = (n - (shown**2).sum(axis=0) / n) / (k - 1)
    above = float((n * (between - within)).sum())
    below = float((n * (between + (size - 1) * within)).sum())
    return min(max(above / below, 0.0), 1.0) if below > 0 else 0.0


def _precision(hit: FloatArray, shown: FloatArray, known: BoolArray, mean: float) -> float:
    """Precision (alpha + beta) of the Beta that the labels' rates come from, by likelihood."""
    if known.sum() < 2 or not 0 < mean < 1:
        return 2.0
    from scipy.optimize import minimize_scalar
    from scipy.special import betaln

    x, n = hit[known], shown[known]

    def unlikely(log_precision: float) -> float:
        a, b = mean * np.exp(log_precision), (1 - mean) * np.exp(log_precision)
        return float(-(betaln(x + a, n - x + b) - betaln(a, b)).sum())

    best = minimize_scalar(unlikely, bounds=(np.log(0.1), np.log(1e5)), method="bounded")
    return float(np.exp(best.x))
