"""Many examples at once: laid end to end, their columns are the columns of a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    column,
    no_floats,
    no_numbers,
    same_length,
)
from gazecode.model.labels import LABELS, CodeArray, label_names
from gazecode.model.weights import Example

__all__ = ["ExampleBatch"]

_NAMES = ("example_id", "source_id", "participant", "trial", "language", "text", "source_sha256")
_GROUPS = ("participant_group", "source_group", "pair_id", "pair_side")
_PER_POSITION = ("input_ids", "loss_mask", "weight", "attention", "on_path", "token_index")
_PER_TOKEN = ("token_start", "token_end", "token_label", "token_value")
_PER_SEGMENT = ("segment_name", "segment_start", "segment_end")
_PER_TRANSITION = ("transition_from", "transition_to", "transition_share", "transition_count")
_PER_EXAMPLE = {"window": 0, "n_windows": 1, "attention_share": 1.0, "inert_weight": 0.0}
"""Numbers an example has one of, and what they are where nobody says."""
_ENDS = {
    "first_position": _PER_POSITION,
    "first_token": _PER_TOKEN,
    "first_segment": _PER_SEGMENT,
    "first_transition": _PER_TRANSITION,
}
"""Where each example begins among the rows of these columns."""
_TYPES: dict[str, type] = {
    **dict.fromkeys(("source", "window", "n_windows", *_ENDS), np.int64),
    **dict.fromkeys(("input_ids", "token_index", "token_start", "token_end"), np.int64),
    **dict.fromkeys(("segment_start", "segment_end", "transition_from"), np.int64),
    **dict.fromkeys(("loss_mask", "on_path"), np.bool_),
    **dict.fromkeys(("weight", "attention", "token_value", "attention_share"), np.float64),
    **dict.fromkeys(("inert_weight", "transition_share", "transition_count"), np.float64),
    "transition_to": np.int64,
    "token_label": np.int8,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExampleBatch:
    """``d`` examples with ``n`` subwords and ``m`` AST tokens, laid end to end.

    The columns mean what they mean in `Example`; what counts bytes or tokens counts them within
    its own example.

    Attributes
    ----------
    source
        ``(d,)`` number of the source in the batch of tokens that each example was made from.
    first_position, first_token
        ``(d + 1,)`` where each example begins among the subwords and among the tokens; the last is
        ``n``, and ``m``.
    token_label
        ``(m,)`` place of the label in `gazecode.model.LABELS`; 0 for none.
    prior_sources, n_people, route
        Of all examples: they were made with one set of priors, in one way.
    window, n_windows, attention_share, inert_weight
        ``(d,)``; left out: whole texts, nothing withheld.
    first_segment, first_transition
        ``(d + 1,)`` as `first_token`; left out: no example has any.
    settings
        The part of the report that is the same for all.
    said
        The part of the report that is not: ``(d,)`` each.
    """

    source: IntArray
    example_id: tuple[str, ...]
    source_id: tuple[str, ...]
    participant: tuple[str, ...]
    trial: tuple[str, ...]
    language: tuple[str, ...]
    text: tuple[str, ...]
    source_sha256: tuple[str, ...]
    first_position: IntArray
    first_token: IntArray
    input_ids: IntArray
    loss_mask: BoolArray
    weight: FloatArray
    attention: FloatArray
    on_path: BoolArray
    token_index: IntArray
    token_start: IntArray
    token_end: IntArray
    token_label: CodeArray
    token_value: FloatArray
    participant_group: tuple[str, ...] = ()
    source_group: tuple[str, ...] = ()
    pair_id: tuple[str, ...] = ()
    pair_side: tuple[str, ...] = ()
    prior_sources: tuple[str, ...] = ()
    n_people: int = 1
    route: str = ""
    window: IntArray = field(default_factory=no_numbers)
    n_windows: IntArray = field(default_factory=no_numbers)
    attention_share: FloatArray = field(default_factory=no_floats)
    inert_weight: FloatArray = field(default_factory=no_floats)
    first_segment: IntArray = field(default_factory=no_numbers)
    segment_name: tuple[str, ...] = ()
    segment_start: IntArray = field(default_factory=no_numbers)
    segment_end: IntArray = field(default_factory=no_numbers)
    first_transition: IntArray = field(default_factory=no_numbers)
    transition_from: IntArray = field(default_factory=no_numbers)
    transition_to: IntArray = field(default_factory=no_numbers)
    transition_share: FloatArray = field(default_factory=no_floats)
    transition_count: FloatArray = field(default_factory=no_floats)
    settings: dict[str, object] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, usual in (_PER_EXAMPLE | dict.fromkeys(_ENDS, 0)).items():
            # Nobody said: whole texts without segments and transitions.
            if not len(getattr(self, name)):
                n = len(self.source) + (name in _ENDS)
                object.__setattr__(self, name, np.full(n, usual, dtype=_TYPES[name]))
        for name, dtype in _TYPES.items():
            column(self, name, dtype)
        for name in _GROUPS:
            # Nobody said: a group of its own, of no pair, as in `Example`.
            if not getattr(self, name):
                object.__setattr__(self, name, ("",) * len(self.source))
        same_length(self, "source", *_NAMES, *_GROUPS, *_PER_EXAMPLE)
        same_length(self, *_ENDS)
        for first, columns in _ENDS.items():
            _check_ends(getattr(self, first), same_length(self, *columns), len(self.source))
        codes = self.token_label
        if len(codes) and not (codes.min() >= 0 and codes.max() < len(LABELS)):
            raise DataError(f"a label has a number outside 0 to {len(LABELS) - 1}")

    def __len__(self) -> int:
        return len(self.source)

    def example(self, number: int) -> Example:
        """One of the examples."""
        i = range(len(self))[number]
        alone = {name: getattr(self, name)[i] for name in (*_NAMES, *_GROUPS)}
        alone |= {name: getattr(self, name)[i].item() for name in _PER_EXAMPLE}
        lists: dict[str, Any] = {}
        for first, columns in _ENDS.items():
            own = slice(*getattr(self, first)[i : i + 2].tolist())
            lists |= {name: getattr(self, name)[own] for name in columns}
        return Example(
            **alone | lists | {"token_label": label_names(lists["token_label"])},
            prior_sources=self.prior_sources,
            n_people=self.n_people,
            route=self.route,
            report=self.settings | {name: value[i].item() for name, value in self.said.items()},
        )

    def __iter__(self) -> Iterator[Example]:
        return map(self.example, range(len(self)))


def _check_ends(first: IntArray, n: int, d: int) -> None:
    if len(first) != d + 1 or first[0] != 0 or first[-1] != n or np.any(np.diff(first) < 0):
        raise DataError(
            f"examples begin at {first[:3].tolist()} ... and end at {first[-1:].tolist()}; "
            f"expected {d + 1} numbers from 0 to {n}, never decreasing"
        )
