"""What the tokens of an answer take from the tokens of the code with the same spelling.

Spellings are numbered first: then equal ones of a whole batch are found and averaged as arrays.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count

import numpy as np

from gazecode.alignment.subwords.offsets import first_of, ranges, summed
from gazecode.model import TokenBatch
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["WORD", "Known", "Matched", "matched"]

WORD = re.compile(r"[^\W\d]\w*")
_RUN = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
_BEGINS: BoolArray = np.isin(np.arange(256), list(b"_")) | (np.arange(256) >= 0x80)
_BEGINS[list(range(ord("A"), ord("Z") + 1)) + list(range(ord("a"), ord("z") + 1))] = True
"""Bytes with which a word can begin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """``m`` tokens of the code and what is known of them; those not exposed match nothing.

    `divides` says whether a part of an identifier has only its share of the value.
    """

    tokens: TokenBatch
    value: FloatArray
    exposed: BoolArray
    on_path: BoolArray
    divides: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """``(k,)`` tokens that were found, the mean of what they match, whether any was on the path."""

    found: BoolArray
    value: FloatArray
    on_path: BoolArray


def matched(known: Known, answer: TokenBatch, *, prose: bool) -> Matched:
    """Match the ``k`` tokens of the answers with those of the code of the same source.

    Prose is looked up among identifiers and their parts, too, without case, where nothing is
    spelled alike; words of one character match nothing.
    """
    spelled = _Spelled.of(answer, np.arange(len(answer)))
    if prose:
        # Of these alone can the spelling be that of a word with more than one character.
        start, end = known.tokens.span.T
        byte = np.frombuffer(known.tokens.code + b"\0", dtype=np.uint8)
        is_word = known.exposed & _BEGINS[byte[start]] & (end - start > 1)
        code = _Spelled.of(known.tokens, np.flatnonzero(is_word))
        spelled = spelled.without(text for text in spelled.number if len(text) == 1)
    else:
        code = _Spelled.of(known.tokens, np.flatnonzero(known.exposed))
    own = answer.source
    found = _means(known, code.of_texts(spelled.number), spelled, own)
    if not prose:
        return found
    lower = [text.lower() for text in spelled.number]
    loose = _means(known, code.of_parts(lower, divides=known.divides), spelled, own)
    return Matched(
        found=found.found | loose.found,
        value=np.where(found.found, found.value, loose.value),
        on_path=np.where(found.found, found.on_path, loose.on_path),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """``r`` rows of a token of the code, the text it answers to and the share of its value.

    `of_answer` says which text each text of the answers asks for; -1 for one that is not there.
    """

    token: IntArray
    text: IntArray
    share: FloatArray | None
    of_answer: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spelled:
    """Some tokens of a batch, and which of the different spellings each has; -1 for none."""

    token: IntArray
    text: IntArray
    number: dict[str, int]

    @classmethod
    def of(cls, tokens: TokenBatch, chosen: IntArray) -> "_Spelled":
        code = tokens.code
        start, end = tokens.span[chosen].T
        raw = [code[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
        place = dict(zip(dict.fromkeys(raw), count(), strict=False))
        number: dict[str, int] = {}
        # Different bytes that are no UTF-8 may read alike.
        same = [number.setdefault(one.decode("utf-8", "replace"), len(number)) for one in place]
        of_place = np.array(same, dtype=np.int64)
        text = np.fromiter(map(place.__getitem__, raw), dtype=np.int64, count=len(raw))
        return cls(token=chosen, text=of_place[text], number=number)

    def without(self, texts: Iterable[str]) -> "_Spelled":
        """Take some texts for none."""
        gone = np.zeros(len(self.number), dtype=bool)
        gone[[self.number[text] for text in texts]] = True
        text = np.where(gone[self.text], -1, self.text)
        return _Spelled(token=self.token, text=text, number=self.number)

    def of_texts(self, wanted: Collection[str]) -> _Asked:
        """Tokens by their own spelling, those that somebody wants."""
        of_answer = np.array([self.number.get(text, -1) for text in wanted], dtype=np.int64)
        asked = np.zeros(len(self.number), dtype=bool)
        asked[of_answer[of_answer >= 0]] = True
        kept = asked[self.text]
        return _Asked(token=self.token[kept], text=self.text[kept], share=None, of_answer=of_answer)

    def of_parts(self, wanted: Sequence[str], *, divides: bool) -> _Asked:
        """Identifiers by themselves and by their parts, in lower case."""
        number = dict(zip(dict.fromkeys(wanted), count(), strict=False))
        parts = [
            [part for part in _parts(text) if part in number] if WORD.fullmatch(text) else []
            for text in self.number
        ]
        first = first_of(np.array([len(own) for own in parts], dtype=np.int64))
        of_part = np.array([number[part] for part in chain.from_iterable(parts)], dtype=np.int64)
        share: FloatArray = np.ones(len(of_part))
        if divides:
            length = np.array([len(text) for text in self.number], dtype=np.int64)
            part_length = [len(part) for part in chain.from_iterable(parts)]
            share = np.array(part_length) / np.repeat(length, np.diff(first))
        size = np.diff(first)[self.text]
        row = ranges(first[:-1][self.text], size)
        return _Asked(
            token=np.repeat(self.token, size),
            text=of_part[row],
            share=share[row],
            of_answer=np.array([number[text] for text in wanted], dtype=np.int64),
        )


def _means(known: Known, asked: _Asked, answers: _Spelled, own: IntArray) -> Matched:
    """Means of what has the text that each token of the answers asks for, within its source."""
    n_texts = 1 + int(asked.of_answer.max(initial=-1))
    wanted = np.append(asked.of_answer, -1)[answers.text]
    # Keys of a source and a text; nothing in the code has that of no text.
    key = np.where(wanted < 0, -1, own * n_texts + wanted)
    keys, place = np.unique(np.append(key, -1), return_inverse=True)
    given = known.tokens.source[asked.token] * n_texts + asked.text
    row = np.minimum(np.searchsorted(keys, given), len(keys) - 1)
    there = np.flatnonzero(keys[row] == given)
    row, token = row[there], asked.token[there]
    value = known.value[token]
    if asked.share is not None:
        value = value * asked.share[there]
    n = np.bincount(row, minlength=len(keys))
    mean = summed(row, value, len(keys)) / np.maximum(n, 1)
    seen = np.bincount(row[known.on_path[token]], minlength=len(keys)) > 0
    place = place[:-1]
    return Matched(found=n[place] > 0, value=mean[place], on_path=seen[place])


@lru_cache(maxsize=65536)
def _parts(identifier: str) -> tuple[str, ...]:
    """An identifier and its sub-words, in lower case, each once.

    >>> _parts("getHTTPUser_name2")
    ('gethttpuser_name2', 'get', 'http', 'user', 'name2')
    """
    runs = _RUN.findall(identifier)
    parts = [part.lower() for run in runs for part in _HUMP.split(run)]
    return tuple(dict.fromkeys([identifier.lower(), *(p for p in parts if len(p) > 1)]))
