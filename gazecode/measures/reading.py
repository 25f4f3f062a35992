"""Reading measures per token and per line: when it was read first, for how long, how often again.

The measures of reading research (K. Rayner 1998, doi:10.1037/0033-2909.124.3.372; K. Rayner 2009,
doi:10.1080/17470210902816461). They lean on an order: what comes *later*. In prose that is the
text; code is read with jumps, so that the order is a parameter, and the result says which it was.

Decided here, since the literature varies:

* A fixation counts for one token, the one with its largest share
  (`gazecode.model.fixated.largest_shares`). Only `dwell_ms` spreads it over all by their shares.
* A token over several lines belongs to the line it begins on.
* A first pass is the first visit, if nothing later in the order was fixated before it. On code few
  units have one (4 of the 147 tokens of one program that a reader saw: the eyes had been further
  down). ``first_run="visit"`` takes every first visit; `first_run` in the result says which.
* A fixation on no token ends a visit; with ``bridge=True`` it is passed over. It counts for no
  duration either way.
* In an order that names a line several times (execution) the first time counts. Units whose line
  the order does not name are neither earlier nor later than anything: they have counts and times,
  and no first pass, no skip and no regressions.
* What is undefined is NaN; `ReadingMeasures.defined` counts what is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.measures.landing import landing_positions
from gazecode.measures.passes import Passes, find_passes
from gazecode.model import Events, Hits, Layout, SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, IntArray, column, same_length
from gazecode.model.fixated import largest_shares

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReadingMeasures", "reading_measures"]

_UNITS, _PASSES = ("token", "line"), ("order", "visit")
_COUNTS = ("fixations", "visits", "revisits", "regressions_in", "regressions_out")
_FLOATS = (
    *("total_ms", "dwell_ms", "first_fixation_ms", "single_fixation_ms", "gaze_ms", "go_past_ms"),
    *("rereading_ms", "skipped", "first_pass_regression", "landing_chars", "landing_share"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadingMeasures:
    """One row per unit: the tokens of a source, or its lines that hold tokens.

    Attributes
    ----------
    unit, order, first_run
        "token" or "line"; "text", or "given" for an order of lines that was passed; "order" or
        "visit", see the head of this module.
    number
        ``(u,)`` number of the token, or 0-based row of the line.
    exposed, ranked
        ``(u,)`` whether it was on the screen at all, and whether the order names it.
    fixations, total_ms
        ``(u,)`` fixations that count for it, and their summed duration.
    dwell_ms
        ``(u,)`` duration times share, over all fixations that have a share on it.
    visits, revisits
        ``(u,)`` entries, and those after the first.
    first_fixation_ms, single_fixation_ms, gaze_ms
        ``(u,)`` of the first pass: its first fixation; that, if it is its only one; all its
        fixations. NaN without a first pass.
    go_past_ms
        ``(u,)`` fixations on tokens from the start of the first pass until something later is
        fixated, regressions included, or until the end (`go_past_open`). NaN without a first pass.
    go_past_open
        ``(u,)`` whether nothing later was fixated afterwards.
    rereading_ms
        ``(u,)`` `total_ms` less `gaze_ms`; all of it without a first pass.
    skipped
        ``(u,)`` 1.0 where it was not fixated in a first pass (never, if that is any first visit),
        else 0.0; NaN where the order does not name it or it was never shown.
    passed
        ``(u,)`` whether something later was fixated: what lies behind the furthest point read was
        never reached, and is skipped only by the letter.
    regressions_in, regressions_out
        ``(u,)`` steps to it from a later unit, and from it to an earlier one.
    first_pass_regression
        ``(u,)`` 1.0 where the first pass ended with a step to an earlier unit, 0.0 where with a
        step to a later one; NaN without a first pass or where the step after it is not counted.
    landing_chars, landing_share
        ``(u,)`` where the first fixation of the first pass landed, from the unit's left edge, in
        characters and as a share of its width (< 0 or > 1 beside it); NaN without a first pass or
        where no fixations and layout were given.
    fixations_all, fixations_on_token, steps, steps_broken
        Of the reading: all fixations, those on a token, successive ones that are both on ranked
        units, and the other successive ones.
    """

    unit: str
    order: str
    first_run: str
    number: IntArray
    exposed: BoolArray
    ranked: BoolArray
    fixations: IntArray
    total_ms: FloatArray
    dwell_ms: FloatArray
    visits: IntArray
    revisits: IntArray
    first_fixation_ms: FloatArray
    single_fixation_ms: FloatArray
    gaze_ms: FloatArray
    go_past_ms: FloatArray
    go_past_open: BoolArray
    rereading_ms: FloatArray
    skipped: FloatArray
    passed: BoolArray
    regressions_in: IntArray
    regressions_out: IntArray
    first_pass_regression: FloatArray
    landing_chars: FloatArray
    landing_share: FloatArray
    fixations_all: int
    fixations_on_token: int
    steps: int
    steps_broken: int

    def __post_init__(self) -> None:
        for name in ("number", *_COUNTS):
            column(self, name, np.int64)
        for name in ("exposed", "ranked", "go_past_open", "passed"):
            column(self, name, np.bool_)
        for name in _FLOATS:
            column(self, name, np.float64)
        same_length(self, *_columns())

    def __len__(self) -> int:
        return len(self.number)

    @property
    def defined(self) -> dict[str, int]:
        """How many units each measure that may be undefined is known for."""
        return {name: int((~np.isnan(getattr(self, name))).sum()) for name in _FLOATS}

    def account(self) -> dict[str, int | float | None]:
        """What the measures are over, and the rates whose denominators differ in the literature.

        Counts of fixations and steps; units, of these exposed, ranked, fixated, with a first pass
        and passed. ``skip_rate`` is over ranked units that were exposed, ``skip_rate_passed`` over
        those of them that were passed; ``regression_rate`` is over all steps,
        ``regressions_per_forward`` over steps to a later unit. None where there is nothing to
        divide by.
        """
        known = ~np.isnan(self.skipped)
        skipped, passed = self.skipped == 1, known & self.passed
        back, steps = int(self.regressions_out.sum()), self.steps
        onward = steps - back - int((self.fixations - self.visits)[self.ranked].sum())
        return {
            "fixations": self.fixations_all,
            "fixations_on_token": self.fixations_on_token,
            "steps": steps,
            "steps_broken": self.steps_broken,
            "units": len(self),
            "units_exposed": int(self.exposed.sum()),
            "units_ranked": int(self.ranked.sum()),
            "units_fixated": int((self.fixations > 0).sum()),
            "units_with_first_pass": int((~np.isnan(self.gaze_ms)).sum()),
            "units_passed": int(passed.sum()),
            "skipped": int(skipped.sum()),
            "skip_rate": _share(int(skipped.sum()), int(known.sum())),
            "skip_rate_passed": _share(int((skipped & passed).sum()), int(passed.sum())),
            "regressions": back,
            "regression_rate": _share(back, steps),
            "regressions_per_forward": _share(back, onward),
        }

    def to_frame(self) -> "pd.DataFrame":
        """One row per unit, one column per measure; `unit`, `order`, `first_run` in every row."""
        import pandas as pd

        names = ["unit", "order", "first_run", *_columns()]
        return pd.DataFrame({name: getattr(self, name) for name in names})


def reading_measures(
    hits: Hits,
    tokens: SourceTokens,
    *,
    unit: str = "token",
    order: Sequence[int] | None = None,
    first_run: str = "order",
    bridge: bool = False,
    fixations: Events | None = None,
    layout: Layout | None = None,
) -> ReadingMeasures:
    r"""Measure how each token or line of one source was read, once.

    Parameters
    ----------
    hits
        Fixations of one reading on the tokens, hard or soft; their order is that of their onsets.
    tokens
        The source.
    unit
        "token" or "line" (rows of the source that hold a token).
    order
        0-based rows in the order a reader would follow, for instance that of execution; within a
        line tokens are in text order. Left out: text order.
    first_run
        "order": a first visit counts only if nothing later was fixated before; "visit": always.
    bridge
        Whether to pass over fixations on no token; if not, they end a visit.
    fixations, layout
        The fixations that `hits` was made of and where tokens stood, for landing positions.

    Raises
    ------
    ParameterError
        Another unit or first pass.
    DataError
        Hits on another source, fixations that are not those of the hits, one of `fixations` and
        `layout` without the other, or an order without any line.

    Examples
    --------
    Two lines; the eyes land on ``c``, go back to ``b`` and on again.

    >>> tokens = SourceTokens(
    ...     language="java",
    ...     source_id="A",
    ...     code=b"a b\nc",
    ...     span=[[0, 1], [2, 3], [4, 5]],
    ...     row=[0, 0, 1],
    ...     column=[0, 2, 0],
    ...     kind=["identifier"] * 3,
    ...     path=((),) * 3,
    ...     label=[""] * 3,
    ... )
    >>> hits = Hits(
    ...     fixation=[0, 1, 2, 3, 4],
    ...     token=[0, 0, 2, 1, 2],
    ...     share=[1, 1, 1, 1, 1],
    ...     onset_ms=[0, 250, 500, 750, 1000],
    ...     duration_ms=[200, 100, 150, 180, 210],
    ...     status=["token"] * 5,
    ...     exposure_ms=[1300] * 3,
    ... )
    >>> said = reading_measures(hits, tokens)
    >>> said.gaze_ms, said.go_past_ms, said.skipped
    (array([300.,  nan, 150.]), array([300.,  nan, 540.]), array([0., 1., 0.]))
    >>> lines = reading_measures(hits, tokens, unit="line")
    >>> lines.first_fixation_ms, lines.rereading_ms, lines.regressions_in
    (array([200., 150.]), array([180., 210.]), array([1, 0]))
    """
    for kind, name, names in (("units", unit, _UNITS), ("first runs", first_run, _PASSES)):
        if name not in names:
            raise ParameterError.unknown(kind, name, names)
    _check(hits, tokens, fixations, layout)
    number, unit_of = _units(tokens, unit)
    rank = _ranks(tokens.row if unit == "token" else number, order)
    rows = largest_shares(hits.fixation, hits.token, hits.share)
    rows = rows[hits.status[hits.fixation[rows]] == "token"]
    on = np.full(hits.n_fixations, -1)
    on[hits.fixation[rows]] = unit_of[hits.token[rows]]
    time_order = np.argsort(hits.onset_ms, kind="stable")
    passes = find_passes(
        on[time_order],
        hits.duration_ms[time_order],
        rank,
        bridge=bridge,
        strict=first_run == "order",
    )
    exposed = np.zeros(len(number), dtype=bool)
    exposed[unit_of[hits.exposed]] = True
    landing = np.full((2, len(number)), np.nan)
    if fixations is not None and layout is not None:
        first = np.append(time_order, -1)[np.where(passes.has, passes.first, -1)]
        landing = landing_positions(first, fixations, layout, tokens, unit_of)
    dwell = np.bincount(
        unit_of[hits.token],
        weights=hits.share * hits.duration_ms[hits.fixation],
        minlength=len(number),
    )
    return _assembled(
        passes,
        unit=unit,
        order="text" if order is None else "given",
        first_run=first_run,
        number=number,
        exposed=exposed,
        ranked=rank >= 0,
        dwell_ms=dwell,
        landing_chars=landing[0],
        landing_share=landing[1],
    )


def _assembled(
    passes: Passes, *, exposed: BoolArray, ranked: BoolArray, **columns: object
) -> ReadingMeasures:
    known = exposed & ranked
    return ReadingMeasures(
        exposed=exposed,
        ranked=ranked,
        fixations=passes.count,
        total_ms=passes.total_ms,
        visits=passes.visits,
        revisits=np.maximum(passes.visits - 1, 0),
        first_fixation_ms=passes.first_ms,
        single_fixation_ms=np.where(passes.length == 1, passes.first_ms, np.nan),
        gaze_ms=passes.gaze_ms,
        go_past_ms=passes.go_past_ms,
        go_past_open=passes.open,
        rereading_ms=np.where(passes.has, passes.total_ms - passes.gaze_ms, passes.total_ms),
        skipped=np.where(known, ~passes.has, np.nan),
        passed=passes.passed,
        regressions_in=passes.regressions_in,
        regressions_out=passes.regressions_out,
        first_pass_regression=passes.left_back,
        fixations_all=passes.n_fixations,
        fixations_on_token=int(passes.count.sum()),
        steps=passes.steps,
        steps_broken=max(passes.n_fixations - 1, 0) - passes.adjacent_steps,
        **columns,  # type: ignore[arg-type]  # checked by the type itself
    )


def _columns() -> list[str]:
    counts = ("fixations_all", "fixations_on_token", "steps", "steps_broken")
    whole = ("unit", "order", "first_run", *counts)
    return [f.name for f in fields(ReadingMeasures) if f.name not in whole]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _units(tokens: SourceTokens, unit: str) -> tuple[IntArray, IntArray]:
    """Numbers of the units, and the unit of every token."""
    if unit == "token":
        every = np.arange(len(tokens))
        return every, every
    rows, unit_of = np.unique(tokens.row, return_inverse=True)
    return rows, unit_of


def _ranks(row: IntArray, order: Sequence[int] | None) -> IntArray:
    """Place of every unit in the order, none twice; -1 where the order does not name its line."""
    if order is None:
        return np.arange(len(row))
    named = np.asarray(order, dtype=np.int64)
    if not len(named):
        raise DataError("the order holds no line; expected 0-based rows, or None for text order")
    lines, first = np.unique(named, return_index=True)
    at = np.minimum(np.searchsorted(lines, row), len(lines) - 1)
    place = np.where(lines[at] == row, first[at], -1)
    # Units of a line keep their order in the text: one rank each.
    return np.where(place >= 0, place * len(row) + np.arange(len(row)), -1)


def _check(
    hits: Hits,
    tokens: SourceTokens,
    fixations: Events | None,
    layout: Layout | None,
) -> None:
    if hits.n_tokens != len(tokens):
        raise DataError(
            f"the hits are on {hits.n_tokens} tokens, the source has {len(tokens)}; "
            "pass the source they were mapped to"
        )
    if (fixations is None) != (layout is None):
        raise DataError("landing positions need both fixations and layout; pass both or neither")
    if fixations is not None and len(fixations) != hits.n_fixations:
        raise DataError(
            f"{len(fixations)} fixations and hits of {hits.n_fixations}; "
            "pass the fixations that were mapped"
        )
    if layout is not None and layout.n_tokens != len(tokens):
        raise DataError(
            f"the layout is of {layout.n_tokens} tokens, the source has {len(tokens)}; "
            "pass the layout of this source"
        )
