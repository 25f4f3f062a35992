"""Examples in groups: batches of so many, in order or shuffled, and the two answers of a pair."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, Unpack

import numpy as np

from gazecode.adapters.common.padding import Batch, CollateOptions, collate
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example

__all__ = ["SIDES", "Pair", "batches", "collate_pairs", "pair_batches", "pairs"]

SIDES = ("chosen", "rejected")

Pair = tuple[Example, Example]
"""The chosen and the rejected answer to one prompt."""

_Item = TypeVar("_Item")


def batches(
    examples: Iterable[Example],
    batch_size: int,
    *,
    seed: int | None = None,
    drop_last: bool = False,
    **options: Unpack[CollateOptions],
) -> Iterator[Batch]:
    """Cut examples into padded batches.

    Parameters
    ----------
    examples
        Any iterable. In order, one batch of it is held at a time; to be shuffled, all of it.
    batch_size
        Examples per batch.
    seed
        Shuffle with it: another one for each epoch. None keeps the order.
    drop_last
        Leave out a last batch that is not full.
    **options
        Those of `collate`.

    Raises
    ------
    DataError
        As `collate`.
    ParameterError
        An option outside its range.

    Examples
    --------
    >>> list(batches([], 8, seed=1))
    []
    """
    for group in _groups(examples, batch_size, seed, drop_last=drop_last):
        yield collate(group, **options)


def _groups(
    items: Iterable[_Item], size: int, seed: int | None, *, drop_last: bool
) -> Iterator[list[_Item]]:
    if size < 1:
        raise ParameterError(f"batch_size is {size}; expected 1 or more")
    if seed is not None:
        every = list(items)
        items = [every[i] for i in np.random.default_rng(seed).permutation(len(every))]
    rest = iter(items)
    while group := list(islice(rest, size)):
        if len(group) == size or not drop_last:
            yield group


def pairs(examples: Iterable[Example]) -> list[Pair]:
    """Group the answers to one prompt by `pair_id` into chosen and rejected.

    Parameters
    ----------
    examples
        Those without a `pair_id` belong to no pair and are refused, like any that would be lost.

    Returns
    -------
    list of (Example, Example)
        Chosen and rejected, in the order in which the pairs first appear.

    Raises
    ------
    DataError
        A side is missing, is there twice, or has another name; an example is of no pair.

    Examples
    --------
    >>> pairs([])
    []
    """
    found: dict[str, dict[str, Example]] = {}
    for example in examples:
        name, side = example.pair_id, example.pair_side
        if not name or side not in SIDES:
            raise DataError(
                f"example {example.example_id!r} has pair_id {name!r} and pair_side {side!r}; "
                "expected the name of a pair, and chosen or rejected"
            )
        sides = found.setdefault(name, {})
        if side in sides:
            raise DataError(
                f"pair {name!r} has two examples that are {side}: {sides[side].example_id!r} and "
                f"{example.example_id!r}; expected one, which is no window of a longer text"
            )
        sides[side] = example
    for name, sides in found.items():
        if len(sides) < 2:
            missing = next(side for side in SIDES if side not in sides)
            raise DataError(f"pair {name!r} has no example that is {missing}; expected both sides")
    return [(sides["chosen"], sides["rejected"]) for sides in found.values()]


def collate_pairs(given: Sequence[Pair], **options: Unpack[CollateOptions]) -> Batch:
    """Pad pairs to one batch: each column of `collate` as ``chosen_*`` and as ``rejected_*``.

    Parameters
    ----------
    given
        As `pairs` makes them. The two sides are padded each to its own longest answer.
    **options
        Those of `collate`.

    Raises
    ------
    DataError
        As `collate`.
    """
    sides = zip(SIDES, zip(*given, strict=True), strict=True) if given else [("", ())]
    return {
        f"{side}_{name}": column
        for side, examples in sides
        for name, column in collate(examples, **options).items()
    }


def pair_batches(
    given: Iterable[Pair],
    batch_size: int,
    *,
    seed: int | None = None,
    drop_last: bool = False,
    **options: Unpack[CollateOptions],
) -> Iterator[Batch]:
    """Cut pairs into padded batches, as `batches` does with examples."""
    for group in _groups(given, batch_size, seed, drop_last=drop_last):
        yield collate_pairs(group, **options)
