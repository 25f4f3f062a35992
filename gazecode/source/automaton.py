"""Rules of labels as an automaton over the path from the root to a leaf.

Which label a leaf gets depends on the nodes above it, and they are few different ones as far as
the rules can tell: the best rule met so far, how far each place is matched, whether a function was
entered. These are the states. A step down the tree is one look-up, worked out when it is first
met and kept for all sources of the language, so that a corpus costs what walking its trees costs.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from gazecode.model.checks import BoolArray, IntArray
from gazecode.model.labels import LABELS, CodeArray, label_codes
from gazecode.source.language import Language
from gazecode.source.leaves import Child, Key
from gazecode.source.places import NO_FIELD, Step, Vocabulary
from gazecode.source.program import AFTER, BEFORE, Effect, Meaning, compile_rules
from gazecode.source.roles import EXTERNAL

__all__ = ["Automaton", "Outcome", "OutcomeTable", "RuleMoves"]

PUNCTUATION = frozenset("(){}[];,.")
_NO_ROLE = frozenset({":", "@", "ERROR"})
_CODE = {label: code for code, label in enumerate(LABELS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the automaton says of a leaf.

    Attributes
    ----------
    role
        Code of the label; 0 for none, or for a name still open.
    around
        Code of the label of the nodes around it alone: that of text beside it in no leaf.
    punctuation, error
        Whether it is punctuation (which has a role, but no label), or text in no syntax.
    identifier
        Whether it is a name.
    name
        Whether its label depends on where the name is declared.
    marks
        1: its standing there declares the name; 2: its first occurrence does.
    waits, allows
        Rules, as bits, that wait for the next leaf and for the previous one; and those of which
        this leaf is the neighbour they wait for.
    """

    role: int
    around: int
    punctuation: bool
    error: bool
    omitted: bool
    identifier: bool
    name: bool
    marks: int
    waits: tuple[int, int]
    allows: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTable:
    """Outcomes by number, one array per attribute; `label` is the role of what has a label."""

    role: CodeArray
    label: CodeArray
    around: CodeArray
    punctuation: BoolArray
    error: BoolArray
    omitted: BoolArray
    identifier: BoolArray
    name: BoolArray
    marks: IntArray
    waits: IntArray
    allows: IntArray

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "OutcomeTable":
        """Lay outcomes out in columns."""
        return cls(
            role=np.array([o.role for o in outcomes], dtype=np.int8),
            label=np.array([0 if o.punctuation else o.role for o in outcomes], dtype=np.int8),
            around=np.array([o.around for o in outcomes], dtype=np.int8),
            punctuation=np.array([o.punctuation for o in outcomes], dtype=bool),
            error=np.array([o.error for o in outcomes], dtype=bool),
            omitted=np.array([o.omitted for o in outcomes], dtype=bool),
            identifier=np.array([o.identifier for o in outcomes], dtype=bool),
            name=np.array([o.name for o in outcomes], dtype=bool),
            marks=np.array([o.marks for o in outcomes], dtype=np.int64),
            waits=np.array([o.waits for o in outcomes], dtype=np.int64).reshape(-1, 2),
            allows=np.array([o.allows for o in outcomes], dtype=np.int64).reshape(-1, 2),
        )


@dataclass(frozen=True, slots=True)
class State:
    """All the rules can tell of the nodes above.

    `best` is the first rule that holds (the number of rules for none), `partial` the places begun
    and the step each waits for, `inside` is 1 in a function, 2 in one of `Language.units`, `after`
    the last word passed in the node itself, where a place asks for it.
    """

    best: int
    marks: int
    partial: frozenset[tuple[int, int]]
    inside: int
    after: int = 0


class RuleMoves(dict[Key, "Child | None"]):
    """One state of the rules, as `gazecode.source.leaves.Moves`."""

    __slots__ = ("automaton", "exact", "opens", "ordered", "state")

    def __init__(self, automaton: "Automaton", state: State, *, opens: bool) -> None:
        super().__init__()
        self.automaton = automaton
        steps = automaton.awaited(state)
        self.ordered = any(step.after is not None for step in steps)
        self.exact = self.ordered or any(step.field is not None for step in steps)
        self.opens = opens
        self.state = state

    def __missing__(self, key: Key) -> Child | None:
        kind, field = (key, None) if isinstance(key, int) else key
        if self.exact and isinstance(key, int):
            return self.setdefault(key, None)
        splits = kind not in self.automaton.undivided
        child = Child(kind=kind, field=field or NO_FIELD, splits=splits)
        if self.ordered and kind in self.automaton.vocabulary.words:
            self.leaf(child)
            child.then = self.automaton.passed(self.state, kind)
        return self.setdefault(key, child)

    def leaf(self, child: Child, /) -> int:
        """Number of the outcome of a leaf."""
        child.number = number = self.automaton.outcome(self.state, child.kind, child.field)
        return number

    def enter(self, child: Child, /) -> "RuleMoves":
        """State inside a child."""
        inner = self.automaton.enter(self.state, child.kind, child.field)
        if inner.opens:
            child.opened = inner
        else:
            child.inner = inner
        return inner


