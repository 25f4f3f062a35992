; What JavaScript and TypeScript share. Every name is seen in all of its scope.
(program) @local.scope.function.hoisted
[(function_declaration) (function_expression) (generator_function)
 (generator_function_declaration)] @local.scope.function.hoisted.receiver
[(arrow_function) (method_definition) (class_static_block)] @local.scope.function.hoisted
(object (method_definition) @local.scope.receiver)
[(statement_block) (for_statement) (for_in_statement) (catch_clause) (switch_body) (class)
 (class_declaration)] @local.scope.hoisted
(class_body) @local.scope.class.hoisted

; Uses, from general to particular.
(identifier) @local.reference.value.type
(shorthand_property_identifier) @local.reference.value
(import_specifier name: (identifier) @local.none)
(export_specifier alias: (identifier) @local.none)
(export_statement (export_clause (export_specifier name: (identifier) @local.none)) source: (_))
(array_pattern (identifier) @local.pattern)
(assignment_pattern left: (identifier) @local.pattern)
(object_assignment_pattern left: (shorthand_property_identifier_pattern) @local.pattern)
(rest_pattern (identifier) @local.pattern)
(pair_pattern value: (identifier) @local.pattern)
(object_pattern (shorthand_property_identifier_pattern) @local.pattern)
(variable_declarator name: (identifier) @local.pattern)
(catch_clause parameter: (identifier) @local.pattern)
(for_in_statement kind: _ left: (identifier) @local.pattern)
(member_expression object: (this) property: (property_identifier) @local.reference.member.of-class)
(private_property_identifier) @local.reference.member.of-class

; What a declaration binds, however deep in a pattern.
(variable_declaration (variable_declarator name: (_) @local.binding.var.at-function))
(lexical_declaration (variable_declarator name: (_) @local.binding.var))
(for_in_statement kind: "var" left: (_) @local.binding.var.at-function)
(for_in_statement kind: ["let" "const"] left: (_) @local.binding.var)
(catch_clause parameter: (_) @local.binding.parameter)

; Functions, members, imports.
(function_declaration name: (identifier) @local.definition.function.at-outer)
(generator_function_declaration name: (identifier) @local.definition.function.at-outer)
(function_expression name: (identifier) @local.definition.function)
(generator_function name: (identifier) @local.definition.function)
(arrow_function parameter: (identifier) @local.definition.parameter)
(class_body (method_definition name: (property_identifier) @local.definition.member.at-outer))
(class_body (method_definition name: (private_property_identifier) @local.definition.member.at-outer))
(assignment_expression left: (member_expression object: (this) property: (property_identifier) @local.definition.member.at-class))
(import_clause (identifier) @local.definition.import)
(namespace_import (identifier) @local.definition.import)
(import_specifier !alias name: (identifier) @local.definition.import)
(import_specifier alias: (identifier) @local.definition.import)
