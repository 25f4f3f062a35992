"""How far two distributions are apart, and how spread out one is, in nats.

S. Kullback and R. A. Leibler 1951, doi:10.1214/aoms/1177729694; J. Lin 1991, doi:10.1109/18.61115;
C. E. Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.
"""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import Figure, has_mass, masses, plain
from gazecode.errors import ParameterError
from gazecode.model.checks import FloatArray

__all__ = ["entropy", "js", "kl"]


def kl(
    p: npt.ArrayLike, q: npt.ArrayLike, *, floor: float = 1e-12, normalise: bool = True
) -> Figure:
    """Kullback-Leibler divergence of the model's map from the human's, in nats.

    ``KL(p ‖ q) = Σ p ln(p / max(q, floor))``, over units with p > 0. Where q exceeds the floor
    wherever p > 0 it is `scipy.stats.entropy(p, q)`.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps, at least 0; NaN where a unit is missing.
    floor
        Least value of q, applied after q was divided by its sum; q is not divided again.
    normalise
        Divide both maps by their sum over the units present in both.

    Returns
    -------
    Nats per item, a float for vectors. NaN where a map has no mass, and with ``floor=0`` where
    q = 0 < p.

    Raises
    ------
    DataError
        Where the maps are of different units or a mass is negative.
    ParameterError
        Where the floor is negative.

    Notes
    -----
    S. Kullback and R. A. Leibler 1951, doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> round(kl([1, 1], [3, 1]), 4)
    0.1438
    >>> round(kl([1, 1], [1, 0]), 4)
    13.1224
    >>> kl([1, 1], [1, 0], floor=0)
    nan
    """
    if not floor >= 0:
        raise ParameterError(f"floor is {floor}; expected 0 or more, such as 1e-12")
    p, q = masses(p, q, normalise=normalise)
    kept = has_mass(p, q)
    q = np.maximum(q, floor)
    kept &= ~((p > 0) & (q == 0)).any(axis=-1)
    value = (p * (_log(p) - _log(q))).sum(axis=-1)
    return plain(np.where(kept, value, np.nan))


def js(p: npt.ArrayLike, q: npt.ArrayLike, *, normalise: bool = True) -> Figure:
    """Jensen-Shannon divergence, in nats: 0 (equal) to ln 2 (nothing shared).

    ``JS = ½ KL(p ‖ m) + ½ KL(q ‖ m)``, ``m = (p + q) / 2``; no floor is needed. The *distance*
    of `scipy.spatial.distance.jensenshannon` is its square root.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps, at least 0; NaN where a unit is missing.
    normalise
        Divide both maps by their sum over the units present in both.

    Returns
    -------
    Nats per item, a float for vectors; NaN where a map has no mass.

    Raises
    ------
    DataError
        Where the maps are of different units or a mass is negative.

    Notes
    -----
    J. Lin 1991, doi:10.1109/18.61115.

    Examples
    --------
    >>> round(js([1, 0], [0, 1]), 4)
    0.6931
    >>> js([1, 3], [2, 6])
    0.0
    """
    p, q = masses(p, q, normalise=normalise)
    both = p + q
    value = (_beside(p, both) + _beside(q, both)).sum(axis=-1) / 2
    return plain(np.where(has_mass(p, q), np.maximum(value, 0.0), np.nan))


def entropy(q: npt.ArrayLike, *, relative: bool = False, normalise: bool = True) -> Figure:
    """How spread out a map is: ``-Σ q ln q``, in nats.

    Parameters
    ----------
    q
        ``(..., n)`` a map, at least 0; NaN where a unit is missing.
    relative
        Divide by ln n, n the units present: 0 (all on one unit) to 1 (uniform).
    normalise
        Divide the map by its sum over the units present.

    Returns
    -------
    Nats, or a share of ln n, per item; a float for a vector. NaN where the map has no mass;
    relative to n = 1 as well.

    Raises
    ------
    DataError
        Where a mass is negative.

    Notes
    -----
    C. E. Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> round(entropy([1, 1, 1, 1]), 4)
    1.3863
    >>> entropy([1, 1, 1, 1], relative=True)
    1.0
    """
    (mass,) = masses(q, normalise=normalise, names=("q",))
    # 0 - x: a map on one unit has entropy 0, not -0.
    value = 0.0 - (mass * _log(mass)).sum(axis=-1)
    kept = has_mass(mass)
    if relative:
        n = (~np.isnan(np.asarray(q, dtype=np.float64))).sum(axis=-1)
        kept &= n > 1
        value = value / np.log(np.maximum(n, 2))
    return plain(np.where(kept, value, np.nan))


def _log(x: FloatArray) -> FloatArray:
    """The logarithm; 0 where there is nothing, for ``0 ln 0 = 0``."""
    return np.log(x, out=np.zeros_like(x), where=x > 0)


def _beside(x: FloatArray, both: FloatArray) -> FloatArray:
    """``x ln(x / m)`` with m half of both; written as 2x over both, m would underflow."""
    there = np.broadcast_to(x > 0, both.shape)
    ratio = np.divide(2 * x, both, out=np.ones_like(both), where=there)
    return np.asarray(x * np.log(ratio))
