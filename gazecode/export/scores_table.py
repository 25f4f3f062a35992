"""What a table of scores holds: its columns, and one of its rows as an object."""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazecode.model.checks import IntArray
from gazecode.model.scores import ModelScores

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SCORES_VERSION", "TEXTS", "ScoredText", "scores_schema", "span_problem"]

SCORES_VERSION = 1
"""Counted up when columns come, go, or change their name, type or meaning."""

TEXTS = ("source_id", "source_sha256", "language", "model", "method", "text")

_INT32 = 2**31 - 1


class ScoredText(NamedTuple):
    """What one method says about one text.

    Attributes
    ----------
    source_id
        Name of the text.
    text
        The text itself; spans of the scores are bytes of its UTF-8.
    scores
        One value per token.
    language
        Of the text, where it is known.
    """

    source_id: str
    text: str
    scores: ModelScores
    language: str = ""


@cache
def scores_schema() -> "pa.Schema":
    """Return the columns of a table of scores; only `expected` may be missing."""
    import pyarrow as pa

    def many(element: "pa.DataType") -> "pa.DataType":
        return pa.list_(pa.field("element", element))

    kinds: dict[str, Any] = {
        **dict.fromkeys(TEXTS, pa.string()),
        "token_start": many(pa.int32()),
        "token_end": many(pa.int32()),
        "value": many(pa.float64()),
        "expected": many(pa.float64()),
        "merge": pa.string(),
        "removed_share": pa.float64(),
        "parameters": pa.string(),
    }
    return pa.schema([pa.field(n, k, nullable=n == "expected") for n, k in kinds.items()])


def span_problem(span: IntArray, n_bytes: int) -> str:
    """What is wrong with the spans of a text of so many bytes; empty if nothing."""
    flat = span.ravel()
    if not flat.size:
        return ""
    if flat.min() < 0 or flat.max() > min(n_bytes, _INT32):
        reach = f"{flat.min()} to {flat.max()}"
        return f"tokens reach from byte {reach}; expected bytes of the text, 0 to {n_bytes}"
    if np.any(span[:, 1] < span[:, 0]) or np.any(np.diff(flat) < 0):
        return "tokens overlap or run backward; expected sorted, disjoint spans"
    return ""
