"""What a maker is: a function that writes a small file as a tracker's software writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Maker:
    """A kind of file, made up: `make(folder, rows)` writes it and returns the path to open.

    The same rows give the same bytes. `kind` is ``text`` (delimited), ``xml``, ``json`` or
    ``binary``: which bars of speed hold, and how the fuzz test damages it.
    """

    reader: str
    kind: str
    make: Callable[[Path, int], Path]
