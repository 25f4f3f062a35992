; inherits: clike
; Tags have a namespace of their own; functions are seen in the whole file, as compilers once did.
(struct_specifier name: (type_identifier) @local.reference.tag)
(union_specifier name: (type_identifier) @local.reference.tag)
(enum_specifier name: (type_identifier) @local.reference.tag)
(struct_specifier name: (type_identifier) @local.definition.tag.hoisted body: (_))
(union_specifier name: (type_identifier) @local.definition.tag.hoisted body: (_))
(enum_specifier name: (type_identifier) @local.definition.tag.hoisted body: (_))

(function_definition declarator: (function_declarator declarator: (identifier) @local.definition.function.at-outer.hoisted))
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @local.definition.function.at-outer.hoisted)))
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @local.definition.function.at-outer.hoisted))))
(declaration declarator: (function_declarator declarator: (identifier) @local.definition.function.weak.hoisted))
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @local.definition.function.weak.hoisted)))
(declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @local.definition.function.weak.hoisted))))
(function_definition declarator: (function_declarator parameters: (parameter_list (identifier) @local.definition.parameter)))

; Members define themselves; C has no access to them that names their struct.
(field_declaration declarator: (field_identifier) @local.definition.member.overload)
(pointer_declarator declarator: (field_identifier) @local.definition.member.overload)
(array_declarator declarator: (field_identifier) @local.definition.member.overload)
(parenthesized_declarator (field_identifier) @local.definition.member.overload)
