; Scopes. A file is a class scope too: fragments of methods without a class are common in studies.
(program) @local.scope.class
[(class_body) (interface_body) (enum_body) (annotation_type_body) (record_declaration)] @local.scope.class.hoisted
[(class_declaration) (interface_declaration) (enum_declaration) (annotation_type_declaration)
 (method_declaration) (constructor_declaration) (compact_constructor_declaration)
 (lambda_expression) (block) (constructor_body) (for_statement) (enhanced_for_statement)
 (try_with_resources_statement) (catch_clause) (switch_block) (switch_rule)] @local.scope

; Uses, from general to particular.
(identifier) @local.reference.value.type
(type_identifier) @local.reference.type
(constructor_declaration name: (identifier) @local.reference.type)
(compact_constructor_declaration name: (identifier) @local.reference.type)
(package_declaration (identifier) @local.none)
(import_declaration (identifier) @local.none)
(scoped_identifier (identifier) @local.none)
"." @local.none.next
(method_reference (_) "::" (identifier) @local.none)
(element_value_pair key: (identifier) @local.none)
(labeled_statement . (identifier) @local.none)
(break_statement (identifier) @local.none)
(continue_statement (identifier) @local.none)
(method_invocation !object name: (identifier) @local.reference.method)
(field_access object: (this) field: (identifier) @local.reference.value.of-class)
(method_invocation object: (this) name: (identifier) @local.reference.method.of-class)
(method_reference (this) (identifier) @local.reference.method.of-class)

; Types, methods, imports.
(class_declaration name: (identifier) @local.definition.type.at-outer.hoisted)
(interface_declaration name: (identifier) @local.definition.type.at-outer.hoisted)
(enum_declaration name: (identifier) @local.definition.type.at-outer.hoisted)
(record_declaration name: (identifier) @local.definition.type.at-outer.hoisted)
(annotation_type_declaration name: (identifier) @local.definition.type.at-outer.hoisted)
(type_parameter (type_identifier) @local.definition.type.hoisted)
(method_declaration name: (identifier) @local.definition.method.overload.at-outer.hoisted)
(annotation_type_element_declaration name: (identifier) @local.definition.method.overload.hoisted)
(import_declaration . "import" . (scoped_identifier name: (identifier) @local.definition.type) . ";")
(import_declaration "static" . (scoped_identifier name: (identifier) @local.definition.var.method) . ";")
[(formal_parameters) (argument_list)] @local.list

; Variables.
(variable_declarator name: (identifier) @local.definition.var)
(formal_parameter name: (identifier) @local.definition.parameter)
(catch_formal_parameter name: (identifier) @local.definition.parameter)
(lambda_expression parameters: (identifier) @local.definition.parameter)
(inferred_parameters (identifier) @local.definition.parameter)
(enhanced_for_statement name: (identifier) @local.definition.var)
(resource name: (identifier) @local.definition.var)
(enum_constant name: (identifier) @local.definition.constant)
(instanceof_expression name: (identifier) @local.definition.var.fresh)
(type_pattern (identifier) @local.definition.var.fresh)
(record_pattern_component (identifier) @local.definition.var.fresh)
