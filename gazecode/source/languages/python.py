"""Python (tree-sitter-python). No node says "declaration": the first assignment to a name does."""

from typing import Any

from gazecode.source.language import Language
from gazecode.source.roles import DECLARATION, EXTERNAL, Roles, Rule

__all__ = ["PYTHON"]


def _load() -> Any:
    import tree_sitter_python

    return tree_sitter_python.language()


_ARITHMETIC = " ".join(
    f"binary_operator/{sign}" for sign in ["+", "-", "*", "/", "//", "%", "**", "@"]
)
# The colon before a block is what a brace is elsewhere: it has no label, whatever stands around it.
_BLOCKS = (
    "if_statement elif_clause else_clause for_statement while_statement try_statement "
    "except_clause finally_clause with_statement match_statement case_clause "
    "function_definition class_definition"
)
_ROLES = Roles(
    rules=(
        Rule("comment", "comment"),
        Rule("", " ".join(f"{kind}/:" for kind in _BLOCKS.split())),
        Rule(
            "parameter",
            "parameters lambda_parameters function_definition.type_parameters except_clause.value",
        ),
        Rule("return", "return_statement yield"),
        Rule(
            "exception handling",
            "raise_statement try_statement/else_clause/else",
            "try except finally",
        ),
        Rule(
            "loop",
            "for_statement.alternative=else_clause/else "
            "while_statement.alternative=else_clause/else",
            "break",
        ),
        Rule(
            "conditional statement",
            "if_statement.condition elif_clause.condition while_statement.condition "
            "match_statement.subject if_clause conditional_expression/if~_",
            "if elif else",
        ),
        Rule("loop", "for_statement while_statement for_in_clause"),
        Rule(
            "conditional block",
            "if_statement.consequence elif_clause.consequence if_statement.alternative.body "
            "conditional_expression",
        ),
        Rule(DECLARATION, "with_item.value=as_pattern assignment.type"),
        Rule("argument", "type_parameter"),
        Rule("external class", "function_definition.return_type=type/generic_type/identifier"),
        Rule(
            "function declaration",
            "function_definition/async function_definition.name function_definition/-> "
            "function_definition.return_type",
            "def lambda",
        ),
        Rule("external class", "class_definition.superclasses"),
        Rule("argument", "call.arguments"),
        Rule("external class", "decorator/identifier decorator/attribute decorator/call"),
        Rule(EXTERNAL, "wildcard_import", "match case with"),
        Rule(
            "operator",
            "list_splat/* list_splat_pattern/* splat_pattern/* splat_pattern/** "
            "dictionary_splat/**",
            "not and or in is del await",
        ),
        Rule("assignment", words="="),
        Rule(
            "operation",
            "binary_operator/@",
            "+ - * / // % ** += -= *= /= //= %= **= @=",
        ),
        Rule("operation", "binary_operator.left=@literals", before=_ARITHMETIC),
        Rule("operation", "binary_operator.right=@literals", after=_ARITHMETIC),
        Rule("function call", "call/identifier call.function.attribute", "print exec assert"),
    ),
    literals=frozenset({"string", "integer", "float", "true", "false", "none", "ellipsis"}),
    names=frozenset({"identifier"}),
    declares="parameters/identifier lambda_parameters/identifier default_parameter.name "
    "typed_default_parameter.name typed_parameter/identifier list_splat_pattern/identifier "
    "dictionary_splat_pattern/identifier as_pattern_target for_statement.left "
    "for_in_clause.left case_pattern/dotted_name keyword_pattern/dotted_name "
    "as_pattern/as~identifier splat_pattern/identifier",
    assigns="assignment.left=identifier named_expression.name pattern_list/identifier "
    "tuple_pattern/identifier list_pattern/identifier",
)

PYTHON = Language(
    name="python",
    suffixes=(".py", ".pyi", ".pyw"),
    load=_load,
    whole=frozenset({"comment", "string"}),
    functions=frozenset({"function_definition", "lambda"}),
    roles=_ROLES,
)
