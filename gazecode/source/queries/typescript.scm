; inherits: ecma
; Scopes.
[(abstract_class_declaration) (interface_declaration) (type_alias_declaration) (enum_body)
 (function_type) (constructor_type) (function_signature) (method_signature)
 (abstract_method_signature) (call_signature) (construct_signature) (conditional_type)
 (index_signature)] @local.scope.hoisted

; Uses.
(type_identifier) @local.reference.type.value
(nested_type_identifier name: (type_identifier) @local.none)

; Types.
(class_declaration name: (type_identifier) @local.definition.type.at-outer)
(abstract_class_declaration name: (type_identifier) @local.definition.type.at-outer)
(class name: (type_identifier) @local.definition.type)
(interface_declaration name: (type_identifier) @local.definition.type.at-outer)
(type_alias_declaration name: (type_identifier) @local.definition.type.at-outer)
(enum_declaration name: (identifier) @local.definition.value.type)
(type_parameter name: (type_identifier) @local.definition.type)
(infer_type (type_identifier) @local.definition.type)
(mapped_type_clause name: (type_identifier) @local.definition.type)
(internal_module name: (identifier) @local.definition.value)
(module name: (identifier) @local.definition.value)
(import_require_clause (identifier) @local.definition.import)
(import_alias . "import" . (identifier) @local.definition.import)

; Parameters; one with a modifier is a member as well.
(required_parameter pattern: (_) @local.binding.parameter)
(optional_parameter pattern: (_) @local.binding.parameter)
(required_parameter pattern: (identifier) @local.pattern.value)
(optional_parameter pattern: (identifier) @local.pattern.value)
(index_signature name: (identifier) @local.definition.parameter)
(required_parameter (accessibility_modifier) pattern: (identifier) @local.definition.member.at-class)
(optional_parameter (accessibility_modifier) pattern: (identifier) @local.definition.member.at-class)
(required_parameter "readonly" pattern: (identifier) @local.definition.member.at-class)

; Functions and members.
(function_signature name: (identifier) @local.definition.function.weak.at-outer)
(public_field_definition name: (property_identifier) @local.definition.member)
(public_field_definition name: (private_property_identifier) @local.definition.member)
(abstract_method_signature name: (property_identifier) @local.definition.member.weak.at-outer)
(class_body (method_signature name: (property_identifier) @local.definition.member.weak.at-outer))
(interface_body (method_signature name: (property_identifier) @local.definition.member.overload.at-outer))
(property_signature name: (property_identifier) @local.definition.member.overload)
(enum_body name: (property_identifier) @local.definition.constant)
(enum_assignment name: (property_identifier) @local.definition.constant)
