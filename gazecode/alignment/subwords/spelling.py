"""Offsets read from the pieces themselves, where they spell out the text byte by byte.

A library's offsets come as one Python tuple per subword, which costs more than all arithmetic of
the alignment. A byte-level tokenizer (Radford et al. 2019, the GPT-2 encoder) that neither rewrites
text nor trims offsets writes every byte of the text once, in order, so that in ASCII text the
lengths of the pieces are the offsets. That the pieces are the text is checked byte by byte, text by
text; for any other text, the library is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
import numpy.typing as npt

from gazecode.alignment.subwords.offsets import first_of, ranges
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["Spelling"]

NOT_SEEN, NO_TEXT = -1, 2**32
"""Lengths: not looked up yet; longer than any text, so that no sum of lengths fits."""


@dataclass(slots=True)
class Spelling:
    """The bytes of the pieces met so far.

    Attributes
    ----------
    spell
        The bytes an id stands for; None where they are not known.
    length, first
        By id: how many bytes, and where they begin in `data`.
    """

    spell: Callable[[int], bytes | None]
    length: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    first: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    data: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))

    def offsets(
        self, text: Sequence[str], ids: IntArray, added: BoolArray, first_position: IntArray
    ) -> tuple[IntArray, BoolArray]:
        """Character offsets of subwords, and the texts for which they hold.

        Parameters
        ----------
        text, ids
            ``d`` texts, and their ``n`` subwords end to end.
        added
            ``(n,)`` subwords the tokenizer put around a text; they stand for none of it.
        first_position
            ``(d + 1,)`` where the subwords of each text begin.

        Returns
        -------
        offsets, known
            ``(n, 2)``, meaningless where ``(d,)`` `known` is false.
        """
        self._learn(ids)
        length = np.where(added, 0, self.length[ids])
        end = first_of(length)
        own_end = end[first_position]
        size = np.array([len(t) if t.isascii() else -1 for t in text], dtype=np.int64)
        known = np.diff(own_end) == size
        self._compare(text, ids, length, known, first_position)
        own_start = np.repeat(own_end[:-1], np.diff(first_position))
        offsets = np.stack([end[:-1] - own_start, end[1:] - own_start], axis=1)
        offsets[added] = 0
        return offsets, known

    def _compare(
        self,
        text: Sequence[str],
        ids: IntArray,
        length: IntArray,
        known: BoolArray,
        first_position: IntArray,
    ) -> None:
        """Take back `known` where the pieces are as long as the text, but another text."""
        here = np.repeat(known, np.diff(first_position))
        pieces = self.data[ranges(self.first[ids[here]], length[here])]
        texts = np.frombuffer("".join(compress(text, known)).encode(), dtype=np.uint8)
        wrong = np.flatnonzero(pieces != texts)
        if len(wrong):
            numbers = np.flatnonzero(known)
            ends = np.cumsum([len(t) for t in compress(text, known)])
            known[numbers[np.searchsorted(ends, wrong, side="right")]] = False

    def _learn(self, ids: IntArray) -> None:
        """Look up ids not met before."""
        more = int(ids.max(initial=-1)) + 1 - len(self.length)
        if more > 0:
            self.length = np.append(self.length, np.full(more, NOT_SEEN))
            self.first = np.append(self.first, np.zeros(more, dtype=np.int64))
        fresh = np.unique(ids[self.length[ids] == NOT_SEEN])
        if not len(fresh):
            return
        spelled = [self.spell(i) for i in fresh.tolist()]
        pieces = [piece or b"" for piece in spelled]
        self.first[fresh] = len(self.data) + first_of(np.array([len(p) for p in pieces]))[:-1]
        self.length[fresh] = [NO_TEXT if piece is None else len(piece) for piece in spelled]
        self.data = np.append(self.data, np.frombuffer(b"".join(pieces), dtype=np.uint8))
