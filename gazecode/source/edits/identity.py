"""Which token of a new version is which token of the version before.

An id follows characters. Every character has a *home*: the id of the token that it was first part
of. When the text changes, the tokens that no edit and no new border touched keep their ids. For the
others:

1. A token goes on as the one that at least half of its surviving characters stood in just before.
   Of several that could go on as one, the one with most characters at home there does, then the
   one with most characters from it, then the first; if none has a character at home, none does.
2. What is left takes the id that at least half of its characters have as their home, if no token
   has it: what a comment or an open string had swallowed comes back as what it was.
3. Everything else is a new token. One that lost an id to another piece is its ``parent``'s child.

Characters that were typed have no home until their token has an id, and count for nothing: a name
that is extended, shortened or corrected keeps its id as long as one of its characters stays; one
deleted whole and typed again is new. A text that is again as it was before an edit not yet undone
(whoever undid it, in one step or in several) has the ids that it had then.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from gazecode.model.checks import IntArray
from gazecode.source.edits.replay import Splice
from gazecode.source.edits.versions import Rows, same_ends

__all__ = ["Identities"]

_NONE = -1


@dataclass(frozen=True, slots=True)
class _Undo:
    """How to take one step back: homes that were given, and those of what was cut out."""

    text: bytes
    version: int
    at: IntArray
    home: IntArray
    cuts: tuple[tuple[int, int, IntArray], ...]


@dataclass(slots=True)
class Identities:
    """Ids of the tokens of one version after another.

    Attributes
    ----------
    rows
        Every version so far: begin, end (bytes) and id of each token.
    parent
        Per id the one it was split off from; -1 for none.
    """

    rows: Rows = field(default_factory=Rows)
    parent: list[int] = field(default_factory=list)
    _home: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _text: bytes = b""
    _undo: list[_Undo] = field(default_factory=list)
    _depth: dict[bytes, int] = field(default_factory=dict)

    def begin(self, code: bytes, span: IntArray) -> None:
        """Take the first version."""
        self.parent = [_NONE] * len(span)
        ids = np.arange(len(span))
        self._home, self._text = _owners(span, ids, len(code)), _digest(code)
        self.rows.append(np.column_stack([span, ids]), len(code))

    def step(self, code: bytes, splices: Sequence[Splice], span: IntArray) -> IntArray:
        """Take the next version; returns for every byte the id of its token just before (or -1)."""
        before, size = self.rows.last, self.rows.size
        now = _owners(before[:, :2], before[:, 2], size)
        text = _digest(code)
        home = self._home
        cuts = []
        for splice in splices:
            new = np.full(len(splice.new), _NONE)
            cuts.append((splice.start, len(splice.new), home[splice.start : splice.stop].copy()))
            home, now = (
                np.concatenate([column[: splice.start], new, column[splice.stop :]])
                for column in (home, now)
            )
        if text == self._text:
            # Cut and put back at once: nothing happened.
            rows = before
        elif text in self._depth:
            rows = self._back(self._depth[text])
        else:
            given = home.copy()
            rows = self._match(code, span, now, given, _touched(splices, size))
            at = np.flatnonzero(given != home)
            self._depth[self._text] = len(self._undo)
            self._undo.append(_Undo(self._text, len(self.rows) - 1, at, home[at], tuple(cuts)))
            self._home = given
        self._text = text
        self.rows.append(rows, len(code))
        return now

    def _back(self, depth: int) -> IntArray:
        """Undo all steps but `depth`; the rows that held then."""
        home = self._home
        version = 0
        while len(self._undo) > depth:
            step = self._undo.pop()
            del self._depth[step.text]
            home = home.copy()
            home[step.at] = step.home
            for start, length, cut in reversed(step.cuts):
                home = np.concatenate([home[:start], cut, home[start + length :]])
            version = step.version
        self._home = home
        return self.rows[version]

    def _match(
        self, code: bytes, span: IntArray, now: IntArray, home: IntArray, touched: tuple[int, int]
    ) -> IntArray:
        """Ids of a version that was not there before; gives homes to the homeless, in place."""
        before = self.rows.last
        head, tail = _kept(before[:, :2], span, touched, self.rows.size, len(code))
        m = len(span)
        ids = np.full(m, _NONE)
        ids[:head], ids[m - tail :] = before[:head, 2], before[len(before) - tail :, 2]
        first = (np.frombuffer(code, dtype=np.uint8) & 0xC0) != 0x80
        middle = [
            _Token(slice(a, b), now[a:b][first[a:b]], home[a:b][first[a:b]])
            for a, b in span[head : m - tail].tolist()
        ]
        held = _go_on(middle) | set(ids[ids != _NONE].tolist())
        self.parent += _come_back(middle, held, len(self.parent))
        for number, token in enumerate(middle, head):
            ids[number] = token.id
            part = home[token.bytes]
            part[(part == _NONE) | (part == token.lost)] = token.id
        return np.column_stack([span, ids])


@dataclass(slots=True)
class _Token:
    """A token of the part that changed: its characters' tokens just before, and their homes."""

    bytes: slice
    now: IntArray
    home: IntArray
    id: int = _NONE
    lost: int = -2
    """The id that it lost to another piece; its characters have their home here now."""


