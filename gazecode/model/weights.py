"""Values per token, and the example a trainer receives."""

from dataclasses import dataclass, field

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    StrArray,
    column,
    no_floats,
    no_numbers,
    no_texts,
    same_length,
)
from gazecode.model.transitions import Transitions

__all__ = ["Example", "TokenWeights"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenWeights:
    """One value per AST token.

    Attributes
    ----------
    value
        ``(m,)`` finite, not negative, in `unit`.
    on_path
        ``(m,)`` whether the token was looked at (or lies on a pseudo scan path).
    exposed
        ``(m,)`` whether the token was on the screen; a token never shown is missing, not a miss.
    n_people
        How many people stand behind the values.
    prior_sources
        Sources whose gaze went into a prior used here.
    """

    value: FloatArray
    on_path: BoolArray
    scheme: str
    unit: str
    exposed: BoolArray | None = None
    n_people: int = 1
    prior_sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        value = column(self, "value", np.float64)
        column(self, "on_path", np.bool_)
        if self.exposed is None:
            object.__setattr__(self, "exposed", np.ones(len(value), dtype=bool))
        column(self, "exposed", np.bool_)
        same_length(self, "value", "on_path", "exposed")
        bad = np.flatnonzero(~(np.isfinite(value) & (value >= 0)))
        if bad.size:
            i = int(bad[0])
            raise DataError(f"token {i} has value {value[i]}; expected a finite number >= 0")

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """One text, tokenized, with its weights: a row of ``weights.parquet``.

    Attributes
    ----------
    text
        The exact text that was tokenized.
    input_ids, loss_mask, weight, attention, on_path, token_index
        ``(n,)`` one per subword: id; counts in the loss; loss weight of the subword as a target
        (1.0 = neutral); human attention mass (sums to 1 or is all 0); on the scan path; AST token
        or -1.
    token_start, token_end, token_label, token_value
        ``(m,)`` one per AST token: bytes of `text`, label, value before alignment.
    route
        How the weight comes to the loss (`gazecode.alignment.ROUTES`); empty if nobody said.
    pair_id, pair_side
        Name of the pair of answers to one prompt, and ``chosen`` or ``rejected``; empty for none.
    window, n_windows
        Which of how many windows of a long text this is, from 0.
    attention_share
        Share of the whole text's attention that lies in this window; 1 for a whole text.
    inert_weight
        Sum of ``|weight - 1|`` that was withheld, because it fell on positions without a loss.
    segment_name, segment_start, segment_end
        ``(s,)`` parts of the template with a name, in positions, half-open, sorted.
    transition_from, transition_to, transition_share, transition_count
        ``(k,)`` saccades between positions, sorted by both: row, column, share of the row (each
        row sums to 1), and saccades (fractions where a token has several subwords).
    report
        What the alignment has to say: scheme, policy, clipped share, `no_signal`, ...
    """

    example_id: str
    source_id: str
    participant: str
    trial: str
    language: str
    text: str
    input_ids: IntArray
    loss_mask: BoolArray
    weight: FloatArray
    attention: FloatArray
    on_path: BoolArray
    token_index: IntArray
    token_start: IntArray
    token_end: IntArray
    token_label: StrArray
    token_value: FloatArray
    participant_group: str = ""
    source_group: str = ""
    prior_sources: tuple[str, ...] = ()
    n_people: int = 1
    source_sha256: str = ""
    route: str = ""
    pair_id: str = ""
    pair_side: str = ""
    window: int = 0
    n_windows: int = 1
    attention_share: float = 1.0
    inert_weight: float = 0.0
    segment_name: StrArray = field(default_factory=no_texts)
    segment_start: IntArray = field(default_factory=no_numbers)
    segment_end: IntArray = field(default_factory=no_numbers)
    transition_from: IntArray = field(default_factory=no_numbers)
    transition_to: IntArray = field(default_factory=no_numbers)
    transition_share: FloatArray = field(default_factory=no_floats)
    transition_count: FloatArray = field(default_factory=no_floats)
    report: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("input_ids", "token_index", "token_start", "token_end"):
            column(self, name, np.int64)
        for name in ("segment_start", "segment_end", "transition_from", "transition_to"):
            column(self, name, np.int64)
        for name in ("transition_share", "transition_count"):
            column(self, name, np.float64)
        column(self, "segment_name", object)
        for name in ("loss_mask", "on_path"):
            column(self, name, np.bool_)
        for name in ("weight", "attention", "token_value"):
            column(self, name, np.float64)
        column(self, "token_label", object)
        same_length(self, "input_ids", "loss_mask", "weight", "attention", "on_path", "token_index")
        same_length(self, "token_start", "token_end", "token_label", "token_value")
        same_length(self, "segment_name", "segment_start", "segment_end")
        same_length(
            self, "transition_from", "transition_to", "transition_share", "transition_count"
        )

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def weight_reach(self) -> float:
        """Share of the non-neutral weight where the loss counts; NaN if all is neutral.

        What the rule for weights withheld from positions without a loss (`inert_weight`) counts
        as weight that does not arrive.
        """
        moved = np.abs(self.weight - 1.0)
        total = float(moved.sum()) + self.inert_weight
        return float(moved[self.loss_mask].sum()) / total if total else float("nan")

    @property
    def transitions(self) -> Transitions:
        """Saccades between subwords as a sparse matrix; empty where nobody gave any."""
        return Transitions(
            size=len(self),
            origin=self.transition_from,
            target=self.transition_to,
            count=self.transition_count,
            share=self.transition_share,
        )

    def in_segment(self, *names: str) -> BoolArray:
        """``(n,)`` positions of the segments with one of these names (``"code"``, ...).

        A name that the example does not have gives no position.
        """
        inside = np.zeros(len(self), dtype=bool)
        segments = zip(self.segment_name, self.segment_start, self.segment_end, strict=True)
        for name, start, end in segments:
            inside[start:end] |= name in names
        return inside
