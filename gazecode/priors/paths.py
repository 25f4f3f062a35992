"""Pseudo scan paths: where a reader would look, for code that nobody looked at.

Zhang et al. (EyeMulator) sample tokens by label from the posteriors of real gaze, then cut them
into n-grams. The write-up leaves the quota open; the published rows fix it: of the n tokens of a
label, floor(theta n) are chosen, uniformly. `gazecode.priors.windows` does the cutting.

Deviates from the text by default: no total m = floor(rho n), which the rows do not show. It is
there as ``budget="rho"``.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model import LABELS, N_LABELS, LabelPriors, ScanPath, SourceTokens, TokenBatch
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.draws import source_keys, token_draws, uniform
from gazecode.priors.arguments import check_batch, check_path, check_priors, check_tokens
from gazecode.priors.windows import MAX_LINE_SPAN, Matching, consecutive, cut_windows
from gazecode.registry import check_values

__all__ = ["Budget", "Sampler", "Theta", "Windows", "path_batch", "pseudo_scan_path"]

Budget = Literal["posterior", "rho"]
Sampler = Literal["quota", "bernoulli", "transition"]
Theta = Literal["mean", "draw"]
Windows = Literal["path", "consecutive"]


def pseudo_scan_path(
    tokens: SourceTokens,
    priors: LabelPriors,
    *,
    seed: int = 0,
    budget: Budget = "posterior",
    sampler: Sampler = "quota",
    theta: Theta = "mean",
    max_line_span: int = MAX_LINE_SPAN,
    matching: Matching = "scan",
    windows: Windows = "path",
    like: ScanPath | None = None,
) -> ScanPath:
    """Sample the tokens of one source that a reader would look at, cut into windows.

    Parameters
    ----------
    tokens
        The ``(m,)`` tokens; those without a label (punctuation) are never on a path.
    priors
        Posteriors per label, and which label sequences may be windows.
    seed
        The path depends on this, on the source's bytes, and on nothing else.
    budget
        How many tokens of a label: ``"posterior"``, floor(theta n) of its n tokens, as in the
        published rows; ``"rho"``, floor(rho n) of all labelled tokens, as the paper says, with
        rho ~ Beta(sum of alpha, sum of beta), shared out in proportion to theta n (largest
        remainders first, no label beyond its n). For ``sampler="quota"`` only.
    sampler
        ``"quota"``: so many tokens of each label, uniformly. ``"bernoulli"``: each token by
        itself, with probability theta. ``"transition"``: one after the other with probability
        (theta + P(label | label of the token before it *on the path*)) / 2; where pairs were
        counted sorted, as in the published tables, each counts in both directions, which is an
        approximation.
    theta
        ``"mean"``: posterior means; ``"draw"``: drawn from the posteriors, once per source.
    max_line_span, matching
        See `gazecode.priors.windows.cut_windows`.
    windows
        ``"path"``: windows are tokens of the path; ``"consecutive"``: as the release writes them,
        over tokens that follow each other in the text whether on the path or not.
    like
        A path over the same tokens: draw another with as many in each source, whatever `budget`
        says, and with random numbers of its own. For ``"quota"``, shared out over labels as with
        ``"rho"``; for ``"bernoulli"``, Pareto sampling (Rosén 1997, J. Stat. Plan. Inference
        62:159), which draws a given number of tokens much as chance would if it came to that
        number. Controls compare paths so.

    Returns
    -------
    ScanPath
        ``to_frame()`` has ``token`` and ``ngram``, the number of its window.

    Raises
    ------
    ParameterError
        No tokens or no priors; an unknown choice, a value of another kind, or a span below 0;
        `like` with ``sampler="transition"``, whose number of tokens cannot be set.
    DataError
        `like` is a path over other tokens, or has more than `priors` know labels for.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> shown = np.where(np.arange(len(LABELS)) > 0, 9.0, 0.0)
    >>> none = np.full(len(LABELS), np.nan)
    >>> priors = LabelPriors(hit=shown * 0.6, shown=shown, theta_null=none, ngrams={})
    >>> tokens = parse("int add(int a, int b) { return a + b; }", "java")
    >>> path = pseudo_scan_path(tokens, priors, seed=7)
    >>> list(path.to_frame()), bool((tokens.label[path.token] != "").all())
    (['token', 'ngram'], True)
    """
    check_tokens(tokens, "pseudo_scan_path")
    return path_batch(
        TokenBatch.of([tokens]),
        priors,
        seed=seed,
        budget=budget,
        sampler=sampler,
        theta=theta,
        max_line_span=max_line_span,
        matching=matching,
        windows=windows,
        like=like,
    )


def path_batch(
    batch: TokenBatch,
    priors: LabelPriors,
    *,
    seed: int = 0,
    budget: Budget = "posterior",
    sampler: Sampler = "quota",
    theta: Theta = "mean",
    max_line_span: int = MAX_LINE_SPAN,
    matching: Matching = "scan",
    windows: Windows = "path",
    like: ScanPath | None = None,
) -> ScanPath:
    """`pseudo_scan_path` for every source of a batch at once; one path over all its tokens.

    Each source has the path it would have alone; windows are numbered from 0 in each.
    """
    check_batch(batch, "path_batch")
    check_priors(priors, "pseudo_scan_path")
    given: dict[str, object] = {"seed": seed, "budget": budget, "sampler": sampler, "theta": theta}
    given |= {"max_line_span": max_line_span, "matching": matching, "windows": windows}
    check_values(path_batch, given, name="pseudo_scan_path")
    if like is not None:
        check_path(like, "like")
    if budget == "rho" and sampler != "quota":
        raise ParameterError(
            f"budget='rho' shares out quotas, sampler is {sampler!r}; use sampler='quota'"
        )
    if like is not None:
        chosen = _as_many(batch, priors, seed, theta, sampler, like)
    elif sampler == "quota":
        quota = _QUOTAS[budget](batch, priors, seed, theta)
        chosen = _by_quota(batch, quota, seed)
    else:
        chosen = _SAMPLERS[sampler](batch, priors, seed, theta)
    return _as_path(chosen, batch, priors, max_line_span, matching, windows)


def _as_path(  # noqa: PLR0917 - two records and three choices
    chosen: BoolArray,
    batch: TokenBatch,
    priors: LabelPriors,
    max_line_span: int,
    matching: Matching,
    form: Windows,
) -> ScanPath:
    token = np.flatnonzero(chosen)
    source = batch.source
    number = cut_windows(
        batch.label[token],
        batch.row[token],
        priors,
        source=source[token],
        max_line_span=max_line_span,
        matching=matching,
    )
    window = None
    if form == "path":
        ngram = np.full(len(batch), -1, dtype=np.int64)
        ngram[token] = number
    else:
        labelled = np.flatnonzero(batch.label)
        ngram, window = consecutive(number, token, labelled, batch.label, source)
    return ScanPath(
        ngram=ngram,
        on_path=chosen,
        window=window,
        unknown_labels=_unknown(batch, priors),
        prior_sources=priors.prior_sources,
        n_people=priors.n_people,
    )


def _unknown(batch: TokenBatch, priors: LabelPriors) -> dict[str, int]:
    counts = np.bincount(batch.label, minlength=N_LABELS)
    codes = np.flatnonzero((counts > 0) & ~priors.known)
    return {LABELS[code]: int(counts[code]) for code in codes if code}


def _usable(priors: LabelPriors) -> BoolArray:
    """``(N_LABELS,)`` labels that may be on a path: known, and not "no label"."""
    return np.asarray(priors.known & (np.arange(N_LABELS) > 0))


def _group(batch: TokenBatch) -> IntArray:
    """``(m,)`` one number per source and label."""
    return batch.source * N_LABELS + batch.label


def _counts(batch: TokenBatch) -> IntArray:
    """``(d, N_LABELS)`` tokens of each label; none without a label."""
    counts = np.bincount(_group(batch), minlength=batch.n_sources * N_LABELS)
    counts = counts.reshape(batch.n_sources, N_LABELS)
    counts[:, 0] = 0
    return counts


def _posterior_quota(batch: TokenBatch, priors: LabelPriors, seed: int, theta: Theta) -> IntArray:
    """``(d, N_LABELS)``: floor(theta n)."""
    n = _counts(batch)
    if theta == "draw":
        return np.floor(_drawn(batch, priors, seed) * n).astype(np.int64)
    # Divided last: theta * n may end up just below a whole number that it equals.
    whole = np.floor(priors.alpha * n / (priors.alpha + priors.beta))
    return np.where(_usable(priors), whole, 0.0).astype(np.int64)


def _rho_quota(batch: TokenBatch, priors: LabelPriors, seed: int, theta: Theta) -> IntArray:
    """``(d, N_LABELS)`` summing to floor(rho n), in proportion to theta n, none beyond its n."""
    known = _usable(priors)
    n = np.where(known, _counts(batch), 0)
    a, b = float(priors.alpha[known].sum()), float(priors.beta[known].sum())
    if theta == "mean":
        total = np.floor(a * n.sum(axis=1) / max(a + b, 1.0))
    else:
        rho = np.array([g.beta(a, b) for g in _generators(batch, seed)] if known.any() else 0.0)
        total = np.floor(rho * n.sum(axis=1))
    return _shared_out(total, n, priors.theta)


def _shared_out(total: FloatArray, n: IntArray, theta: FloatArray) -> IntArray:
    """Whole numbers ``<= n`` in proportion to ``theta n``, each row summing to its total."""
    part, full = np.zeros(n.shape), np.zeros(n.shape, dtype=bool)
    # A label that would get more than it has gets all of it; the others share what is left.
    for _ in range(N_LABELS):
        wanted = np.where(full, 0.0, theta * n)
        left = total - (n * full).sum(axis=1)
        weight = wanted.sum(axis=1)
        scale = np.divide(left, weight, out=np.zeros_like(left), where=weight > 0)
        part = np.where(full, n, wanted * scale[:, None])
        over = (part > n) & ~full
        if not over.any():
            break
        full |= over
    quota = np.minimum(np.floor(part + 1e-9), n).astype(np.int64)
    rest = (total - quota.sum(axis=1)).astype(np.int64)
    fraction = np.where(quota < n, part - quota, -1.0)
    rank = np.argsort(np.argsort(-fraction, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(quota + ((rank < rest[:, None]) & (quota < n)))


def _by_quota(batch: TokenBatch, quota: IntArray, seed: int, purpose: str = "path") -> BoolArray:
    """``(m,)`` for each source and label the tokens with the smallest random numbers."""
    group = _group(batch)
    wanted = quota.ravel()[group]
    token = np.flatnonzero(wanted)
    # One number to sort by: group above, randomness below. Equal ones keep their order.
    draw = token_draws(batch, seed, purpose)[token] >> np.uint64(32)
    key = (group[token].astype(np.uint64) << np.uint64(32)) | draw
    token = token[np.argsort(key, kind="stable")]
    return _first_of(token, group, wanted)


def _first_of(token: IntArray, group: IntArray, wanted: IntArray) -> BoolArray:
    """``(m,)`` the first so many of each group, of tokens sorted by group."""
    ranked = group[token]
    fresh = np.ones(len(token), dtype=bool)
    fresh[1:] = ranked[1:] != ranked[:-1]
    first = np.flatnonzero(fresh)
    rank = np.arange(len(token)) - np.repeat(first, np.diff(np.append(first, len(token))))
    chosen: BoolArray = np.zeros(len(group), dtype=bool)
    chosen[token[rank < wanted[token]]] = True
    return chosen


def _as_many(  # noqa: PLR0917 - what makes a path
    batch: TokenBatch,
    priors: LabelPriors,
    seed: int,
    theta: Theta,
    sampler: Sampler,
    like: ScanPath,
) -> BoolArray:
    """``(m,)`` as many tokens of each source as `like` has, more where theta is higher."""
    if sampler == "transition":
        raise ParameterError(
            "sampler='transition' cannot draw a given number of tokens (like=); "
            "use 'quota' or 'bernoulli'"
        )
    if len(like.on_path) != len(batch):
        raise DataError(
            f"the path to be like was made for {len(like.on_path)} tokens, found {len(batch)}; "
            "pass a path over the same tokens"
        )
    total = np.bincount(batch.source[like.token], minlength=batch.n_sources)
    n = np.where(_usable(priors), _counts(batch), 0)
    short = np.flatnonzero(total > n.sum(axis=1))
    if short.size:
        i = int(short[0])
        raise DataError(
            f"the path to be like has {total[i]} tokens in source {i}, the priors know the labels "
            f"of {n[i].sum()}; use priors that know more labels"
        )
    if sampler == "quota":
        theta_of = _drawn(batch, priors, seed) if theta == "draw" else priors.theta
        return _by_quota(batch, _shared_out(total.astype(float), n, theta_of), seed, "like")
    chance = _chances(batch, priors, seed, theta)
    token = np.flatnonzero(_usable(priors)[batch.label])
    # Chance takes a token where the odds of its number lie below its own: the lowest go first.
    key = _logit(uniform(token_draws(batch, seed, "like"))[token]) - _logit(chance[token])
    source = batch.source
    return _first_of(token[np.lexsort((key, source[token]))], source, total[source])


def _logit(p: FloatArray) -> FloatArray:
    p = np.clip(p, 2.0**-60, 1 - 2.0**-53)
    return np.asarray(np.log(p) - np.log1p(-p))


def _bernoulli(batch: TokenBatch, priors: LabelPriors, seed: int, theta: Theta) -> BoolArray:
    """``(m,)`` each token with probability theta."""
    chance = _chances(batch, priors, seed, theta)
    return np.asarray(uniform(token_draws(batch, seed, "path")) < chance)


def _transition(batch: TokenBatch, priors: LabelPriors, seed: int, theta: Theta) -> BoolArray:
    """``(m,)`` one token after the other, by theta and the label before it on the path."""
    chance = _chances(batch, priors, seed, theta)
    draw = uniform(token_draws(batch, seed, "path"))
    follows = _follows(priors)
    # Most tokens are out whatever came before; only the others are walked through.
    best = np.maximum(chance, 0.5 * (chance + follows.max(axis=0)[batch.label]))
    token = np.flatnonzero((draw < best) & _usable(priors)[batch.label])
    table, chosen, before, at = follows.tolist(), [], 0, -1
    for j, label, source, p, u in zip(
        token.tolist(),
        batch.label[token].tolist(),
        batch.source[token].tolist(),
        chance[token].tolist(),
        draw[token].tolist(),
        strict=True,
    ):
        if source != at:
            before, at = 0, source
        if u < (0.5 * (p + table[before][label]) if before else p):
            chosen.append(j)
            before = label
    mask = np.zeros(len(batch), dtype=bool)
    mask[chosen] = True
    return mask


def _follows(priors: LabelPriors) -> FloatArray:
    """``(N_LABELS, N_LABELS)`` P(label | label before it on the path), smoothed by one."""
    table = priors.ngrams.get(2)
    if table is not None and not table.is_sorted:
        return priors.transitions()
    # A sorted table gives each pair's count to both directions; no table, equal chances.
    counts = np.zeros((N_LABELS, N_LABELS))
    counts[1:, 1:] = 1.0 if table is None else table.dense()[1:, 1:] + 1.0
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0))


def _chances(
    batch: TokenBatch, priors: LabelPriors, seed: int, theta: Theta
) -> npt.NDArray[np.float64]:
    """``(m,)`` theta of each token's label; 0 where there is none."""
    if theta == "mean":
        return np.asarray(np.where(_usable(priors), priors.theta, 0.0)[batch.label])
    return np.asarray(_drawn(batch, priors, seed)[batch.source, batch.label])


def _drawn(batch: TokenBatch, priors: LabelPriors, seed: int) -> FloatArray:
    """``(d, N_LABELS)`` thetas drawn from the posteriors; 0 for labels the priors do not know."""
    drawn = [g.beta(priors.alpha, priors.beta) for g in _generators(batch, seed)]
    return np.where(_usable(priors), np.reshape(drawn, (batch.n_sources, N_LABELS)), 0.0)


def _generators(batch: TokenBatch, seed: int) -> list[np.random.Generator]:
    keys = source_keys(batch, seed, "theta").tolist()
    return [np.random.Generator(np.random.Philox(key=key)) for key in keys]


_Quota = Callable[[TokenBatch, LabelPriors, int, Theta], IntArray]
_Sample = Callable[[TokenBatch, LabelPriors, int, Theta], BoolArray]
_QUOTAS: dict[str, _Quota] = {"posterior": _posterior_quota, "rho": _rho_quota}
_SAMPLERS: dict[str, _Sample] = {"bernoulli": _bernoulli, "transition": _transition}
