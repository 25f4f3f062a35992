"""Name → function tables, open to other packages through entry points.

>>> table = Registry("detectors", {"ivt": len})
>>> "ivt" in table, list(table)
(True, ['ivt'])
>>> table["itv"]
Traceback (most recent call last):
gazecode.errors.ParameterError: no 'itv' in detectors; choose from: ivt
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from gazecode.errors import ParameterError

__all__ = ["Registry", "check_parameters"]

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping whose miss lists the choices.

    Parameters
    ----------
    kind
        What the table holds, in the plural, for messages.
    entries
        The package's own entries.
    group
        Entry-point group that other packages add to. Looked up at the first miss or listing,
        so that importing the package costs nothing; a name already taken is left alone, and an
        entry that fails to load is kept in `broken` with its reason instead of breaking the rest.
    """

    def __init__(self, kind: str, entries: Mapping[str, T], *, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self.broken: dict[str, str] = {}
        self._entries = dict(entries)
        self._complete = group is None

    def _load_plugins(self) -> None:
        if self._complete:
            return
        self._complete = True
        from importlib.metadata import entry_points

        for entry in entry_points(group=self.group or ""):
            if entry.name in self._entries:
                continue
            try:
                self._entries[entry.name] = entry.load()
            except Exception as error:  # noqa: BLE001 - a foreign package may fail in any way
                self.broken[entry.name] = f"{type(error).__name__}: {error}"

    def __getitem__(self, name: str) -> T:
        if name not in self._entries:
            self._load_plugins()
        if name in self._entries:
            return self._entries[name]
        if name in self.broken:
            raise ParameterError(
                f"{name!r} in {self.kind} comes from a plug-in that fails to load: "
                f"{self.broken[name]}; reinstall or remove that package"
            )
        raise ParameterError.unknown(self.kind, name, self._entries)

    def get(self, name: str, default: Any = None) -> Any:
        """The entry, or `default` (a miss is a `ParameterError` here, not a `KeyError`)."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be this

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            self._load_plugins()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load_plugins()
        return iter(self._entries)

    def __len__(self) -> int:
        self._load_plugins()
        return len(self._entries)


def check_parameters(
    function: Any, given: Mapping[str, object], *, name: str, reserved: tuple[str, ...] = ()
) -> None:
    """Refuse a parameter the function does not have, naming those it has.

    `reserved` are those that the caller sets itself.

    >>> def detect_ivt(samples, *, max_speed_deg_s=30.0): ...
    >>> check_parameters(detect_ivt, {"max_speed": 3}, name="ivt")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: ivt has no parameter max_speed; it has: max_speed_deg_s
    """
    known = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name not in reserved
    ]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ParameterError(
            f"{name} has no parameter {', '.join(unknown)}; it has: {', '.join(known) or 'none'}"
        )
