"""Java (tree-sitter-java)."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["JAVA"]


def _load() -> Any:
    import tree_sitter_java

    return tree_sitter_java.language()


_CALLABLE = ("method_declaration", "constructor_declaration")
_JAVA_LITERALS = frozenset({"string_literal", "character_literal", "true", "false", "null_literal"})
_JAVA_LITERALS |= {f"{base}_integer_literal" for base in ("decimal", "hex", "octal", "binary")}
_JAVA_LITERALS |= {f"{base}_floating_point_literal" for base in ("decimal", "hex")}
_ROLES = Roles(
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

JAVA = Language(
    name="java",
    suffixes=(".java",),
    load=_load,
    whole=frozenset({"line_comment", "block_comment", "string_literal", "character_literal"}),
    functions=frozenset({"method_declaration", "constructor_declaration"}),
    roles=_ROLES,
)
