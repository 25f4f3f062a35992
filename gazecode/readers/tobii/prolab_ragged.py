r"""Rows of a Pro Lab export that have lost a cell: stamp and sensor are kept, the rest is not.

Where a cell is missing nobody can say which one, and what follows stands in the wrong columns.
Stamp and sensor come first and prove themselves: a number, and a sensor's name. So such a row
still says that the tracker measured; its gaze is lost, and the row is counted.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["mend_ragged_rows"]

IntArray = npt.NDArray[np.int64]

_STAMP = re.compile(rb"\d+(?:[.,]\d+)?")


def mend_ragged_rows(
    blocks: Iterable[bytes], leading: tuple[int, int], sensors: Container[str], counts: Counter[str]
) -> Iterator[bytes]:
    r"""Blocks of tab-separated lines, ragged rows emptied but for stamp and sensor.

    Parameters
    ----------
    blocks
        Whole lines, the header first.
    leading
        Places of stamp and sensor among the cells, which are not quoted.
    sensors
        Names it may have.
    counts
        Added to: `ragged_rows`, mended here or left for the parser to leave out.

    Examples
    --------
    >>> counts = Counter()
    >>> text = b"t\tSensor\tEvent\tx\n5\tMouse\t7\n6\tMouse\t\t8\n"
    >>> list(mend_ragged_rows([text], (0, 1), {"Mouse"}, counts)), counts["ragged_rows"]
    ([b't\tSensor\tEvent\tx\n5\tMouse\t\t\n6\tMouse\t\t8\n'], 1)
    """
    mend = None
    held = b""
    for block in blocks:
        if mend is None:
            n_cells = block.partition(b"\n")[0].count(b"\t") + 1
            mend = _Mend(n_cells=n_cells, leading=leading, sensors=sensors, counts=counts)
        else:
            yield mend.block(held)
        held = block
    if mend is None:
        return
    # A last line without its end may be cut: that is the parser's to say.
    end = held.rfind(b"\n") + 1
    yield mend.block(held[:end]) + held[end:]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mend:
    """What a whole row is, and what a ragged one can still prove."""

    n_cells: int
    leading: tuple[int, int]
    sensors: Container[str]
    counts: Counter[str]

    def block(self, block: bytes) -> bytes:
        text = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        if not len(ends):
            return block
        starts = np.concatenate(([0], ends[:-1] + 1))
        cells = 1 + np.add.reduceat(text == ord("\t"), starts, dtype=np.int64)
        ragged = np.flatnonzero((cells != self.n_cells) & (ends > starts))
        if not len(ragged):
            return block
        return b"".join(self._pieces(block, starts[ragged], ends[ragged]))

    def _pieces(self, block: bytes, starts: IntArray, ends: IntArray) -> Iterator[bytes]:
        at = 0
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            yield block[at:start]
            at = start
            cells = block[start:end].split(b"\t")
            if self._proves(cells):
                self.counts["ragged_rows"] += 1
                yield b"\t".join(
                    cells[i] if i in self.leading else b"" for i in range(self.n_cells)
                )
                at = end
        yield block[at:]

    def _proves(self, cells: list[bytes]) -> bool:
        if len(cells) <= max(self.leading):
            return False
        stamp, sensor = (cells[i] for i in self.leading)
        return bool(_STAMP.fullmatch(stamp)) and sensor.decode("utf-8", "replace") in self.sensors
