"""How linearly was it read: from left to right and from top to bottom.

The local measures of T. Busjahn et al. 2015, doi:10.1109/ICPC.2015.36, replicated by N. Peitek, J.
Siegmund and S. Apel 2020, doi:10.1145/3387904.3389279, over pairs of successive fixations that are
both on code. `gazecode.measures.order` has the global ones.

Decided here, since the papers leave it open:

* Refixations of a token count, as pairs on the same line; with ``collapse=True`` successive
  fixations of one element are one.
* Blank lines are passed over: the next line is the next one that holds code.
* A fixation on no line ends the chain: the eyes did not come from code. With ``bridge=True`` it is
  passed over, as the replication's scripts do.
* Forward is to a larger column, backward to a smaller one; a pair in the same column, or without a
  known column, is neither.

Which pairs a share is *of* differs between papers, and so do the figures: `Linearity.variants` has
every count with every denominator in use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.model import Screen
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.units import DEFAULT_PX_PER_DEG, angle_deg, px_to_deg

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Linearity", "linearity", "pool_linearity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linearity:
    """Counts of one scan path or several; every share is a quotient of two of them.

    Attributes
    ----------
    fixations, on_code, collapsed
        All fixations; those on a line; those joined to the one before (0 unless `collapse`).
    pairs, broken, bridged
        Successive fixations both on code; successive ones where one is not; of the pairs those
        that pass over fixations on no line (0 unless `bridge`).
    same_line, next_line, later_line, earlier_line
        Pairs that stay on a line, go to the next one, to any later one (the next included), to
        any earlier one. ``same + later + earlier = pairs``.
    forward, backward
        Pairs on one line to a larger and to a smaller column; the rest of `same_line` is on the
        same or an unknown one.
    saccades, length_px, length_deg
        Pairs with known positions and the sum of their distances.
    lines, lines_fixated, elements, elements_fixated
        Lines that hold code and elements of it, and how many were fixated at least once; 0 where
        it was not said what there is.
    """

    fixations: int
    on_code: int
    collapsed: int
    pairs: int
    broken: int
    bridged: int
    same_line: int
    next_line: int
    later_line: int
    earlier_line: int
    forward: int
    backward: int
    saccades: int
    length_px: float
    length_deg: float
    lines: int
    lines_fixated: int
    elements: int
    elements_fixated: int

    @property
    def vertical_next(self) -> float:
        """Share of pairs that stay on the line or go to the next one; NaN without a pair."""
        return _share(self.same_line + self.next_line, self.pairs)

    @property
    def vertical_later(self) -> float:
        """Share of pairs that stay on the line or go to any later one."""
        return _share(self.same_line + self.later_line, self.pairs)

    @property
    def horizontal_later(self) -> float:
        """Share of pairs that go forward on a line."""
        return _share(self.forward, self.pairs)

    @property
    def regression_rate(self) -> float:
        """Share of pairs that go back: to an earlier line, or on the line to a smaller column."""
        return _share(self.earlier_line + self.backward, self.pairs)

    @property
    def line_regression_rate(self) -> float:
        """Share of pairs that go back on a line."""
        return _share(self.backward, self.pairs)

    @property
    def saccade_length_px(self) -> float:
        """Mean distance between the fixations of a pair, px."""
        return _share(self.length_px, self.saccades)

    @property
    def saccade_length_deg(self) -> float:
        """Mean distance between the fixations of a pair, degrees."""
        return _share(self.length_deg, self.saccades)

    @property
    def line_coverage(self) -> float:
        """Share of the lines that hold code with at least one fixation."""
        return _share(self.lines_fixated, self.lines)

    @property
    def element_coverage(self) -> float:
        """Share of the elements with at least one fixation."""
        return _share(self.elements_fixated, self.elements)

    def variants(self) -> list[dict[str, Any]]:
        """Every measure with every denominator in use: measure, of, count, total, share.

        ``pairs`` is the definition above. ``line changes`` leaves out pairs on one line, ``same
        line`` those that change it; ``forward`` divides what goes back by what goes forward
        (later line or larger column); ``fixations`` counts as the scripts of Peitek et al. 2020
        do, by fixations on code, vertical moves between different lines only.
        """
        onward = self.forward + self.later_line
        back = self.earlier_line + self.backward
        changes = self.later_line + self.earlier_line
        counted = (
            ("vertical next", "pairs", self.same_line + self.next_line, self.pairs),
            ("vertical next", "line changes", self.next_line, changes),
            ("vertical next", "fixations", self.next_line, self.on_code),
            ("vertical later", "pairs", self.same_line + self.later_line, self.pairs),
            ("vertical later", "line changes", self.later_line, changes),
            ("vertical later", "fixations", self.later_line, self.on_code),
            ("horizontal later", "pairs", self.forward, self.pairs),
            ("horizontal later", "same line", self.forward, self.same_line),
            ("horizontal later", "fixations", self.same_line - self.backward, self.on_code),
            ("regression", "pairs", back, self.pairs),
            ("regression", "forward", back, onward),
            ("regression", "fixations", self.earlier_line, self.on_code),
            ("line regression", "pairs", self.backward, self.pairs),
            ("line regression", "same line", self.backward, self.same_line),
            ("line regression", "forward", self.backward, onward),
            ("line regression", "fixations", self.backward, self.on_code),
        )
        return [
            {"measure": name, "of": of, "count": n, "total": total, "share": _share(n, total)}
            for name, of, n, total in counted
        ]

    def to_frame(self) -> "pd.DataFrame":
        """`variants` as a table."""
        import pandas as pd

        return pd.DataFrame(self.variants())


def linearity(
    line: npt.ArrayLike,
    *,
    place: npt.ArrayLike | None = None,
    xy_px: npt.ArrayLike | None = None,
    element: npt.ArrayLike | None = None,
    code_lines: Sequence[int] | None = None,
    n_elements: int | None = None,
    collapse: bool = False,
    bridge: bool = False,
    screen: Screen | None = None,
    px_per_deg: float = DEFAULT_PX_PER_DEG,
) -> Linearity:
    """Count the moves of one scan path.

    Parameters
    ----------
    line
        ``(n,)`` line of each fixation in the order of time; below 0 where it was on none.
    place
        ``(n,)`` where on its line, in any unit that grows to the right: column, or x in px. Left
        out: x of `xy_px`, if given.
    xy_px
        ``(n, 2)`` position, for the length of saccades; NaN if unknown.
    element
        ``(n,)`` element fixated (token, word, area), 0-based; below 0 for none. For `collapse`
        and element coverage.
    code_lines
        Numbers of the lines that hold code. Left out: all numbers are lines (no blank lines to
        pass over, and coverage is unknown).
    n_elements
        How many elements there are.
    collapse, bridge
        See the head of this module.
    screen, px_per_deg
        For saccade length in degrees: exact with the screen's geometry, else px over `px_per_deg`.

    Raises
    ------
    DataError
        Columns of different length, a fixation on a line that `code_lines` does not hold or on an
        element beyond `n_elements`, or `collapse` without `element`.

    Examples
    --------
    Lines 1, 2 and 4 hold code: from 2 to 4 is one line on.

    >>> said = linearity([1, 1, 1, 2, 4, -1, 1], place=[0, 9, 4, 0, 8, 0, 0], code_lines=[1, 2, 4])
    >>> said.pairs, said.same_line, said.next_line, said.forward, said.backward, said.broken
    (4, 2, 2, 1, 1, 2)
    >>> said.vertical_next, said.horizontal_later, said.regression_rate, said.line_coverage
    (1.0, 0.25, 0.25, 1.0)
    """
    lines = _numbers(line, "line")
    n = len(lines)
    xy = _column(xy_px, (n, 2), "xy_px")
    if not (np.isfinite(px_per_deg) and px_per_deg > 0):
        raise ParameterError(f"px_per_deg is {px_per_deg}; expected a number above 0")
    x = xy[:, 0] if place is None else _column(place, (n,), "place")
    item = np.full(n, -1) if element is None else _numbers(element, "element")
    if len(item) != n:
        raise DataError(f"element has {len(item)} rows for {n} fixations; expected one each")
    rank = _ranks(lines, code_lines)
    kept, joined = _collapsed(rank, item, collapse=collapse, known=element is not None)
    rank, x, xy, item = rank[kept], x[kept], xy[kept], item[kept]
    a, b, broken, bridged = _pairs(rank >= 0, bridge=bridge)
    step, shift = rank[b] - rank[a], x[b] - x[a]
    px, deg = _lengths(xy[a], xy[b], screen, px_per_deg=px_per_deg)
    known = ~np.isnan(px)
    return Linearity(
        fixations=n,
        on_code=int((rank >= 0).sum()),
        collapsed=joined,
        pairs=len(a),
        broken=broken,
        bridged=bridged,
        same_line=int((step == 0).sum()),
        next_line=int((step == 1).sum()),
        later_line=int((step > 0).sum()),
        earlier_line=int((step < 0).sum()),
        forward=int(((step == 0) & (shift > 0)).sum()),
        backward=int(((step == 0) & (shift < 0)).sum()),
        saccades=int(known.sum()),
        length_px=float(px[known].sum()),
        length_deg=float(deg[known].sum()),
        lines=0 if code_lines is None else len(set(code_lines)),
        lines_fixated=0 if code_lines is None else len(np.unique(rank[rank >= 0])),
        elements=n_elements or 0,
        elements_fixated=_covered(item, n_elements),
    )


def pool_linearity(parts: Iterable[Linearity]) -> Linearity:
    """Add up the counts of several scan paths: shares are then of all their pairs.

    >>> one = linearity([0, 1, 0])
    >>> both = pool_linearity([one, linearity([0, 1, 2, 3])])
    >>> one.vertical_next, both.vertical_next, both.pairs
    (0.5, 0.8, 5)
    """
    held = list(parts)
    return Linearity(
        **{f.name: sum(getattr(part, f.name) for part in held) for f in fields(Linearity)}
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _column(given: npt.ArrayLike | None, shape: tuple[int, ...], name: str) -> FloatArray:
    if given is None:
        return np.full(shape, np.nan)
    values = np.asarray(given, dtype=np.float64)
    if values.shape != shape:
        raise DataError(f"{name} has shape {values.shape}; expected {shape}, one row per fixation")
    return values


def _numbers(given: npt.ArrayLike, name: str) -> IntArray:
    """Whole numbers; a column with gaps is told what stands for none."""
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (values != np.floor(values)).any():
        raise DataError(f"{name} holds what is no whole number; expected -1 where there is none")
    return values.astype(np.int64)


def _ranks(line: IntArray, code_lines: Sequence[int] | None) -> IntArray:
    """Number of each fixation's line among those that hold code; -1 for none."""
    if code_lines is None:
        return np.where(line >= 0, line, -1)
    known = np.unique(np.asarray(code_lines, dtype=np.int64))
    at = np.searchsorted(known, line)
    found = (
        (at < len(known)) & (known[np.minimum(at, len(known) - 1)] == line)
        if len(known)
        else (np.zeros(len(line), dtype=bool))
    )
    foreign = np.flatnonzero((line >= 0) & ~found)
    if foreign.size:
        raise DataError(
            f"fixation {foreign[0]} is on line {line[foreign[0]]}, which holds no code; "
            "expected one of code_lines, or -1"
        )
    return np.where(line >= 0, at, -1)


