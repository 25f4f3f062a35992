"""Human attention as a target for a model's attention heads, under a causal mask.

Row ``i`` belongs to row ``i`` of the model's attention matrix: what position ``i`` looks at, itself
included. That is no row of a predicted token: the logits that predict token ``i`` come from row
``i - 1``. The loss that goes with a target is KL(human ‖ model), both rows renormalised over `key`
and ``j <= i``; it is 0 at equality.

`answer_target` supervises the attention of an answer to the source that was read, `causal_target`
(of `gazecode.alignment.targets.causal`) that inside the source.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.alignment.targets.causal import DIRECTIONS, CausalTarget, causal_target, full_target
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example, Transitions
from gazecode.model.checks import BoolArray, FloatArray, column, same_length

__all__ = [
    "DIRECTIONS",
    "SOURCE_SEGMENTS",
    "AttentionTarget",
    "CausalTarget",
    "answer_rows",
    "answer_target",
    "causal_target",
    "full_target",
    "preference_masks",
    "source_keys",
]

SOURCE_SEGMENTS = ("code", "prefix", "middle", "suffix")
"""Names of the segments that hold source that was read; the last three are those of an infill."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttentionTarget:
    """Human attention over the source, as the target of the answer's attention.

    Attributes
    ----------
    query
        ``(n,)`` positions whose attention is supervised.
    key
        ``(n,)`` positions that they should look at: subwords of the source.
    probability
        ``(n,)`` human distribution over the keys: sums to 1, or is all 0 where nobody looked.
    removed_share
        Share of the human attention that lay on no key: special positions, sinks, other segments.
    """

    query: BoolArray
    key: BoolArray
    probability: FloatArray
    removed_share: float = 0.0

    def __post_init__(self) -> None:
        column(self, "query", np.bool_)
        key = column(self, "key", np.bool_)
        probability = column(self, "probability", np.float64)
        same_length(self, "query", "key", "probability")
        if not np.all(np.isfinite(probability) & (probability >= 0)) or probability[~key].any():
            raise DataError("a probability is negative, not finite or on no key")
        total = float(probability.sum())
        if total and abs(total - 1) > 1e-6:
            raise DataError(f"the probabilities sum to {total}; expected 1, or 0 for no attention")

    def __len__(self) -> int:
        return len(self.query)

    @property
    def seen(self) -> FloatArray:
        """``(n,)`` share of the human attention on keys that a query can see; 0 for no query.

        Row ``i`` of the target is ``probability[: i + 1] / seen[i]``.
        """
        return np.where(self.query, np.cumsum(self.probability), 0.0)


def source_keys(example: Example, *, segments: Sequence[str] = SOURCE_SEGMENTS) -> BoolArray:
    """``(n,)`` subwords of the source that belong to an AST token.

    Parameters
    ----------
    segments
        Names of the segments that count as source; an example without any segment counts whole.

    Raises
    ------
    ParameterError
        A whole example has segments, and none with one of these names. A window may have lost
        them: then no position is a key.

    Examples
    --------
    With the example of `answer_target`::

        source_keys(example)  # array([ True,  True,  True, False, False])
    """
    on_token: BoolArray = example.token_index >= 0
    return on_token if not len(example.segment_name) else on_token & _inside(example, segments)


