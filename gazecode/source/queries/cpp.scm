; inherits: clike
; Scopes.
(field_declaration_list) @local.scope.class.hoisted
(namespace_definition body: (declaration_list) @local.scope)
[(lambda_expression) (for_range_loop) (catch_clause) (if_statement) (while_statement)
 (switch_statement) (requires_expression)] @local.scope
(for_range_loop right: (_) @local.scope.outside)
(lambda_capture_initializer right: (_) @local.scope.outside)

; Uses, from general to particular.
(namespace_identifier) @local.reference.namespace.type
(qualified_identifier scope: (_) name: (identifier) @local.none)
(qualified_identifier scope: (_) name: (type_identifier) @local.none)
(qualified_identifier scope: (_) name: (template_function name: (identifier) @local.none))
(qualified_identifier scope: (_) name: (template_type name: (type_identifier) @local.none))
(qualified_identifier scope: (_) name: (qualified_identifier scope: (namespace_identifier) @local.none))
(destructor_name (identifier) @local.reference.type)
(field_expression argument: (this) field: (field_identifier) @local.reference.value.of-class)
(field_initializer (field_identifier) @local.reference.value.of-class)
; A constructor is a use of its class: methods have field identifiers for names.
(field_declaration_list (function_definition declarator: (function_declarator declarator: (identifier) @local.reference.type.always)))
(field_declaration_list (declaration declarator: (function_declarator declarator: (identifier) @local.reference.type.always)))
(field_declaration_list (template_declaration (function_definition declarator: (function_declarator declarator: (identifier) @local.reference.type.always))))

; Types and namespaces.
(class_specifier name: (type_identifier) @local.definition.type.hoisted body: (_))
(struct_specifier name: (type_identifier) @local.definition.type.hoisted body: (_))
(union_specifier name: (type_identifier) @local.definition.type.hoisted body: (_))
(enum_specifier name: (type_identifier) @local.definition.type.hoisted body: (_))
(alias_declaration name: (type_identifier) @local.definition.type)
(concept_definition name: (identifier) @local.definition.type)
(namespace_definition name: (namespace_identifier) @local.definition.namespace)
(namespace_alias_definition name: (namespace_identifier) @local.definition.namespace)
(using_declaration (qualified_identifier name: (identifier) @local.definition.import))
; Template parameters lie in the scope around; the next template of the same parameter hides them.
(type_parameter_declaration (type_identifier) @local.definition.type.fresh)
(optional_type_parameter_declaration name: (type_identifier) @local.definition.type.fresh)
(variadic_type_parameter_declaration (type_identifier) @local.definition.type.fresh)
(template_parameter_list (parameter_declaration declarator: (identifier) @local.definition.parameter.fresh))
(template_parameter_list (optional_parameter_declaration declarator: (identifier) @local.definition.parameter.fresh))

; Functions and methods, which may be overloaded.
(function_definition declarator: (function_declarator declarator: [(identifier) (field_identifier)] @local.definition.function.overload.at-outer.hoisted))
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: [(identifier) (field_identifier)] @local.definition.function.overload.at-outer.hoisted)))
(function_definition declarator: (reference_declarator (function_declarator declarator: [(identifier) (field_identifier)] @local.definition.function.overload.at-outer.hoisted)))
(declaration declarator: (function_declarator declarator: (identifier) @local.definition.function.overload.weak.hoisted))
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @local.definition.function.overload.weak.hoisted)))
(declaration declarator: (reference_declarator (function_declarator declarator: (identifier) @local.definition.function.overload.weak.hoisted)))
(declaration declarator: (reference_declarator (function_declarator parameters: (parameter_list) @local.scope)))
(field_declaration declarator: (function_declarator declarator: (field_identifier) @local.definition.function.overload.weak.hoisted))
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @local.definition.function.overload.weak.hoisted)))
(field_declaration declarator: (reference_declarator (function_declarator declarator: (field_identifier) @local.definition.function.overload.weak.hoisted)))
(field_declaration declarator: (reference_declarator (function_declarator parameters: (parameter_list) @local.scope)))
[(parameter_list) (argument_list)] @local.list

; Members and variables.
(field_declaration declarator: (field_identifier) @local.definition.field)
(pointer_declarator declarator: (field_identifier) @local.definition.field)
(array_declarator declarator: (field_identifier) @local.definition.field)
(reference_declarator (field_identifier) @local.definition.field)
(reference_declarator (identifier) @local.definition.var)
(structured_binding_declarator (identifier) @local.definition.var)
(optional_parameter_declaration declarator: (identifier) @local.definition.parameter)
(variadic_declarator (identifier) @local.definition.parameter)
(for_range_loop declarator: (identifier) @local.definition.var)
(lambda_capture_initializer left: (identifier) @local.definition.var)
