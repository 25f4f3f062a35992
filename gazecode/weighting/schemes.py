"""Token weights by name.

From gaze: ``count``, ``duration``, ``first_pass``, ``binary`` (`gazecode.weighting.gaze`). From a
pseudo scan path and priors: ``eyemulator``, ``rarity``, ``salience``
(`gazecode.weighting.eyemulator`). From any of them: six ``control_*``
(`gazecode.weighting.controls`).

A scheme is a function ``(hits, tokens, *, params) -> TokenWeights``; `SCHEMES` is open to the
entry-point group ``gazecode.schemes``.
"""

from typing import Any

from gazecode.model import Hits, LabelPriors, ScanPath, SourceTokens, TokenBatch, TokenWeights
from gazecode.registry import Registry, check_parameters
from gazecode.weighting.base import BASE, GROUP, Scheme
from gazecode.weighting.controls import (
    control_other_people,
    control_permuted,
    control_permuted_bins,
    control_permuted_labels,
    control_permuted_position,
    control_uniform,
)

__all__ = ["SCHEMES", "weigh", "weigh_batch"]


def weigh(
    hits: Hits | ScanPath, tokens: SourceTokens, scheme: str = "duration", **params: Any
) -> TokenWeights:
    """Give every token a value, from the fixations that fell on it or from a pseudo scan path.

    Parameters
    ----------
    hits
        Which token each fixation fell on, or a path from `gazecode.pseudo_scan_path`.
    tokens
        The ``(m,)`` tokens that `hits` counts.
    scheme
        A name in `SCHEMES`. For gaze ``count``, ``duration``, ``first_pass``, ``binary``; for a
        path, with ``priors=``, ``eyemulator``, ``rarity``, ``salience``; for either ``control_*``
        with ``of=`` the scheme to be tested, ``duration`` for gaze and ``eyemulator`` for a path
        if left out.
    **params
        Parameters of the scheme; those for gaze have none.

    Returns
    -------
    TokenWeights
        ``(m,)`` values in the unit of the scheme. With gaze, a token is on the path where its
        value is more than 0, and exposed where it was on the screen.

    Raises
    ------
    ParameterError
        Unknown scheme or parameter, or gaze where the scheme weighs a path, or the reverse.
    DataError
        `hits` and `tokens` differ in the number of tokens.

    Examples
    --------
    >>> tokens = SourceTokens(
    ...     language="java",
    ...     source_id="",
    ...     code=b"int x;",
    ...     span=[[0, 3], [4, 5], [5, 6]],
    ...     row=[0, 0, 0],
    ...     column=[0, 4, 5],
    ...     kind=["int", "identifier", ";"],
    ...     path=[()] * 3,
    ...     label=[""] * 3,
    ... )
    >>> hits = Hits(
    ...     fixation=[0, 1, 2, 3],
    ...     token=[1, 1, 0, 1],
    ...     share=[1, 1, 1, 1],
    ...     onset_ms=[0, 210, 430, 800],
    ...     duration_ms=[200, 210, 350, 100],
    ...     status=["token"] * 4,
    ...     exposure_ms=[900, 900, 900],
    ... )
    >>> for scheme in ("count", "duration", "first_pass", "binary"):
    ...     print(scheme, weigh(hits, tokens, scheme=scheme).value)
    count [1. 3. 0.]
    duration [350. 510.   0.]
    first_pass [350. 410.   0.]
    binary [1. 1. 0.]
    >>> weigh(hits, tokens, scheme="control_uniform", of="duration").value
    array([430., 430.,   0.])
    """
    return _weighed(hits, tokens, scheme, params)


def weigh_batch(
    path: ScanPath,
    batch: TokenBatch,
    scheme: str = "eyemulator",
    priors: LabelPriors | None = None,
    **params: Any,
) -> TokenWeights:
    """`weigh` for every source of a batch at once: values of all its tokens, end to end.

    Parameters
    ----------
    path
        A path over all tokens of the batch, from `gazecode.priors.path_batch`.
    batch
        Sources laid end to end.
    scheme, priors, **params
        As for `weigh`.

    Returns
    -------
    TokenWeights
        ``(m,)`` values; each source has those it would have alone. Nothing warns here: see
        `gazecode.weighting.count_lookups` for what the priors could not answer.
    """
    return _weighed(path, batch, scheme, params if priors is None else {**params, "priors": priors})


def _weighed(
    hits: Hits | ScanPath, tokens: SourceTokens | TokenBatch, scheme: str, params: dict[str, Any]
) -> TokenWeights:
    function = SCHEMES[scheme]
    check_parameters(function, params, name=scheme)
    return function(hits, tokens, **params)


SCHEMES: Registry[Scheme] = Registry(
    "weighting schemes",
    {
        **BASE,
        "control_permuted": control_permuted,
        "control_permuted_bins": control_permuted_bins,
        "control_permuted_position": control_permuted_position,
        "control_permuted_labels": control_permuted_labels,
        "control_other_people": control_other_people,
        "control_uniform": control_uniform,
    },
    group=GROUP,
)
