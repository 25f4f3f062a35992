"""A pseudo scan path: which tokens a reader would have looked at, in which short runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, IntArray, column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScanPath"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScanPath:
    """The tokens on a simulated path, cut into windows of one to three tokens.

    Attributes
    ----------
    ngram
        ``(m,)`` number of the window that covers each token, counted from 0 within its source in
        the order the windows were found; -1 off the path.
    unknown_labels
        Tokens whose label the priors do not know, by label, with counts: they have no quota.
    prior_sources
        Sources whose gaze went into the priors.
    n_people
        How many people stand behind the priors; 0 where nobody says.
    """

    ngram: IntArray
    unknown_labels: dict[str, int]
    prior_sources: tuple[str, ...] = ()
    n_people: int = 0

    def __post_init__(self) -> None:
        ngram = column(self, "ngram", np.int64)
        if len(ngram) and ngram.min() < -1:
            raise DataError(f"a token lies in window {ngram.min()}; expected -1 or more")

    def __len__(self) -> int:
        return int(self.on_path.sum())

    @property
    def on_path(self) -> BoolArray:
        """``(m,)`` tokens on the path."""
        on_path: BoolArray = self.ngram >= 0
        return on_path

    @property
    def token(self) -> IntArray:
        """``(k,)`` tokens on the path, in text order."""
        return np.flatnonzero(self.ngram >= 0)

    def to_frame(self) -> "pd.DataFrame":
        """One row per token on the path, in text order: token, ngram (number of its window)."""
        import pandas as pd

        return pd.DataFrame({"token": self.token, "ngram": self.ngram[self.token]})