def answer_target(
    example: Example,
    *,
    keys: Sequence[str] = SOURCE_SEGMENTS,
    queries: Sequence[str] | None = None,
) -> AttentionTarget:
    """Make the default target: the answer looks at the source as people did.

    Parameters
    ----------
    keys
        Names of the segments whose subwords are looked at (`source_keys`).
    queries
        Names of the segments that look; None for the positions under `loss_mask`. White space and
        special tokens of a segment named here count, too.

    Returns
    -------
    AttentionTarget
        One distribution for all queries. A query sees the keys up to its own position: where some
        lie later (``source_lm``, infills), `answer_rows` cuts and renormalises row by row. Rows of
        an answer after the source are all equal to `probability`.

    Raises
    ------
    ParameterError
        A whole example has segments, and none with one of these names.

    Examples
    --------
    >>> example = Example(  # two tokens of source in three subwords, and an answer of two
    ...     **dict.fromkeys(("example_id", "source_id", "participant", "trial", "language"), ""),
    ...     text="ab cd",
    ...     input_ids=[5, 6, 7, 8, 9],
    ...     loss_mask=[False, False, False, True, True],
    ...     weight=[1.0, 1.0, 1.0, 1.0, 1.0],
    ...     attention=[0.4, 0.2, 0.2, 0.2, 0.0],
    ...     on_path=[True, True, False, False, True],
    ...     token_index=[0, 0, 1, 2, 3],
    ...     token_start=[0, 2, 3, 4],
    ...     token_end=[2, 3, 4, 5],
    ...     token_label=["", "", "", ""],
    ...     token_value=[3.0, 1.0, 1.0, 0.0],
    ...     segment_name=["code", "answer"],
    ...     segment_start=[0, 3],
    ...     segment_end=[3, 5],
    ... )
    >>> target = answer_target(example)
    >>> target.probability, round(target.removed_share, 3)
    (array([0.5 , 0.25, 0.25, 0.  , 0.  ]), 0.2)
    >>> source_keys(example), np.flatnonzero(target.query)
    (array([ True,  True,  True, False, False]), array([3, 4]))
    >>> [np.flatnonzero(mask) for mask in preference_masks(example)]
    [array([4]), array([3])]
    """
    key = source_keys(example, segments=keys)
    query = example.loss_mask if queries is None else _inside(example, queries)
    mass = np.where(key, example.attention, 0.0)
    kept, total = float(mass.sum()), float(example.attention.sum())
    return AttentionTarget(
        query=query,
        key=key,
        probability=mass / kept if kept else mass,
        removed_share=max(0.0, 1 - kept / total) if total else 0.0,
    )


def answer_rows(target: AttentionTarget) -> CausalTarget:
    """Cut each query's row at its own position and renormalise it.

    Returns
    -------
    CausalTarget
        `count` is the human attention, as `probability` has it. `skipped_rows` counts queries
        before the first key that was looked at; `discarded_share` is the mean, over all queries,
        of the attention that lies after them. Memory grows with queries times keys looked at: a
        trainer that masks causally anyway needs `AttentionTarget.seen` alone.

    Examples
    --------
    >>> target = AttentionTarget(
    ...     query=[True, False, True], key=[False, True, True], probability=[0.0, 0.25, 0.75]
    ... )
    >>> found = answer_rows(target)
    >>> found.to_dense()[2], found.skipped_rows, found.discarded_share
    (array([0.  , 0.25, 0.75]), 1, 0.5)
    """
    query, looked_at = np.flatnonzero(target.query), np.flatnonzero(target.probability)
    n_seen = np.searchsorted(looked_at, query, side="right")
    first = np.repeat(np.cumsum(n_seen) - n_seen, n_seen)
    place = looked_at[np.arange(len(first)) - first]
    seen = target.seen[query]
    rows = Transitions(
        size=len(target),
        origin=np.repeat(query, n_seen),
        target=place,
        count=target.probability[place],
        share=target.probability[place] / np.repeat(seen, n_seen),
    )
    has_mass = len(looked_at) > 0 and len(query) > 0
    return CausalTarget(
        rows=rows,
        key=target.key,
        skipped_rows=int((n_seen == 0).sum()),
        discarded_share=max(0.0, 1 - float(seen.mean())) if has_mass else 0.0,
        removed_share=target.removed_share,
    )


def preference_masks(example: Example) -> tuple[BoolArray, BoolArray]:
    """Tokens of the answer on the path, and those off it, for `path_margin_loss`.

    Returns
    -------
    preferred, other : (n,) bool
        Positions under the loss on the path; positions under the loss that belong to a token and
        are not on the path. Never the prompt, never both; white space that belongs to no token is
        in neither.

    Examples
    --------
    With the example of `answer_target`::

        preference_masks(example)  # true at position 4, and at position 3
    """
    preferred = example.loss_mask & example.on_path
    other = example.loss_mask & ~example.on_path & (example.token_index >= 0)
    return preferred, other


def _inside(example: Example, segments: Sequence[str]) -> BoolArray:
    names = (segments,) if isinstance(segments, str) else tuple(segments)
    if example.n_windows == 1 and not set(names) & set(example.segment_name.tolist()):
        there = ", ".join(dict.fromkeys(example.segment_name.tolist())) or "none"
        raise ParameterError(
            f"example {example.example_id} has no segment {' or '.join(names)}; it has: {there}. "
            "Name those that count"
        )
    return example.in_segment(*names)
