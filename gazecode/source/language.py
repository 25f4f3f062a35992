"""What a language is: data, so that another package can add one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gazecode.source.roles import Roles

__all__ = ["Language"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One programming language.

    Attributes
    ----------
    name
        What `parse` is asked for, and what `SourceTokens.language` says.
    suffixes
        File name endings, lower case, with the dot.
    load
        Imports the grammar's package and returns what ``tree_sitter.Language`` takes.
    whole
        Node kinds that are one token although the grammar splits them: comments, strings.
    functions
        Node kinds that declare a function: names are looked up inside the outermost one.
    roles
        Which node kinds play which role for the semantic label.
    units
        Functions that begin anew inside other functions, if they are not inside one of their own:
        methods in constructors. The published token stream consists of them.
    joins, omits
        Kinds of neighbours that are one token in that stream (`gazecode.source.stream`), and
        places whose leaves it leaves out.
    locals
        A query that says which nodes bind names (see `gazecode.source.links`); empty for the one
        packaged under this language's name, if any.
    """

    name: str
    suffixes: tuple[str, ...]
    load: Callable[[], Any]
    whole: frozenset[str]
    functions: frozenset[str]
    roles: Roles
    units: frozenset[str] = frozenset()
    joins: tuple[tuple[str, str], ...] = ()
    omits: str = ""
    locals: str = ""
