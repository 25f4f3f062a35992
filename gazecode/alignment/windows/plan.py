"""Which positions the windows of long texts have, and which of them each one counts.

A text of more positions than fit is cut into windows with as many new positions as there is room
for, each but the first beginning with the last ones of its neighbour, as context. Every position
is counted in one window: the first that has it. What the tokenizer put around the text stands
around every window.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from gazecode.alignment.subwords.offsets import first_of, ranges
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import ExampleBatch
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["Plan", "plan_windows"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """``w`` windows of the examples of a batch; a text that fits is one window, its body all of it.

    Attributes
    ----------
    example, number, n_windows
        ``(w,)`` which example, which of its windows, and how many it was cut into.
    head, start, stop, tail, end
        ``(w,)`` positions of the batch: what stands before every window is ``head``:`n_head` on,
        the body is ``start:stop``, what stands after every window is ``tail:end``.
    n_head
        ``(w,)`` positions that stand before the body.
    fresh
        ``(w,)`` first position of the body that this window counts; those before it are context.
    """

    example: IntArray
    number: IntArray
    n_windows: IntArray
    head: IntArray
    n_head: IntArray
    start: IntArray
    fresh: IntArray
    stop: IntArray
    tail: IntArray
    end: IntArray

    def __len__(self) -> int:
        return len(self.example)

    @property
    def is_cut(self) -> BoolArray:
        """``(w,)`` windows of texts that did not fit."""
        cut: BoolArray = self.n_windows > 1
        return cut

    @property
    def is_last(self) -> BoolArray:
        """``(w,)`` the last windows of their texts."""
        last: BoolArray = self.number == self.n_windows - 1
        return last

    def of(self, kept: BoolArray) -> "Plan":
        """Some of the windows; their numbers stay.

        What a window that is gone counted, the next that has it counts.
        """
        part = Plan(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})
        before = np.where(np.diff(part.example, prepend=-1) == 0, np.roll(part.stop, 1), 0)
        return replace(part, fresh=np.maximum(part.start, before))

    def positions(self) -> tuple[IntArray, BoolArray, IntArray]:
        """Positions of all windows, one after the other.

        Returns
        -------
        position, counted, first : (p,) int, (p,) bool, (w + 1,) int
            Positions of the batch, whether the window counts them, and where each window begins.
        """
        head_end = self.head + self.n_head
        first = np.stack([self.head, self.start, self.tail], axis=1)
        last = np.stack([head_end, self.stop, self.end], axis=1)
        counted_from = np.stack(
            [
                np.where(self.number == 0, self.head, head_end),
                self.fresh,
                np.where(self.is_last, self.tail, self.end),
            ],
            axis=1,
        )
        count = (last - first).ravel()
        position = ranges(first.ravel(), count)
        counted: BoolArray = position >= np.repeat(counted_from.ravel(), count)
        return position, counted, first_of(count.reshape(-1, 3).sum(axis=1))

    def place(self, window: IntArray, position: IntArray) -> IntArray:
        """Where positions of the batch lie in a window; those it has not fall on its next one."""
        before = np.minimum(position - self.head[window], self.n_head[window])
        body = np.clip(position, self.start[window], self.stop[window]) - self.start[window]
        place: IntArray = before + body + np.maximum(position - self.tail[window], 0)
        return place

    def has(self, window: IntArray, position: IntArray) -> BoolArray:
        """Whether a window has positions of its own text."""
        in_body = (position >= self.start[window]) & (position < self.stop[window])
        in_head = position < self.head[window] + self.n_head[window]
        has: BoolArray = in_body | in_head | (position >= self.tail[window])
        return has


def plan_windows(
    examples: ExampleBatch, added: BoolArray, *, max_length: int, overlap: int
) -> Plan:
    """Divide the examples that have more than `max_length` positions.

    Raises
    ------
    ParameterError
        No room beside what the tokenizer adds and the overlap.
    AlignmentError
        A window would have to be cut again.
    """
    first, last = examples.first_position[:-1], examples.first_position[1:]
    n_head, n_tail = _around(added, first, last)
    room = max_length - n_head - n_tail
    tight = np.flatnonzero((room <= overlap) & ((n_head < last - first) | (room < 0)))
    if not 0 <= overlap < max_length or tight.size:
        n_added = int((n_head + n_tail)[tight].max(initial=0))
        raise ParameterError(
            f"windows of {max_length} positions with an overlap of {overlap}, of which the "
            f"tokenizer adds {n_added}, have no room; expected max_length > added + overlap and "
            "overlap >= 0"
        )
    cut = last - first > max_length
    again = np.flatnonzero(cut & (np.asarray(examples.n_windows) > 1))
    if again.size:
        raise AlignmentError(
            f"{examples.example_id[again[0]]} is a window already; cut the whole text once"
        )
    body, step = last - first - n_head - n_tail, room - overlap
    n_windows = np.where(cut, 1 + -(-(body - room) // np.maximum(step, 1)), 1)
    example = np.repeat(np.arange(len(examples)), n_windows)
    number = ranges(np.zeros_like(n_windows), n_windows)
    head = np.where(cut, n_head, 0)
    tail = np.where(cut, last - n_tail, last)
    start = (first + head)[example] + number * step[example] * cut[example]
    return Plan(
        example=example,
        number=number,
        n_windows=n_windows[example],
        head=first[example],
        n_head=head[example],
        start=start,
        fresh=start + np.where(number > 0, overlap, 0),
        stop=np.where(
            cut[example], np.minimum(start + room[example], tail[example]), last[example]
        ),
        tail=tail[example],
        end=last[example],
    )


def _around(added: BoolArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """``(d,)`` positions that the tokenizer put before and after each text."""
    own = np.flatnonzero(~added)
    begin = np.searchsorted(own, first)
    end = np.searchsorted(own, last)
    bare = begin == end
    padded = np.append(own, 0)
    n_head = np.where(bare, last - first, padded[begin] - first)
    n_tail = np.where(bare, 0, last - 1 - padded[end - 1])
    return n_head, n_tail
