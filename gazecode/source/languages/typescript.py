"""TypeScript and TSX (tree-sitter-typescript): two grammars that differ in ``<T>x`` and JSX."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["TSX", "TYPESCRIPT"]


def _load_typescript() -> Any:
    import tree_sitter_typescript

    return tree_sitter_typescript.language_typescript()


def _load_tsx() -> Any:
    import tree_sitter_typescript

    return tree_sitter_typescript.language_tsx()


_HEADERS = (
    "function_declaration/async function_declaration.name function_declaration.return_type "
    "function_expression/async function_expression.name function_expression.return_type "
    "generator_function_declaration/async generator_function_declaration/* "
    "generator_function_declaration.name generator_function_declaration.return_type "
    "generator_function/async generator_function/* generator_function.name "
    "generator_function.return_type "
    "method_definition/accessibility_modifier method_definition/static "
    "method_definition/override_modifier method_definition/async method_definition/get "
    "method_definition/set method_definition/* method_definition.name "
    "method_definition.return_type arrow_function/async arrow_function.return_type "
    "function_signature/async function_signature.name function_signature.return_type "
    "method_signature.name method_signature.return_type "
    "abstract_method_signature/accessibility_modifier abstract_method_signature/abstract "
    "abstract_method_signature.name abstract_method_signature.return_type "
    "construct_signature/new construct_signature.type call_signature.return_type "
    "function_type.return_type"
)

_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in ["+", "-", "*", "/", "%", "**"])


def _roles(*, attributes: str = "", literals: frozenset[str] = frozenset()) -> Roles:
    """The table; `attributes` and `literals` are what JSX adds to arguments and literals."""
    return Roles(
        rules=(
            Rule("comment", "comment hash_bang_line"),
            Rule(
                "parameter",
                "formal_parameters type_parameters arrow_function.parameter "
                "catch_clause.parameter catch_clause.type",
            ),
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
                "if_statement.consequence if_statement.alternative "
                "ternary_expression.consequence ternary_expression.alternative "
                "ternary_expression/:",
            ),
            Rule(
                DECLARATION,
                "lexical_declaration variable_declaration public_field_definition "
                "property_signature index_signature enum_assignment enum_body.name",
            ),
            Rule("argument", "type_arguments"),
            Rule("external class", "type_annotation/generic_type.name"),
            Rule("function declaration", _HEADERS, "function"),
            Rule("argument", f"arguments call_expression.arguments {attributes}"),
            Rule("external class", "decorator/identifier decorator/call_expression"),
            Rule(
                EXTERNAL,
                "import_statement.source export_statement.source predefined_type",
                "this super switch case default",
            ),
            Rule(
                "operator",
                "namespace_import/* export_statement/* as_expression/as",
                "new delete typeof instanceof in void await keyof satisfies",
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
            Rule(
                "function call",
                "call_expression/identifier call_expression.function.property "
                "call_expression.function=non_null_expression/member_expression.property "
                # The grammar reads `await a.f<T>()` as a call of `await a.f`.
                "call_expression.function=await_expression/member_expression.property "
                "call_expression.function=await_expression/identifier",
            ),
            Rule("literal", "binary_expression/@literals"),
            Rule("assignment", "augmented_assignment_expression//@literals"),
        ),
        literals=literals
        | {"string", "template_string", "template_literal_type", "regex", "number"}
        | {"true", "false", "null", "undefined"},
        names=frozenset(
            {"identifier", "property_identifier", "private_property_identifier"}
            | {"shorthand_property_identifier", "shorthand_property_identifier_pattern"}
            | {"type_identifier"}
        ),
        declares="variable_declarator.name=identifier required_parameter.pattern=identifier "
        "optional_parameter.pattern=identifier "
        "assignment_pattern.left=identifier rest_pattern/identifier array_pattern/identifier "
        "shorthand_property_identifier_pattern pair_pattern.value=identifier "
        "arrow_function.parameter catch_clause.parameter=identifier "
        "for_in_statement.left=identifier public_field_definition.name "
        "property_signature.name",
    )


_WHOLE = frozenset({"comment", "string", "template_string", "template_literal_type", "regex"})
_FUNCTIONS = frozenset(
    {"function_declaration", "function_expression", "generator_function_declaration"}
    | {"generator_function", "arrow_function", "method_definition"}
)

TYPESCRIPT = Language(
    name="typescript",
    suffixes=(".ts", ".mts", ".cts"),
    load=_load_typescript,
    whole=_WHOLE,
    functions=_FUNCTIONS,
    roles=_roles(),
)

TSX = Language(
    name="tsx",
    suffixes=(".tsx",),
    load=_load_tsx,
    whole=_WHOLE,
    functions=_FUNCTIONS,
    roles=_roles(
        attributes="jsx_attribute",
        literals=frozenset({"jsx_text", "html_character_reference"}),
    ),
)
