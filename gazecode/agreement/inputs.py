"""Whatever people and models are handed over as, as a list of items over the same units."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.agreement.item import Item, Marks
from gazecode.agreement.metrics.pairing import as_floats, as_given
from gazecode.errors import DataError
from gazecode.model.checks import FloatArray
from gazecode.model.scores import ModelScores

__all__ = ["UNIFORM", "Inputs", "read_inputs", "some"]

ONE_ROW = "model"
"""What a row is called that was given without a name."""
UNIFORM = " / uniform"
"""What a row's name ends in where uniform attention was divided out (validity 14)."""


LARGEST = 1e300
"""Values above it would leave the range of floats once they are summed."""
SHOWN = 60
"""Characters of a name in a message: prompts are names too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """Both sides, brought together.

    Attributes
    ----------
    items
        Those that both sides have, in the order of the human side.
    rows
        Names of the rows.
    left_out
        Items that are missing from one side: ``"only human"``, ``"only model"``, those without
        units, ``"no units"``, and for each row that lacks some of the items its own entry.
    about
        What is known of each row: method, merge of subwords, removed share.
    """

    items: tuple[Item, ...]
    rows: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    about: Mapping[str, Mapping[str, Any]]


def read_inputs(human: Any, model: Any, *, lengths: Any = None, texts: Any = None) -> Inputs:
    """Bring both sides to items.

    Raises
    ------
    DataError
        Where one cannot tell what is meant, units differ in number, or nothing is shared.
    """
    by_name = isinstance(human, Mapping)
    people = _by_item(human, "human")
    rows = _with_uniform(_rows_of(model, by_name=by_name))
    described = {name: _described(row) for name, row in rows.items()}
    told = {name for row in rows.values() for name in row}
    both = [name for name in people if name in told]
    shared = [name for name in both if not _is_empty(people[name])]
    if both and not shared:
        raise DataError(f"no item has units: {some(both)}; expected values to compare")
    if not shared:
        raise DataError(
            f"human and model share no item: human has {some(people)}, model {some(told)}; "
            "expected the same names, or the same positions, on both sides"
        )
    left_out = {
        "only human": tuple(name for name in people if name not in told),
        "only model": tuple(sorted(told - people.keys())),
        "no units": tuple(name for name in both if name not in set(shared)),
        **{row: tuple(n for n in shared if n not in said) for row, said in rows.items()},
    }
    maker = _Maker(
        rows,
        _beside(lengths, "lengths", people, by_name=by_name),
        _beside(texts, "texts", people, by_name=by_name),
    )
    return Inputs(
        items=tuple(maker.item(name, people[name]) for name in shared),
        rows=tuple(rows),
        left_out={key: names for key, names in left_out.items() if names},
        about=described,
    )


def _by_item(side: Any, what: str) -> dict[str, Any]:
    """Entries by the item's name; a sequence counts its items from 0."""
    if side is None:
        return {}
    if isinstance(side, Mapping):
        return dict(zip(_names(side, what), side.values(), strict=True))
    if not isinstance(side, Iterable):
        raise DataError(f"{what} is {side!r}; expected a list of items, or a mapping by name")
    if _is_leaf(side) and not (isinstance(side, Sequence) and not len(side)):
        raise DataError(
            f"{what} is one vector; expected a list of items, or a mapping by name: "
            "put a single item into a list"
        )
    return {str(i): entry for i, entry in enumerate(side)}


def _names(side: Mapping[Any, Any], what: str) -> list[str]:
    """Names as texts; 1 and "1" would become one."""
    names = [str(name) for name in side]
    if len(set(names)) < len(names):
        twice = next(name for name, times in Counter(names).items() if times > 1)
        raise DataError(f"{what} has two entries called {_said(twice)}; rename one of them")
    return names


def _beside(side: Any, what: str, people: Mapping[str, Any], *, by_name: bool) -> dict[str, Any]:
    """What is known of the units, by the items of the human side."""
    found = _by_item(side, what)
    if found and isinstance(side, Mapping) != by_name:
        said, other = ("name", "position") if by_name else ("position", "name")
        raise DataError(
            f"human lists items by {said} and {what} by {other}; "
            "expected both as mappings from the item's name, or both as lists"
        )
    if found and not found.keys() & people.keys():
        raise DataError(
            f"{what} are given for {some(found)}, human has {some(people)}; "
            "expected the names of the items"
        )
    return found


