"""Java (tree-sitter-java)."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["JAVA"]


def _load() -> Any:
    import tree_sitter_java

    return tree_sitter_java.language()


_LITERALS = frozenset({"string_literal", "character_literal", "true", "false", "null_literal"})
_LITERALS |= {f"{base}_integer_literal" for base in ("decimal", "hex", "octal", "binary")}
_LITERALS |= {f"{base}_floating_point_literal" for base in ("decimal", "hex")}


_PLAIN_TYPES = (
    "type_identifier",
    "void_type",
    "boolean_type",
    "integral_type",
    "floating_point_type",
)
_OPERATORS = "binary_expression/+ binary_expression/- binary_expression/% "
_OPERATORS += "binary_expression/* binary_expression//"


def _headers(*steps: str) -> str:
    """Places in the header of an outermost method or constructor."""
    functions = ("method_declaration", "constructor_declaration")
    return " ".join(f"^{kind}{step}" for kind in functions for step in steps)


_ROLES = Roles(
    # Numbered as in the published labels' reconstruction; the order is its precedence. "++", "--"
    # and ">>" are operators like others (the rows have them as operator, operation and none), and
    # "index operation" is given to no token (the rows have a handful, of mixed kinds).
    rules=(
        # 1-4
        Rule("comment", "line_comment block_comment"),
        Rule(
            "parameter",
            "formal_parameters catch_formal_parameter spread_parameter "
            "lambda_expression.parameters " + _headers("/type_parameters"),
        ),
        Rule("return", "return_statement"),
        Rule("exception handling", "throw_statement throws", "try catch finally"),
        # 5-7
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_expression.condition ternary_expression.condition "
            "ternary_expression/?",
            "if else",
        ),
        # 8: a loop beats an if inside it; the body of do is transparent
        Rule("loop", "for_statement enhanced_for_statement while_statement", "do while continue"),
        # 9-10
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative ternary_expression.consequence "
            "ternary_expression.alternative ternary_expression/:",
        ),
        # 11
        Rule(
            DECLARATION,
            "local_variable_declaration resource field_declaration "
            # The rows have what is locked on as a declaration.
            "synchronized_statement/parenthesized_expression",
        ),
        # 12: only of the outermost method; those inside are part of what they stand in. A result
        # type of several tokens is no part of it: its names go by their letter, its arguments are
        # arguments; brackets, and the class after type parameters, count as variable in the rows.
        Rule("argument", "annotation_argument_list"),
        Rule("external class", "^method_declaration/modifiers/marker_annotation.name"),
        Rule("external class", "^method_declaration/modifiers/annotation.name"),
        Rule("variable", "^method_declaration.type=array_type.dimensions"),
        Rule(
            "variable",
            "^method_declaration.type=generic_type/type_identifier",
            after="^method_declaration/type_parameters/>",
        ),
        Rule(
            "function declaration",
            _headers("/modifiers", ".name", ".dimensions")
            + " "
            + _headers(*(f".type={kind}" for kind in _PLAIN_TYPES)),
        ),
        # 13-15
        Rule("argument", "argument_list type_arguments"),
        Rule(EXTERNAL, words="this super switch case default synchronized"),
        Rule(
            "operator",
            "assignment_expression/=",
            before="assignment_expression.right=object_creation_expression/new "
            "assignment_expression.right=array_creation_expression/new",
        ),
        Rule("operator", words="new"),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        # 16: next to an arithmetic operator
        Rule("operation", "binary_expression.left=@literals", before=_OPERATORS),
        Rule("operation", "binary_expression.right=@literals", after=_OPERATORS),
        # 17; 16, 18 and 19 are what is left over
        Rule("function call", "method_invocation.name", "assert"),
    ),
    literals=_LITERALS,
    names=frozenset({"identifier", "type_identifier"}),
    declares="variable_declarator.name formal_parameter.name catch_formal_parameter.name "
    "enhanced_for_statement.name inferred_parameters resource.name "
    "lambda_expression.parameters=identifier",
)

JAVA = Language(
    name="java",
    suffixes=(".java",),
    load=_load,
    whole=frozenset({"line_comment", "block_comment", "string_literal", "character_literal"}),
    functions=frozenset({"method_declaration", "constructor_declaration"}),
    roles=_ROLES,
    units=frozenset({"method_declaration"}),
    joins=(
        ("[", "]"),
        ("<", ">"),
        ("else", "if"),
        ("return", ";"),
        ("break", ";"),
        ("continue", ";"),
        ("default", ":"),
    ),
    omits="^method_declaration/modifiers/marker_annotation/@ "
    "^method_declaration/modifiers/annotation/@ switch_block_statement_group/:",
)
