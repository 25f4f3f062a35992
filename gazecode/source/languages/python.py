"""Python (tree-sitter-python)."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["PYTHON"]


def _load() -> Any:
    import tree_sitter_python

    return tree_sitter_python.language()


_ROLES = Roles(
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

PYTHON = Language(
    name="python",
    suffixes=(".py", ".pyi", ".pyw"),
    load=_load,
    whole=frozenset({"comment", "string"}),
    functions=frozenset({"function_definition"}),
    roles=_ROLES,
)
