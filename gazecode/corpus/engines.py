"""Who does the work: this process, several processes, or a cluster of dask.

Each engine is a generator: blocks in, ``(block, result)`` out in the order of the blocks, with a
bounded number in flight, so that memory does not depend on the size of the corpus. All of them
call the same pure function, so that the bytes are the same.
"""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from gazecode.corpus.blocks import Block
from gazecode.corpus.settings import WeighSettings
from gazecode.corpus.work import Worked, weigh_block
from gazecode.errors import GazecodeError, ParameterError
from gazecode.workers import end_with_parent

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ENGINES", "Results", "bisected", "run_processes", "run_serial"]

Results = Iterator[tuple[Block, Worked]]
Attempt = Callable[["pa.RecordBatch"], Worked | None]

ENGINES = ("local", "dask")

LOST = "the process that worked on it ended (killed, out of memory, or a crash of a library)"


def run_serial(blocks: Iterable[Block], settings: WeighSettings) -> Results:
    """Work in this process."""
    for block in blocks:
        yield block, weigh_block(block.table(), settings)


def run_processes(blocks: Iterable[Block], settings: WeighSettings, jobs: int) -> Results:
    """Work in `jobs` processes; a source that kills its process is found and reported."""
    pool = _Pool(settings, jobs)
    waiting: deque[tuple[Block, Any]] = deque()
    try:
        for block in blocks:
            waiting.append((block, pool.submit(block.table())))
            if len(waiting) > 2 * jobs:
                yield _next(waiting, pool)
        while waiting:
            yield _next(waiting, pool)
    finally:
        pool.close()


def _next(waiting: "deque[tuple[Block, Any]]", pool: "_Pool") -> tuple[Block, Worked]:
    """The oldest block's result, however often its process has to be started again."""
    block, future = waiting.popleft()
    try:
        return block, future.result()
    except BrokenProcessPool:
        pass
    pool.close()
    # Which of the blocks in flight was at fault is not known: each has another try, this one alone.
    worked = bisected(block.table(), pool.alone)
    again = [
        (other, old if old.done() and old.exception() is None else pool.submit(other.table()))
        for other, old in waiting
    ]
    waiting.clear()
    waiting.extend(again)
    return block, worked


def bisected(table: "pa.RecordBatch", attempt: "Attempt") -> Worked:
    """Results of a block that kills whoever works on it, without the sources that do.

    Parameters
    ----------
    attempt
        Works on a table; None if its process did not survive.
    """
    kept = list(range(table.num_rows))
    guilty: dict[int, tuple[str, str]] = {}
    while (done := attempt(_taken(table, kept))) is None:
        if not kept:
            raise GazecodeError(f"{LOST}, and it had no source to work on; see its log")
        found = _guilty(table, kept, attempt)
        guilty[found] = ("crash", LOST)
        kept.remove(found)
    return done.with_rows(kept, guilty)


def _guilty(table: "pa.RecordBatch", rows: list[int], attempt: Attempt) -> int:
    """A source that kills its process, found by halves."""
    while len(rows) > 1:
        first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        rows = first if attempt(_taken(table, first)) is None else second
    return rows[0]


def _taken(table: "pa.RecordBatch", rows: list[int]) -> "pa.RecordBatch":
    import pyarrow as pa

    return table.take(pa.array(rows, pa.int64()))


@dataclass(slots=True)
class _Pool:
    """Processes that hold the settings; started when first needed, and again after a crash."""

    settings: WeighSettings
    jobs: int
    _executor: ProcessPoolExecutor | None = None

    def submit(self, table: "pa.RecordBatch") -> Any:
        """Start to work on a table."""
        if self._executor is None:
            self._executor = self._start(self.jobs)
        try:
            return self._executor.submit(_work, table)
        except BrokenProcessPool:
            # It broke between two blocks; those in flight will be told by their own futures.
            self.close()
            self._executor = self._start(self.jobs)
            return self._executor.submit(_work, table)

    def alone(self, table: "pa.RecordBatch") -> Worked | None:
        """Work on a table in a process of its own; None if that does not survive."""
        executor = self._start(1)
        try:
            done: Worked = executor.submit(_work, table).result()
        except BrokenProcessPool:
            return None
        else:
            return done
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """End the processes; what they were working on is dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def _start(self, jobs: int) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork of a process with threads (Arrow, tokenizers) may hang.
        return ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=_enter, initargs=(self.settings,)
        )


_settings: WeighSettings | None = None


def _enter(settings: WeighSettings) -> None:
    """Make a fresh process ready: it keeps the settings, and never outlives the job."""
    global _settings  # noqa: PLW0603 - one value per worker process, set once
    _settings = settings
    # An interrupt is the business of whoever started the job.
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _work(table: "pa.RecordBatch") -> Worked:
    if _settings is None:
        raise ParameterError("this process has no settings; start it with _enter")
    return weigh_block(table, _settings)
