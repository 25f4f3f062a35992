"""JavaScript and JSX (tree-sitter-javascript)."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["JAVASCRIPT"]


def _load() -> Any:
    import tree_sitter_javascript

    return tree_sitter_javascript.language()


_HEADERS = (
    "function_declaration/async function_declaration.name function_expression/async "
    "function_expression.name generator_function_declaration/async "
    "generator_function_declaration/* generator_function_declaration.name "
    "generator_function/async generator_function/* generator_function.name "
    "method_definition/static method_definition/async method_definition/get method_definition/set "
    "method_definition/* method_definition.name arrow_function/async"
)
_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in ["+", "-", "*", "/", "%", "**"])
_ROLES = Roles(
    rules=(
        Rule("comment", "comment html_comment hash_bang_line"),
        Rule("parameter", "formal_parameters arrow_function.parameter catch_clause.parameter"),
        Rule("return", "return_statement yield_expression"),
        Rule("exception handling", "throw_statement", "try catch finally"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_statement.value "
            "ternary_expression.condition ternary_expression/?",
            "if else",
        ),
        Rule("loop", "for_statement for_in_statement while_statement", "do while continue"),
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative ternary_expression.consequence "
            "ternary_expression.alternative ternary_expression/:",
        ),
        Rule(
            DECLARATION,
            "lexical_declaration variable_declaration using_declaration field_definition",
        ),
        Rule("function declaration", _HEADERS, "function"),
        Rule("argument", "arguments call_expression.arguments jsx_attribute"),
        Rule("external class", "decorator/identifier decorator/call_expression"),
        Rule(
            EXTERNAL,
            "import_statement.source export_statement.source",
            "this super switch case default",
        ),
        Rule(
            "operator",
            "namespace_import/* export_statement/*",
            "new delete typeof instanceof in void await optional_chain",
        ),
        Rule(
            "operator",
            "assignment_expression/=",
            before="assignment_expression.right=new_expression/new",
        ),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % ** += -= *= /= %= **="),
        Rule("operation", "binary_expression.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_expression.right=@literals", after=_ARITHMETIC),
        Rule("function call", "call_expression/identifier call_expression.function.property"),
        Rule("literal", "binary_expression/@literals"),
        Rule("assignment", "augmented_assignment_expression//@literals"),
    ),
    literals=frozenset(
        {"string", "template_string", "regex", "number", "true", "false", "null", "undefined"}
        | {"jsx_text", "html_character_reference"}
    ),
    names=frozenset(
        {"identifier", "property_identifier", "private_property_identifier"}
        | {"shorthand_property_identifier", "shorthand_property_identifier_pattern"}
    ),
    declares="variable_declarator.name=identifier formal_parameters/identifier "
    "assignment_pattern.left=identifier rest_pattern/identifier array_pattern/identifier "
    "shorthand_property_identifier_pattern pair_pattern.value=identifier "
    "arrow_function.parameter catch_clause.parameter=identifier "
    "for_in_statement.left=identifier field_definition.property",
)

JAVASCRIPT = Language(
    name="javascript",
    suffixes=(".js", ".mjs", ".cjs", ".jsx"),
    load=_load,
    whole=frozenset({"comment", "html_comment", "string", "template_string", "regex"}),
    functions=frozenset(
        {"function_declaration", "function_expression", "generator_function_declaration"}
        | {"generator_function", "arrow_function", "method_definition"}
    ),
    roles=_ROLES,
)
