"""What a language says of its nodes: which role each plays for the semantic label.

The roles are those of the EyeTrans and EyeMulator line of work (Zhang et al.,
doi:10.1145/3643732), as a table of rules in order of precedence. A rule lists where its label
holds:

``kind``              the node or any node inside it
``kind.field``        what stands in that field of the node, and everything inside
``kind/child``        a child of that kind, and everything inside
``kind.field.field``  a field of what stands in the field

and the words (leaf kinds) that carry the label themselves. The first rule that fits wins. What no
rule claims is decided by the leaf: literal, operator, declared name, other name.
"""

from dataclasses import dataclass

__all__ = ["DECLARATION", "EXTERNAL", "Roles", "Rule"]

DECLARATION = "variable declaration"
EXTERNAL = "externally defined variable or function"


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, the places it holds in and the words that carry it; blank-separated lists."""

    label: str
    places: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The rules of one language.

    Attributes
    ----------
    rules
        First match wins.
    literals, names
        Leaf kinds of literals, and of identifiers.
    declares
        Places whose names are declared by standing there.
    assigns
        Places where the first occurrence of a name declares it; "" where declarations are nodes.
    """

    rules: tuple[Rule, ...]
    literals: frozenset[str]
    names: frozenset[str]
    declares: str
    assigns: str = ""