def _is_empty(said: Any) -> bool:
    """Whether an item has no units at all, whoever read it."""
    maps = list(said.values()) if isinstance(said, Mapping) else [said]
    return bool(maps) and all(hasattr(one, "__len__") and not len(one) for one in maps)


def _is_leaf(entry: Any) -> bool:
    """Whether an entry is one item's scores, and not itself a collection of items."""
    if isinstance(entry, ModelScores | Marks | str):
        return True
    if isinstance(entry, Mapping):
        return False
    if hasattr(entry, "ndim"):
        return bool(entry.ndim <= 1 and np.asarray(as_given(entry)).dtype.kind != "O")
    if not isinstance(entry, Sequence):
        return False
    return not len(entry) or not _is_collection(entry[0])


def _is_collection(entry: Any) -> bool:
    if isinstance(entry, str) or getattr(entry, "ndim", 1) == 0:
        return False
    return isinstance(entry, ModelScores | Marks | Iterable)


def _rows_of(model: Any, *, by_name: bool) -> dict[str, dict[str, Any]]:
    """Rows by name, each with its scores by item."""
    if not isinstance(model, Mapping):
        rows = {ONE_ROW: model}
    elif not model:
        raise DataError("model is empty; expected at least one row")
    else:
        leaves = [_is_leaf(entry) for entry in model.values()]
        if any(leaves) and not all(leaves):
            odd = [key for key, leaf in zip(model, leaves, strict=True) if leaf]
            raise DataError(
                f"model mixes rows with scores of single items ({some(odd)}); "
                "expected either {row: {item: scores}} or {item: scores}"
            )
        rows = {ONE_ROW: model} if leaves[0] else dict(model)
    for name, row in rows.items():
        if isinstance(row, Mapping) != by_name:
            said, other = ("name", "position") if by_name else ("position", "name")
            raise DataError(
                f"human lists items by {said} and model row {name!r} by {other}; "
                "expected both as mappings from the item's name, or both as lists"
            )
    names = _names(rows, "model")
    return {
        name: _by_item(row, f"model row {_said(name)}")
        for name, row in zip(names, rows.values(), strict=True)
    }


