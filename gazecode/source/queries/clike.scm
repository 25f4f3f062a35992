; What C and C++ share. Scopes; parameters of a prototype or of a function pointer end with it.
(translation_unit) @local.scope
[(function_definition) (compound_statement) (for_statement) (preproc_function_def)] @local.scope
(declaration declarator: (function_declarator parameters: (parameter_list) @local.scope))
(declaration declarator: (pointer_declarator declarator: (function_declarator parameters: (parameter_list) @local.scope)))
(declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator parameters: (parameter_list) @local.scope))))
(init_declarator declarator: (function_declarator parameters: (parameter_list) @local.scope))
(field_declaration declarator: (function_declarator parameters: (parameter_list) @local.scope))
(field_declaration declarator: (pointer_declarator declarator: (function_declarator parameters: (parameter_list) @local.scope)))
(parameter_declaration declarator: (function_declarator parameters: (parameter_list) @local.scope))
(parameter_declaration declarator: (abstract_function_declarator parameters: (parameter_list) @local.scope))
(type_descriptor declarator: (abstract_function_declarator parameters: (parameter_list) @local.scope))
(type_definition declarator: (function_declarator parameters: (parameter_list) @local.scope))
(function_declarator declarator: (parenthesized_declarator (pointer_declarator)) parameters: (parameter_list) @local.scope)

; Uses.
(identifier) @local.reference.value.type
(type_identifier) @local.reference.type.value

; Variables, types, macros.
(declaration declarator: (identifier) @local.definition.var)
(init_declarator declarator: (identifier) @local.definition.var)
(pointer_declarator declarator: (identifier) @local.definition.var)
(array_declarator declarator: (identifier) @local.definition.var)
(parenthesized_declarator (identifier) @local.definition.var)
(attributed_declarator (identifier) @local.definition.var)
(parameter_declaration declarator: (identifier) @local.definition.parameter)
(parameter_declaration declarator: (function_declarator declarator: (identifier) @local.definition.parameter))
(enumerator name: (identifier) @local.definition.constant)
(type_definition declarator: (type_identifier) @local.definition.type)
(pointer_declarator declarator: (type_identifier) @local.definition.type)
(array_declarator declarator: (type_identifier) @local.definition.type)
(function_declarator declarator: (type_identifier) @local.definition.type)
(parenthesized_declarator (type_identifier) @local.definition.type)
(preproc_def name: (identifier) @local.definition.macro.at-root)
(preproc_function_def name: (identifier) @local.definition.macro.at-root)
(preproc_params (identifier) @local.definition.parameter)
