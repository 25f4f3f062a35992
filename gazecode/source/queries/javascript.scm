; inherits: ecma
(formal_parameters (_) @local.binding.parameter)
(formal_parameters (identifier) @local.pattern)
(class_declaration name: (identifier) @local.definition.value.at-outer)
(class name: (identifier) @local.definition.value)
(field_definition property: (property_identifier) @local.definition.member)
(field_definition property: (private_property_identifier) @local.definition.member)
