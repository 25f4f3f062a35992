"""Precision, recall and F1 of spans with partial credit.

G. Da San Martino et al. 2019, doi:10.18653/v1/D19-1565, as B. Kou et al. 2024,
doi:10.1145/3660807, computed it over texts with marked words: sums over all texts (micro). In a
text each list is made a set before pairs are formed, while the denominators count every span,
duplicates and empty ones too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.agreement.metrics.pairing import over
from gazecode.errors import DataError
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Overlap", "token_overlap"]

BLOCK = 1_000_000
"""Pairs of spans held at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """How well selected tokens cover marked spans.

    Attributes
    ----------
    precision, recall, f1
        Pooled over all texts; NaN where one side has no span at all.
    n_human, n_model
        Spans of all texts, duplicates and empty ones counted: the denominators.
    item_precision, item_recall, item_f1
        ``(t,)`` the same per text; NaN where one side has no span in it.
    item_n_human, item_n_model
        ``(t,)`` spans per text. Weighted by them the figures per text sum to the pooled ones,
        which is what resampling texts needs.
    """

    precision: float
    recall: float
    f1: float
    n_human: int
    n_model: int
    item_precision: FloatArray
    item_recall: FloatArray
    item_f1: FloatArray
    item_n_human: IntArray
    item_n_model: IntArray


def token_overlap(
    human: Iterable[Any] | Mapping[Any, Any], model: Iterable[Any] | Mapping[Any, Any]
) -> Overlap:
    """Precision, recall and F1 of the model's spans against the human ones, with partial credit.

    ``P = (1 / ΣM) Σ_texts Σ_{h, m} |h ∩ m| / |m|``,
    ``R = (1 / ΣH) Σ_texts Σ_{h, m} |h ∩ m| / |h|``, ``F1 = 2 P R / (P + R)``: pairs over the
    distinct spans of a text, ΣM and ΣH over all spans.

    Parameters
    ----------
    human
        Spans that people marked, half-open, in characters: ``(h, 2)`` of one text, or a sequence
        of such, one per text, or a mapping from texts' names to such.
    model
        Spans that the model's scores select: ``(m, 2)``, or as many as there are texts; a mapping
        from the same names where `human` is one.

    Returns
    -------
    Overlap
        F1 is 0, not undefined, where spans exist on both sides and never meet. Pairs with an
        empty m are skipped, an empty h adds 0; both count in the denominators. Where human spans
        overlap each other a token may be credited more than once.

    Raises
    ------
    DataError
        Where the numbers of texts differ or a span is none.

    Notes
    -----
    G. Da San Martino et al. 2019, doi:10.18653/v1/D19-1565; B. Kou et al. 2024.

    Examples
    --------
    >>> found = token_overlap([(0, 4), (6, 10)], [(2, 6), (6, 10)])
    >>> found.precision, found.recall, found.f1
    (0.75, 0.75, 0.75)
    >>> two = token_overlap([[(0, 4)], [(0, 2)]], [[(0, 4)], [(2, 6), (6, 8)]])
    >>> two.f1, two.item_f1
    (0.4, array([1., 0.]))
    """
    if isinstance(human, Mapping) or isinstance(model, Mapping):
        human, model = _by_name(human, model)
    theirs, ours = _texts(human, "human"), _texts(model, "model")
    if len(theirs) != len(ours):
        raise DataError(
            f"{len(theirs)} texts of human spans and {len(ours)} of model spans;"
            " expected one list of spans per text on both sides"
        )
    n_human = np.array([len(spans) for spans in theirs], dtype=np.int64)
    n_model = np.array([len(spans) for spans in ours], dtype=np.int64)
    of_model, of_human = _shared(_distinct(theirs), _distinct(ours), len(theirs))
    precision = _over(of_model, n_model, n_human)
    recall = _over(of_human, n_human, n_model)
    all_human, all_model = n_human.sum(keepdims=True), n_model.sum(keepdims=True)
    pooled_precision = _over(of_model.sum(keepdims=True), all_model, all_human)
    pooled_recall = _over(of_human.sum(keepdims=True), all_human, all_model)
    return Overlap(
        precision=float(pooled_precision[0]),
        recall=float(pooled_recall[0]),
        f1=float(_f1(pooled_precision, pooled_recall)[0]),
        n_human=int(all_human[0]),
        n_model=int(all_model[0]),
        item_precision=precision,
        item_recall=recall,
        item_f1=_f1(precision, recall),
        item_n_human=n_human,
        item_n_model=n_model,
    )


