; Scopes. Names of a package are seen in all of it; those of a function from their statement on.
(source_file) @local.scope.hoisted
[(function_declaration) (method_declaration) (func_literal) (function_type) (method_elem)
 (type_declaration) (block) (if_statement) (for_statement) (expression_switch_statement)
 (type_switch_statement) (select_statement) (expression_case) (default_case) (type_case)
 (communication_case)] @local.scope
(type_switch_statement !initializer value: (_) @local.scope.outside)
[(short_var_declaration) (var_spec) (const_spec) (range_clause) (receive_statement)] @local.extent

; Uses, from general to particular.
(identifier) @local.reference.value.type
(type_identifier) @local.reference.type.value
(package_identifier) @local.reference
(package_clause (package_identifier) @local.none)
(qualified_type name: (type_identifier) @local.none)
(keyed_element key: (literal_element (identifier) @local.none))
((identifier) @local.none.always (#eq? @local.none.always "_"))

; Functions, types, imports.
(function_declaration name: (identifier) @local.definition.function.at-outer)
(method_declaration name: (field_identifier) @local.definition.method.overload.at-outer)
(method_elem name: (field_identifier) @local.definition.method.overload.at-outer)
(type_spec name: (type_identifier) @local.definition.type.at-outer)
(type_alias name: (type_identifier) @local.definition.type.at-outer)
(type_parameter_declaration name: (identifier) @local.definition.type)
(import_spec name: (package_identifier) @local.definition.import)

; Variables.
(parameter_declaration name: (identifier) @local.definition.parameter)
(variadic_parameter_declaration name: (identifier) @local.definition.parameter)
(var_spec (identifier) @local.definition.var.after)
(const_spec (identifier) @local.definition.constant.after)
(short_var_declaration left: (expression_list (identifier) @local.definition.var.after))
(range_clause left: (expression_list (identifier) @local.definition.var.after) ":=")
(receive_statement left: (expression_list (identifier) @local.definition.var.after) ":=")
(type_switch_statement alias: (expression_list (identifier) @local.definition.var))
(field_declaration name: (field_identifier) @local.definition.member.overload)
