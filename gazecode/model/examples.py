"""Many examples at once: laid end to end, their columns are the columns of a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import BoolArray, FloatArray, IntArray, column, same_length
from gazecode.model.labels import LABELS, CodeArray, label_names
from gazecode.model.weights import Example

__all__ = ["ExampleBatch"]

_NAMES = ("example_id", "source_id", "participant", "trial", "language", "text", "source_sha256")
_GROUPS = ("participant_group", "source_group")
_PER_POSITION = ("input_ids", "loss_mask", "weight", "attention", "on_path", "token_index")
_PER_TOKEN = ("token_start", "token_end", "token_label", "token_value")


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
    prior_sources, n_people
        Of all examples: they were made with one set of priors.
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
    prior_sources: tuple[str, ...] = ()
    n_people: int = 1
    settings: dict[str, object] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("source", "first_position", "first_token", "input_ids", "token_index"):
            column(self, name, np.int64)
        for name in ("token_start", "token_end"):
            column(self, name, np.int64)
        for name in ("loss_mask", "on_path"):
            column(self, name, np.bool_)
        for name in ("weight", "attention", "token_value"):
            column(self, name, np.float64)
        column(self, "token_label", np.int8)
        for name in _GROUPS:
            # Nobody said: every example is a group of its own, as in `Example`.
            if not getattr(self, name):
                object.__setattr__(self, name, ("",) * len(self.source))
        same_length(self, "source", *_NAMES, *_GROUPS)
        same_length(self, "first_position", "first_token")
        _check_ends(self.first_position, same_length(self, *_PER_POSITION), len(self.source))
        _check_ends(self.first_token, same_length(self, *_PER_TOKEN), len(self.source))
        codes = self.token_label
        if len(codes) and not (codes.min() >= 0 and codes.max() < len(LABELS)):
            raise DataError(f"a label has a number outside 0 to {len(LABELS) - 1}")

    def __len__(self) -> int:
        return len(self.source)

    def example(self, number: int) -> Example:
        """One of the examples."""
        i = range(len(self))[number]
        positions = slice(*self.first_position[i : i + 2].tolist())
        tokens = slice(*self.first_token[i : i + 2].tolist())
        texts = {name: getattr(self, name)[i] for name in (*_NAMES, *_GROUPS)}
        lists = {name: getattr(self, name)[positions] for name in _PER_POSITION}
        lists |= {name: getattr(self, name)[tokens] for name in _PER_TOKEN}
        return Example(
            **texts | lists | {"token_label": label_names(self.token_label[tokens])},
            prior_sources=self.prior_sources,
            n_people=self.n_people,
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
