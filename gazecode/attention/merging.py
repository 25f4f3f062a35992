"""Scores of subwords as scores of AST tokens.

``sum``   a mass: the parts that are the token's; a subword that meets several tokens gives each
          its share by bytes (white space at its edge takes nothing)
``mean``  of the token's subwords, each counted by its share
``max``   the largest of them

Subwords that meet no token (white space between tokens, special tokens) are left out, and the
mass on them is counted. A token none of whose subwords was seen has no score: NaN.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.alignment.subwords.offsets import summed
from gazecode.attention.prompt import TokenParts
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.model.scores import MERGES

__all__ = ["Merged", "merge_matrix", "merge_subwords"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """``(m,)`` scores per token, and the share of the seen mass that lies on no token."""

    value: FloatArray
    off_share: float


def merge_subwords(parts: TokenParts, value: FloatArray, seen: BoolArray, merge: str) -> Merged:
    """Bring ``(n,)`` scores of subwords to the AST tokens.

    Parameters
    ----------
    parts
        Which subword holds what of which token.
    value
        One score per subword.
    seen
        ``(n,)`` subwords that count; the others are as if they were not there.
    merge
        One of `gazecode.model.scores.MERGES`.

    Raises
    ------
    ParameterError
        An unknown `merge`.

    Examples
    --------
    A subword that holds one byte of the first and two of the second token, one that holds the
    rest of the second, and a blank:

    >>> parts = TokenParts(
    ...     subword=np.array([0, 0, 1]),
    ...     token=np.array([0, 1, 1]),
    ...     share=np.array([1 / 3, 2 / 3, 1.0]),
    ...     n_tokens=3,
    ... )
    >>> seen = np.ones(3, dtype=bool)
    >>> merged = merge_subwords(parts, np.array([3.0, 4.0, 1.0]), seen, "sum")
    >>> merged.value, merged.off_share
    (array([ 1.,  6., nan]), 0.125)
    >>> merge_subwords(parts, np.array([3.0, 4.0, 1.0]), seen, "max").value
    array([ 3.,  4., nan])
    """
    if merge not in MERGES:
        raise ParameterError.unknown("merges", merge, MERGES)
    held = seen[parts.subword]
    subword, token, share = parts.subword[held], parts.token[held], parts.share[held]
    m = parts.n_tokens
    weight = summed(token, share, m)
    found: FloatArray = np.full(m, np.nan)
    if merge == "max":
        found[weight > 0] = -np.inf
        np.maximum.at(found, token, value[subword])
    else:
        mass = summed(token, share * value[subword], m)
        divisor = weight if merge == "mean" else np.ones(m)
        np.divide(mass, divisor, out=found, where=weight > 0)
    on_token = np.zeros(len(value), dtype=bool)
    on_token[subword] = True
    size = np.abs(np.nan_to_num(np.where(seen, value, 0.0)))
    whole = float(size.sum())
    return Merged(value=found, off_share=float(size[~on_token].sum()) / whole if whole else 0.0)


def merge_matrix(parts: TokenParts, matrix: FloatArray, seen: BoolArray) -> FloatArray:
    """``(m, m)`` from token to token: columns summed, rows averaged, then brought to 1 (or 0)."""
    held = seen[parts.subword]
    subword, token, share = parts.subword[held], parts.token[held], parts.share[held]
    columns: FloatArray = np.zeros((parts.n_tokens, len(matrix)))
    np.add.at(columns, token, share[:, None] * matrix[:, subword].T)
    # Rows: of subwords, also those whose own column was dropped.
    whole: FloatArray = np.zeros((parts.n_tokens, parts.n_tokens))
    np.add.at(whole, parts.token, parts.share[:, None] * columns[:, parts.subword].T)
    total = whole.sum(1, keepdims=True)
    return np.divide(whole, total, out=np.zeros_like(whole), where=total > 0)
