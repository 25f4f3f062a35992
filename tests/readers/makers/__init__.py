"""Small files of every format, made up after its writer: for laws, for fuzzing, for benchmarks.

Nothing here is copied from a recording. Each module names its own in `MAKERS`.
"""

import importlib
import pkgutil

from .maker import Maker

__all__ = ["Maker", "all_makers"]


def all_makers() -> dict[str, Maker]:
    """Every kind of file, by name."""
    found: dict[str, Maker] = {}
    for module in pkgutil.iter_modules(__path__):
        made = getattr(importlib.import_module(f"{__name__}.{module.name}"), "MAKERS", {})
        assert not found.keys() & made.keys(), f"two makers share a name: {module.name}"
        found |= made
    return found
