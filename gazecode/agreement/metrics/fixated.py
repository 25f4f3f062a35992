"""Whether a model's map is higher where people looked: area under the ROC curve, and NSS.

T. Judd et al. 2009, doi:10.1109/ICCV.2009.5459462 (AUC with thresholds at the fixated values; over
tokens that is the ordinary area with ties counted half); H. B. Mann and D. R. Whitney 1947,
doi:10.1214/aoms/1177730491; R. J. Peters et al. 2005, doi:10.1016/j.visres.2005.03.019 (NSS).
"""

import numpy as np
import numpy.typing as npt

from gazecode.agreement.metrics.pairing import Figure, blank, dot, over, paired, plain, standard
from gazecode.agreement.metrics.ranks import mid_ranks

__all__ = ["auc", "nss"]


def auc(fixated: npt.ArrayLike, q: npt.ArrayLike) -> Figure:
    """Chance that a fixated unit scores above one that is not, ties counted half.

    ``AUC = U / (n1 n0)``, U of Mann and Whitney over n1 fixated and n0 other units.

    Parameters
    ----------
    fixated
        ``(..., n)`` whether people looked there: booleans, or numbers above 0; NaN where a unit
        is missing.
    q
        ``(..., n)`` the model's map; NaN where a unit is missing.

    Returns
    -------
    0 to 1 per item, .5 at chance, a float for vectors; NaN where no unit or every unit is fixated.

    Raises
    ------
    DataError
        Where both are of different units.

    Notes
    -----
    T. Judd et al. 2009, doi:10.1109/ICCV.2009.5459462, over tokens.

    Examples
    --------
    >>> auc([True, False, False, True], [4, 1, 2, 2])
    0.875
    """
    looked, q = paired(fixated, q, names=("fixated", "q"))
    positive = np.where(looked > 0, 1.0, 0.0)
    n1 = positive.sum(axis=-1)
    n0 = (~np.isnan(looked)).sum(axis=-1) - n1
    u = dot(positive, blank(mid_ranks(q))) - n1 * (n1 + 1) / 2
    return plain(over(u, n1 * n0))


def nss(fixated: npt.ArrayLike, q: npt.ArrayLike) -> Figure:
    """Normalised scan-path saliency: mean of the model's z-scores over the fixated units.

    ``mean over F of (q - mean q) / sd q``, sd of the population (all units present), not of a
    sample. 0 at chance.

    Parameters
    ----------
    fixated
        ``(..., n)`` whether people looked there: booleans, or numbers above 0; NaN where a unit
        is missing. It does not count how often.
    q
        ``(..., n)`` the model's map; NaN where a unit is missing.

    Returns
    -------
    Standard deviations per item, a float for vectors; NaN where q is constant or nothing is
    fixated.

    Raises
    ------
    DataError
        Where both are of different units.

    Notes
    -----
    R. J. Peters et al. 2005, doi:10.1016/j.visres.2005.03.019.

    Examples
    --------
    >>> nss([True, False, False, False], [3, 1, 1, 1])
    1.7320508075688774
    """
    looked, q = paired(fixated, q, names=("fixated", "q"))
    positive = np.where(looked > 0, 1.0, 0.0)
    n = np.sqrt((~np.isnan(q)).sum(axis=-1, keepdims=True))
    return plain(over(dot(positive, standard(q) * n), positive.sum(axis=-1)))
