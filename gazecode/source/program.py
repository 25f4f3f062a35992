"""The rules of a language compiled: places to watch for, and what reaching one means."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from gazecode.source.language import Language
from gazecode.source.places import Place, Vocabulary
from gazecode.source.roles import Rule

__all__ = ["AFTER", "BEFORE", "Effect", "Meaning", "Program", "compile_rules"]

BEFORE, AFTER = 0, 1
"""Sides of a leaf on which a rule asks for a neighbour: the next leaf, the previous one."""


class Meaning(Enum):
    """What it means that a node stands at a place."""

    CLAIM = auto()
    """Rule `number` holds for it and everything inside."""
    MARK = auto()
    """Names inside are declared: bit `number`."""
    WAIT = auto()
    """Rule `number` holds if the neighbour on `side` allows it."""
    OMIT = auto()
    """The published token stream has no such leaf."""
    ALLOW = auto()
    """The neighbour that rule `number` asks for on `side`."""


class Effect(NamedTuple):
    """Meaning of a place, and for which rule or bit."""

    meaning: Meaning
    number: int
    side: int = BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All places of a language.

    Attributes
    ----------
    rules
        In order of precedence.
    places, effects
        One effect a place.
    begins
        Kind → the places whose first step it fits.
    words
        Leaf kind → what it carries itself.
    """

    rules: tuple[Rule, ...]
    places: tuple[Place, ...]
    effects: tuple[Effect, ...]
    begins: dict[int, tuple[int, ...]]
    words: dict[int, tuple[Effect, ...]]

    def still_matters(self, place: int, best: int) -> bool:
        """Whether a place can change anything once rule `best` holds."""
        effect = self.effects[place]
        return effect.meaning not in (Meaning.CLAIM, Meaning.WAIT) or effect.number < best


def compile_rules(language: Language, vocabulary: Vocabulary) -> Program:
    """Compile the rules of a language into the numbers of its grammar."""
    roles = language.roles
    rules = roles.rules + roles.left_over
    effects = [
        (roles.declares, Effect(Meaning.MARK, 1)),
        (roles.assigns, Effect(Meaning.MARK, 2)),
        (language.omits, Effect(Meaning.OMIT, 0)),
    ]
    words: dict[int, tuple[Effect, ...]] = {}
    for number, rule in enumerate(rules):
        own = _own_effect(number, rule)
        effects.append((rule.places, own))
        effects.append((rule.before, Effect(Meaning.ALLOW, number, BEFORE)))
        effects.append((rule.after, Effect(Meaning.ALLOW, number, AFTER)))
        for word in rule.words.split():
            for kind in vocabulary.kinds.get(word, frozenset()):
                words[kind] = (*words.get(kind, ()), own)
    watched = [
        (vocabulary.place(text), effect) for texts, effect in effects for text in texts.split()
    ]
    begins: dict[int, tuple[int, ...]] = {}
    for number, (place, _) in enumerate(watched):
        first = place.steps[0].kinds
        for kind in vocabulary.names if first is None else first:
            begins[kind] = (*begins.get(kind, ()), number)
    return Program(
        rules=rules,
        places=tuple(place for place, _ in watched),
        effects=tuple(effect for _, effect in watched),
        begins=begins,
        words=words,
    )


def _own_effect(number: int, rule: Rule) -> Effect:
    if rule.before:
        return Effect(Meaning.WAIT, number, BEFORE)
    if rule.after:
        return Effect(Meaning.WAIT, number, AFTER)
    return Effect(Meaning.CLAIM, number)
