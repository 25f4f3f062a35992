"""The programs by name, open to other packages, and a user's own functions among them."""

from collections.abc import Callable, Iterable, Mapping

from gazecode.agreement.programs.kinds import KINDS
from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.moves import MOVES
from gazecode.agreement.programs.places import PLACES
from gazecode.agreement.programs.roles import ROLES
from gazecode.agreement.programs.shapes import SHAPES
from gazecode.agreement.programs.words import WORDS
from gazecode.errors import ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray
from gazecode.registry import Registry

__all__ = ["PROGRAMS", "TRANSITION_PROGRAMS", "Program", "Programs", "chosen"]

Program = Callable[[SourceTokens, Known], FloatArray]
Programs = Mapping[str, Program] | Iterable[str]

PROGRAMS: Registry[Program] = Registry(
    "programs",
    {**PLACES, **SHAPES, **KINDS, **ROLES, **WORDS},
    group="gazecode.programs",
)
"""Name to ``(tokens, known) -> (m,)``: how much of the looking each token gets, at least 0."""

TRANSITION_PROGRAMS: Registry[Program] = Registry(
    "transition programs", MOVES, group="gazecode.transition_programs"
)
"""Name to ``(tokens, known) -> (m, m)``: from each token (row) to each, at least 0."""


def chosen(programs: Programs | None, table: Registry[Program]) -> dict[str, Program]:
    """The programs asked for: all of a table, some of its names, or functions of one's own.

    Raises
    ------
    ParameterError
        No programs, a name the table does not have, or something that is no function.
    """
    if programs is None:
        return dict(table)
    if isinstance(programs, str):
        programs = [programs]
    if not isinstance(programs, Mapping):
        programs = {name: table[name] for name in programs}
    for name, program in programs.items():
        if not callable(program):
            raise ParameterError(
                f"program {name!r} is {type(program).__name__}; expected a function "
                "(tokens, known) -> array"
            )
    if not programs:
        raise ParameterError(f"no {table.kind}; expected at least one, or None for all")
    return dict(programs)
