"""Delimited text of which each block is brought to a few columns before the next one is read.

`read_delimited` makes a frame of all rows; a reader that wants something else of them takes it here
and never holds that frame.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gazecode.readers.tools.delimited import delimited_frames
from gazecode.readers.tools.growing import Gathered

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["gather"]

Take = Callable[["pd.DataFrame"], Mapping[str, Any]]


def gather(text: Iterable[bytes], *, take: Take, name: str, **options: Any) -> Gathered:
    r"""Read delimited text and keep what `take` makes of each block.

    Parameters
    ----------
    text, name, **options
        As `delimited_frames` has them, in blocks.
    take
        Given a block's frame: name → array ``(n, ...)`` or categorical series, of any rows; the
        same names for every block.

    Examples
    --------
    >>> from collections import Counter
    >>> got = gather(
    ...     [b"t\tpage\n1\ta\n", b"2\tb\n3\ta\n"],
    ...     take=lambda frame: {"s": frame["t"].to_numpy() / 10, "page": frame["page"]},
    ...     name="a.tsv",
    ...     columns={"t": float, "page": str},
    ...     counts=Counter(),
    ... )
    >>> got.array("s"), got.labels("page", slice(None))
    (array([0.1, 0.2, 0.3]), (array([0, 1, 0], dtype=int8), ['a', 'b']))
    """
    gathered = Gathered()
    for frame in delimited_frames(text, name=name, **options):
        gathered.add(take(frame))
    return gathered
