"""What a language model attends to, as scores of AST tokens (extra ``torch``)."""

__all__: list[str] = []
