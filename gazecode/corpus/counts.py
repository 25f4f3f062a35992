"""What a job counts, block by block; sums do not depend on who did the work."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Counts", "reach_bin"]


def reach_bin(reach: float) -> str:
    """The tenth a share lies in; 0 and 1 are tenths of their own.

    >>> [reach_bin(share) for share in (0.0, 0.04, 0.55, 1.0)]
    ['0', '0.0–0.1', '0.5–0.6', '1']
    """
    if reach in (0.0, 1.0):
        return str(int(reach))
    tenth = int(reach * 10)
    return f"{tenth / 10:.1f}–{(tenth + 1) / 10:.1f}"


@dataclass(slots=True, kw_only=True)
class Counts:
    """Sums over blocks.

    Attributes
    ----------
    numbers
        Sources, tokens, subwords, bytes and the like.
    languages
        Weighed sources by language.
    unknown_labels
        Tokens whose label the priors do not know, by label.
    failures
        Sources that could not be weighed, by stage.
    reach_sum, reach_min, reach_n
        Of the share of an example's weight that reaches the loss; examples
        without any signal have none and are not among them.
    reach_bins
        How many examples reach how much, by tenths (`reach_bin`).
    """

    numbers: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    reach_bins: Counter[str] = field(default_factory=Counter)
    reach_sum: float = 0.0
    reach_min: float = math.inf
    reach_n: int = 0

    def add(self, other: "Counts") -> None:
        """Add another block's counts; in the order of the blocks, since floats are summed."""
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.reach_sum += other.reach_sum
        self.reach_min = min(self.reach_min, other.reach_min)
        self.reach_n += other.reach_n

    def to_dict(self) -> dict[str, Any]:
        """As JSON: what `from_dict` reads back."""
        return {
            **{name: dict(sorted(getattr(self, name).items())) for name in _COUNTERS},
            "reach": [self.reach_sum, self.reach_min if self.reach_n else None, self.reach_n],
        }

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> "Counts":
        """Read back what `to_dict` gave."""
        total, least, n = said["reach"]
        return cls(
            **{name: Counter(said[name]) for name in _COUNTERS},
            reach_sum=total,
            reach_min=math.inf if least is None else least,
            reach_n=n,
        )

    @property
    def weight_reach(self) -> dict[str, Any]:
        """Mean and least reach, of how many examples, and how they are distributed."""
        if not self.reach_n:
            return {"mean": None, "min": None, "examples": 0, "by_tenths": {}}
        return {
            "mean": round(self.reach_sum / self.reach_n, 6),
            "min": round(self.reach_min, 6),
            "examples": self.reach_n,
            "by_tenths": dict(sorted(self.reach_bins.items())),
        }


_COUNTERS = ("numbers", "languages", "unknown_labels", "failures", "reach_bins")