def _go_on(tokens: list[_Token]) -> set[int]:
    """Rule 1; the ids that go on."""
    claims = defaultdict(list)
    for place, token in enumerate(tokens):
        label, count = _most(token.now)
        if label != _NONE:
            at_home = int((token.home == label).sum())
            claims[label].append((at_home, count, -place))
    gone_on = set()
    for label, claimants in claims.items():
        at_home, _, place = max(claimants)
        if at_home or len(claimants) == 1:
            tokens[-place].id = label
            gone_on.add(label)
    return gone_on


def _come_back(tokens: list[_Token], held: set[int], n_ids: int) -> list[int]:
    """Rules 2 and 3; the parents of new ids, which are numbered from `n_ids`."""
    claims = defaultdict(list)
    for place, token in enumerate(tokens):
        if token.id == _NONE:
            label, count = _most(token.home)
            token.lost = label if label != _NONE else token.lost
            claims[label].append((count, -place))
    for label, claimants in claims.items():
        if label != _NONE and label not in held:
            token = tokens[-max(claimants)[1]]
            token.id, token.lost = label, -2
    parents: list[int] = []
    for token in tokens:
        if token.id == _NONE:
            token.id = n_ids + len(parents)
            parents.append(max(token.lost, _NONE))
    return parents


def _most(labels: IntArray) -> tuple[int, int]:
    """The label of at least half of those that have one, and how many; the first of two."""
    known = labels[labels != _NONE].tolist()
    if not known:
        return _NONE, 0
    label, count = Counter(known).most_common(1)[0]
    return (label, count) if 2 * count >= len(known) else (_NONE, 0)


def _touched(splices: Sequence[Splice], size: int) -> tuple[int, int]:
    """How many bytes at the beginning and at the end no splice reaches."""
    head = tail = size
    for splice in splices:
        head = min(head, splice.start)
        tail = min(tail, size - splice.stop)
        size += len(splice.new) - (splice.stop - splice.start)
    return head, tail


def _kept(
    old: IntArray, new: IntArray, touched: tuple[int, int], size: int, new_size: int
) -> tuple[int, int]:
    """How many tokens at the beginning and at the end are as they were, in text that is."""
    head, tail = same_ends(old, new, np.full(2, new_size - size))
    first = int(np.searchsorted(old[:, 1], touched[0], side="right"))
    last = int(np.searchsorted(old[:, 0], size - touched[1], side="left"))
    return min(head, first), min(tail, len(old) - last)


def _owners(span: IntArray, ids: IntArray, size: int) -> IntArray:
    """For every byte the id of its token, -1 between tokens."""
    owner = np.full(size, _NONE)
    length = span[:, 1] - span[:, 0]
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    place = np.arange(total) + np.repeat(span[:, 0] - ends + length, length)
    owner[place] = np.repeat(ids, length)
    return owner


def _digest(code: bytes) -> bytes:
    return blake2b(code, digest_size=16).digest()
