"""Name → function tables, open to other packages through entry points.

>>> table = Registry("detectors", {"ivt": len})
>>> "ivt" in table, list(table)
(True, ['ivt'])
>>> table["itv"]
Traceback (most recent call last):
gazecode.errors.ParameterError: no 'itv' in detectors; choose from: ivt
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from gazecode.errors import ParameterError

__all__ = ["Registry", "check_parameters", "check_values"]

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
    families
        What makes an entry of a whole name that begins with a prefix (``pymovements:idt``): the
        names of another package, which listing does not import.
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, T],
        *,
        group: str | None = None,
        families: Mapping[str, Callable[[str], T]] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self.families = dict(families or {})
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

    def _family(self, name: object) -> Callable[[str], T] | None:
        text = name if isinstance(name, str) else ""
        return next(
            (make for prefix, make in self.families.items() if text.startswith(prefix)), None
        )

    def __getitem__(self, name: str) -> T:
        if make := self._family(name):
            return make(name)
        if name not in self._entries:
            self._load_plugins()
        if name in self._entries:
            return self._entries[name]
        if name in self.broken:
            raise ParameterError(
                f"{name!r} in {self.kind} comes from a plug-in that fails to load: "
                f"{self.broken[name]}; reinstall or remove that package"
            )
        choices = [*self._entries, *(f"{prefix}NAME" for prefix in self.families)]
        raise ParameterError.unknown(self.kind, name, choices)

    def get(self, name: str, default: Any = None) -> Any:
        """The entry, or `default` (a miss is a `ParameterError` here, not a `KeyError`)."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be this

    def __contains__(self, name: object) -> bool:
        if self._family(name):
            return True
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
    """Refuse a parameter the function does not have, or a value of another kind than annotated.

    Parameters
    ----------
    function
        Whose keyword-only parameters are set.
    given
        Their values.
    name
        What to call the function.
    reserved
        Parameters that the caller sets itself.

    Raises
    ------
    ParameterError
        Naming the parameters there are, or the parameter and what was expected of it.

    Examples
    --------
    >>> def detect_ivt(samples, *, max_speed_deg_s: float = 30.0): ...
    >>> check_parameters(detect_ivt, {"max_speed": 3}, name="ivt")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: ivt has no parameter max_speed; it has: max_speed_deg_s
    >>> check_parameters(detect_ivt, {"max_speed_deg_s": "fast"}, name="ivt")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: ivt: max_speed_deg_s is 'fast'; expected a number
    """
    known = [
        key
        for key, parameter in _parameters_of(function).items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and key not in reserved
    ]
    unknown = [str(key) for key in given if key not in known]
    if unknown:
        raise ParameterError(
            f"{name} has no parameter {', '.join(unknown)}; it has: {', '.join(known) or 'none'}"
        )
    check_values(function, given, name=name)


def check_values(function: Any, given: Mapping[str, object], *, name: str) -> None:
    """Refuse a value of another kind than the parameter of the function or class is annotated with.

    Judged are float (whole numbers are numbers, truth values are not), int, bool, str, Literal,
    None, mappings, tuples, and unions of them; whatever else is annotated takes any value, and so
    does a default. Scalars of numpy count as what they hold.

    Raises
    ------
    ParameterError
        Naming the parameter, what was found and what was expected.

    Examples
    --------
    >>> def weigh(path, *, w_base: float | None = None): ...
    >>> check_values(weigh, {"w_base": 3}, name="eyemulator")
    >>> check_values(weigh, {"w_base": "abc"}, name="eyemulator")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: eyemulator: w_base is 'abc'; expected a number
    """
    parameters = _parameters_of(function)
    for key, value in given.items():
        parameter = parameters.get(key)
        if parameter is None or value is parameter.default:
            continue
        kinds = parameter.annotation
        if not any(_fits(value, kind) for kind in kinds):
            raise ParameterError(f"{name}: {key} is {_shown(value)}; {_wanted(kinds)}")


def _parameters_of(function: Any) -> Mapping[str, inspect.Parameter]:
    """Parameters by name; each annotation resolved, as the tuple of kinds it is a union of."""
    try:
        return _cached_parameters(function)
    except TypeError:  # a plug-in's callable that has no hash
        return _cached_parameters.__wrapped__(function)


@lru_cache(maxsize=256)
def _cached_parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    return {
        name: parameter.replace(annotation=_kinds(_resolved(parameter.annotation, function)))
        for name, parameter in inspect.signature(function).parameters.items()
    }


def _resolved(annotation: Any, function: Any) -> Any:
    """An annotation that is text, as what it names; `Any` where that cannot be found out."""
    if not isinstance(annotation, str):
        return annotation
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)

    def holder() -> None: ...

    # One at a time: one name known to a type checker alone does not hide the others.
    holder.__annotations__ = {"return": annotation}
    try:
        return get_type_hints(holder, vars(sys.modules[function.__module__]))["return"]
    except Exception:  # noqa: BLE001 - text of a foreign package may fail in any way
        return Any


def _kinds(hint: Any) -> tuple[Any, ...]:
    """What a union consists of, unions in it included; anything else alone."""
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(kind for part in get_args(hint) for kind in _kinds(part))
    return (hint,)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a kind; true for kinds that are not judged."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    origin = get_origin(kind)
    if origin is Literal:
        return any(isinstance(value, type(c)) and value == c for c in get_args(kind))
    if kind in _MAPPINGS or origin in _MAPPINGS:
        return isinstance(value, Mapping)
    if origin is tuple:
        each = [part for part in get_args(kind) if part is not Ellipsis]
        entries = value.tolist() if hasattr(value, "tolist") else value
        return isinstance(entries, list | tuple) and all(
            any(_fits(entry, leaf) for part in each for leaf in _kinds(part)) for entry in entries
        )
    return next((fits(value) for judged, fits, _ in _JUDGED if judged is kind), True)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except OverflowError:  # a whole number beyond any float
        return False
    return True


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


_MAPPINGS = (dict, Mapping)
_JUDGED: tuple[tuple[type, Any, str], ...] = (
    (float, _is_number, "a number"),
    (int, _is_whole, "a whole number"),
    (bool, lambda value: isinstance(value, bool), "true or false"),
    (str, lambda value: isinstance(value, str), "a text"),
    (NoneType, lambda value: value is None, "nothing"),
)


def _wanted(kinds: tuple[Any, ...]) -> str:
    """What was expected; that nothing is allowed as well needs no words beside something else."""
    said = [kind for kind in kinds if kind is not NoneType] or [NoneType]
    if len(said) == 1 and get_origin(said[0]) is Literal:
        return f"choose from: {', '.join(map(str, get_args(said[0])))}"
    return f"expected {' or '.join(map(_named, said))}"


def _named(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(map(repr, get_args(kind)))
    if get_origin(kind) is tuple:
        return "a list"
    return next((words for judged, _, words in _JUDGED if judged is kind), "a mapping")


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 80
