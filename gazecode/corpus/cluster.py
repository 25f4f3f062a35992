"""The same work on a cluster, through a dask.distributed scheduler.

Workers need the package in the same version, and no shared file system: settings go out once per
worker, shards come back as bytes and are written here. One thread per worker is best: the work
holds Python's lock. With SLURM, through dask-jobqueue (PBS, LSF, SGE alike)::

    from dask_jobqueue import SLURMCluster
    from gazecode.corpus import weigh_corpus

    if __name__ == "__main__":
        with SLURMCluster(cores=1, processes=1, memory="4GB", walltime="02:00:00") as cluster:
            cluster.scale(jobs=64)
            weigh_corpus(
                "corpus/",
                priors="priors.json",
                tokenizer="tokenizer.json",
                out="weights/",
                engine="dask",
                scheduler=cluster.scheduler_address,
                resume=True,
            )
"""

import re
import socket
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gazecode.corpus.blocks import Block
from gazecode.corpus.engines import Results, bisected
from gazecode.corpus.records import one_line
from gazecode.corpus.settings import WeighSettings
from gazecode.corpus.work import Worked, weigh_block
from gazecode.errors import GazecodeError, ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_scheduler", "run_dask"]

PROBE_S = 5
CONNECT_S = 15
WORKERS_S = 600
RETRIES = 2
"""Times a block is tried again after an error that is not the package's own."""
_ADDRESS = re.compile(
    r"(?:(?P<scheme>tcp|tls|ucx)://)?(?P<host>[^\s:/\[\]]+|\[[^\s/\[\]]+\]):(?P<port>[0-9]{1,5})"
)
_IN_PROCESS = re.compile(r"inproc://\S+")


def run_dask(blocks: Iterable[Block], settings: WeighSettings, scheduler: str | None) -> Results:
    """Work on the cluster behind `scheduler`.

    Raises
    ------
    ParameterError
        No address, distributed is not installed, or nobody answers there.
    """
    check_scheduler("dask", scheduler)
    client = _connect(scheduler)
    try:
        cluster = _Cluster(client, settings)
        waiting: deque[tuple[Block, Any]] = deque()
        for block in blocks:
            waiting.append((block, cluster.submit(block.table())))
            if len(waiting) > cluster.most_in_flight:
                yield cluster.next(*waiting.popleft())
        while waiting:
            yield cluster.next(*waiting.popleft())
    finally:
        client.close()


def check_scheduler(engine: str, scheduler: str | None) -> None:
    """Refuse an address that is none or that nobody answers at, before anything is done.

    A client of distributed tries the wrong address for long and leaves tracebacks behind.

    Raises
    ------
    ParameterError
        No address, an address without dask, one that is none, or nobody answers there.

    Examples
    --------
    >>> check_scheduler("dask", "host")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: 'host' is no address of a scheduler; expected tcp://host:8786...
    """
    if engine != "dask":
        if scheduler is not None:
            raise ParameterError(
                f"scheduler is for engine 'dask', found engine {engine!r}; "
                "name --engine dask, or leave --scheduler out"
            )
        return
    if not scheduler:
        raise ParameterError(
            "engine 'dask' needs the address of a scheduler: scheduler='tcp://host:8786' "
            "(--scheduler), as printed by dask scheduler"
        )
    if _IN_PROCESS.fullmatch(scheduler):
        return
    found = _ADDRESS.fullmatch(scheduler)
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise ParameterError(
            f"{scheduler!r} is no address of a scheduler; expected tcp://host:8786 (or tls, ucx, "
            "inproc), as printed by dask scheduler"
        )
    if found["scheme"] != "ucx":
        plain = found["scheme"] != "tls"
        _probe(scheduler, found["host"].strip("[]"), int(found["port"]), plain=plain)


def _probe(scheduler: str, host: str, port: int, *, plain: bool) -> None:
    """Connect, and wait for the first word, which a scheduler says unasked and a web page never."""
    try:
        with socket.create_connection((host, port), timeout=PROBE_S) as there:
            there.settimeout(CONNECT_S)
            if plain and not there.recv(1):
                raise ConnectionError("it hangs up")
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or one_line(str(error))
        raise ParameterError(
            f"no dask scheduler answers at {scheduler} ({said}); start one with dask scheduler, or "
            "check the address (that of its dashboard is another one)"
        ) from error


def _connect(scheduler: str | None) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ParameterError(
            "engine 'dask' needs distributed; pip install 'gazecode[dask]'"
        ) from error
    try:
        library: Any = distributed
        client = library.Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ParameterError(
            f"no dask scheduler answers at {scheduler} within {CONNECT_S} s "
            f"({type(error).__name__}); start one with dask scheduler, or check the address"
        ) from error
    try:
        # Those of a queueing system come when there is room for them.
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        client.close()
        raise ParameterError(
            f"the scheduler at {scheduler} has had no worker for {WORKERS_S} s; "
            f"start some with dask worker {scheduler}"
        ) from error
    return client


class _Cluster:
    """A client, and the settings on its workers."""

    def __init__(self, client: Any, settings: WeighSettings) -> None:
        self.client = client
        # To each worker once, not once per block, and by a task, not by scatter: what was only
        # scattered is lost with the workers that hold it, a task is simply done again.
        bare = replace(settings, tokenizer_json=b"")
        packed = zlib.compress(settings.tokenizer_json)
        self.held = client.submit(unpacked, bare, packed, pure=False, retries=RETRIES)

    @property
    def most_in_flight(self) -> int:
        """Two blocks per thread, as the cluster grows and shrinks."""
        return int(max(4, 2 * sum(self.client.nthreads().values())))

    def submit(self, table: "pa.RecordBatch") -> Any:
        return self.client.submit(weigh_block, table, self.held, pure=False, retries=RETRIES)

    def next(self, block: Block, future: Any) -> tuple[Block, Worked]:
        """The result of a block, without the sources that kill workers."""
        worked = self._result(future)
        return block, worked or bisected(block.table(), lambda t: self._result(self.submit(t)))

    def _result(self, future: Any) -> Worked | None:
        """What a worker gave; None if the workers that tried it all died."""
        from distributed import KilledWorker

        try:
            done: Worked = future.result()
        except KilledWorker:
            return None
        except GazecodeError:
            raise
        except Exception as error:
            said = one_line(f"{type(error).__name__}: {error}")[:300]
            raise GazecodeError(
                f"the cluster gave up on a block: {said}; see the workers' logs, then take the job "
                "up with --resume"
            ) from error
        else:
            return done
        finally:
            future.release()


def unpacked(settings: WeighSettings, packed: bytes) -> WeighSettings:
    """Settings with their tokenizer, which travels compressed: a third of its size."""
    return replace(settings, tokenizer_json=zlib.decompress(packed))
