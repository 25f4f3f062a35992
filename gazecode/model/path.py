"""A pseudo scan path: which tokens a reader would have looked at, in which short runs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, IntArray, column, same_length
from gazecode.model.labels import CodeArray

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
        the order the windows were found; -1 for none.
    unknown_labels
        Tokens whose label the priors do not know, by label, with counts: they have no quota.
    prior_sources
        Sources whose gaze went into the priors.
    n_people
        How many people stand behind the priors; 0 where nobody says.
    on_path
        ``(m,)`` tokens on the path; left out: those that a window covers. Every token on the path
        lies in a window; only the released consecutive form has windows over other tokens, too.
    window
        ``(m, 3)`` label codes of the window that covers each token, filled up with 0. Left out:
        the labels of the tokens that share a number, which is what a window is but for the
        released consecutive form.
    """

    ngram: IntArray
    unknown_labels: dict[str, int]
    prior_sources: tuple[str, ...] = ()
    n_people: int = 0
    on_path: BoolArray = field(default_factory=lambda: np.empty(0, dtype=bool))
    window: CodeArray | None = None

    def __post_init__(self) -> None:
        ngram = column(self, "ngram", np.int64)
        if len(ngram) and ngram.min() < -1:
            raise DataError(f"a token lies in window {ngram.min()}; expected -1 or more")
        if not len(self.on_path):
            object.__setattr__(self, "on_path", ngram >= 0)
        on_path = column(self, "on_path", np.bool_)
        if self.window is not None:
            column(self, "window", np.int8, width=3)
        same_length(self, "ngram", "on_path", "window")
        bare = np.flatnonzero(on_path & (ngram < 0))
        if bare.size:
            raise DataError(f"token {bare[0]} is on the path and in no window; expected one")

    def __len__(self) -> int:
        return len(self.token)

    @property
    def token(self) -> IntArray:
        """``(k,)`` tokens on the path, in text order."""
        return np.flatnonzero(self.on_path)

    def to_frame(self) -> "pd.DataFrame":
        """One row per token on the path, in text order: token, ngram (number of its window)."""
        import pandas as pd

        return pd.DataFrame({"token": self.token, "ngram": self.ngram[self.token]})
