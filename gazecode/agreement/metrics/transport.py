"""Earth mover's distance: how far mass must be carried to turn one map into the other.

Y. Rubner, C. Tomasi and L. J. Guibas 2000, doi:10.1023/A:1026543900054. On a line it is the area
between the two distribution functions (S. S. Vallender 1974, doi:10.1137/1118101).
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import (
    Figure,
    as_map,
    blank,
    has_mass,
    masses,
    paired,
    plain,
    same_units,
)
from gazecode.errors import DataError, GazecodeError, ParameterError
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["emd"]

SAME_MASS = 1e-9
"""Relative difference of two sums above which maps that are not normalised differ in mass."""


def emd(
    p: npt.ArrayLike,
    q: npt.ArrayLike,
    *,
    ground: Literal["index", "position"] | npt.ArrayLike = "index",
    positions: npt.ArrayLike | None = None,
    normalise: bool = True,
) -> Figure:
    """Earth mover's distance (1-Wasserstein), in units of the ground distance.

    ``min Σ_ij f_ij d_ij`` over flows f that carry p to q.

    Parameters
    ----------
    p, q
        ``(..., n)`` human and model maps, at least 0; NaN where a unit is missing.
    ground
        ``"index"``: units are 1 apart, a missing one still takes its place: ``Σ |CDF difference|``.
        ``"position"``: distance along `positions`. Or a matrix ``(n, n)`` of what carrying from
        unit i of p to unit j of q costs, at least 0 (a distance in the tree): a linear program
        for two vectors, accurate to about 1e-9, for up to some hundred units with mass.
    positions
        ``(..., n)`` places of the units (characters, columns), in any order; NaN makes a unit
        missing. With ``ground="position"`` only.
    normalise
        Divide both maps by their sum over the units present in both.

    Returns
    -------
    Per item, a float for vectors; NaN where a map has no mass, and without `normalise` where the
    masses differ.

    Raises
    ------
    DataError
        Where the maps are of different units, a mass is negative, or the matrix does not fit.
    ParameterError
        Where the ground is unknown or `positions` and `ground` do not go together.

    Notes
    -----
    Y. Rubner, C. Tomasi and L. J. Guibas 2000, doi:10.1023/A:1026543900054.

    Examples
    --------
    >>> emd([1, 0, 0], [0, 0, 1])
    2.0
    >>> emd([1, 0, 0], [0, 0, 1], ground="position", positions=[0, 4, 9])
    9.0
    >>> emd([1, 0], [0, 1], ground=[[0, 3], [3, 0]])
    3.0
    """
    named = isinstance(ground, str)
    if named and ground not in ("index", "position"):
        raise ParameterError.unknown("ground distances", ground, ("index", "position", "a matrix"))
    if (positions is not None) != (named and ground == "position"):
        given = "not given" if positions is None else "given"
        raise ParameterError(
            f"positions are {given}; expected them with ground='position' and with no other ground"
        )
    if positions is not None:
        p, q, places = paired(p, q, positions, names=("p", "q", "positions"))
        p, q = masses(p, q, normalise=normalise)
        return plain(np.where(_same(p, q), _along(p - q, places), np.nan))
    if not named:
        return _carried(p, q, as_map(ground, "ground"), normalise=normalise)
    p, q = masses(p, q, normalise=normalise)
    return plain(np.where(_same(p, q), np.abs(np.cumsum(p - q, axis=-1)).sum(axis=-1), np.nan))


def _same(p: FloatArray, q: FloatArray) -> BoolArray:
    """Where both have mass, and as much of it."""
    a, b = p.sum(axis=-1), q.sum(axis=-1)
    return np.asarray(has_mass(p, q) & (np.abs(a - b) <= SAME_MASS * np.maximum(a, b)))


def _along(excess: FloatArray, places: FloatArray) -> FloatArray:
    """Area between the distribution functions, over places in any order."""
    excess, places = np.broadcast_arrays(excess, places)
    order = np.argsort(places, axis=-1, kind="stable")
    ahead = np.cumsum(np.take_along_axis(excess, order, axis=-1), axis=-1)
    # A missing unit comes last and has no mass: the way to it is never gone.
    gap = blank(np.diff(np.take_along_axis(places, order, axis=-1), axis=-1))
    return np.asarray((np.abs(ahead[..., :-1]) * gap).sum(axis=-1))


def _carried(p: npt.ArrayLike, q: npt.ArrayLike, cost: FloatArray, *, normalise: bool) -> float:
    """The linear program over a matrix of costs, for two vectors."""
    a, b = masses(p, q, normalise=normalise)
    same_units((a, b), ("p", "q"))
    if a.ndim > 1 or b.ndim > 1:
        raise DataError(
            f"p has shape {a.shape} and q {b.shape}; expected two vectors with a matrix of costs:"
            " call it once per item"
        )
    n = len(a)
    if cost.shape != (n, n) or not (cost >= 0).all():
        raise DataError(f"ground has shape {cost.shape}; expected ({n}, {n}) costs of at least 0")
    if not _same(a, b):
        return float("nan")
    rows, columns = np.flatnonzero(a), np.flatnonzero(b)
    return _solve(a[rows], b[columns], cost[np.ix_(rows, columns)])


def _solve(a: FloatArray, b: FloatArray, cost: FloatArray) -> float:
    """Least cost of carrying masses `a` to `b`, all of them above 0."""
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    m, n = cost.shape
    leaves = kron(eye_array(m), np.ones((1, n)))
    arrives = kron(np.ones((1, m)), eye_array(n))
    done = linprog(
        cost.ravel(),
        A_eq=vstack([leaves, arrives], format="csr"),
        # Sums that differ in their last digit would leave no flow at all.
        b_eq=np.concatenate([a, b * (a.sum() / b.sum())]),
        bounds=(0, None),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if not done.success:
        raise GazecodeError(
            f"no flow was found between {m} and {n} units: {done.message}; expected an optimum:"
            " check the costs for values of very different size"
        )
    return float(done.fun)
