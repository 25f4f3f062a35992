"""What a model, or a program, says about every token of a text: scores beside people's gaze."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import FloatArray, IntArray, column, same_length

__all__ = ["MERGES", "ModelScores"]

MERGES = ("sum", "mean", "max")
"""How the scores of a token's subwords become the token's: attention is a mass and is summed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelScores:
    """One method's scores of the tokens of one text.

    Attributes
    ----------
    model, method
        Whose scores, and which method gave them.
    span
        ``(m, 2)`` bytes of the source, one row per token, as in `SourceTokens`.
    value
        ``(m,)`` score per token; NaN where the model never saw the token (cut off, dropped).
    expected
        ``(m,)`` what the same method would give a model that attends uniformly to what it may see;
        None where the question makes no sense (gradients). A causal model sends most of its
        attention to early tokens whatever it computes (validity 14): divide by this.
    matrix
        ``(m, m)`` attention from token (row) to token, rows that sum to 1 or are all 0; optional.
    removed_share
        Share of the mass that lay on special tokens and sinks and was taken out.
    merge
        How subwords became tokens, one of `MERGES`.
    parameters
        Everything else that decides the numbers: layers, heads, rows, windows, seeds.
    """

    model: str
    method: str
    span: IntArray
    value: FloatArray
    expected: FloatArray | None = None
    matrix: FloatArray | None = None
    removed_share: float = 0.0
    merge: str = "sum"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        column(self, "span", np.int64, width=2)
        value = column(self, "value", np.float64)
        same_length(self, "span", "value")
        if np.isinf(value).any():
            bad = int(np.flatnonzero(np.isinf(value))[0])
            raise DataError(f"token {bad} has score {value[bad]}; expected a number, or NaN")
        if self.expected is not None:
            column(self, "expected", np.float64)
            same_length(self, "span", "expected")
        if self.matrix is not None:
            column(self, "matrix", np.float64, width=len(value))
            same_length(self, "span", "matrix")
        if self.merge not in MERGES:
            raise DataError(f"merge is {self.merge!r}; expected one of {', '.join(MERGES)}")

    def __len__(self) -> int:
        return len(self.value)

    @property
    def corrected(self) -> FloatArray:
        """``(m,)`` scores over what uniform attention would give; the scores where that is None.

        NaN where uniform attention gives nothing.

        >>> seen = ModelScores(
        ...     model="m",
        ...     method="a",
        ...     span=[[0, 1], [1, 2]],
        ...     value=[3.0, 1.0],
        ...     expected=[1.5, 0.5],
        ... )
        >>> seen.corrected
        array([2., 2.])
        """
        if self.expected is None:
            return self.value
        blank = np.full(len(self), np.nan)
        np.divide(self.value, self.expected, out=blank, where=self.expected > 0)
        return blank
