"""k-means on one axis, exactly: the tightest clusters there are, without a start.

Sorted values fall into k stretches with the least squares within; the best first place of the last
stretch never moves back as values are added, so that halving finds it (Wang & Song 2011,
doi:10.32614/RJ-2011-015, with divide and conquer).

Cost: k n log n; 4 ms for 200 values in 12 clusters, 0.5 s for 5,000 in 300.
"""

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["tightest_clusters"]


def tightest_clusters(values: FloatArray, k: int) -> IntArray:
    """Cluster of each value, numbered from the least upwards.

    Parameters
    ----------
    values
        ``(n,)``, finite.
    k
        How many clusters, none of them empty: 1 to n.

    Returns
    -------
    ndarray
        ``(n,)`` numbers 0 to k - 1.

    Examples
    --------
    >>> tightest_clusters(np.array([9.0, 1, 2, 10, 5]), 3)
    array([2, 0, 0, 2, 1])
    """
    order = np.argsort(values, kind="stable")
    centred = values[order] - values.mean()
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    n = len(values)
    best = squares[1:] - sums[1:] ** 2 / np.arange(1, n + 1)
    firsts = []
    for cluster in range(1, k):
        best, first = _with_one_more(best, sums, squares, cluster)
        firsts.append(first)
    label = np.zeros(n, dtype=np.int64)
    end = n
    for cluster in range(k - 1, 0, -1):
        begin = int(firsts[cluster - 1][end - 1])
        label[begin:end] = cluster
        end = begin
    found = np.empty(n, dtype=np.int64)
    found[order] = label
    return found


def _with_one_more(
    best: FloatArray, sums: FloatArray, squares: FloatArray, cluster: int
) -> tuple[FloatArray, IntArray]:
    """Least squares of values up to each with one cluster more, and where that cluster begins.

    Middles of all stretches of a halving are done together; their neighbours bound the search.
    """
    n = len(best)
    least, first = np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    left, right = np.array([cluster]), np.array([n])
    low, high = np.array([cluster]), np.array([n - 1])
    while len(left):
        middle = (left + right) // 2
        count = np.minimum(high, middle) - low + 1
        end = np.cumsum(count)
        row = np.repeat(np.arange(len(middle)), count)
        begin = np.arange(end[-1]) - (end - count - low)[row]
        stop = middle[row] + 1
        within = squares[stop] - squares[begin] - (sums[stop] - sums[begin]) ** 2 / (stop - begin)
        cost = best[begin - 1] + within
        least[middle] = np.minimum.reduceat(cost, end - count)
        at = np.where(cost == least[stop - 1], begin, n)
        first[middle] = np.minimum.reduceat(at, end - count)
        bounds = (
            (left, middle + 1),
            (middle, right),
            (low, first[middle]),
            (first[middle], high),
        )
        left, right, low, high = (np.concatenate(pair) for pair in bounds)
        going = left < right
        left, right, low, high = left[going], right[going], low[going], high[going]
    return least, first
