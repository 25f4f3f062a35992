"""Pseudo scan path and weights in one step: where a control changes theta, the path changes, too.

The weight of a token on a path is mostly that it is on the path, and what theta does is mostly to
say which tokens are. A control that kept the path could therefore not tell theta from noise.
"""

from collections.abc import Mapping
from typing import Any

from gazecode.model import LabelPriors, ScanPath, SourceTokens, TokenBatch, TokenWeights
from gazecode.priors import path_batch
from gazecode.weighting import control_priors, weigh_batch

__all__ = ["draw_and_weigh"]


def draw_and_weigh(
    tokens: SourceTokens | TokenBatch,
    priors: LabelPriors,
    scheme: str = "eyemulator",
    *,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    path_params: Mapping[str, Any] | None = None,
) -> tuple[ScanPath, TokenWeights]:
    """Draw a pseudo scan path and weigh it: what a corpus job does to every source.

    For ``control_permuted_labels`` and ``control_other_people``, the weights are those of another
    path, drawn from the priors that the control goes by, with as many tokens in each source.

    Parameters
    ----------
    tokens
        ``(m,)`` tokens of one source, or a batch.
    priors
        Where people look.
    scheme, params
        Weighting scheme and its parameters.
    seed
        Of the path, and of a control that has no ``seed`` among `params`.
    path_params
        Parameters of `gazecode.pseudo_scan_path`.

    Returns
    -------
    ScanPath
        The path that `priors` give.
    TokenWeights
        Controls of one path differ in `on_path`, not in number and mean of the weighted tokens.

    Raises
    ------
    ParameterError
        An unknown scheme or parameter.
    DataError
        A control cannot keep the number of weighted tokens.

    Examples
    --------
    >>> from gazecode.model import LABELS
    >>> import numpy as np
    >>> shown = np.where(np.arange(len(LABELS)) > 0, 40.0, 0.0)
    >>> hit = np.minimum(shown, np.arange(len(LABELS)) * 2)
    >>> none = np.full(len(LABELS), np.nan)
    >>> pri = LabelPriors(hit=hit, shown=shown, theta_null=none, ngrams={})
    >>> from gazecode.source import parse
    >>> tokens = parse("int add(int a, int b) { return a + b; }", "java")
    >>> path, weights = draw_and_weigh(tokens, pri)
    >>> _, control = draw_and_weigh(tokens, pri, "control_permuted_labels", seed=1)
    >>> float((control.value.mean() / weights.value.mean()).round(9))
    1.0
    """
    batch = tokens if isinstance(tokens, TokenBatch) else TokenBatch.of([tokens])
    drawing, given = path_params or {}, dict(params or {})
    path = path_batch(batch, priors, seed=seed, **drawing)
    if scheme.startswith("control_"):
        given.setdefault("seed", seed)
        others = given.get("other_priors")
        other = control_priors(scheme, priors, seed=given["seed"], other_priors=others)
        if other is not priors:
            given["drawn"] = path_batch(batch, other, seed=given["seed"], like=path, **drawing)
    return path, weigh_batch(path, batch, scheme, priors, **given)
