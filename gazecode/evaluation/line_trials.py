"""Trials whose fixations somebody put on lines: what the line tables score."""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Events, Layout
from gazecode.model.checks import BoolArray, IntArray, column

__all__ = ["LineTrial"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineTrial:
    """One reading of one text with the line of every fixation as a person set it.

    Attributes
    ----------
    name, set
        Of the trial, and of the data it belongs to: one row of a table pools a set.
    fixations
        As recorded (or as a simulated tracker saw them), fixations only, in the order of time.
    layout
        Where the text stood; its line numbers are those of `gold_line`.
    gold_line
        ``(n,)`` number of the line; -1 where the person said none.
    kept
        ``(n,)`` which fixations are scored; the others are counted as left out.
    group
        Who read: the unit of splits and of the bootstrap. "" is the trial itself.

    Examples
    --------
    >>> trial = LineTrial(
    ...     name="one",
    ...     set="made",
    ...     fixations=Events(kind=["fixation"], onset_ms=[0], offset_ms=[200], xy_px=[[5, 12]]),
    ...     layout=Layout(
    ...         boxes=[[0, 0, 90, 20]], token=[0], line=[0], n_tokens=1, line_height_px=30
    ...     ),
    ...     gold_line=[0],
    ...     kept=[True],
    ... )
    >>> len(trial), trial.n_left_out
    (1, 0)
    """

    name: str
    set: str
    fixations: Events
    layout: Layout
    gold_line: IntArray
    kept: BoolArray
    group: str = ""

    def __post_init__(self) -> None:
        gold = column(self, "gold_line", np.int64)
        kept = column(self, "kept", bool)
        if not len(gold) == len(kept) == len(self.fixations):
            raise DataError(
                f"{self.name} has {len(self.fixations)} fixations, {len(gold)} lines and "
                f"{len(kept)} marks; expected one line and one mark for every fixation"
            )

    def __len__(self) -> int:
        return len(self.gold_line)

    @property
    def n_left_out(self) -> int:
        """How many fixations are not scored."""
        return int((~self.kept).sum())