class Automaton:
    """The rules of one language, and the states and outcomes met so far."""

    def __init__(self, language: Language, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.outcomes: list[Outcome] = []
        self._program = compile_rules(language, vocabulary)
        self.rule_codes = label_codes(rule.label for rule in self._program.rules)
        # Nothing is inside a bracket: asking every one of them costs the walk time.
        self.undivided = vocabulary.of_kinds(language.whole | PUNCTUATION)
        self._functions = vocabulary.of_kinds(language.functions)
        self._units = vocabulary.of_kinds(language.units)
        self._names, self._literals = language.roles.names, language.roles.literals
        self._states: dict[tuple[State, bool], RuleMoves] = {}
        self._numbers: dict[Outcome, int] = {}
        self._table = OutcomeTable.of([])
        self._lock = threading.Lock()
        nothing = State(len(self.rule_codes), 0, frozenset(), 0)
        self.root = self._moves(nothing, opens=False)

    @property
    def table(self) -> OutcomeTable:
        """The outcomes met so far."""
        if len(self._table.role) != len(self.outcomes):
            self._table = OutcomeTable.of(list(self.outcomes))
        return self._table

    def awaited(self, state: State) -> list[Step]:
        """Return the steps that children of a node may take."""
        return [self._program.places[place].steps[step] for place, step in state.partial]

    def passed(self, state: State, word: int) -> RuleMoves:
        """Return the state behind a word of a node."""
        return self._moves(replace(state, after=word), opens=False)

    def enter(self, state: State, kind: int, field: int) -> RuleMoves:
        """Return the state inside a node."""
        level = 2 if kind in self._units else 1 if kind in self._functions else 0
        opens = level > state.inside
        if opens:
            # Whatever stands around the outermost function says nothing about its inside.
            state = State(len(self.rule_codes), 0, frozenset(), level)
        effects, begun = self._step(state, kind, field, opens=opens)
        best = min([state.best, *_numbers(effects, Meaning.CLAIM)])
        marks = state.marks | _bits(effects, Meaning.MARK)
        matters = self._program.still_matters
        partial = frozenset(p for p in begun if matters(p[0], best))
        return self._moves(State(best, marks, partial, state.inside), opens=opens)

    def outcome(self, state: State, kind: int, field: int) -> int:
        """Return the number of what the rules say of a leaf."""
        effects, _ = self._step(state, kind, field)
        effects.extend(self._program.words.get(kind, ()))
        best = min([state.best, *_numbers(effects, Meaning.CLAIM)])
        name = self.vocabulary.names[kind]
        is_name, claimed = name in self._names, best < len(self.rule_codes)
        found = Outcome(
            role=int(self.rule_codes[best]) if claimed else self._default(name),
            around=int(self.rule_codes[state.best]) if state.best < len(self.rule_codes) else 0,
            punctuation=name in PUNCTUATION,
            error=name == "ERROR",
            omitted=any(e.meaning is Meaning.OMIT for e in effects),
            identifier=is_name,
            name=is_name and not claimed,
            marks=(state.marks | _bits(effects, Meaning.MARK)) if is_name else 0,
            waits=_two_sides(e for e in effects if e.meaning is Meaning.WAIT and e.number < best),
            allows=_two_sides(e for e in effects if e.meaning is Meaning.ALLOW),
        )
        with self._lock:
            number = self._numbers.setdefault(found, len(self.outcomes))
            if number == len(self.outcomes):
                self.outcomes.append(found)
        return number

    def _step(
        self, state: State, kind: int, field: int, *, opens: bool = False
    ) -> tuple[list[Effect], set[tuple[int, int]]]:
        """Effects of the places a child completes, and the places begun inside it."""
        program = self._program
        first = program.begins.get(kind, ())
        waiting = [(p, 0) for p in first if opens or not program.places[p].outermost]
        effects: list[Effect] = []
        partial: set[tuple[int, int]] = set()
        for place, number in [*waiting, *state.partial]:
            steps = program.places[place].steps
            if number and steps[number].deep:
                partial.add((place, number))
            if not steps[number].fits(kind, field, state.after):
                continue
            if number + 1 == len(steps):
                effects.append(program.effects[place])
            else:
                partial.add((place, number + 1))
        return effects, partial

    def _moves(self, state: State, *, opens: bool) -> RuleMoves:
        known = self._states.get((state, opens))
        if known is not None:
            return known
        return self._states.setdefault((state, opens), RuleMoves(self, state, opens=opens))

    def _default(self, name: str) -> int:
        """Role of a leaf that no rule claims, by what it is."""
        if name in self._literals:
            return _CODE["literal"]
        if name in self._names or name in _NO_ROLE or name in PUNCTUATION:
            return 0
        return _CODE[EXTERNAL] if name.isidentifier() else _CODE["operator"]


def _numbers(effects: Iterable[Effect], meaning: Meaning) -> list[int]:
    return [effect.number for effect in effects if effect.meaning is meaning]


def _bits(effects: Iterable[Effect], meaning: Meaning) -> int:
    bits = 0
    for number in _numbers(effects, meaning):
        bits |= number
    return bits


def _two_sides(effects: Iterable[Effect]) -> tuple[int, int]:
    bits = [0, 0]
    for effect in effects:
        bits[effect.side] |= 1 << effect.number
    return bits[BEFORE], bits[AFTER]
