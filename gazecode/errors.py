"""What the package raises on purpose.

::

    GazecodeError            the root: catch this one
    ├── FormatError          a file is not what it claims to be, or breaks its format's rules
    │   ├── UnknownFormat    no reader knows this file
    │   └── TooLarge         a file would unpack beyond the stated bound
    ├── DataError            the data break an invariant of a type (unsorted times, x1 <= x0, ...)
    ├── GeometryError        degrees or pixels are asked for and the screen is not known
    ├── ParameterError       an unknown name or a value outside its range
    ├── SourceError          source code cannot be parsed as the language asked for
    ├── TokenizerError       a tokenizer cannot be loaded or gives no offsets
    ├── AlignmentError       weights cannot be brought to subwords (no position counts)
    │   └── InertError       all weight lies where no loss counts: it would do nothing
    ├── SchemaError          a gazecode file does not follow the written schema
    └── StudyError           a study file is wrong: names the key and the line

Every message says what was found, what was expected, and what to do next, on one line.
`GazecodeWarning` is for what is not wrong but would be misunderstood without a word.
"""

from collections.abc import Iterable

__all__ = [
    "AlignmentError",
    "DataError",
    "FormatError",
    "GazecodeError",
    "GazecodeWarning",
    "GeometryError",
    "InertError",
    "ParameterError",
    "SchemaError",
    "SourceError",
    "StudyError",
    "TokenizerError",
    "TooLarge",
    "UnknownFormat",
]


class GazecodeError(Exception):
    """The root of everything the package raises on purpose."""


class GazecodeWarning(UserWarning):
    """A result is right as it stands and easily misunderstood: the message says how."""


class FormatError(GazecodeError):
    """A file is not what it claims to be, or breaks the rules of its format."""

    @classmethod
    def missing_columns(
        cls, name: str, missing: Iterable[str], found: Iterable[str], hint: str = ""
    ) -> "FormatError":
        """Columns a reader needs and does not find."""
        return cls(
            f"{name}: no column {', '.join(missing)}; found {', '.join(found)}"
            + (f". {hint}" if hint else "")
        )


class UnknownFormat(FormatError):
    """No reader knows this file."""


class TooLarge(FormatError):
    """A file would unpack beyond the stated bound."""


class DataError(GazecodeError):
    """Data break an invariant of a type."""


class GeometryError(GazecodeError):
    """Degrees or pixels are asked for and the screen is not known."""


class ParameterError(GazecodeError):
    """An unknown name, or a value outside its range."""

    @classmethod
    def unknown(cls, kind: str, name: object, choices: Iterable[str]) -> "ParameterError":
        """A name that is not in a table; the message lists the table."""
        return cls(f"no {name!r} in {kind}; choose from: {', '.join(sorted(choices))}")


class SourceError(GazecodeError):
    """Source code cannot be parsed as the language asked for."""


class TokenizerError(GazecodeError):
    """A tokenizer cannot be loaded or gives no offsets."""


class AlignmentError(GazecodeError):
    """Weights cannot be brought to subwords."""


class InertError(AlignmentError):
    """All weight lies where no loss counts: training with it would be plain training."""


class SchemaError(GazecodeError):
    """A gazecode file does not follow the written schema."""


class StudyError(GazecodeError):
    """A study file is wrong; the message names the key and the line.

    `loc` is the key's path where whoever finds the fault does not know the file's text.
    """

    loc: tuple[str | int, ...] = ()

    @classmethod
    def at(cls, *loc: str | int, message: str) -> "StudyError":
        """A fault of one key."""
        error = cls(message)
        error.loc = loc
        return error
