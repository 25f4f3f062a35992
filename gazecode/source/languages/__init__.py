"""One table a language: its grammar, its tokens, the roles of its nodes."""
