"""Work on a hostile file in a process of its own: bounded memory, bounded time, everything told.

`Confined` keeps one warm child (imports take longer than most attacks) that forks for every job.
What the fork uses is measured as it ends: its peak of resident memory (``VmHWM``) and its seconds.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADDRESSES = 4 << 30
"""Of address space: what a fork asks for beyond it is refused, and the machine stays well."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its word (`read`, `refused`, `raised`, `killed`), what it said."""

    word: str
    said: str
    out: str = ""
    peak_mb: float = 0.0
    seconds: float = 0.0


class Confined:
    """Runs jobs in confined forks of one warm child."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
        )

    def run(self, job: str, seconds: float, **given: Any) -> Outcome:
        """One job; `seconds` of the processor, and four times that on the clock."""
        line = json.dumps({"job": job, "seconds": seconds, **given}, default=str)
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        return Outcome(**json.loads(self._child.stdout.readline()))

    def close(self) -> None:
        self._child.communicate(timeout=10)


def peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def read(path: str, reader: str | None = None, options: dict | None = None) -> tuple[str, str]:
    """Read and use a recording; all of it is text that can be searched for what must not leak."""
    from gazecode.errors import GazecodeError
    from gazecode.readers import read as read_recording

    try:
        found = read_recording(path, reader, **(options or {}))
        assert len(found.gaze) == len(found)
        held = [
            len(found),
            len(found.device_events),
            dict(found.provenance),
            [(t.name, t.stimulus) for t in found.trials][:1000],
            [m.text for m in found.messages][:1000],
        ]
        return "read", json.dumps(held, default=str)
    except (GazecodeError, MemoryError) as error:
        word = "refused" if isinstance(error, GazecodeError) else "raised"
        return word, str(error) or type(error).__name__


def examples(path: str) -> tuple[str, str]:
    """Read a file of examples."""
    from gazecode.errors import GazecodeError
    from gazecode.export import read_examples

    try:
        return "read", str(len(read_examples(path)))
    except GazecodeError as error:
        return "refused", str(error)


def study(path: str) -> tuple[str, str]:
    """Load a study and run it."""
    from gazecode.errors import GazecodeError
    from gazecode.study import run_study

    try:
        run_study(path, Path(path).parent / "out")
    except GazecodeError as error:
        return "refused", str(error)
    return "read", ""


def command(arguments: list[str]) -> tuple[str, str]:
    """The program as a shell runs it; `out` of the outcome is what it printed."""
    from gazecode.__main__ import main

    sys.argv = ["gazecode", *arguments]
    try:
        main()
    except SystemExit as leave:
        return "read" if leave.code in (0, 3, None) else "refused", str(leave.code)
    return "read", "0"


JOBS = {"read": read, "examples": examples, "study": study, "command": command}


def _work(told: dict[str, Any], to: int) -> None:
    """In the fork: one job under limits, and its outcome as one line."""
    import resource

    seconds = told.pop("seconds")
    job = JOBS[told.pop("job")]
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(int(4 * seconds) + 1)
    printed = io.StringIO()
    begin = time.process_time()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            word, said = job(**told)
    except BaseException as error:  # noqa: BLE001 - the outcome is what is asked for
        word, said = "raised", f"{type(error).__name__}: {error}"
    outcome = {
        "word": word,
        "said": said,
        "out": printed.getvalue(),
        "peak_mb": peak_mb(),
        "seconds": time.process_time() - begin,
    }
    with os.fdopen(to, "w") as pipe:
        pipe.write(json.dumps(outcome))


def _fork(told: dict[str, Any]) -> str:
    take, give = os.pipe()
    number = os.fork()
    if not number:
        os.close(take)
        try:
            _work(told, give)
        finally:
            os._exit(0)
    os.close(give)
    with os.fdopen(take) as pipe:
        said = pipe.read()
    _, status = os.waitpid(number, 0)
    if said:
        return said
    return json.dumps({"word": "killed", "said": signal.Signals(os.WTERMSIG(status)).name})


def _warm() -> None:
    """Everything that readers import late; nothing that starts a thread."""
    import importlib

    for name in (
        "h5py",
        "pandas",
        "pyarrow.csv",
        "pyarrow.parquet",
        "defusedxml.ElementTree",
        "gazecode.__main__",
        "gazecode.export",
        "gazecode.readers",
        "gazecode.study",
        "gazecode.verdict",
        "gazecode.describe",
        "rich.table",
    ):
        importlib.import_module(name)


def _serve() -> None:
    os.environ.update(
        OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MPLBACKEND="agg", COLUMNS="200"
    )
    _warm()
    for line in sys.stdin:
        print(_fork(json.loads(line)), flush=True)


if __name__ == "__main__":
    _serve()
