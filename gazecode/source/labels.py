"""Semantic labels of tokens, by the role of the nodes around them.

The labels of the EyeTrans and EyeMulator line of work (Zhang et al., doi:10.1145/3643732), as a
table of rules in order of precedence. A rule lists where its label holds:

``kind``              the node or any node inside it
``kind.field``        what stands in that field of the node, and everything inside
``kind/child``        a child of that kind, and everything inside
``kind.field.field``  a field of what stands in the field

and the words (leaf kinds) that carry the label themselves. The first rule that fits wins. What no
rule claims is decided by the leaf: literal, operator, declared name, other name.

Structural and coarse: names are looked up in the outermost function, not by scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.model.checks import IntArray, StrArray

__all__ = ["JAVA_ROLES", "LABELS", "PYTHON_ROLES", "Roles", "Rule", "label_leaves"]

PUNCTUATION = frozenset("(){}[];,.")

DECLARATION = "variable declaration"
EXTERNAL = "externally defined variable or function"

LABELS = (
    "",
    "argument",
    "assignment",
    "comment",
    "conditional block",
    "conditional statement",
    "exception handling",
    "external class",
    EXTERNAL,
    "function call",
    "function declaration",
    "literal",
    "loop",
    "operation",
    "operator",
    "parameter",
    "return",
    "variable",
    DECLARATION,
)


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


_CALLABLE = ("method_declaration", "constructor_declaration")
_JAVA_LITERALS = frozenset({"string_literal", "character_literal", "true", "false", "null_literal"})
_JAVA_LITERALS |= {f"{base}_integer_literal" for base in ("decimal", "hex", "octal", "binary")}
_JAVA_LITERALS |= {f"{base}_floating_point_literal" for base in ("decimal", "hex")}
JAVA_ROLES = Roles(
    rules=(
        Rule("comment", "line_comment block_comment"),
        Rule("parameter", "formal_parameters catch_formal_parameter spread_parameter"),
        Rule("return", "return_statement"),
        Rule("exception handling", "throw_statement throws", "try catch finally"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_expression.condition ternary_expression.condition",
            "if else ?",
        ),
        Rule("loop", "for_statement enhanced_for_statement while_statement", "do while continue"),
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative "
            "ternary_expression.consequence ternary_expression.alternative",
        ),
        Rule(DECLARATION, "local_variable_declaration resource field_declaration"),
        Rule(
            "function declaration",
            " ".join(
                f"{kind}/modifiers {kind}.type {kind}.name {kind}.dimensions {kind}.type_parameters"
                for kind in _CALLABLE
            ),
        ),
        Rule("argument", "argument_list type_arguments"),
        Rule(EXTERNAL, words="this super switch case default synchronized"),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        Rule("function call", "method_invocation.name", "assert"),
    ),
    literals=_JAVA_LITERALS,
    names=frozenset({"identifier", "type_identifier"}),
    declares="variable_declarator.name formal_parameter.name catch_formal_parameter.name "
    "enhanced_for_statement.name inferred_parameters resource.name",
)

PYTHON_ROLES = Roles(
    rules=(
        Rule("comment", "comment"),
        Rule("parameter", "parameters lambda_parameters"),
        Rule("return", "return_statement yield"),
        Rule("exception handling", "raise_statement", "try except finally"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition elif_clause.condition while_statement.condition "
            "match_statement.subject if_clause",
            "if elif else",
        ),
        Rule("loop", "for_statement while_statement for_in_clause", "continue"),
        Rule(
            "conditional block",
            "if_statement.consequence elif_clause.consequence else_clause.body "
            "conditional_expression",
        ),
        Rule(DECLARATION, "with_item"),
        Rule(
            "function declaration",
            "function_definition.name function_definition.return_type",
            "def async",
        ),
        Rule("argument", "argument_list"),
        Rule(EXTERNAL, words="match case"),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / // % ** @ += -= *= /= //= %= **="),
        Rule("function call", "call.function.attribute", "print exec assert"),
    ),
    literals=frozenset({"string", "integer", "float", "true", "false", "none", "ellipsis"}),
    names=frozenset({"identifier"}),
    declares="parameters lambda_parameters for_statement.left for_in_clause.left with_item",
    assigns="assignment.left pattern_list",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """What a rule may ask of a node: its kind, its field, and the same of its parent."""

    kind: str
    field: str = ""
    parent_kind: str = ""
    parent_field: str = ""
    grandparent_kind: str = ""

    def places(self) -> tuple[str, ...]:
        """Return every way a rule can name this node."""
        return (
            self.kind,
            f"{self.parent_kind}.{self.field}",
            f"{self.parent_kind}/{self.kind}",
            f"{self.grandparent_kind}.{self.parent_field}.{self.field}",
        )


def _bits(places: Mapping[str, int], node: Node) -> int:
    bits = 0
    for place in node.places():
        bits |= places.get(place, 0)
    return bits


def _index(lists: list[str]) -> dict[str, int]:
    """Place or word → the set of rules that name it, as bits."""
    index: dict[str, int] = {}
    for number, text in enumerate(lists):
        for name in text.split():
            index[name] = index.get(name, 0) | 1 << number
    return index


def label_leaves(
    roles: Roles, texts: list[str], chains: list[Node], above: list[int], leaves: "LeafTable"
) -> StrArray:
    """Label every leaf.

    Parameters
    ----------
    texts
        Text of each leaf.
    chains, above
        The nodes that contexts end in, and the number of the context above each (-1: none).
    leaves
        Kinds of leaves in their contexts, and which of them each leaf is.
    """
    places = _index([rule.places for rule in roles.rules])
    words = _index([rule.words for rule in roles.rules])
    special = _index([roles.declares, roles.assigns])
    claimed: list[int] = []
    marked: list[int] = []
    for node, up in zip(chains, above, strict=True):
        claimed.append(_bits(places, node) | (claimed[up] if up >= 0 else 0))
        marked.append(_bits(special, node) | (marked[up] if up >= 0 else 0))
    names: list[str] = []
    marks: list[int] = []
    for node, context in zip(leaves.nodes, leaves.contexts, strict=True):
        bits = claimed[context] | _bits(places, node) | words.get(node.kind, 0)
        names.append(_structural(roles, node, bits))
        marks.append((marked[context] | _bits(special, node)) if node.kind in roles.names else 0)
    label: StrArray = np.array(names, dtype=object)[leaves.number]
    mark = np.array(marks, dtype=np.int64)[leaves.number]
    return _resolve_names(label, mark, texts, leaves.scope)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeafTable:
    """Distinct (context, leaf node) pairs; per leaf ``(m,)`` its pair and its function."""

    nodes: list[Node]
    contexts: list[int]
    number: IntArray
    scope: IntArray


_NO_ROLE = frozenset({":", "@", "ERROR"})

_NAME = "name"
"""Stands for a name until it is known whether the function declares it."""


def _structural(roles: Roles, node: Node, bits: int) -> str:
    if node.kind in PUNCTUATION:
        return ""
    if bits:
        return roles.rules[(bits & -bits).bit_length() - 1].label
    if node.kind in roles.literals:
        return "assignment" if node.parent_kind.startswith("assignment") else "literal"
    if node.kind in roles.names:
        return "function call" if f"{node.parent_kind}.{node.field}" == "call.function" else _NAME
    if node.kind in _NO_ROLE:
        return ""
    return EXTERNAL if node.kind.isidentifier() else "operator"


def _resolve_names(label: StrArray, mark: IntArray, texts: list[str], scope: IntArray) -> StrArray:
    seen: set[tuple[int, str]] = set()
    scopes = scope.tolist()
    for i in np.flatnonzero(mark).tolist():
        key = (scopes[i], texts[i])
        if mark[i] & 2 and key not in seen and label[i] == _NAME:
            label[i] = DECLARATION
        seen.add(key)
    for i in np.flatnonzero(label == _NAME).tolist():
        if (scopes[i], texts[i]) in seen:
            label[i] = "variable"
        else:
            label[i] = "external class" if texts[i][:1].isupper() else EXTERNAL
    return label
