"""Does the order of reading follow a reference: the text from top to bottom, or the execution.

S. B. Needleman and C. D. Wunsch 1970, doi:10.1016/0022-2836(70)90057-4: two sequences are aligned
so that the sum of matches, mismatches and gaps is largest. T. Busjahn et al. 2015,
doi:10.1109/ICPC.2015.36, align the lines that were fixated with the lines in *story order* (the
text) and in *execution order*; *naive* with one pass of the reference, *dynamic* with as many
passes as score best, since programs are read more than once. Replicated by N. Peitek, J. Siegmund
and S. Apel 2020, doi:10.1145/3387904.3389279.

Stated here: the scores of the replication's published scripts (match 3, mismatch -3, gap -2);
fixations on no line are passed over; successive fixations on one line are one visit; at the ends
gaps cost as anywhere. A score grows with the length of what was read; `naive_share` and
`dynamic_share` divide it by that of a path matched from end to end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.measures.needleman import prefix_scores
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["OrderScore", "needleman_wunsch", "order_score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderScore:
    """How well a path of lines follows a reference order.

    Attributes
    ----------
    naive, dynamic
        Alignment score with one pass of the reference, and the best over 1, 2, ... passes.
    repetitions
        Passes of the best; of equal ones the fewest.
    n_path, n_reference
        Lines visited (after joining), and lines of one pass of the reference.
    n_passed_over, n_joined
        Fixations on no line, and those that continued a visit; with `n_path` all fixations.
    n_foreign
        Visits to lines that the reference does not hold; they can only be mismatches or gaps.
    match
        What a match scored.
    """

    naive: float
    dynamic: float
    repetitions: int
    n_path: int
    n_reference: int
    n_passed_over: int
    n_joined: int
    n_foreign: int
    match: float

    @property
    def naive_share(self) -> float:
        """`naive` over ``match * n_path``: 1 where path and reference are equal; may be < 0."""
        return self.naive / (self.match * self.n_path) if self.n_path else float("nan")

    @property
    def dynamic_share(self) -> float:
        """`dynamic` over ``match * n_path``: 1 where the path is whole passes of the reference."""
        return self.dynamic / (self.match * self.n_path) if self.n_path else float("nan")


def order_score(
    line: npt.ArrayLike,
    reference: Sequence[int],
    *,
    match: float = 3.0,
    mismatch: float = -3.0,
    gap: float = -2.0,
    join: bool = True,
) -> OrderScore:
    """Align the lines that were fixated with a reference order.

    Parameters
    ----------
    line
        ``(n,)`` line of each fixation in the order of time; below 0 where it was on none.
    reference
        Lines in the order a reader would follow, numbered likewise; a line may come again.
    match, mismatch, gap
        What an aligned pair of equal lines, one of different lines, and a line without partner
        score.
    join
        Whether successive fixations on a line (with none on another line between them) are one
        visit.

    Returns
    -------
    OrderScore
        So many passes are tried that more of them cannot score more, even if every line of the
        path were matched.

    Raises
    ------
    DataError
        The reference is empty.
    ParameterError
        `match` is not above 0, or `mismatch` or `gap` is above 0.

    Examples
    --------
    Read from top to bottom twice, the second time without the last line.

    >>> said = order_score([1, 1, 2, 3, -1, 1, 2], [1, 2, 3])
    >>> said.naive, said.dynamic, said.repetitions, said.n_path
    (5.0, 13.0, 2, 5)
    >>> round(said.dynamic_share, 3)
    0.867
    """
    _check(match, mismatch, gap)
    order = np.asarray(reference, dtype=np.int64)
    if not len(order):
        raise DataError("the reference order holds no line; expected at least one")
    fixated = np.asarray(line, dtype=np.int64)
    path = fixated[fixated >= 0]
    n_on_line = len(path)
    if join and n_on_line:
        path = path[np.concatenate(([True], np.diff(path) != 0))]
    passes = len(path) // len(order) + 1
    whole = _whole_passes(path, order, passes, (match, mismatch, gap))
    most = _most_passes(len(path), len(order), float(whole.max()), match=match, gap=gap)
    if most > passes:
        whole = _whole_passes(path, order, most, (match, mismatch, gap))
    best = int(np.argmax(whole))
    return OrderScore(
        naive=float(whole[0]),
        dynamic=float(whole[best]),
        repetitions=best + 1,
        n_path=len(path),
        n_reference=len(order),
        n_passed_over=len(fixated) - n_on_line,
        n_joined=n_on_line - len(path),
        n_foreign=int((~np.isin(path, order)).sum()),
        match=match,
    )


def needleman_wunsch(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    match: float = 3.0,
    mismatch: float = -3.0,
    gap: float = -2.0,
) -> float:
    """Score of the best alignment of two sequences of numbers.

    >>> needleman_wunsch([1, 2, 3], [1, 3])
    4.0
    """
    _check(match, mismatch, gap)
    first, second = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    if len(first) < len(second):
        first, second = second, first
    return float(_prefix_scores(first, second, (match, mismatch, gap))[-1])


def _whole_passes(
    path: IntArray, order: IntArray, passes: int, scores: tuple[float, float, float]
) -> FloatArray:
    """Score with 1, 2, ... `passes` of the reference."""
    return _prefix_scores(path, np.tile(order, passes), scores)[len(order) :: len(order)]


def _most_passes(n: int, size: int, best: float, *, match: float, gap: float) -> int:
    """Passes that might still reach `best`; no path needs more of them than it has lines.

    With every line matched the rest of the reference are gaps: ``match n + gap (passes size - n)``.
    """
    if gap == 0:
        return n
    return min(n, int(((match * n - best) / -gap + n) // size))


def _prefix_scores(
    path: IntArray, reference: IntArray, scores: tuple[float, float, float]
) -> FloatArray:
    """``(m + 1,)`` best score of the whole path with each beginning of the reference."""
    match, mismatch, gap = scores
    lines, symbol = np.unique(reference, return_inverse=True)
    rows = np.where(path == lines[:, None], match, mismatch)
    return prefix_scores(rows, symbol, gap=gap)


def _check(match: float, mismatch: float, gap: float) -> None:
    if not (np.isfinite(match) and match > 0):
        raise ParameterError(f"match is {match}; expected a score above 0")
    for name, value in (("mismatch", mismatch), ("gap", gap)):
        if not (np.isfinite(value) and value <= 0):
            raise ParameterError(f"{name} is {value}; expected a penalty, 0 or below")
