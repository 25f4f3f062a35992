"""One name and its definitions: those of one scope, and the scopes one around the other."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gazecode.source.scopes import NEVER, NONE

__all__ = ["Chain", "Entry", "make_chain"]


@dataclass(slots=True)
class Entry:
    """All definitions of one name in one scope and namespace, in text order.

    `heads` are those that other tokens may be uses of, `by_count` tells overloads apart.
    """

    tokens: list[int] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)
    weak: list[bool] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    heads: list[int] = field(default_factory=list)
    by_count: dict[int, int] = field(default_factory=dict)
    seen_from: int = NEVER

    def add(self, token: int, visible: int, words: frozenset[str]) -> None:
        """Add the next definition in text order; a token that is captured twice counts once."""
        if not self.tokens or self.tokens[-1] != token:
            self.tokens.append(token)
            self.visible.append(visible)
            self.weak.append("weak" in words)
        self.words |= words
        self.seen_from = min(self.seen_from, visible)

    def latest(self, byte: int) -> int:
        """The last definition that is visible at `byte`, where one is."""
        return self.tokens[bisect_right(self.visible, byte) - 1]


@dataclass(slots=True)
class Chain:
    """Where one name is defined: scopes in order, and for each the place of the next one around.

    `innermost` gives, for each scope that uses the name, the place of the first to look at.
    """

    scopes: list[int]
    entries: list[Entry]
    up: list[int]
    innermost: dict[int, int]

    def seen(self, i: int, byte: int) -> int:
        """From `i` outward the first one visible at `byte`, which may only fall between calls.

        What is not visible here is not visible further up in the text: it is stepped over for good.
        """
        unseen = []
        while i >= 0 and self.entries[i].seen_from > byte:
            unseen.append(i)
            i = self.up[i]
        for passed in unseen:
            self.up[passed] = i
        return i


def make_chain(here: dict[int, Entry], users: Iterable[int], last: Sequence[int]) -> Chain:
    """Order the scopes that define a name (`here`) for those that use it (`users`)."""
    chain = Chain(sorted(here), [here[s] for s in sorted(here)], [], {})
    # One sweep for the scopes that define and those that use: the open ones are on the stack.
    around: list[int] = []
    for scope in sorted({*here, *users}):
        while around and last[chain.scopes[around[-1]]] < scope:
            around.pop()
        if scope in here:
            chain.up.append(around[-1] if around else NONE)
            around.append(len(chain.up) - 1)
        chain.innermost[scope] = around[-1] if around else NONE
    return chain
