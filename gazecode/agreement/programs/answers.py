"""What programs say of files; what is no answer is refused."""

from collections.abc import Mapping

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.registry import Program
from gazecode.errors import DataError
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray

__all__ = ["ask", "ask_all"]


def ask(
    name: str, program: Program, tokens: SourceTokens, known: Known, *, axes: int = 1
) -> FloatArray:
    """What a program says of a file: ``(m,)``, or ``(m, m)`` with two axes.

    Raises
    ------
    DataError
        It fails, or gives another shape, a number below 0, infinite or NaN; the message names the
        program.
    """
    shape = (len(tokens),) * axes
    try:
        said = np.asarray(program(tokens, known))
    except Exception as error:  # a user's program may fail in any way
        raise DataError(
            f"program {name!r} fails for {tokens.source_id or 'a file'}: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:120]}; it is called with (tokens, known)"
        ) from error
    if said.shape != shape or said.dtype.kind not in "biuf":
        raise DataError(
            f"program {name!r} gives {said.dtype} {said.shape} for {tokens.source_id or 'a file'}; "
            f"expected numbers {shape}"
        )
    if said.size and not (np.isfinite(said).all() and said.min() >= 0):
        raise DataError(
            f"program {name!r} gives {said[~(np.isfinite(said) & (said >= 0))][0]} for a token of "
            f"{tokens.source_id or 'a file'}; expected finite numbers of at least 0"
        )
    return said.astype(np.float64)


def ask_all(
    programs: Mapping[str, Program],
    tokens: Mapping[str, SourceTokens],
    known: Mapping[str, Known],
) -> dict[str, dict[str, FloatArray]]:
    """Every program's map of every file."""
    return {
        name: {file: ask(name, program, tokens[file], known[file]) for file in tokens}
        for name, program in programs.items()
    }
