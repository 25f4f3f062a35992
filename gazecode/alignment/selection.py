"""Some examples of a batch, by their numbers."""

from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.alignment.subwords.offsets import first_of, ranges
from gazecode.model import ExampleBatch
from gazecode.model.checks import IntArray

__all__ = ["chosen", "rows_of"]

_TEXTS = (
    *("example_id", "source_id", "participant", "trial", "language", "text", "source_sha256"),
    *("participant_group", "source_group", "pair_id", "pair_side"),
)
_NUMBERS = ("source", "window", "n_windows", "attention_share", "inert_weight")
_LISTS = {
    "first_position": (
        *("input_ids", "loss_mask", "weight", "attention", "on_path", "token_index"),
    ),
    "first_token": ("token_start", "token_end", "token_label", "token_value"),
    "first_segment": ("segment_start", "segment_end"),
    "first_transition": (
        *("transition_from", "transition_to", "transition_share", "transition_count"),
    ),
}


def chosen(examples: ExampleBatch, numbers: IntArray) -> ExampleBatch:
    """The examples with these numbers, in this order."""
    of_each: dict[str, Any] = {name: getattr(examples, name)[numbers] for name in _NUMBERS}
    for name in _TEXTS:
        column = getattr(examples, name)
        of_each[name] = tuple(column[i] for i in numbers.tolist())
    for first, names in _LISTS.items():
        ends = getattr(examples, first)
        rows = rows_of(ends, numbers)
        of_each[first] = first_of(np.diff(ends)[numbers])
        of_each |= {name: getattr(examples, name)[rows] for name in names}
    segments = rows_of(np.asarray(examples.first_segment), numbers).tolist()
    return replace(
        examples,
        **of_each,
        segment_name=tuple(examples.segment_name[i] for i in segments),
        said={name: column[numbers] for name, column in examples.said.items()},
    )


def rows_of(first: IntArray, numbers: IntArray) -> IntArray:
    """Rows of some of consecutive groups.

    >>> rows_of(np.array([0, 2, 5]), np.array([1]))
    array([2, 3, 4])
    """
    return ranges(first[:-1][numbers], np.diff(first)[numbers])
