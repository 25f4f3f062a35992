"""What every program keeps to: numbers of at least 0 for any source, from its inputs alone."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from gazecode.agreement.programs.answers import ask
from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.registry import Program
from gazecode.errors import DataError
from gazecode.model import LABELS, SourceTokens
from gazecode.model.checks import FloatArray

__all__ = ["check_program"]


def check_program(
    program: Program,
    *,
    transitions: bool = False,
    tokens: Mapping[str, SourceTokens] = MappingProxyType({}),
) -> dict[str, FloatArray]:
    """Check that a program keeps the rules that scoring relies on.

    For an empty source, one of one token, a small function, one with empty lines, and the
    sources given, knowing nothing and knowing something: it gives ``(m,)`` finite numbers of at
    least 0 (``(m, m)`` for transitions), the same ones when asked again, after other sources, or
    for an equal copy; and it changes neither the tokens nor what it knows. So it holds nothing of
    the people or files it was asked about before: all it has of people is `Known`, which is never
    learnt from those it is scored on.

    Parameters
    ----------
    program
        A function ``(tokens, known) -> array``.
    transitions
        Whether it is one of saccades.
    tokens
        Further sources to ask it about, by name: parsed ones of the languages it is meant for.

    Returns
    -------
    dict
        What it gives for each source where something is known.

    Raises
    ------
    AssertionError
        A rule is broken; the message says which, and for which source.

    Examples
    --------
    >>> said = check_program(lambda tokens, known: [len(text) for text in tokens.texts])
    >>> said["one token"]
    array([6.])
    """
    sources = {**_sources(), **tokens}
    axes = 2 if transitions else 1
    first: dict[tuple[str, int], FloatArray] = {}
    for name, source in sources.items():
        for number, known in enumerate(_KNOWN):
            first[name, number] = _asked(program, name, source, known, axes)
    # In another order, on copies: what came before must not matter.
    for name in reversed(sources):
        for number, known in reversed(list(enumerate(_KNOWN))):
            again = _asked(program, name, _copied(sources[name]), known, axes)
            same = np.array_equal(first[name, number], again)
            _expect(same, f"{name}: asked again, it gives something else")
    return {name: first[name, 1] for name in sources}


def _expect(condition: object, broken: str) -> None:
    if not condition:
        raise AssertionError(broken)


def _asked(
    program: Program, name: str, source: SourceTokens, known: Known, axes: int
) -> FloatArray:
    before = dict(known.theta), dict(known.frequency), source.texts
    try:
        said = ask(getattr(program, "__name__", "given"), program, source, known, axes=axes)
    except DataError as error:
        raise AssertionError(f"{name}: {error}") from None
    except Exception as error:  # a program may fail in any way
        raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
    after = dict(known.theta), dict(known.frequency), source.texts
    _expect(before == after, f"{name}: it changes what it is given")
    return said


_KNOWN = (
    Known(),
    Known(
        theta={label: (1 + i) / (2 + len(LABELS)) for i, label in enumerate(LABELS)},
        mean_theta=0.4,
        frequency={"int": 12, "x": 3, ";": 40},
        n_people=4,
        n_files=3,
        n_readings=9,
    ),
)


def _sources() -> dict[str, SourceTokens]:
    """Sources made by hand: nothing here may parse."""
    return {
        "empty": _source(b"", [], []),
        "one token": _source(b"return", ["return"], ["return"]),
        "a function": _source(
            b"int f(int x) {\n  return x + 1;\n}",
            ["int", "f", "(", "int", "x", ")", "{", "return", "x", "+", "1", ";", "}"],
            ["function declaration"] * 2
            + [""]
            + ["parameter"] * 2
            + [""] * 2
            + ["return"] * 4
            + [""] * 2,
            definition=[-1, 1, -1, -1, 4, -1, -1, -1, 4, -1, -1, -1, -1],
        ),
        "apart": _source(b"a\n\n\n    \xc3\xa9 = 'b'", ["a", "\xe9", "=", "'b'"], [""] * 4),
    }


def _source(
    code: bytes, texts: list[str], labels: list[str], definition: list[int] | None = None
) -> SourceTokens:
    span, at = [], 0
    for text in texts:
        start = code.index(text.encode(), at)
        at = start + len(text.encode())
        span.append((start, at))
    names = set(np.array(texts)[np.array(definition or [-1] * len(texts), dtype=int) >= 0])
    before = [code[:start].decode() for start, _ in span]
    return SourceTokens(
        language="java",
        source_id="",
        code=code,
        span=np.array(span, dtype=np.int64).reshape(-1, 2),
        row=np.array([text.count("\n") for text in before], dtype=np.int64),
        column=np.array([len(text.rpartition("\n")[2]) for text in before], dtype=np.int64),
        kind=np.array(["identifier" if t in names else t for t in texts], dtype=object),
        path=tuple(("program",) * (1 + i % 3) for i in range(len(texts))),
        label=np.array(labels, dtype=object),
        definition=np.array(definition or [-1] * len(texts), dtype=np.int64),
    )


def _copied(source: SourceTokens) -> SourceTokens:
    """Equal, and another object."""
    names = ("language", "source_id", "code", "span", "row", "column", "kind", "path", "label")
    values = {name: getattr(source, name) for name in (*names, "definition", "label_mode")}
    return SourceTokens(**values)
