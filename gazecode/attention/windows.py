"""Texts longer than the context of a model, in windows that overlap.

The rule is that of `gazecode.alignment.windows`: every position is counted in one window, the
first that has it, where most of what precedes it is there; in the next one it is context. What the
tokenizer put around the text stands around every window. No row reaches a column of another
window: what lies further back than a window was not seen, by the model either.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gazecode.attention.prompt import Prompt, Scored
from gazecode.errors import ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["Window", "joined", "last_window", "windows_of"]

SUMMED = ("rows", "mass", "skipped")
MEANED = ("answer_share",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """``(w,)`` positions of a text that a window has, and which of them it counts.

    `overlap` is how many positions of the text any two neighbours have in common.
    """

    position: IntArray
    counted: BoolArray
    overlap: int = 0

    def of(self, prompt: Prompt) -> Prompt:
        """The window as a prompt; its first position is dropped where the text's first is."""
        if len(self.position) == len(prompt):
            return prompt
        part = prompt.window(self.position, self.counted)
        dropped = part.dropped.copy()
        dropped[0] |= bool(prompt.dropped[0])
        return replace(part, dropped=dropped)


def windows_of(prompt: Prompt, length: int | None, overlap: int | None = None) -> list[Window]:
    """Cut a prompt that has more than `length` positions.

    Parameters
    ----------
    prompt
        ``n`` positions.
    length
        Most positions of a window; None for no bound.
    overlap
        Positions of the text that a window has in common with the one before; None for half of
        its room.

    Raises
    ------
    ParameterError
        No room beside what the tokenizer adds and the overlap.
    """
    n = len(prompt)
    if length is None or n <= length:
        return [Window(position=np.arange(n), counted=np.ones(n, dtype=bool))]
    head, tail, room = _around(prompt, length)
    overlap = room // 2 if overlap is None else overlap
    if not 0 <= overlap < room:
        raise ParameterError(
            f"windows of {length} positions, {length - room} of them added by the tokenizer, with "
            f"an overlap of {overlap} have no room; expected 0 <= overlap < {max(room, 1)}"
        )
    end = n - len(tail)
    windows, start, done = [], len(head), len(head)
    while done < end:
        stop = min(start + room, end)
        body = np.arange(start, stop)
        first, last = start == len(head), stop == end
        counted = [np.full(len(head), first), body >= done, np.full(len(tail), last)]
        windows.append(
            Window(
                position=np.concatenate([head, body, tail]),
                counted=np.concatenate(counted),
                overlap=overlap,
            )
        )
        done, start = stop, stop - overlap
    return windows


def last_window(prompt: Prompt, length: int | None) -> Window:
    """The end of a prompt that has more than `length` positions, with what stands before it."""
    n = len(prompt)
    if length is None or n <= length:
        return windows_of(prompt, None)[0]
    head, tail, room = _around(prompt, length)
    if room < 1:
        raise ParameterError(
            f"no room for a prompt: {length} positions beside the answer, {len(head) + len(tail)} "
            "of them added by the tokenizer; give a larger window or a shorter answer"
        )
    end = n - len(tail)
    position = np.concatenate([head, np.arange(end - room, end), tail])
    return Window(position=position, counted=np.ones(len(position), dtype=bool))


def joined(
    prompt: Prompt,
    windows: Sequence[Window],
    score: Callable[[Prompt], Scored],
    *,
    received: bool,
    done: Callable[[int], None] | None = None,
) -> tuple[Scored, BoolArray]:
    """Score every window and put the scores together.

    Parameters
    ----------
    windows
        Of the prompt.
    score
        Scores one window.
    received
        Whether a score is a sum over rows, to which every window adds those it counts; otherwise
        each position has the score of the window that counts it.
    done
        Called with the number of windows that are done.

    Returns
    -------
    scored, seen
        Scores of the prompt; ``(n,)`` positions that some window has and does not drop.
    """
    n = len(prompt)
    seen: BoolArray = np.zeros(n, dtype=bool)
    parts: list[Scored] = []
    total: dict[str, FloatArray] = {}
    for number, window in enumerate(windows):
        part = window.of(prompt)
        scored = score(part)
        parts.append(replace(scored, matrix=None))
        seen[window.position[~part.dropped & (part.counted | received)]] = True
        take = np.ones(len(part), dtype=bool) if received else part.counted
        at = window.position[take]
        for name in ("value", "expected"):
            found: FloatArray | None = getattr(scored, name)
            if found is not None:
                total.setdefault(name, np.zeros(n))[at] += found[take]
        if scored.matrix is not None:
            cells = np.ix_(window.position, window.position)
            total.setdefault("matrix", np.zeros((n, n)))[cells] += scored.matrix
        if done is not None:
            done(number + 1)
    together = Scored(
        value=total["value"],
        expected=total.get("expected"),
        matrix=total.get("matrix"),
        removed_share=_removed(parts),
        parameters=_parameters(parts),
        token=parts[0].token if len(parts) == 1 else None,
    )
    return together, seen


def _around(prompt: Prompt, length: int) -> tuple[IntArray, IntArray, int]:
    """What the tokenizer put before and after the text, and the room that leaves."""
    n = len(prompt)
    own = np.flatnonzero(~prompt.special)
    first, last = (int(own[0]), int(own[-1]) + 1) if len(own) else (n, n)
    head, tail = np.arange(first), np.arange(last, n)
    return head, tail, length - len(head) - len(tail)


def _weights(parts: Sequence[Scored]) -> FloatArray:
    return np.array([float(part.parameters.get("mass", 1.0)) for part in parts])


def _removed(parts: Sequence[Scored]) -> float | None:
    shares = [part.removed_share for part in parts]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    weight = _weights(parts)
    return float(np.average(known, weights=weight)) if weight.sum() > 0 else 0.0


def _parameters(parts: Iterable[Scored]) -> dict[str, Any]:
    """Those of the first window; what counts rows and mass is summed, shares are averaged."""
    kept = list(parts)
    merged = dict(kept[0].parameters)
    weight = _weights(kept)
    for name in SUMMED:
        if name in merged:
            merged[name] = sum(part.parameters[name] for part in kept)
    for name in MEANED:
        if name in merged and weight.sum() > 0:
            shares = [part.parameters[name] for part in kept]
            merged[name] = float(np.average(shares, weights=weight))
    return merged
