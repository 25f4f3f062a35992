"""C# (tree-sitter-c-sharp).

Members are capitalised by convention, so that a capital says nothing of a class behind a dot:
there a name is external.
"""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["C_SHARP"]


def _load() -> Any:
    import tree_sitter_c_sharp

    return tree_sitter_c_sharp.language()


_HEADERS = (
    "method_declaration/modifier method_declaration.returns method_declaration.name "
    "method_declaration/explicit_interface_specifier "
    "method_declaration/type_parameter_constraints_clause "
    "constructor_declaration/modifier constructor_declaration.name "
    "destructor_declaration/~ destructor_declaration.name "
    "operator_declaration/modifier operator_declaration.type operator_declaration/operator "
    "operator_declaration.operator conversion_operator_declaration/modifier "
    "conversion_operator_declaration/implicit conversion_operator_declaration/explicit "
    "conversion_operator_declaration/operator conversion_operator_declaration.type "
    "indexer_declaration/modifier indexer_declaration.type indexer_declaration/this "
    "accessor_declaration/modifier accessor_declaration.name "
    "local_function_statement/modifier local_function_statement.type "
    "local_function_statement.name "
    "delegate_declaration/modifier delegate_declaration.type delegate_declaration.name "
    "lambda_expression/modifier"
)
_LITERALS = frozenset(
    {"integer_literal", "real_literal", "character_literal", "boolean_literal", "null_literal"}
    | {"string_literal", "verbatim_string_literal", "raw_string_literal"}
    | {"interpolated_string_expression"}
)
_ARITHMETIC = " ".join(f"binary_expression/{sign}" for sign in "+-*/%")
_ROLES = Roles(
    rules=(
        Rule("comment", "comment shebang_directive"),
        Rule(
            "parameter",
            "parameter_list bracketed_parameter_list implicit_parameter type_parameter_list "
            "catch_declaration",
        ),
        Rule("return", "return_statement yield_statement"),
        Rule("exception handling", "throw_statement throw_expression", "try catch finally"),
        Rule("loop", words="break"),
        Rule(
            "conditional statement",
            "if_statement.condition while_statement.condition for_statement.condition "
            "do_statement.condition switch_statement.value "
            "switch_expression/identifier switch_expression/tuple_expression "
            "switch_expression/member_access_expression switch_expression/invocation_expression "
            "when_clause catch_filter_clause where_clause "
            "conditional_expression.condition conditional_expression/? "
            "preproc_if.condition preproc_elif.condition",
            "if else #if #elif #else #endif",
        ),
        Rule(
            "loop",
            "for_statement foreach_statement while_statement from_clause join_clause",
            "do while continue",
        ),
        Rule(
            "conditional block",
            "if_statement.consequence if_statement.alternative conditional_expression.consequence "
            "conditional_expression.alternative conditional_expression/:",
        ),
        Rule(
            DECLARATION,
            "local_declaration_statement using_statement/variable_declaration "
            "fixed_statement/variable_declaration field_declaration event_field_declaration "
            "property_declaration/modifier property_declaration.type property_declaration.name "
            "property_declaration/= property_declaration.value enum_member_declaration "
            "declaration_expression declaration_pattern recursive_pattern.name "
            "let_clause",
        ),
        Rule("argument", "generic_name/type_argument_list attribute_argument_list"),
        Rule(
            "external class",
            "attribute.name method_declaration.returns=generic_name/identifier "
            "operator_declaration.type=generic_name/identifier "
            "local_function_statement.type=generic_name/identifier",
        ),
        Rule("function declaration", _HEADERS, "delegate"),
        Rule("argument", "argument_list"),
        Rule(
            EXTERNAL,
            "preproc_region preproc_endregion preproc_pragma preproc_nullable preproc_define "
            "preproc_undef preproc_line preproc_error preproc_warning using_directive "
            "namespace_declaration.name file_scoped_namespace_declaration.name",
            "this base switch case default goto lock",
        ),
        Rule(
            "operator",
            "pointer_type/* prefix_unary_expression/*",
            "new as is and or not typeof sizeof await stackalloc",
        ),
        Rule(
            "operator",
            "assignment_expression.operator",
            before="assignment_expression.right=object_creation_expression/new",
        ),
        Rule("assignment", words="="),
        Rule("operation", words="+ - * / % += -= *= /= %="),
        Rule("operation", "binary_expression.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_expression.right=@literals", after=_ARITHMETIC),
        Rule(
            "function call",
            "invocation_expression/identifier invocation_expression.function=generic_name "
            "invocation_expression.function.name "
            "invocation_expression.function=conditional_access_expression"
            "/member_binding_expression.name",
        ),
        Rule(EXTERNAL, "member_access_expression.name member_binding_expression.name"),
    ),
    literals=_LITERALS,
    names=frozenset({"identifier", "implicit_parameter"}),
    declares="variable_declarator.name parameter.name parameter_list.name implicit_parameter "
    "foreach_statement.left catch_declaration.name declaration_expression.name "
    "declaration_pattern.name recursive_pattern.name "
    "parenthesized_variable_designation.name from_clause.name let_clause/identifier",
)

C_SHARP = Language(
    name="c_sharp",
    suffixes=(".cs", ".csx"),
    load=_load,
    whole=frozenset(
        {"comment", "string_literal", "character_literal", "raw_string_literal"}
        | {"interpolated_string_expression", "boolean_literal"}
    ),
    functions=frozenset(
        {"method_declaration", "constructor_declaration", "destructor_declaration"}
        | {"operator_declaration", "conversion_operator_declaration", "accessor_declaration"}
        | {"local_function_statement", "lambda_expression", "anonymous_method_expression"}
        | {"arrow_expression_clause"}
    ),
    roles=_ROLES,
)
