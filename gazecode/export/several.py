"""Several weights files as one: what they say about themselves, where they have to agree."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gazecode.errors import GazecodeError, SchemaError
from gazecode.export.metadata import load, upgrade
from gazecode.export.opening import open_stored

__all__ = ["canonical", "check_alike", "said_by", "said_together"]

ALIKE = ("schema_version", "tokenizer_sha256", "units")
"""What files of one making agree on: ids of two tokenizers, or ms and shares, do not mix."""


def said_by(path: Path) -> dict[str, Any]:
    """Metadata of a file as a new one would say them; none if it has none."""
    text = open_stored(path).metadata
    return load(upgrade(text), name=path.name) if text else {}


def check_alike(
    said: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    then: str,
    error: type[GazecodeError] = SchemaError,
) -> None:
    """Refuse files (name, metadata) that are not of one making; `then` is what to do about it."""
    (name, first), *others = said
    for key in ALIKE:
        for other, fields in others:
            if fields.get(key) != first.get(key):
                raise error(f"{name} and {other} differ in {key}; {then}")


def said_together(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What all files say, and under ``files``, by name, what is each one's own.

    >>> said_together({"a": {"units": 1, "seed": 2}, "b": {"units": 1, "seed": 3}})
    {'units': 1, 'files': {'a': {'seed': 2}, 'b': {'seed': 3}}}
    """
    first = next(iter(said.values()))
    shared = {k: v for k, v in first.items() if all(o.get(k) == v for o in said.values())}
    own = {n: {k: v for k, v in o.items() if k not in shared} for n, o in said.items()}
    return shared | ({"files": own} if any(own.values()) else {})


def canonical(fields: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no blanks: the same bytes for the same words."""
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
