"""Padding: examples of different lengths as one batch of numpy arrays.

A batch is padded on the right to its longest example, never to a fixed maximum, and nothing is
ever cut: truncation would lose the signal without a word (long texts are aligned in windows).

Labels are not shifted, as transformers wants them: ``labels[i]`` is ``input_ids[i]``, and so
``loss_weight[i]`` is the weight of that token as the one that is predicted. The shift by one
happens once, in the loss.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from gazecode.adapters.common.losses import IGNORED
from gazecode.alignment.targets.answers import answer_target, causal_target, source_keys
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example
from gazecode.model.checks import Array, BoolArray

__all__ = ["TARGETS", "Batch", "CollateOptions", "collate"]

TARGETS = ("answer", "scan_path")
"""``answer``: the answer looks at the source as people did, one row for all queries.
``scan_path``: positions of the source look where the eyes went from there, a row each."""

Batch = dict[str, Array]
"""Name to array; every array has the examples along its first axis."""


class CollateOptions(TypedDict, total=False):
    """The options of `collate`, which everything that makes batches takes, too."""

    pad_id: int
    multiple_of: int
    max_length: int | None
    target: str | None
    direction: str
    allow_inert: bool


def collate(
    examples: Sequence[Example],
    *,
    pad_id: int = 0,
    multiple_of: int = 1,
    max_length: int | None = None,
    target: str | None = None,
    direction: str = "forward",
    allow_inert: bool = False,
) -> Batch:
    """Pad examples to one batch.

    Parameters
    ----------
    examples
        At least one.
    pad_id
        Id on padding. It may occur in texts, too: `attention_mask` is 0 on padding alone.
    multiple_of
        The length of the batch is rounded up to a multiple of it.
    max_length
        Longer examples are refused; a multiple of `multiple_of`.
    target
        A name in `TARGETS`, for `attention_alignment_loss`; None for no target.
    direction
        Of the saccades under ``scan_path``: ``forward``, ``transpose`` or ``symmetric``.
    allow_inert
        Accept examples whose weights all lie where no loss is (their `weight_reach` is 0): they
        train as if nobody had looked.

    Returns
    -------
    dict of str to array
        ``(B, T)`` each. `input_ids` int64; `attention_mask` int64, 0 on padding; `labels` int64,
        `IGNORED` where there is no loss; `loss_weight` float32, 1 on padding; `on_path` bool;
        `human_attention` float32. With a target: `attention_target` float32, ``(B, T)`` for
        ``answer``, ``(B, T, T)`` for ``scan_path``; `attention_queries`, `attention_keys` bool.

    Raises
    ------
    DataError
        No example, one longer than `max_length`, one without a loss after its first position, or
        one whose weights do not reach the loss.
    ParameterError
        An option outside its range.

    Examples
    --------
    >>> made = dict.fromkeys(("example_id", "source_id", "participant", "trial", "language"), "")
    >>> tokens = dict(token_start=[], token_end=[], token_label=[], token_value=[])
    >>> def example(*ids, weight):
    ...     n = len(ids)
    ...     return Example(
    ...         **made,
    ...         **tokens,
    ...         text="",
    ...         input_ids=ids,
    ...         loss_mask=np.arange(n) > 0,
    ...         weight=weight,
    ...         attention=np.zeros(n),
    ...         on_path=np.zeros(n),
    ...         token_index=np.full(n, -1),
    ...     )
    >>> batch = collate([example(5, 6, 7, weight=[1, 2, 0.5]), example(5, 8, weight=[1, 3])])
    >>> batch["labels"]
    array([[-100,    6,    7],
           [-100,    8, -100]])
    >>> batch["loss_weight"]
    array([[1. , 2. , 0.5],
           [1. , 3. , 1. ]], dtype=float32)
    """
    _check_options(multiple_of, max_length, target)
    _check_examples(examples, max_length=max_length, allow_inert=allow_inert)
    lengths = np.array([len(example) for example in examples])
    width = -(-int(lengths.max()) // multiple_of) * multiple_of
    held = np.arange(width) < lengths[:, None]

    def padded(values: Sequence[Array], fill: float, dtype: type) -> Array:
        out: Array = np.full(held.shape, fill, dtype=dtype)
        out[held] = np.concatenate(values)
        return out

    ids = padded([e.input_ids for e in examples], pad_id, np.int64)
    counts = padded([e.loss_mask for e in examples], 0, np.bool_)
    batch = {
        "input_ids": ids,
        "attention_mask": held.astype(np.int64),
        "labels": np.where(counts, ids, IGNORED),
        "loss_weight": padded([e.weight for e in examples], 1.0, np.float32),
        "on_path": padded([e.on_path for e in examples], 0, np.bool_),
        "human_attention": padded([e.attention for e in examples], 0.0, np.float32),
    }
    if target == "answer":
        rows = [answer_target(e) for e in examples]
        batch["attention_target"] = padded([r.probability for r in rows], 0.0, np.float32)
        batch["attention_queries"] = padded([r.query for r in rows], 0, np.bool_)
        batch["attention_keys"] = padded([r.key for r in rows], 0, np.bool_)
    elif target == "scan_path":
        keys = [source_keys(e) for e in examples]
        dense, query = _scan_paths(examples, keys, width, direction)
        batch["attention_target"], batch["attention_queries"] = dense, query
        batch["attention_keys"] = padded(keys, 0, np.bool_)
    return batch


def _scan_paths(
    examples: Sequence[Example], keys: Sequence[BoolArray], width: int, direction: str
) -> tuple[Array, Array]:
    """``(B, T, T)`` causal rows of the saccades, and ``(B, T)`` which of them have mass."""
    dense = np.zeros((len(examples), width, width), dtype=np.float32)
    query = np.zeros((len(examples), width), dtype=bool)
    for i, (example, key) in enumerate(zip(examples, keys, strict=True)):
        found = causal_target(example.transitions, direction=direction, keys=key)
        dense[i, found.rows.origin, found.rows.target] = found.rows.share
        query[i, : len(example)] = found.query
    return dense, query


def _check_options(multiple_of: int, max_length: int | None, target: str | None) -> None:
    if multiple_of < 1:
        raise ParameterError(f"multiple_of is {multiple_of}; expected 1 or more")
    if max_length is not None and (max_length < 1 or max_length % multiple_of):
        raise ParameterError(
            f"max_length is {max_length}; expected a multiple of multiple_of ({multiple_of}), so "
            "that padding stays within it"
        )
    if target is not None and target not in TARGETS:
        raise ParameterError.unknown("targets", target, TARGETS)


def _check_examples(
    examples: Sequence[Example], *, max_length: int | None, allow_inert: bool
) -> None:
    if not examples:
        raise DataError("a batch of no examples; expected at least one")
    for example in examples:
        name = f"example {example.example_id!r}"
        if max_length is not None and len(example) > max_length:
            raise DataError(
                f"{name} has {len(example)} positions; expected at most {max_length}: make windows "
                "of long texts (gazecode.alignment.align_windows), nothing is cut here"
            )
        counts = example.loss_mask[1:]
        if not counts.any():
            raise DataError(
                f"{name} has no position with a loss after its first, which nothing predicts; "
                "leave it out or align it with another template"
            )
        moved = np.abs(example.weight - 1.0)
        total = float(moved.sum()) + example.inert_weight
        if total > 0 and not moved[1:][counts].any() and not allow_inert:
            raise DataError(
                f"{name} has weights, and none of them where the loss counts (weight_reach 0): "
                "training would silently be plain; choose a route that reaches the answer, or say "
                "allow_inert=True"
            )
