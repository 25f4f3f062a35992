"""Go (tree-sitter-go).

``defer`` is exception handling: it is what `finally` is elsewhere. ``panic`` and ``recover`` are
ordinary names, so that their calls are function calls. A capital means "exported", not "a class":
behind a dot a name is external.
"""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["GO"]


def _load() -> Any:
    import tree_sitter_go

    return tree_sitter_go.language()


_CONDITIONS = "binary_expression unary_expression call_expression identifier selector_expression"
_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in "+-*/%")
_ROLES = Roles(
    rules=(
        Rule("comment", "comment"),
        Rule(
            "parameter",
            "method_declaration.receiver method_declaration.parameters "
            "function_declaration.parameters func_literal.parameters function_type.parameters "
            "method_elem.parameters type_parameter_list",
        ),
        Rule("return", "return_statement"),
        Rule("exception handling", words="defer"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.initializer if_statement.condition for_clause.condition "
            + " ".join(f"for_statement/{kind}" for kind in _CONDITIONS.split())
            + " expression_switch_statement.initializer expression_switch_statement.value "
            "type_switch_statement.initializer type_switch_statement.alias "
            "type_switch_statement/:= type_switch_statement.value type_switch_statement/type",
            "if else",
        ),
        Rule("loop", "for_statement"),
        Rule("conditional block", "if_statement.consequence if_statement.alternative"),
        Rule(
            DECLARATION,
            "short_var_declaration var_declaration const_declaration field_declaration "
            "receive_statement.left",
            ":=",
        ),
        Rule("argument", "type_arguments"),
        Rule(
            "external class",
            "generic_type.type",
        ),
        Rule(
            "function declaration",
            "function_declaration.name function_declaration.result method_declaration.name "
            "method_declaration.result func_literal.result function_type.result "
            "method_elem.name method_elem.result",
            "func",
        ),
        Rule("argument", "argument_list"),
        Rule(EXTERNAL, "import_declaration", "switch select case default fallthrough go goto"),
        Rule("operator", "pointer_type/* unary_expression/*"),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        Rule("operation", "binary_expression.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_expression.right=@literals", after=_ARITHMETIC),
        Rule("function call", "call_expression/identifier call_expression.function.field"),
        Rule(EXTERNAL, "selector_expression.field keyed_element.key=literal_element/identifier"),
        Rule("literal", "binary_expression/@literals"),
        Rule("assignment", "assignment_statement//@literals"),
    ),
    literals=frozenset(
        {"interpreted_string_literal", "raw_string_literal", "rune_literal", "int_literal"}
        | {"float_literal", "imaginary_literal", "true", "false", "nil", "iota"}
    ),
    names=frozenset({"identifier", "field_identifier", "type_identifier", "package_identifier"}),
    declares="parameter_declaration.name variadic_parameter_declaration.name var_spec.name "
    "const_spec.name short_var_declaration.left range_clause.left receive_statement.left "
    "type_switch_statement.alias field_declaration.name",
)

GO = Language(
    name="go",
    suffixes=(".go",),
    load=_load,
    whole=frozenset({"comment", "interpreted_string_literal", "raw_string_literal"}),
    functions=frozenset({"function_declaration", "method_declaration", "func_literal"}),
    roles=_ROLES,
)
