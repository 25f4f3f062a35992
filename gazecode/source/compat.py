"""Labels as another corpus has them: a table of names, on top of the strict rules.

The published rows of EyeMulator (Zhang et al.) tell *function call* from *externally defined
variable or function* by name, from a table built on another corpus, which no structure reaches.
Who has such rows can fit a table to them (`gazecode.source.published.fit_name_table`) and pass it
to `parse`; none comes with the package.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from gazecode.errors import DataError, ParameterError
from gazecode.model.labels import label_codes

__all__ = ["NameTable", "load_names", "save_names"]

NameTable = Mapping[str, str] | str | os.PathLike[str]
"""Label by name, or the path of such a table as JSON."""

_FIT = (
    "fit one to published rows with gazecode.source.published.fit_name_table and write it with "
    "gazecode.source.compat.save_names"
)


def load_names(table: NameTable) -> dict[bytes, int]:
    """Read a table of names: label codes by UTF-8 name.

    Raises
    ------
    ParameterError
        It is no mapping and no path of a file.
    DataError
        The file is not a JSON object of strings, or a label is not in the vocabulary.

    Examples
    --------
    >>> load_names({"append": "function call"})
    {b'append': 9}
    """
    if not isinstance(table, Mapping):
        table = _read(table)
    if not all(isinstance(text, str) for item in table.items() for text in item):
        raise DataError(f"compat: expected a mapping of label by name, both text; {_FIT}")
    codes = label_codes(table.values()).tolist()
    return {name.encode(): code for name, code in zip(table, codes, strict=True)}


def save_names(table: Mapping[str, str], path: str | os.PathLike[str]) -> None:
    """Write a table of names as JSON, sorted by name."""
    text = json.dumps(dict(sorted(table.items())), indent=0, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _read(name: str | os.PathLike[str]) -> dict[str, str]:
    if not isinstance(name, str | os.PathLike):
        raise ParameterError(
            f"compat={type(name).__name__}: expected a mapping of label by name, or the path of a "
            f"JSON file of one; {_FIT}"
        )
    path = Path(name)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(
            f"{path.name}: no name table to read ({error.strerror}); {_FIT}"
        ) from error
    except ValueError as error:
        raise DataError(f"{path.name}: not a name table ({error}); expected JSON") from error
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise DataError(f"{path.name}: expected a JSON object of label by name")
    return table