def _with_uniform(rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each row, and beside it the same with what uniform attention gives divided out."""
    found: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        found[name] = row
        corrected = {
            item: said.corrected
            for item, said in row.items()
            if isinstance(said, ModelScores) and said.expected is not None
        }
        if corrected:
            found[name + UNIFORM] = corrected
    if clash := [name for name in found if name.endswith(UNIFORM) and name in rows]:
        raise DataError(f"row {clash[0]!r} is given twice; rename it: that name is derived")
    return found


def _described(row: Mapping[str, Any]) -> dict[str, Any]:
    scores = [said for said in row.values() if isinstance(said, ModelScores)]
    if not scores:
        return {}
    return {
        "model": sorted({said.model for said in scores}),
        "method": sorted({said.method for said in scores}),
        "merge": sorted({said.merge for said in scores}),
        "removed_share": float(np.mean([said.removed_share for said in scores])),
        "raw_attention": any(said.expected is not None for said in scores),
    }


class _Maker:
    """Makes items, with what is known of units in all of them."""

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, Any]],
        lengths: Mapping[str, Any],
        texts: Mapping[str, Any],
    ) -> None:
        self.rows = rows
        self.lengths = lengths
        self.texts = {name: _texts(name, entry) for name, entry in texts.items()}
        self.count = Counter(text for entry in self.texts.values() for text in entry)

    def item(self, name: str, said: Any) -> Item:
        """One item, its parts of one length."""
        people, human, marks = _people(name, said)
        n = human.shape[1]
        model = np.full((len(self.rows), n), np.nan)
        for line, (row, scores) in zip(model, self.rows.items(), strict=True):
            if name in scores:
                entry = scores[name]
                values = entry.value if isinstance(entry, ModelScores) else entry
                line[:] = _vector(values, f"item {_said(name)}, model row {_said(row)}", n)
        return Item(
            name=name,
            people=people,
            human=human,
            model=model,
            length=self._length(name, n, marks),
            frequency=self._frequency(name, n),
            marks=marks,
        )

    def _length(self, name: str, n: int, marks: Marks | None) -> FloatArray:
        if name in self.lengths:
            return _vector(self.lengths[name], f"item {_said(name)}, lengths", n)
        if name in self.texts:
            return np.array([len(text) for text in self._counted(name, n)], dtype=np.float64)
        if marks is not None:
            return marks.width.astype(np.float64)
        spans = (row[name].span for row in self.rows.values() if _has_span(row.get(name)))
        return next((np.diff(span, axis=1)[:, 0].astype(float) for span in spans), _unknown(n))

    def _frequency(self, name: str, n: int) -> FloatArray:
        if name not in self.texts:
            return _unknown(n)
        return np.array([self.count[text] for text in self._counted(name, n)], dtype=np.float64)

    def _counted(self, name: str, n: int) -> list[str]:
        texts = self.texts[name]
        if len(texts) != n:
            raise DataError(
                f"item {_said(name)} has {n} units and {len(texts)} texts; expected as many"
            )
        return texts


def _unknown(n: int) -> FloatArray:
    return np.full(n, np.nan)


def _has_span(entry: Any) -> bool:
    return isinstance(entry, ModelScores)


def _texts(name: str, entry: Any) -> list[str]:
    if isinstance(entry, str) or not isinstance(entry, Iterable):
        kind = type(entry).__name__
        raise DataError(f"item {_said(name)}: texts is {kind}; expected one text a unit")
    return [str(text) for text in entry]


def _people(name: str, said: Any) -> tuple[tuple[str, ...], FloatArray, Marks | None]:
    """Who, their maps ``(p, n)``, and the marks behind them."""
    if isinstance(said, Marks):
        return ("",), said.value[None], said
    if isinstance(said, Mapping):
        if not said:
            raise DataError(f"item {_said(name)} has no person; leave the item out")
        who = _names(said, f"item {_said(name)}")
        maps = [
            _vector(entry, f"item {_said(name)}, person {one!r}")
            for one, entry in zip(who, said.values(), strict=True)
        ]
        _same_units(name, who, maps)
        return tuple(who), np.stack(maps), None
    array = _numbers(said, f"item {_said(name)}, human")
    if array.ndim == 1:
        return ("",), array[None], None
    if array.ndim != 2 or not len(array):
        raise DataError(
            f"item {_said(name)}: human has shape {array.shape}; "
            "expected (units,) or (people, units)"
        )
    # Rows of a matrix are the same people in every item; who did not read it has only NaN.
    there = ~np.isnan(array).all(axis=1)
    there |= not there.any()
    return tuple(str(i) for i in np.flatnonzero(there)), array[there], None


def _same_units(name: str, people: Sequence[str], maps: Sequence[FloatArray]) -> None:
    sizes = [len(one) for one in maps]
    odd = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
    if odd is not None:
        raise DataError(
            f"item {_said(name)}: {people[0]!r} has {sizes[0]} units and {people[odd]!r} "
            f"{sizes[odd]}; expected one value per unit, NaN where a unit was not shown"
        )


def _vector(said: Any, what: str, n: int | None = None) -> FloatArray:
    array = _numbers(said, what)
    if array.ndim != 1:
        raise DataError(f"{what} has shape {array.shape}; expected (units,)")
    if n is not None and len(array) != n:
        raise DataError(f"{what} has {len(array)} units; human has {n}; expected the same units")
    return array


def _numbers(said: Any, what: str) -> FloatArray:
    if isinstance(said, Marks):
        raise DataError(f"{what} is Marks; expected numbers: Marks stand for an item, not a person")
    try:
        array = as_floats(said)
    except ValueError as error:
        raise DataError(f"{what} is not numbers per unit: {error}") from error
    if np.isinf(array).any():
        raise DataError(f"{what} has an infinite value; expected numbers, NaN where missing")
    if (np.abs(array) > LARGEST).any():
        raise DataError(f"{what} has a value above {LARGEST:g}; divide all of them by one number")
    return array


def _said(name: object) -> str:
    """A name in a message: short, on one line."""
    text = str(name)
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def some(names: Iterable[str], most: int = 3) -> str:
    r"""The first names, for a message on one line.

    >>> some(["a", "two\nlines", "c", "d"])
    'a, two\\nlines, c, …'
    """
    listed = [_said(name)[1:-1] for name in names]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "") if listed else "none"
