"""C++ (tree-sitter-cpp). Directives as in C."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["CPP"]


def _load() -> Any:
    import tree_sitter_cpp

    return tree_sitter_cpp.language()


_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in "+-*/%")
# A prototype is a declaration: only its declarator, which comes last, tells that it is a header.
_PROTOTYPES = ("declaration", "field_declaration")
_HEAD = " ".join(
    f"{kind}{place}"
    for kind in _PROTOTYPES
    for place in (
        "/storage_class_specifier//_",
        "/type_qualifier//_",
        ".type",
        ".type/_",
        ".type=qualified_identifier//_",
        ".type=template_type//_",
        ".type=decltype//_",
        ".declarator=pointer_declarator//_",
        ".declarator=reference_declarator//_",
    )
)
_HEAD_CLASS = " ".join(
    f"{kind}.type={name}"
    for kind in _PROTOTYPES
    for name in ("template_type.name", "qualified_identifier//template_type.name")
)
_HEAD_ARGUMENT = " ".join(f"{kind}.type//template_argument_list//_" for kind in _PROTOTYPES)
_HEAD_END = " ".join(
    f"{kind}{declarator}function_declarator.declarator{name}"
    for kind in _PROTOTYPES
    for declarator in (
        ".declarator=",
        ".declarator=pointer_declarator//",
        ".declarator=reference_declarator//",
    )
    for name in ("=@names", "=operator_name/operator", "=qualified_identifier//_")
)
_HEAD_END += " field_declaration/virtual declaration/explicit_function_specifier/explicit"
_ROLES = Roles(
    rules=(
        Rule("comment", "comment"),
        Rule(
            "parameter",
            "parameter_list template_parameter_list preproc_params",
        ),
        Rule("return", "return_statement co_return_statement co_yield_statement"),
        Rule(
            "exception handling",
            "throw_statement throw_specifier noexcept seh_except_clause.filter",
            "try catch __try __except __finally __leave",
        ),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_statement.condition if_statement/constexpr "
            "conditional_expression.condition conditional_expression/? "
            "preproc_if.condition preproc_elif.condition preproc_ifdef.name preproc_elifdef.name",
            "if else #if #ifdef #ifndef #elif #elifdef #elifndef #else #endif",
        ),
        Rule("loop", "for_statement for_range_loop while_statement", "do while continue"),
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative conditional_expression.consequence "
            "conditional_expression.alternative conditional_expression/:",
        ),
        # A pointer to a function is a variable; the name of a function never has parentheses.
        Rule(DECLARATION, "function_declarator/parenthesized_declarator"),
        # In a body `T x(a);` makes an object far more often than it declares a function.
        Rule(
            DECLARATION,
            "compound_statement//declaration.declarator=function_declarator.declarator=identifier "
            "compound_statement//declaration.type "
            "compound_statement//declaration/storage_class_specifier "
            "compound_statement//declaration/type_qualifier",
        ),
        # A generic result: its name is a class, what stands in its brackets is an argument.
        Rule("argument", "function_definition.type//template_argument_list"),
        Rule(
            "external class",
            "function_definition.type=template_type.name "
            "function_definition.type=qualified_identifier.name=template_type.name",
        ),
        Rule(
            "function declaration",
            "function_declarator function_definition.type function_definition.declarator "
            "function_definition/storage_class_specifier function_definition/type_qualifier "
            "operator_cast trailing_return_type requires_clause default_method_clause "
            "delete_method_clause pure_virtual_clause field_declaration/virtual~= "
            "preproc_function_def/#define preproc_function_def.name preproc_function_def.value",
            "virtual explicit",
        ),
        Rule("argument", _HEAD_ARGUMENT, before=_HEAD_END),
        Rule("external class", _HEAD_CLASS, before=_HEAD_END),
        Rule("function declaration", _HEAD, before=_HEAD_END),
        Rule(
            "function declaration",
            "field_declaration.default_value=number_literal",
            after="field_declaration/virtual~=",
        ),
        Rule(DECLARATION, "declaration field_declaration enumerator preproc_def"),
        Rule("argument", "argument_list template_argument_list"),
        Rule(
            EXTERNAL,
            "preproc_include preproc_call",
            "this switch case default goto",
        ),
        Rule(
            "operator",
            "pointer_expression.operator abstract_pointer_declarator/* lambda_default_capture",
            "new delete sizeof alignof offsetof co_await "
            "and or not xor bitand bitor compl and_eq or_eq xor_eq not_eq",
        ),
        Rule(
            "operator",
            "assignment_expression.operator",
            before="assignment_expression.right=new_expression/new",
        ),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        Rule("operation", "binary_expression.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_expression.right=@literals", after=_ARITHMETIC),
        Rule(
            "function call",
            "call_expression/identifier call_expression.function.field "
            "call_expression.function=template_function.name "
            "call_expression.function=qualified_identifier//identifier",
            "static_assert",
        ),
        Rule("external class", "type_identifier"),
    ),
    literals=frozenset(
        {"number_literal", "string_literal", "raw_string_literal", "user_defined_literal"}
        | {"char_literal", "true", "false", "null"}
    ),
    names=frozenset({"identifier", "field_identifier", "namespace_identifier"}),
    declares="declaration/identifier init_declarator.declarator=identifier "
    "array_declarator.declarator=@names pointer_declarator.declarator=@names "
    "reference_declarator/@names structured_binding_declarator/identifier "
    "parameter_declaration.declarator=identifier "
    "optional_parameter_declaration.declarator=identifier variadic_declarator/identifier "
    "for_range_loop.declarator=identifier field_declaration/field_identifier "
    "compound_statement//declaration.declarator=function_declarator/identifier",
)

CPP = Language(
    name="cpp",
    suffixes=(".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"),
    load=_load,
    whole=frozenset(
        {"comment", "string_literal", "raw_string_literal", "user_defined_literal"}
        | {"char_literal", "null"}
    ),
    functions=frozenset({"function_definition", "lambda_expression"}),
    roles=_ROLES,
)
