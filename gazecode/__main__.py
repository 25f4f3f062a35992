"""The command line: ``gazecode --help``.

Exit status: 0 done; 1 bad data (one line says what was found, expected, and what to do);
2 wrong usage; 3 finished, but some recordings, trials or sources failed (named in
``failures.csv``).
"""

import os
import sys
from importlib import import_module
from io import TextIOWrapper

from gazecode.commands.shell import app, one_line
from gazecode.errors import GazecodeError

__all__ = ["app", "main"]

# Each module adds its commands to the program; the order is that of `--help`.
for _module in ("studies", "recordings", "priors", "corpora", "files", "agreement", "evaluation"):
    import_module(f"gazecode.commands.{_module}")


def main() -> None:
    """Entry point: one line for an expected error, a traceback only when asked for."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign must not make a finished job look failed.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except (GazecodeError, OSError, MemoryError) as error:
        if os.environ.get("GAZECODE_DEBUG"):
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
