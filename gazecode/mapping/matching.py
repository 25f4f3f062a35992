"""Two sequences of texts that should spell the same: which characters belong together.

Words (runs of letters and digits, single other characters) are aligned by their heaviest common
subsequence, a word weighing its characters (R. A. Wagner and M. J. Fischer 1974,
doi:10.1145/321796.321811); between them characters are aligned likewise; what is left is paired in
order where both sides have equally many texts left. Beyond `_MAX_CELLS` pairs the standard
library's difflib stands in: it takes the longest block first, which sparse areas may mislead.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np

from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Spelling", "match", "spell"]

_WORD = re.compile(r"\w+|[^\w\s]")
_UNKNOWN = "\x00"
"""Stands for a text that is missing; equal to nothing in a source."""
_MAX_CELLS = 16_000_000
"""More pairs than these are not compared one by one: the table would take over 64 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spelling:
    """Texts as one row of characters without blanks.

    Attributes
    ----------
    words, word_owner, word_start
        Words, the text each is from, and its first character.
    owner
        ``(c,)`` text each character is from.
    begin, end
        ``(c,)`` where in its text the character stands, blanks counted, as a fraction.
    """

    words: list[str]
    word_owner: IntArray
    word_start: IntArray
    owner: IntArray
    begin: FloatArray
    end: FloatArray


def spell(texts: Sequence[str | None]) -> Spelling:
    """Cut texts into words and characters.

    >>> spell(["this.x", "&lt;"]).words
    ['this', '.', 'x', '<']
    """
    words: list[str] = []
    word_owner: list[int] = []
    owner: list[int] = []
    begin: list[float] = []
    end: list[float] = []
    starts: list[int] = []
    for number, raw in enumerate(texts):
        text = _UNKNOWN if raw is None else html.unescape(raw).strip()
        length = max(len(text), 1)
        for found in _WORD.finditer(text):
            words.append(found.group())
            word_owner.append(number)
            starts.append(len(owner))
            places = range(found.start(), found.end())
            owner += [number] * len(places)
            begin += [p / length for p in places]
            end += [(p + 1) / length for p in places]
    return Spelling(
        words=words,
        word_owner=np.array(word_owner, dtype=np.int64),
        word_start=np.array([*starts, len(owner)], dtype=np.int64),
        owner=np.array(owner, dtype=np.int64),
        begin=np.array(begin, dtype=np.float64),
        end=np.array(end, dtype=np.float64),
    )


def match(written: Spelling, shown: Spelling) -> tuple[IntArray, IntArray]:
    """Characters of `shown` that have a partner, with the text of `written` they belong to.

    Returns
    -------
    token, char
        ``(p,)`` each.
    """
    if "".join(written.words) == "".join(shown.words):
        return written.owner, np.arange(len(shown.owner))
    pairs: list[tuple[IntArray, IntArray]] = []
    blocks = [(0, 0, 0), *_common(written.words, shown.words)]
    for (a, b, size), (next_a, next_b, next_size) in pairwise(blocks):
        gap_a, gap_b = (a + size, next_a), (b + size, next_b)
        if gap_a[0] < gap_a[1] and gap_b[0] < gap_b[1]:
            pairs += _match_gap(written, shown, gap_a, gap_b)
        first = written.word_start[[next_a, next_a + next_size]]
        second = written.owner[first[0] : first[1]]
        start = int(shown.word_start[next_b])
        pairs.append((second, np.arange(start, start + len(second))))
    token = np.concatenate([p[0] for p in pairs])
    char = np.concatenate([p[1] for p in pairs])
    return _pair_rest(written, shown, token, char)


def _match_gap(
    written: Spelling, shown: Spelling, gap_a: tuple[int, int], gap_b: tuple[int, int]
) -> list[tuple[IntArray, IntArray]]:
    text_a = "".join(written.words[gap_a[0] : gap_a[1]])
    text_b = "".join(shown.words[gap_b[0] : gap_b[1]])
    start_a, start_b = int(written.word_start[gap_a[0]]), int(shown.word_start[gap_b[0]])
    return [
        (
            written.owner[start_a + a : start_a + a + size],
            np.arange(start_b + b, start_b + b + size),
        )
        for a, b, size in _common(text_a, text_b)
    ]


def _common(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int]]:
    """Blocks ``(i, j, size)`` that two sequences have in common, in order, the last one empty.

    >>> _common(["public", "int", "a", "public", "int", "b"], ["public", "int", "b"])
    [(3, 0, 3), (6, 3, 0)]
    """
    if len(a) * len(b) > _MAX_CELLS:
        matcher = SequenceMatcher(None, a, b, autojunk=False)
        return [(m.a, m.b, m.size) for m in matcher.get_matching_blocks()]
    blocks: list[tuple[int, int, int]] = []
    for i, j in _heaviest_pairs(a, b):
        if blocks and (i, j) == (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]):
            blocks[-1] = (*blocks[-1][:2], blocks[-1][2] + 1)
        else:
            blocks.append((i, j, 1))
    return [*blocks, (len(a), len(b), 0)]


def _heaviest_pairs(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of the heaviest common subsequence; of equals the one latest in `a`, in one piece."""
    number = {word: k for k, word in enumerate(dict.fromkeys([*a, *b]))}
    code_a, code_b = ([number[word] for word in words] for words in (a, b))
    row = np.array(code_b, dtype=np.int64)
    best = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    for i, code in enumerate(code_a):
        with_this = best[i, :-1] + np.where(row == code, len(a[i]), 0)
        np.maximum.accumulate(np.maximum(best[i, 1:], with_this), out=best[i + 1, 1:])
    pairs = []
    i, j = len(a), len(b)
    while i and j:
        if code_a[i - 1] == code_b[j - 1] and best[i, j] == best[i - 1, j - 1] + len(a[i - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif best[i - 1, j] == best[i, j]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _pair_rest(
    written: Spelling, shown: Spelling, token: IntArray, char: IntArray
) -> tuple[IntArray, IntArray]:
    """Pair texts without any partner in order, where as many are left on both sides."""
    box = shown.owner[char]
    left_a = np.setdiff1d(written.word_owner, token)
    left_b = np.setdiff1d(shown.word_owner, box)
    # The matches around a leftover say which gap it stands in: how many matched texts come first.
    gap_a = np.searchsorted(np.unique(token), left_a)
    order = np.unique(box)
    partner = token[np.searchsorted(box, order)] if len(box) else order
    rank = np.searchsorted(np.unique(token), partner)
    gap_b = np.append(0, rank + 1)[np.searchsorted(order, left_b)]
    first = np.searchsorted(shown.owner, left_b)
    extra_token, extra_char = [], []
    for gap in np.intersect1d(gap_a, gap_b).tolist():
        mine, theirs = left_a[gap_a == gap], first[gap_b == gap]
        if len(mine) == len(theirs):
            extra_token.append(mine)
            extra_char.append(theirs)
    return np.concatenate([token, *extra_token]), np.concatenate([char, *extra_char])
