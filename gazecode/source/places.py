"""Places of rules as chains of steps, in the numbers of a grammar.

The notation is that of `gazecode.source.roles`.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gazecode.errors import ParameterError

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar

__all__ = ["ERROR_KIND", "NO_FIELD", "Place", "Step", "Vocabulary", "split_place"]

ERROR_KIND = 0xFFFF
"""tree-sitter's number for text it could not parse."""
NO_FIELD = 0

_STEP = re.compile(r"(?P<axis>//|/|\.|~|^)(?P<name>@?\w+)(?:=(?P<kind>@?\w+))?")
_PUNCTUATION = re.compile(r"(?P<axis>/|~)(?P<name>\S+?)(?P<kind>)(?=~\S|$)")


class Step(NamedTuple):
    """One node of a place: may it stand deeper, in which field, of which kinds (None: any).

    `after` are the words of which one must be the last before it (None: it may stand anywhere).
    """

    deep: bool
    field: int | None
    kinds: frozenset[int] | None
    after: frozenset[int] | None = None

    def fits(self, kind: int, field: int, after: int) -> bool:
        """Whether a node fits."""
        in_field = self.field is None or self.field == field
        in_turn = self.after is None or after in self.after
        return in_field and in_turn and (self.kinds is None or kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Place:
    """Steps, and whether the first must be the outermost function."""

    steps: tuple[Step, ...]
    outermost: bool = False


def split_place(place: str) -> list[tuple[str, str, str]]:
    """Steps of a place without its ``^`` as ``(axis, field, kind)``; "" where it says nothing.

    >>> split_place("call.function=name/_")
    [('', '', 'call'), ('.', 'function', 'name'), ('/', '', '_')]
    >>> split_place("ternary_expression/?~_")
    [('', '', 'ternary_expression'), ('/', '', '?'), ('~', '', '_')]
    """
    steps: list[tuple[str, str, str]] = []
    at = 0
    while at < len(place):
        # Punctuation has no name to end at: it goes on to the next word's sign, or to the end.
        step = _STEP.match(place, at) or _PUNCTUATION.match(place, at)
        if step is None:
            steps.append(("/", "", place[at:]))
            break
        axis, name, kind = step["axis"], step["name"], step["kind"] or ""
        steps.append((axis, name, kind) if axis == "." else (axis, "", name))
        at = step.end()
    return steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Kinds and fields of a grammar by name; one name may have several numbers.

    `words` are the kinds without a name of their own: keywords, signs, brackets.
    """

    kinds: dict[str, frozenset[int]]
    fields: dict[str, int]
    names: dict[int, str]
    words: frozenset[int]

    @classmethod
    def of(cls, grammar: "Grammar", groups: dict[str, frozenset[str]]) -> "Vocabulary":
        """Read a grammar; `groups` are sets of kinds with a name of their own (``@name``)."""
        names = {k: grammar.node_kind_for_id(k) or "" for k in range(grammar.node_kind_count)}
        names |= {ERROR_KIND: "ERROR", ERROR_KIND - 1: "ERROR"}
        kinds: dict[str, set[int]] = {}
        for number, name in names.items():
            kinds.setdefault(name, set()).add(number)
        for group, members in groups.items():
            kinds[f"@{group}"] = set().union(*(kinds.get(name, set()) for name in members))
        fields = {grammar.field_name_for_id(f) or "": f for f in range(1, grammar.field_count + 1)}
        words = range(1, grammar.node_kind_count)
        return cls(
            kinds={k: frozenset(v) for k, v in kinds.items()},
            fields=fields,
            names=names,
            words=frozenset(k for k in words if not grammar.node_kind_is_named(k)),
        )

    def of_kinds(self, names: frozenset[str]) -> frozenset[int]:
        """Numbers of kinds; a kind the grammar does not have has none."""
        return frozenset().union(*(self.kinds.get(name, frozenset()) for name in names))

    def place(self, text: str) -> Place:
        """Compile a place.

        Raises
        ------
        ParameterError
            There is no ``kind/word`` before a ``~``.
        """
        steps: list[Step] = []
        for axis, field, kind in split_place(text.removeprefix("^")):
            kinds = None if kind in ("", "_") else self.kinds.get(kind, frozenset())
            if axis == "~":
                # The word is no step: what stands behind it is, if the word came last.
                if len(steps) < 2:
                    raise ParameterError(f"place {text!r}: expected kind/word before ~")
                steps[-1] = Step(steps[-1].deep, None, kinds, steps[-1].kinds or frozenset())
            else:
                number = self.fields.get(field, -1) if field else None
                steps.append(Step(axis in ("", "//"), number, kinds))
        return Place(tuple(steps), outermost=text.startswith("^"))
