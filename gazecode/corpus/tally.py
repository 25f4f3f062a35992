"""What became of the lines of a file of published rows, counted while they are repaired."""

from dataclasses import dataclass

import numpy as np

from gazecode.model import TokenWeights
from gazecode.weighting.eyemulator import Lookups

__all__ = ["BrokenLine", "RepairReport", "Tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLine:
    """A line that could not be repaired; `line` counts from 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What became of the lines of a file.

    Attributes
    ----------
    rows
        Lines that are not blank; each is repaired or in `failures`.
    repaired
        Rows written.
    blank
        Blank lines; they are left out.
    failures
        What is wrong with each of the others.
    tokens, on_path
        Tokens of the repaired rows, and how many of them are on a path.
    unseen, repeated, without_prior
        Tokens on a path, as `gazecode.weighting.Lookups` counts them.
    mean, lowest, highest
        Weights on the paths; NaN if there are none.
    """

    rows: int
    repaired: int
    blank: int
    failures: tuple[BrokenLine, ...]
    tokens: int
    on_path: int
    unseen: int
    repeated: int
    without_prior: dict[str, int]
    mean: float
    lowest: float
    highest: float


class Tally:
    """Counts of a file while it is read."""

    def __init__(self) -> None:
        self.blank = self.repaired = self.tokens = self.on_path = 0
        self.unseen = self.repeated = 0
        self.total, self.lowest, self.highest = 0.0, np.inf, -np.inf
        self.without_prior: dict[str, int] = {}
        self.failures: list[BrokenLine] = []

    def add(self, weights: TokenWeights, lookups: Lookups) -> None:
        """Count one repaired row."""
        on_path = weights.value[weights.on_path]
        self.repaired += 1
        self.tokens += len(weights)
        self.on_path += len(on_path)
        self.unseen += lookups.unseen
        self.repeated += lookups.repeated
        for label, count in lookups.without_prior.items():
            self.without_prior[label] = self.without_prior.get(label, 0) + count
        self.total += float(on_path.sum())
        self.lowest = min(self.lowest, float(on_path.min(initial=np.inf)))
        self.highest = max(self.highest, float(on_path.max(initial=-np.inf)))

    def report(self) -> RepairReport:
        """What was counted."""
        any_weight = self.on_path > 0
        return RepairReport(
            rows=self.repaired + len(self.failures),
            repaired=self.repaired,
            blank=self.blank,
            failures=tuple(self.failures),
            tokens=self.tokens,
            on_path=self.on_path,
            unseen=self.unseen,
            repeated=self.repeated,
            without_prior=self.without_prior,
            mean=self.total / self.on_path if any_weight else np.nan,
            lowest=self.lowest if any_weight else np.nan,
            highest=self.highest if any_weight else np.nan,
        )
