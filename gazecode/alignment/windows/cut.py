"""Long texts as windows with overlap: every position counts once, nothing is lost in silence.

Truncation throws the end of a text away, and with it often all of the signal. Windows keep it: each
position is counted in the first window that has it, and is context in the next (no loss, weight
1.0, no attention), so that a sum over the windows of a text is the sum over the text.

A target for attention heads knows what its window holds: no head can look out of it.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.alignment.subwords.offsets import first_of, ranges, summed
from gazecode.alignment.windows.plan import Plan, plan_windows
from gazecode.alignment.windows.tokens import tokens_of_windows
from gazecode.errors import AlignmentError
from gazecode.model import ExampleBatch
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import check_values

__all__ = ["cut_windows"]

_REPEATED = (
    *("source_id", "participant", "trial", "language", "source_sha256"),
    *("participant_group", "source_group", "pair_id", "pair_side"),
)


def cut_windows(
    examples: ExampleBatch,
    span: IntArray,
    added: BoolArray,
    *,
    max_length: int,
    overlap: int,
) -> ExampleBatch:
    """Cut examples with more than `max_length` positions into windows.

    Parameters
    ----------
    examples
        ``d`` whole texts of ``n`` subwords in all.
    span
        ``(n, 2)`` bytes of each subword in its own text; empty for those without text.
    added
        ``(n,)`` positions that the tokenizer put around the text.
    max_length
        Most positions that a window has.
    overlap
        Positions at the start of a window that the one before it has counted: context. Without
        any, nothing stands before the first position of a window to predict it from, unless the
        tokenizer adds something there.

    Returns
    -------
    ExampleBatch
        Windows in the order of the texts; an example that fits is as it was. Of a window:

        * the positions the tokenizer added stand around every window; those before the text count
          in the first window, those after it in the last;
        * context has no loss, weight 1.0 and no attention, and keeps its place on the path; weights
          have mean 1 over the text, not over the window;
        * `attention` sums to 1 or is all 0; times `attention_share` it is that of the text. A text
          without attention gives each window an equal share;
        * `token_value` is the value times the share of the token's bytes that this window counts;
          0 for a token of the context. Tokens that the window does not touch are left out;
        * `text` is what the window covers, in whole characters; spans are cut to it, and segments
          to its positions;
        * a saccade belongs to the window that counts its start. If the window has not its end, it
          is dropped, and the rest of the row renormalised;
        * `inert_weight` is divided like ``|weight - 1|`` under the loss, so that the windows have
          the reach of the text; evenly where none of it is under the loss.

        A window that counts no position in the loss is dropped (unless no window of its text
        does), and what it shares with the next is counted there; `window` and `n_windows` are as
        if it were there. `said` counts, at the first window of
        each text: `windows_dropped`, `attention_dropped` with them (share of the text's), and
        `transitions_dropped` (saccades).

    Raises
    ------
    ParameterError
        No room beside the overlap and what the tokenizer adds.
    AlignmentError
        An example is a window already and does not fit, or a subword's token does not lie in it.

    Examples
    --------
    >>> from gazecode.model import TokenBatch, TokenWeights
    >>> from gazecode.alignment import align_batch
    >>> from gazecode.source import parse
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordLevel({"x": 0, "=": 1, "12": 2}, unk_token="x"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> gaze = TokenWeights(value=[3, 0, 1], on_path=[True, False, True], scheme="count", unit="1")
    >>> whole, _ = align_batch(
    ...     gaze,
    ...     TokenBatch.of([parse("x = 12", "python")]),
    ...     tokenizer,
    ...     source_id=["a"],
    ...     language="c",
    ... )
    >>> span = np.array([[0, 1], [2, 3], [4, 6]])
    >>> cut = cut_windows(whole, span, np.zeros(3, dtype=bool), max_length=2, overlap=1)
    >>> cut.text, cut.loss_mask
    (('x =', ' = 12'), array([ True,  True, False,  True]))
    >>> cut.attention, cut.attention_share
    (array([1., 0., 0., 1.]), array([0.75, 0.25]))
    """
    given = {"max_length": max_length, "overlap": overlap}
    check_values(cut_windows, given, name="windows")
    _check(examples, span, added)
    planned = plan_windows(examples, added, **given)
    if not planned.is_cut.any():
        return replace(examples, settings=examples.settings | given, said=_said(examples, planned))
    span = np.where(added[:, None], 0, span)
    plan, placed = planned, planned.positions()
    kept = _kept(planned, examples.loss_mask, *placed)
    if not kept.all():
        plan = planned.of(kept)
        placed = plan.positions()
    position, counted, first = placed
    window = np.repeat(np.arange(len(plan)), np.diff(first))
    counted_in: IntArray = np.full(len(added), -1, dtype=np.int64)
    counted_in[position[counted]] = window[counted]
    weight = np.where(counted, examples.weight[position], 1.0)
    attention, share = _attention(examples, plan, position, counted, window)
    transitions, lost = _transitions(examples, plan, counted_in)
    tokens = tokens_of_windows(
        examples, span, plan, position=position, window=window, counted_in=counted_in
    )
    return replace(
        examples,
        source=examples.source[plan.example],
        **_names(examples, plan),
        window=_or_own(plan, plan.number, examples.window),
        n_windows=_or_own(plan, plan.n_windows, examples.n_windows),
        first_position=first,
        input_ids=examples.input_ids[position],
        loss_mask=examples.loss_mask[position] & counted,
        weight=weight,
        attention=attention,
        attention_share=share,
        inert_weight=_inert(examples, plan, summed(window, np.abs(weight - 1), len(plan))),
        on_path=examples.on_path[position],
        **tokens,
        **_segments(examples, plan),
        **transitions,
        settings=examples.settings | given,
        said=_said(examples, plan, planned, share=share, lost=lost),
    )


def _kept(
    plan: Plan, loss_mask: BoolArray, position: IntArray, counted: BoolArray, first: IntArray
) -> BoolArray:
    """``(w,)`` windows that count in the loss; all of a text that nowhere does."""
    before = first_of((loss_mask[position] & counted).astype(np.int64))
    in_loss = np.diff(before[first]) > 0
    n_texts = int(plan.example.max(initial=-1)) + 1
    silent = np.bincount(plan.example[in_loss], minlength=n_texts) == 0
    kept: BoolArray = in_loss | ~plan.is_cut | silent[plan.example]
    return kept


def _or_own(plan: Plan, made: IntArray, own: IntArray | None) -> IntArray:
    """Numbers of windows; examples that were not cut keep theirs."""
    return np.where(plan.is_cut, made, np.asarray(own)[plan.example])


def _names(examples: ExampleBatch, plan: Plan) -> dict[str, Any]:
    """Columns with one text per window, but for `text`."""
    example = plan.example.tolist()
    windows = zip(example, plan.number.tolist(), plan.is_cut.tolist(), strict=True)
    ids = (examples.example_id[i] + f"-w{k:04d}" * cut for i, k, cut in windows)
    columns = {name: getattr(examples, name) for name in _REPEATED}
    repeated = {name: tuple(map(column.__getitem__, example)) for name, column in columns.items()}
    return {"example_id": tuple(ids)} | repeated


def _attention(
    examples: ExampleBatch, plan: Plan, position: IntArray, counted: BoolArray, window: IntArray
) -> tuple[FloatArray, FloatArray]:
    """``(p,)`` attention within each window, ``(w,)`` share of the text's that lies in it."""
    mass = np.where(counted, examples.attention[position], 0.0)
    held = summed(window, mass, len(plan))
    total = _attention_of(examples)[plan.example]
    share = np.divide(held, total, out=1.0 / plan.n_windows, where=total > 0)
    whole = np.asarray(examples.attention_share)[plan.example]
    # An example that was not cut stays as it is to the last bit.
    held[~plan.is_cut | (held == 0)] = 1.0
    return mass / held[window], np.where(plan.is_cut, share, 1.0) * whole


def _inert(examples: ExampleBatch, plan: Plan, moved: FloatArray) -> FloatArray:
    """``(w,)`` the text's withheld weight, divided among its windows."""
    d = len(examples)
    total, n_kept = summed(plan.example, moved, d), np.bincount(plan.example, minlength=d)
    evenly = 1.0 / np.maximum(n_kept, 1)[plan.example]
    part = np.divide(moved, total[plan.example], out=evenly, where=total[plan.example] > 0)
    return np.where(plan.is_cut, part, 1.0) * np.asarray(examples.inert_weight)[plan.example]


def _segments(examples: ExampleBatch, plan: Plan) -> dict[str, Any]:
    """Segments in positions of each window; those it does not touch are left out."""
    first = np.asarray(examples.first_segment)
    count = np.diff(first)[plan.example]
    segment = ranges(first[plan.example], count)
    window = np.repeat(np.arange(len(plan)), count)
    at = examples.first_position[plan.example][window]
    start = plan.place(window, examples.segment_start[segment] + at)
    end = plan.place(window, examples.segment_end[segment] + at)
    there = (start < end) | ~plan.is_cut[window]
    return {
        "first_segment": first_of(np.bincount(window[there], minlength=len(plan))),
        "segment_name": tuple(examples.segment_name[i] for i in segment[there].tolist()),
        "segment_start": start[there],
        "segment_end": end[there],
    }


def _transitions(
    examples: ExampleBatch, plan: Plan, counted_in: IntArray
) -> tuple[dict[str, Any], FloatArray]:
    """Saccades whose start a window counts and whose end it has; ``(d,)`` those without a place."""
    first = np.asarray(examples.first_transition)
    text = np.repeat(np.arange(len(examples)), np.diff(first))
    at = examples.first_position[text]
    origin, target = examples.transition_from + at, examples.transition_to + at
    window = counted_in[origin]
    kept = (window >= 0) & plan.has(window, target)
    lost = summed(text[~kept], examples.transition_count[~kept], len(examples))
    poorer = np.bincount(origin[~kept], minlength=len(counted_in))[origin[kept]] > 0
    share, origin, window = examples.transition_share[kept], origin[kept], window[kept]
    total = summed(origin, share, len(counted_in))[origin]
    share = np.divide(share, total, out=share.copy(), where=poorer & (total > 0))
    columns = {
        "first_transition": first_of(np.bincount(window, minlength=len(plan))),
        "transition_from": plan.place(window, origin),
        "transition_to": plan.place(window, target[kept]),
        "transition_share": share,
        "transition_count": examples.transition_count[kept],
    }
    return columns, lost


def _said(
    examples: ExampleBatch,
    plan: Plan,
    planned: Plan | None = None,
    *,
    share: FloatArray | None = None,
    lost: FloatArray | None = None,
) -> dict[str, Any]:
    """What there is to say of the text, at each window; what was dropped, at its first."""
    d = len(examples)
    new = {
        "windows_dropped": np.zeros(d, dtype=np.int64),
        "attention_dropped": np.zeros(d),
        "transitions_dropped": np.zeros(d) if lost is None else lost,
    }
    if planned is not None and share is not None:
        made, kept = (np.bincount(p.example, minlength=d) for p in (planned, plan))
        new["windows_dropped"] = made - kept
        gone = np.maximum(examples.attention_share - summed(plan.example, share, d), 0)
        new["attention_dropped"] = np.where(
            (made > kept) & (_attention_of(examples) > 0), gone, 0.0
        )
    is_first: BoolArray = np.diff(plan.example, prepend=-1) > 0
    said = {name: np.asarray(value)[plan.example] for name, value in examples.said.items()}
    return said | {name: np.where(is_first, value[plan.example], 0) for name, value in new.items()}


def _attention_of(examples: ExampleBatch) -> FloatArray:
    """``(d,)`` attention of each text: 1 or 0, but for rounding."""
    text = np.repeat(np.arange(len(examples)), np.diff(examples.first_position))
    return summed(text, examples.attention, len(examples))


def _check(examples: ExampleBatch, span: IntArray, added: BoolArray) -> None:
    n = len(examples.input_ids)
    if span.shape != (n, 2) or added.shape != (n,):
        raise AlignmentError(
            f"span has shape {span.shape} and added {added.shape}; expected one row for each of "
            f"{n} positions"
        )
