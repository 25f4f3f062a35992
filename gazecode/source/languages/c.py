"""C (tree-sitter-c).

Directives stand outside the statements: ``#define`` declares, ``#include`` and ``#pragma`` name the
environment, ``#if`` and its kin are conditional statements whose branches stay what they are (an
include guard would otherwise make a whole header one conditional block).
"""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["C"]


def _load() -> Any:
    import tree_sitter_c

    return tree_sitter_c.language()


_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in "+-*/%")
# A prototype is a declaration: only its declarator, which comes last, tells that it is a header.
_HEAD = " ".join(
    f"declaration{place}"
    for place in (
        "/storage_class_specifier//_",
        "/type_qualifier//_",
        ".type",
        ".type/_",
        ".declarator=pointer_declarator//_",
    )
)
_HEAD_END = (
    "declaration.declarator=function_declarator.declarator=identifier "
    "declaration.declarator=pointer_declarator//function_declarator.declarator=identifier"
)
_ROLES = Roles(
    rules=(
        Rule("comment", "comment"),
        Rule("parameter", "parameter_list preproc_params function_definition/declaration"),
        Rule("return", "return_statement"),
        Rule("exception handling", "seh_except_clause.filter", "__try __except __finally __leave"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_statement.condition "
            "conditional_expression.condition conditional_expression/? "
            "preproc_if.condition preproc_elif.condition preproc_ifdef.name preproc_elifdef.name",
            "if else #if #ifdef #ifndef #elif #elifdef #elifndef #else #endif",
        ),
        Rule("loop", "for_statement while_statement", "do while continue"),
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative conditional_expression.consequence "
            "conditional_expression.alternative conditional_expression/:",
        ),
        # A pointer to a function is a variable; the name of a function never has parentheses.
        Rule(DECLARATION, "function_declarator/parenthesized_declarator"),
        Rule(
            "function declaration",
            "function_declarator function_definition.type function_definition.declarator "
            "function_definition/storage_class_specifier function_definition/type_qualifier "
            "preproc_function_def/#define preproc_function_def.name preproc_function_def.value",
        ),
        Rule("function declaration", _HEAD, before=_HEAD_END),
        Rule(DECLARATION, "declaration field_declaration enumerator preproc_def"),
        Rule("argument", "argument_list"),
        Rule(EXTERNAL, "preproc_include preproc_call", "switch case default goto"),
        Rule(
            "operator",
            "pointer_expression.operator abstract_pointer_declarator/*",
            "sizeof alignof _Alignof offsetof",
        ),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        Rule("operation", "binary_expression.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_expression.right=@literals", after=_ARITHMETIC),
        Rule("function call", "call_expression/identifier call_expression.function.field"),
        Rule("external class", "type_identifier"),
    ),
    literals=frozenset(
        {"number_literal", "string_literal", "char_literal", "true", "false", "null"}
    ),
    names=frozenset({"identifier", "field_identifier"}),
    declares="declaration/@names init_declarator.declarator=identifier "
    "array_declarator.declarator=@names pointer_declarator.declarator=@names "
    "parameter_declaration.declarator=identifier field_declaration/@names",
)

C = Language(
    name="c",
    suffixes=(".c", ".h"),
    load=_load,
    whole=frozenset({"comment", "string_literal", "char_literal", "null"}),
    functions=frozenset({"function_definition"}),
    roles=_ROLES,
)