def _by_name(human: Any, model: Any) -> tuple[list[Any], list[Any]]:
    """Spans of the same texts, in the order of the human side."""
    if not isinstance(human, Mapping) or not isinstance(model, Mapping):
        raise DataError("one side names texts and the other does not; expected two mappings")
    if human.keys() != model.keys():
        odd = next(iter(human.keys() ^ model.keys()))
        raise DataError(f"text {odd!r} is on one side only; expected the same texts on both")
    # An empty first text would not tell spans from texts: arrays of one shape do.
    return (
        [_spans(human[name], f"text {name!r}, human spans") for name in human],
        [_spans(model[name], f"text {name!r}, model spans") for name in human],
    )


def _texts(raw: Iterable[Any], name: str) -> list[IntArray]:
    """Spans per text, each ``(k, 2)``; one text where the first element is a span."""
    if not np.iterable(raw):
        raise DataError(f"{name} is {raw!r}; expected spans (start, end), or lists of them")
    given = list(raw)
    if not given or _is_span(given[0]):
        given = [given]
    return [_spans(spans, f"text {i}, {name} spans") for i, spans in enumerate(given)]


def _is_span(raw: Any) -> bool:
    ends = list(raw) if np.iterable(raw) else []
    return len(ends) == 2 and not any(np.iterable(end) for end in ends)


def _spans(raw: Any, name: str) -> IntArray:
    try:
        spans = np.array(list(raw))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}; expected rows of (start, end)") from error
    if not spans.size:
        return np.empty((0, 2), dtype=np.int64)
    if spans.dtype.kind == "f" and ((spans == np.trunc(spans)) & (np.abs(spans) < 1e15)).all():
        spans = spans.astype(np.int64)  # whole numbers of a table with gaps
    if spans.ndim != 2 or spans.shape[1] != 2 or spans.dtype.kind not in "iu":
        raise DataError(
            f"{name} have shape {spans.shape} of {spans.dtype}; expected rows of (start, end),"
            " whole characters"
        )
    late = np.flatnonzero(spans[:, 1] < spans[:, 0])
    if late.size:
        a, b = spans[late[0]].tolist()
        raise DataError(f"{name} hold ({a}, {b}); expected start <= end: half-open")
    return spans.astype(np.int64)


def _distinct(texts: Sequence[IntArray]) -> IntArray:
    """Rows ``(text, start, end)`` without duplicates, by text."""
    text = np.repeat(np.arange(len(texts)), [len(spans) for spans in texts])
    rows = np.column_stack([text, np.concatenate([np.empty((0, 2), np.int64), *texts])])
    rows = rows[np.lexsort(rows.T[::-1])]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return np.asarray(rows[new])


def _shared(human: IntArray, model: IntArray, texts: int) -> tuple[FloatArray, FloatArray]:
    """Per text, shared characters over those of the model's span, and over the human's."""
    first = np.searchsorted(model[:, 0], np.arange(texts + 1))
    partners = np.diff(first)[human[:, 0]]
    of_model, of_human = np.zeros(texts), np.zeros(texts)
    # Human spans in blocks, so that all pairs never stand in memory at once.
    block = np.cumsum(partners) // BLOCK
    edges = np.flatnonzero(np.diff(block)) + 1
    for a, b in zip([0, *edges.tolist()], [*edges.tolist(), len(human)], strict=True):
        count = partners[a:b]
        i = np.repeat(np.arange(a, b), count)
        within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
        text, h = human[i, 0], human[i, 1:]
        m = model[first[text] + within, 1:]
        shared = np.minimum(h[:, 1], m[:, 1]) - np.maximum(h[:, 0], m[:, 0])
        # An empty span shares nothing: its length may stand as 1.
        shared = np.maximum(shared, 0)
        of_model += np.bincount(text, shared / np.maximum(m[:, 1] - m[:, 0], 1), texts)
        of_human += np.bincount(text, shared / np.maximum(h[:, 1] - h[:, 0], 1), texts)
    return of_model, of_human


def _over(total: FloatArray, own: IntArray, other: IntArray) -> FloatArray:
    """A sum over the number of spans; NaN where one side has none."""
    return over(total, np.where(other > 0, own, 0))


def _f1(precision: FloatArray, recall: FloatArray) -> FloatArray:
    total = precision + recall
    return np.where(total == 0, 0.0, over(2 * precision * recall, total))