def _collapsed(
    rank: IntArray, item: IntArray, *, collapse: bool, known: bool
) -> tuple[BoolArray, int]:
    """Which fixations are left when successive ones of an element are one, and how many less."""
    kept = np.ones(len(rank), dtype=bool)
    if not collapse:
        return kept, 0
    if not known:
        raise DataError("collapse joins fixations of one element; pass element")
    kept[1:] = (np.diff(item) != 0) | (item[1:] < 0) | (np.diff(rank) != 0)
    return kept, int((~kept).sum())


def _pairs(on_code: BoolArray, *, bridge: bool) -> tuple[IntArray, IntArray, int, int]:
    """Both ends of every pair, and how many successive fixations are none or pass over some."""
    at = np.flatnonzero(on_code)
    passed = np.diff(at) > 1
    broken = max(len(on_code) - 1, 0) - int((~passed).sum())
    linked = np.ones(len(passed), dtype=bool) if bridge else ~passed
    return at[:-1][linked], at[1:][linked], broken, int(passed.sum()) if bridge else 0


def _lengths(
    a: FloatArray, b: FloatArray, screen: Screen | None, *, px_per_deg: float
) -> tuple[FloatArray, FloatArray]:
    step = b - a
    px = np.hypot(step[:, 0], step[:, 1])
    if screen is None or not screen.has_geometry:
        return px, px / px_per_deg
    return px, angle_deg(px_to_deg(a, screen), px_to_deg(b, screen))


def _covered(item: IntArray, n_elements: int | None) -> int:
    if n_elements is None:
        return 0
    if len(item) and item.max() >= n_elements:
        raise DataError(f"a fixation is on element {item.max()}; there are {n_elements}")
    return len(np.unique(item[item >= 0]))
