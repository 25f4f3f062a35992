"""What a language says of its nodes: which role each plays for the semantic label.

The roles are those of the EyeTrans and EyeMulator line of work (Zhang et al.,
doi:10.1145/3643732), as a table of rules in order of precedence. A rule lists where its label
holds. A place is a chain of nodes; it holds for the last of them and everything inside, up to the
outermost function around it:

``kind``            the node
``kind.field``      what stands in that field of the node
``kind.field=kind`` the same, if it is of that kind
``kind/child``      a child of that kind; ``_`` is any
``kind//inner``     a node of that kind at any depth
``kind/word~child`` a child of that kind between that word of the node and the next one (any node
                    the grammar gives no name, ``if`` or ``?``, is a word)

A place that begins with ``^`` begins with the outermost function. Steps follow one another
(``call.function.attribute``), ``@literals`` and ``@names`` stand for the
kinds the language lists under these names. Words are leaf kinds that carry the label themselves.
The first rule that fits wins. What no rule claims is decided by the leaf: literal, operator,
declared name, other name.
"""

from dataclasses import dataclass

__all__ = ["DECLARATION", "EXTERNAL", "LEFT_OVER", "Roles", "Rule"]

DECLARATION = "variable declaration"
EXTERNAL = "externally defined variable or function"


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, the places it holds in and the words that carry it; blank-separated lists.

    Attributes
    ----------
    before, after
        Places, or "": the rule then holds for a leaf that is itself at one of `places`, and only
        where the next (for `before`) or the previous leaf (for `after`) stands at one of these.
        Leaves in a row that all ask for a neighbour on that side share the one beyond the row.
    """

    label: str
    places: str = ""
    words: str = ""
    before: str = ""
    after: str = ""


LEFT_OVER = (
    Rule("function call", "call.function=@names"),
    Rule(
        "literal",
        "binary_expression/@literals binary_operator/@literals comparison_operator/@literals",
    ),
    Rule(
        "assignment",
        "assignment_expression//@literals assignment//@literals augmented_assignment//@literals",
    ),
)
"""Rules after those of the language; nodes that a grammar does not have count for nothing."""


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
    left_over
        Rules for what `rules` do not claim.
    """

    rules: tuple[Rule, ...]
    literals: frozenset[str]
    names: frozenset[str]
    declares: str
    assigns: str = ""
    left_over: tuple[Rule, ...] = LEFT_OVER
