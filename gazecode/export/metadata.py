"""What a file says about itself: one JSON object under the key ``gazecode``.

No clock time, no machine name, sorted keys: a rerun on the same inputs writes the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gazecode.errors import ParameterError, SchemaError
from gazecode.export.schema import COLUMNS, SCHEMA_VERSION

__all__ = [
    "check_version",
    "dump",
    "for_examples",
    "for_table",
    "inputs_digest",
    "is_table",
    "load",
    "upgrade",
    "version_of",
]

_CANONICAL: Mapping[str, Any] = {
    "sort_keys": True,
    "ensure_ascii": False,
    "separators": (",", ":"),
}
_OURS = ("schema_version", "package", "package_version")
_SUFFIX_UNITS = {"_deg_s": "deg/s", "_ms": "ms", "_px": "px", "_mm": "mm", "_deg": "deg"}


def for_examples(provenance: Mapping[str, object] | None = None) -> str:
    """Metadata of a weights file as JSON text.

    Parameters
    ----------
    provenance
        Added to the object: ``parameters``, ``tokenizer_sha256``, ``inputs_sha256`` and whatever
        else a reader of the file should know. ``units`` may name the unit of single columns, such
        as ``{"token_value": "ms"}``; the others keep theirs.

    Raises
    ------
    ParameterError
        A key the package writes itself, a unit of an unknown column, or a value JSON cannot hold.

    Examples
    --------
    >>> load(for_examples({"units": {"token_value": "ms"}}), name="x")["units"]["token_value"]
    'ms'
    """
    given = dict(provenance or {})
    names = tuple(column.name for column in COLUMNS)
    units = {column.name: column.unit for column in COLUMNS} | _units_of(given, names)
    base = {"parameters": {}, "tokenizer_sha256": "", "inputs_sha256": ""}
    return dump(base | given | {"schema_version": SCHEMA_VERSION, "units": units})


def for_table(columns: Iterable[str], given: Mapping[str, object]) -> str:
    """Metadata of any other table: the unit of each column follows from its name (``_ms``, ...).

    >>> load(for_table(["onset_ms", "kind"], {}), name="x")["units"]
    {'kind': '1', 'onset_ms': 'ms'}
    """
    names = tuple(columns)
    units = {name: _unit_in(name) for name in names} | _units_of(given, names)
    return dump({**given, "units": units})


def is_table(text: str | None) -> bool:
    """Whether these are the words of any other table.

    >>> is_table(for_table(["kind"], {})), is_table(for_examples()), is_table(None)
    (True, False, False)
    """
    try:
        fields = load(text, name="metadata")
    except SchemaError:
        return False
    return fields.get("package") == "gazecode" and "schema_version" not in fields


def _unit_in(name: str) -> str:
    return next((unit for end, unit in _SUFFIX_UNITS.items() if name.endswith(end)), "1")


def _units_of(given: Mapping[str, object], names: tuple[str, ...]) -> dict[str, object]:
    reserved = [key for key in _OURS if key in given]
    if reserved:
        raise ParameterError(
            f"provenance names {', '.join(reserved)}, which the package writes itself; leave it out"
        )
    units = given.get("units", {})
    if not isinstance(units, Mapping):
        raise ParameterError(
            f"units in the provenance is {units!r}; expected a mapping of column to unit"
        )
    for name in units:
        if name not in names:
            raise ParameterError.unknown("the columns that have a unit", name, names)
    return dict(units)


def dump(fields: Mapping[str, object]) -> str:
    """Return the object as canonical JSON, with the package's name and version."""
    whole = {**fields, "package": "gazecode", "package_version": _package_version()}
    try:
        text = json.dumps(whole, allow_nan=False, default=_plain, **_CANONICAL)
        text.encode()
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"the provenance does not fit into JSON ({error}); give texts, finite numbers, "
            "lists and mappings with text keys"
        ) from error
    return text


def _plain(value: object) -> object:
    """Numpy's scalars and arrays as Python's; everything else is refused."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _package_version() -> str:
    # Here, not at the top: the package's own module may be the one that is importing this.
    from gazecode.version import __version__

    return __version__


def load(text: str | None, *, name: str) -> dict[str, object]:
    """Read the object back; a file without one, or with a broken one, is refused."""
    if text is None:
        raise SchemaError(
            f"{name}: no metadata under the key gazecode; expected a file written by gazecode, "
            "export it again"
        )
    try:
        fields = json.loads(text)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise SchemaError(
            f"{name}: the metadata under the key gazecode is not JSON; export the file again"
        ) from error
    if not isinstance(fields, dict):
        raise SchemaError(
            f"{name}: the metadata under the key gazecode is no JSON object; export the file again"
        )
    return fields


def check_version(fields: Mapping[str, object], *, name: str) -> int:
    """Return the schema version if this package can read it."""
    version = fields.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SchemaError(
            f"{name}: schema_version is {version!r}; expected a whole number from 1 to "
            f"{SCHEMA_VERSION}, export the file again"
        )
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"{name}: schema version {version}; this package reads up to {SCHEMA_VERSION}, "
            "update gazecode"
        )
    return version


def version_of(text: str | None, columns: Iterable[str]) -> int:
    """Version by which to read a file: what it says or, if it says none we know, by its columns.

    A file that says nothing is still read as far as it can be, to name all that is wrong with it.

    >>> version_of(None, ["example_id", "text"]), version_of(None, ["route"])
    (1, 2)
    """
    try:
        return check_version(load(text, name="metadata"), name="metadata")
    except SchemaError:
        there = set(columns)
        return max((column.since for column in COLUMNS if column.name in there), default=1)


def upgrade(text: str) -> str:
    """Metadata of any version as those of the current one: its number, units of new columns.

    All else stays as it is, the version of the package that made the rows included.

    >>> old = json.dumps({"schema_version": 1, "units": {"weight": "1"}, "note": 7})
    >>> fields = load(upgrade(old), name="x")
    >>> fields["schema_version"], fields["units"]["segment_start"], fields["note"]
    (2, 'position', 7)
    """
    fields = load(text, name="metadata")
    version = fields.get("schema_version")
    if not isinstance(version, int) or version >= SCHEMA_VERSION:
        return text
    new = {column.name: column.unit for column in COLUMNS if column.since > version}
    units = fields.get("units")
    fields["units"] = (units if isinstance(units, dict) else {}) | new
    return json.dumps(fields | {"schema_version": SCHEMA_VERSION}, **_CANONICAL)


def inputs_digest(digests: Mapping[str, str]) -> str:
    r"""One digest over many inputs: SHA-256 of ``name, tab, digest, newline`` sorted by name.

    >>> inputs_digest({"b": "2", "a": "1"}) == hashlib.sha256(b"a\t1\nb\t2\n").hexdigest()
    True
    """
    lines = "".join(f"{name}\t{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
